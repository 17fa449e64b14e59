// Bottom-up rebuilding of a DAG, the loop every rewriting pass shares.
#pragma once
#include <span>
#include <vector>

#include "ir/graph.h"

namespace ricci {

// The nodes that result when every node below `roots`, operands first, is rebuilt on its rewritten operands and then passed through `step`.
// One visit per node: memoised, without recursion.
template <class Step>
std::vector<NodeId> rewrite_bottom_up(Graph& g, std::span<const NodeId> roots, Step step) {
  const std::vector<NodeId> order = g.reachable(roots);
  std::vector<NodeId> done(order.empty() ? 0 : order.back().value + 1);
  for (NodeId n : order) {
    std::vector<NodeId> operands;
    operands.reserve(g[n].operands.size());
    for (NodeId op : g[n].operands) operands.push_back(done[op.value]);
    done[n.value] = step(g.rebuild(n, std::move(operands)));
  }
  std::vector<NodeId> result;
  for (NodeId r : roots) result.push_back(done[r.value]);
  return result;
}

template <class Step>
NodeId rewrite_bottom_up(Graph& g, NodeId root, Step step) {
  return rewrite_bottom_up(g, std::span(&root, 1), step)[0];
}

}  // namespace ricci
