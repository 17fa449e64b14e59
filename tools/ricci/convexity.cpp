// ricci convexity: convex, concave, affine or neither, with the proof as a tree or the witness.
#include "passes/convexity.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "codegen/index_form.h"
#include "codegen/text.h"
#include "passes/raise.h"
#include "tools/guard.h"
#include "tools/output.h"
#include "tools/ricci/command.h"
#include "tools/ricci/input.h"

namespace ricci::driver {
namespace {

std::string spelt(const Graph& g, NodeId n) {
  Raised raised = raise(g, n, std::vector(g[n].rank(), Variance::Up));
  return raised.expr ? to_text(*raised.expr) : fmt::format("a tensor without a matrix form ({})", raised.reason);
}

// A matrix stands with its rows first.
std::string spelt_matrix(const Graph& g, NodeId n) {
  Raised raised = raise(g, n, {Variance::Up, Variance::Down});
  return raised.expr ? to_text(*raised.expr) : "a matrix";
}

std::string tree(const Graph& g, const ProofStep& step, size_t depth) {
  std::string text = fmt::format("{:{}}{} {}   ({})\n", "", 2 * depth,
                                 g[step.node].rank() == 2 ? spelt_matrix(g, step.node) : spelt(g, step.node), step.relation, step.rule);
  for (const ProofStep& p : step.premises) text += tree(g, p, depth + 1);
  return text;
}

std::string condition(const Graph& g, const DomainCondition& c) {
  if (c.kind == DomainCondition::Kind::Nonsingular) return spelt_matrix(g, c.node) + " is nonsingular";
  if (c.kind == DomainCondition::Kind::Definite) return spelt_matrix(g, c.node) + " is positive definite";
  const std::string u = spelt(g, c.node);
  std::string text;
  if (c.range.low) text = fmt::format("{} > {}", u, to_string(*c.range.low));
  if (c.range.high) text += fmt::format("{}{} < {}", text.empty() ? "" : " and ", u, to_string(*c.range.high));
  return text;
}

std::string numbers(const Array<Quad>& a) {
  std::vector<std::string> parts;
  for (const Quad& v : a.data) parts.push_back(fmt::format("{:.6g}", double(v)));
  return a.shape.empty() ? parts[0] : fmt::format("({}) {}", fmt::join(a.shape, "x"), fmt::join(parts, " "));
}

std::string witness(const Graph& g, const CurvatureAt& at) {
  std::string text = fmt::format("curvature {:.6g} at\n", at.value);
  for (const auto& [node, value] : at.point) text += fmt::format("  {} = {}\n", g.symbol(node).name, numbers(value));
  text += "along\n";
  for (const auto& [node, value] : at.direction) text += fmt::format("  {}: {}\n", g.symbol(node).name, numbers(value));
  return text;
}

std::string report(const Graph& g, const Convexity& c) {
  std::string text = fmt::format("{}\n", name(c.verdict));
  for (const IndependentColumns& i : c.strict_if)
    text += fmt::format("strictly, if {} has independent columns\n", spelt_matrix(g, i.matrix));
  for (const DomainCondition& d : c.domain) text += fmt::format("where {}\n", condition(g, d));
  if (c.stationary)
    text += fmt::format("stationary where {} = {}\n",
                        g[c.stationary->left].rank() == 2 ? spelt_matrix(g, c.stationary->left) : spelt(g, c.stationary->left),
                        g[c.stationary->right].rank() == 2 ? spelt_matrix(g, c.stationary->right) : spelt(g, c.stationary->right));
  if (!c.reason.empty() && c.verdict == Verdict::Unknown) text += fmt::format("because {}\n", c.reason);
  if (c.proof) {
    std::vector<std::string> hs;
    for (NodeId h : c.directions) hs.push_back(g.symbol(h).name);
    text += fmt::format("proof{}:\n", c.by_composition ? "" : fmt::format(", along any {}", fmt::join(hs, ", ")));
    if (!c.by_composition) text += fmt::format("  the second derivative is {}\n", spelt(g, c.second));
    text += tree(g, *c.proof, 1);
  }
  for (const CurvatureAt& at : c.witness) text += witness(g, at);
  return text;
}

}  // namespace

int convexity_command(const Options& options) {
  Program program = load(options);
  const Definition f = chosen_definition(program, options);
  if (!(*program.graph)[f.value.node].type.empty())
    throw UsageError(fmt::format("`{}` is not a scalar: only scalars are convex or not", f.name));
  std::vector<NodeId> variables;
  for (const std::string& x : variable_names(options)) variables.push_back(differentiation_variable(program, x).node);
  const Convexity c = convexity(*program.graph, f.value.node, variables, {dimension_sizes(options), options.seed, options.points});
  write_output(options.output, report(*program.graph, c));
  return kSuccess;
}

}  // namespace ricci::driver
