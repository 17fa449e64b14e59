#include "passes/commuting.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "ir/functions.h"
#include "ir/labels.h"

namespace ricci {
namespace {

// The matrix without a scalar before it.
NodeId without_scalars(const Graph& g, NodeId n) {
  if (g[n].kind == Kind::Sum && g[n].operands.size() == 1) n = g[n].operands[0];
  if (g[n].kind != Kind::Ein || g.out(n) != Graph::iota(2)) return n;
  std::optional<NodeId> matrix;
  for (const Factor& f : g.factors(n)) {
    if (f.labels.empty()) continue;
    if (matrix || f.labels != g.out(n)) return n;
    matrix = f.tensor;
  }
  return matrix.value_or(n);
}

bool is_matrix_function(const Graph& g, NodeId n) {
  if (g[n].kind != Kind::Fun || g[n].rank() != 2) return false;
  const FunOp f = g[n].fun_op();
  return row(f).is_primary() || f == FunOp::inv || f == FunOp::adj;
}

// The matrix that `n` is a function of.
NodeId argument(const Graph& g, NodeId n) { return is_matrix_function(g, n) ? without_scalars(g, g[n].operands[0]) : n; }

// What stands first.
std::pair<bool, uint64_t> key(const Graph& g, NodeId n) { return {g[n].kind == Kind::Fun, g.fingerprint(n)}; }

// Where in the result the chain ends that leaves factor k by its label that is not b; behind all places if it does not reach the result.
size_t end_of_chain(const std::vector<Factor>& factors, const Labels& out, size_t k, Label b) {
  for (size_t step = 0; step < factors.size() && factors[k].labels.size() == 2; ++step) {
    b = factors[k].labels[factors[k].labels[0] == b];
    if (const auto at = std::ranges::find(out, b); at != out.end()) return size_t(at - out.begin());
    size_t next = factors.size();
    for (size_t m = 0; m < factors.size(); ++m)
      if (m != k && contains(factors[m].labels, b)) next = m;
    if (next == factors.size()) break;
    k = next;
  }
  return out.size();
}

// The factors x_ab y_bc at a summed label b, x first.
struct Neighbours {
  size_t x, y;
};
std::optional<Neighbours> neighbours(const Graph& g, const std::vector<Factor>& factors, const Labels& out, Label b) {
  std::vector<size_t> at;
  for (size_t k = 0; k < factors.size(); ++k)
    if (contains(factors[k].labels, b)) at.push_back(k);
  if (contains(out, b) || at.size() != 2) return std::nullopt;
  for (size_t k : at)
    if (factors[k].labels.size() != 2 || factors[k].labels[0] == factors[k].labels[1]) return std::nullopt;
  const Factor &f = factors[at[0]], &h = factors[at[1]];
  if (f.tensor == h.tensor || argument(g, f.tensor) != argument(g, h.tensor)) return std::nullopt;
  const bool f_first = f.labels[1] == b, h_first = h.labels[1] == b;
  if (g.is_symmetric(f.tensor) && g.is_symmetric(h.tensor)) {  // they can be read from either end: from that which comes first in the result
    const size_t f_end = end_of_chain(factors, out, at[0], b), h_end = end_of_chain(factors, out, at[1], b);
    if (f_end == h_end) return std::nullopt;
    return f_end < h_end ? Neighbours{at[0], at[1]} : Neighbours{at[1], at[0]};
  }
  if (f_first == h_first) return std::nullopt;
  return f_first ? Neighbours{at[0], at[1]} : Neighbours{at[1], at[0]};
}

}  // namespace

NodeId order_commuting(Graph& g, NodeId ein) {
  std::vector<Factor> factors = g.factors(ein);
  if (std::ranges::none_of(factors, [&](const Factor& f) { return is_matrix_function(g, f.tensor); })) return ein;
  const Labels out = g.out(ein);
  Labels labels = g[ein].labels;
  std::ranges::sort(labels);
  labels.erase(std::ranges::unique(labels).begin(), labels.end());
  bool changed = false;
  for (size_t round = 0; round < factors.size(); ++round)  // as bubbles rise
    for (Label b : labels) {
      const auto pair = neighbours(g, factors, out, b);
      if (!pair || key(g, factors[pair->x].tensor) <= key(g, factors[pair->y].tensor)) continue;
      std::swap(factors[pair->x].tensor, factors[pair->y].tensor);
      changed = true;
    }
  return changed ? g.ein(std::move(factors), out, Type(g[ein].type)) : ein;
}

}  // namespace ricci
