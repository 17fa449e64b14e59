// ricci verify "LEFT = RIGHT": an identity or, with d/dx before the left side, a derivative; symbolically first, then by numbers.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "passes/compare.h"
#include "passes/differentiate.h"
#include "passes/layout.h"
#include "passes/simplify.h"
#include "tools/guard.h"
#include "tools/ricci/command.h"
#include "tools/ricci/input.h"

namespace ricci::driver {
namespace {

struct Claim {
  std::string left, right, variable;  // variable: empty without d/dx
};

std::string trimmed(std::string_view s) {
  size_t first = s.find_first_not_of(" \t\n");
  if (first == s.npos) return "";
  return std::string(s.substr(first, s.find_last_not_of(" \t\n") - first + 1));
}

Claim parse_claim(std::string_view text) {
  int depth = 0;
  size_t equals = text.npos;
  for (size_t k = 0; k < text.size() && equals == text.npos; ++k) {
    char c = text[k];
    depth += (c == '(' || c == '[' || c == '{') - (c == ')' || c == ']' || c == '}');
    if (depth == 0 && c == '=') equals = k;
  }
  if (equals == text.npos) throw UsageError("a claim is written \"LEFT = RIGHT\" or \"d/dx LEFT = RIGHT\"");
  size_t start = equals + 1;
  if (start < text.size() && text[start] == '=') ++start;
  Claim c{trimmed(text.substr(0, equals)), trimmed(text.substr(start)), ""};
  if (c.left.starts_with("d/d")) {
    size_t end = 3;
    while (end < c.left.size() && (std::isalnum(static_cast<unsigned char>(c.left[end])) || c.left[end] == '_')) ++end;
    c.variable = c.left.substr(3, end - 3);
    c.left = trimmed(std::string_view(c.left).substr(end));
  }
  return c;
}

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

std::string shape_text(const std::vector<int64_t>& shape) {
  return shape.empty() ? "a scalar" : fmt::format("{}", fmt::join(shape, " x "));
}

int report(const Program& p, const Comparison& c) {
  switch (c.verdict) {
    case Comparison::Verdict::Equal:
      fmt::print("verified at {} random points, largest deviation {:.1e}\n", c.points, c.largest);
      return kSuccess;
    case Comparison::Verdict::Transposed: fmt::print("equal up to transposition\n"); return kWrongInput;
    case Comparison::Verdict::Undecided: fmt::print("undecided: no random point was smooth and finite\n"); return kWrongInput;
    case Comparison::Verdict::Different: break;
  }
  if (c.left_shape != c.right_shape) {
    fmt::print("refuted: the left side is {}, the right side {}\n", shape_text(c.left_shape), shape_text(c.right_shape));
  } else {
    std::string entry = c.index.empty() ? "" : fmt::format(" in entry [{}]", fmt::join(c.index, ", "));
    fmt::print("refuted: left is {:.12g} and right is {:.12g}{}, at\n{}", c.left, c.right, entry, values(p, c));
  }
  return kWrongInput;
}

bool same_orientation(const Value& a, const Value& b) { return a.variance.size() != 1 || a.variance == b.variance; }

}  // namespace

int verify(const Options& options) {
  const Claim claim = parse_claim(read_input(options).text);
  Diagnostics diagnostics;
  // Both sides in one text: the kinds of undeclared names are inferred from both.
  const std::string text = fmt::format("claim1 = {}; claim2 = {}; claim2", claim.left, claim.right);
  auto program = parse_expression(text, {options.declare, "<claim>"}, calculus(), diagnostics);
  print_diagnostics(diagnostics, options);
  if (!program) throw InputError{};
  if (!program->assumptions.empty()) fmt::print(stderr, "assuming {}\n", fmt::join(program->assumptions, "; "));

  Graph& g = *program->graph;
  Value left = program->find_definition("claim1")->value;
  const Value right = program->find_definition("claim2")->value;
  if (!claim.variable.empty()) left = derivative(g, left, differentiation_variable(*program, claim.variable), 1);

  if (simplify(g, left.node) == simplify(g, right.node)) {
    bool same = same_orientation(left, right);
    fmt::print("{}\n", same ? "verified" : "equal up to transposition");
    return same ? kSuccess : kWrongInput;
  }
  Comparison c = compare(g, left.node, right.node, {dimension_sizes(options), options.seed, options.points});
  if (c.verdict == Comparison::Verdict::Equal && !same_orientation(left, right)) c.verdict = Comparison::Verdict::Transposed;
  return report(*program, c);
}

}  // namespace ricci::driver
