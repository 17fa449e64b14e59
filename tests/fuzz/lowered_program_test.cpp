// Is the plan right, and never dearer than the user's grouping? Random programs and their gradients, planned and lowered, run by the loop
// interpreter in double, against the tensor interpreter in __float128; and the plan's flops against those of the graph node by node.
#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>

#include "ir/loops_interpret.h"
#include "ir/text.h"
#include "passes/differentiate.h"
#include "passes/lower_to_loops.h"
#include "tests/fuzz/campaign.h"

using namespace ricci;
using namespace ricci::fuzz;

namespace {

constexpr double kTolerance = 300 * 2.3e-16;  // times the error that the interpreter allows
constexpr size_t kMostElements = 20000;

// A program, some of its intermediate results and a gradient as the outputs of one compiled function.
struct Case {
  Graph g;
  CompileRequest request;
  std::vector<NodeId> outputs;
  std::map<NodeId, Array<Quad>> inputs;
  Dims dims;

  explicit Case(const RandomProgram& p) : dims(p.dims()) {
    const std::vector<NodeId> nodes = p.build(g);
    inputs = p.inputs(nodes);
    const NodeId f = nodes.back();
    add_output(f);
    if (nodes.size() > 2) add_output(nodes[nodes.size() / 2]);
    for (NodeId n : g.reachable(std::span(&f, 1))) {
      if (g[n].kind == Kind::Var && p.seed % 3 != 0) {
        add_output(differentiate(g, f, n));
        break;
      }
    }
    for (NodeId n : g.reachable(outputs)) {
      if (g[n].kind == Kind::Var) request.inputs.push_back({g.symbol(n).name, n, p.seed % 4 == 1 ? Layout::ColumnMajor : Layout::RowMajor});
    }
    if (p.seed % 5 == 0) {
      for (const DimId d : symbolic_dims(g, request)) request.fixed[d] = size_of(g, d, dims);
    }
  }

 private:
  void add_output(NodeId n) {
    size_t elements = 1;
    for (int64_t s : shape_of(g, g[n].type, dims)) elements *= size_t(s);
    if (elements > kMostElements) return;
    outputs.push_back(n);
    request.outputs.push_back({"out" + std::to_string(outputs.size()), n});
  }
};

std::vector<double> laid_out(const Array<Quad>& a, Layout layout) {
  std::vector<double> r(a.data.size());
  std::vector<int64_t> at(a.shape.size(), 0);
  for (size_t e = 0; e < a.data.size(); ++e) {
    int64_t position = 0;
    for (size_t d = at.size(); d-- > 0;) position = position * a.shape[d] + at[d];
    r[layout == Layout::ColumnMajor ? size_t(position) : e] = double(a.data[e]);
    for (size_t d = at.size(); d-- > 0 && ++at[d] == a.shape[d];) at[d] = 0;
  }
  return r;
}

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
  std::vector<std::vector<double>> in, out;
  std::vector<int64_t> dims;
  for (const auto& i : c.request.inputs) in.push_back(laid_out(c.inputs.at(i.node), i.layout));
  for (const auto& e : expected) out.emplace_back(e.value.data.size(), 12345.0);
  for (DimId d : symbolic_dims(c.g, c.request)) dims.push_back(size_of(c.g, d, c.dims));
  const loops::Outcome outcome = loops::interpret<double>(p, in, out, dims, rt::kernel_symbols());
  if (!outcome.error.empty()) return different(outcome.error + "\n" + loops::to_text(p));
  if (outcome.status != 0) return {Outcome::Kind::Skipped};
  bool finite = true;
  for (size_t o = 0; o < out.size(); ++o) {
    for (size_t e = 0; e < out[o].size(); ++e) {
      const double want = double(expected[o].value.data[e]), slack = double(expected[o].error.data[e]);
      if (!std::isfinite(want) || !std::isfinite(slack)) {
        finite = false;
        continue;
      }
      if (std::abs(out[o][e] - want) <= kTolerance * (slack + std::abs(want)) + 1e-300) continue;
      return different("output " + std::to_string(o) + ", element " + std::to_string(e) + ": " + std::to_string(out[o][e]) + " for " +
                       std::to_string(want) + " +- " + std::to_string(slack) + "\n" +
                       to_text(c.g, make_plan(c.g, c.outputs, sizes_of(c.request)), sizes_of(c.request)) + loops::to_text(p));
    }
  }
  return {finite ? Outcome::Kind::Same : Outcome::Kind::Skipped};
}

Outcome costs_no_more(const RandomProgram& program) {
  Case c(program);
  Sizes sizes;
  const std::vector<NodeId> expanded = expand_elementwise(c.g, c.outputs);
  const double given = cost_as_grouped(c.g, expanded, sizes).flops.at(c.g, sizes);
  const Plan plan = make_plan(c.g, c.outputs, sizes);
  const double planned = cost_of(c.g, plan, sizes).flops.at(c.g, sizes);
  if (planned <= given * (1 + 1e-12)) return {};
  return different(std::to_string(planned) + " flops planned, " + std::to_string(given) + " given\n" + print_ir(c.g, expanded) +
                   to_text(c.g, plan, sizes) + print_ir(c.g, plan.outputs));
}

TEST(LoweredProgram, MeansWhatItsGraphMeans) { campaign(400, 25, {}, agrees); }

TEST(LoweredProgram, PlannedFlopsNeverExceedTheGivenGrouping) { campaign(400, 40, {}, costs_no_more); }

}  // namespace
