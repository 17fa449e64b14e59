#include "passes/common_denominator.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include "passes/rewrite.h"

namespace ricci {
namespace {

constexpr long kHighestPower = 4;  // a numerator may be multiplied by: higher ones only make it longer

// A factor base^(symbol + number) that stands at the entries of the result: `axes` are the output positions of its own axes, `op` is the plain power or the
// guarded one. Only the number may differ between factors that are powers of one base.
struct Power {
  NodeId base;
  std::vector<size_t> axes;
  MapOp op = MapOp::pow_;
  std::optional<NodeId> symbol = {};
  friend auto operator<=>(const Power&, const Power&) = default;
};

struct Fraction {
  Term term;
  std::vector<Factor> factors;
  Labels out;
  std::map<Power, Rational> powers;
};

// An exponent as symbol + number: k - 1.
std::pair<std::optional<NodeId>, Rational> parts_of_exponent(Graph& g, NodeId exponent) {
  if (g[exponent].kind == Kind::Const) return {std::nullopt, g[exponent].value()};
  std::vector<Term> symbols;
  Rational number = 0;
  for (const Term& t : g.terms(exponent)) {
    if (g[t.tensor].kind == Kind::Const) number += t.coefficient * g[t.tensor].value();
    else symbols.push_back(t);
  }
  return {g.sum(std::move(symbols), Type(g[exponent].type)), number};
}

Fraction fraction(Graph& g, const Term& t) {
  const bool product = g[t.tensor].kind == Kind::Ein;
  const Labels all = Graph::iota(g[t.tensor].rank());
  Fraction f{t, product ? g.factors(t.tensor) : std::vector<Factor>{{t.tensor, all}}, product ? g.out(t.tensor) : all, {}};
  for (const Factor& x : f.factors) {
    const Node& n = g[x.tensor];
    const bool is_power = n.kind == Kind::Map && (n.map_op() == MapOp::pow_ || n.map_op() == MapOp::pow0_) && g[n.operands[1]].rank() == 0;
    Power p{is_power ? n.operands[0] : x.tensor, {}, is_power ? n.map_op() : MapOp::pow_};
    Rational number = 1;
    if (is_power) std::tie(p.symbol, number) = parts_of_exponent(g, n.operands[1]);
    for (Label l : x.labels) p.axes.push_back(size_t(std::ranges::find(f.out, l) - f.out.begin()));
    if (std::ranges::count(p.axes, f.out.size()) == 0) f.powers.emplace(std::move(p), number);
  }
  return f;
}

// A base that some terms are divided by and all can be: all others have it in a power that is higher by a small whole number.
std::optional<std::pair<Power, Rational>> common_denominator(const std::vector<Fraction>& terms) {
  std::set<Power> bases;
  for (const Fraction& f : terms)
    for (const auto& [p, exponent] : f.powers)
      if (p.symbol ? p.op == MapOp::pow_ : exponent < 0) bases.insert(p);  // a guarded power is 0 at 0 unless its exponent is 0, which a symbol may make it
  for (const Power& p : bases) {
    // Where a guarded base is 0, so is all that is over it, and what is not divided by it need not be.
    if ((p.op == MapOp::pow0_ || p.symbol) && !std::ranges::all_of(terms, [&](const Fraction& f) { return f.powers.contains(p); })) continue;
    Rational lowest = 0;
    std::set<Rational> exponents;
    for (const Fraction& f : terms) {
      const auto at = f.powers.find(p);
      exponents.insert(at == f.powers.end() ? Rational(0) : at->second);
    }
    lowest = *exponents.begin();
    const auto small = [&](const Rational& e) { const Rational above = e - lowest; return is_integer(above) && above <= kHighestPower; };
    if (exponents.size() > 1 && std::ranges::all_of(exponents, small)) return std::pair(p, lowest);
  }
  return std::nullopt;
}

std::vector<Fraction> fractions(Graph& g, NodeId sum) {
  std::vector<Fraction> terms;
  if (g[sum].kind == Kind::Sum && g[sum].operands.size() > 1)
    for (const Term& t : g.terms(sum)) terms.push_back(fraction(g, t));
  return terms;
}

NodeId combine(Graph& g, NodeId sum);

// The sum of the terms, as p^exponent times what is left of them. `again`: what is left may have a common denominator, too; powers with symbols only
// cancel once they are flattened.
NodeId over(Graph& g, const std::vector<Fraction>& terms, const Power& p, const Rational& exponent, const Type& type, bool again) {
  const auto times_power = [&](std::vector<Factor> factors, const Labels& out, long sign) {
    Labels at;
    for (size_t axis : p.axes) at.push_back(out[axis]);
    const NodeId number = g.constant(sign * exponent);
    factors.push_back({g.map(p.op, {p.base, p.symbol ? g.add(g.scale(sign, *p.symbol), number) : number}), std::move(at)});
    return g.ein(std::move(factors), out, type);
  };
  std::vector<Term> numerators;
  for (const Fraction& f : terms) numerators.push_back({f.term.coefficient, times_power(f.factors, f.out, -1)});
  const Labels all = Graph::iota(type.size());
  const NodeId numerator = g.sum(std::move(numerators), type);
  return times_power({{again && !p.symbol ? combine(g, numerator) : numerator, all}}, all, 1);
}

NodeId combine(Graph& g, NodeId sum) {
  const std::vector<Fraction> terms = fractions(g, sum);
  const auto found = common_denominator(terms);
  return found ? over(g, terms, found->first, found->second, Type(g[sum].type), true) : sum;
}

// The terms that are divided by one base, if some are by higher powers of it than others, over the lowest power that all of them have.
NodeId take_out_shared(Graph& g, NodeId sum) {
  std::map<Power, std::vector<Fraction>> divided;
  const std::vector<Fraction> terms = fractions(g, sum);
  for (const Fraction& f : terms)
    for (const auto& [p, exponent] : f.powers)
      if (exponent < 0 && !p.symbol) divided[p].push_back(f);
  for (const auto& [p, those] : divided) {
    const auto exponent = [&](const Fraction& f) { return f.powers.at(p); };
    const auto [lowest, highest] = std::ranges::minmax(those, {}, exponent);
    if (exponent(lowest) == exponent(highest)) continue;
    const Type type = g[sum].type;
    std::vector<Term> result = {{1, over(g, those, p, exponent(highest), type, false)}};
    for (const Fraction& f : terms)
      if (!f.powers.contains(p) || exponent(f) >= 0) result.push_back(f.term);
    return g.sum(std::move(result), type);
  }
  return sum;
}

}  // namespace

NodeId over_common_denominators(Graph& g, NodeId root) {
  return rewrite_bottom_up(g, root, [&](NodeId n) { return combine(g, n); });
}

NodeId with_shared_denominators_outside(Graph& g, NodeId root) {
  return rewrite_bottom_up(g, root, [&](NodeId n) { return take_out_shared(g, n); });
}

}  // namespace ricci
