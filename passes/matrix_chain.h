// A square matrix seen as a product of scalars and square matrices.
#pragma once
#include <optional>
#include <vector>

#include "ir/graph.h"

namespace ricci {

// coefficient * scalars * M_1*M_2*..., the matrices from the rows of the whole to its columns.
struct MatrixChain {
  Rational coefficient = 1;
  std::vector<NodeId> scalars, matrices;
};

// Nothing if the square matrix is a product of another shape. What is no product is a chain of one.
std::optional<MatrixChain> matrix_chain(Graph& g, NodeId matrix);

}  // namespace ricci
