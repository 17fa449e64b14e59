#include "passes/symbolic_powers.h"

#include <algorithm>

#include "ir/product.h"
#include "passes/canonicalize.h"

namespace ricci {
namespace {

bool is_power(const Graph& g, NodeId n) { return g[n].kind == Kind::Map && (g[n].map_op() == MapOp::pow_ || g[n].map_op() == MapOp::pow0_); }

// b^e of a base and an exponent that is a number for none of its entries.
bool is_symbolic(const Graph& g, NodeId n) {
  return is_power(g, n) && g[g[n].operands[1]].kind != Kind::Const && g[g[n].operands[0]].rank() == g[n].rank();
}

// A factor as root^exponent; one that is no power is its own root.
std::pair<NodeId, Rational> numeric_power(const Graph& g, NodeId n) {
  const NodeId base = power_base(g, n);
  return {base, base == n ? Rational(1) : g[g[n].operands[1]].value()};
}

NodeId with_exponent(Graph& g, NodeId power, NodeId exponent) { return g.map(g[power].map_op(), {g[power].operands[0], canonicalize(g, exponent)}); }

// The product of two factors that stand at the same labels, as one power.
std::optional<NodeId> joined(Graph& g, NodeId power, NodeId other) {
  if (is_symbolic(g, other) && g[other].operands[0] == g[power].operands[0]) {
    const NodeId a = g[power].operands[1], b = g[other].operands[1];
    if (g[a].type != g[b].type) return std::nullopt;
    return with_exponent(g, g[power].map_op() == MapOp::pow0_ ? power : other, g.add(a, b));
  }
  const auto [root, exponent] = numeric_power(g, other);
  return root == symbolic_power(g, power)->root ? times_power_of_root(g, power, exponent) : std::nullopt;
}

// How often a product of powers stands among the factors at these labels, not counting the factor `without`: x/y is once in x^2/y^3, -1 times in y/x.
long contained(const Graph& g, const std::vector<Factor>& factors, size_t without, const std::vector<std::pair<NodeId, Rational>>& powers) {
  long times = 0;
  for (const auto& [root, exponent] : powers) {
    const auto at = std::ranges::find_if(factors, [&](const Factor& f) {
      return &f != &factors[without] && f.labels == factors[without].labels && numeric_power(g, f.tensor).first == root;
    });
    if (at == factors.end()) return 0;
    const Rational ratio = numeric_power(g, at->tensor).second / exponent;
    const long own = ratio >= 1 ? 1 : ratio <= -1 ? -1 : 0;
    if (own == 0 || (times != 0 && own != times)) return 0;
    times = own;
  }
  return times;
}

// (x/y)^a*x/y = (x/y)^(a + 1): of the factors that the base of one of them is the product of.
bool collect_factors_of_base(Graph& g, std::vector<Factor>& factors) {
  for (size_t k = 0; k < factors.size(); ++k) {
    const auto symbolic = symbolic_power(g, factors[k].tensor);
    if (!symbolic || symbolic->step != 1 || g[symbolic->root].kind != Kind::Ein) continue;
    const Labels out = g.out(symbolic->root);
    std::vector<std::pair<NodeId, Rational>> powers;
    for (const Factor& f : g.factors(symbolic->root))
      if (f.labels == out) powers.push_back(numeric_power(g, f.tensor));
    if (powers.size() != g[symbolic->root].operands.size()) continue;
    const long times = contained(g, factors, k, powers);
    const auto power = times == 0 ? std::nullopt : times_power_of_root(g, factors[k].tensor, times);
    if (!power) continue;
    factors[k].tensor = *power;
    for (const auto& [root, exponent] : powers) factors.push_back({g.power(root, Rational(-times * exponent)), factors[k].labels});
    return true;
  }
  return false;
}

// (2*x)^(1/2)/x = 2/(2*x)^(1/2): a base with a coefficient and a broken exponent, whose root is no number, takes the bare base in the other direction.
Rational collect_bare_base(Graph& g, std::vector<Factor>& factors) {
  for (Factor& f : factors) {
    const auto [base, exponent] = numeric_power(g, f.tensor);
    if (g[base].kind != Kind::Sum || g[base].operands.size() != 1 || is_integer(exponent) || g[f.tensor].map_op() != MapOp::pow_) continue;
    const auto [coefficient, bare] = g.terms(base)[0];
    for (Factor& other : factors) {
      const auto [root, k] = numeric_power(g, other.tensor);
      const bool guarded = root != other.tensor && g[other.tensor].map_op() != MapOp::pow_;
      if (root != bare || guarded || other.labels != f.labels || !is_integer(k) || sgn(k) == sgn(exponent)) continue;
      const Rational step = sgn(k);
      f.tensor = g.power(base, Rational(exponent + step));
      other.tensor = g.map(MapOp::pow_, {bare, g.constant(k - step)});
      return step > 0 ? Rational(1 / coefficient) : coefficient;
    }
  }
  return 0;
}

}  // namespace

std::optional<SymbolicPower> symbolic_power(const Graph& g, NodeId factor) {
  if (!is_symbolic(g, factor)) return std::nullopt;
  const auto [root, step] = numeric_power(g, g[factor].operands[0]);
  return SymbolicPower{root, step};
}

std::optional<NodeId> times_power_of_root(Graph& g, NodeId factor, const Rational& exponent) {
  const Rational steps = exponent / symbolic_power(g, factor)->step;
  if (!is_integer(steps)) return std::nullopt;
  const NodeId e = g[factor].operands[1];
  const Type type = g[e].type;
  return with_exponent(g, factor, g.add(e, g.scale(steps, type.empty() ? g.constant(1) : g.ones(type))));
}

NodeId collect_symbolic_powers(Graph& g, NodeId product) {
  if (g[product].kind != Kind::Ein) return product;
  std::vector<Factor> factors = g.factors(product);
  bool collected = false;
  for (size_t k = 0; k < factors.size(); ++k) {
    for (size_t other = 0; other < factors.size() && is_symbolic(g, factors[k].tensor);) {
      const auto power = other != k && factors[other].labels == factors[k].labels ? joined(g, factors[k].tensor, factors[other].tensor) : std::nullopt;
      if (!power) {
        ++other;
        continue;
      }
      factors[k].tensor = *power;
      factors.erase(factors.begin() + std::ptrdiff_t(other));
      k -= other < k;
      collected = true;
    }
  }
  collected = collect_factors_of_base(g, factors) || collected;
  const Rational coefficient = collect_bare_base(g, factors);
  if (!collected && coefficient == 0) return product;
  return g.scale(coefficient == 0 ? Rational(1) : coefficient, g.ein(std::move(factors), g.out(product), Type(g[product].type)));
}

NodeId open_power_of_power(Graph& g, NodeId power) {
  if (!is_power(g, power) || g[g[power].operands[1]].kind != Kind::Const || !is_symbolic(g, g[power].operands[0])) return power;
  const NodeId inner = g[power].operands[0];
  const Rational& k = g[g[power].operands[1]].value();
  return is_integer(k) ? with_exponent(g, inner, g.scale(k, g[inner].operands[1])) : power;
}

}  // namespace ricci
