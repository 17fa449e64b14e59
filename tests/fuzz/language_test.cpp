// Random programs as a user would type them: the text goes through the parser and must mean what the generator built.
#include <gtest/gtest.h>

#include "passes/differentiate.h"
#include "tests/fuzz/campaign.h"

using namespace ricci;
using namespace ricci::fuzz;

namespace {

Outcome check_source(const RandomProgram& p) {
  Graph g;
  const std::vector<NodeId> nodes = p.build(g);
  const Array<Quad> expected = interpret<Quad>(g, nodes.back(), p.dims(), p.inputs(nodes));

  Diagnostics diagnostics;
  const std::string source = p.source();
  const std::optional<Program> parsed = parse_program(source, "random", calculus(), diagnostics);
  if (!parsed) return different(diagnostics.to_text() + source);
  std::map<NodeId, Array<Quad>> inputs;
  const std::map<NodeId, Array<Quad>> values = p.inputs(nodes);
  for (size_t k = 0; k < p.steps.size(); ++k)
    if (p.steps[k].kind == Step::Kind::Input) inputs[*parsed->find(p.name(k))] = values.at(nodes[k]);
  const Array<Quad> found = interpret<Quad>(*parsed->graph, parsed->definitions.back().value.node, p.dims(), inputs);
  if (found.shape != expected.shape) return different("another shape\n" + source);
  Quad scale = 1;
  for (Quad v : expected.data) scale = scalar::fmax_(scale, scalar::fabs(v));
  for (size_t i = 0; i < expected.data.size(); ++i)
    if (!(scalar::fabs(found.data[i] - expected.data[i]) <= Quad(1e-20) * scale)) return different("another value\n" + source);
  return {};
}

TEST(Language, SourceMeansWhatWasBuilt) { campaign(300, 16, {.language = true}, check_source); }

}  // namespace
