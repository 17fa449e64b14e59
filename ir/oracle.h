// The oracle for derivatives: nested dual numbers in quadruple precision on the *original* expression.
//
// It shares nothing with differentiation: no table's derivative column, no rule, no pass. One interpretation for every component, so it is
// slow and exact.
#pragma once
#include <map>
#include <span>
#include <vector>

#include "ir/interpret.h"

namespace ricci {

struct OracleValue {
  Array<Quad> value;
  bool at_kink = false;  // some function was evaluated where it is not smooth: a difference means nothing
};

// The derivative of f by xs[0], of that by xs[1], ...: up to three variables. Its axes are those of f, then those of each variable in turn.
// Variables are Var nodes; `inputs` has every variable's value. By a symmetric, skew or diagonal variable it is the projection on that space.
OracleValue dual_derivative(const Graph& g, NodeId f, std::span<const NodeId> xs, const Dims& dims,
                            const std::map<NodeId, Array<Quad>>& inputs);

// Whether every entry of `roots` is finite there and hardly changes when the inputs do by more than rounding, and less than tolerances: the
// inverse of a matrix that is singular but for rounding is a number, and means nothing.
bool well_conditioned(const Graph& g, std::span<const NodeId> roots, const Dims& dims, const std::map<NodeId, Array<Quad>>& inputs);

// The largest difference of two arrays of one shape relative to the larger of `floor` and the largest entry of `b`; infinity if shapes
// differ or one has a NaN or infinity where the other does not.
double relative_difference(const Array<Quad>& a, const Array<Quad>& b, double floor = 1e-3);

}  // namespace ricci
