// Every row of the function table: its differential column against the dual numbers, on single cores and batched over leading axes.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "ir/interpret.h"
#include "passes/differentiate.h"

using namespace ricci;

namespace {

struct Instance {
  const char* what;
  std::vector<int64_t> batch;
  int64_t n;
};

class Functions : public testing::TestWithParam<FunOp> {
 protected:
  std::mt19937_64 random{7};
  Quad entry() { return Quad(double(random() % 2000) - 1000) / 512; }

  // X, H of the shape, entries apart from each other and from zero; matrices well conditioned.
  Array<Quad> sample(std::vector<int64_t> shape, bool square) {
    Array<Quad> a(std::move(shape));
    const int64_t n = a.shape.back();
    for (size_t i = 0; i < a.data.size(); ++i) {
      a.data[i] = entry() + Quad(double(i)) / 1000;
      if (scalar::fabs(a.data[i]) < 0.05) a.data[i] += 1;
      if (square && int64_t(i) / n % n == int64_t(i) % n) a.data[i] += 4;
    }
    return a;
  }
};

TEST_P(Functions, DifferentialAgreesWithDualNumbers) {
  const FunctionRow& r = row(GetParam());
  for (const Instance& at : {Instance{"a core", {}, 3}, {"a core of one", {}, 1}, {"a batch", {4}, 3}, {"a batch of two axes", {2, 5}, 3}}) {
    Graph g;
    Type type;
    std::vector<int64_t> shape = at.batch;
    for (int k = 0; k < r.core_in; ++k) shape.push_back(at.n);
    for (int64_t s : shape) type.push_back(g.dim(s));
    const NodeId X = g.variable(g.declare({.name = "X", .type = type})), H = g.variable(g.declare({.name = "H", .type = type}));
    const NodeId F = g.fun(r.op, X), dF = directional(g, F, X, H);
    ASSERT_EQ(g[dF].type, g[F].type) << at.what;

    const std::map<NodeId, Array<Quad>> inputs{{X, sample(shape, r.core_in == 2)}, {H, sample(shape, false)}};
    std::map<NodeId, Array<Dual1>> moved{{X, convert<Dual1>(inputs.at(X))}};
    for (size_t i = 0; i < moved[X].data.size(); ++i) moved[X].data[i].slope = inputs.at(H).data[i];
    const Array<Quad> table = interpret<Quad>(g, dF, {}, inputs);
    const Array<Dual1> dual = interpret<Dual1>(g, F, {}, moved);
    for (size_t i = 0; i < table.data.size(); ++i)
      EXPECT_LE(double(scalar::fabs(table.data[i] - dual.data[i].slope)), 1e-28 * double(1 + scalar::fabs(dual.data[i].slope)))
          << r.differential << " on " << at.what;
  }
}

// The dual numbers themselves: a difference quotient of the value in __float128.
TEST_P(Functions, DualNumbersAgreeWithDifferenceQuotients) {
  const FunctionRow& r = row(GetParam());
  Graph g;
  const std::vector<int64_t> shape(size_t(r.core_in), 4);
  const NodeId X = g.variable(g.declare({.name = "X", .type = Type(shape.size(), g.dim(int64_t{4}))})), F = g.fun(r.op, X);
  const Array<Quad> x = sample(shape, r.core_in == 2), h = sample(shape, false);
  auto value = [&](Quad t) {
    Array<Quad> moved = x;
    for (size_t i = 0; i < moved.data.size(); ++i) moved.data[i] += t * h.data[i];
    return interpret<Quad>(g, F, {}, {{X, moved}});
  };
  Array<Dual1> moved = convert<Dual1>(x);
  for (size_t i = 0; i < moved.data.size(); ++i) moved.data[i].slope = h.data[i];
  const Array<Dual1> dual = interpret<Dual1>(g, F, {}, {{X, moved}});
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
