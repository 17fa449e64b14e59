// Back to matrix notation: from the index-notation graph to a matrix expression.
//
// Nodes of rank 0, 1 and 2 become scalars, columns and matrices, bottom up; sums are raised term by term, a product is one graph problem
// (passes/raise_product.h). What is not an expression of matrix notation is refused with the reason in words.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "ir/matrix_expr.h"

namespace ricci {

struct Raised {
  std::optional<mat::Expr> expr;
  std::string reason;  // why there is no matrix form, lower case, without a full stop: "the index p joins A_ip, B_jp and C_kp"
};

// `variance` has one entry per axis of `node`: a single Down makes the answer a row. An expression of more than 5,000 operators and names
// is refused, since a graph can stand for a tree of any size.
Raised raise(const Graph& graph, NodeId node, const std::vector<Variance>& variance);

// Whether the graph, seen as the tree that a formula is, is small enough for that: a graph of n nodes can stand for a tree of 2^n.
bool can_be_written(const Graph& graph, NodeId node);

// The letter an index is written with: i, j, ..., z, a, ..., h, then i1, j1, ...
std::string index_letter(size_t n);

}  // namespace ricci
