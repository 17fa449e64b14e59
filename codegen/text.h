// Matrix expressions in the language itself: what is printed reads back as input with the same meaning.
#pragma once
#include <string>

#include "codegen/notation.h"
#include "ir/matrix_expr.h"

namespace ricci {

// "^i_j" for an index above and one below. High numbers that no low index follows would be an exponent, and stand low: A_12, a^1_j, A^1i.
std::string spell_indices(const std::vector<mat::Index>& indices);

// No spaces around * .* / ^, spaces around + and -, the fewest brackets: "2*A'*(A*x - b)", "inv(X)'", "a'*x/(x'*A*x)".
std::string to_text(const mat::Expr& e);

}  // namespace ricci
