// Is the plan right, and never dearer than the user's grouping? Random programs and their gradients, planned and lowered, run by the loop
// interpreter in double, against the tensor interpreter in __float128; and the plan's flops against those of the graph node by node.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <stdexcept>

#include "ir/loops_interpret.h"
#include "ir/text.h"
#include "passes/lower_to_loops.h"
#include "passes/shares.h"
#include "tests/fuzz/campaign.h"
#include "tests/fuzz/compiled_case.h"
#include "tests/stand_in_functions.h"

using namespace ricci;
using namespace ricci::fuzz;

namespace {

Outcome agrees(const RandomProgram& program) {
  Case c(program);
  const loops::Program p = lower_to_loops(c.g, c.request);
  if (auto broken = loops::verify(p)) return different("verify: " + *broken + "\n" + loops::to_text(p));
  std::vector<ConditionedArray> expected;
  try {
    expected = interpret_with_condition(c.g, c.outputs, c.dims, c.inputs);
  } catch (const std::invalid_argument&) {
    return {Outcome::Kind::Skipped};  // the maximum of nothing
  }
  const std::vector<std::vector<double>> in = arguments<double>(c);
  std::vector<std::vector<double>> out;
  for (const auto& e : expected) out.emplace_back(e.value.data.size(), 12345.0);
  const std::vector<NodeId> roots(c.outputs);
  const StandIns host(c.g, called_functions(c.g, roots));
  const auto functions = loop_functions<double>(host);
  const loops::Outcome outcome =
      loops::interpret<double>(p, in, out, c.dim_values(), rt::kernel_symbols(), std::vector<bool>(out.size(), true), functions);
  if (!outcome.error.empty()) return different(outcome.error + "\n" + loops::to_text(p));
  if (outcome.status != 0) return {Outcome::Kind::Skipped};
  const Comparison r = compare(c, expected, out);
  if (!r.wrong.empty()) {
    const Plan plan = make_plan(c.g, c.outputs, sizes_of(c.request));
    return different(r.wrong + print_ir(c.g, c.outputs) + print_ir(c.g, plan.outputs) + to_text(c.g, plan, sizes_of(c.request)) + loops::to_text(p));
  }
  return {r.finite ? Outcome::Kind::Same : Outcome::Kind::Skipped};
}

Outcome costs_no_more(const RandomProgram& program) {
  Case c(program);
  Sizes sizes;
  const std::vector<NodeId> expanded = expand_elementwise(c.g, with_exact_shares(c.g, c.outputs));
  const double given = cost_as_grouped(c.g, expanded, sizes).flops.at(c.g, sizes);
  const Plan plan = make_plan(c.g, c.outputs, sizes);
  const double planned = cost_of(c.g, plan, sizes).flops.at(c.g, sizes);
  if (planned <= given * (1 + 1e-12)) return {};
  return different(std::to_string(planned) + " flops planned, " + std::to_string(given) + " given\n" + print_ir(c.g, expanded) +
                   to_text(c.g, plan, sizes) + print_ir(c.g, plan.outputs));
}

// Undeclared functions have a test of their own below.
constexpr Options kCompiled = {.calls = false}, kPlaces = {.calls = false, .places = 60};

TEST(LoweredProgram, MeansWhatItsGraphMeans) { campaign(400, 25, kCompiled, agrees); }
TEST(LoweredProgram, MovesEntriesAsItsGraphDoes) { campaign(400, 12, kPlaces, agrees); }

// Without places: what a chain of them cuts out is multiplied first where a plan opens products (docs/decisions/0009-places.md).
TEST(LoweredProgram, PlannedFlopsNeverExceedTheGivenGrouping) { campaign(400, 40, {.calls = false, .places = 0}, costs_no_more); }
TEST(LoweredProgram, MeansTheSameWithUndeclaredFunctions) { campaign(300, 16, {.calls = true, .places = 0}, agrees); }

// sum_j(log(x_i)) over an empty j, as the planner takes it apart: m*log(x_i) is 0 for finite logarithms, and no more than NaN for others.
TEST(LoweredProgram, EmptySumsAreZeroWhereTheirTermsWouldBeFinite) {
  Graph g;
  const DimId n = g.dim("n"), m = g.dim("m");
  const NodeId x = g.variable(g.declare({.name = "x", .type = {n}}));
  const Factor row{x, {0}};
  const NodeId broadcast = g.ein({row}, {1, 0}, {m, n}), logs = g.map(MapOp::log_, {broadcast});
  const Factor terms{logs, {1, 0}};
  const NodeId sums = g.ein({terms}, {0}, {n});
  for (const double value : {2.0, -2.0}) {
    CompileRequest request;
    request.inputs.push_back({"x", x, Layout::RowMajor});
    request.outputs.push_back({"f", sums, Layout::RowMajor});
    const loops::Program p = lower_to_loops(g, request);
    std::vector<int64_t> dims;
    for (DimId d : symbolic_dims(g, request)) dims.push_back(d == m ? 0 : 1);
    const std::vector<std::vector<double>> in = {{value}};
    std::vector<std::vector<double>> out = {{7.0}};
    ASSERT_EQ(loops::interpret<double>(p, in, out, dims, rt::kernel_symbols()).error, "");
    const double meant = double(interpret<Quad>(g, sums, {{"n", 1}, {"m", 0}}, {{x, Array<Quad>({1}, Quad(value))}}).data[0]);
    for (const double sum : {out[0][0], meant}) EXPECT_TRUE(sum == 0 || (value < 0 && std::isnan(sum))) << value << " gives " << sum;
  }
}

// One label of a circle is counted through, and the others are compared with it.
TEST(LoweredProgram, APlaceInsideItselfIsWhereItFits) {
  Graph g;
  const DimId m = g.dim("m"), n = g.dim("n"), zero = g.dim(0);
  const NodeId A = g.variable(g.declare({.name = "A", .type = {m, n}})), x = g.variable(g.declare({.name = "x", .type = {n}}));
  const NodeId piece = g.place(n, {m}, zero), other = g.place(m, {n}, zero);
  CompileRequest request;
  request.inputs = {{"A", A, Layout::RowMajor}, {"x", x, Layout::RowMajor}};
  request.outputs.push_back({"diagonal", g.ein({{piece, {0, 1}}, {other, {1, 0}}, {A, {1, 0}}}, {0}, {n}), Layout::RowMajor});
  request.outputs.push_back({"sum", g.ein({{piece, {0, 1}}, {other, {1, 0}}, {A, {1, 0}}, {x, {0}}}, {}, {}), Layout::RowMajor});
  const loops::Program p = lower_to_loops(g, request);
  std::vector<std::vector<double>> out{{7, 7}, {7}};
  const std::vector<std::vector<double>> in = {{1, 2, 3, 4}, {10, 100}};
  ASSERT_EQ(loops::interpret<double>(p, in, out, std::vector<int64_t>{2, 2}, rt::kernel_symbols()).error, "");
  EXPECT_EQ(out[0], (std::vector<double>{1, 4}));
  EXPECT_EQ(out[1], (std::vector<double>{410}));
}

// tan(e_i 1_j): an entry is 0 but in one row, which is not found from its position.
TEST(LoweredProgram, AUnitVectorWithAddedAxesIsWrittenBeforeItIsRead) {
  Graph g;
  const DimId m = g.dim("m"), n = g.dim("n");
  const NodeId row = g.ein({{g.unit_vector(m, 2), {0}}}, {0, 1}, {m, n});
  CompileRequest request;
  request.outputs.push_back({"f", g.map(MapOp::tan_, {row}), Layout::RowMajor});
  const loops::Program p = lower_to_loops(g, request);
  std::vector<std::vector<double>> out(1, std::vector<double>(6));
  ASSERT_EQ(loops::interpret<double>(p, std::span<const std::vector<double>>{}, out, std::vector<int64_t>{3, 2}, rt::kernel_symbols()).error, "");
  EXPECT_EQ(out[0], (std::vector<double>{0, 0, std::tan(1.0), std::tan(1.0), 0, 0}));
}

// An axis of no entries: along it a group of digits does not move, and a loop over one is not a vector loop.
TEST(LoweredProgram, NothingIsStoredInAnEmptyGroup) {
  Graph g;
  const DimId m = g.dim("m"), zero = g.dim(0);
  const NodeId x = g.variable(g.declare({.name = "x", .type = {m}}));
  CompileRequest request;
  request.inputs.push_back({"x", x, Layout::RowMajor});
  request.outputs.push_back({"f", g.ein({{x, {1}}, {g.place(zero, {m, zero}, zero), {2, 1, 0}}}, {2, 0}, {zero, zero}), Layout::RowMajor});
  const auto broken = loops::verify(lower_to_loops(g, request));
  EXPECT_FALSE(broken) << *broken;
}

// x[n + 1]: n is said nowhere else.
TEST(LoweredProgram, AnOffsetIsADimension) {
  Graph g;
  const DimId m = g.dim("m"), n = g.dim("n");
  const NodeId x = g.variable(g.declare({.name = "x", .type = {m}}));
  CompileRequest request;
  request.inputs.push_back({"x", x, Layout::RowMajor});
  request.outputs.push_back({"f", g.ein({{x, {0}}, {g.place(m, {}, n), {0}}}, {}, {}), Layout::RowMajor});
  ASSERT_EQ(symbolic_dims(g, request), (std::vector<DimId>{m, n}));
  std::vector<std::vector<double>> out(1, std::vector<double>(1));
  const std::vector<std::vector<double>> in = {{1, 2, 3}};
  ASSERT_EQ(loops::interpret<double>(lower_to_loops(g, request), in, out, std::vector<int64_t>{3, 1}, rt::kernel_symbols()).error, "");
  EXPECT_EQ(out[0], std::vector<double>{2});
}

// The adjugate of a lower triangle is one: its cofactors above the diagonal are exactly zero, what elimination makes of them is not.
TEST(LoweredProgram, ZerosOfAnAdjugateAreWithinItsError) {
  Graph g;
  const DimId n = g.dim("n");
  const NodeId A = g.variable(g.declare({.name = "A", .type = {n, n}}));
  const NodeId adjugate = g.fun(FunOp::adj, A);
  CompileRequest request;
  request.inputs.push_back({"A", A, Layout::RowMajor});
  request.outputs.push_back({"f", adjugate, Layout::RowMajor});
  const loops::Program p = lower_to_loops(g, request);
  std::mt19937_64 random(1);
  bool rounds = false;
  for (int trial = 0; trial < 50; ++trial) {
    std::vector<double> triangle(36);
    for (size_t e = 0; e < 36; ++e) triangle[e] = e % 6 > e / 6 ? 0 : std::uniform_real_distribution<>(-2, 2)(random);
    Array<Quad> value({6, 6});
    std::ranges::copy(triangle, value.data.begin());
    const ConditionedArray meant = interpret_with_condition(g, std::span(&adjugate, 1), {{"n", 6}}, {{A, value}})[0];
    std::vector<std::vector<double>> out(1, std::vector<double>(36));
    const std::vector<std::vector<double>> in = {triangle};
    ASSERT_EQ(loops::interpret<double>(p, in, out, std::vector<int64_t>{6}, rt::kernel_symbols()).error, "");
    for (size_t e = 0; e < 36; ++e) {
      rounds = rounds || (e % 6 > e / 6 && out[0][e] != 0);
      EXPECT_LE(std::abs(out[0][e] - double(meant.value.data[e])), 1e-14 * double(meant.error.data[e])) << "entry " << e;
    }
  }
  EXPECT_TRUE(rounds) << "nothing was tested";
}

}  // namespace
