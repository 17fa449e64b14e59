// The derivative of a function, and how it is laid out as one matrix: the same numbers, and where their indices stand.
//
// Differentiation gives one tensor, the indices of f and then those of x, and so do equations between components and differentials, in any
// layout. What textbooks disagree about is only how the axes are arranged into rows and columns where the derivative is written as one
// matrix; that is chosen here, by name, after the fact. (What a gradient by a symmetric matrix is: passes/constrain.h.)
#pragma once
#include <optional>
#include <span>
#include <string_view>

#include "frontend/program.h"
#include "passes/constrain.h"

namespace ricci {

enum class DerivativeLayout : uint8_t {
  Mixed,        // a gradient has the shape of its variable, a Jacobian a row per component of the function
  Numerator,    // the function's index first: the gradient of a scalar is a row (by a matrix: transposed)
  Denominator,  // the variable's index first: a Jacobian is the transpose of the mixed one
};

std::optional<DerivativeLayout> find_layout(std::string_view name);                   // "mixed", ...

struct DerivativeStyle {
  DerivativeLayout layout = DerivativeLayout::Mixed;
  SymmetricConvention symmetric = SymmetricConvention::Projected;
};

// The derivative of f by `order` times x, with the variance of its axes: those of f, then of x, then of x again.
Value derivative(Graph& g, const Value& f, const Declaration& x, int order, SymmetricConvention symmetric = SymmetricConvention::Projected);

// The derivative of `f` by each of `variables` in turn, contracted with a direction for each: the same numbers, found forward, so that the axes of the
// variables never stand beside those of f. A function of a matrix is then one of a matrix along the direction, and no tensor of functions.
NodeId derivative_along(Graph& g, NodeId f, std::span<const NodeId> variables, std::span<const NodeId> directions,
                        SymmetricConvention symmetric = SymmetricConvention::Projected);

// Whether a layout has the transpose of the mixed one, for a function and variables with axes or without. (A second derivative of a scalar
// is symmetric: no layout changes it.)
bool is_transposed(DerivativeLayout layout, bool function_has_axes, bool variable_has_axes);

// The derivative `d` of a function of rank `f_rank` as the layout has it: a column, a row or a matrix; a tensor of higher order has no
// layout.
Value laid_out(Graph& g, Value d, size_t f_rank, DerivativeLayout layout);

}  // namespace ricci
