#include "passes/choices.h"

#include <algorithm>
#include <map>
#include <optional>

#include "passes/rewrite.h"

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
  return rewrite_bottom_up(g, root, [&](NodeId n) { return join(g, n); });
}

}  // namespace ricci
