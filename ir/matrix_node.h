// What the files behind ir/matrix_expr.h share: nodes made as they stand, without simplification.
#pragma once
#include <string>
#include <vector>

#include "ir/matrix_expr.h"

namespace ricci::mat {

Expr make(Node n);
Expr make(Op op, Shape shape, std::vector<Expr> operands);
Expr make_call(std::string function, std::vector<Expr> arguments, Shape shape, bool symmetric = false, bool entrywise = false);

}  // namespace ricci::mat
