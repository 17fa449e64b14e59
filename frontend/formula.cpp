#include "frontend/formula.h"

#include <cstdio>
#include <cstdlib>

#include "frontend/elaborate.h"
#include "frontend/parser.h"

namespace ricci {

std::optional<NodeId> build_formula(Graph& graph, std::string_view formula, const Bindings& bindings, FormulaMode mode, Diagnostics& diagnostics) {
  const uint32_t source = diagnostics.add_source("<formula>", std::string(formula));
  KnownNames known;
  for (const auto& [name, node] : bindings) known.variables.insert(name);
  const std::vector<Token> tokens = tokenize(formula, source, diagnostics);
  if (tokens.empty()) return std::nullopt;
  const Syntax syntax = parse(tokens, known, diagnostics);
  if (diagnostics.has_errors() || syntax.statements.size() != 1) return std::nullopt;

  Dimensions dims(true);
  Drafts drafts;
  Elaborator elaborator(dims, drafts, diagnostics, mode == FormulaMode::Entrywise);
  for (const auto& [name, node] : bindings) {
    Shape shape;
    for (DimId d : graph[node].type) shape.push_back(dims.given(d));
    const size_t rank = shape.size();
    elaborator.names.emplace(name, Meaning{.draft = drafts.given(node, std::move(shape)), .variance = Elaborator::usual_variance(rank)});
  }
  const Meaning m = elaborator.expression(syntax, syntax.statements[0].body);
  if (diagnostics.has_errors()) return std::nullopt;
  return drafts.build(graph, dims, nullptr, {})[m.draft.value];
}

NodeId build_formula(Graph& graph, std::string_view formula, const Bindings& bindings, FormulaMode mode) {
  Diagnostics diagnostics;
  if (const std::optional<NodeId> built = build_formula(graph, formula, bindings, mode, diagnostics)) return *built;
  std::fputs(diagnostics.to_text().c_str(), stderr);
  std::abort();
}

}  // namespace ricci
