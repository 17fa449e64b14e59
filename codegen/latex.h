// Matrix expressions in LaTeX's mathematics mode: 2 A^{\top} \left(A x - b\right), X^{-1}, \frac{...}{...}.
#pragma once
#include <string>

#include "ir/matrix_expr.h"

namespace ricci {

// Needs amsmath (\operatorname) and nothing else.
std::string to_latex(const mat::Expr& e);

// A name as it stands in mathematics: x, \lambda, x_{1}, \mathrm{learning\_rate}.
std::string latex_name(std::string_view name);

}  // namespace ricci
