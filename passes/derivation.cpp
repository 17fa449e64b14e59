#include "passes/derivation.h"

#include <algorithm>
#include <set>

#include "passes/canonicalize.h"
#include "passes/derivation_quantities.h"
#include "passes/derivation_words.h"
#include "passes/derivation_writer.h"
#include "passes/differentiate.h"
#include "passes/raise.h"
#include "passes/rules.h"
#include "passes/simplify.h"
#include "passes/substitute.h"

namespace ricci {
namespace {

constexpr int kMostRounds = 16;  // of flattening and rules, as in passes/pipeline.cpp

Labels concat(Labels a, const Labels& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}
Type concat(Type a, const Type& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

class Deriving : DerivationWriter {
 public:
  Deriving(Graph& g, const DerivationRequest& r) : DerivationWriter(g), r_(r) {}

  std::optional<Derivation> operator()() {
    const Symbol declared = g_.symbol(r_.x);
    tied_ = declared.properties != declared.properties.untied();
    d_.function = r_.function;
    d_.variable = declared.name;
    d_.original = d_.x = r_.x;
    if (tied_) d_.x = g_.variable(g_.declare({declared.name, declared.type, declared.variance, declared.properties.untied()}));
    if (!r_.title.empty()) section({r_.title});
    const NodeId f = rewrite(free(r_.f.node));
    QuantityNames names{r_.function, {}, r_.taken};
    for (const auto& [node, name] : r_.names) names.given.emplace(prepared(free(node)), name);
    names.given.erase(f);
    auto quantities = take_apart(g_, f, d_.x, names, kMostQuantities);
    if (!quantities) return std::nullopt;
    for (Quantity& q : *quantities) parts_.push_back({std::move(q), {}, {}});
    define();
    for (size_t k = parts_.size() - 1; k-- > 0;)
      if (parts_[k].q.active) total(parts_[k].q.variable);
    conclude(total(d_.x));
    for (auto [stand_in, dim] : lines_.deltas()) d_.stand_ins.emplace(stand_in, StandIn{.kind = StandIn::Kind::Delta});
    d_.answer = r_.answer;
    d_.answer_name = r_.answer_name;
    d_.variance = r_.f.variance;
    d_.indexed = r_.indexed;
    d_.all_low = r_.all_low;
    return std::move(d_);
  }

 private:
  struct Part {
    Quantity q;
    IndexLine line;             // of its right side
    std::set<NodeId> operands;  // variables and stand-ins in it
  };
  struct Total {
    NodeId symbol;
    IndexLine line;
    size_t step;  // the number of its last line
  };

  // --- the function, before anything is differentiated -------------------------------------------------------------------------------

  NodeId free(NodeId n) { return tied_ ? substitute(g_, n, {{r_.x, d_.x}}) : n; }

  NodeId prepared(NodeId n, std::vector<std::string_view>* used = nullptr) {
    std::vector<const Rule*> all;
    for (const Rule& r : rules()) all.push_back(&r);
    for (int round = 0; round < kMostRounds; ++round) {
      const NodeId next = apply_rules(g_, {canonicalize(g_, n)}, all, used)[0];
      if (next == n) break;
      n = next;
    }
    return n;
  }

  NodeId rewrite(NodeId f) {
    std::vector<std::string_view> used;
    const NodeId result = prepared(f, &used);
    if (used.empty()) return result;
    section({"The function, rewritten"});
    open(in_matrix(symbol_of(r_.function, f)), matrix(f));
    step(StepKind::Define, matrix(f), {});
    step(StepKind::Rewrite, matrix(result), reasons_on(used));
    return result;
  }

  // Letters: the function's own come first everywhere, then those of a quantity, what is summed, and at the end the variable's.
  void define() {
    const size_t rank = g_[parts_.back().q.body].rank();
    section({"In components"});
    for (Part& p : parts_) {
      const bool whole = &p == &parts_.back();
      const Labels out = whole ? Graph::iota(rank) : Graph::iota(g_[p.q.body].rank(), Label(rank));
      p.line = lines_.lower(p.q.body, out, Label(rank + (whole ? 0 : out.size())));
      for (NodeId n : g_.reachable(std::span(&p.q.body, 1)))
        if (g_[n].kind == Kind::Var) p.operands.insert(n);
      d_.stand_ins.emplace(p.q.variable, StandIn{.kind = StandIn::Kind::Quantity, .value = p.q.body});
      const Formula name = in_matrix(p.q.variable), right = matrix(p.q.body);
      const bool raised = g_[p.q.body].rank() <= 2 && raise(g_, p.q.body, {}).expr;
      if (!p.q.active && raised) {  // a constant is not taken apart
        open(name, right);
        numbers_[p.q.variable] = step(StepKind::Define, right, {});
        continue;
      }
      open(index(of_symbol(p.q.variable, out)), index(of_symbol(p.q.variable, out)));
      std::vector<Reason> reasons;
      if (raised) reasons.push_back({name, " = ", right});
      numbers_[p.q.variable] = step(StepKind::Define, index(p.line), std::move(reasons));
      if (g_[p.q.body].kind == Kind::Map || g_[p.q.body].kind == Kind::Fun) values_.emplace(p.q.body, p.q.variable);
    }
  }

  // --- derivatives -------------------------------------------------------------------------------------------------------------------

  void derivative_section(const Part& of, NodeId by, const std::vector<NodeId>& held = {}) {
    Reason heading = {"The derivative of ", in_matrix(of.q.variable), " by ", in_matrix(by)};
    for (NodeId h : held) {
      heading.push_back(h == held[0] ? " for fixed " : ", ");
      heading.push_back(in_matrix(h));
    }
    section(std::move(heading));
  }
  bool contains(NodeId n, NodeId u) const {
    const std::vector<NodeId> nodes = g_.reachable(std::span(&n, 1));
    return std::ranges::binary_search(nodes, u);
  }

  // The stand-in for d value / d u, written as d of / d u with `held` fixed.
  NodeId derivative(NodeId value, NodeId of, NodeId u, const std::vector<NodeId>& held = {}) {
    auto [it, first] = symbols_.try_emplace({value, of, u});
    if (!first) return it->second;
    const Type type = concat(g_[value].type, g_[u].type);
    it->second = g_.variable(g_.declare({private_name(symbols_.size()), type, std::vector<Variance>(type.size(), Variance::Up), {}}));
    d_.stand_ins.emplace(it->second, StandIn{StandIn::Kind::Derivative, value, of, u, held});
    return it->second;
  }

  std::set<size_t> dependent_on(NodeId u) const {
    std::set<size_t> found;
    std::set<NodeId> changed{u};
    for (size_t k = 0; k < parts_.size(); ++k)
      if (std::ranges::any_of(parts_[k].operands, [&](NodeId o) { return changed.contains(o); }))
        found.insert(k), changed.insert(parts_[k].q.variable);
    return found;
  }

  // The function with everything that depends on u written out, so that u is its only way to change.
  NodeId composed(NodeId u) {
    std::map<NodeId, NodeId> value;
    for (size_t k : dependent_on(u)) value[parts_[k].q.variable] = substitute(g_, parts_[k].q.body, value);
    return value.at(parts_.back().q.variable);
  }

  // d v / d u of a right side that has u in it: product rule, derivatives of the factors, deltas, like terms.
  IndexLine partial(const Part& v, NodeId u, NodeId symbol, const Labels& by) {
    const Labels all = concat(v.line.out, by);
    IndexLine now = of_symbol(symbol, all);
    open(index(now), index(now));
    product_rule(v, u, by, now);
    factors(u, by, now);
    std::vector<Renaming> renamed;
    IndexLine next = lines_.without_deltas(now, renamed);
    line(StepKind::Delta, now, std::move(next), reasons_on(renamed));
    next = lines_.like_terms(now);
    if (next.terms.size() != now.terms.size()) line(StepKind::LikeTerms, now, std::move(next), {});
    return now;
  }

  void product_rule(const Part& v, NodeId u, const Labels& by, IndexLine& now) {
    IndexLine next{now.out, now.type, {}};
    bool products = false;
    std::vector<Reason> reasons;
    for (const IndexTerm& t : v.line.terms) {
      size_t count = 0;
      for (size_t p = 0; p < t.factors.size(); ++p) {
        const Factor& f = t.factors[p];
        if (!contains(f.tensor, u)) continue;
        IndexTerm& term = next.terms.emplace_back(t);
        term.factors[p] = {derivative(f.tensor, f.tensor, u), concat(f.labels, by)};
        ++count;
      }
      products |= count > 1;
      if (count == 0) reasons.push_back({index({v.line.out, v.line.type, {{1, t.factors}}}), " does not depend on ", in_matrix(u)});
    }
    const bool trivial = v.line.terms.size() == 1 && v.line.terms[0].factors.size() == 1 && v.line.terms[0].coefficient == 1;
    if (trivial) now = std::move(next);
    else
      line(products                  ? StepKind::ProductRule
           : v.line.terms.size() > 1 ? StepKind::TermByTerm
                                     : StepKind::ConstantFactors,
           now, std::move(next), std::move(reasons));
  }

  void factors(NodeId u, const Labels& by, IndexLine& now) {
    IndexLine next = now;
    std::vector<Reason> reasons;
    std::set<std::pair<NodeId, Labels>> said;
    for (size_t t = 0; t < next.terms.size();) {
      size_t p = 0;
      auto standing = [&](const Factor& f) {
        auto it = d_.stand_ins.find(f.tensor);
        return it != d_.stand_ins.end() && it->second.kind == StandIn::Kind::Derivative && it->second.of == it->second.value;
      };
      while (p < next.terms[t].factors.size() && !standing(next.terms[t].factors[p])) ++p;
      if (p == next.terms[t].factors.size()) {
        ++t;
        continue;
      }
      const Factor f = next.terms[t].factors[p];
      const NodeId of = d_.stand_ins.at(f.tensor).of;
      const NodeId value = of == u ? differentiate(g_, of, u) : substitute(g_, prepared(differentiate(g_, of, u)), values_);
      const IndexLine derived = lines_.lower(value, f.labels, std::max(beyond(next), by.empty() ? 0 : by.back() + 1));
      const bool alone = next.terms.size() == 1 && next.terms[0].factors.size() == 1 && of != u;
      if (said.insert({f.tensor, f.labels}).second)
        reasons.push_back(alone ? Reason{table_row(of, u)} : reason_on(of, u, value, f, derived));
      next = IndexLines::replaced(next, t, p, derived);
    }
    line(StepKind::Factors, now, std::move(next), std::move(reasons));
  }

  size_t position(const Node& n, NodeId u) const {
    for (size_t k = 0; k < n.operands.size(); ++k)
      if (contains(n.operands[k], u)) return k;
    return 0;
  }

  // dx_i/dx_k = delta_ik; and for functions the row of the table that says so.
  Reason reason_on(NodeId of, NodeId u, NodeId value, const Factor& f, const IndexLine& derived) {
    Labels distinct = f.labels;
    std::ranges::sort(distinct);
    if (std::ranges::adjacent_find(distinct) != distinct.end()) {  // A_ii: said of A_ij
      const Labels all = Graph::iota(f.labels.size());
      return reason_on(of, u, value, {f.tensor, all}, lines_.lower(value, all, Label(all.size())));
    }
    Reason r = {index(of_symbol(f.tensor, f.labels)), " = ", index(derived)};
    if (std::string known = table_row(of, u); !known.empty()) r.push_back(", " + known);
    return r;
  }

  // What the tables say of a function's derivative.
  std::string table_row(NodeId of, NodeId u) const {
    const Node& n = g_[of];
    if (n.kind == Kind::Map) return table_derivative(n.map_op() == MapOp::pow0_ ? MapOp::pow_ : n.map_op(), position(n, u));
    if (n.kind == Kind::Fun) return table_differential(row(n.fun_op()));
    return "";
  }

  static std::string table_differential(const FunctionRow& r) {
    const std::string name(r.name), head = "F = " + name + "(X) has dF = ";
    if (!r.is_primary()) return head + std::string(r.differential);
    const std::string slope = r.derivative.starts_with('-') ? "(" + std::string(r.derivative) + ")" : std::string(r.derivative);
    return head + "dX*" + slope + " where dX*X = X*dX, and else the upper right block of " + name + "([X, dX; 0*X, X])";
  }

  // d f / d u over all ways from u to f.
  const Total& total(NodeId u) {
    const Part& f = parts_.back();
    std::vector<size_t> users;
    Label first = Label(g_[f.q.body].rank());
    for (size_t k = 0; k < parts_.size(); ++k)
      if (parts_[k].operands.contains(u) && parts_[k].q.active) users.push_back(k), first = std::max(first, beyond(parts_[k].line));
    const Labels by = Graph::iota(g_[u].rank(), first);
    const NodeId symbol = users.empty() ? derivative(f.q.body, f.q.variable, u) : derivative(composed(u), f.q.variable, u);
    Total result{symbol, {concat(f.line.out, by), g_[symbol].type, {}}, 0};
    if (users.empty()) {
      derivative_section(f, u);
      const Formula s = index(of_symbol(symbol, result.line.out));
      open(s, s);
      step(StepKind::Zero, index(result.line), {});
    } else if (users.size() == 1 && users[0] + 1 == parts_.size()) {
      derivative_section(f, u);
      result.line = partial(f, u, symbol, by);
    } else {
      result.line = chain(u, users, symbol, by);
    }
    if (u != d_.x && !is_short(result.line)) show_in_matrix(symbol, result.line);
    result.step = steps_;
    return totals_[u] = std::move(result);
  }

  // df/du_k = sum over the quantities v that u enters: df/dv_i dv_i/du_k.
  IndexLine chain(NodeId u, const std::vector<size_t>& users, NodeId symbol, const Labels& by) {
    const Part& f = parts_.back();
    const std::set<size_t> dependent = dependent_on(u);
    IndexLine now{concat(f.line.out, by), g_[symbol].type, {}};
    std::vector<IndexLine> locals;
    Reason through = {"through "};
    std::vector<Reason> inserted;
    for (size_t k : users) {
      const Part& v = parts_[k];
      std::vector<NodeId> held;
      for (size_t j : dependent)
        if (v.operands.contains(parts_[j].q.variable)) held.push_back(parts_[j].q.variable);
      const NodeId local = derivative(v.q.body, v.q.variable, u, held);
      derivative_section(v, u, held);
      locals.push_back(partial(v, u, local, by));
      numbers_[local] = steps_;
      const Labels own = v.line.out;
      IndexTerm& t = now.terms.emplace_back();
      if (k + 1 != parts_.size()) t.factors.push_back({totals_.at(v.q.variable).symbol, concat(f.line.out, own)});
      t.factors.push_back({local, concat(own, by)});
      if (through.size() > 1) through.push_back(", ");
      if (k + 1 == parts_.size()) through.push_back("directly");
      else through.push_back(in_matrix(v.q.variable));
    }
    derivative_section(f, u);
    const Formula s = index(of_symbol(symbol, now.out));
    open(s, s);
    step(StepKind::ChainRule, index(now), {through});
    insert(users, locals, now);
    std::vector<Renaming> renamed;
    IndexLine next = lines_.without_deltas(now, renamed);
    line(StepKind::Delta, now, std::move(next), reasons_on(renamed));
    next = lines_.like_terms(now);
    if (next.terms.size() != now.terms.size()) line(StepKind::LikeTerms, now, std::move(next), {});
    return now;
  }

  // Local derivatives are written out, sensitivities only where they are short.
  void insert(const std::vector<size_t>& users, const std::vector<IndexLine>& locals, IndexLine& now) {
    IndexLine next{now.out, now.type, {}};
    std::set<size_t> from;
    for (size_t k = 0; k < users.size(); ++k) {
      IndexLine term{now.out, now.type, {now.terms[k]}};
      const Factor local = term.terms[0].factors.back();
      from.insert(numbers_.at(local.tensor));
      term = IndexLines::replaced(term, 0, term.terms[0].factors.size() - 1, IndexLines::relabelled(locals[k], local.labels, beyond(now)));
      if (users[k] + 1 != parts_.size()) {
        const Total& t = totals_.at(parts_[users[k]].q.variable);
        for (size_t i = 0; is_short(t.line) && i < term.terms.size();) {
          const size_t count = term.terms.size();
          const IndexLine value = IndexLines::relabelled(t.line, term.terms[i].factors[0].labels, std::max(beyond(now), beyond(term)));
          term = IndexLines::replaced(term, i, 0, value);
          from.insert(t.step);
          if (term.terms.size() >= count) ++i;
        }
      }
      next.terms.insert(next.terms.end(), term.terms.begin(), term.terms.end());
    }
    line(StepKind::Insert, now, IndexLines::tidy(next), {list(from)});
  }
  static Reason list(const std::set<size_t>& lines) {
    Reason numbers;
    for (size_t n : lines) numbers.push_back((numbers.empty() ? "(" : ", (") + std::to_string(n) + ")");
    return numbers;
  }

  static bool is_short(const IndexLine& line) {
    return line.terms.empty() || (line.terms.size() == 1 && line.terms[0].factors.size() <= 2);
  }

  // --- back to matrices --------------------------------------------------------------------------------------------------------------

  std::optional<mat::Expr> expression(NodeId n, const std::vector<Variance>& variance = {}) const {
    return g_[n].rank() > 2 ? std::nullopt : raise(g_, n, variance).expr;
  }

  std::vector<Reason> patterns(const IndexLine& line) {
    std::vector<Reason> reasons;
    for (const IndexTerm& t : line.terms) {
      const IndexTerm product{1, t.factors};
      const NodeId n = lines_.dissolved(lines_.node(product, line));
      auto e = expression(n);
      if (!e || (*e)->op == mat::Op::Name || (*e)->op == mat::Op::Number) continue;
      const mat::Expr named = (*e)->op == mat::Op::Divide ? (*e)->operands[0] : *e;
      reasons.push_back({index({line.out, line.type, {product}}), " is " + std::string(pattern_name(named)), matrix(n)});
    }
    return reasons;
  }

  bool show_in_matrix(NodeId symbol, const IndexLine& line) {
    const Formula f = matrix(lines_.node(line));
    if (!expression(f.node)) return false;
    left_ = in_matrix(symbol);
    step(StepKind::Raise, f, patterns(line));
    return true;
  }

  // Everything named replaced by what it is, in the variables of the program.
  NodeId resolved(NodeId n) {
    std::map<NodeId, NodeId> values;
    for (const Part& p : parts_) values[p.q.variable] = p.q.node;
    for (size_t k = parts_.size() - 1; k-- > 0;) {  // sensitivities refer to those of later quantities
      auto it = totals_.find(parts_[k].q.variable);
      if (it != totals_.end()) values[it->second.symbol] = substitute(g_, lines_.dissolved(lines_.node(it->second.line)), values);
    }
    return substitute(g_, n, values);
  }

  void conclude(const Total& t) {
    const bool shown = !r_.indexed && show_in_matrix(t.symbol, t.line);
    NodeId now = lines_.dissolved(lines_.node(t.line));
    if (shown) {
      std::vector<std::string_view> used;
      const NodeId collected = simplify(g_, now, {.used = &used});
      if (shorter(collected, now)) step(StepKind::Collect, matrix(collected), reasons_on(used)), now = collected;
    }
    const NodeId whole = resolved(now);
    inserted_ = whole != now ? named_in(now) : std::vector<Reason>{};
    if (whole != now && !tied_ && shown && differs(whole, r_.answer.node)) resolve(whole);
    finish(t, substitute(g_, whole, {{d_.x, d_.original}}), whole);
  }

  // The lines that say what the names in `n` are, and the names in these.
  std::vector<Reason> named_in(NodeId n) {
    std::set<NodeId> seen;
    std::vector<NodeId> open{n};
    std::set<size_t> lines;
    while (!open.empty()) {
      const NodeId root = open.back();
      open.pop_back();
      for (NodeId m : g_.reachable(std::span(&root, 1))) {
        auto meaning = d_.stand_ins.find(m);
        if (meaning == d_.stand_ins.end() || !seen.insert(m).second) continue;
        if (meaning->second.kind == StandIn::Kind::Derivative) {
          const Total& t = totals_.at(meaning->second.by);
          lines.insert(t.step);
          open.push_back(lines_.node(t.line));
        } else if (meaning->second.kind == StandIn::Kind::Quantity) {
          lines.insert(numbers_.at(m));
          open.push_back(meaning->second.value);
        }
      }
    }
    return lines.empty() ? std::vector<Reason>{} : std::vector<Reason>{list(lines)};
  }
  void resolve(NodeId whole) {
    if (!expression(whole) || !differs(whole, current_.node)) return;
    step(StepKind::Resolve, matrix(whole), std::move(inserted_));
    inserted_.clear();
  }

  bool differs(NodeId a, NodeId b) const {
    auto x = expression(a), y = expression(b);
    return !x || !y || !(*x == *y);
  }
  bool shorter(NodeId a, NodeId b) const {
    auto x = expression(a), y = expression(b);
    return x && y && (*x)->size <= (*y)->size && !(*x == *y);
  }

  // From the derivative in the program's variables to the answer as it is printed.
  void finish(const Total& t, NodeId whole, NodeId unconstrained) {
    left_ = in_matrix(t.symbol);
    if (tied_) whole = project(whole, unconstrained);
    const bool matrix_form = expression(r_.answer.node).has_value() && !r_.indexed;
    if (transposed()) whole = transpose(whole, matrix_form);
    std::vector<std::string_view> used;
    simplify(g_, whole, {.used = &used});
    const Labels letters = Graph::iota(g_[r_.answer.node].rank());
    const Formula answer{Formula::Notation::Answer, r_.answer.node, lines_.lower(r_.answer.node, letters, Label(letters.size())),
                         r_.answer.variance};
    std::vector<Reason> reasons = std::move(inserted_);
    const bool inserts = !reasons.empty();
    for (Reason& r : reasons_on(used)) reasons.push_back(std::move(r));
    if (matrix_form) {
      const StepKind kind = inserts ? StepKind::Resolve : used.empty() ? StepKind::Collect : StepKind::Simplify;
      if (differs(r_.answer.node, current_.node)) step(kind, answer, std::move(reasons));
      return;
    }
    if (!transposed()) left_ = index(of_symbol(t.symbol, letters));
    if (!r_.indexed) reasons.insert(reasons.begin(), {raise(g_, r_.answer.node, {}).reason});
    const StepKind kind = lines_.dissolved(current_.node) == r_.answer.node ? StepKind::Letters
                          : inserts                                         ? StepKind::Resolve
                                                                            : StepKind::Collect;
    step(r_.indexed ? kind : StepKind::NoMatrixForm, answer, std::move(reasons));
  }

  // By a symmetric variable the derivative found is that by a free one, to be brought back (passes/constrain.h).
  NodeId project(NodeId whole, NodeId unconstrained) {
    resolve(unconstrained);
    const Symbol x = g_.symbol(r_.x);
    const NodeId projected = constrain(g_, whole, x, r_.style.symmetric);
    std::string promise;
    for (Property p : x.properties.minimal()) promise += (promise.empty() ? "" : ", ") + std::string(row(p).name);
    open(in_matrix(symbol_of("D(" + d_.function + ", " + d_.variable + ")", projected)), in_matrix(projected));
    step(StepKind::Project, in_matrix(projected),
         {{d_.variable + " is " + promise + ", so the derivative G by free entries becomes " + projection(x.properties)}});
    return projected;
  }

  std::string projection(Properties p) const {
    if (r_.style.symmetric == SymmetricConvention::Unconstrained) return "G";
    if (p.has(Property::diagonal)) return "diag(diag(G))";
    if (p.has(Property::skew)) return "(G - G')/2";
    if (!p.has(Property::symmetric)) return "its projection";
    return r_.style.symmetric == SymmetricConvention::Independent ? "G + G' - diag(diag(G))" : "(G + G')/2";
  }

  bool transposed() const {
    const size_t f_rank = g_[r_.f.node].rank(), x_rank = g_[r_.x].rank();
    return r_.order == 1 && ((r_.style.layout == DerivativeLayout::Numerator && f_rank == 0 && x_rank > 0) ||
                             (r_.style.layout == DerivativeLayout::Denominator && f_rank > 0));
  }

  NodeId transpose(NodeId whole, bool matrix_form) {
    if (g_[whole].rank() == 2) whole = g_.permute(whole, {1, 0});
    if (!matrix_form || g_[whole].rank() == 0) return whole;
    Formula turned = in_matrix(whole);
    turned.variance = r_.answer.variance;
    const bool numerator = r_.style.layout == DerivativeLayout::Numerator;  // df/dx' and df'/dx
    open(in_matrix(symbol_of("d" + d_.function + (numerator ? "/d" : "'/d") + d_.variable + (numerator ? "'" : ""), whole)), turned);
    step(StepKind::Layout, turned, {});
    return whole;
  }

  const DerivationRequest& r_;
  bool tied_ = false;
  std::vector<Part> parts_;
  std::map<std::tuple<NodeId, NodeId, NodeId>, NodeId> symbols_;  // by value, name and variable
  std::map<NodeId, Total> totals_;
  std::map<NodeId, size_t> numbers_;  // of the line that says what a quantity or a local derivative is
  std::map<NodeId, NodeId> values_;   // sigmoid(u) is s, where s is so defined
  std::vector<Reason> inserted_;
};

}  // namespace

std::optional<Derivation> derive(Graph& g, const DerivationRequest& request) { return Deriving(g, request)(); }

}  // namespace ricci
