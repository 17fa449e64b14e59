#include "passes/frechet.h"

#include <algorithm>

#include "passes/canonicalize.h"
#include "passes/matrix_chain.h"

namespace ricci {
namespace {

// L*X*R where X meets the first row axis of the one and of the other: X placed at a block of a larger matrix, or taken out of it.
NodeId placed(Graph& g, NodeId at, NodeId x, NodeId beside, bool into) {
  const size_t to = into ? 0 : 1;
  const Type type{g[at].type[to], g[beside].type[to]};
  const Labels rows = into ? Labels{0, 2} : Labels{2, 0}, columns = into ? Labels{1, 3} : Labels{3, 1};
  return g.ein({{at, rows}, {x, {2, 3}}, {beside, columns}}, {0, 1}, type);
}

// E*X or X*E over the axes before them.
NodeId product(Graph& g, const Factor& left, const Factor& right, const Labels& leading, const Type& type) {
  constexpr Label kRow = 1u << 20, kInner = kRow + 1, kColumn = kRow + 2;
  Factor l = left, r = right;
  l.labels.insert(l.labels.end(), {kRow, kInner});
  r.labels.insert(r.labels.end(), {kInner, kColumn});
  Labels out = leading;
  out.insert(out.end(), {kRow, kColumn});
  return g.ein({l, r}, std::move(out), type);
}

// Whether E is made of X by sums, products, scalars and functions of matrices: all of these commute with X and with each other.
bool is_made_of(Graph& g, NodeId E, NodeId X, int depth) {
  if (E == X || E == g.delta(g[X].type[0])) return true;
  if (depth == 0) return false;
  const auto part = [&](NodeId n) { return g[n].type == g[X].type && is_made_of(g, n, X, depth - 1); };
  if (g[E].kind == Kind::Fun) {
    const FunOp f = g[E].fun_op();
    return (row(f).is_primary() || f == FunOp::inv || f == FunOp::adj) && part(g[E].operands[0]);
  }
  if (g[E].kind == Kind::Sum && g[E].operands.size() > 1) return std::ranges::all_of(std::vector(g[E].operands), part);
  const auto chain = matrix_chain(g, E);
  if (!chain) return false;
  if (chain->matrices != std::vector{E}) return std::ranges::all_of(chain->matrices, part);
  return g.is_structure(E) && is_made_of(g, g.permute(E, {1, 0}), g.permute(X, {1, 0}), depth - 1);  // E' of X'
}

}  // namespace

NodeId frechet_block(Graph& g, FunOp f, NodeId X, NodeId E) {
  const DimId n = g[X].type[0], parts[] = {n, n}, both = g.sum(parts);
  const NodeId first = g.place(both, {n}, g.dim(int64_t{0})), second = g.place(both, {n}, n);
  const NodeId block = g.sum({{1, placed(g, first, X, first, true)}, {1, placed(g, second, X, second, true)}, {1, placed(g, first, E, second, true)}},
                             {both, both});
  return placed(g, first, g.fun(f, block), second, false);
}

bool commute(Graph& g, NodeId X, const Labels& rows, NodeId E, const Labels& leading) {
  constexpr size_t kMostNodes = 300;  // canonical forms flatten products and sums
  const Type type = g[E].type;
  const NodeId left = product(g, {E, leading}, {X, rows}, leading, type), right = product(g, {X, rows}, {E, leading}, leading, type);
  if (left == right) return true;
  constexpr int kDeepest = 8;
  if (g[E].rank() == 2 && g[X].rank() == 2 && is_made_of(g, E, X, kDeepest)) return true;
  const NodeId both[] = {left, right};
  if (g.reachable(both).size() > kMostNodes) return false;
  return canonicalize(g, left) == canonicalize(g, right);
}

}  // namespace ricci
