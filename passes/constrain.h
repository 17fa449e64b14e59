// Derivatives by variables that are not free: symmetric, skew, diagonal and triangular matrices.
//
// A function of a symmetric matrix says nothing of what happens off the symmetric matrices, and the graph stores S_ij and S_ji as one. So
// the derivative has a meaning only after it is brought back to the variable's own space, at every order anew.
#pragma once
#include <optional>
#include <string_view>

#include "ir/graph.h"

namespace ricci {

// The gradient G by a variable with A' = A (and A' = -A, and diagonal ones, accordingly).
enum class SymmetricConvention : uint8_t {
  Projected,      // (G + G')/2, right for the inner product tr(A'*B); (G - G')/2 for skew, diag(diag(G)) for diagonal, tril(G) for lower variables
  Unconstrained,  // G, as if all entries were free
  Independent,    // G + G' - diag(diag(G)): by the entries on and above the diagonal (The Matrix Cookbook); G - G' for skew variables
};

std::optional<SymmetricConvention> find_symmetric_convention(std::string_view name);  // "projected", ...

// `t`, whose last axes are those of the variable x, as the convention has it; `t` itself if x is free.
NodeId constrain(Graph& g, NodeId t, const Symbol& x, SymmetricConvention convention = SymmetricConvention::Projected);

// The projected gradient that belongs to a gradient by the independent entries of x.
NodeId from_independent(Graph& g, NodeId t, const Symbol& x);

}  // namespace ricci
