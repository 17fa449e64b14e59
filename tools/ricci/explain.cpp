// ricci explain: the derivation of a derivative, line by line, every line checked by numbers before it is printed.
#include <fmt/format.h>

#include <algorithm>

#include "codegen/derivation.h"
#include "passes/layout.h"
#include "passes/raise.h"
#include "passes/simplify.h"
#include "tools/guard.h"
#include "tools/output.h"
#include "tools/ricci/answer.h"
#include "tools/ricci/command.h"
#include "tools/ricci/input.h"

namespace ricci::driver {
namespace {

struct Document {
  std::string_view kind;
  std::string (*print)(const Graph&, const Derivation&);
};
constexpr Document kDocuments[] = {{"text", derivation_text}, {"latex", derivation_latex}, {"mathml", derivation_mathml}};

const Document& chosen_document(const Options& options) {
  auto found = std::ranges::find(kDocuments, options.emit.empty() ? "text" : options.emit, &Document::kind);
  if (found == std::end(kDocuments)) throw UsageError("a derivation is written as text, latex or mathml");
  return *found;
}

// Names that the program has already; a quantity of the derivation is none of them.
std::vector<std::string> names_of(const Program& p) {
  std::vector<std::string> names;
  for (const Declaration& d : p.declarations) {
    names.push_back(d.name);
    for (DimId dim : (*p.graph)[d.node].type) names.push_back(p.graph->spell(dim));
  }
  for (const Definition& d : p.definitions) names.push_back(d.name);
  return names;
}

// The gradient that is differentiated again has a name of its own.
std::string derivative_name(size_t rank, const std::vector<std::string>& taken) {
  for (std::string name = rank < 2 ? "g" : "G";; ++name[0])
    if (std::ranges::find(taken, name) == taken.end()) return name;
}

// A step that the program itself finds wrong is a bug of ours.
void demand_true(const Graph& g, const Derivation& d, const Options& options) {
  const DerivationCheck c = check(g, d, {}, options.seed);
  if (c.wrong)
    throw std::logic_error(fmt::format("a step of the derivation is wrong ({}), by {:.1e}", step_title(c.wrong->kind), c.largest));
  if (c.points == 0) fmt::print(stderr, "the steps are not checked: they take too long to evaluate, or are smooth and finite at no random point\n");
  else if (options.verbose) fmt::print(stderr, "{} steps checked at {} points, largest deviation {:.1e}\n", c.steps, c.points, c.largest);
}

std::string explain(Program& program, const Definition& f, const Declaration& x, bool expression, const Options& options) {
  const Document& as = chosen_document(options);
  const DerivativeStyle style{*find_layout(options.layout), *find_symmetric_convention(options.symmetric)};
  Graph& g = *program.graph;
  DerivationRequest request{.function = f.name, .f = f.value, .x = x.node, .answer_name = f.name, .style = style};
  request.source = program.source;
  if (expression) request.title = {"The derivative of ", Code{f.name + " = " + program.source}, " by ", Code{x.name}};
  request.taken = names_of(program);
  request.indexed = f.indexed;
  request.all_low = f.all_low;
  for (const Definition& d : program.definitions)
    if (d.name != f.name) request.names.emplace(d.value.node, d.name);
  std::string text;
  for (int order = 1; order <= options.order; ++order) {
    request.order = order;
    request.style.layout = order == options.order ? style.layout : DerivativeLayout::Mixed;
    request.answer = derivative(g, f.value, x, order, style.symmetric);
    request.answer.node = simplify(g, request.answer.node);
    auto derivation = can_be_written(g, request.answer.node) ? derive(g, request) : std::nullopt;
    if (!derivation) throw TooLarge(fmt::format("the derivation would have more than {} intermediate quantities", kMostQuantities));
    demand_true(g, *derivation, options);
    text += (text.empty() ? "" : "\n") + as.print(g, *derivation);
    const std::string before = request.function;
    request.function = derivative_name(g[request.answer.node].rank(), request.taken);
    request.taken.push_back(request.function);
    request.f = request.answer;
    request.title = {"The next order: ", Code{request.function}, " is ", Code{fmt::format("d{}/d{}", before, x.name)}};
  }
  return text;
}

}  // namespace

int explain(const Options& options) {
  const Input input = read_input(options);
  Program program = parse_input(input, options);
  const Definition f = chosen_definition(program, options);
  std::string text;
  for (const std::string& name : variable_names(options))
    text += (text.empty() ? "" : "\n") + explain(program, f, differentiation_variable(program, name), input.expression, options);
  write_output(options.output, text);
  return kSuccess;
}

}  // namespace ricci::driver
