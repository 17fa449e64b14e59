// Derivatives in the other forms of the literature: slices, differentials, and the layouts of Jacobians.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "frontend/program.h"
#include "ir/graph.h"

namespace ricci {

// A derivative to be shown: of the function `function`, by `variables`, whose axes stand at the end of `value` in order.
struct Derivative {
  std::string function;
  std::vector<NodeId> variables;  // each a Var
  Value value;
};

// "dF/dx_k = e(k)*x' + x*e(k)'": one entry of the variables fixed. The reason if the slice has no matrix form.
struct Shown {
  std::optional<std::string> text;
  std::string reason;
};
Shown slice_form(Graph& graph, const Derivative& d);

// "df = tr(inv(X)*dX)", "dF = -inv(X)*dX*inv(X)": the derivative along dX; a second variable's differential bears its own name.
Shown differential_form(Graph& graph, const Derivative& d);

// Mixed: a gradient has the shape of its variable, a Jacobian a row per component of the function. Numerator: the gradient of a scalar is a
// row (by a matrix, transposed). Denominator: a Jacobian has a column per component of the function.
enum class Layout { Mixed, Numerator, Denominator };

// The derivative of a tensor with `function_rank` axes, as `layout` has it. Results of order three and more are the same in all layouts.
Value arrange(Graph& graph, const Value& value, size_t function_rank, Layout layout);

}  // namespace ricci
