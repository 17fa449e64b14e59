#include "passes/softmax_sum.h"

#include <algorithm>

#include "passes/canonicalize.h"
#include "passes/rewrite.h"

namespace ricci {
namespace {

// Whether every row exp(u - lse(u)) of `exponent`, along its last axis, is a softmax.
bool is_softmax(Graph& g, NodeId exponent) {
  if (g[exponent].kind != Kind::Sum || g[exponent].rank() == 0) return false;
  const std::vector<Term> terms = g.terms(exponent);
  for (size_t k = 0; k < terms.size(); ++k) {
    const NodeId repeated = terms[k].tensor;
    if (terms[k].coefficient != -1 || g[repeated].kind != Kind::Ein || g[repeated].operands.size() != 1) continue;
    const NodeId lse = g[repeated].operands[0];
    const Labels all = Graph::iota(g[exponent].rank()), rows(all.begin(), all.end() - 1);
    if (g[lse].kind != Kind::Fun || g[lse].fun_op() != FunOp::lse) continue;
    if (g.out(repeated).size() != all.size() || g.ein({{lse, rows}}, all, Type(g[exponent].type)) != repeated) continue;
    std::vector<Term> rest = terms;
    rest.erase(rest.begin() + std::ptrdiff_t(k));
    const NodeId u = g.sum(std::move(rest), Type(g[exponent].type));
    if (canonicalize(g, u) == canonicalize(g, g[lse].operands[0])) return true;
  }
  return false;
}

}  // namespace

NodeId with_shares_summed(Graph& g, NodeId root) {
  return rewrite_bottom_up(g, root, [&](NodeId id) {
    if (g[id].kind != Kind::Ein) return id;
    std::vector<Factor> factors = g.factors(id);
    const Labels out = g.out(id);
    for (Factor& f : factors) {
      const Node& n = g[f.tensor];
      if (n.kind != Kind::Map || n.map_op() != MapOp::exp_ || !is_softmax(g, n.operands[0])) continue;
      const Label last = f.labels.back();
      size_t uses = size_t(std::ranges::count(out, last));
      for (const Factor& other : factors) uses += size_t(std::ranges::count(other.labels, last));
      if (uses != 1) continue;
      Type rows = g[f.tensor].type;
      rows.pop_back();
      f.labels.pop_back();
      f.tensor = g.ones(rows);
    }
    return g.ein(std::move(factors), out, Type(g[id].type));
  });
}

}  // namespace ricci
