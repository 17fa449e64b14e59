// Every rewrite rule is tested because it exists: both sides agree at random points, the right side is lighter, and the rule fires on its own left side.
#include "passes/rules.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <random>

#include "ir/interpret.h"
#include "passes/canonicalize.h"
#include "passes/weight.h"

namespace ricci {

void PrintTo(const Rule& r, std::ostream* os) { *os << r.name << ": " << r.left << " = " << r.right; }

namespace {

struct RuleTest : testing::TestWithParam<Rule> {};

// Orthogonal, nonsingular, positive or a simplex as the rule's conditions ask: a rotation in the first two coordinates, or a well-conditioned matrix.
Array<double> sample(const Rule& rule, const std::string& name, const Type& type, std::mt19937& random) {
  constexpr size_t n = 3;
  auto has = [&](Property p) {
    for (const RuleCondition& c : rule.where) if (c.variable == name && (Properties{c.property}.has(p))) return true;
    return false;
  };
  std::uniform_real_distribution<double> inside(rule.low, rule.high), small(-1, 1);
  if (type.empty()) return Array<double>({}, has(Property::sign) ? (inside(random) < 0 ? -1.0 : 1.0) : inside(random));
  if (type.size() == 1) {
    Array<double> a({n});
    for (double& x : a.data) x = has(Property::simplex) ? std::abs(inside(random)) : inside(random);
    const double sum = std::accumulate(a.data.begin(), a.data.end(), 0.0);
    for (double& x : a.data) x /= has(Property::simplex) ? sum : 1;
    return a;
  }
  Array<double> a({n, n});
  if (has(Property::orthogonal)) {
    double t = inside(random);
    for (size_t i = 0; i < n; ++i) a.data[i * n + i] = 1;
    a.data[0] = a.data[n + 1] = std::cos(t);
    a.data[1] = std::sin(t), a.data[n] = -std::sin(t);
    return a;
  }
  std::vector<double> b(n * n);
  for (double& x : b) x = small(random);
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j < n; ++j) {
      double gram = 0;
      for (size_t k = 0; k < n; ++k) gram += b[i * n + k] * b[j * n + k];
      if (has(Property::symmetric) && j > i) b[j * n + i] = b[i * n + j];
      if ((has(Property::upper) && j < i) || (has(Property::lower) && j > i)) b[i * n + j] = 0;
      a.data[i * n + j] = has(Property::spd) ? gram + (i == j ? 0.5 : 0) : b[i * n + j] + (i == j ? 2.5 : 0);
    }
  return a;
}

TEST_P(RuleTest, SidesAgreeAndRightIsLighter) {
  const Rule& rule = GetParam();
  Graph g;
  Bindings variables = rule_variables(g, rule.mode);
  NodeId left = build_formula(g, rule.left, variables, rule.mode), right = build_formula(g, rule.right, variables, rule.mode);
  ASSERT_EQ(g[left].type, g[right].type) << rule.name;
  Weight weight(g);
  EXPECT_LT(weight(right), weight(left)) << rule.name << " must make the expression lighter, or rewriting does not stop";
  std::mt19937 random(1);
  for (int trial = 0; trial < 50; ++trial) {
    Dims dims{{"n", 3}};
    std::map<NodeId, Array<double>> inputs;
    for (const auto& [name, node] : variables)
      if (g[node].kind == Kind::Var) inputs[node] = sample(rule, name, g[node].type, random);
    Array<double> l = interpret<double>(g, left, dims, inputs), r = interpret<double>(g, right, dims, inputs);
    ASSERT_EQ(l.data.size(), r.data.size());
    for (size_t i = 0; i < l.data.size(); ++i) ASSERT_NEAR(l.data[i], r.data[i], 1e-9 * (1 + std::abs(l.data[i]))) << rule.name;
  }
}

TEST_P(RuleTest, FiresOnItsOwnLeftSide) {
  const Rule& rule = GetParam();
  Graph g;
  Bindings variables = rule_variables(g, rule.mode);
  for (auto& [name, node] : variables) {  // the same variables with the properties the rule asks for
    if (g[node].kind != Kind::Var) continue;
    Symbol s = g.symbol(node);
    for (const RuleCondition& c : rule.where) if (c.variable == name) s.properties.add(c.property);
    node = g.variable(g.declare(s));
  }
  NodeId left = canonicalize(g, build_formula(g, rule.left, variables, rule.mode));
  std::vector<std::string_view> used;
  apply_rules(g, {left}, {&rule}, &used);
  EXPECT_FALSE(used.empty()) << rule.name << " never fires";
}

INSTANTIATE_TEST_SUITE_P(Rules, RuleTest, testing::ValuesIn(rules().begin(), rules().end()),
                         [](const testing::TestParamInfo<Rule>& i) { return i.param.name; });

}  // namespace
}  // namespace ricci
