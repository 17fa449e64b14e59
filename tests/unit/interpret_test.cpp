// The interpreter against values worked out by hand.
#include "ir/interpret.h"

#include <gtest/gtest.h>

#include <cmath>

#include "ir/function_meaning.h"

using namespace ricci;

namespace {

class Interpret : public testing::Test {
 protected:
  Graph g;
  DimId m = g.dim("m"), n = g.dim("n");
  Dims dims{{"m", 2}, {"n", 3}};
  std::map<NodeId, Array<double>> inputs;

  NodeId var(std::string name, Type type, std::vector<double> data) {
    NodeId v = g.variable(g.declare({.name = std::move(name), .type = type}));
    inputs[v] = Array<double>(shape_of(g, type, dims));
    inputs[v].data = std::move(data);
    return v;
  }
  std::vector<double> value(NodeId id) { return interpret<double>(g, id, dims, inputs).data; }
  using V = std::vector<double>;
};

TEST_F(Interpret, ProductsByTheirLabels) {
  NodeId A = var("A", {m, n}, {1, 2, 3, 4, 5, 6}), S = var("S", {n, n}, {1, 2, 3, 4, 5, 6, 7, 8, 9}), x = var("x", {n}, {1, 10, 100});
  EXPECT_EQ(value(g.ein({{A, {0, 1}}, {x, {1}}}, {0}, {m})), V({321, 654}));
  EXPECT_EQ(value(g.permute(A, {1, 0})), V({1, 4, 2, 5, 3, 6}));
  EXPECT_EQ(value(g.ein({{S, {0, 0}}}, {}, {})), V({15}));
  EXPECT_EQ(value(g.ein({{S, {0, 0}}}, {0}, {n})), V({1, 5, 9}));
  EXPECT_EQ(value(g.ein({{x, {0}}}, {0, 0}, {n, n})), V({1, 0, 0, 0, 10, 0, 0, 0, 100}));
  EXPECT_EQ(value(g.ein({{x, {0}}}, {1, 0}, {m, n})), V({1, 10, 100, 1, 10, 100}));
  EXPECT_EQ(value(g.delta(m)), V({1, 0, 0, 1}));
  EXPECT_EQ(value(g.ein({{A, {0, 1}}, {x, {2}}}, {0}, {m})), V({666, 1665}));
  EXPECT_EQ(value(g.ein({{x, {0}}}, {}, {})), V({111}));
}

TEST_F(Interpret, SizesSumsAndEmptyDimensions) {
  NodeId x = var("x", {n}, {1, 10, 100});
  EXPECT_EQ(value(g.size(n)), V({3}));
  EXPECT_EQ(value(g.sum({{Rational(1, 2), x}, {-3, g.ones({n})}}, {n})), V({-2.5, 2, 47}));
  EXPECT_EQ(value(g.zero({n})), V({0, 0, 0}));
  dims["n"] = 0;
  inputs[x] = Array<double>({0});
  EXPECT_EQ(value(g.ein({{x, {0}}}, {}, {})), V({0}));
  EXPECT_EQ(value(g.fun(FunOp::prod, x)), V({1}));
  EXPECT_EQ(value(g.fun(FunOp::lse, x)), V({-INFINITY}));
  EXPECT_THROW(value(g.fun(FunOp::max_of, x)), std::invalid_argument);
}

TEST_F(Interpret, FunctionsOnTheLastAxes) {
  NodeId S = var("S", {n, n}, {2, 0, 0, 0, 0, 4, 0, 1, 0}), A = var("A", {m, n}, {1, 2, 2, 7, 0, 5});
  EXPECT_EQ(value(g.fun(FunOp::det, S)), V({-8}));
  EXPECT_EQ(value(g.fun(FunOp::logdet, S)), V({std::log(2.) + std::log(1.) + std::log(4.)}));
  EXPECT_EQ(value(g.fun(FunOp::inv, S)), V({0.5, 0, 0, 0, 0, 1, 0, 0.25, 0}));
  EXPECT_EQ(value(g.fun(FunOp::adj, S)), V({-4, 0, 0, 0, 0, -8, 0, -2, 0}));
  EXPECT_EQ(value(g.fun(FunOp::max_of, A)), V({2, 7}));
  EXPECT_EQ(value(g.fun(FunOp::argmax, A)), V({0, 0.5, 0.5, 1, 0, 0}));
  EXPECT_EQ(value(g.fun(FunOp::coprod, A)), V({4, 2, 2, 0, 35, 0}));
}

TEST_F(Interpret, DerivativesAtSingularMatrices) {
  using D = Dual<double>;
  const scalar::Square<D> ones{2, {D(1, 1), 1, 1, D(1, 3)}}, rank_one{3, {D(1, 1), 1, 1, 1, 1, 1, 1, 1, D(1, 1)}};
  EXPECT_EQ(scalar::det(ones).value, 0);
  EXPECT_EQ(scalar::det(ones).slope, 4) << "tr(adj(X)*dX), where X is singular";
  EXPECT_EQ(scalar::det(rank_one).slope, 0) << "every cofactor of a 3x3 matrix of rank 1 is 0";
  EXPECT_EQ(scalar::det(scalar::Square<D>{1, {D(0, 5)}}).slope, 5);
  EXPECT_EQ(scalar::det(scalar::Square<double>{0, {}}), 1);
  EXPECT_EQ(scalar::det_without_division(scalar::Square<double>{3, {2, 0, 0, 0, 0, 4, 0, 1, 0}}), -8);
}

TEST_F(Interpret, StableAtBothEnds) {
  for (double big : {1e3, 1e50}) {
    NodeId x = var("x", {n}, {big, -big, 0});
    EXPECT_EQ(value(g.fun(FunOp::lse, x)), V({big}));
    EXPECT_EQ(value(g.map(MapOp::softplus_, {x})), V({big, 0, std::log1p(1)}));
    EXPECT_EQ(value(g.map(MapOp::sigmoid_, {x})), V({1, 0, 0.5}));
  }
}

TEST_F(Interpret, ConventionsAtKinks) {
  NodeId x = var("x", {n}, {-1, 0, NAN}), zero = g.constant(0);
  EXPECT_EQ(value(g.map(MapOp::step_, {x}))[1], 0.5);
  EXPECT_EQ(value(g.map(MapOp::sign_, {x}))[1], 0);
  EXPECT_EQ(value(g.map(MapOp::pow0_, {x, g.constant(Rational(-1, 2))}))[1], 0);
  const NodeId exponents = var("y", {n}, {-1, 0, 1});
  EXPECT_EQ(value(g.map(MapOp::pow0_, {var("z", {n}, {0, 0, 0}), exponents})), V({0, 1, 0}));
  for (MapOp op : {MapOp::step_, MapOp::sign_, MapOp::relu_, MapOp::abs_}) EXPECT_TRUE(std::isnan(value(g.map(op, {x}))[2]));
  EXPECT_TRUE(std::isnan(value(g.map(MapOp::max_, {x, zero}))[2]));
  using D = Dual<double>;
  EXPECT_EQ(scalar::relu(D(0, 1)).slope, 0.5);
  EXPECT_EQ(scalar::fmax_(D(3, 1), D(3, 0)).slope, 0.5);
  EXPECT_EQ(scalar::fmin_(D(3, 1), D(3, 0)).slope, 0.5);
  EXPECT_EQ(scalar::fabs(D(0, 1)).slope, 0);
  EXPECT_EQ(scalar::pow(D(0, 1), D(1)).slope, 1);
  EXPECT_EQ(scalar::pow(D(0, 1), D(0)).slope, 0);
  EXPECT_EQ(scalar::pow(D(0, 0), D(2, 1)).slope, 0);
}

TEST_F(Interpret, RationalsAreExactInQuad) {
  EXPECT_TRUE(to_quad(Rational(1, 3)) == Quad(1) / 3);
  EXPECT_TRUE(to_quad(Rational(-7, 10)) == Quad(-7) / 10);
  EXPECT_TRUE(to_quad(Rational(12345678901234567L)) == Quad(12345678901234567L));
  EXPECT_TRUE(to_quad(0) == 0);
  mpz_class huge;
  mpz_ui_pow_ui(huge.get_mpz_t(), 2, 4000);
  EXPECT_TRUE(to_quad(Rational(huge)) == scalar::pow(Quad(2), Quad(4000)));
  EXPECT_TRUE(to_quad(1 / Rational(huge)) == scalar::pow(Quad(2), Quad(-4000)));
}

TEST_F(Interpret, PolygammaHasQuadrupleDigits) {
  using namespace scalar;
  const Quad pi2 = pi<Quad>() * pi<Quad>();
  auto near = [](Quad a, Quad b) { return fabs(a - b) < Quad(1e-31) * fabs(b); };
  EXPECT_TRUE(near(scalar::polygamma(1, Quad(1)), pi2 / 6));
  EXPECT_TRUE(near(scalar::polygamma(3, Quad(1) / 2), pi2 * pi2));
  EXPECT_TRUE(near(scalar::polygamma(0, Quad(1)) - scalar::polygamma(0, Quad(1) / 2), 2 * log(Quad(2))));
  EXPECT_TRUE(near(scalar::polygamma(1, Quad(-1) / 2), pi2 / 2 + 4));
  EXPECT_TRUE(std::isinf(scalar::polygamma(0, 0.0)));
}

TEST_F(Interpret, ConditionSeesCancellation) {
  NodeId x = var("x", {}, {0}), y = g.add(g.map(MapOp::exp_, {x}), g.constant(-1));
  std::map<NodeId, Array<Quad>> at{{x, Array<Quad>({}, Quad(1e-9))}};
  ConditionedArray r = interpret_with_condition(g, std::span(&y, 1), dims, at)[0];
  EXPECT_LT(double(r.value.data[0]), 1.1e-9);
  EXPECT_GT(double(r.error.data[0]), 1);
}

// sin(a)*sin(b) with a = b = 0 that are the rounded zeros of an inverse: as large as the product of their errors, and not exactly 0.
TEST_F(Interpret, ConditionSeesProductsOfRoundedZeros) {
  const NodeId A = var("A", {n, n}, V(9)), inverse = g.fun(FunOp::inv, A), entry = g.ein({{inverse, {0, 1}}, {g.unit_vector(n, 1), {0}}, {g.unit_vector(n, 2), {1}}}, {}, {});
  const NodeId product = g.times(g.map(MapOp::sin_, {entry}), g.map(MapOp::sin_, {entry}));
  std::map<NodeId, Array<Quad>> at{{A, Array<Quad>({3, 3})}};
  for (size_t k = 0; k < 3; ++k) at[A].data[4 * k] = Quad(k) + 0.5;
  const ConditionedArray r = interpret_with_condition(g, std::span(&product, 1), dims, at)[0];
  EXPECT_EQ(double(r.value.data[0]), 0);
  EXPECT_GT(double(r.error.data[0]), 1e-9);
}

TEST_F(Interpret, AGivenNodeIsNotComputed) {
  NodeId x = g.variable(g.declare({.name = "x", .type = {n}})), y = g.map(MapOp::exp_, {x}), z = g.add(y, y);
  EXPECT_THROW(value(z), std::invalid_argument);
  inputs[y] = Array<double>({3}, 2);
  EXPECT_EQ(value(z), V({4, 4, 4}));
}

}  // namespace
