// Matrix expressions in LaTeX's mathematics mode: 2 A^{\top} \left(A x - b\right), X^{-1}, \frac{...}{...}.
#pragma once
#include <span>
#include <string>
#include <string_view>

#include "codegen/notation.h"
#include "ir/matrix_expr.h"

namespace ricci {

// Needs amsmath (\operatorname) and nothing else.
std::string to_latex(const mat::Expr& e);

// A name as it stands in mathematics: x, \lambda, x_{1}, \mathrm{learning\_rate}.
std::string latex_name(std::string_view name);

// The indices of a name, each in its place and at its height: ^{i}{}_{j k}; the name before them, in braces if it has a script of its own.
std::string latex_scripts(std::span<const Script> scripts);
std::string latex_base(const std::string& name);
std::string latex_letter(const std::string& letter);

std::string latex_sum(const std::string& letters);

}  // namespace ricci
