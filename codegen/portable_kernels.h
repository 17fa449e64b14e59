// The kernels as source text, for emitted code that must compile and run on its own.
#pragma once
#include <set>
#include <string>
#include <string_view>

#include "ir/loops.h"

namespace ricci {

// C definitions (also C++) of the kernels named (as in runtime/kernels.def: "gemm") and of what they call, each a `static inline` function
// called `prefix` + name. They need <math.h> and <stdint.h>. The text is that of runtime/portable_kernels.h.
std::string portable_kernels(const std::set<std::string, std::less<>>& names, std::string_view prefix, loops::Scalar scalar);

}  // namespace ricci
