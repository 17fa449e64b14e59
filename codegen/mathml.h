// Matrix expressions in presentation MathML, for web pages.
#pragma once
#include <string>

#include "ir/matrix_expr.h"

namespace ricci {

// A complete <math> element.
std::string to_mathml(const mat::Expr& e);

}  // namespace ricci
