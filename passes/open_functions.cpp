#include "passes/open_functions.h"

#include <algorithm>

#include "passes/exchanges.h"
#include "passes/kronecker.h"
#include "passes/matrix_chain.h"
#include "passes/rewrite.h"
#include "passes/structure.h"

namespace ricci {
namespace {

// f(M_1)*f(M_2)*..., or with the matrices in reverse order.
NodeId product(Graph& g, FunOp f, std::vector<NodeId> matrices, bool reversed) {
  if (reversed) std::ranges::reverse(matrices);
  const Type type = g[g.fun(f, matrices[0])].type;
  std::vector<Factor> factors;
  for (Label k = 0; k < matrices.size(); ++k) factors.push_back({g.fun(f, matrices[k]), type.empty() ? Labels{} : Labels{k, k + 1}});
  return g.ein(std::move(factors), type.empty() ? Labels{} : Labels{0, Label(matrices.size())}, type);
}

NodeId open_product(Graph& g, NodeId id) {
  const Node& node = g[id];
  if (node.kind != Kind::Fun || g[node.operands[0]].rank() != 2) return id;
  const FunOp f = node.fun_op();
  if (f != FunOp::inv && f != FunOp::adj && f != FunOp::det && f != FunOp::logdet) return id;
  const std::optional<MatrixChain> c = matrix_chain(g, node.operands[0]);
  if (!c || (c->matrices.size() == 1 && c->scalars.empty() && c->coefficient == 1)) return id;
  NodeId scalar = g.constant(c->coefficient);
  for (NodeId s : c->scalars) scalar = g.times(scalar, s);
  const NodeId n = g.size(g[node.operands[0]].type[0]);
  const auto power = [&](NodeId exponent) { return g.is_one(scalar) ? scalar : g.map(MapOp::pow_, {scalar, exponent}); };
  switch (f) {
    case FunOp::inv: return g.times(power(g.constant(-1)), product(g, f, c->matrices, true));
    case FunOp::adj: return g.times(power(g.subtract(n, g.constant(1))), product(g, f, c->matrices, true));
    case FunOp::det: return g.times(power(n), product(g, f, c->matrices, false));
    case FunOp::logdet: {  // log |det|
      std::vector<Term> terms = {{1, g.times(n, g.map(MapOp::log_, {g.map(MapOp::abs_, {scalar})}))}};
      for (NodeId m : c->matrices) terms.push_back({1, g.fun(f, m)});
      return g.sum(std::move(terms), {});
    }
    default: return id;
  }
}

// inv(kron(A, B)) = kron(inv(A), inv(B)), det(kron(A, B)) = det(A)^m*det(B)^n: each determinant to the power of what the other factors count.
NodeId open_kronecker(Graph& g, NodeId id) {
  const Node& node = g[id];
  if (node.kind != Kind::Fun || g[node.operands[0]].rank() != 2) return id;
  const FunOp f = node.fun_op();
  if (f != FunOp::inv && f != FunOp::pinv && f != FunOp::adj && f != FunOp::det && f != FunOp::logdet) return id;
  const std::optional<Kronecker> k = kronecker(g, node.operands[0]);
  if (!k || !g.is_one(k->scalar)) return id;
  std::vector<Term> sum;
  std::vector<Factor> product;
  std::vector<NodeId> matrices;
  for (size_t at = 0; at < k->factors.size(); ++at) {
    const NodeId part = k->factors[at];
    Type others;
    for (size_t other = 0; other < k->factors.size(); ++other)
      if (other != at) others.push_back(g[k->factors[other]].type[0]);
    const NodeId count = g.size(g.product(others)), value = g.fun(f, part);
    const auto power = [&](NodeId exponent) { return g.map(MapOp::pow_, {g.fun(FunOp::det, part), exponent}); };
    if (f == FunOp::logdet) sum.push_back({1, g.times(count, value)});
    else if (f == FunOp::det) product.push_back({power(count), {}});
    else matrices.push_back(f == FunOp::adj ? g.times(power(g.subtract(count, g.constant(1))), value) : value);
  }
  if (f == FunOp::logdet) return g.sum(std::move(sum), {});
  return f == FunOp::det ? g.ein(std::move(product), {}, {}) : kron(g, matrices);
}

// The entry A_ik of a matrix, from 1.
NodeId entry(Graph& g, NodeId matrix, int64_t row, int64_t column) {
  const Type type = g[matrix].type;
  return g.ein({{matrix, {0, 1}}, {g.unit_vector(type[0], row), {0}}, {g.unit_vector(type[1], column), {1}}}, {}, {});
}

// [a, b; c, d] has the determinant a*d - b*c and the adjugate [d, -b; -c, a].
NodeId open_two_by_two(Graph& g, NodeId id) {
  const Node& node = g[id];
  if (node.kind != Kind::Fun || g[node.operands[0]].rank() != 2) return id;
  const FunOp f = node.fun_op();
  const NodeId matrix = node.operands[0];
  const Type type = g[matrix].type;
  const bool is_two = g[type[0]].kind == Dim::Kind::Fixed && g[type[0]].size == 2;
  if ((f != FunOp::inv && f != FunOp::adj && f != FunOp::det && f != FunOp::logdet) || !is_two) return id;
  const NodeId det = g.subtract(g.times(entry(g, matrix, 1, 1), entry(g, matrix, 2, 2)), g.times(entry(g, matrix, 1, 2), entry(g, matrix, 2, 1)));
  if (f == FunOp::det) return det;
  if (f == FunOp::logdet) return g.map(MapOp::log_, {g.map(MapOp::abs_, {det})});
  std::vector<Term> adjugate;
  for (int64_t i = 1; i <= 2; ++i)
    for (int64_t k = 1; k <= 2; ++k)
      adjugate.push_back({i == k ? 1 : -1, g.ein({{entry(g, matrix, 3 - k, 3 - i), {}}, {g.unit_vector(type[0], i), {0}}, {g.unit_vector(type[1], k), {1}}}, {0, 1}, type)});
  const NodeId adj = g.sum(std::move(adjugate), type);
  return f == FunOp::adj ? adj : g.times(g.power(det, -1), adj);
}

// sigmoid(-x) = 1 - sigmoid(x).
NodeId open_negative(Graph& g, NodeId id) {
  const Node& node = g[id];
  if (node.kind != Kind::Map || node.map_op() != MapOp::sigmoid_) return id;
  const Node& x = g[node.operands[0]];
  if (x.kind != Kind::Sum || x.coefficients.empty() || content(g, node.operands[0]) > 0) return id;
  const Type type = node.type;
  const NodeId positive = g.map(MapOp::sigmoid_, {g.scale(-1, node.operands[0])});
  return g.subtract(type.empty() ? g.constant(1) : g.ones(type), positive);
}

}  // namespace

NodeId open_functions(Graph& g, NodeId root) {
  return rewrite_bottom_up(g, root, [&](NodeId n) { return open_negative(g, open_two_by_two(g, open_kronecker(g, open_product(g, n)))); });
}

NodeId open_epsilons(Graph& g, NodeId root) {
  return rewrite_bottom_up(g, root, [&](NodeId n) { return contract_epsilons(g, n, 2); });
}

}  // namespace ricci
