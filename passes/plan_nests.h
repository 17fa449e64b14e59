// Which elementwise work and loop reductions share a nest of loops.
//
// Levels make fusion safe. A node's level is above that of a reduction it uses, and of an elementwise node it uses otherwise than element
// by element; kernels of a level run before its nests. Between two nests of one level there can be only broadcasts, from fewer axes to
// more, so they never wait for each other in a circle, and nodes of one level and one iteration space may be merged.
#pragma once
#include "passes/plan.h"

namespace ricci {

struct Nest {
  Type space;
  std::vector<NodeId> members;  // ascending
  std::vector<Axes> axes;       // of each member: every axis of the space occurs, or the member is a number
  std::vector<NodeId> stored;   // those that something outside the nest reads
};

// `users` and `is_output` are by node id.
std::vector<Nest> form_nests(const Graph& g, const Plan& plan, std::span<const NodeId> nodes, const std::vector<std::vector<NodeId>>& users,
                             const std::vector<bool>& is_output);

}  // namespace ricci
