// Derivatives of entrywise functions, from the columns of their table (ir/elementwise.def).
#pragma once
#include <array>
#include <map>
#include <vector>

#include "ir/graph.h"

namespace ricci {

// d f(x, y, z) / d (operand k), entrywise; each formula is read once.
class Slopes {
 public:
  explicit Slopes(Graph& g) : g_(g) {}

  // Of the Map `map` by its operand k, with the axes of the map.
  NodeId operator()(NodeId map, size_t k);

 private:
  const std::vector<NodeId>& read(MapOp op, size_t k);
  NodeId placeholder(const char* name) { return g_.variable(g_.declare({name, {}, {}, {}, {}, {}, true})); }

  Graph& g_;
  std::array<NodeId, 3> names_{placeholder("x"), placeholder("y"), placeholder("z")};
  NodeId value_ = placeholder("f");
  std::map<std::pair<MapOp, size_t>, std::vector<NodeId>> formulas_;  // the nodes of each
};

}  // namespace ricci
