// What values the entries of a node can take, and which matrices are positive semidefinite, by propagation over the DAG.
//
// Intervals come from declarations, from the columns of ir/elementwise.def and from exact arithmetic; x'*S*x >= 0 and A'*S*A psd are one
// theorem (passes/mirror.h). Every claim holds wherever the node has a real value, for every size of at least one of every dimension.
#pragma once
#include <optional>
#include <unordered_map>

#include "passes/infer_properties.h"
#include "passes/mirror.h"
#include "passes/range.h"

namespace ricci {

enum class Definite : uint8_t { Unknown, Semidefinite, Definite };

class Signs {
 public:
  explicit Signs(Graph& g) : g_(g), properties_(g) {}

  // From now on the entries of `node` are taken to lie in `range`. Before any question that may depend on it.
  void assume(NodeId node, Range range);

  Range range(NodeId n);        // of every entry
  Definite definite(NodeId n);  // a square matrix: symmetric and x'*n*x >= 0 (> 0)
  bool nonnegative(NodeId n) { return range(n).nonnegative(); }
  bool positive(NodeId n) { return range(n).positive(); }
  bool psd(NodeId n) { return definite(n) != Definite::Unknown; }
  Properties properties(NodeId n) { return properties_(n); }
  MirrorFacts facts();

 private:
  struct Known {
    Range range;
    Definite definite = Definite::Unknown;
  };
  const Known& known(NodeId n);
  Range declared_range(NodeId n);
  Range infer_range(NodeId n);
  std::optional<Range> of_quadratic(const Node& sum);
  Range of_product(NodeId n);
  Range of_map(NodeId n);
  Range of_power(const Node& n);
  Range of_monotone(const Node& n);
  Range of_function(const Node& n);
  Definite infer_definite(NodeId n);
  Definite definite_product(NodeId n);

  Graph& g_;
  PropertyInference properties_;
  std::unordered_map<NodeId, Known> known_;
  std::unordered_map<NodeId, Range> assumed_;
};

}  // namespace ricci
