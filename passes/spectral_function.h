// Functions of a symmetric matrix M that depend on its eigenvalues only, as functions of these.
//
// f(Q*M*Q') = f(M) for every orthogonal Q if f is made of M, the identity, their sums and products with numbers and with each other, functions of them
// (the column `spectral` of ir/functions.def), and traces: then f(M) = f(diag(v)) for the eigenvalues v, a symmetric function of them.
#pragma once
#include <functional>
#include <optional>

#include "ir/graph.h"

namespace ricci {

// The scalar f with diag(eigenvalues) in the place of `matrix`; nothing if it is not such a function. What is not `active` is constant.
std::optional<NodeId> of_eigenvalues(Graph& g, NodeId f, NodeId matrix, NodeId eigenvalues, const std::function<bool(NodeId)>& active);

}  // namespace ricci
