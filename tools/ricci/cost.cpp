// ricci cost: what the plan of each exported function takes, as polynomials in the dimensions and, for --dim, as numbers.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "passes/plan.h"
#include "tools/ricci/command.h"
#include "tools/ricci/input.h"

namespace ricci::driver {
namespace {

void print_line(const Graph& g, const char* what, const Polynomial& p, const Sizes& sizes, bool evaluated) {
  std::string value = evaluated ? fmt::format(" = {:.6g}", p.at(g, sizes)) : "";
  fmt::print("  {:<7} {}{}\n", what, p.spell(g), value);
}

}  // namespace

int cost(const Options& options) {
  Program p = load(options);
  Graph& g = *p.graph;
  Sizes sizes;
  for (const auto& [name, size] : dimension_sizes(options)) sizes.known[g.dim(name)] = size;
  const std::vector<Export> chosen = options.fn.empty() ? p.exports : std::vector{chosen_export(p, options)};
  for (const Export& e : chosen) {
    std::vector<NodeId> outputs;
    for (const std::string& result : e.results) outputs.push_back(*p.find(result));
    const Plan plan = make_plan(g, outputs, sizes);
    const Cost total = cost_of(g, plan, sizes);
    fmt::print("{}({}) -> {}\n", e.name, fmt::join(e.arguments, ", "), fmt::join(e.results, ", "));
    print_line(g, "flops", total.flops, sizes, !sizes.known.empty());
    print_line(g, "bytes", total.bytes, sizes, !sizes.known.empty());
    fmt::print("  {:<7} {}\n", "arrays", total.arrays);
    if (options.verbose) fmt::print("{}", to_text(g, plan, sizes));
  }
  return 0;
}

}  // namespace ricci::driver
