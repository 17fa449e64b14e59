// What is true of a node because of how it is made: A'*A is psd, exp(x) positive, inv(S) symmetric when S is.
#pragma once
#include <unordered_map>

#include "ir/graph.h"

namespace ricci {

// Facts follow from the declared properties and the closure columns of ir/properties.def; only what holds for every value is inferred.
// Memoised; the graph may grow between calls.
class PropertyInference {
 public:
  explicit PropertyInference(const Graph& g) : g_(g) {}
  Properties operator()(NodeId n);

 private:
  Properties infer(NodeId n) const;
  Properties of_sum(const Node& n) const;
  Properties of_product(NodeId id) const;
  Properties of_map(const Node& n) const;
  Properties of_function(const Node& n) const;
  Properties known(NodeId n) const { return known_.at(n); }

  const Graph& g_;
  std::unordered_map<NodeId, Properties> known_;
};

}  // namespace ricci
