// The order in which code multiplies a chain of matrices. Mathematics does not care; A'*(A*x) and (A'*A)*x differ by a factor n.
#pragma once
#include <utility>

#include "ir/matrix_expr.h"

namespace ricci {

// The outermost product of a chain (a Mul without leading scalars): its left and its right part, by the classical dynamic programme with
// every symbolic dimension taken as 1,000.
std::pair<mat::Expr, mat::Expr> split_chain(const mat::Node& chain);

// Scalars before the chain, each a factor, and the chain itself if there is one.
struct Scaled {
  std::vector<mat::Expr> scalars, chain;
};
Scaled split_scalars(const mat::Node& product);

}  // namespace ricci
