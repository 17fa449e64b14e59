// Every single mutant of a formula of our tables: one sign, transpose, index, coefficient, exponent, size, term, factor or function is changed, at
// every place of the syntax tree where that can be done. A mutant may be ill-typed or mean what the formula means; who counts must ask.
#pragma once
#include <fmt/format.h>

#include <cstdlib>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "frontend/formula.h"
#include "frontend/parser.h"
#include "ir/functions.h"

namespace ricci {

struct Mutant {
  std::string_view kind;
  std::string text;
  std::string_view law;  // why it means the same whatever the formula is part of: a sign in an even function; empty if it should not
};

class Mutator {
 public:
  Mutator(std::string_view formula, const Bindings& names, FormulaMode mode) : formula_(formula), names_(names), matrix_(mode == FormulaMode::Matrix) {
    Diagnostics diagnostics;
    KnownNames known;
    for (const auto& [name, node] : names) known.variables.insert(name);
    const std::vector<Token> tokens = tokenize(formula, diagnostics.add_source("<formula>", std::string(formula)), diagnostics);
    const Syntax syntax = parse(tokens, known, diagnostics);
    for (const Ast& a : syntax.nodes)
      for (AstId child : a.children) parent_[&syntax[child]] = &a;
    for (const Ast& a : syntax.nodes) visit(syntax, a);
  }

  std::vector<Mutant> mutants;

 private:
  std::string text(const Ast& a) const { return std::string(formula_.substr(a.where.begin, a.where.end - a.where.begin)); }

  // The formula with `with` in the place of a range.
  void add(std::string_view kind, SourceRange at, const std::string& with, std::string_view law = {}) {
    std::string mutant = std::string(formula_.substr(0, at.begin)) + with + std::string(formula_.substr(at.end));
    if (seen_.insert(mutant).second) mutants.push_back({kind, std::move(mutant), law});
  }
  void replace(std::string_view kind, const Ast& a, const std::string& with, std::string_view law = {}) { add(kind, a.where, "(" + with + ")", law); }

  const Ast* parent(const Ast& a) const {
    const auto it = parent_.find(&a);
    return it == parent_.end() ? nullptr : it->second;
  }

  // Why it does not matter that a subexpression is multiplied by 2 or -1.
  std::string_view law(const Syntax& syntax, const Ast& multiplied, bool negative) const {
    static const std::set<std::string_view> even{"abs", "cos", "cosh", "normpdf", "cosm", "logdet"}, odd{"sin", "sinh", "sign", "inv", "sinm", "pinv"},
        degree_zero{"step", "sign", "argmax"};
    for (const Ast *child = &multiplied, *a = parent(multiplied); a; child = a, a = parent(*a)) {
      const bool first = &syntax[a->children[0]] == child;
      const std::string_view other = a->children.size() == 2 ? syntax[a->children[first]].name : std::string_view();
      if (a->kind == AstKind::Product || a->kind == AstKind::Negate || a->kind == AstKind::Transpose) continue;
      if (a->kind == AstKind::Power && negative && first && other == "2") return "an even power";
      if (a->kind != AstKind::Call) return {};
      if ((a->name == "where" && first) || (a->name == "isequal" && other == "0")) return "zero or not";
      if (negative && even.contains(a->name)) return "an even function";
      if (!negative && degree_zero.contains(a->name)) return "a function of degree 0";
      if (!negative || !odd.contains(a->name)) return {};
    }
    return {};
  }

  void visit(const Syntax& syntax, const Ast& a) {
    const Ast* parent = this->parent(a);
    // A multiple of a factor is one of the product: it is made once.
    const bool linear = parent && (parent->kind == AstKind::Product || parent->kind == AstKind::Negate || parent->kind == AstKind::Transpose);
    if (!linear) {
      replace("sign", a, "-(" + text(a) + ")", law(syntax, a, true));
      replace("coefficient", a, "2*(" + text(a) + ")", law(syntax, a, false));
      if (matrix_) replace("size", a, "n*(" + text(a) + ")");
    }
    if (matrix_ && a.kind != AstKind::Transpose && !(parent && parent->kind == AstKind::Transpose)) replace("transpose", a, "(" + text(a) + ")'");

    switch (a.kind) {
      case AstKind::Number: {
        const double value = std::strtod(std::string(a.name).c_str(), nullptr);
        for (double step : {-1., 1.}) replace(parent && parent->kind == AstKind::Power ? "exponent" : "coefficient", a, fmt::format("{}", value + step));
        break;
      }
      case AstKind::Name:
        if (!names_.contains(a.name)) break;
        for (const auto& [name, node] : names_)
          if (name != a.name) replace("index", a, name);
        break;
      case AstKind::Transpose: replace("transpose", a, text(syntax[a.children[0]])); break;
      case AstKind::Power: replace("exponent", a, text(syntax[a.children[0]])); break;
      case AstKind::Sum:
        for (AstId child : a.children) replace("term", syntax[child], "0*(" + text(syntax[child]) + ")");
        break;
      case AstKind::Product: products(syntax, a); break;
      case AstKind::Call: calls(syntax, a); break;
      default: break;
    }
  }

  // Without each factor, and with each two neighbours exchanged.
  void products(const Syntax& syntax, const Ast& a) {
    std::vector<std::string> factors, signs;
    for (size_t i = 0; i < a.children.size(); ++i) {
      factors.push_back(text(syntax[a.children[i]]));
      const uint32_t from = i ? syntax[a.children[i - 1]].where.end : 0;
      signs.push_back(i ? std::string(formula_.substr(from, syntax[a.children[i]].where.begin - from)) : "");
    }
    for (size_t drop = 0; drop < factors.size(); ++drop) {
      std::string left;
      for (size_t i = 0; i < factors.size(); ++i)
        if (i != drop) left += (left.empty() ? (signs[i].find('/') != std::string::npos ? "1" + signs[i] : "") : signs[i]) + factors[i];
      replace("factor", a, left);
    }
    for (size_t swap = 1; swap < factors.size(); ++swap) {
      std::string swapped;
      for (size_t i = 0; i < factors.size(); ++i) swapped += signs[i] + factors[i == swap ? i - 1 : i + 1 == swap ? swap : i];
      replace("index", a, swapped);
    }
  }

  // The neighbours in the function's table that take and give the same, no function, and arguments exchanged.
  void calls(const Syntax& syntax, const Ast& a) {
    std::vector<std::string> siblings;
    if (const auto op = find_elementwise(a.name); op && row(*op).arity == int(a.children.size()))
      siblings = neighbours(elementwise_table(), size_t(*op), [&](const ElementwiseRow& r) { return r.arity == row(*op).arity; });
    else if (const auto fun = find_function(a.name); fun && matrix_)
      siblings = neighbours(function_table(), size_t(*fun), [&](const FunctionRow& r) { return r.signature == row(*fun).signature; });
    else if (a.name == "tr")
      siblings = {"sum"};  // the delta lost
    for (const std::string& name : siblings) add("function", a.name_at, name);
    if (a.children.size() == 1) replace("function", a, text(syntax[a.children[0]]));
    for (size_t swap = 1; swap < a.children.size(); ++swap) {
      const Ast &l = syntax[a.children[swap - 1]], &r = syntax[a.children[swap]];
      const SourceRange between{0, l.where.end, r.where.begin};
      add("index", join(l.where, r.where), text(r) + std::string(formula_.substr(between.begin, between.end - between.begin)) + text(l));
    }
  }

  template <class Table, class Same>
  static std::vector<std::string> neighbours(Table table, size_t at, Same same) {
    std::vector<std::string> names;
    for (size_t i = at + 1; i < table.size(); ++i)
      if (same(table[i])) { names.emplace_back(table[i].name); break; }
    for (size_t i = at; i-- > 0;)
      if (same(table[i])) { names.emplace_back(table[i].name); break; }
    return names;
  }

  std::string_view formula_;
  const Bindings& names_;
  bool matrix_;
  std::map<const Ast*, const Ast*> parent_;
  std::set<std::string> seen_;
};

}  // namespace ricci
