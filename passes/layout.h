// How a derivative is laid out: the same numbers, and where their indices stand.
//
// Differentiation gives one tensor, the indices of f and then those of x. What textbooks disagree about is only how its axes are arranged
// into rows and columns; that is chosen here, by name, after the fact. (What a gradient by a symmetric matrix is: passes/constrain.h.)
#pragma once
#include <optional>
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

// The derivative of f by `order` times x, with the variance of its axes: those of f, then of x, then of x again, the layout applied if the
// result is a column, a row or a matrix.
Value derivative(Graph& g, const Value& f, const Declaration& x, int order, const DerivativeStyle& style = {});

}  // namespace ricci
