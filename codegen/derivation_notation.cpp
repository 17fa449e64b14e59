#include "codegen/derivation_notation.h"

#include <algorithm>
#include <set>

#include "codegen/derivation_indices.h"
#include "codegen/index_form.h"
#include "passes/derivation_words.h"
#include "passes/raise.h"

namespace ricci {
namespace {

struct Spelled {
  std::string text;
  Level level = Level::Atom;
};

class Printer {
 public:
  Printer(const Graph& g, const Derivation& d, const Spelling& s) : g_(g), d_(d), s_(s), indices_(g, d, s), heights_(d.indexed && !d.all_low) {
    if (heights_) stand_quantities();
  }

  std::string formula(const Formula& f) const {
    if (f.notation == Formula::Notation::Matrix) return in_matrix(f.node, f.variance);
    if (f.notation == Formula::Notation::Answer && !d_.indexed)
      if (Raised r = raise(g_, f.node, f.variance); r.expr) return named(s_.matrix(*r.expr));
    return line(f.line);
  }

  bool is_matrix(const Formula& f) const { return !d_.indexed && raise(g_, f.node, f.variance).expr; }

  std::string in_matrix(NodeId n, const std::vector<Variance>& variance = {}) const {
    if (const StandIn* d = derivative(n)) return derivative_text(*d, nullptr);
    if (const StandIn* d = stand_in(n); d && d->kind == StandIn::Kind::Along) return along(*d, in_matrix(d->by));
    if (g_[n].kind == Kind::Var) return s_.name(g_.symbol(n).name);
    Raised r = raise(g_, n, variance);
    return r.expr ? named(s_.matrix(*r.expr)) : s_.words(r.reason);
  }

  // Formulas with nothing but " = " between them are one formula.
  std::string reason(const Reason& r) const {
    std::string out, formulas;
    auto flush = [&] {
      if (!formulas.empty()) out += s_.inline_formula(formulas);
      formulas.clear();
    };
    for (const auto& part : r) {
      if (const auto* words = std::get_if<std::string>(&part)) {
        if (*words == " = " && !formulas.empty()) {
          formulas += s_.equals();
          continue;
        }
        flush();
        out += s_.words(*words);
      } else if (const auto* code = std::get_if<Code>(&part)) {
        flush();
        out += s_.code(code->text);
      } else if (const auto* f = std::get_if<Formula>(&part)) {
        formulas += formula(*f);
      } else {
        flush();
        out += s_.inline_formula(s_.name(indices_.letter(std::get<Label>(part))));
      }
    }
    flush();
    return out;
  }

  std::string line(const IndexLine& l) const {
    const std::map<Label, Variance> outer = heights_of(l);
    std::vector<Spelling::SignedText> terms;
    for (const IndexTerm& t : l.terms) {
      Rational c = abs(t.coefficient);
      terms.push_back({t.coefficient < 0, term(c, t.factors, l.out, outer, beyond(l))});
    }
    if (terms.empty()) return s_.number(0);
    return s_.sum(terms);
  }

 private:
  using Letters = std::vector<IndexLetter>;
  struct Number {
    IndexLetter text;
    Labels digits;  // the letters in it
  };
  using Numbers = std::map<Label, Number>;

  const StandIn* stand_in(NodeId n) const {
    auto it = d_.stand_ins.find(n);
    return it == d_.stand_ins.end() ? nullptr : &it->second;
  }
  const StandIn* derivative(NodeId n) const {
    const StandIn* s = stand_in(n);
    return s && s->kind == StandIn::Kind::Derivative ? s : nullptr;
  }

  // --- heights of indices --------------------------------------------------------------------------------------------------------

  // Which way the axes of a factor stand; nothing for a delta, whose letters stand as they must.
  std::vector<std::optional<Variance>> axes(NodeId n) const {
    if (const StandIn* d = derivative(n)) {
      auto up = axes(d->of), down = axes(d->by);
      for (auto& v : down)
        if (v) v = *v == Variance::Up ? Variance::Down : Variance::Up;
      up.insert(up.end(), down.begin(), down.end());
      return up;
    }
    const StandIn* s = stand_in(n);
    if (s && s->kind == StandIn::Kind::Delta) return std::vector<std::optional<Variance>>(2);
    if (auto known = quantities_.find(n); known != quantities_.end()) return known->second;
    if (g_[n].kind == Kind::Var) {
      const Symbol& symbol = g_.symbol(n);
      return {symbol.variance.begin(), symbol.variance.end()};
    }
    std::vector<std::optional<Variance>> result(g_[n].rank());
    if (g_[n].kind == Kind::Map || g_[n].kind == Kind::Sum)
      for (NodeId o : g_[n].operands)
        if (g_[o].rank() == result.size() && g_[o].rank() > 0) return axes(o);
    return result;
  }
  // The indices of a quantity stand as they do on its right side.
  void stand_quantities() {
    for (const DerivationSection& s : d_.sections)
      for (const DerivationStep& step : s.steps) {
        if (step.kind != StepKind::Define || step.left.line.terms.size() != 1) continue;
        const std::map<Label, Variance> heights = heights_of(step.after.line);
        auto& axes = quantities_[step.left.line.terms[0].factors[0].tensor];
        for (Label l : step.left.line.out) axes.push_back(heights.contains(l) ? heights.at(l) : Variance::Up);
      }
  }
  std::map<Label, Variance> heights_of(const IndexLine& l) const {
    std::map<Label, Variance> heights;
    if (!heights_) return heights;
    for (const IndexTerm& t : l.terms)
      for (const Factor& f : t.factors) {
        const auto known = axes(f.tensor);
        for (size_t k = 0; k < f.labels.size(); ++k)
          if (known[k] && std::ranges::find(l.out, f.labels[k]) != l.out.end()) heights.emplace(f.labels[k], *known[k]);
      }
    return heights;
  }
  // `numbers` stand for letters that a product fixes: the 2 in x_2.
  Letters letters(const Factor& f, const std::vector<Factor>& all, const std::map<Label, Variance>& outer, const Numbers& numbers) const {
    Letters out;
    const auto own = heights_ ? axes(f.tensor) : std::vector<std::optional<Variance>>(f.labels.size());
    for (size_t k = 0; k < f.labels.size(); ++k) {
      Variance v = Variance::Down;
      if (heights_) v = own[k] ? *own[k] : outer.contains(f.labels[k]) ? outer.at(f.labels[k]) : partner(f, k, all);
      const auto number = numbers.find(f.labels[k]);
      out.push_back(number == numbers.end() ? IndexLetter{indices_.letter(f.labels[k])} : number->second.text);
      out.back().height = v;
    }
    return out;
  }
  // The number that place k of a product gives to its whole, where the whole is summed: x_i e(2)_i is x_2, and T_i times 1 where i = n + k
  // is T_(n + k).
  std::optional<Number> fixed(const std::vector<Factor>& factors, size_t k, const Labels& out, const Numbers& numbers) const {
    const auto is_place = [&](const Factor& f) { return g_[f.tensor].kind == Kind::Place; };
    if (!is_place(factors[k])) return std::nullopt;
    const Label whole = factors[k].labels[0];
    const Labels digits(factors[k].labels.begin() + 1, factors[k].labels.end());
    const auto is = [&](Label l) { return l == whole; };
    if (numbers.contains(whole) || std::ranges::any_of(out, is) || std::ranges::any_of(digits, is)) return std::nullopt;
    for (Label l : digits)
      if (numbers.contains(l)) return std::nullopt;  // one number in another
    for (const auto& [other, number] : numbers)
      if (std::ranges::any_of(number.digits, is)) return std::nullopt;
    std::map<Label, size_t> uses;
    for (size_t j = 0; j < factors.size(); ++j)
      if (j != k && (!is_place(factors[j]) || factors[j].labels.size() > 1)) count(factors[j].tensor, factors[j].labels, uses);
    if (uses[whole] == 0) return std::nullopt;
    Letters own;
    for (Label l : digits) own.push_back({indices_.letter(l)});
    return Number{indices_.number(factors[k].tensor, own), digits};
  }
  Numbers take_places(std::vector<Factor>& factors, const Labels& out) const {
    Numbers numbers;
    for (size_t k = 0; k < factors.size();) {
      auto number = fixed(factors, k, out, numbers);
      if (!number) {
        ++k;
        continue;
      }
      numbers.emplace(factors[k].labels[0], *number);
      factors.erase(factors.begin() + std::ptrdiff_t(k));
    }
    return numbers;
  }
  // A summed letter stands the other way than where it stands already.
  Variance partner(const Factor& f, size_t axis, const std::vector<Factor>& all) const {
    for (const Factor& other : all) {
      const auto known = axes(other.tensor);
      for (size_t k = 0; k < other.labels.size(); ++k)
        if (other.labels[k] == f.labels[axis] && known[k]) return *known[k] == Variance::Up ? Variance::Down : Variance::Up;
    }
    return axis == 0 ? Variance::Up : Variance::Down;
  }

  // --- products ------------------------------------------------------------------------------------------------------------------

  std::string term(const Rational& c, std::vector<Factor> factors, const Labels& out, const std::map<Label, Variance>& outer,
                   Label fresh) const {
    const Numbers numbers = take_places(factors, out);
    std::map<Label, size_t> uses;
    for (const Factor& f : factors) {
      for (Label l : f.labels) uses.try_emplace(l);
      if (!is_silent(f, factors, out)) count(f.tensor, f.labels, uses);
    }
    for (const auto& [whole, number] : numbers)
      for (Label l : number.digits) uses[l] += uses[whole];
    std::vector<std::string> above, below;
    std::vector<Spelled> spelled;
    if (c.get_num() != 1 || (factors.empty() && c == 1)) above.push_back(s_.number(Rational(c.get_num())));
    if (c.get_den() != 1) below.push_back(s_.number(Rational(c.get_den())));
    for (const Factor& f : factors) {
      if (is_silent(f, factors, out)) continue;
      const Letters ls = letters(f, factors, outer, numbers);
      if (auto e = exponent(f.tensor); e && *e < 0) {
        below.push_back(at_least(raised_to(f.tensor, ls, Rational(-*e), fresh), Level::Power));
      } else {
        const bool alone = factors.size() == 1 && c == 1;
        above.push_back(at_least(node(f.tensor, ls, fresh), alone ? Level::Product : Level::Power));
      }
    }
    std::string text = fraction(std::move(above), std::move(below));
    for (auto it = uses.rbegin(); it != uses.rend(); ++it)
      if (it->second != 2 && std::ranges::find(out, it->first) == out.end() && !numbers.contains(it->first))
        text = s_.sum_over(indices_.letter(it->first), text);
    return text;
  }
  // [ones(n)]_i is written only where nothing else says that i is there: neither the left side nor another factor.
  bool is_silent(const Factor& f, const std::vector<Factor>& all, const Labels& out) const {
    if (!is_ones(f.tensor) || f.labels.size() != 1) return false;
    const auto has = [&](const Labels& ls) { return std::ranges::find(ls, f.labels[0]) != ls.end(); };
    return has(out) || std::ranges::any_of(all, [&](const Factor& o) { return &o != &f && !is_ones(o.tensor) && has(o.labels); });
  }
  std::string fraction(std::vector<std::string> above, std::vector<std::string> below) const {
    if (above.empty()) above.push_back(s_.number(1));
    const std::string top = above.size() == 1 ? above[0] : s_.product(above);
    if (below.empty()) return top;
    return s_.quotient(top, below.size() == 1 ? below[0] : s_.derivative_is_atom() ? s_.product(below) : s_.bracket(s_.product(below)));
  }

  // How often each letter is written.
  void count(NodeId id, const Labels& labels, std::map<Label, size_t>& uses) const {
    const Node& n = g_[id];
    if (n.kind == Kind::Map && !is_whole(id)) {
      for (NodeId o : n.operands)
        if (g_[o].rank() > 0) count(o, labels, uses);
    } else if (n.kind == Kind::Sum && !n.operands.empty()) {
      std::map<Label, size_t> most;
      for (NodeId o : n.operands) {
        std::map<Label, size_t> one;
        count(o, labels, one);
        for (auto [l, k] : one) most[l] = std::max(most[l], k);
      }
      for (auto [l, k] : most) uses[l] += k;
    } else if (is_entrywise(id)) {
      for (const Factor& f : g_.factors(id)) count(f.tensor, relabel(id, f, labels), uses);
    } else {
      for (Label l : labels) ++uses[l];
    }
  }
  Labels relabel(NodeId ein, const Factor& f, const Labels& labels) const {
    const Labels out = g_.out(ein);
    Labels result;
    for (Label l : f.labels) result.push_back(labels[size_t(std::ranges::find(out, l) - out.begin())]);
    return result;
  }
  // A product in which no letter is written but those of the result. One that no factor has broadcasts.
  bool is_entrywise(NodeId id) const {
    if (g_[id].kind != Kind::Ein || g_[id].operands.empty()) return false;
    const Labels out = g_.out(id);
    std::set<Label> inner, distinct(out.begin(), out.end());
    for (const Factor& f : g_.factors(id)) inner.insert(f.labels.begin(), f.labels.end());
    return std::ranges::includes(distinct, inner) && distinct.size() == out.size();
  }

  // --- what stands in a product ----------------------------------------------------------------------------------------------------

  static std::string min_bracket(const Spelling& s, const Spelled& t, Level demanded) {
    return t.level < demanded ? s.bracket(t.text) : t.text;
  }
  std::string at_least(const Spelled& t, Level demanded) const { return min_bracket(s_, t, demanded); }

  std::optional<Rational> exponent(NodeId n) const {
    const Node& node = g_[n];
    bool power = node.kind == Kind::Map && (node.map_op() == MapOp::pow_ || node.map_op() == MapOp::pow0_);
    return power && g_[node.operands[1]].kind == Kind::Const ? std::optional(g_[node.operands[1]].value()) : std::nullopt;
  }
  // Shown whole, in matrix notation: [softmax(u)]_i.
  bool is_whole(NodeId id) const {
    const Node& n = g_[id];
    if (n.kind == Kind::Fun) return true;
    if (n.kind != Kind::Map || n.map_op() != MapOp::exp_ || n.rank() > 2) return false;
    Raised r = raise(g_, id, {});
    return r.expr && (*r.expr)->calls("softmax");
  }

  Spelled raised_to(NodeId power, const Letters& ls, const Rational& e, Label fresh) const {
    const NodeId base = g_[power].operands[0];
    const Letters own = g_[base].rank() == 0 ? Letters{} : ls;
    if (e == 1) return node(base, own, fresh);
    if (e == Rational(1, 2)) return {s_.root(node(base, own, fresh).text), Level::Atom};
    Spelled b = node(base, own, fresh);
    const bool bracketed = b.level < Level::Atom || (!own.empty() && g_[base].kind != Kind::Map);
    const std::string exponent =
        is_integer(e) ? s_.number(e)
                      : min_bracket(s_, {s_.quotient(s_.number(Rational(e.get_num())), s_.number(Rational(e.get_den()))), Level::Product},
                                    s_.derivative_is_atom() ? Level::Product : Level::Power);
    return {s_.power(bracketed ? s_.bracket(b.text) : b.text, exponent), Level::Power};
  }

  Spelled node(NodeId id, const Letters& ls, Label fresh) const {
    const Node& n = g_[id];
    if (const StandIn* d = derivative(id)) return {derivative_text(*d, &ls), s_.derivative_is_atom() ? Level::Atom : Level::Product};
    if (const StandIn* d = stand_in(id); d && d->kind == StandIn::Kind::LinearMap) {
      const std::string moves = s_.unit_matrix(indices_.value(ls[ls.size() - 2]), indices_.value(ls[ls.size() - 1]));
      return {s_.indexed(s_.square_bracket(along(*d, moves)), Letters(ls.begin(), ls.end() - 2))};
    }
    if (const StandIn* d = stand_in(id); d && d->kind == StandIn::Kind::Along) return {s_.indexed(s_.square_bracket(in_matrix(id)), ls)};
    switch (n.kind) {
      case Kind::Const:
        return {s_.number(abs(n.value())), n.value() < 0 ? Level::Sum : is_integer(n.value()) ? Level::Atom : Level::Product};
      case Kind::Size: return {s_.name(g_.spell(DimId{n.row}))};
      case Kind::Var: {
        const StandIn* s = stand_in(id);
        return {s_.indexed(s && s->kind == StandIn::Kind::Delta ? s_.name("delta") : s_.name(g_.symbol(id).name), ls)};
      }
      case Kind::Sum: return sum(id, ls, fresh);
      case Kind::Map: return is_whole(id) ? whole(id, ls) : function(id, ls, fresh);
      case Kind::Ein:
        if (is_identity(id)) return {s_.indexed(s_.name("delta"), ls)};
        if (n.rank() == 0 && !n.operands.empty() && !g_.is_structure(id)) return inner_sum(id, fresh);
        if (is_entrywise(id)) return entrywise(id, ls, fresh);
        break;
      default: break;
    }
    return whole(id, ls);
  }

  Spelled sum(NodeId id, const Letters& ls, Label fresh) const {
    const Node& n = g_[id];
    if (n.operands.empty()) return {s_.number(0)};
    std::vector<Spelling::SignedText> terms;
    for (size_t k = 0; k < n.operands.size(); ++k) {
      const Rational c = abs(n.coefficients[k]);
      const bool one = g_.is_one(n.operands[k]) || is_ones(n.operands[k]);
      const std::string text = one ? s_.number(c) : at_least(node(n.operands[k], ls, fresh), c == 1 ? Level::Product : Level::Power);
      terms.push_back({n.coefficients[k] < 0, one || c == 1 ? text : s_.product({s_.number(c), text})});
    }
    std::stable_partition(terms.begin(), terms.end(), [](const auto& t) { return !t.negative; });
    return {s_.sum(terms), terms.size() == 1 && !terms[0].negative ? Level::Product : Level::Sum};
  }
  bool is_ones(NodeId n) const { return is_structure(n, g_[n].rank()); }
  bool is_identity(NodeId n) const { return g_[n].rank() == 2 && is_structure(n, 1); }
  // A product of no factors with so many different letters.
  bool is_structure(NodeId n, size_t letters) const {
    if (g_[n].kind != Kind::Ein || !g_[n].operands.empty() || !g_.is_structure(n)) return false;
    const Labels out = g_.out(n);
    return std::set<Label>(out.begin(), out.end()).size() == letters;
  }

  // A sum within a line: its letters are its own.
  Spelled inner_sum(NodeId id, Label fresh) const {
    std::map<Label, Label> letter;
    std::vector<Factor> factors = g_.factors(id);
    for (Factor& f : factors)
      for (Label& l : f.labels) l = letter.try_emplace(l, fresh + Label(letter.size())).first->second;
    std::map<Label, size_t> uses;
    for (const Factor& f : factors) count(f.tensor, f.labels, uses);
    const bool explicitly = std::ranges::any_of(uses, [](const auto& u) { return u.second != 2; });
    return {term(1, factors, {}, {}, fresh + Label(letter.size())), explicitly && s_.is_language() ? Level::Atom : Level::Product};
  }

  Spelled entrywise(NodeId id, const Letters& ls, Label fresh) const {
    const Labels out = g_.out(id);
    std::vector<std::string> above, below;
    for (const Factor& f : g_.factors(id)) {
      Letters own;
      for (Label l : f.labels) own.push_back(ls[size_t(std::ranges::find(out, l) - out.begin())]);
      auto e = exponent(f.tensor);
      if (e && *e < 0) below.push_back(at_least(raised_to(f.tensor, own, Rational(-*e), fresh), Level::Power));
      else above.push_back(at_least(node(f.tensor, own, fresh), Level::Power));
    }
    return {fraction(std::move(above), std::move(below)), Level::Product};
  }

  Spelled function(NodeId id, const Letters& ls, Label fresh) const {
    const Node& n = g_[id];
    if (auto e = exponent(id)) {
      if (*e < 0) return {s_.quotient(s_.number(1), at_least(raised_to(id, ls, Rational(-*e), fresh), Level::Power)), Level::Product};
      return raised_to(id, ls, *e, fresh);
    }
    std::vector<std::string> arguments;
    for (NodeId o : n.operands) arguments.push_back(node(o, g_[o].rank() == 0 ? Letters{} : ls, fresh).text);
    if (n.map_op() == MapOp::pi_) return {s_.name("pi")};
    const std::string name(written_name(n.map_op()));
    if (is_comparison(n.map_op())) return {s_.comparison(arguments[0], name, arguments[1]), Level::Comparison};
    return {s_.function(name, arguments)};
  }

  // Matrix notation in brackets with indices: [inv(X)]_ij. What has none is named as the function it is.
  Spelled whole(NodeId id, const Letters& ls) const {
    const Node& n = g_[id];
    if (n.kind == Kind::Place && !ls.empty()) {  // delta_1k, delta_k(n + j)
      IndexLetter fixed = indices_.number(id, std::span(ls).subspan(1));
      fixed.height = ls[0].height == Variance::Up || !heights_ ? Variance::Down : Variance::Up;
      return {s_.indexed(s_.name("delta"), ls.size() == 1 ? Letters{fixed, ls[0]} : Letters{ls[0], fixed})};
    }
    if (is_ones(id) && ls.size() == 1) return {s_.indexed(s_.square_bracket(in_matrix(id)), ls)};
    Raised r = n.rank() > 2 ? Raised{std::nullopt, ""} : raise(g_, id, {});
    if (!r.expr) {
      if (n.kind == Kind::Epsilon) return {s_.indexed(s_.name(s_.is_language() ? "eps" : "ε"), ls)};
      const bool function = n.kind == Kind::Fun || n.kind == Kind::Call;
      std::string inner = "T";
      if (function) inner = n.kind == Kind::Fun ? std::string(row(n.fun_op()).name) : g_[SymbolId{n.row}].name;
      inner = s_.name(inner);
      std::vector<std::string> arguments;
      for (NodeId o : n.operands) arguments.push_back(in_matrix(o));
      const auto named = [&](NodeId o) { return g_[o].kind == Kind::Var || raise(g_, o, {}).expr; };
      if (function && std::ranges::all_of(n.operands, named)) inner = s_.applied(inner, arguments);
      return {s_.indexed(s_.square_bracket(inner), ls)};
    }
    const std::string text = named(s_.matrix(*r.expr));
    if (ls.empty()) return {text, text_level(**r.expr)};
    return {s_.indexed(s_.square_bracket(text), ls)};
  }

  // --- derivatives ----------------------------------------------------------------------------------------------------------------

  std::string derivative_text(const StandIn& d, const Letters* ls) const {
    const size_t rank = g_[d.of].rank();
    std::vector<std::string> held;
    for (NodeId h : d.held) held.push_back(s_.name(g_.symbol(h).name));
    if (!ls) return s_.derivative(in_matrix(d.of), in_matrix(d.by), held);
    const Letters of(ls->begin(), ls->begin() + long(rank));
    Letters by(ls->begin() + long(rank), ls->end());
    if (heights_)
      for (IndexLetter& l : by) l.height = l.height == Variance::Up ? Variance::Down : Variance::Up;
    const Spelled value = node(d.of, of, 0);
    const bool plain = g_[d.of].kind == Kind::Var || ((g_[d.of].kind == Kind::Fun || g_[d.of].kind == Kind::Call) && rank > 0);
    return s_.derivative(plain ? value.text : s_.bracket(value.text), node(d.by, by, 0).text, held);
  }

  // The derivative of a function along what moves: L_expm(X, H), and triu(H) of what is linear itself.
  std::string along(const StandIn& d, const std::string& moves) const {
    const FunctionRow& r = row(d.function);
    const std::string name(r.name);
    if (!r.is_primary()) return s_.function(name, {moves});
    const std::string map = s_.is_language() ? along_name(r) : s_.indexed(s_.name("L"), {{name}});
    return s_.applied(map, {in_matrix(d.of), moves});
  }

  // Names of derivatives in a spelled matrix expression become what they stand for.
  std::string named(std::string text) const {
    for (const auto& [n, meaning] : d_.stand_ins) {
      const bool derivative = meaning.kind == StandIn::Kind::Derivative;
      if (!derivative && meaning.kind != StandIn::Kind::Along) continue;
      const std::string& name = g_.symbol(n).name;
      const size_t whole = text.size();
      for (size_t at; (at = text.find(name)) != text.npos;) {
        std::string d = derivative ? derivative_text(meaning, nullptr) : in_matrix(n);
        if (derivative && !s_.derivative_is_atom() && whole != name.size()) d = s_.bracket(d);
        text.replace(at, name.size(), d);
      }
    }
    return text;
  }

  const Graph& g_;
  const Derivation& d_;
  const Spelling& s_;
  DerivationIndices indices_;
  bool heights_;
  std::map<NodeId, std::vector<std::optional<Variance>>> quantities_;
};

}  // namespace

std::vector<DocumentSection> document(const Graph& g, const Derivation& d, const Spelling& spelling) {
  const Printer printer(g, d, spelling);
  std::vector<DocumentSection> sections;
  size_t number = 0;
  for (const DerivationSection& s : d.sections) {
    DocumentSection& section = sections.emplace_back();
    section.heading = printer.reason(s.heading);
    std::string left;
    for (const DerivationStep& step : s.steps) {
      if (!step.shown) continue;
      DocumentLine& line = section.lines.emplace_back();
      line.number = ++number;
      const std::string derivative = printer.formula(step.left);
      std::string own = derivative;
      line.right = printer.formula(step.after);
      if (spelling.is_language() && step.after.notation == Formula::Notation::Answer && !printer.is_matrix(step.after)) {
        const std::string text = index_form(g, d.answer_name, d.answer, d.all_low);
        own = text.substr(0, text.rfind(" = "));  // with what is defined before it
        line.right = text.substr(own.size() + 3);
      }
      if (own != left) line.left = left = own;
      std::string reason = spelling.words(std::string(step_title(step.kind)));
      line.reasons.push_back(std::move(reason));
      for (const Reason& r : step.reasons)
        if (std::string text = printer.reason(r); text != left + " = " + line.right) line.reasons.push_back(std::move(text));
      if (own != derivative)
        line.reasons.push_back(spelling.inline_formula(own) + spelling.words(" stands for ") + spelling.inline_formula(derivative));
    }
  }
  return sections;
}

}  // namespace ricci
