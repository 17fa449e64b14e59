#include "passes/scalar_powers.h"

#include <map>

#include "passes/canonicalize.h"

namespace ricci {
namespace {

// Multiplies `powers` by n^sign.
void collect(Graph& g, NodeId root, int sign, std::map<NodeId, NodeId>& powers, Rational& coefficient) {
  auto add = [&](NodeId base, NodeId exponent) {
    auto [it, is_new] = powers.try_emplace(base, exponent);
    if (!is_new) it->second = g.add(it->second, exponent);
  };
  std::vector<std::pair<NodeId, NodeId>> open{{root, g.constant(sign)}};
  while (!open.empty()) {
    const auto [id, exponent] = open.back();
    open.pop_back();
    const Node& n = g[id];
    const bool whole = g[exponent].kind == Kind::Const && is_integer(g[exponent].value());
    if (n.kind == Kind::Const && whole && abs(g[exponent].value()) == 1 && n.value() != 0) {
      if (g[exponent].value() > 0) coefficient *= n.value();
      else coefficient /= n.value();
    } else if (n.kind == Kind::Sum && n.operands.size() == 1 && whole && abs(g[exponent].value()) == 1) {
      if (g[exponent].value() > 0) coefficient *= n.coefficients[0];
      else coefficient /= n.coefficients[0];
      open.push_back({n.operands[0], exponent});
    } else if (n.kind == Kind::Map && (n.map_op() == MapOp::pow_ || n.map_op() == MapOp::pow0_) && whole) {
      open.push_back({n.operands[0], g.ein({{n.operands[1], {}}, {exponent, {}}}, {}, {})});
    } else if (n.kind == Kind::Ein && whole) {
      bool plain = true;
      for (NodeId op : n.operands) plain = plain && g[op].rank() == 0;
      if (plain)
        for (NodeId op : std::vector(n.operands)) open.push_back({op, exponent});
      if (!plain) add(id, exponent);
    } else {
      add(id, exponent);
    }
  }
}

}  // namespace

NodeId quotient(Graph& g, NodeId a, NodeId b) {
  std::map<NodeId, NodeId> powers;
  Rational coefficient = 1;
  collect(g, a, 1, powers, coefficient);
  collect(g, b, -1, powers, coefficient);
  std::vector<Factor> factors;
  for (const auto& [base, sum] : powers) {
    const NodeId exponent = canonicalize(g, sum);
    const bool one = g.is_one(exponent);
    if (g.is_zero(exponent)) continue;
    factors.push_back({one ? base : g.map(MapOp::pow_, {base, exponent}), {}});
  }
  return g.scale(coefficient, g.ein(std::move(factors), {}, {}));
}

FactoredSum factored_sum(Graph& g, const std::vector<Term>& terms, const std::function<bool(NodeId)>& positive) {
  std::map<NodeId, Rational> least;
  for (size_t k = 0; k < terms.size(); ++k) {
    std::map<NodeId, NodeId> powers;
    Rational coefficient = 1;
    collect(g, terms[k].tensor, 1, powers, coefficient);
    std::map<NodeId, Rational> own;
    for (const auto& [base, exponent] : powers)
      if (g[exponent].kind == Kind::Const && positive(base)) own[base] = g[exponent].value();
    if (k == 0) least = own;
    for (auto& [base, e] : own)
      if (auto it = least.try_emplace(base, 0).first; e < it->second) it->second = e;
    for (auto& [base, e] : least)
      if (!own.contains(base) && e > 0) e = 0;
  }
  std::vector<Factor> factors;
  for (const auto& [base, e] : least)
    if (e != 0) factors.push_back({g.power(base, e), {}});
  const NodeId common = g.ein(std::move(factors), {}, {});
  std::vector<Term> rest;
  for (const Term& t : terms) rest.push_back({t.coefficient, quotient(g, t.tensor, common)});
  return {common, g.sum(std::move(rest), {})};
}

}  // namespace ricci
