#include "passes/shares.h"

#include <algorithm>
#include <optional>

#include "ir/labels.h"
#include "passes/rewrite.h"

namespace ricci {
namespace {

bool is_lse(const Graph& g, NodeId n) { return g[n].kind == Kind::Fun && g[n].fun_op() == FunOp::lse; }

// lse(u) repeated along one axis of a sum: the axes of the sum that its own are, in their order, and last the one it is reduced over.
std::optional<std::vector<size_t>> axes_of_lse(const Graph& g, NodeId term) {
  if (g[term].kind != Kind::Ein || g[term].operands.size() != 1 || !is_lse(g, g[term].operands[0])) return std::nullopt;
  const Labels out = g.out(term), own = g.factors(term)[0].labels;
  if (own.size() + 1 != out.size() || has_repeats(out) || has_repeats(own)) return std::nullopt;
  std::vector<size_t> axes;
  for (Label l : own) axes.push_back(size_t(std::ranges::find(out, l) - out.begin()));
  for (size_t k = 0; k < out.size(); ++k)
    if (!contains(own, out[k])) axes.push_back(k);
  return axes;
}

// The axes of exp(u - lse(u)), the reduced one last; nothing for anything else.
std::optional<std::vector<size_t>> share_axes(Graph& g, NodeId id) {
  if (g[id].kind != Kind::Map || g[id].map_op() != MapOp::exp_) return std::nullopt;
  const NodeId sum = g[id].operands[0];
  if (g[sum].kind != Kind::Sum) return std::nullopt;
  const std::vector<Term> terms = g.terms(sum);
  for (size_t k = 0; k < terms.size(); ++k) {
    const auto axes = terms[k].coefficient == -1 ? axes_of_lse(g, terms[k].tensor) : std::nullopt;
    if (!axes) continue;
    std::vector<Term> rest = terms;
    rest.erase(rest.begin() + std::ptrdiff_t(k));
    const NodeId u = g.sum(std::move(rest), Type(g[sum].type));
    if (g.permute(u, *axes) == g[g[terms[k].tensor].operands[0]].operands[0]) return axes;
  }
  return std::nullopt;
}

NodeId over_its_sum(Graph& g, NodeId id) {
  const auto axes = share_axes(g, id);
  if (!axes) return id;
  const Type type = g[id].type;
  const Labels all = Graph::iota(type.size());
  Labels kept;
  Type whole_type;
  for (size_t k = 0; k + 1 < axes->size(); ++k) kept.push_back(Label((*axes)[k])), whole_type.push_back(type[(*axes)[k]]);
  const NodeId whole = g.ein({{id, all}}, kept, whole_type), number = g.map(MapOp::isequal_, {whole, whole});  // beside an infinite entry it is none
  const NodeId divisor = g.map(MapOp::select_, {number, whole, g.ein({}, Graph::iota(whole_type.size()), whole_type)});
  return g.ein({{id, all}, {g.power(divisor, -1), kept}}, all, type);
}

}  // namespace

std::vector<NodeId> with_exact_shares(Graph& g, std::span<const NodeId> roots) {
  return rewrite_bottom_up(g, roots, [&](NodeId n) { return over_its_sum(g, n); });
}

}  // namespace ricci
