// Matrix expressions in the language itself: what is printed reads back as input with the same meaning.
#pragma once
#include <string>

#include "codegen/notation.h"
#include "ir/matrix_expr.h"

namespace ricci {

// No spaces around * .* / ^, spaces around + and -, the fewest brackets: "2*A'*(A*x - b)", "inv(X)'", "a'*x/(x'*A*x)".
std::string to_text(const mat::Expr& e);

}  // namespace ricci
