// ricci verify "LEFT = RIGHT": an identity or, with d/dx before the left side, a derivative; symbolically first, then by numbers.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "passes/claim.h"
#include "passes/differentiate.h"
#include "passes/layout.h"
#include "tools/guard.h"
#include "tools/ricci/command.h"
#include "tools/ricci/input.h"

namespace ricci::driver {
namespace {

std::string values(const Program& p, const Comparison& c) {
  std::string text;
  for (const Declaration& d : p.declarations) {
    auto at = c.point.find(d.node);
    if (at == c.point.end()) continue;
    std::vector<std::string> numbers;
    for (const Quad& v : at->second.data) numbers.push_back(fmt::format("{:.6g}", double(v)));
    if (numbers.size() > 12) numbers.resize(12), numbers.push_back("...");
    text += at->second.shape.empty() ? fmt::format("  {} = {}\n", d.name, numbers[0])
                                     : fmt::format("  {} ({}) = {}\n", d.name, fmt::join(at->second.shape, "x"), fmt::join(numbers, " "));
  }
  return text;
}

std::string spell_sizes(const Dims& sizes) {
  std::vector<std::string> each;
  for (const auto& [name, size] : sizes) each.push_back(fmt::format("{} = {}", name, size));
  return fmt::format("{}", fmt::join(each, ", "));
}

std::string shape_text(const std::vector<int64_t>& shape) {
  return shape.empty() ? "a scalar" : fmt::format("{}", fmt::join(shape, " x "));
}

// An entry of one of two sides of different shapes.
std::string entry_text(double value, const std::vector<int64_t>& index) {
  if (std::isnan(value)) return "has no more";
  return fmt::format("is {:.12g}{}", value, index.empty() ? "" : fmt::format(" in entry [{}]", fmt::join(index, ", ")));
}

// What shows that the sides differ as they stand.
std::string counterexample(const Program& p, const Comparison& c) {
  if (c.left_shape != c.right_shape)
    return fmt::format("the left side is {} and the right side {}; in the order of entries, left {} and right {}, at\n{}", shape_text(c.left_shape),
                       shape_text(c.right_shape), entry_text(c.left, c.index), entry_text(c.right, c.right_index), values(p, c));
  const std::string entry = c.index.empty() ? "" : fmt::format(" in entry [{}]", fmt::join(c.index, ", "));
  const bool alike = std::isfinite(c.difference) && std::abs(c.difference) < 1e-9 * std::abs(c.left);
  const std::string point = values(p, c);
  return fmt::format("left is {:.12g} and right is {:.12g}{}{}{}\n{}", c.left, c.right, alike ? fmt::format(", which differ by {:.2g}", c.difference) : "",
                     entry, point.empty() ? "" : ", at", point);
}

// The right side with its axes in the order of the left one's letters, if both are in index notation: A_ij is not A_ji. The letters that only the right
// side has are those of a variable of differentiation.
Value in_letters_of(Graph& g, Value right, const std::vector<std::string>& letters, const std::vector<std::string>& left) {
  if (letters.empty() || left.empty()) return right;
  std::vector<std::string> wanted = left;
  for (const std::string& l : left)
    if (std::ranges::find(letters, l) == letters.end()) throw UsageError(fmt::format("the index `{}` is free on the left side and not on the right one", l));
  std::ranges::copy_if(letters, std::back_inserter(wanted), [&](const std::string& l) { return std::ranges::find(left, l) == left.end(); });
  std::vector<size_t> axes;
  std::vector<Variance> variance;
  for (const std::string& l : wanted) {
    axes.push_back(size_t(std::ranges::find(letters, l) - letters.begin()));
    variance.push_back(right.variance[axes.back()]);
  }
  return {g.permute(right.node, axes), variance};
}

// The two sides of a claim, in one program: the kinds of undeclared names are inferred from both.
struct Sides {
  Program program;
  Value left, right;
  NodeId function;  // the left side, or what it is the derivative of
};

// A variable read as free is drawn as declared.
std::map<NodeId, Properties> promises(const Program& p) {
  std::map<NodeId, Properties> drawn;
  for (const auto& [variable, declared] : p.promised) drawn.emplace(variable, p.graph->symbol(declared).properties);
  return drawn;
}

Sides read(const Claim& claim, const Options& options, const DerivativeStyle& style) {
  Diagnostics diagnostics;
  std::string left_name = "left", right_name = "right";
  const std::string written = claim.definitions + claim.left + claim.right;
  while (written.find(left_name) != written.npos) left_name += "1";
  while (written.find(right_name) != written.npos) right_name += "1";
  const std::string text = fmt::format("{}{} = {}\n{} = {}\n{}", claim.definitions, left_name, claim.left, right_name, claim.right, right_name);
  const ParseOptions as_declared{options.declare, "<claim>"};
  auto program = parse_expression(text, as_declared, calculus(), diagnostics);
  print_diagnostics(diagnostics, options);
  if (!program) throw InputError{};
  if (!claim.variable.empty() && style.symmetric == SymmetricConvention::Unconstrained) {
    // As if its entries were free: the graph of a symmetric matrix does not tell S_ij from S_ji.
    differentiation_variable(*program, claim.variable);
    ParseOptions free = as_declared;
    free.free.insert(claim.variable);
    program = parse_expression(text, free, calculus(), diagnostics);
  }
  const Definition &l = *program->find_definition(left_name), &r = *program->find_definition(right_name);
  Value left = l.value, right = in_letters_of(*program->graph, r.value, r.letters, l.letters);
  const NodeId function = left.node;
  if (!claim.variable.empty()) {
    Graph& g = *program->graph;
    const size_t rank = g[left.node].rank();
    left = laid_out(g, derivative(g, left, differentiation_variable(*program, claim.variable), claim.order, style.symmetric), rank, style.layout);
  }
  return {std::move(*program), std::move(left), std::move(right), function};
}

// The layout and the convention, among those with a name, in which the claim would be right.
std::string convention_of(const Claim& claim, const Options& options, const DerivativeStyle& in_force, Points points) {
  if (claim.variable.empty()) return "";
  for (const char* layout : {"mixed", "numerator", "denominator"})
    for (const char* symmetric : {"projected", "unconstrained", "independent"}) {
      const DerivativeStyle style{*find_layout(layout), *find_symmetric_convention(symmetric)};
      Sides s = read(claim, options, style);
      points.promises = promises(s.program);
      if (!judge(*s.program.graph, s.left, s.right, points, s.function).verified()) continue;
      return fmt::format("the right side is the derivative in {}", style.symmetric != in_force.symmetric
                                                                       ? fmt::format("--symmetric {}", symmetric)
                                                                       : fmt::format("--layout {}", layout));
    }
  return "";
}

int report(const Program& p, const Judgement& j, const std::string& convention) {
  const Comparison& c = j.numbers;
  if (j.verified()) {
    if (j.symbolic) fmt::print("verified\n");
    else fmt::print("verified at {} random points, largest deviation {:.1e}\n", c.points, c.largest);
    for (const Dims& sizes : c.without) fmt::print("but not for {}, where a side has no value\n", spell_sizes(sizes));
    return kSuccess;
  }
  using Verdict = Comparison::Verdict;
  const std::string why = convention.empty() ? "" : convention + "\n";
  if (j.symbolic || c.verdict == Verdict::Equal) fmt::print("equal up to transposition: one side is a row, the other a column\n{}", why);
  else if (c.verdict == Verdict::Undecided) fmt::print("undecided: no random point was smooth, finite and well conditioned\n");
  else if (c.verdict == Verdict::Transposed) fmt::print("equal up to transposition\n{}as they stand, {}", why, counterexample(p, c));
  else if (c.verdict == Verdict::Layout)
    fmt::print("equal up to layout: the right side is the left one {}\n{}as they stand, {}", c.layout, why, counterexample(p, c));
  else fmt::print("refuted: {}{}", counterexample(p, c), why);
  return kWrongInput;
}

}  // namespace

int verify(const Options& options) {
  const auto claim = parse_claim(read_input(options).text);
  if (!claim) throw UsageError("a claim is written \"LEFT = RIGHT\", \"d/dx LEFT = RIGHT\" or \"d2/dx2 LEFT = RIGHT\"");
  const DerivativeStyle style{*find_layout(options.layout), *find_symmetric_convention(options.symmetric)};
  Sides s = read(*claim, options, style);
  if (!s.program.assumptions.empty()) fmt::print(stderr, "assuming {}\n", fmt::join(s.program.assumptions, "; "));
  const Points points{dimension_sizes(options), options.seed, options.points, promises(s.program)};
  const Judgement j = judge(*s.program.graph, s.left, s.right, points, s.function);
  return report(s.program, j, j.verified() ? "" : convention_of(*claim, options, style, points));
}

}  // namespace ricci::driver
