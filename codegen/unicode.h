// Matrix expressions in the Unicode spellings of the language, which read back as input too: 2·Aᵀ·(A·x − b), X⁻¹, ‖x‖², λ.
#pragma once
#include <string>

#include "ir/matrix_expr.h"

namespace ricci {

std::string to_unicode(const mat::Expr& e);

}  // namespace ricci
