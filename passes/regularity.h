// Where the second derivative does not tell everything: kinks, poles, and domains.
//
// On a line, a continuous function that is analytic but for isolated kinks is convex exactly if its second derivative is nonnegative
// between them and its slope jumps upwards at each. So next to the sign of the Hessian only the direction of the kinks is needed, and it
// propagates: through an increasing function unchanged, through a negative factor reversed. And the set on which the function has a value
// must be convex.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "passes/signs.h"

namespace ricci {

// The function has no value where an entry of `node` leaves `range`; or where the matrix `node` is singular, or not positive definite.
struct DomainCondition {
  enum class Kind : uint8_t { Range, Nonsingular, Definite } kind;
  NodeId node;
  ricci::Range range;
  DomainCondition(Kind k, NodeId n, const ricci::Range& r) : kind(k), node(n), range(r) {}
};

struct Regularity {
  bool up = false, down = false;  // may have kinks where the slope jumps upwards, downwards
  bool smooth() const { return !up && !down && broken.empty(); }
  std::string broken = {};  // why nothing is known: "step jumps"; empty: continuous and piecewise analytic on a convex domain
  std::vector<DomainCondition> domain = {};  // what the variables must satisfy besides their declarations; a convex set
};

// f as a function of `variables` along `directions` (one each).
Regularity regularity(Graph& g, Signs& signs, NodeId f, std::span<const NodeId> variables, std::span<const NodeId> directions);

}  // namespace ricci
