// The words of a derivation: what steps, patterns and rows of the tables are called.
#pragma once
#include <string>
#include <string_view>

#include "ir/elementwise.h"
#include "ir/functions.h"
#include "ir/matrix_expr.h"

namespace ricci {

// A name that no program has, the k-th: stand-ins are known by their node, and spelled by the printers.
std::string private_name(size_t k);

// What a matrix expression is called, with a space after it: "the outer product "; nothing for what has no name.
std::string_view pattern_name(const mat::Expr& e);

// The derivative column of a row: "sigmoid(x)' = sigmoid(x)*(1 - sigmoid(x))".
std::string table_derivative(MapOp op, size_t argument);

// The differential column of a row: "F = inv(X) has dF = -F*dX*F". A primary function has dF = L_expm(X, dX), which is defined first; where X
// and dX commute, the derivative column of its row.
std::string along_name(const FunctionRow& r);
std::string table_differential(const FunctionRow& r);
std::string table_commuting(const FunctionRow& r);

// The adjoint of a differential: "tr(G'*triu(H)) = tr(triu(G)'*H)".
std::string table_adjoint(const FunctionRow& r);

}  // namespace ricci
