// Any text as a program and as an expression: it is diagnosed, or it is read, differentiated, simplified and printed, and the graph
// keeps its invariants. Seeds: the programs of tests/lit and examples.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "codegen/forms.h"
#include "codegen/index_form.h"
#include "codegen/latex.h"
#include "codegen/text.h"
#include "frontend/program.h"
#include "ir/verify.h"
#include "passes/differentiate.h"
#include "passes/layout.h"
#include "passes/raise.h"
#include "passes/simplify.h"
#include "passes/weight.h"

using namespace ricci;

namespace {

// Texts of up to this size and graphs of up to this many nodes, so that a run is quick enough to be one of many.
constexpr size_t kLongest = 600, kLargest = 200;

void print(Graph& g, const std::string& name, const Value& value) {
  if (Weight(g)(value.node) > kLargest) return;
  const std::vector<Equation> equations = index_equations(g, name, value);
  for (const Notation& notation : notations()) try {
      typeset(g, equations, notation);
    } catch (const NotReadable&) {  // nested deeper than input may be
    }
  const Raised raised = raise(g, value.node, value.variance);
  if (raised.expr) to_text(*raised.expr), to_latex(*raised.expr);
}

void answer(const std::optional<Program>& program) {
  if (!program) return;
  Graph& g = *program->graph;
  for (const Definition& d : program->definitions) {
    const NodeId root[] = {d.value.node};
    if (!verify(g, root).empty()) std::abort();
    if (g.reachable(root).size() > kLargest) continue;
    for (const Declaration& x : program->declarations) {
      Value answer = derivative(g, d.value, x, 1);
      if (g.size() > 20 * kLargest) return;
      answer.node = simplify(g, answer.node);
      const NodeId simple[] = {answer.node};
      if (!verify(g, simple).empty()) std::abort();
      print(g, d.name, answer);
      if (Weight(g)(answer.node) <= kLargest) differential_form(g, {d.name, {x.node}, answer});
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > kLongest) return 0;
  const std::string text(reinterpret_cast<const char*>(data), size);
  for (const bool one_line : {false, true}) {
    Diagnostics diagnostics;
    answer(one_line ? parse_expression(text, {}, calculus(), diagnostics) : parse_program(text, "fuzz", calculus(), diagnostics));
    diagnostics.to_text();
    diagnostics.to_json();
  }
  return 0;
}
