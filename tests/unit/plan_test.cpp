// The plan: contraction orders, sharing, fusion and costs, on graphs small enough to know the answer.
#include "passes/plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <ctime>

#include "passes/differentiate.h"
#include "passes/lower_to_loops.h"
#include "passes/plan_order.h"
#include "tests/slow_build.h"

namespace ricci {
namespace {

class PlanTest : public ::testing::Test {
 protected:
  Graph g;
  DimId m = g.dim("m"), n = g.dim("n");
  Sizes sizes;

  NodeId variable(std::string name, Type type, Properties properties = {}) {
    return g.variable(g.declare({.name = std::move(name), .type = std::move(type), .properties = properties}));
  }
  NodeId matmul(NodeId a, NodeId b) { return g.ein({{a, {0, 1}}, {b, {1, 2}}}, {0, 2}, {g[a].type[0], g[b].type[1]}); }
  NodeId apply(NodeId a, NodeId x) { return g.ein({{a, {0, 1}}, {x, {1}}}, {0}, {g[a].type[0]}); }
  NodeId dot(NodeId x, NodeId y) { return g.ein({{x, {0}}, {y, {0}}}, {}, {}); }
  NodeId total(NodeId x) { return g.ein({{x, Graph::iota(g[x].rank())}}, {}, {}); }

  Plan plan(std::vector<NodeId> outputs) { return make_plan(g, outputs, sizes); }
  std::string flops(const std::vector<NodeId>& outputs) { return cost_of(g, plan(outputs), sizes).flops.spell(g); }
  static size_t count(const Plan& p, Step::Kind kind) {
    return size_t(std::ranges::count_if(p.steps, [&](const Step& s) { return s.kind == kind; }));
  }
};

TEST_F(PlanTest, PolynomialsAreSpelt) {
  const Polynomial p = Polynomial::size(g, Type{m, n, n}) * Polynomial(2) + Polynomial::size(g, Type{n}) + Polynomial(-3);
  EXPECT_EQ(p.spell(g), "2*m*n^2 + n - 3");
  Sizes known;
  known.known = {{m, 2}, {n, 10}};
  EXPECT_EQ(p.at(g, known), 2 * 2 * 100 + 10 - 3);
  EXPECT_EQ(Polynomial().spell(g), "0");
}

TEST_F(PlanTest, QuadraticFormsNeedNoMatrixProduct) {
  const NodeId a = variable("A", {n, n}), b = variable("B", {n, n}), c = variable("C", {n, n}), x = variable("x", {n}),
               y = variable("y", {n});
  EXPECT_EQ(flops({dot(x, apply(matmul(matmul(a, b), c), y))}), "6*n^2 + 2*n");
}

TEST_F(PlanTest, LoneLabelsAreSummedFirst) {
  const NodeId a = variable("A", {m, n}), x = variable("x", {n});
  EXPECT_EQ(flops({g.ein({{a, {0, 1}}, {x, {1}}}, {}, {})}), "m*n + 2*n");
}

TEST_F(PlanTest, SharedProductsAreComputedOnce) {
  const NodeId a = variable("A", {n, n}), b = variable("B", {n, n}), x = variable("x", {n});
  const NodeId ab = matmul(a, b);
  EXPECT_EQ(flops({apply(ab, x), ab}), "2*n^3 + 2*n^2");
  EXPECT_EQ(flops({apply(ab, x)}), "4*n^2");
}

TEST_F(PlanTest, DiagonalScalingIsNoMatrixProduct) {
  const NodeId a = variable("A", {n, n}), d = variable("d", {n}), x = variable("x", {n});
  const NodeId diagonal = g.ein({{d, {0}}}, {0, 0}, {n, n});
  EXPECT_EQ(flops({apply(matmul(diagonal, a), x)}), "2*n^2 + n");
  EXPECT_EQ(flops({matmul(diagonal, a)}), "n^2");
}

TEST_F(PlanTest, OneFactorisationOfOneMatrix) {
  const NodeId a = variable("A", {n, n}), x = variable("x", {n});
  const NodeId inverse = g.fun(FunOp::inv, a);
  const Plan p = plan({apply(inverse, x), g.fun(FunOp::logdet, a), g.fun(FunOp::det, a)});
  EXPECT_EQ(count(p, Step::Kind::Factor), 1u);
  EXPECT_EQ(count(p, Step::Kind::Solve), 1u);
  EXPECT_EQ(flops({apply(inverse, x)}), "0.666666666667*n^3 + 2*n^2");
}

TEST_F(PlanTest, ElementwiseWorkIsOneNestWithoutTemporaries) {
  const NodeId x = variable("x", {n});
  const NodeId e = g.map(MapOp::exp_, {x});
  const Plan p = plan({total(g.map(MapOp::log1p_, {e})), total(g.hadamard(e, x))});
  EXPECT_EQ(count(p, Step::Kind::Nest), 1u);
  EXPECT_EQ(p.steps[0].stored.size(), 2u);
}

TEST_F(PlanTest, LogisticRegressionReadsTheDataByThreeProducts) {
  const NodeId X = variable("X", {m, n}), y = variable("y", {m}), w = variable("w", {n});
  const NodeId f = total(g.map(MapOp::softplus_, {g.scale(-1, g.hadamard(y, apply(X, w)))}));
  const NodeId gradient = differentiate(g, f, w), hessian = differentiate(g, gradient, w);
  const Plan p = plan({f, gradient, hessian});
  // X*w, X'*u and X'*D*X; one of them has a sign and is accumulated by the step that gives it.
  const auto absorbed = std::ranges::count(p.roles, Role::Absorbed);
  EXPECT_EQ(count(p, Step::Kind::Contract) + size_t(absorbed), 3u) << to_text(g, p, sizes);
}

TEST_F(PlanTest, ALongChainEndingInAVectorIsMatrixVectorOnly) {
  const NodeId x = variable("x", {n});
  NodeId product = variable("A0", {n, n});
  for (int k = 1; k < 200; ++k) product = matmul(product, variable("A" + std::to_string(k), {n, n}));
  EXPECT_EQ(flops({apply(product, x)}), "400*n^2");
}

// The coefficient of a broadcast square is multiplied in before the square is broadcast.
TEST_F(PlanTest, ACoefficientIsMultipliedInWhereThatTakesLeast) {
  const NodeId x = variable("x", {n});
  const NodeId square = g.hadamard(x, x);
  EXPECT_EQ(flops({g.scale(3, g.ein({{square, {0}}}, {1, 2, 0}, {m, m, n}))}), "2*n");
}

// 1,000 layers and their gradient: planned and lowered in a fraction of a second of processor time, at a few times the cost of the value. What this
// guards against is a quadratic pass, which takes minutes.
TEST_F(PlanTest, ThousandLayers) {
  enum Layer { Tanh, Linear, Residual };
  for (const Layer layer : {Tanh, Linear, Residual}) {
    const NodeId x = variable("x", {n}), a = variable("A", {n, n});
    NodeId h = x;
    for (int k = 0; k < 1000; ++k) {
      const NodeId z = apply(a, h);
      h = layer == Linear ? z : layer == Tanh ? g.map(MapOp::tanh_, {z}) : g.add(h, g.map(MapOp::tanh_, {z}));
    }
    const NodeId f = dot(h, h);
    const std::vector<NodeId> outputs{f, differentiate(g, f, x), differentiate(g, f, a)};
    CompileRequest request;
    request.inputs = {{"x", x}, {"A", a}};
    for (NodeId o : outputs) request.outputs.push_back({"o" + std::to_string(request.outputs.size()), o});
    const std::clock_t start = std::clock();
    const loops::Program p = lower_to_loops(g, request);
    EXPECT_LT(double(std::clock() - start) / CLOCKS_PER_SEC, kSlowness);
    EXPECT_LT(p.body.size(), 60000u);
    const Plan planned = make_plan(g, outputs, sizes);
    EXPECT_LT(cost_of(g, planned, sizes).flops.at(g, sizes), 7.0 * 1000 * 1000 * 1000 * 1.1);
  }
}

}  // namespace
}  // namespace ricci
