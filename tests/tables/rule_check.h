// What a rewrite rule must be: its sides agree at random points, its right side is lighter, and it fires on its own left side.
#pragma once
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <random>

#include "ir/interpret.h"
#include "passes/canonicalize.h"
#include "passes/rules.h"
#include "passes/weight.h"

namespace ricci {

// Orthogonal, nonsingular, positive or a simplex as the rule's conditions ask: a rotation in the first two coordinates, at times
// with a reflection, or a well-conditioned matrix. Entries are 0, too, and matrices of which
// the rule asks nothing are `singular` if they shall be.
inline Array<double> sample(const Rule& rule, const std::string& name, const std::vector<int64_t>& shape, bool singular, std::mt19937& random) {
  auto has = [&](Property p) {
    for (const RuleCondition& c : rule.where)
      if (c.variable == name && Properties{c.property}.has(p)) return true;
    return false;
  };
  std::uniform_real_distribution<double> inside(rule.low, rule.high), small(-1, 1);
  if (shape.empty()) {
    const double x = inside(random);
    if (has(Property::sign)) return Array<double>({}, x < 0 ? -1 : 1);
    if (has(Property::onehot)) return Array<double>({}, x < 0.5 ? 0 : 1);
    const bool zero = rule.mode == FormulaMode::Entrywise && rule.low < 0 && rule.high > 0 && random() % 4 == 0;
    return Array<double>({}, zero ? 0 : x);
  }
  Array<double> a(shape);
  if (shape.size() == 1) {
    if (has(Property::onehot)) {
      a.data[random() % a.data.size()] = 1;
      return a;
    }
    for (double& x : a.data) x = has(Property::simplex) ? std::abs(inside(random)) : inside(random);
    const double sum = std::accumulate(a.data.begin(), a.data.end(), 0.0);
    for (double& x : a.data) x /= has(Property::simplex) ? sum : 1;
    return a;
  }
  const size_t m = size_t(shape[0]), n = size_t(shape[1]);
  if (has(Property::orthogonal)) {
    double t = inside(random);
    for (size_t i = 0; i < n; ++i) a.data[i * n + i] = 1;
    a.data[0] = a.data[n + 1] = std::cos(t);
    a.data[1] = std::sin(t), a.data[n] = -std::sin(t);
    if (random() % 2)
      for (size_t j = 0; j < n; ++j) a.data[j] *= -1;
    return a;
  }
  std::vector<double> b(m * n);
  for (double& x : b) x = small(random);
  for (size_t i = 0; i < m; ++i)
    for (size_t j = 0; j < n; ++j) {
      double gram = 0;
      for (size_t k = 0; k < n && has(Property::spd); ++k) gram += b[i * n + k] * b[j * n + k];
      if (has(Property::symmetric) && !has(Property::spd) && j > i) b[j * n + i] = b[i * n + j];
      if ((has(Property::upper) && j < i) || (has(Property::lower) && j > i)) b[i * n + j] = 0;
      a.data[i * n + j] = has(Property::spd) ? gram + (i == j ? 0.5 : 0) : b[i * n + j] + (i == j ? 2.5 : 0);
    }
  const bool promised = std::ranges::any_of(rule.where, [&](const RuleCondition& c) { return c.variable == name; });
  if (singular && !promised) std::fill_n(a.data.begin(), n, 0.0);
  return a;
}

// Why the sides do not agree; nothing if they do. Sizes differ from point to point.
inline std::optional<std::string> sides_disagree(const Rule& rule) {
  Graph g;
  const Bindings variables = rule_variables(g, rule.mode);
  const NodeId left = build_formula(g, rule.left, variables, rule.mode), right = build_formula(g, rule.right, variables, rule.mode);
  if (g[left].type != g[right].type) return "the sides are tensors of different types";
  std::mt19937 random(1);
  for (int trial = 0; trial < 51; ++trial) {
    const Dims dims{{"m", 2 + trial / 3 % 3}, {"n", 2 + trial % 3}};
    const bool singular = trial % 4 == 3;
    std::map<NodeId, Array<double>> inputs;
    for (const auto& [name, node] : variables)
      if (g[node].kind == Kind::Var) inputs[node] = sample(rule, name, shape_of(g, g[node].type, dims), singular, random);
    const Array<double> l = interpret<double>(g, left, dims, inputs), r = interpret<double>(g, right, dims, inputs);
    for (size_t i = 0; i < l.data.size(); ++i)
      if (!(singular && !std::isfinite(l.data[i])) && !(std::abs(l.data[i] - r.data[i]) <= 1e-9 * (1 + std::abs(l.data[i])))) return fmt::format("{} is not {}", l.data[i], r.data[i]);
  }
  return std::nullopt;
}

// Rewriting stops because every rule makes the expression lighter.
inline bool gets_lighter(const Rule& rule) {
  Graph g;
  const Bindings variables = rule_variables(g, rule.mode);
  Weight weight(g);
  return weight(build_formula(g, rule.right, variables, rule.mode)) < weight(build_formula(g, rule.left, variables, rule.mode));
}

inline bool fires_on_its_left_side(const Rule& rule) {
  Graph g;
  Bindings variables = rule_variables(g, rule.mode);
  for (auto& [name, node] : variables) {  // the same variables with the properties the rule asks for
    if (g[node].kind != Kind::Var) continue;
    Symbol s = g.symbol(node);
    for (const RuleCondition& c : rule.where)
      if (c.variable == name) s.properties.add(c.property);
    node = g.variable(g.declare(s));
  }
  const NodeId left = canonicalize(g, build_formula(g, rule.left, variables, rule.mode));
  std::vector<std::string_view> used;
  apply_rules(g, {left}, {&rule}, &used);
  return !used.empty();
}

// Why this is no rule to have; nothing if it is one.
inline std::optional<std::string> refutation(const Rule& rule) {
  if (auto why = sides_disagree(rule)) return why;
  if (!gets_lighter(rule)) return "the right side is not lighter, so rewriting does not stop";
  if (!fires_on_its_left_side(rule)) return "the rule never fires";
  return std::nullopt;
}

}  // namespace ricci
