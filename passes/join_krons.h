// Sums of Kronecker products as short as a textbook writes them.
#pragma once
#include "ir/matrix_expr.h"

namespace ricci {

// kron(A, B) + kron(A, C) = kron(A, B + C), P*K + Q*K = (P + Q)*K, with kron(P, Q)*commut(q, n) = commut(p, m)*kron(Q, P) used either way (P of p x q, Q of
// m x n; Magnus and Neudecker, Matrix Differential Calculus, ch. 3, theorem 9). `e` itself where nothing gets shorter.
mat::Expr join_krons(const Graph& g, const mat::Expr& e);

}  // namespace ricci
