// The sign of a quadratic form in directions, written as a tensor expression: the second derivative of a function along h.
//
// f is convex where q(h) = d(f, x)[h][h] >= 0 for all h. For a vector x this is the Hessian being positive semidefinite; for matrices, for
// symmetric ones (h symmetric) and for several variables at once it is the same statement, so one method serves all. q is opened into
// products with two h's each; a product is nonnegative by its mirror (passes/mirror.h), and a negative product is outweighed by positive
// ones by the Cauchy-Schwarz inequality (passes/cauchy_schwarz.h). What this file adds is when q(h) = 0 only for h = 0.
#pragma once
#include <optional>
#include <string_view>
#include <vector>

#include "passes/definiteness.h"
#include "passes/signs.h"

namespace ricci {

// One step of a proof: `node` has the property `relation` by `rule`, given the premises.
struct ProofStep {
  NodeId node;
  std::string_view relation;  // ">= 0", "> 0", "= 0", ...
  std::string_view rule;
  std::vector<ProofStep> premises = {};
};

struct FormProof {
  ProofStep step;
  bool definite = false;                             // q(h) = 0 only for h = 0 (but for isolated points on every line, see below)
  std::vector<IndependentColumns> definite_if = {};  // else: any one of these conditions suffices
};

struct QuadraticForm {
  NodeId q;                        // every entry a quadratic form in the directions
  std::vector<NodeId> directions;  // Var nodes
  std::vector<NodeId> variables;   // the variable each direction moves; what depends on none of them is constant
};

// A proof that every entry of q is nonnegative for all directions and all values of the variables. Also when it is definite, up to isolated points on every
// line x + t*h, which strict convexity does not mind: sum(x.^4).
std::optional<FormProof> prove_nonnegative(Graph& g, Signs& signs, const QuadraticForm& form);

}  // namespace ricci
