// Matrix expressions as Eigen C++, written as a person would: a header with one inline function for every export.
//
// Arguments are Eigen references, sizes fixed at compile time where the program fixes them. Several results come as a struct. Tensors of order
// three and more are Eigen::Tensor, filled by loops.
#pragma once
#include <set>
#include <string>

#include "frontend/program.h"
#include "ir/matrix_expr.h"

namespace ricci {

// One expression; names in `dimensions` are sizes (Eigen::Index), not numbers.
std::string to_eigen(const mat::Expr& e, const std::set<std::string>& dimensions);

// The whole header. `program`'s definitions are as the answers should stand (simplified).
std::string eigen_header(const Program& program);

// A name that is no keyword, macro or reserved word of C++: "double" becomes double_.
std::string cpp_identifier(const std::string& name);

}  // namespace ricci
