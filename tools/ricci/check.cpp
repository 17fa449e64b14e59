// ricci check: every derivative of every definition against the oracle, and which definitions are such derivatives.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "ir/sample.h"
#include "passes/compare.h"
#include "passes/differentiate.h"
#include "passes/simplify.h"
#include "tools/guard.h"
#include "tools/ricci/command.h"
#include "tools/ricci/input.h"

namespace ricci::driver {
namespace {

constexpr int kHighestOrder = 2;
constexpr int64_t kMostDirections = 400;  // the oracle takes an evaluation for each entry of a derivative's variables
constexpr double kMostEntries = 2e7;      // of all that is evaluated at one point, in quadruple precision

bool depends_on(const Graph& g, NodeId f, NodeId x) {
  const NodeId roots[] = {f};
  auto below = g.reachable(roots);
  return std::find(below.begin(), below.end(), x) != below.end();
}

double entries_below(const Graph& g, std::span<const NodeId> roots, const Dims& dims) {
  double sum = 0;
  for (NodeId n : g.reachable(roots)) {
    double entries = 1;
    for (int64_t size : shape_of(g, g[n].type, dims)) entries *= double(size);
    sum += entries;
  }
  return sum;
}

// Definitions that are this derivative: hash-consing makes that an equality of ids once both are simplified.
std::string names_of(const Program& p, NodeId simplified_derivative) {
  std::string names;
  for (const Definition& d : p.definitions)
    if ((*p.graph)[d.value.node].type == (*p.graph)[simplified_derivative].type &&
        simplify(*p.graph, d.value.node) == simplified_derivative)
      names += (names.empty() ? "" : ", ") + d.name;
  return names;
}

struct Report {
  int failures = 0, checks = 0;

  void add(const std::string& what, const std::string& names, const Comparison& c) {
    ++checks;
    std::string verdict =
        c.verdict == Comparison::Verdict::Equal       ? fmt::format("agrees at {} points, largest deviation {:.1e}", c.points, c.largest)
        : c.verdict == Comparison::Verdict::Undecided ? "undecided: no random point was smooth, finite and well conditioned"
        : c.left_shape != c.right_shape               ? "WRONG: the shapes differ"
                                        : fmt::format("WRONG at entry [{}]: {} and not {}", fmt::join(c.index, ", "), c.left, c.right);
    bool wrong = c.verdict != Comparison::Verdict::Equal && c.verdict != Comparison::Verdict::Undecided;
    failures += wrong;
    fmt::print("{:<24} {:<8} {}\n", what, names, verdict);
  }
};

void check_definition(Program& p, const Definition& f, const Declaration& x, const Points& points, Report& report) {
  Graph& g = *p.graph;
  const NodeId roots[] = {f.value.node, x.node};
  const Dims dims = distinct_sizes(g, roots, points.dims);
  const int64_t entries = Array<double>::count(shape_of(g, g[x.node].type, dims));
  NodeId derivative = f.value.node;
  std::vector<NodeId> xs;
  int64_t directions = 1;
  for (int order = 1; order <= kHighestOrder; ++order) {
    derivative = calculus().derivative(g, derivative, x.node);
    xs.push_back(x.node);
    directions *= entries;
    if (directions > kMostDirections || (order > 1 && g[f.value.node].rank() > 0)) return;
    std::string what = fmt::format("d{0} {1} / d {2}{0}", order > 1 ? fmt::format("^{}", order) : "", f.name, x.name);
    const NodeId answer = simplify(g, derivative);
    const NodeId both[] = {f.value.node, answer};
    if (const double entries = entries_below(g, both, dims); entries > kMostEntries) {
      fmt::print("{:<24} {:<8} not checked: {:.1e} numbers to evaluate, more than {:.0e}\n", what, "", entries, kMostEntries);
      return;
    }
    report.add(what, names_of(p, answer), compare_with_oracle(g, f.value.node, xs, answer, points));
  }
}

}  // namespace

int check(const Options& options) {
  Program p = load(options);
  const Points points{dimension_sizes(options), options.seed, options.points};
  Report report;
  for (const Definition& f : p.definitions) {
    if (!options.fn.empty() && f.name != options.fn) continue;
    for (const Declaration& x : p.declarations)
      if (depends_on(*p.graph, f.value.node, x.node)) check_definition(p, f, x, points, report);
  }
  fmt::print("{} derivatives, {} wrong\n", report.checks, report.failures);
  return report.failures ? kWrongInput : kSuccess;
}

}  // namespace ricci::driver
