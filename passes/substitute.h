// Exchanges variables and dimensions in an expression: how the right side of a rule becomes a term of the program.
#pragma once
#include <map>

#include "ir/graph.h"

namespace ricci {

// `expression` with nodes (variables mostly) replaced by nodes of the same type after `dims` are exchanged.
NodeId substitute(Graph& g, NodeId expression, const std::map<NodeId, NodeId>& nodes, const std::map<DimId, DimId>& dims = {});

}  // namespace ricci
