// One product of the index notation as a matrix expression.
//
// The product is a graph: labels are vertices, matrices edges, columns loose ends; labels of the result are terminals. Parallel edges are
// entrywise products and a loop is a diagonal. A summed label with at most two neighbours is eliminated: it is a sum or an inner product (no
// neighbour), a matrix times a column (one), a matrix product through a diagonal (two). If every summed label left has three neighbours or
// more, the graph has treewidth above two and there is no matrix form (matrix notation is three-variable logic; the smallest closed case
// is six matrices on four labels).
#pragma once
#include <map>
#include <utility>
#include <variant>
#include <vector>

#include "ir/graph.h"
#include "ir/matrix_expr.h"

namespace ricci {

// A factor already raised: a scalar, a column or a matrix, and a label per axis.
struct RaisedFactor {
  mat::Expr expr;
  Labels labels;
};

// A product over more than two labels as a matrix whose rows are numbered by several labels and its columns by several (the first is the
// slowest): a Kronecker form. For two and two labels,
//   diag(vec(Y))*(kron(P, Q) .* (kron(S, R)*commut))*diag(vec(Z)),
// where P joins the first row and column labels, Q the second, S and R cross over, and Y and Z join rows with rows and columns with columns.
struct Grouped {
  Labels rows, columns;
  mat::Shape shape;
};

// Without a matrix form, the label that cannot be eliminated; without a Kronecker form, the first of the row labels.
std::variant<mat::Expr, Label> raise_grouped(const Graph& graph, std::vector<RaisedFactor> factors, const Grouped& grouped, std::map<Label, DimId> dim);

// The product of `factors` over `out` (at most two labels), summed over every other label; `dim` knows the dimension of each label.
// Without a matrix form, the label that cannot be eliminated.
std::variant<mat::Expr, Label> raise_product(const Graph& graph, const std::vector<RaisedFactor>& factors, const Labels& out,
                                             const std::map<Label, DimId>& dim);

}  // namespace ricci
