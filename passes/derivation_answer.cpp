// From the last line of components to the answer as it is printed: patterns of matrix notation, what the names stand for, simplification,
// and the conventions in force.
#include <algorithm>

#include "passes/canonicalize.h"
#include "passes/constrain.h"
#include "passes/derivation_definitions.h"
#include "passes/derivation_words.h"
#include "passes/deriving.h"
#include "passes/differentiate.h"
#include "passes/infer_properties.h"
#include "passes/rules.h"
#include "passes/simplify.h"
#include "passes/substitute.h"

namespace ricci {

// --- back to matrices --------------------------------------------------------------------------------------------------------------

std::optional<mat::Expr> Deriving::expression(NodeId n, const std::vector<Variance>& variance) const {
  return g_[n].rank() > 2 ? std::nullopt : raise(g_, n, variance).expr;
}

std::vector<Reason> Deriving::patterns(const IndexLine& line) {
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

bool Deriving::show_in_matrix(NodeId symbol, const IndexLine& line) {
  const Formula f = matrix(lines_.node(line));
  if (!expression(f.node)) return false;
  left_ = in_matrix(symbol);
  step(StepKind::Raise, f, patterns(line));
  return true;
}

// Everything named replaced by what it is, in the variables of the program.
NodeId Deriving::resolved(NodeId n) {
  std::map<NodeId, NodeId> values;
  for (NodeId m : g_.reachable(std::span(&n, 1))) {
    const auto meaning = d_.stand_ins.find(m);
    if (meaning == d_.stand_ins.end()) continue;
    auto [it, first] = resolved_.try_emplace(m);
    if (first) it->second = resolved(m, meaning->second);
    values[m] = resolved_.at(m);
  }
  return values.empty() ? n : substitute(g_, n, values);
}

NodeId Deriving::resolved(NodeId stand_in, const StandIn& meaning) {
  const NodeId value = meaning.value, by = meaning.by;
  switch (meaning.kind) {
    case StandIn::Kind::Delta: return stand_in;
    case StandIn::Kind::Quantity:
    case StandIn::Kind::Along: return resolved(value);
    case StandIn::Kind::LinearMap: return resolved(differentiate(g_, value, by));
    case StandIn::Kind::Derivative: break;
  }
  return resolved(lines_.dissolved(lines_.node(totals_.at(by).line)));  // sensitivities refer to those of later quantities
}

void Deriving::conclude(const Total& t) {
  const bool shown = !r_.indexed && show_in_matrix(t.symbol, t.line);
  const NodeId now = lines_.dissolved(lines_.node(t.line)), whole = resolved(now);
  inserted_ = whole != now ? named_in(now) : std::set<size_t>{};
  if (whole != now && !tied_ && shown && differs(whole, r_.answer.node)) resolve(whole);
  finish(t, substitute(g_, whole, {{d_.x, d_.original}}), whole);
}

// The lines that say what the names in `n` are, and the names in these.
std::set<size_t> Deriving::named_in(NodeId n) {
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
      } else if (meaning->second.kind == StandIn::Kind::LinearMap || meaning->second.kind == StandIn::Kind::Along) {
        if (auto line = along_lines_.find(meaning->second.function); line != along_lines_.end()) lines.insert(line->second);
        open.push_back(meaning->second.of);
        if (meaning->second.kind == StandIn::Kind::Along) open.push_back(meaning->second.by);
      } else if (meaning->second.kind == StandIn::Kind::Quantity) {
        lines.insert(numbers_.at(m));
        open.push_back(meaning->second.value);
      }
    }
  }
  return lines;
}
void Deriving::resolve(NodeId whole) {
  if (!expression(whole) || !differs(whole, current_.node)) return;
  constexpr uint32_t kLong = 30;  // nobody would write what is longer, and longer than the answer
  const auto answer = expression(r_.answer.node);
  if (const uint32_t size = (*expression(whole))->size; answer && size > kLong && 2 * size > 3 * (*answer)->size) return;
  inserted_.merge(recognised(current_.node, whole));
  std::vector<Reason> reasons{list(inserted_)};
  PropertyInference properties(g_);
  for (const Part& p : parts_) {
    const bool named = contains(current_.node, p.q.variable) && g_[p.q.variable].rank() == 2;
    if (named && properties(p.q.node).has(Property::symmetric)) reasons.push_back({in_matrix(p.q.variable), " is symmetric"});
  }
  step(StepKind::Resolve, matrix(whole), std::move(reasons));
  inserted_.clear();
}

std::set<size_t> Deriving::recognised(NodeId from, NodeId to) const {
  std::set<size_t> lines;
  auto before = expression(from), after = expression(to);
  if (before && after)
    for (const auto& [name, line] : meanings_)
      if (function_calls(*after).contains(name) && !function_calls(*before).contains(name)) lines.insert(line);
  return lines;
}

bool Deriving::differs(NodeId a, NodeId b) const {
  auto x = expression(a), y = expression(b);
  return !x || !y || !(*x == *y);
}
// What the user has promised of the variables in it, which may be why two sides are equal.
std::vector<Reason> Deriving::promises(NodeId n, bool of_entries) const {
  std::vector<Reason> reasons;
  for (NodeId m : g_.reachable(std::span(&n, 1)))
    if (g_[m].kind == Kind::Var) {
      const Properties p = g_.symbol(m).properties;
      if (of_entries ? p != p.untied() : !p.empty()) reasons.push_back({g_.symbol(m).name + " is " + promised(p)});
    }
  return reasons;
}

std::string Deriving::promised(Properties p) {
  std::string out;
  for (Property one : p.minimal()) out += (out.empty() ? "" : ", ") + std::string(row(one).name);
  return out;
}

StepKind Deriving::regrouped(NodeId from, NodeId to) const {
  auto x = expression(from), y = expression(to);
  auto terms = [](const mat::Expr& e) { return e->op == mat::Op::Add ? e->operands.size() : 1; };
  return x && y && terms(*y) > terms(*x) ? StepKind::Expand : StepKind::Collect;
}

NodeId Deriving::simplify_by_rules(NodeId now, const std::vector<std::string_view>& used) {
  std::set<std::string_view> done;
  for (std::string_view name : used) {
    const auto rule = std::ranges::find(rules(), name, &Rule::name);
    if (rule == rules().end() || !done.insert(name).second) continue;
    const NodeId flat = canonicalize(g_, now), next = canonicalize(g_, apply_rules(g_, {flat}, {&*rule})[0]);
    if (next == flat || !expression(next) || !differs(next, current_.node)) continue;
    Formula after = matrix(next);
    after.variance = current_.variance;
    step(StepKind::Simplify, after, reasons_on({name}));
    now = next;
  }
  return now;
}

// From the derivative in the program's variables to the answer as it is printed.
void Deriving::finish(const Total& t, NodeId whole, NodeId unconstrained) {
  left_ = in_matrix(t.symbol);
  const bool matrix_form = expression(r_.answer.node).has_value() && !r_.indexed;
  reach_answer(t, whole, unconstrained, matrix_form);
  if (matrix_form) lay_out();
}

void Deriving::reach_answer(const Total& t, NodeId whole, NodeId unconstrained, bool matrix_form) {
  if (tied_) whole = project(whole, unconstrained);
  std::vector<std::string_view> used;
  simplify(g_, whole, {.used = &used});
  const Labels letters = Graph::iota(g_[r_.answer.node].rank());
  const Formula answer{Formula::Notation::Answer, r_.answer.node, lines_.lower(r_.answer.node, letters, Label(letters.size())),
                       r_.answer.variance};
  const bool inserts = !inserted_.empty();
  if (matrix_form) inserted_.merge(recognised(current_.node, r_.answer.node));
  std::vector<Reason> reasons;
  if (!inserted_.empty()) reasons.push_back(list(inserted_, inserts && matrix_form ? "" : "with "));
  if (matrix_form) {
    if (!differs(r_.answer.node, current_.node)) return;
    const NodeId now = inserts ? whole : simplify_by_rules(whole, used);
    if (!differs(r_.answer.node, current_.node)) return;
    const bool rest = simplify(g_, now, {.rules = false}) != r_.answer.node;
    if (rest)
      for (Reason& r : reasons_on(used)) reasons.push_back(std::move(r));
    for (Reason& r : promises(now, !rest)) reasons.push_back(std::move(r));
    step(inserts ? StepKind::Resolve : rest ? StepKind::Simplify : regrouped(current_.node, r_.answer.node), answer, std::move(reasons));
    return;
  }
  for (Reason& r : reasons_on(used)) reasons.push_back(std::move(r));
  left_ = index(of_symbol(t.symbol, letters));
  if (!r_.indexed) reasons.insert(reasons.begin(), {raise(g_, r_.answer.node, {}).reason});
  if (!r_.indexed && is_closed(current_.node) && needs_addresses(r_.answer.node)) {
    const std::string why = g_[r_.answer.node].rank() > 2 ? ": " + raise(g_, r_.answer.node, {}).reason : "";
    d_.sections.back().steps.back().reasons.push_back({std::string(step_title(StepKind::NoMatrixForm)) + why});
    step(StepKind::NoMatrixForm, answer, {});
    d_.sections.back().steps.back().shown = false;
    return;
  }
  const StepKind kind = lines_.dissolved(current_.node) == r_.answer.node ? StepKind::Letters
                        : inserts                                         ? StepKind::Resolve
                                                                          : StepKind::Collect;
  step(r_.indexed ? kind : StepKind::NoMatrixForm, answer, std::move(reasons));
}

bool Deriving::is_closed(NodeId n) const {
  return std::ranges::none_of(g_.reachable(std::span(&n, 1)), [&](NodeId m) {
    const auto meaning = d_.stand_ins.find(m);
    return meaning != d_.stand_ins.end() && meaning->second.kind == StandIn::Kind::Derivative;
  });
}

// Whether the index form of the language spells it by places and batches of functions, where a person shifts indices.
bool Deriving::needs_addresses(NodeId n) const {
  return std::ranges::any_of(g_.reachable(std::span(&n, 1)), [&](NodeId m) {
    const Node& node = g_[m];
    const bool batch = node.kind == Kind::Fun && g_[node.operands[0]].rank() > row(node.fun_op()).core.in;
    return batch || (node.kind == Kind::Place && node.rank() > 1);
  });
}

// By a symmetric variable the derivative found is that by a free one, to be brought back (passes/constrain.h).
NodeId Deriving::project(NodeId whole, NodeId unconstrained) {
  resolve(unconstrained);
  const Symbol x = g_.symbol(r_.x);
  const NodeId projected = constrain(g_, whole, x, r_.style.symmetric);
  const Labels letters = Graph::iota(g_[projected].rank());
  const Formula after = expression(projected) ? in_matrix(projected) : index(lines_.lower(projected, letters, Label(letters.size())));
  const NodeId name = symbol_of("D(" + d_.function + ", " + d_.variable + ")", projected);
  open(expression(projected) ? in_matrix(name) : index(of_symbol(name, letters)), after);
  step(StepKind::Project, after,
       {{d_.variable + " is " + promised(x.properties) + ", so the derivative G by free entries becomes " + projection(x.properties)}});
  return projected;
}

std::string Deriving::projection(Properties p) const {
  if (r_.style.symmetric == SymmetricConvention::Unconstrained) return "G";
  if (p.has(Property::diagonal)) return "diag(diag(G))";
  if (p.has(Property::lower)) return "tril(G)";
  if (p.has(Property::upper)) return "triu(G)";
  const bool independent = r_.style.symmetric == SymmetricConvention::Independent;
  if (p.has(Property::skew)) return independent ? "G - G'" : "(G - G')/2";
  return independent ? "G + G' - diag(diag(G))" : "(G + G')/2";
}

// A derivative that is one matrix, in the layout asked for: df/dx' and df'/dx.
void Deriving::lay_out() {
  const size_t f_rank = g_[r_.answer.node].rank() - size_t(r_.order) * g_[r_.x].rank();
  const Value turned = laid_out(g_, r_.answer, f_rank, r_.style.layout);
  if (turned.node == r_.answer.node && turned.variance == r_.answer.variance) return;
  const NodeId whole = simplify(g_, turned.node);
  const bool numerator = r_.style.layout == DerivativeLayout::Numerator;
  Formula after = in_matrix(whole);
  after.variance = turned.variance;
  open(in_matrix(symbol_of("d" + d_.function + (numerator ? "/d" : "'/d") + d_.variable + (numerator ? "'" : ""), whole)), after);
  step(StepKind::Layout, after, {});
}

}  // namespace ricci
