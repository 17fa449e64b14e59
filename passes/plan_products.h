// Rewrites a DAG into the form that is executed: every product meets its factors pair by pair, in the cheapest order found.
//
// Nested products are opened into one where that lowers the flops; a product with several users is computed once and stays whole. So,
// without places, the planned flops are never more than those of the given grouping, which is reverse mode's if the DAG came from differentiation.
#pragma once
#include <optional>
#include <span>
#include <vector>

#include "ir/graph.h"
#include "passes/cost.h"

namespace ricci {

// The outputs, rewritten. In the result
//  * a product that is no mere structure has distinct output labels, each on one of its factors: deltas and broadcasts stand outside it;
//  * products have at most two factors where something is summed, unless constructors merged some;
//  * a Sum with terms that are best accumulated in place (matrix products of its own, diagonals) is {everything else} + those terms.
std::vector<NodeId> plan_products(Graph& g, std::span<const NodeId> outputs, const Sizes& sizes);

// The same values with places only in views, and slices of what nothing else reads pushed into it.
std::vector<NodeId> plan_places(Graph& g, std::span<const NodeId> outputs);
// The first of these only: constructors may have opened views again.
std::vector<NodeId> split_places(Graph& g, std::span<const NodeId> outputs);

// The elementwise functions that the loop IR has no primitive for, replaced by the formulas of their rows.
std::vector<NodeId> expand_elementwise(Graph& g, std::span<const NodeId> outputs);

// A product of two operands as a (batched) matrix product: each label is of one of the four sorts.
struct MatrixProduct {
  Labels batch, rows, columns, inner;  // on both operands and the result, on the left, on the right, on both operands and summed
};

// Nothing if the node is no contraction of two operands.
std::optional<MatrixProduct> product_shape(const Graph& g, NodeId n);
// Nothing also if it is so small (all sizes known) that loops are better than a kernel.
std::optional<MatrixProduct> matrix_product(const Graph& g, NodeId n, const Sizes& sizes);

// An Ein whose output repeats a label: zero off a diagonal.
bool is_diagonal_structure(const Graph& g, NodeId n);

}  // namespace ricci
