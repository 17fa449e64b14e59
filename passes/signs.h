// What values the entries of a node can take, and which matrices are positive semidefinite, by propagation over the DAG.
//
// Intervals come from declarations, from the columns of ir/elementwise.def and from exact arithmetic; x'*S*x >= 0 and A'*S*A psd are one
// theorem (passes/mirror.h). Every claim holds wherever the node has a real value, for every size of at least one of every dimension.
#pragma once
#include <optional>
#include <unordered_map>

#include "passes/infer_properties.h"
#include "passes/mirror.h"

namespace ricci {

// An interval with exact ends; no end: unbounded.
struct Range {
  std::optional<Rational> low = {}, high = {};
  bool low_open = false, high_open = false;

  bool nonnegative() const { return low && *low >= 0; }
  bool nonpositive() const { return high && *high <= 0; }
  bool positive() const { return low && (*low > 0 || (*low == 0 && low_open)); }
  bool negative() const { return high && (*high < 0 || (*high == 0 && high_open)); }
  bool excludes_zero() const { return positive() || negative(); }
  // Whether the interval lies in (low, high) given as doubles; ends that are infinite hold anything.
  bool inside(double low, double high) const;

  static Range all() { return {}; }
  static Range above(Rational bound, bool open) { return {bound, {}, open, false}; }
};

Range operator+(const Range& a, const Range& b);
Range operator*(const Rational& c, const Range& a);
Range operator*(const Range& a, const Range& b);
Range intersection(const Range& a, const Range& b);
Range hull(const Range& a, const Range& b);

enum class Definite : uint8_t { Unknown, Semidefinite, Definite };

class Signs {
 public:
  explicit Signs(Graph& g) : g_(g), properties_(g) {}

  // From now on the entries of `node` are taken to lie in `range`. Before any question that may depend on it.
  void assume(NodeId node, Range range);

  Range range(NodeId n);          // of every entry
  Definite definite(NodeId n);    // a square matrix: symmetric and x'*n*x >= 0 (> 0)
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
