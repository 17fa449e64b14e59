// The linker's names of compiled functions.
#pragma once
#include <string>
#include <string_view>

namespace ricci {

// The symbol of an exported function: its own name, unless that is no identifier, a keyword of C or C++, or a name of the C library (an object
// that defined `exp` or `free` would take the place of the real one). Those become ricci_fn_NAME, bytes beyond ASCII as xNN.
std::string symbol_name(std::string_view name);

}  // namespace ricci
