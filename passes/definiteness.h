// When a sum of squares in a direction h is zero for h = 0 only.
//
// Strict convexity asks less than a definite Hessian everywhere: along every line with h other than 0 the second derivative may vanish at
// isolated points. So the weights of the squares must not vanish but there, and the linear forms under the squares must be zero for h = 0
// only.
#pragma once
#include <functional>
#include <set>

#include "passes/signs.h"

namespace ricci {

// A matrix that must have independent columns.
struct IndependentColumns {
  NodeId matrix;
  friend auto operator<=>(const IndependentColumns&, const IndependentColumns&) = default;
};

class Definiteness {
 public:
  // `strictly_convex` answers for scalar functions of x.
  Definiteness(Graph& g, Signs& signs, NodeId x, NodeId h, std::function<bool(NodeId)> strictly_convex)
      : g_(g), signs_(signs), x_(x), h_(h), strictly_convex_(std::move(strictly_convex)) {}

  // Whether the scalar u is never zero, or only at isolated points of every line on which x moves.
  bool thin(NodeId u);

  // Whether a mirrored product vanishes for h = 0 only (or where a weight vanishes, at isolated points), all `conditions` supposed.
  bool only_at_zero(const std::vector<Factor>& factors, const Labels& out, const Mirror& mirror, std::set<IndependentColumns>& conditions);

 private:
  bool depends_on(NodeId n, NodeId what) const;
  bool analytic(NodeId u) const;
  bool isolated_zeros(NodeId u) const;
  bool opened_square(const Factor& square, std::vector<Factor>& linear) const;
  bool zero_only_as(const Factor& weight, const std::vector<Factor>& linear);
  bool injective(const std::vector<Factor>& linear, const std::set<Label>& boundary, std::set<IndependentColumns>& conditions);
  DimId dim_of(const std::vector<Factor>& factors, Label l) const;

  Graph& g_;
  Signs& signs_;
  NodeId x_, h_;
  std::function<bool(NodeId)> strictly_convex_;
};

}  // namespace ricci
