#include "codegen/chain_order.h"

#include <limits>

#include "ir/matrix_node.h"

namespace ricci {
namespace {

using mat::Expr;
using mat::Shape;

constexpr double kAssumed = 1000;  // size of a symbolic dimension
constexpr size_t kLongest = 64;    // longer chains are multiplied from the side of their vector

double rows(const Expr& e) { return e->shape.is_row() || e->shape.is_scalar() ? 1 : kAssumed; }
double columns(const Expr& e) { return e->shape.is_column() || e->shape.is_scalar() ? 1 : kAssumed; }

Expr part(const std::vector<Expr>& chain, size_t from, size_t to) {
  if (to - from == 1) return chain[from];
  const Shape &first = chain[from]->shape, &last = chain[to - 1]->shape;
  Shape shape = first.is_row() ? (last.is_column() ? Shape::scalar() : Shape::row(last.columns))
                               : (last.is_column() ? Shape::column(first.rows) : Shape::matrix(first.rows, last.columns));
  return mat::make(mat::Op::Mul, shape, {chain.begin() + long(from), chain.begin() + long(to)});
}

}  // namespace

std::pair<Expr, Expr> split_chain(const mat::Node& n) {
  const std::vector<Expr>& c = n.operands;
  size_t count = c.size(), best = c.back()->shape.is_column() ? 1 : count - 1;
  if (count > 2 && count <= kLongest) {
    std::vector<std::vector<double>> cost(count, std::vector<double>(count, 0));
    for (size_t length = 2; length <= count; ++length)
      for (size_t i = 0; i + length <= count; ++i) {
        size_t j = i + length - 1;
        cost[i][j] = std::numeric_limits<double>::infinity();
        // The last split among equals, unless a column closes the chain: then everything is applied to it.
        for (size_t k = i; k < j; ++k) {
          double here = cost[i][k] + cost[k + 1][j] + rows(c[i]) * columns(c[k]) * columns(c[j]);
          bool take = here < cost[i][j] || (here == cost[i][j] && !c[j]->shape.is_column());
          if (!take) continue;
          cost[i][j] = here;
          if (length == count) best = k + 1;
        }
      }
  }
  return {part(c, 0, best), part(c, best, count)};
}

Scaled split_scalars(const mat::Node& product) {
  Scaled s;
  for (const Expr& e : product.operands) (e->shape.is_scalar() ? s.scalars : s.chain).push_back(e);
  return s;
}

}  // namespace ricci
