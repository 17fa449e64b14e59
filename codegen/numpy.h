// Matrix expressions in NumPy. Columns and rows are 1-D arrays; `@`, `.T`, np.outer and np.diag are chosen by shape.
#pragma once
#include <string>

#include "frontend/program.h"
#include "ir/matrix_expr.h"

namespace ricci {

std::string to_numpy(const mat::Expr& e);

// A Python module with a function for every export of the program. What has no matrix form is an np.einsum. `graph` is the program's, its
// definitions already simplified as the answers should stand.
std::string numpy_module(const Program& program);

// 3, 2 / 3, 1e20: NumPy has no integers beyond 64 bits.
std::string python_number(const Rational& r);

// A name no Python program has to fear: "lambda" becomes lambda_.
std::string python_name(const std::string& name);

}  // namespace ricci
