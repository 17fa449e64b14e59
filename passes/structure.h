// The canonical place of what only moves, repeats, picks and adds axes around entrywise functions and sums.
//
// An entrywise function commutes with all of it but the diagonal matrix: f(x)*ones' = f(x*ones'), f(X)' = f(X'), diag(f(X)) = f(diag(X)),
// f(x)[2:3] = f(x[2:3]). So that equal tensors are one node, added axes stand outside, picked entries are picked inside (few are computed), and of
// all orders of the axes one is chosen, the same whatever it was written as.
#pragma once
#include "ir/graph.h"

namespace ricci {

// f(x*ones', y*ones') = f(x, y)*ones': a Map or Sum without the axes that no operand depends on, inside what adds them again.
NodeId pull_out_added_axes(Graph& g, NodeId n);

// f(X', Y) = f(X, Y')': a Map whose axes stand in their canonical order, inside a permutation.
NodeId order_axes(Graph& g, NodeId map);

// lse_k(T_jik) = lse_k(T_ijk)': the axes that a function maps over in their canonical order, inside a permutation.
NodeId order_mapped_axes(Graph& g, NodeId fun);

// The factors of a product that are functions or sums: what is picked of them is picked inside, f(X)_ii = f(X_ii) and f(x)[2:3] = f(x[2:3]); the axes
// of a sum stand in their canonical order, and what its coefficients have in common in front of it, (4*x - 6*y)*z = 2*((2*x - 3*y)*z).
NodeId settle_factors(Graph& g, NodeId ein);

// inv(A' + B) = inv(A + B')', inv(X'*A') = inv(A*X)': a function of a matrix whose axes stand in their canonical order; of a symmetric S
// tril(S) = triu(S)'.
NodeId transpose_inside(Graph& g, NodeId fun);

// What the coefficients of a sum have in common: it over that is a sum of coprime integers, most of them positive; where as many are negative, the
// first by rank, which is the same in every graph.
Rational content(const Graph& g, NodeId sum);

// inv(2*A + 2*B) = inv(A + B)/2: the content of a sum in a homogeneous function of a matrix.
NodeId settle_argument(Graph& g, NodeId fun);

// (4*x - 6*y)^2 = 4*(2*x - 3*y)^2: the content of a sum under a power with a constant exponent.
NodeId settle_base(Graph& g, NodeId power);

// relu(2*x + 2*y) = 2*relu(x + y): the content of a sum in a homogeneous function of its entries.
NodeId settle_scale(Graph& g, NodeId map);

// sin(y - x) = -sin(x - y), abs(-x) = abs(x): what an odd or even function is of is not negative, in the sense of content.
NodeId settle_sign(Graph& g, NodeId map);

// vec(f(X)) = f(vec(X)): a product of a Map and places that only moves its entries, as a Map of what is moved.
NodeId push_in_places(Graph& g, NodeId ein);

}  // namespace ricci
