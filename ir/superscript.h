// Whole numbers written high, as exponents are: "¹⁰" for "10", "⁻¹" for "-1".
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace ricci {

std::string superscript(std::string_view digits);

// How many bytes of `text` are such a number from its beginning on; and a whole one as digits on the line.
size_t superscript_length(std::string_view text);
std::string lowered(std::string_view superscript);

}  // namespace ricci
