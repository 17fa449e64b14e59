// The DAG as a picture for Graphviz: a box a node, an edge from each operand to its user.
#pragma once
#include <span>
#include <string>

#include "ir/graph.h"

namespace ricci {

// Labels are the lines of the text form; roots have a double border.
std::string to_dot(const Graph& g, std::span<const NodeId> roots);

}  // namespace ricci
