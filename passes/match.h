// Matching of rule patterns against nodes. A product matches part of a larger product, a sum part of a larger sum; the rest is carried along.
#pragma once
#include <functional>
#include <optional>

#include "ir/graph.h"

namespace ricci {

// A pattern is an ordinary expression, in a graph of its own, whose variables stand for any node.
struct Pattern {
  const Graph* graph;
  NodeId root;
  bool entrywise;  // variables are rank-0 stand-ins for tensors of any type
};

// Where a pattern was found.
struct Match {
  std::map<NodeId, NodeId> nodes;  // pattern variable -> node
  std::map<DimId, DimId> dims;     // pattern dimension -> dimension
  Rational ratio = 1;              // sums: subject coefficients are pattern coefficients times this
  std::vector<size_t> used;        // positions of the subject's operands that are covered
  std::map<Label, Label> labels;   // products: pattern label -> subject label
  Labels entry;                    // entrywise products: the labels every covered factor has
};

// Finds `pattern` at the root of `subject`. Calls `accept` for each way it fits until one is accepted, which is returned.
std::optional<Match> match(Graph& g, const Pattern& pattern, NodeId subject, const std::function<bool(const Match&)>& accept);

}  // namespace ricci
