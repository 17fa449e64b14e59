// ricci diff: the derivative of an expression or a definition.
#include <fmt/format.h>

#include "passes/compare.h"
#include "passes/layout.h"
#include "passes/substitute.h"
#include "tools/guard.h"
#include "tools/output.h"
#include "tools/ricci/answer.h"
#include "tools/ricci/command.h"
#include "tools/ricci/input.h"

namespace ricci::driver {
namespace {

void say_conventions(const Options& options) {
  fmt::print(stderr, "layout: {}; by a symmetric variable: {}\n", options.layout, options.symmetric);
}

constexpr int kHighestOrder = 3;  // of the oracle

// The answer as the oracle has it: the function's axes first, and by a symmetric variable projected.
NodeId as_projected(Graph& g, NodeId answer, const Definition& f, const Declaration& x, const DerivativeStyle& style) {
  const size_t f_rank = g[f.value.node].rank(), x_rank = g[x.node].rank();
  if (f_rank + x_rank == 2 && g[answer].rank() == 2)
    if ((style.layout == DerivativeLayout::Numerator && f_rank == 0) || (style.layout == DerivativeLayout::Denominator && f_rank > 0))
      answer = g.permute(answer, {1, 0});
  return style.symmetric == SymmetricConvention::Independent ? from_independent(g, answer, g.symbol(x.node))
                                                             : constrain(g, answer, g.symbol(x.node));
}

// The certificate: the answer in quadruple precision against dual numbers on the function, at points that nothing else has used.
void certify(Program& program, const Definition& f, const Declaration& x, NodeId answer, const DerivativeStyle& style, const Options& o) {
  Graph& g = *program.graph;
  if (o.order > kHighestOrder) throw NotSupported(fmt::format("a certificate beyond order {}", kHighestOrder));
  if (o.order > 1 && style.symmetric != SymmetricConvention::Projected)
    throw NotSupported("a certificate of a higher derivative by this convention");
  const std::vector<NodeId> xs(size_t(o.order), x.node);
  const NodeId claimed = o.order == 1 ? as_projected(g, answer, f, x, style) : answer;
  const Comparison c = compare_with_oracle(g, f.value.node, xs, claimed, {{}, o.seed, o.points});
  if (c.verdict == Comparison::Verdict::Undecided) {
    fmt::print(stderr, "not certified: no random point was smooth, finite and well conditioned\n");
    return;
  }
  if (c.verdict != Comparison::Verdict::Equal)
    throw std::logic_error(fmt::format("the derivative by {} differs from dual numbers by {:.1e}", x.name, c.largest));
  fmt::print(stderr, "certified at {} random points against dual numbers in quadruple precision, largest deviation {:.1e}\n", c.points,
             c.largest);
}

}  // namespace

int diff(const Options& options) {
  Program program = load(options);
  const std::vector<Definition> chosen = chosen_definitions(program, options);
  if (options.verbose) say_conventions(options);
  const DerivativeStyle style{*find_layout(options.layout), *find_symmetric_convention(options.symmetric)};
  std::string answers;
  const auto add = [&](const Definition& f, const Declaration& x) {
    Value answer = simplified(program, derivative(*program.graph, f.value, x, options.order, style));
    if (options.certify) certify(program, f, x, answer.node, style, options);
    // What was free for the derivative is symmetric again where it is evaluated.
    if (!program.promised.empty()) answer = simplified(program, {substitute(*program.graph, answer.node, program.promised), answer.variance, answer.variable});
    answers += answer_text({program, f, std::vector(size_t(options.order), x.node), answer, chosen.size() > 1}, options);
  };
  for (const Definition& f : chosen)
    for (const std::string& name : variable_names(options)) add(f, differentiation_variable(program, name));
  write_output(options.output, answers);
  return 0;
}

}  // namespace ricci::driver
