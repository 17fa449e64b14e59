// Is the plan right, and never dearer than the user's grouping? Random programs and their gradients, planned and lowered, run by the loop
// interpreter in double, against the tensor interpreter in __float128; and the plan's flops against those of the graph node by node.
#include <gtest/gtest.h>

#include <stdexcept>

#include "ir/loops_interpret.h"
#include "ir/text.h"
#include "passes/lower_to_loops.h"
#include "tests/fuzz/campaign.h"
#include "tests/fuzz/compiled_case.h"

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
  const loops::Outcome outcome = loops::interpret<double>(p, in, out, c.dim_values(), rt::kernel_symbols());
  if (!outcome.error.empty()) return different(outcome.error + "\n" + loops::to_text(p));
  if (outcome.status != 0) return {Outcome::Kind::Skipped};
  const Comparison r = compare(c, expected, out);
  if (!r.wrong.empty())
    return different(r.wrong + to_text(c.g, make_plan(c.g, c.outputs, sizes_of(c.request)), sizes_of(c.request)) + loops::to_text(p));
  return {r.finite ? Outcome::Kind::Same : Outcome::Kind::Skipped};
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
