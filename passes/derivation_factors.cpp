// The derivative of one right side: the product rule, then factor by factor. A function moves as its row of the tables says, which leaves
// the derivative of its operand standing for the next line; the variable itself gives deltas.
#include <algorithm>

#include "passes/derivation_words.h"
#include "passes/deriving.h"
#include "passes/differentiate.h"
#include "passes/substitute.h"

namespace ricci {

IndexLine Deriving::partial(const Part& v, NodeId u, NodeId symbol, const Labels& by) {
  define_along(v.line, u);
  define_long(v.line, u);
  IndexLine now = of_symbol(symbol, concat(v.line.out, by));
  open(index(now), index(now));
  product_rule(v, u, by, now);
  while (factors(u, by, now)) {
  }
  contract(now);
  return now;
}

void Deriving::product_rule(const Part& v, NodeId u, const Labels& by, IndexLine& now) {
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
  auto plain = [&](const IndexTerm& t) {  // x_i, x_2, or x_(n + i)
    return t.coefficient == 1 && std::ranges::count_if(t.factors, [&](const Factor& f) { return !lines_.is_entry(f); }) == 1;
  };
  const bool trivial = v.line.terms.size() == 1 && plain(v.line.terms[0]);
  const StepKind kind = products ? StepKind::ProductRule : v.line.terms.size() > 1 ? StepKind::TermByTerm : StepKind::ConstantFactors;
  if (trivial) now = std::move(next);
  else line(kind, now, std::move(next), std::move(reasons));
}

// Whether the derivative of a factor stands in the line, not yet said what it is.
bool Deriving::is_standing(const Factor& f) const {
  auto it = d_.stand_ins.find(f.tensor);
  return it != d_.stand_ins.end() && it->second.kind == StandIn::Kind::Derivative && it->second.of == it->second.value;
}

// All that stand at once; whether there was one. A derivative is linear in what moves, so in a term there is one at most.
bool Deriving::factors(NodeId u, const Labels& by, IndexLine& now) {
  IndexLine next{now.out, now.type, {}};
  std::vector<Reason> reasons;
  std::set<std::pair<NodeId, Labels>> said;
  bool found = false;
  const bool alone = now.terms.size() == 1 && now.terms[0].factors.size() == 1;
  for (const IndexTerm& t : now.terms) {
    IndexLine term{now.out, now.type, {t}};
    const auto it = std::ranges::find_if(t.factors, [&](const Factor& f) { return is_standing(f); });
    if (it != t.factors.end()) {
      found = true;
      std::vector<Reason> why;
      const IndexLine value = derived(*it, u, std::max(beyond(now), by.empty() ? 0 : by.back() + 1), alone, why);
      if (said.insert({it->tensor, it->labels}).second) std::ranges::move(why, std::back_inserter(reasons));
      term = IndexLines::replaced(term, 0, size_t(it - t.factors.begin()), value);
    }
    std::ranges::move(term.terms, std::back_inserter(next.terms));
  }
  if (found) line(StepKind::Factors, now, lines_.with_entries(next), std::move(reasons));
  return found;
}

IndexLine Deriving::derived(const Factor& f, NodeId u, Label fresh, bool alone, std::vector<Reason>& why) {
  const NodeId of = d_.stand_ins.at(f.tensor).of;
  std::vector<std::string_view> used;
  IndexLine result;
  std::set<size_t> from;
  if (of == u) {
    result = lines_.lower(differentiate(g_, of, u), f.labels, fresh);
  } else if (is_along(of, u)) {
    result = moved_along(f, u, fresh);
  } else if (auto moved = moved_by_operand(f, u, fresh, used, from)) {
    result = *moved;
  } else {
    result = lines_.lower(in_values(prepared(differentiate(g_, of, u), &used), from), f.labels, fresh);
  }
  Reason reason;
  if (!alone || of == u) reason = {index(of_symbol(f.tensor, f.labels)), " = ", index(result)};
  if (const std::string known = table_row(of, u); !known.empty()) {
    const Reason row = reason.empty() ? Reason{Code{known}} : Reason{", ", Code{known}};
    reason.insert(reason.end(), row.begin(), row.end());
  }
  if (!reason.empty()) why.push_back(std::move(reason));
  for (Reason& r : reasons_on(used)) why.push_back(std::move(r));
  if (!from.empty()) why.push_back(list(from, "with "));
  return result;
}

// d f(v)/du = f'(v) dv/du as the tables have it, linear in dv; nothing where v is not the only operand to move, or dv is inside a function.
std::optional<IndexLine> Deriving::moved_by_operand(const Factor& f, NodeId u, Label fresh, std::vector<std::string_view>& used,
                                                    std::set<size_t>& from) {
  const NodeId of = d_.stand_ins.at(f.tensor).of;
  const Node& n = g_[of];
  if (n.kind != Kind::Map && n.kind != Kind::Fun) return std::nullopt;
  const std::set<NodeId> operands(n.operands.begin(), n.operands.end());
  if (std::ranges::count_if(operands, [&](NodeId o) { return contains(o, u); }) != 1) return std::nullopt;
  const NodeId v = n.operands[position(n, u)];
  const Type type = g_[v].type;
  const NodeId dv =
      g_.variable(g_.declare({private_name(++private_names_), type, std::vector<Variance>(type.size(), Variance::Up), {}, {}, {}, true}));
  const Labels own(f.labels.begin(), f.labels.begin() + long(n.rank())), by(f.labels.begin() + long(n.rank()), f.labels.end());
  IndexLine line = lines_.lower(in_values(prepared(directional(g_, of, v, dv), &used), from), own, fresh);
  multiply_out(line, dv);
  const NodeId symbol = derivative(v, v, u);
  for (IndexTerm& t : line.terms) {
    auto moves = [&](const Factor& p) { return contains(p.tensor, dv); };
    if (std::ranges::count_if(t.factors, moves) != 1) return std::nullopt;
    const auto only = std::ranges::find_if(t.factors, moves);
    if (only->tensor != dv) return std::nullopt;
    *only = {symbol, concat(only->labels, by)};
    if (type.size() == 1) std::rotate(only, only + 1, t.factors.end());  // as for numbers: f'(v_i)*dv_i
    if (v == u && type.empty()) t.factors.erase(only);                   // du/du = 1
  }
  line.out = f.labels;
  line.type = g_[f.tensor].type;
  return line;
}

// Sums with dv in them.
void Deriving::multiply_out(IndexLine& line, NodeId dv) {
  for (size_t t = 0; t < line.terms.size();) {
    const std::vector<Factor>& factors = line.terms[t].factors;
    const auto sum = std::ranges::find_if(factors, [&](const Factor& f) {
      return f.tensor != dv && contains(f.tensor, dv) && (g_[f.tensor].kind == Kind::Sum || g_[f.tensor].kind == Kind::Ein);
    });
    if (sum == factors.end()) ++t;
    else line = IndexLines::replaced(line, t, size_t(sum - factors.begin()), lines_.lower(sum->tensor, sum->labels, beyond(line)));
  }
}

// Functions that are quantities, by their names; the numbers of the lines that say so.
NodeId Deriving::in_values(NodeId n, std::set<size_t>& from) {
  const NodeId result = substitute(g_, n, values_);
  if (result != n)
    for (const auto& [value, name] : values_)
      if (contains(result, name) && contains(n, value)) from.insert(numbers_.at(name));
  return result;
}

size_t Deriving::position(const Node& n, NodeId u) const {
  for (size_t k = 0; k < n.operands.size(); ++k)
    if (contains(n.operands[k], u)) return k;
  return 0;
}

// What the tables say of a function's derivative.
std::string Deriving::table_row(NodeId of, NodeId u) {
  const Node n = g_[of];
  if (n.kind == Kind::Map) return table_derivative(n.map_op() == MapOp::pow0_ ? MapOp::pow_ : n.map_op(), position(n, u));
  if (n.kind == Kind::Fun) {
    const FunctionRow& r = row(n.fun_op());
    return r.is_primary() && n.rank() == 2 && !is_along(of, u) ? table_commuting(r) : table_differential(r);
  }
  if (n.kind == Kind::Call) {
    const size_t k = position(n, u);
    NodeId d = g_.call_derivative(of, k);
    while (g_[d].kind == Kind::Ein) d = g_[d].operands[0];
    const std::string by = n.operands.size() == 1 ? "" : " by argument " + std::to_string(k + 1);
    return g_[SymbolId{g_[d].row}].name + " is the derivative of " + g_[SymbolId{n.row}].name + by;
  }
  return "";
}

}  // namespace ricci
