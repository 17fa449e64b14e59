// Derivatives in the other forms of the literature: slices, differentials, and Jacobians of vec.
//
// Slices and differentials are equations, which hold in any layout; only the Jacobian, one matrix, has a layout.
#pragma once
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "codegen/equation.h"
#include "frontend/program.h"
#include "ir/graph.h"
#include "passes/layout.h"

namespace ricci {

// A derivative to be shown: of the function `function`, by `variables`, whose axes stand at the end of `value` in order: not laid out.
struct Derivative {
  std::string function;
  std::vector<NodeId> variables;  // each a Var
  Value value;
  // `value` contracted with a direction for each variable, found without the tensor (passes/layout.h); none: not known.
  std::function<NodeId(std::span<const NodeId>)> along = {};
};

// "dF/dx_k = e(k)*x' + x*e(k)'": one entry of the variables fixed. The reason if the slice has no matrix form.
struct Shown {
  std::optional<Equation> equation;
  std::string reason;
  std::vector<NodeId> directions = {};  // the variables that the form adds, e(k) or dX, in the order of the axes they stand for

  std::optional<std::string> text() const { return equation ? std::optional(to_text(std::span(&*equation, 1))) : std::nullopt; }
};
Shown slice_form(Graph& graph, const Derivative& d);

// "df = tr(inv(X)*dX)", "dF = -inv(X)*dX*inv(X)": the derivative along dX; a second variable's differential bears its own name. By a
// symmetric variable dX is symmetric too, and `value` must not be by its independent entries, which counts those off the diagonal twice.
Shown differential_form(Graph& graph, const Derivative& d);

// "dvec(F)/dvec(X)' = kron(B', A)": the derivative as a matrix whose rows number the entries of the function column by column, and whose
// columns those of the variable (Magnus and Neudecker, Matrix Differential Calculus, ch. 9); of a scalar twice differentiated, rows by the
// first variable. In denominator layout its transpose "dvec(F)'/dvec(X) = kron(B, A')". A gradient is the column "df/dvec(X)", in numerator
// layout the row "df/dvec(X)'".
Shown vec_form(Graph& graph, const Derivative& d, DerivativeLayout layout = DerivativeLayout::Mixed);

}  // namespace ricci
