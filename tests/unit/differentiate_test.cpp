// Differentiation: hand-checked derivatives, and the promise that deep programs keep their size.
#include "passes/differentiate.h"

#include <gtest/gtest.h>

#include "ir/interpret.h"
#include "passes/simplify.h"

namespace ricci {
namespace {

struct DifferentiateTest : testing::Test {
  Graph g;
  DimId n = g.dim("n"), m = g.dim("m");
  NodeId var(const char* name, Type type, Properties p = {}) { return g.variable(g.declare({name, std::move(type), {}, p})); }
  NodeId A = var("A", {n, n}), X = var("X", {n, n}), M = var("M", {m, n}), x = var("x", {n}), y = var("y", {n}), s = var("s", {});
  NodeId apply(NodeId a, NodeId v) { return g.ein({{a, {0, 1}}, {v, {1}}}, {0}, {g[a].type[0]}); }
  NodeId dot(NodeId a, NodeId b) { return g.ein({{a, {0}}, {b, {0}}}, {}, {}); }
  NodeId total(NodeId v) { return g.ein({{v, Graph::iota(g[v].rank())}}, {}, {}); }
};

TEST_F(DifferentiateTest, QuadraticForm) {
  NodeId f = dot(x, apply(A, x));
  NodeId both = g.add(A, g.permute(A, {1, 0}));
  EXPECT_EQ(simplify(g, differentiate(g, f, x)), simplify(g, apply(both, x)));
  EXPECT_EQ(simplify(g, differentiate(g, differentiate(g, f, x), x)), both);
}

TEST_F(DifferentiateTest, AnAxisSummedAloneKeepsItsFactor) {
  NodeId wide = g.ein({{x, {0}}}, {0, 1}, {n, m});  // x*ones(m)'
  EXPECT_EQ(simplify(g, differentiate(g, total(wide), x)), g.times(g.size(m), g.ones({n})));
  NodeId f = g.ein({{M, {0, 1}}, {x, {2}}}, {2}, {n});  // sum(M)*x
  EXPECT_EQ(simplify(g, differentiate(g, f, x)), simplify(g, g.ein({{total(M), {}}}, {0, 0}, {n, n})));
  EXPECT_EQ(simplify(g, differentiate(g, total(f), M)), simplify(g, g.times(total(x), g.ones({m, n}))));
}

TEST_F(DifferentiateTest, ForwardAndReverseAgree) {
  NodeId f = g.map(MapOp::tanh_, {apply(A, x)}), h = y;
  NodeId jacobian = differentiate(g, f, x);
  EXPECT_EQ(simplify(g, directional(g, f, x, h)), simplify(g, apply(jacobian, h)));
  EXPECT_EQ(simplify(g, pullback(g, f, x, y)), simplify(g, g.ein({{jacobian, {0, 1}}, {y, {0}}}, {1}, {n})));
}

TEST_F(DifferentiateTest, TableFunctions) {
  NodeId inverse = g.fun(FunOp::inv, X);
  EXPECT_EQ(simplify(g, differentiate(g, g.fun(FunOp::logdet, X), X)), g.permute(inverse, {1, 0}));
  EXPECT_EQ(differentiate(g, g.fun(FunOp::det, X), X), g.permute(g.fun(FunOp::adj, X), {1, 0}));
  // d inv(X)_ij / d X_kl = -inv(X)_ik inv(X)_lj
  EXPECT_EQ(simplify(g, differentiate(g, inverse, X)), g.scale(-1, g.ein({{inverse, {0, 2}}, {inverse, {3, 1}}}, {0, 1, 2, 3}, {n, n, n, n})));
}

// logdet of an empty matrix is 0 and so are its derivatives: inv(s*I) must not become I/s, which is not there for s = 0.
TEST_F(DifferentiateTest, AnEmptyMatrixHasNoReciprocal) {
  NodeId f = g.fun(FunOp::logdet, g.times(s, g.delta(n)));
  const Array<double> zero(std::vector<int64_t>{});
  for (NodeId d : {differentiate(g, f, s), differentiate(g, differentiate(g, f, s), s)})
    EXPECT_EQ(interpret<double>(g, d, {{"n", 0}}, {{s, zero}}).data[0], 0);
}

// One thousand layers, three ways: O(layers) nodes, by the input and by the weights.
TEST_F(DifferentiateTest, DeepChainsStayLinear) {
  auto layers = [&](auto layer) {
    NodeId h = x;
    for (int k = 0; k < 1000; ++k) h = layer(h);
    return total(h);
  };
  NodeId chains[] = {
      layers([&](NodeId h) { return g.map(MapOp::tanh_, {apply(A, h)}); }),
      layers([&](NodeId h) { return apply(A, h); }),
      layers([&](NodeId h) { return g.add(h, g.map(MapOp::tanh_, {apply(A, h)})); }),
  };
  for (NodeId f : chains)
    for (NodeId variable : {x, A}) {
      NodeId roots[] = {f, differentiate(g, f, variable)};
      EXPECT_LT(g.reachable(roots).size(), 12000u);
    }
}

}  // namespace
}  // namespace ricci
