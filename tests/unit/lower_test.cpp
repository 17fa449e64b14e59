// Lowered programs mean what their graphs mean: the loop interpreter against the tensor interpreter, at sizes 0, 1 and all different.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "ir/interpret.h"
#include "ir/loops_interpret.h"
#include "ir/sample.h"
#include "passes/differentiate.h"
#include "passes/lower_to_loops.h"

namespace ricci {
namespace {

class LowerTest : public ::testing::Test {
 protected:
  Graph g;
  DimId m = g.dim("m"), n = g.dim("n"), k = g.dim("k"), l = g.dim("l");
  CompileRequest request;

  NodeId input(std::string name, Type type, Properties properties = {}) {
    const NodeId v = g.variable(g.declare({.name = name, .type = std::move(type), .properties = properties}));
    request.inputs.push_back({std::move(name), v});
    return v;
  }
  NodeId matmul(NodeId a, NodeId b) { return g.ein({{a, {0, 1}}, {b, {1, 2}}}, {0, 2}, {g[a].type[0], g[b].type[1]}); }
  NodeId apply(NodeId a, NodeId x) { return g.ein({{a, {0, 1}}, {x, {1}}}, {0}, {g[a].type[0]}); }
  NodeId dot(NodeId x, NodeId y) { return g.ein({{x, {0}}, {y, {0}}}, {}, {}); }
  NodeId transpose(NodeId a) { return g.permute(a, {1, 0}); }
  NodeId total(NodeId x) { return g.ein({{x, Graph::iota(g[x].rank())}}, {}, {}); }
  void output(NodeId node, Layout layout = Layout::RowMajor) {
    request.outputs.push_back({"out" + std::to_string(request.outputs.size()), node, layout});
  }

  static std::vector<double> laid_out(const Array<double>& a, Layout layout) {
    if (layout == Layout::RowMajor) return a.data;
    std::vector<double> r(a.data.size());
    std::vector<int64_t> at(a.shape.size(), 0);
    for (double x : a.data) {
      int64_t position = 0;
      for (size_t d = at.size(); d-- > 0;) position = position * a.shape[d] + at[d];
      r[size_t(position)] = x;
      for (size_t d = at.size(); d-- > 0 && ++at[d] == a.shape[d];) at[d] = 0;
    }
    return r;
  }

  loops::Program lower() {
    loops::Program p = lower_to_loops(g, request);
    EXPECT_EQ(loops::verify(p).value_or(""), "") << loops::to_text(p);
    return p;
  }

  // Runs the program at these sizes and compares every output, all together and each alone.
  void run(const Dims& sizes) {
    const loops::Program p = lower();
    std::map<NodeId, Array<double>> values;
    std::map<NodeId, Array<Quad>> exact;
    std::vector<std::vector<double>> in;
    Sampler sampler(7);
    for (const auto& i : request.inputs) {
      values[i.node] = sampler.draw(g, g.symbol(i.node), sizes);
      exact[i.node] = convert<Quad>(values[i.node]);
      in.push_back(laid_out(values[i.node], i.layout));
    }
    std::vector<NodeId> roots;
    for (const auto& o : request.outputs) roots.push_back(o.node);
    const auto expected = interpret_with_condition(g, roots, sizes, exact);
    std::vector<int64_t> dims;
    for (DimId d : symbolic_dims(g, request)) dims.push_back(size_of(g, d, sizes));
    for (size_t alone = 0; alone <= roots.size(); ++alone) {
      std::vector<bool> requested(roots.size(), alone == roots.size());
      if (alone < roots.size()) requested[alone] = true;
      std::vector<std::vector<double>> out;
      for (const auto& e : expected) out.emplace_back(e.value.data.size(), 12345.0);
      const auto outcome = loops::interpret<double>(p, in, out, dims, rt::kernel_symbols(), requested);
      ASSERT_EQ(outcome.error, "") << loops::to_text(p);
      for (size_t o = 0; o < roots.size(); ++o) {
        Array<double> want = convert<double>(expected[o].value), error = convert<double>(expected[o].error);
        const std::vector<double> values_o = laid_out(want, request.outputs[o].layout), slack = laid_out(error, request.outputs[o].layout);
        for (size_t e = 0; e < out[o].size(); ++e) {
          if (!requested[o]) {
            ASSERT_EQ(out[o][e], 12345.0);
            continue;
          }
          ASSERT_NEAR(out[o][e], values_o[e], 1e-10 * std::abs(values_o[e]) + 100 * 2.3e-16 * slack[e] + 1e-13)
              << "output " << o << " element " << e << "\n"
              << to_text(g, make_plan(g, roots, sizes_of(request)), sizes_of(request)) << loops::to_text(p);
        }
      }
    }
  }
  void run_at_all_sizes() {
    run({{"m", 3}, {"n", 4}, {"k", 5}, {"l", 2}});
    run({{"m", 17}, {"n", 9}, {"k", 33}, {"l", 10}});
    run({{"m", 1}, {"n", 1}, {"k", 1}, {"l", 1}});
    run({{"m", 0}, {"n", 0}, {"k", 0}, {"l", 0}});
    run({{"m", 3}, {"n", 0}, {"k", 4}, {"l", 1}});
  }
  size_t calls(std::string_view kernel) {
    size_t r = 0;
    for (const loops::Statement& s : lower().body) {
      if (const auto* c = std::get_if<loops::Call>(&s)) r += c->kernel->name == kernel;
    }
    return r;
  }
};

TEST_F(LowerTest, Products) {
  const NodeId a = input("A", {m, n}), b = input("B", {n, k}), x = input("x", {k});
  output(matmul(a, b));
  output(transpose(matmul(a, b)));
  output(apply(matmul(a, b), x));
  run_at_all_sizes();
}

TEST_F(LowerTest, TraceDiagonalAndOuter) {
  const NodeId a = input("A", {n, n}), x = input("x", {n}), y = input("y", {m});
  output(g.ein({{a, {0, 0}}}, {}, {}));
  output(g.ein({{a, {0, 0}}}, {0}, {n}));
  output(g.ein({{x, {0}}}, {0, 0}, {n, n}));
  output(g.delta(n));
  output(g.ein({{x, {0}}, {y, {1}}}, {0, 1}, {n, m}));
  output(g.ein({{x, {0}}}, {1, 0}, {m, n}));
  output(g.sum({{2, a}, {-3, g.delta(n)}, {1, transpose(a)}}, {n, n}));
  output(g.map(MapOp::exp_, {g.ein({{x, {0}}}, {0, 0}, {n, n})}));
  run_at_all_sizes();
}

TEST_F(LowerTest, InputsConstantsAndZerosAsOutputs) {
  const NodeId a = input("A", {m, n});
  output(a);
  output(transpose(a));
  output(g.constant(Rational(1, 3)));
  output(g.size(n));
  output(g.zero({n, m}));
  output(a);
  output(g.scale(2, a));
  run_at_all_sizes();
}

TEST_F(LowerTest, LogisticLossSharesOneNest) {
  const NodeId X = input("X", {m, n}), y = input("y", {m}, {Property::sign}), w = input("w", {n}), lambda = input("lambda", {});
  const NodeId margin = g.hadamard(y, apply(X, w));
  const NodeId loss = total(g.map(MapOp::softplus_, {g.scale(-1, margin)}));
  const NodeId f = g.add(loss, g.ein({{lambda, {}}, {g.scale(Rational(1, 2), dot(w, w)), {}}}, {}, {}));
  const NodeId gradient = differentiate(g, f, w), hessian = differentiate(g, gradient, w);
  output(f);
  output(gradient);
  output(hessian);
  run_at_all_sizes();
}

TEST_F(LowerTest, FactorisationIsShared) {
  const NodeId a = input("A", {n, n}, {Property::nonsingular}), b = input("b", {n}), c = input("C", {n, k});
  const NodeId inverse = g.fun(FunOp::inv, a);
  output(apply(inverse, b));
  output(matmul(inverse, c));
  output(g.fun(FunOp::logdet, a));
  output(g.fun(FunOp::det, a));
  output(apply(transpose(inverse), b));
  EXPECT_EQ(calls("lu"), 1u);
  EXPECT_EQ(calls("lu_inv"), 0u);
  EXPECT_EQ(calls("lu_solve"), 3u);
  run({{"n", 4}, {"k", 3}});
  run({{"n", 1}, {"k", 2}});
  run({{"n", 0}, {"k", 2}});
  output(inverse);
  EXPECT_EQ(calls("lu"), 1u);
  EXPECT_EQ(calls("lu_inv"), 1u);
  EXPECT_EQ(calls("lu_solve"), 0u);
  run({{"n", 4}, {"k", 3}});
}

TEST_F(LowerTest, CholeskyOfAPositiveDefiniteMatrix) {
  const NodeId s = input("S", {n, n}, {Property::spd}), b = input("b", {n});
  output(apply(g.fun(FunOp::inv, s), b));
  output(g.fun(FunOp::logdet, s));
  EXPECT_EQ(calls("chol"), 1u);
  EXPECT_EQ(calls("lu"), 0u);
  run({{"n", 5}});
}

TEST_F(LowerTest, LoneDeterminantAllowsSingularMatrices) {
  const NodeId a = input("A", {n, n});
  output(g.fun(FunOp::det, a));
  EXPECT_EQ(calls("lu"), 0u);
  EXPECT_EQ(calls("det"), 1u);
  run({{"n", 3}});
}

TEST_F(LowerTest, FunctionsOnTheLastAxis) {
  const NodeId a = input("A", {m, n});
  for (FunOp op : {FunOp::lse, FunOp::prod, FunOp::max_of, FunOp::min_of, FunOp::coprod, FunOp::argmax}) output(g.fun(op, a));
  output(g.fun(FunOp::lse, transpose(a)));
  output(g.fun(FunOp::lse, g.scale(2, a)));
  run({{"m", 3}, {"n", 4}});
  run({{"m", 1}, {"n", 1}});
}

TEST_F(LowerTest, HigherOrderContractions) {
  const NodeId t = input("T", {m, n, k}), u = input("U", {k, n, l}), x = input("x", {m}), b = input("B", {m, n});
  output(g.ein({{t, {0, 1, 2}}, {u, {2, 1, 3}}}, {0, 3}, {m, l}));
  output(g.ein({{t, {0, 1, 2}}, {u, {2, 3, 4}}}, {4, 0, 1, 3}, {l, m, n, n}));
  output(g.ein({{t, {0, 1, 2}}, {x, {0}}}, {2, 1}, {k, n}));
  output(g.ein({{t, {0, 1, 2}}, {b, {0, 1}}}, {2}, {k}));
  output(g.ein({{t, {0, 1, 2}}, {b, {0, 1}}}, {0, 2}, {m, k}));
  output(g.ein({{t, {0, 1, 2}}, {t, {0, 1, 2}}}, {}, {}));
  output(g.ein({{t, {0, 1, 2}}}, {1}, {n}));
  run_at_all_sizes();
}

TEST_F(LowerTest, ColumnMajorArguments) {
  const NodeId a = input("A", {m, n}), b = input("B", {n, k});
  request.inputs[0].layout = Layout::ColumnMajor;
  output(matmul(a, b), Layout::ColumnMajor);
  output(g.map(MapOp::exp_, {a}), Layout::ColumnMajor);
  output(transpose(a));
  run_at_all_sizes();
}

TEST_F(LowerTest, FixedSizesNeedNoDims) {
  const NodeId a = input("A", {m, n}), b = input("B", {n, k});
  request.fixed = {{m, 3}, {n, 4}, {k, 5}};
  output(matmul(a, b));
  output(total(g.map(MapOp::sin_, {matmul(a, b)})));
  EXPECT_EQ(calls("gemm"), 0u);
  run({{"m", 3}, {"n", 4}, {"k", 5}});
}

TEST_F(LowerTest, EveryElementwiseRow) {
  const NodeId x = input("x", {n}, {Property::unit}), y = input("y", {n}, {Property::unit}), z = input("z", {n}, {Property::unit});
  for (const ElementwiseRow& r : elementwise_table()) {
    if (r.op == MapOp::polygamma_) continue;
    const NodeId shifted = r.low >= 1 ? g.add(x, g.ones({n})) : x;
    const std::vector<NodeId> operands{shifted, y, z};
    output(r.arity == 0 ? g.map(r.op, {}) : g.map(r.op, std::vector(operands.begin(), operands.begin() + r.arity)));
  }
  for (int p = -5; p <= 5; ++p) output(g.power(x, Rational(p, 2)));
  run({{"n", 11}});
}

TEST_F(LowerTest, SoftmaxAndItsJacobian) {
  const NodeId x = input("x", {n});
  const NodeId e = g.map(MapOp::exp_, {x});
  const NodeId s = g.ein({{e, {0}}, {g.power(total(e), -1), {}}}, {0}, {n});
  output(s);
  output(differentiate(g, s, x));
  output(transpose(differentiate(g, s, x)));
  run_at_all_sizes();
}

TEST_F(LowerTest, ProductsAreAccumulatedInPlace) {
  const NodeId a = input("A", {m, n}), b = input("B", {n, k}), c = input("C", {m, k});
  output(g.sum({{1, matmul(a, b)}, {-2, g.map(MapOp::sin_, {c})}, {3, c}}, {m, k}));
  output(g.sum({{1, matmul(transpose(a), c)}, {Rational(1, 2), b}}, {n, k}));
  run_at_all_sizes();
}

TEST_F(LowerTest, LinearLayersInAllSharesOfOutputs) {
  NodeId h = input("x", {n});
  const NodeId a = input("A", {n, n}), b = input("b", {n});
  for (int layer = 0; layer < 5; ++layer) h = g.map(MapOp::tanh_, {g.add(apply(a, h), b)});
  const NodeId f = dot(h, h);
  output(f);
  output(h);
  for (NodeId v : {request.inputs[0].node, a, b}) output(differentiate(g, f, v));
  run_at_all_sizes();
}

// The matrix is factorised for its inverse, of which a column is a view: there is nothing to solve.
TEST_F(LowerTest, AColumnOfAnInverse) {
  const NodeId a = input("A", {n, n});
  output(g.ein({{g.fun(FunOp::inv, a), {0, 1}}, {g.unit_vector(n, 2), {1}}}, {0}, {n}));
  run({{"n", 4}});
}

// Two groups of one axis are no view that is read in place: what is a view of it reads the array, which must live until then.
TEST_F(LowerTest, ABlockOfAReshapedMatrix) {
  const NodeId a = input("A", {m, k});
  const DimId mk[] = {m, k}, parts[] = {m, k, m}, entries = g.product(mk), whole = g.sum(parts);
  const NodeId from = g.place(entries, {k, m}, g.dim(0)), to = g.place(entries, {m, k}, g.dim(0));
  const NodeId reshaped = g.ein({{a, {0, 1}}, {from, {2, 1, 0}}, {to, {2, 4, 3}}}, {3, 4}, {k, m});
  const NodeId rows = g.ein({{reshaped, {0, 1}}}, {2, 1}, {entries, m});
  const NodeId padded = g.ein({{rows, {0, 1}}, {g.place(whole, {m}, g.dim(0)), {2, 1}}}, {0, 2}, {entries, whole});
  output(g.map(MapOp::sigmoid_, {padded}));
  output(rows);
  output(g.map(MapOp::exp_, {g.scale(-1, padded)}));
  for (const auto& [rows_of_a, columns] : {std::pair{2, 3}, {3, 2}, {1, 4}, {0, 2}}) run({{"m", rows_of_a}, {"k", columns}});
}

// Both axes of delta_ik move on together when one of them is sliced.
TEST_F(LowerTest, ASliceOfWhatIsRepeatedAlongADiagonal) {
  const NodeId a = input("A", {n, n});
  const DimId parts[] = {k, n}, whole = g.sum(parts);
  const Type type = {n, whole, n, whole};
  const NodeId sum = g.sum({{1, g.ein({}, {0, 1, 0, 1}, type)}, {1, g.ein({{a, {2, 2}}}, {0, 1, 0, 1}, type)}}, type);
  output(g.ein({{g.place(whole, {n}, k), {3, 4}}, {sum, {0, 1, 2, 3}}}, {0, 1, 2, 4}, {n, whole, n, n}));
  run_at_all_sizes();
}

}  // namespace
}  // namespace ricci
