// Eigenvalues of Hessians at random points, in quadruple precision, from dual numbers on the function itself: nothing of the symbolic
// Hessian or of a proof about it enters.
#pragma once
#include <optional>
#include <span>
#include <vector>

#include "ir/oracle.h"
#include "passes/compare.h"

namespace ricci {

struct Spectrum {
  std::map<NodeId, Array<Quad>> point;                 // of every variable of the function
  std::vector<Quad> values;                            // ascending
  std::vector<std::map<NodeId, Array<Quad>>> vectors;  // a direction for each value: an array per variable of differentiation
  Dims dims = {};
};

// The symmetric eigenproblem by Jacobi's rotations; vectors in the columns.
std::vector<Quad> eigenvalues(Array<Quad> matrix, Array<Quad>& vectors);

// The spectrum at one point, restricted to directions that the variables allow (symmetric ones for a symmetric matrix, of sum 0 in a
// simplex). Nothing where the function is not smooth, not finite or ill-conditioned.
std::optional<Spectrum> hessian_spectrum(const Graph& g, NodeId f, std::span<const NodeId> variables, const Dims& dims,
                                         const std::map<NodeId, Array<Quad>>& point);

// Whether the set of what has the properties is closed under multiplication by positive numbers.
bool is_cone(Properties p);

// A point whose `variables` are drawn anew and scaled, while everything else stays as `parameters` has it. Scales that would break the
// promises of a declaration are not applied.
std::map<NodeId, Array<Quad>> moved_point(const Graph& g, std::span<const NodeId> variables, const Dims& dims,
                                          std::map<NodeId, Array<Quad>> parameters, uint64_t seed, double scale);

// Relative size below which an eigenvalue counts as zero.
inline constexpr double kSpectrumTolerance = 1e-20;

}  // namespace ricci
