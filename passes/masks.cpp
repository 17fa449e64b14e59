#include "passes/masks.h"

#include <algorithm>
#include <map>

#include "passes/finite.h"

namespace ricci {
namespace {

bool is_triangle(const Node& n) { return n.kind == Kind::Fun && (n.fun_op() == FunOp::tril || n.fun_op() == FunOp::triu); }

}  // namespace

NodeId with_masks(Graph& g, NodeId expression) {
  const std::vector<NodeId> order = g.reachable(std::span(&expression, 1));
  if (std::ranges::none_of(order, [&](NodeId n) { return is_triangle(g[n]) && g[n].rank() > 2; })) return expression;
  Finiteness finite(g);
  std::map<NodeId, NodeId> done;
  for (NodeId id : order) {
    const Node n = g[id];
    std::vector<NodeId> operands;
    for (NodeId o : n.operands) operands.push_back(done.at(o));
    if (!is_triangle(n) || n.rank() <= 2 || !finite(n.operands[0])) {
      done[id] = n.operands.empty() ? id : g.rebuild(id, std::move(operands));
      continue;
    }
    const Labels all = Graph::iota(n.rank()), matrix(all.end() - 2, all.end());
    const NodeId mask = g.fun(n.fun_op(), g.ein({}, {0, 1}, Type(n.type.end() - 2, n.type.end())));
    done[id] = g.ein({{operands[0], all}, {mask, matrix}}, all, n.type);
  }
  return done.at(expression);
}

}  // namespace ricci
