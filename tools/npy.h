// NumPy's .npy: a magic number, a version, a Python dictionary as text, then the numbers.
#pragma once
#include <string>
#include <string_view>

#include "tools/tensor_file.h"

namespace ricci {

// Versions 1 to 3; floats of 4 and 8 bytes, integers and booleans, either byte order, C and Fortran order. Throws FileError.
TensorFile parse_npy(std::string_view bytes, const std::string& name);

// Version 1, '<f8', C order.
std::string format_npy(const TensorFile& tensor);

}  // namespace ricci
