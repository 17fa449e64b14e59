// Bottom-up rebuilding of a DAG, the loop every rewriting pass shares.
#pragma once
#include <functional>
#include <unordered_map>

#include "ir/graph.h"

namespace ricci {

// The node that results when every node below `root`, operands first, is rebuilt on its rewritten operands and then passed through `step`.
// One visit per node: memoised, without recursion.
template <class Step>
NodeId rewrite_bottom_up(Graph& g, NodeId root, Step step) {
  std::unordered_map<NodeId, NodeId> done;
  NodeId roots[] = {root};
  for (NodeId n : g.reachable(roots)) {
    std::vector<NodeId> operands;
    for (NodeId op : g[n].operands) operands.push_back(done.at(op));
    done[n] = step(g.rebuild(n, std::move(operands)));
  }
  return done.at(root);
}

}  // namespace ricci
