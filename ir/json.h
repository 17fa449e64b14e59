// The DAG as JSON, for tools that would rather not read the text form.
//
//   {"nodes": [{"id": 0, "kind": "var", "name": "A", "properties": ["symmetric"], "type": ["n", "n"], "variance": ["up", "down"]},
//              {"id": 1, "kind": "ein", "operands": [0, 0], "labels": ["ab", "bc"], "out": "ac", "type": ["n", "n"]}, ...],
//    "roots": [1]}
// Coefficients are exact and therefore strings ("-2/3"). Ids count the reachable nodes in ascending order, as in the text form.
#pragma once
#include <span>
#include <string>

#include "ir/graph.h"

namespace ricci {

std::string to_json(const Graph& g, std::span<const NodeId> roots);

}  // namespace ricci
