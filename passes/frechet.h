// Frechet derivatives of primary matrix functions: expm, logm, sqrtm, sinm, cosm.
//
// For a primary function f the block [X, E; 0, X] is mapped to [f(X), L(X, E); 0, f(X)], where L(X, E) is the derivative of f at X along E (Mathias,
// SIAM J. Matrix Anal. 17 (1996); Higham, Functions of Matrices, theorem 3.6). The block is an expression like any other, so its own derivatives
// give every order. Where E commutes with X, L(X, E) = E*f'(X).
#pragma once
#include "ir/graph.h"

namespace ricci {

// L(X, E) as a block of f([X, E; 0, X]); X and E are square matrices of one type.
NodeId frechet_block(Graph& g, FunOp f, NodeId X, NodeId E);

// Whether E*X = X*E as expressions: E is the identity, made of X by sums, products and functions of matrices, X = t*A and E = A. X has the axes `rows` before its
// core, E has `leading`, which `rows` are among. Answers no where finding out would take long.
bool commute(Graph& g, NodeId X, const Labels& rows, NodeId E, const Labels& leading);

}  // namespace ricci
