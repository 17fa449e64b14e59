// The oracle and the random inputs that derivatives are judged with.
#include "ir/oracle.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "ir/sample.h"

namespace ricci {
namespace {

struct OracleTest : ::testing::Test {
  Graph g;
  DimId n = g.dim("n");
  NodeId x = g.variable(g.declare({"x", {n}}));
  Dims dims{{"n", 2}};
  std::map<NodeId, Array<Quad>> inputs;
  OracleTest() {
    inputs[x] = Array<Quad>({2});
    inputs[x].data = {2, 3};
  }
  std::vector<double> derivative(NodeId f, size_t order) {
    std::vector<NodeId> xs(order, x);
    std::vector<double> out;
    for (Quad q : dual_derivative(g, f, xs, dims, inputs).value.data) out.push_back(double(q));
    return out;
  }
};

TEST_F(OracleTest, DifferentiatesToTheThirdOrder) {
  NodeId cubes = g.ein({{x, {0}}, {x, {0}}, {x, {0}}}, {}, {});  // sum_i x_i^3
  EXPECT_EQ(derivative(cubes, 0), (std::vector<double>{35}));
  EXPECT_EQ(derivative(cubes, 1), (std::vector<double>{12, 27}));
  EXPECT_EQ(derivative(cubes, 2), (std::vector<double>{12, 0, 0, 18}));
  EXPECT_EQ(derivative(cubes, 3), (std::vector<double>{6, 0, 0, 0, 0, 0, 0, 6}));
}

TEST_F(OracleTest, PutsTheAxesOfTheFunctionFirst) {
  NodeId f = g.ein({{x, {0}}, {x, {1}}, {x, {1}}}, {0}, {n});  // x (x'x)
  EXPECT_EQ(derivative(f, 1), (std::vector<double>{13 + 8, 12, 12, 13 + 18}));
}

TEST_F(OracleTest, SaysThatItStoodAtAKink) {
  NodeId f = g.map(MapOp::abs_, {g.subtract(x, x)});
  NodeId at_zero = g.map(MapOp::abs_, {g.subtract(x, g.scale(2, g.ones({n})))});
  EXPECT_FALSE(dual_derivative(g, f, std::vector{x}, dims, inputs).at_kink);
  EXPECT_TRUE(dual_derivative(g, at_zero, std::vector{x}, dims, inputs).at_kink);
}

// Where X is wide, X'*X is singular, and its inverse and determinant are rounding.
TEST(WellConditioned, TellsRoundingFromNumbers) {
  Graph g;
  const DimId m = g.dim("m"), n = g.dim("n");
  const NodeId X = g.variable(g.declare({"X", {m, n}})), gram = g.ein({{X, {0, 1}}, {X, {0, 2}}}, {1, 2}, {n, n});
  const NodeId inverse = g.fun(FunOp::inv, gram), det = g.fun(FunOp::det, gram), log = g.map(MapOp::log_, {g.map(MapOp::abs_, {det})});
  const auto usable = [&](NodeId f, const Dims& dims) {
    std::map<NodeId, Array<Quad>> at;
    at[X] = convert<Quad>(Sampler(1).draw(g, g.symbol(X), dims));
    return well_conditioned(g, std::span(&f, 1), dims, at);
  };
  const Dims tall{{"m", 4}, {"n", 3}}, wide{{"m", 3}, {"n", 4}};
  for (const NodeId f : {inverse, g.fun(FunOp::logdet, gram), log}) {
    EXPECT_TRUE(usable(f, tall));
    EXPECT_FALSE(usable(f, wide));
  }
  for (const Dims& dims : {tall, wide}) {  // a determinant of 0 is one
    EXPECT_TRUE(usable(det, dims));
    EXPECT_TRUE(usable(g.fun(FunOp::pinv, gram), dims));
    EXPECT_TRUE(usable(g.fun(FunOp::sqrtm, g.add(gram, g.delta(n))), dims));
  }
}

TEST(RelativeDifference, DoesNotOverlookShapesAndNaN) {
  Array<Quad> a({2}, 1), b({2}, 1), row({1, 2}, 1);
  EXPECT_EQ(relative_difference(a, b), 0);
  b.data[1] = 1.5;
  EXPECT_DOUBLE_EQ(relative_difference(a, b), 0.5 / 1.5);
  EXPECT_TRUE(std::isinf(relative_difference(a, row)));
  b.data[1] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(std::isinf(relative_difference(a, b)));
}

struct Claim {
  Property property;
  bool (*holds)(const Array<double>&, int64_t n);
};

double product_with_transpose(const Array<double>& a, int64_t n, int64_t i, int64_t j) {
  double sum = 0;
  for (int64_t k = 0; k < n; ++k) sum += a.data[size_t(i * n + k)] * a.data[size_t(j * n + k)];
  return sum;
}
bool all_pairs(int64_t n, auto&& claim) {
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < n; ++j)
      if (!claim(i, j)) return false;
  return true;
}
bool is_symmetric(const Array<double>& a, int64_t n) {
  return all_pairs(n, [&](auto i, auto j) { return a.data[size_t(i * n + j)] == a.data[size_t(j * n + i)]; });
}

constexpr Claim kClaims[] = {
    {Property::symmetric, is_symmetric},
    {Property::spd, [](const Array<double>& a, int64_t n) { return is_symmetric(a, n) && a.data[0] > 0; }},
    {Property::skew,
     [](const Array<double>& a, int64_t n) {
       return all_pairs(n, [&](auto i, auto j) { return a.data[size_t(i * n + j)] == -a.data[size_t(j * n + i)]; });
     }},
    {Property::lower, [](const Array<double>& a,
                         int64_t n) { return all_pairs(n, [&](auto i, auto j) { return i >= j || a.data[size_t(i * n + j)] == 0; }); }},
    {Property::upper, [](const Array<double>& a,
                         int64_t n) { return all_pairs(n, [&](auto i, auto j) { return i <= j || a.data[size_t(i * n + j)] == 0; }); }},
    {Property::diagonal,
     [](const Array<double>& a, int64_t n) {
       return all_pairs(n, [&](auto i, auto j) { return (i == j) == (a.data[size_t(i * n + j)] != 0); });
     }},
    {Property::orthogonal,
     [](const Array<double>& a, int64_t n) {
       return !is_symmetric(a, n) &&
              all_pairs(n, [&](auto i, auto j) { return std::abs(product_with_transpose(a, n, i, j) - (i == j)) < 1e-14; });
     }},
    {Property::unit, [](const Array<double>& a, int64_t) { return std::ranges::all_of(a.data, [](double v) { return 0 < v && v < 1; }); }},
    {Property::sign,
     [](const Array<double>& a, int64_t) { return std::ranges::all_of(a.data, [](double v) { return v == 1 || v == -1; }); }},
};

TEST(Sampler, KeepsWhatDeclarationsPromise) {
  for (const Claim& claim : kClaims) {
    Graph g;
    DimId n = g.dim("n");
    SymbolId s = g.declare({"A", {n, n}, {}, {claim.property}});
    for (uint64_t seed = 0; seed < 20; ++seed)
      EXPECT_TRUE(claim.holds(Sampler(seed).draw(g, g[s], {{"n", 4}}), 4)) << row(claim.property).name << " with seed " << seed;
  }
}

TEST(Sampler, DrawsVectorsThatSumToOne) {
  Graph g;
  SymbolId simplex = g.declare({"p", {g.dim("n")}, {}, {Property::simplex}}),
           onehot = g.declare({"t", {g.dim("n")}, {}, {Property::onehot}});
  for (SymbolId s : {simplex, onehot}) {
    double sum = 0;
    for (double v : Sampler(7).draw(g, g[s], {{"n", 5}}).data) sum += v;
    EXPECT_NEAR(sum, 1, 1e-15);
  }
}

TEST(DistinctSizes, KeepsWhatIsGivenAndRepeatsNothing) {
  Graph g;
  NodeId a = g.variable(g.declare({"a", {g.dim("k"), g.dim("l"), g.dim("m"), g.dim("k")}}));
  Dims dims = distinct_sizes(g, std::vector{a}, {{"l", 9}});
  EXPECT_EQ(dims, (Dims{{"k", 4}, {"l", 9}, {"m", 5}}));
}

TEST(SizeOrders, AreTheReverseThenTheOthersThenAllEqual) {
  Graph g;
  const NodeId a = g.variable(g.declare({"a", {g.dim("k"), g.dim("l"), g.dim("m")}}));
  const auto orders = size_orders(g, std::vector{a}, {{"k", 4}, {"l", 9}, {"m", 5}}, {{"l", 9}});
  EXPECT_EQ(orders, (std::vector<Dims>{{{"k", 4}, {"l", 9}, {"m", 5}}, {{"k", 5}, {"l", 9}, {"m", 4}}, {{"k", 3}, {"l", 9}, {"m", 3}}}));
  EXPECT_EQ(size_orders(g, std::vector{a}, {{"k", 3}, {"l", 4}, {"m", 5}}, {}).size(), 7u);
}

}  // namespace
}  // namespace ricci
