// Matrix expressions in presentation MathML, for web pages.
#pragma once
#include <span>
#include <string>
#include <string_view>

#include "codegen/notation.h"
#include "ir/matrix_expr.h"

namespace ricci {

// A complete <math> element.
std::string to_mathml(const mat::Expr& e);

// Parts of one: a name; the indices of <mmultiscripts>, one place for each, high or low, so that their order shows; ∑ over letters.
std::string mathml_name(std::string_view name);
std::string mathml_scripts(std::span<const Script> scripts);
std::string mathml_big_operator(std::string_view sign, const std::string& letters);

}  // namespace ricci
