#include "passes/derivation.h"

#include <algorithm>

#include "passes/canonicalize.h"
#include "passes/derivation_definitions.h"
#include "passes/derivation_words.h"
#include "passes/deriving.h"
#include "passes/rewrite.h"
#include "passes/rules.h"
#include "passes/substitute.h"

namespace ricci {
namespace {

constexpr int kMostRounds = 16;  // of flattening and rules, as in passes/pipeline.cpp

constexpr int kMostShort = 2;  // factors of what is inserted

}  // namespace

std::optional<Derivation> Deriving::operator()() {
  const Symbol declared = g_.symbol(r_.x);
  tied_ = declared.properties != declared.properties.untied();
  d_.function = r_.function;
  d_.variable = declared.name;
  d_.original = d_.x = r_.x;
  if (tied_) d_.x = g_.variable(g_.declare({declared.name, declared.type, declared.variance, declared.properties.untied()}));
  if (!r_.title.empty()) section(r_.title);
  std::vector<std::string_view> used;
  const NodeId original = free(r_.f.node), f = prepared(original, &used);
  introduce(f);
  rewrite(original, f, used);
  QuantityNames names{r_.function, {}, r_.taken};
  for (const auto& [node, name] : r_.names) names.given.emplace(prepared(free(node)), name);
  names.given.erase(f);
  auto quantities = take_apart(g_, f, d_.x, names, kMostQuantities);
  if (!quantities) return std::nullopt;
  for (Quantity& q : *quantities) parts_.push_back({std::move(q), {}, {}});
  for (const Part& p : parts_) resolved_[p.q.variable] = p.q.node;
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

// --- the function, before anything is differentiated -------------------------------------------------------------------------------

NodeId Deriving::free(NodeId n) {
  if (!tied_) return n;
  const NodeId result = substitute(g_, n, {{r_.x, d_.x}});
  if (!g_.symbol(r_.x).properties.has(Property::symmetric)) return result;
  return rewrite_bottom_up(g_, result, [&](NodeId m) { return read_straight(g_, m, {d_.x}); });
}

NodeId Deriving::prepared(NodeId n, std::vector<std::string_view>* used) {
  std::vector<const Rule*> all;
  for (const Rule& r : rules()) all.push_back(&r);
  for (int round = 0; round < kMostRounds; ++round) {
    const NodeId next = apply_rules(g_, {canonicalize(g_, n)}, all, used)[0];
    if (next == n) break;
    n = next;
  }
  return n;
}

void Deriving::introduce(NodeId f) {
  const std::vector<FunctionMeaning> found = function_meanings(g_, f, r_.answer.node, r_.source);
  if (found.empty()) return;
  section({"The functions in it"});
  for (const FunctionMeaning& d : found) {
    const Labels out = Graph::iota(g_[d.value].rank());
    const Formula left = out.empty() ? in_matrix(d.value) : index(lines_.lower(d.value, out, Label(out.size())));
    open(left, left);
    std::vector<Reason> reasons;
    if (!d.remark.empty()) reasons.push_back({std::string(d.remark)});
    meanings_[d.name] = step(StepKind::Define, index(lines_.lower(d.meaning, out, Label(out.size()))), std::move(reasons));
  }
}

void Deriving::rewrite(NodeId f, NodeId result, const std::vector<std::string_view>& used) {
  if (used.empty()) return;
  section({"The function, rewritten"});
  open(in_matrix(symbol_of(r_.function, f)), matrix(f));
  step(StepKind::Define, matrix(f), {});
  step(StepKind::Rewrite, matrix(result), reasons_on(used));
}

// Letters: the function's own come first everywhere, then those of a quantity, what is summed, and at the end the variable's.
void Deriving::define() {
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
    for (Reason& r : place_meanings(p.line)) reasons.push_back(std::move(r));
    numbers_[p.q.variable] = step(StepKind::Define, index(p.line), std::move(reasons));
    if (g_[p.q.body].kind == Kind::Map || g_[p.q.body].kind == Kind::Fun) values_.emplace(p.q.body, p.q.variable);
  }
}

// Of a delta between indices of different lengths, where a block or a digit stands in the result.
std::vector<Reason> Deriving::place_meanings(const IndexLine& line) {
  std::vector<Reason> reasons;
  std::set<NodeId> said;
  for (const IndexTerm& t : line.terms)
    for (const Factor& f : t.factors) {
      const Node n = g_[f.tensor];
      const bool free = std::ranges::find(line.out, f.labels.empty() ? 0 : f.labels[0]) != line.out.end();
      if (n.kind != Kind::Place || n.rank() < 2 || !free || !said.insert(f.tensor).second) continue;
      Reason& r = reasons.emplace_back(Reason{"in ", index({f.labels, n.type, {{1, {f}}}})});
      for (size_t k = 0; k < f.labels.size(); ++k) {
        r.insert(r.end(), {k == 0 ? " the index " : ", ", f.labels[k], k == 0 ? " runs from 1 to " : " to ", Code{g_.spell(n.type[k])}});
      }
    }
  return reasons;
}

// Whether a derivative is written out where it is used. Places are seen as indices only.
bool Deriving::is_short(const IndexLine& line) const {
  const auto counts = [&](const Factor& f) { return g_[f.tensor].kind != Kind::Place; };
  return line.terms.empty() || (line.terms.size() == 1 && std::ranges::count_if(line.terms[0].factors, counts) <= kMostShort);
}

// --- derivatives -------------------------------------------------------------------------------------------------------------------

void Deriving::derivative_section(const Part& of, NodeId by, const std::vector<NodeId>& held) {
  Reason heading = {"The derivative of ", in_matrix(of.q.variable), " by ", in_matrix(by)};
  for (NodeId h : held) {
    heading.push_back(h == held[0] ? " for fixed " : ", ");
    heading.push_back(in_matrix(h));
  }
  section(std::move(heading));
}
bool Deriving::contains(NodeId n, NodeId u) const {
  const std::vector<NodeId> nodes = g_.reachable(std::span(&n, 1));
  return std::ranges::binary_search(nodes, u);
}

// The stand-in for d value / d u, written as d of / d u with `held` fixed.
NodeId Deriving::derivative(NodeId value, NodeId of, NodeId u, const std::vector<NodeId>& held) {
  auto [it, first] = symbols_.try_emplace({value, of, u});
  if (first) it->second = stand_in(concat(g_[value].type, g_[u].type), {StandIn::Kind::Derivative, value, of, u, held});
  return it->second;
}

std::set<size_t> Deriving::dependent_on(NodeId u) const {
  std::set<size_t> found;
  std::set<NodeId> changed{u};
  for (size_t k = 0; k < parts_.size(); ++k)
    if (std::ranges::any_of(parts_[k].operands, [&](NodeId o) { return changed.contains(o); }))
      found.insert(k), changed.insert(parts_[k].q.variable);
  return found;
}

// The function with everything that depends on u written out, so that u is its only way to change.
NodeId Deriving::composed(NodeId u) {
  std::map<NodeId, NodeId> value;
  for (size_t k : dependent_on(u)) value[parts_[k].q.variable] = substitute(g_, parts_[k].q.body, value);
  return value.at(parts_.back().q.variable);
}

// d f / d u over all ways from u to f.
const Deriving::Total& Deriving::total(NodeId u) {
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
IndexLine Deriving::chain(NodeId u, const std::vector<size_t>& users, NodeId symbol, const Labels& by) {
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
  contract(now);
  return now;
}

// Local derivatives are written out, sensitivities only where they are short.
void Deriving::insert(const std::vector<size_t>& users, const std::vector<IndexLine>& locals, IndexLine& now) {
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
void Deriving::contract(IndexLine& now) {
  add_up(now);
  gather(now);
}
void Deriving::add_up(IndexLine& now) {
  std::vector<Renaming> renamed;
  IndexLine next = lines_.without_deltas(now, renamed);
  line(StepKind::Delta, now, std::move(next), reasons_on(renamed));
  next = lines_.like_terms(now);
  if (next.terms.size() == now.terms.size()) return;
  std::set<std::vector<std::pair<NodeId, Labels>>> spelled;
  for (const IndexTerm& t : IndexLines::tidy(now).terms) {
    std::vector<std::pair<NodeId, Labels>> factors;
    for (const Factor& f : t.factors) factors.emplace_back(f.tensor, f.labels);
    std::ranges::sort(factors);
    spelled.insert(std::move(factors));
  }
  // Terms that are spelled differently are alike by what was promised of a variable.
  std::vector<Reason> reasons = spelled.size() == next.terms.size() ? std::vector<Reason>{} : promises(lines_.node(now), true);
  line(StepKind::LikeTerms, now, std::move(next), std::move(reasons));
}

Reason Deriving::list(const std::set<size_t>& lines, const std::string& before) {
  Reason numbers;
  if (!before.empty()) numbers.push_back(before);
  for (size_t n : lines) numbers.push_back((n == *lines.begin() ? "(" : ", (") + std::to_string(n) + ")");
  return numbers;
}

std::optional<Derivation> derive(Graph& g, const DerivationRequest& request) { return Deriving(g, request)(); }

}  // namespace ricci
