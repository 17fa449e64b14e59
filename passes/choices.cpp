#include "passes/choices.h"

#include <algorithm>
#include <map>
#include <optional>

#include "passes/rewrite.h"
#include "passes/signs.h"
#include "passes/substitute.h"

namespace ricci {
namespace {

// A term of a sum as where(condition, yes, no); the branches have the type of the sum.
struct Choice {
  NodeId condition, yes, no;
};

bool is_choice(const Graph& g, NodeId n) { return g[n].kind == Kind::Map && g[n].map_op() == MapOp::select_; }

std::optional<Choice> as_choice(Graph& g, const Term& t, const Type& type) {
  const Labels all = Graph::iota(type.size());
  std::vector<Factor> rest;
  NodeId choice = t.tensor;
  if (g[t.tensor].kind == Kind::Ein) {
    if (g.out(t.tensor) != all) return std::nullopt;
    rest = g.factors(t.tensor);
    const auto f = std::ranges::find_if(rest, [&](const Factor& x) {
      return is_choice(g, x.tensor) && x.labels == all && g.is_zero(g[x.tensor].operands[1]) != g.is_zero(g[x.tensor].operands[2]);
    });
    if (f == rest.end()) return std::nullopt;
    choice = f->tensor;
    rest.erase(f);
  }
  if (!is_choice(g, choice)) return std::nullopt;
  const std::vector<NodeId> operands = g[choice].operands;
  const auto branch = [&](NodeId value) {
    if (g.is_zero(value)) return g.zero(type);
    std::vector<Factor> factors = rest;
    factors.push_back({value, g[value].rank() == 0 ? Labels{} : all});
    return g.scale(t.coefficient, g.ein(std::move(factors), all, type));
  };
  return Choice{operands[0], branch(operands[1]), branch(operands[2])};
}

// Whether the sign of `n` rests on sizes being at least one: what sums over an index is 0 if there is nothing to sum.
bool rests_on_sizes(const Graph& g, NodeId n) {
  return std::ranges::any_of(g.reachable(std::span(&n, 1)), [&](NodeId m) {
    const Labels out = g[m].kind == Kind::Ein ? g.out(m) : Labels{};
    return g[m].kind == Kind::Size || (g[m].kind == Kind::Ein && std::ranges::any_of(g[m].labels, [&](Label l) { return !std::ranges::count(out, l); }));
  });
}

// b^e is 0 for b = 0 and e > 0 only: never if b is not 0, and not if b is a variable in whose place a 0 makes e a number that is not positive, as in x^x.
bool never_zero(Graph& g, Signs& signs, NodeId n) {
  if (signs.range(n).excludes_zero() && !rests_on_sizes(g, n)) return true;
  if (g[n].kind != Kind::Map || g[n].map_op() != MapOp::pow_) return false;
  const NodeId base = g[n].operands[0], exponent = g[n].operands[1];
  if (signs.range(base).excludes_zero() && !rests_on_sizes(g, base)) return true;
  if (g[base].kind != Kind::Var || g[base].rank() > 0) return false;
  const NodeId at_zero = substitute(g, exponent, {{base, g.constant(0)}});
  return g[at_zero].kind == Kind::Const && g[at_zero].value() <= 0;
}

// The branch that is always taken. (exp underflows to 0: a branch of zeros is then the limit of the other one, in derivatives.)
NodeId settle_choice(Graph& g, Signs& signs, NodeId choice) {
  if (!is_choice(g, choice)) return choice;
  const Node& condition = g[g[choice].operands[0]];
  const bool asks = condition.kind == Kind::Map && condition.map_op() == MapOp::isequal_ && g.is_zero(condition.operands[1]) && g.is_zero(g[choice].operands[1]);
  const NodeId branch = g[choice].operands[2];
  return asks && g[branch].type == g[choice].type && never_zero(g, signs, condition.operands[0]) ? branch : choice;
}

NodeId join(Graph& g, NodeId sum) {
  if (g[sum].kind != Kind::Sum || g[sum].operands.size() < 2) return sum;
  const Type type = g[sum].type;
  std::map<NodeId, std::vector<Choice>> choices;
  std::map<NodeId, std::vector<Term>> sources;
  std::vector<Term> result;
  for (const Term& t : g.terms(sum)) {
    const auto c = as_choice(g, t, type);
    if (c) choices[c->condition].push_back(*c), sources[c->condition].push_back(t);
    else result.push_back(t);
  }
  if (std::ranges::none_of(choices, [](const auto& c) { return c.second.size() > 1; })) return sum;
  for (const auto& [condition, joined] : choices) {
    if (joined.size() == 1) {
      result.push_back(sources.at(condition)[0]);
      continue;
    }
    std::vector<Term> yes, no;
    for (const Choice& c : joined) yes.push_back({1, c.yes}), no.push_back({1, c.no});
    result.push_back({1, g.map(MapOp::select_, {condition, g.sum(std::move(yes), type), g.sum(std::move(no), type)})});
  }
  return g.sum(std::move(result), type);
}

}  // namespace

NodeId join_choices(Graph& g, NodeId root) {
  Signs signs(g);
  return rewrite_bottom_up(g, root, [&](NodeId n) { return join(g, settle_choice(g, signs, n)); });
}

}  // namespace ricci
