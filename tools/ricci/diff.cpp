// ricci diff: the derivative of an expression or a definition.
#include <fmt/format.h>

#include "passes/compare.h"
#include "passes/layout.h"
#include "passes/substitute.h"
#include "tools/guard.h"
#include "tools/output.h"
#include "tools/ricci/answer.h"
#include "tools/ricci/command.h"
#include "tools/ricci/emit.h"
#include "tools/ricci/input.h"

namespace ricci::driver {
namespace {

void say_conventions(const Options& options) {
  fmt::print(stderr, "layout: {}; by a symmetric variable: {}\n", options.layout, options.symmetric);
}

constexpr int kHighestOrder = 3;  // to which the oracle's dual numbers nest

// The answer as the oracle has it: by a symmetric variable projected.
NodeId as_projected(Graph& g, NodeId answer, const Declaration& x, SymmetricConvention convention) {
  return convention == SymmetricConvention::Independent ? from_independent(g, answer, g.symbol(x.node))
                                                        : constrain(g, answer, g.symbol(x.node));
}

// What is different is a bug of ours.
void demand_equal(const Comparison& c, const std::string& what) {
  if (c.verdict == Comparison::Verdict::Transposed) throw std::logic_error(fmt::format("{} differs by a transposition", what));
  if (c.verdict != Comparison::Verdict::Equal && c.verdict != Comparison::Verdict::Undecided)
    throw std::logic_error(fmt::format("{} differs by {:.1e}", what, c.largest));
}

// A certificate of both.
Comparison both(const Comparison& a, Comparison b) {
  if (a.verdict == Comparison::Verdict::Undecided) b.verdict = a.verdict;
  b.points = std::min(a.points, b.points);
  b.largest = std::max(a.largest, b.largest);
  return b;
}

// The derivative in quadruple precision against dual numbers on the function, at points that nothing else has used. An order beyond that of the dual
// numbers by induction: on the third derivative, which is compared itself.
Comparison compare_with_duals(Program& program, const Definition& f, const Declaration& x, NodeId answer, SymmetricConvention convention,
                              const Options& o) {
  Graph& g = *program.graph;
  if (o.order > 1 && convention != SymmetricConvention::Projected)
    throw NotSupported("a certificate of a higher derivative by this convention");
  const auto compared = [&](NodeId of, int order, NodeId claimed) {
    const Comparison c = compare_with_oracle(g, of, std::vector(size_t(order), x.node), claimed, {{}, o.seed, o.points});
    demand_equal(c, fmt::format("the derivative by {}, from dual numbers,", x.name));
    return c;
  };
  if (o.order == 1) return compared(f.value.node, 1, as_projected(g, answer, x, convention));
  std::optional<Comparison> below;
  Value from = f.value;
  int order = o.order;
  for (; order > kHighestOrder; order -= kHighestOrder) {
    const Value next = simplified(program, derivative(g, from, x, kHighestOrder, convention));
    const Comparison c = compared(from.node, kHighestOrder, next.node);
    below = below ? both(*below, c) : c;
    from = next;
  }
  const Comparison c = compared(from.node, order, answer);
  return below ? both(*below, c) : c;
}

// The certificate: the derivative as dual numbers have it, and every line, read back from its text, what it says of the derivative. What is not read
// back is said not to be.
void certify(const Answer& a, Comparison c, const std::vector<PrintedLine>& lines, const Options& o) {
  std::string unread = lines.empty() ? " (the derivative; its print is not read back)" : "";
  for (const PrintedLine& line : lines) {
    if (c.verdict == Comparison::Verdict::Undecided) break;
    const bool total = line.form == PrintedLine::Form::Differential && a.total;
    const Derivative d{a.definition.name, a.variables, total ? *a.total : a.value};
    try {
      const Comparison read = compare_with_line(a.program, d, a.layout, line, {{}, o.seed, o.points});
      demand_equal(read, fmt::format("the line `{}`, from the derivative,", line.text));
      c = both(c, read);
    } catch (const NotReadable& e) {
      unread = fmt::format(" (the derivative; its print does not read back: {})", e.what());
    }
  }
  if (c.verdict == Comparison::Verdict::Undecided) fmt::print(stderr, "not certified: no random point was smooth, finite and well conditioned\n");
  else
    fmt::print(stderr, "certified at {} random points against dual numbers in quadruple precision, largest deviation {:.1e}{}\n", c.points, c.largest, unread);
}

}  // namespace

int diff(const Options& options) {
  Program program = load(options);
  const std::vector<Definition> chosen = chosen_definitions(program, options);
  if (options.verbose) say_conventions(options);
  const DerivativeStyle style{*find_layout(options.layout), *find_symmetric_convention(options.symmetric)};
  std::string answers;
  const auto add = [&](const Definition& f, const Declaration& x) {
    const auto by = [&](SymmetricConvention convention) {
      return simplified(program, derivative(*program.graph, f.value, x, options.order, convention));
    };
    Answer answer{program, f, std::vector(size_t(options.order), x.node), by(style.symmetric), chosen.size() > 1, style.layout, {}, style.symmetric};
    std::optional<Comparison> certificate;
    if (options.certify) certificate = compare_with_duals(program, f, x, answer.value.node, style.symmetric, options);
    // What was free for the derivative is symmetric again where it is evaluated.
    if (!program.promised.empty())
      answer.value = simplified(
          program, {substitute(*program.graph, answer.value.node, program.promised), answer.value.variance, answer.value.variable});
    if (style.symmetric == SymmetricConvention::Independent) answer.total = by(SymmetricConvention::Projected);
    const std::vector<PrintedLine> lines = is_formula(options.emit) ? answer_lines(answer, options) : std::vector<PrintedLine>{};
    if (certificate) certify(answer, *certificate, lines, options);
    answers += is_formula(options.emit) ? joined(answer, lines, options) : emitted(answer, options);
  };
  for (const Definition& f : chosen)
    for (const std::string& name : variable_names(options)) add(f, differentiation_variable(program, name));
  write_output(options.output, answers);
  return 0;
}

}  // namespace ricci::driver
