#include "codegen/equation.h"

#include <algorithm>
#include <vector>

#include "codegen/latex.h"
#include "codegen/mathml.h"
#include "codegen/text.h"
#include "codegen/unicode.h"
#include "codegen/written_tree.h"
#include "frontend/lexer.h"
#include "frontend/parser.h"
#include "ir/dimension.h"

namespace ricci {
namespace {

constexpr Notation kNotations[] = {{"unicode", to_unicode, "; "}, {"latex", to_latex, ";\\quad "}, {"mathml", to_mathml, ""}};

// What an answer may mention.
KnownNames names_of(const Graph& g, std::span<const Equation> equations) {
  KnownNames names;
  for (NodeId n{0}; n.value < g.size(); ++n.value) {
    if ((g[n].kind != Kind::Var && g[n].kind != Kind::Call) || g.symbol(n).placeholder) continue;
    (g[n].kind == Kind::Var ? names.variables : names.functions).insert(g.symbol(n).name);
    for (DimId d : g.symbol(n).type)
      for (const auto& [sizes, coefficient] : Extent::of(g, d).terms) names.variables.insert(sizes.begin(), sizes.end());
  }
  for (const Equation& e : equations.first(equations.size() - 1))  // defined before the answer
    names.variables.insert(((*e.left)->op == mat::Op::Indexed ? (*e.left)->operands[0] : *e.left)->name);
  return names;
}

// The letters on the left are read as what they are on the right: x^k is a power or an entry.
std::string definition_text(const Equation& e) {
  if (!e.left) return e.text;
  std::string letters;
  for (const mat::Index& i : (*e.left)->indices) letters += i.letter;
  return (letters.empty() ? "F = " : "F_{" + letters + "} = ") + e.text;
}

mat::Expr right_side(const Equation& e, const KnownNames& names) {
  if (e.right) return *e.right;
  const std::string text = definition_text(e);
  KnownNames known = names;
  Diagnostics diagnostics;
  const std::vector<Token> tokens = tokenize(text, diagnostics.add_source("<answer>", text), diagnostics);
  const Syntax syntax = parse(tokens, known, diagnostics);
  if (diagnostics.has_errors()) throw NotReadable(diagnostics.all().front().text);
  return written_tree(syntax, syntax.statements.at(0).body, names);
}

}  // namespace

std::span<const Notation> notations() { return kNotations; }

const Notation* find_notation(std::string_view kind) {
  const auto row = std::ranges::find(kNotations, kind, &Notation::kind);
  return row == std::end(kNotations) ? nullptr : &*row;
}

std::string to_text(std::span<const Equation> equations) {
  std::string text;
  for (const Equation& e : equations) text += (text.empty() ? "" : "; ") + (e.left ? to_text(*e.left) + " = " : "") + e.text;
  return text;
}

std::string typeset(const Graph& graph, std::span<const Equation> equations, const Notation& notation) {
  const KnownNames names = names_of(graph, equations);
  std::string text;
  for (const Equation& e : equations) {
    const mat::Expr right = right_side(e, names);
    if (!text.empty()) text += notation.between;
    text += notation.spell(e.left ? mat::equation(*e.left, right) : right);
  }
  return text;
}

}  // namespace ricci
