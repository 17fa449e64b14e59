// The invariants of the IR, one sentence each.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "ir/graph.h"

namespace ricci {

// What is broken among the nodes reachable from `roots`: "%7: a label has two dimensions" a line; nothing if all is well. The ids are the
// graph's own. Runs between passes in debug builds and under --verify-each.
std::vector<std::string> verify(const Graph& g, std::span<const NodeId> roots);

}  // namespace ricci
