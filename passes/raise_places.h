// Places on the way back to matrix notation: x[2], A[1, :], reshape, e(k), columns of the identity, kron and vec, cross and skew, and blocks.
#pragma once
#include <optional>
#include <variant>
#include <vector>

#include "ir/graph.h"
#include "passes/raise_product.h"

namespace ricci {

// A product whose tensors are raised already; its places and Levi-Civita symbols are still factors.
struct RaisedTerm {
  std::vector<RaisedFactor> factors = {};
  std::vector<Factor> constants = {};
  Labels out = {};
  std::map<Label, DimId> dim = {};
};

// A placed axis that stands twice in the result, as e_k e_k' does, becomes two axes placed alike.
void split_diagonals(const Graph& g, RaisedTerm& term);

// The matrix expression of a term whose result has the dimensions `type`; without one, the label it fails at.
std::variant<mat::Expr, Label> raise_term(const Graph& g, RaisedTerm term, const Type& type);

// A place by itself: e(k, n), or columns of the identity. Nothing for a group.
std::optional<mat::Expr> raise_place(const Graph& g, NodeId place);

// A sum of placed blocks as one matrix written out, or nothing if its terms are not blocks side by side.
struct SignedTerm {
  Rational coefficient;
  RaisedTerm term;
};
std::optional<mat::Expr> raise_blocks(const Graph& g, std::vector<SignedTerm> terms, const Type& type);

}  // namespace ricci
