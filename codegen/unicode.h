// Matrix expressions in the Unicode spellings of the language, which read back as input too: 2·Aᵀ·(A·x − b), X⁻¹, ‖x‖², λ.
#pragma once
#include <string>
#include <string_view>

#include "ir/matrix_expr.h"

namespace ricci {

std::string to_unicode(const mat::Expr& e);

// The Greek letter a name spells out: "lambda" is λ. Empty if it spells none.
std::string_view greek_letter(std::string_view name);

}  // namespace ricci
