// Every row of the function table: its differential against the dual numbers, on single cores and batched over leading axes and to the third
// order, and its claims about properties and transposes.
#include <gtest/gtest.h>

#include <algorithm>

#include "ir/oracle.h"
#include "ir/sample.h"
#include "passes/differentiate.h"
#include "passes/spectrum.h"
#include "tests/property_holds.h"
#include "tests/tables/function_check.h"

using namespace ricci;

namespace {

struct Instance {
  const char* what;
  std::vector<int64_t> batch;
  int64_t n;
};

class Functions : public testing::TestWithParam<FunOp> {
 protected:
  FunctionSampler sampler;
  Array<Quad> sample(std::vector<int64_t> shape, bool matrix) { return sampler.draw(std::move(shape), matrix); }

  // The sizes of a core of order n, oblong where it may be.
  static std::vector<int64_t> core_shape(const FunctionRow& r, int64_t n) {
    if (r.core.in == 1) return {n};
    return {r.core.square ? n : n + 2, n};
  }
};

// The columns themselves, as formulas of one core.
TEST_P(Functions, ColumnsAgreeWithDualNumbers) {
  FunctionCheck check(row(GetParam()));
  for (const FunctionColumn& column : function_columns())
    if (const std::string_view text = check.r.*column.text; !text.empty()) {
      EXPECT_EQ(check.refutation(column, build_formula(check.g, text, check.names(column), FormulaMode::Matrix)), std::nullopt) << text;
    }
}

// The same through differentiation, which maps them over leading axes.
TEST_P(Functions, DifferentialAgreesWithDualNumbers) {
  const FunctionRow& r = row(GetParam());
  for (const Instance& at : {Instance{"a core", {}, 3}, {"a core of one", {}, 1}, {"a batch", {4}, 3}, {"a batch of two axes", {2, 5}, 3}}) {
    Graph g;
    Type type;
    std::vector<int64_t> shape = at.batch;
    for (int64_t s : core_shape(r, at.n)) shape.push_back(s);
    for (int64_t s : shape) type.push_back(g.dim(s));
    const NodeId X = g.variable(g.declare({.name = "X", .type = type})), H = g.variable(g.declare({.name = "H", .type = type}));
    const NodeId F = g.fun(r.op, X), dF = directional(g, F, X, H);
    ASSERT_EQ(g[dF].type, g[F].type) << at.what;

    const std::map<NodeId, Array<Quad>> inputs{{X, sample(shape, r.core.in == 2)}, {H, sample(shape, false)}};
    const Array<Quad> table = interpret<Quad>(g, dF, {}, inputs);
    const Array<Dual1> dual = interpret<Dual1>(g, F, {}, {{X, moved(inputs.at(X), inputs.at(H))}});
    for (size_t i = 0; i < table.data.size(); ++i)
      EXPECT_LE(double(scalar::fabs(table.data[i] - dual.data[i].slope)), 1e-28 * double(1 + scalar::fabs(dual.data[i].slope)))
          << r.differential << " on " << at.what;
  }
}

// F(A + t*B + t^2*C) by t up to three times, in both modes: the curve keeps no direction, so nothing commutes.
TEST_P(Functions, HigherDerivativesAgreeWithDualNumbers) {
  const FunctionRow& r = row(GetParam());
  Graph g;
  const std::vector<int64_t> shape = core_shape(r, 2);
  Type type;
  for (int64_t s : shape) type.push_back(g.dim(s));
  std::map<NodeId, Array<Quad>> inputs;
  auto given = [&](const char* name, const Type& of, Array<Quad> value) {
    const NodeId n = g.variable(g.declare({.name = name, .type = of}));
    inputs[n] = std::move(value);
    return n;
  };
  const NodeId A = given("A", type, sample(shape, r.core.in == 2)), B = given("B", type, sample(shape, false)), C = given("C", type, sample(shape, false)),
               t = given("t", {}, Array<Quad>({}, Quad(0.125)));
  const NodeId F = g.fun(r.op, g.add(A, g.add(g.times(t, B), g.times(g.power(t, 2), C))));
  const Labels axes = Graph::iota(g[F].rank());
  const NodeId weights = given("W", g[F].type, sample(shape_of(g, g[F].type, {}), false)), f = g.ein({{F, axes}, {weights, axes}}, {}, {});
  for (NodeId value : {F, f}) {  // a tensor is differentiated forward, a number backward
    NodeId d = value;
    std::vector<NodeId> by;
    for (int order = 1; order <= 3; ++order) {
      d = differentiate(g, d, t);
      by.push_back(t);
      const OracleValue oracle = dual_derivative(g, value, by, {}, inputs);
      EXPECT_LE(relative_difference(interpret<Quad>(g, d, {}, inputs), oracle.value), 1e-24) << "order " << order;
    }
  }
}

// The property column: an operand that has what is asked gives a result that has what is claimed.
TEST_P(Functions, PropertiesHoldWhereClaimed) {
  const FunctionRow& r = row(GetParam());
  Sampler sampler(5);
  for (const PropertyClaim& claim : property_claims(r.op))
    for (int trial = 0; trial < 20; ++trial) {
      Graph g;
      Symbol s{.name = "X", .type = Type(r.core.in, g.dim(int64_t{3}))};
      if (claim.operand) s.properties.add(*claim.operand);
      const NodeId X = g.variable(g.declare(s)), F = g.fun(r.op, X);
      const bool rooted = r.op == FunOp::logm || r.op == FunOp::sqrtm;  // keep off the negative axis
      if (rooted && s.properties.has(Property::symmetric)) s.properties.add(Property::spd);
      const Array<double> at = sampler.draw(g, s, {}), value = interpret<double>(g, F, {}, {{X, at}});
      if (rooted && std::isnan(value.data[0])) continue;
      EXPECT_TRUE(holds(claim.result, value)) << (claim.operand ? row(*claim.operand).name : "anything") << " gives " << row(claim.result).name;
    }
}

Array<Quad> product(const Array<Quad>& a, const Array<Quad>& b, bool transposed) {
  const int64_t n = a.shape[0];
  Array<Quad> c({n, n});
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < n; ++j)
      for (int64_t k = 0; k < n; ++k) c.data[size_t(i * n + j)] += a.data[size_t(i * n + k)] * b.data[size_t(transposed ? j * n + k : k * n + j)];
  return c;
}

// Q*diag(v)*Q'.
Array<Quad> with_eigenvalues(const Array<Quad>& q, const std::vector<Quad>& v) {
  Array<Quad> scaled = q;
  for (size_t k = 0; k < q.data.size(); ++k) scaled.data[k] *= v[k % v.size()];
  return product(scaled, q, true);
}

// The column `spectral`: f(Q*diag(v)*Q') is Q*diag(w)*Q' with w what the formula makes of v, or the number it makes.
TEST_P(Functions, OfASymmetricMatrixIsWhatTheTableMakesOfItsEigenvalues) {
  const FunctionRow& r = row(GetParam());
  if (r.spectral.empty()) return;
  Graph g;
  const DimId n = g.dim(int64_t{4});
  const NodeId X = g.variable(g.declare({.name = "X", .type = {n, n}})), v = g.variable(g.declare({.name = "v", .type = {n}}));
  const NodeId Q = g.variable(g.declare({.name = "Q", .type = {n, n}, .properties = {Property::orthogonal}}));
  const Array<Quad> q = convert<Quad>(Sampler(3).draw(g, g.symbol(Q), {}));
  Array<Quad> values({4});
  values.data = {Quad(0.5), Quad(2.25), Quad(1.125), Quad(3)};
  const Array<Quad> f = interpret<Quad>(g, g.fun(r.op, X), {}, {{X, with_eigenvalues(q, values.data)}});
  const Array<Quad> w = interpret<Quad>(g, build_formula(g, r.spectral, {{"x", v}}, FormulaMode::Matrix), {}, {{v, values}});
  const Array<Quad> expected = w.shape.empty() ? w : with_eigenvalues(q, w.data);
  EXPECT_LE(relative_difference(f, expected), 1e-12) << r.spectral;  // Q is orthogonal to the precision of double
}

// The column `loewner`: at midpoints of random positive definite matrices, and for A <= A + B.
TEST_P(Functions, IsConvexAndMonotoneInTheOrderOfLoewnerWhereClaimed) {
  const FunctionRow& r = row(GetParam());
  if (r.loewner.empty()) return;
  Graph g;
  const DimId n = g.dim(int64_t{3});
  const NodeId X = g.variable(g.declare({.name = "X", .type = {n, n}, .properties = {Property::spd}})), F = g.fun(r.op, X);
  Sampler sampler(11);
  auto draw = [&] { return convert<Quad>(sampler.draw(g, g.symbol(X), {})); };
  auto combined = [](Quad a, const Array<Quad>& x, Quad b, const Array<Quad>& y) {
    Array<Quad> z = x;
    for (size_t k = 0; k < z.data.size(); ++k) z.data[k] = a * x.data[k] + b * y.data[k];
    return z;
  };
  auto f = [&](const Array<Quad>& x) { return interpret<Quad>(g, F, {}, {{X, x}}); };
  auto least = [](const Array<Quad>& m) {
    Array<Quad> vectors;
    return double(eigenvalues(m, vectors)[0]);
  };
  for (int trial = 0; trial < 50; ++trial) {
    const Array<Quad> a = draw(), b = draw(), mean = combined(0.5, f(a), 0.5, f(b)), middle = f(combined(0.5, a, 0.5, b));
    EXPECT_GE(least(r.loewner[0] == 'v' ? combined(1, mean, -1, middle) : combined(1, middle, -1, mean)), -1e-20);
    const Array<Quad> more = f(combined(1, a, 1, b));
    EXPECT_GE(least(r.loewner[1] == '+' ? combined(1, more, -1, f(a)) : combined(1, f(a), -1, more)), -1e-20);
  }
}

// f(X') is what the column says, on the nodes and in numbers.
TEST_P(Functions, OfATransposeIsWhatTheTableSays) {
  const FunctionRow& r = row(GetParam());
  if (r.transposed.empty()) return;
  Graph g;
  const std::vector<int64_t> shape = core_shape(r, 3);
  Type type;
  for (int64_t s : shape) type.push_back(g.dim(s));
  const NodeId X = g.variable(g.declare({.name = "X", .type = type}));
  const NodeId Y = g.variable(g.declare({.name = "Y", .type = {type[1], type[0]}}));
  const Array<Quad> x = sample(shape, true);
  Array<Quad> y({shape[1], shape[0]});
  for (int64_t i = 0; i < shape[0]; ++i)
    for (int64_t j = 0; j < shape[1]; ++j) y.data[size_t(j * shape[0] + i)] = x.data[size_t(i * shape[1] + j)];
  const Array<Quad> folded = interpret<Quad>(g, g.fun(r.op, g.permute(X, {1, 0})), {}, {{X, x}}), plain = interpret<Quad>(g, g.fun(r.op, Y), {}, {{Y, y}});
  EXPECT_LE(relative_difference(folded, plain), 1e-28);
}

// The dual numbers themselves: a difference quotient of the value in __float128.
TEST_P(Functions, DualNumbersAgreeWithDifferenceQuotients) {
  const FunctionRow& r = row(GetParam());
  Graph g;
  const std::vector<int64_t> shape = core_shape(r, 4);
  Type type;
  for (int64_t s : shape) type.push_back(g.dim(s));
  const NodeId X = g.variable(g.declare({.name = "X", .type = type})), F = g.fun(r.op, X);
  const Array<Quad> x = sample(shape, r.core.in == 2), h = sample(shape, false);
  auto value = [&](Quad t) {
    Array<Quad> moved = x;
    for (size_t i = 0; i < moved.data.size(); ++i) moved.data[i] += t * h.data[i];
    return interpret<Quad>(g, F, {}, {{X, moved}});
  };
  const Array<Dual1> dual = interpret<Dual1>(g, F, {}, {{X, moved(x, h)}});
  const Quad step = 1e-9;
  const Array<Quad> above = value(step), below = value(-step);
  for (size_t i = 0; i < dual.data.size(); ++i)
    EXPECT_NEAR(double((above.data[i] - below.data[i]) / (2 * step)), double(dual.data[i].slope), 1e-13 * double(1 + scalar::fabs(dual.data[i].slope)));
}

INSTANTIATE_TEST_SUITE_P(Table, Functions, testing::ValuesIn([] {
                           std::vector<FunOp> ops;
                           for (const FunctionRow& r : function_table()) ops.push_back(r.op);
                           return ops;
                         }()),
                         [](const auto& info) { return std::string(row(info.param).name); });

// --- conventions ------------------------------------------------------------------------------------------------------------------

Array<Quad> matrix(int64_t n, std::vector<double> entries) {
  Array<Quad> a({n, n});
  std::ranges::copy(entries, a.data.begin());
  return a;
}

TEST(Conventions, DetHasADerivativeAtSingularMatrices) {
  Graph g;
  const DimId n = g.dim("n");
  const NodeId X = g.variable(g.declare({.name = "X", .type = {n, n}})), D = differentiate(g, g.fun(FunOp::det, X), X);
  EXPECT_EQ(interpret<Quad>(g, D, {{"n", 2}}, {{X, matrix(2, {1, 2, 2, 4})}}).data, matrix(2, {4, -2, -2, 1}).data);
  EXPECT_EQ(interpret<Quad>(g, D, {{"n", 1}}, {{X, matrix(1, {0})}}).data, matrix(1, {1}).data) << "det of a 1x1 zero";
}

TEST(Conventions, TiesShareTheDerivative) {
  Graph g;
  const DimId n = g.dim("n");
  const NodeId x = g.variable(g.declare({.name = "x", .type = {n}}));
  Array<Quad> at({3});
  at.data = {2, 1, 2};
  auto gradient = [&](FunOp op) { return interpret<Quad>(g, differentiate(g, g.fun(op, x), x), {{"n", 3}}, {{x, at}}).data; };
  EXPECT_EQ(gradient(FunOp::max_of), (std::vector<Quad>{0.5, 0, 0.5}));
  EXPECT_EQ(gradient(FunOp::min_of), (std::vector<Quad>{0, 1, 0}));
  at.data = {0, 3, 0};
  EXPECT_EQ(gradient(FunOp::prod), (std::vector<Quad>{0, 0, 0}));
  at.data = {0, 3, 5};
  EXPECT_EQ(gradient(FunOp::prod), (std::vector<Quad>{15, 0, 0})) << "right at a zero";
  at.data = {1000, -1000, 1000};
  EXPECT_NEAR(double(gradient(FunOp::lse)[2]), 0.5, 1e-15);
}

}  // namespace
