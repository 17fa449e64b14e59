#include "passes/signs.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "ir/constant_folding.h"
#include "ir/interpret.h"
#include "ir/labels.h"

namespace ricci {
namespace {

Range from_doubles(double low, double high) {
  Range r;
  if (std::isfinite(low)) r.low = Rational(low);
  if (std::isfinite(high)) r.high = Rational(high);
  return r;
}

bool is_even(const Rational& r) { return is_integer(r) && r.get_num() % 2 == 0; }
bool is_odd(const Rational& r) { return is_integer(r) && r.get_num() % 2 != 0; }

// The value of a function of one number, bracketed: exactly where the constructors fold it, else quadruple precision and a margin.
std::optional<Range> bracket(Graph& g, MapOp op, const Rational& x) {
  const NodeId value = g.map(op, {g.constant(x)});
  if (g[value].kind == Kind::Const) return Range{g[value].value(), g[value].value()};
  const double v = double(interpret<Quad>(g, value, {}, {}).data[0]);
  if (!std::isfinite(v)) return std::nullopt;
  const double margin = std::ldexp(std::max(std::abs(v), 0x1p-900), -40);  // far more than rounding to double and the library's errors
  return Range{Rational(v - margin), Rational(v + margin)};
}

}  // namespace

// --- walking --------------------------------------------------------------------------------------------------------------------

void Signs::assume(NodeId node, Range range) {
  auto [it, is_new] = assumed_.try_emplace(node, range);
  if (!is_new) it->second = intersection(it->second, range);
  known_.clear();
}

MirrorFacts Signs::facts() {
  return {[this](NodeId n) { return nonnegative(n); }, [this](NodeId n) { return psd(n); }};
}

Range Signs::range(NodeId n) { return known(n).range; }
Definite Signs::definite(NodeId n) { return known(n).definite; }

const Signs::Known& Signs::known(NodeId root) {
  if (auto it = known_.find(root); it != known_.end()) return it->second;
  const NodeId roots[] = {root};
  for (NodeId n : g_.reachable(roots)) {
    if (known_.contains(n)) continue;
    Known k{intersection(infer_range(n), declared_range(n)), infer_definite(n)};
    if (auto it = assumed_.find(n); it != assumed_.end()) k.range = intersection(k.range, it->second);
    known_[n] = k;
  }
  return known_.at(root);
}

// What the inferred properties say of the entries.
Range Signs::declared_range(NodeId n) {
  using enum Property;
  const Properties p = properties_(n);
  if (p.has(unit)) return {Rational(0), Rational(1), true, true};
  if (p.has(simplex)) return {Rational(0), Rational(1)};
  if (p.has(sign)) return {Rational(-1), Rational(1)};
  if (p.has(positive)) return Range::above(0, true);
  if (p.has(nonnegative)) return Range::above(0, false);
  return {};
}

Range Signs::infer_range(NodeId id) {
  const Node& n = g_[id];
  switch (n.kind) {
    case Kind::Const: return {n.value(), n.value()};
    case Kind::Size: return Range::above(1, false);
    case Kind::Place: return {Rational(0), Rational(1)};
    case Kind::Epsilon: return {Rational(-1), Rational(1)};
    case Kind::Var:
    case Kind::Call: return {};
    case Kind::Sum: {
      Range r{Rational(0), Rational(0)};
      for (size_t k = 0; k < n.operands.size(); ++k) r = r + n.coefficients[k] * known_.at(n.operands[k]).range;
      if (auto q = of_quadratic(n)) r = intersection(r, *q);
      return r;
    }
    case Kind::Ein: return of_product(id);
    case Kind::Map: return of_map(id);
    case Kind::Fun: return of_function(n);
  }
  return {};
}

// v^k*(a + b*v + c*v^2) of one v, the bracket exactly: v - v^2 > 0 in (0, 1). Its extremes are at the ends of v's interval and at the
// vertex.
std::optional<Range> Signs::of_quadratic(const Node& sum) {
  std::optional<NodeId> v;
  std::map<long, Rational> by_power;
  for (size_t k = 0; k < sum.operands.size(); ++k) {
    const Node& t = g_[sum.operands[k]];
    const bool one = t.kind == Kind::Const ||
                     (t.kind == Kind::Ein && t.operands.empty() && std::set<Label>(t.labels.begin(), t.labels.end()).size() == t.rank());
    const bool power = t.kind == Kind::Map && t.map_op() == MapOp::pow_ && g_[t.operands[1]].kind == Kind::Const &&
                       as_long(g_[t.operands[1]].value()).value_or(0) > 0;
    by_power[one ? 0 : power ? *as_long(g_[t.operands[1]].value()) : 1] += sum.coefficients[k];
    if (one) continue;
    const NodeId base = power ? t.operands[0] : sum.operands[k];
    if (v && *v != base) return std::nullopt;
    v = base;
  }
  if (!v || g_[*v].rank() != sum.rank() || by_power.size() < 2) return std::nullopt;
  const long highest = by_power.rbegin()->first, lowest = highest - 2;
  if (by_power.begin()->first < lowest || lowest < 0) return std::nullopt;
  const Rational a = by_power[lowest], b = by_power[lowest + 1], c = by_power[highest];
  const NodeId front = lowest == 0 ? g_.constant(1) : g_.power(*v, lowest);
  const Range x = known_.at(*v).range;
  auto value = [&](const Rational& at) -> Rational { return a + b * at + c * at * at; };
  const Rational vertex = -b / (2 * c);
  const bool vertex_inside = (!x.low || *x.low < vertex) && (!x.high || vertex < *x.high);
  Range r;
  std::vector<std::pair<Rational, bool>> values;  // and whether each is not attained
  if (x.low) values.emplace_back(value(*x.low), x.low_open);
  if (x.high) values.emplace_back(value(*x.high), x.high_open);
  if (vertex_inside) values.emplace_back(value(vertex), false);
  if (values.empty()) return std::nullopt;
  auto least = std::ranges::min_element(values), most = std::ranges::max_element(values);
  if (c > 0 || (x.low && x.high))
    r.low = least->first, r.low_open = std::ranges::all_of(values, [&](auto& e) { return e.first != least->first || e.second; });
  if (c < 0 || (x.low && x.high))
    r.high = most->first, r.high_open = std::ranges::all_of(values, [&](auto& e) { return e.first != most->first || e.second; });
  return lowest == 0 ? r : r * range(front);
}

// --- products -------------------------------------------------------------------------------------------------------------------

Range Signs::of_product(NodeId id) {
  Range product{Rational(1), Rational(1)};
  const std::vector<Factor> factors = g_.factors(id);
  const Labels out = g_.out(id);
  // x_a e_a is an entry of x: the place that picks is no factor of it, and no sum.
  const auto picks = [&](const Factor& f) {
    if (g_[f.tensor].kind != Kind::Place || contains(out, f.labels[0])) return false;
    const auto meets = [&](const Factor& o) { return contains(o.labels, f.labels[0]); };
    const auto is_place = [&](const Factor& o) { return g_[o.tensor].kind == Kind::Place && meets(o); };
    return std::ranges::count_if(factors, is_place) == 1 && std::ranges::count_if(factors, meets) > 1;
  };
  bool summed = false;
  Labels picked;
  for (const Factor& f : factors)
    if (picks(f)) picked.push_back(f.labels[0]);
  for (const Factor& f : factors) {
    if (!picks(f)) product = product * known_.at(f.tensor).range;
    for (Label l : f.labels) summed |= !contains(out, l) && !contains(picked, l);
  }
  Labels distinct = out;
  std::ranges::sort(distinct);
  const bool diagonal = std::ranges::adjacent_find(distinct) != distinct.end();
  if (summed) {  // a sum of at least one such product
    Range sum;
    if (product.nonnegative()) sum = {product.low, {}, product.low_open, false};
    if (product.nonpositive()) sum = {{}, product.high, false, product.high_open};
    product = sum;
    if (!product.positive() && !diagonal) {
      const MirrorFacts mirror_facts = facts();
      constexpr size_t kMost = 4;  // tr(S*S) is a sum of squares, and of products of definite matrices
      const auto mirrors = find_mirrors(g_, factors, out, OutLabels::Fixed, mirror_facts, kMost);
      const bool strict = std::ranges::any_of(mirrors, [&](const Mirror& m) {
        bool positive = true;
        for (size_t k = 0; k < factors.size(); ++k) {
          const Known& f = known_.at(factors[k].tensor);
          const bool matrix = factors[k].labels.size() == 2 && f.definite == Definite::Definite;
          positive = positive && m.image[k] == k && (matrix || f.range.positive());
        }
        return positive;
      });
      if (!mirrors.empty()) product = intersection(product, Range::above(0, strict));
    }
  }
  return diagonal ? hull(product, {Rational(0), Rational(0)}) : product;
}

Definite Signs::definite_product(NodeId id) {
  const std::vector<Factor> factors = g_.factors(id);
  const Labels out = g_.out(id);
  auto is_definite = [&](const Factor& f) { return known_.at(f.tensor).definite == Definite::Definite; };
  if (out[0] == out[1]) {  // diag(v)
    bool positive = true;
    for (const Factor& f : factors) positive = positive && known_.at(f.tensor).range.positive();
    if (positive) return Definite::Definite;
    const auto mirrors = find_mirrors(g_, factors, {out[0]}, OutLabels::Fixed, facts());
    return mirrors.empty() ? Definite::Unknown : Definite::Semidefinite;
  }
  const auto mirrors = find_mirrors(g_, factors, out, OutLabels::Swapped, facts());
  if (mirrors.empty()) return Definite::Unknown;
  const Mirror& m = mirrors[0];
  bool strict = true;
  size_t left = 0, nonsingular = 0, kernels = 0;
  for (size_t k = 0; k < factors.size(); ++k) {
    if (m.side[k] == Mirror::Side::Left)
      ++left, nonsingular += factors[k].labels.size() == 2 && properties_(factors[k].tensor).has(Property::nonsingular);
    if (m.side[k] != Mirror::Side::Fixed) continue;
    const bool kernel = m.is_kernel(factors[k]);
    kernels += kernel;
    strict = strict && (kernel ? is_definite(factors[k]) : known_.at(factors[k].tensor).range.positive());
  }
  // P, P.*Q; M'*M and M'*P*M with M nonsingular.
  const bool injective = left == 0 ? kernels > 0 : left == 1 && nonsingular == 1;
  return strict && injective ? Definite::Definite : Definite::Semidefinite;
}

Definite Signs::infer_definite(NodeId id) {
  const Node& n = g_[id];
  if (n.rank() != 2 || n.type[0] != n.type[1]) return Definite::Unknown;
  const Properties p = properties_(id);
  if (p.has(Property::spd)) return Definite::Definite;
  if (p.has(Property::diagonal) && p.has(Property::nonnegative))
    return p.has(Property::nonsingular) ? Definite::Definite : Definite::Semidefinite;
  Definite d = p.has(Property::psd) ? Definite::Semidefinite : Definite::Unknown;
  auto at_least = [&](Definite other) { d = std::max(d, other); };
  auto operand = [&](size_t k) { return known_.at(n.operands[k]).definite; };
  switch (n.kind) {
    case Kind::Const:
    case Kind::Size:
    case Kind::Place:
    case Kind::Epsilon:
    case Kind::Var:
    case Kind::Call: break;
    case Kind::Sum: {
      Definite all = Definite::Semidefinite;
      for (size_t k = 0; k < n.operands.size(); ++k) {
        if (n.coefficients[k] < 0 || operand(k) == Definite::Unknown) all = Definite::Unknown;
        if (all != Definite::Unknown) all = std::max(all, operand(k));
      }
      at_least(all);
      break;
    }
    case Kind::Ein: at_least(definite_product(id)); break;
    case Kind::Map: {  // entry by entry, a power series with nonnegative coefficients keeps psd and spd (Schur)
      const bool power = n.map_op() == MapOp::pow_ && g_[n.operands[1]].kind == Kind::Const && is_integer(g_[n.operands[1]].value()) &&
                         g_[n.operands[1]].value() > 0;
      const bool series =
          n.map_op() == MapOp::exp_ || n.map_op() == MapOp::cosh_ || n.map_op() == MapOp::sinh_ || n.map_op() == MapOp::expm1_;
      if ((power || series) && g_[n.operands[0]].rank() == 2) at_least(operand(0));
      break;
    }
    case Kind::Fun:  // an inverse exists only where a psd matrix is definite
      if (n.fun_op() == FunOp::inv && operand(0) != Definite::Unknown) at_least(Definite::Definite);
      if (n.fun_op() == FunOp::adj) at_least(operand(0));
      break;
  }
  return d;
}

// --- functions ------------------------------------------------------------------------------------------------------------------

Range Signs::of_map(NodeId id) {
  const Node& n = g_[id];
  auto operand = [&](size_t k) { return known_.at(n.operands[k]).range; };
  switch (n.map_op()) {
    case MapOp::pow_:
    case MapOp::pow0_: return of_power(n);
    case MapOp::max_:
      return join(inner(low_of(operand(0)), low_of(operand(1)), false), outer(high_of(operand(0)), high_of(operand(1)), true));
    case MapOp::min_:
      return join(outer(low_of(operand(0)), low_of(operand(1)), false), inner(high_of(operand(0)), high_of(operand(1)), true));
    case MapOp::select_: return hull(operand(1), operand(2));
    case MapOp::digamma_: return {};  // increasing between its poles only
    case MapOp::abs_: {
      const Range x = operand(0);
      return x.nonnegative() ? x : x.nonpositive() ? Rational(-1) * x : Range::above(0, x.excludes_zero());
    }
    case MapOp::polygamma_: {  // (-1)^(k+1) psi_k > 0 on the positive axis for k >= 1
      const Node& order = g_[n.operands[0]];
      if (order.kind != Kind::Const || order.value() < 1 || !operand(1).positive()) return {};
      return is_odd(order.value()) ? Range::above(0, true) : Rational(-1) * Range::above(0, true);
    }
    default: {
      const ElementwiseRow& r = row(n.map_op());
      Range range = from_doubles(r.range_low, r.range_high);
      return r.arity == 1 ? intersection(range, of_monotone(n)) : range;
    }
  }
}

// An increasing function maps ends to ends; a limit at infinity is the end of the row's range, and not attained unless the function is
// flat.
Range Signs::of_monotone(const Node& n) {
  const ElementwiseRow& r = row(n.map_op());
  if (r.monotone == '0') return {};
  const Range x = known_.at(n.operands[0]).range;
  const bool flat = n.map_op() == MapOp::relu_ || n.map_op() == MapOp::step_ || n.map_op() == MapOp::sign_;
  const bool rising = r.monotone == '+';
  auto image = [&](const End& end, bool upper) -> End {  // the upper or lower end of the values
    const double limit = upper ? r.range_high : r.range_low;
    const bool beyond = end.at && (*end.at < Rational(std::isfinite(r.smooth_low) ? r.smooth_low : -1e300) && !flat);
    if (!end.at || beyond)
      return {std::isfinite(limit) ? std::optional(Rational(limit)) : std::nullopt,
              !flat && !beyond && !std::isfinite(rising == upper ? r.smooth_high : r.smooth_low)};
    auto value = bracket(g_, n.map_op(), *end.at);
    if (!value) return {std::nullopt, false};
    const bool exact = *value->low == *value->high;
    return {upper ? value->high : value->low, exact && end.open && !flat};
  };
  return rising ? join(image(low_of(x), false), image(high_of(x), true)) : join(image(high_of(x), false), image(low_of(x), true));
}

Range Signs::of_power(const Node& n) {
  const Range x = known_.at(n.operands[0]).range;
  const Node& exponent = g_[n.operands[1]];
  const bool guarded = n.map_op() == MapOp::pow0_;
  const Range sign_only = x.positive() ? Range::above(0, true) : x.nonnegative() || guarded ? Range::above(0, false) : Range::all();
  if (exponent.kind != Kind::Const) return x.nonnegative() ? sign_only : Range::all();
  const Rational& e = exponent.value();
  if (!is_integer(e) || is_even(e)) {  // a fractional power is real only of what is not negative
    const bool nonzero = x.excludes_zero() || (e < 0 && !guarded);
    Range r = Range::above(0, nonzero);
    if (!x.nonnegative()) return r;
    // x^e is monotone on the positive axis
    auto at = [&](const End& end) -> std::optional<Rational> {
      return end.at && *end.at > 0 ? exact_power(*end.at, e) : end.at && e > 0 ? std::optional(Rational(0)) : std::nullopt;
    };
    if (auto low = at(e > 0 ? low_of(x) : high_of(x))) r = intersection(r, {*low, {}, e > 0 ? x.low_open : x.high_open, false});
    if (e > 0 && !x.high) return r;
    if (auto high = at(e > 0 ? high_of(x) : low_of(x))) r = intersection(r, {{}, *high, false, e > 0 ? x.high_open : x.low_open});
    return r;
  }
  if (x.nonnegative()) return x.positive() || (e < 0 && !guarded) ? Range::above(0, true) : Range::above(0, false);
  if (x.nonpositive()) return Rational(-1) * Range::above(0, x.negative() || (e < 0 && !guarded));
  return {};
}

Range Signs::of_function(const Node& n) {
  const Range x = known_.at(n.operands[0]).range;
  switch (n.fun_op()) {
    case FunOp::det:
      if (known_.at(n.operands[0]).definite == Definite::Definite) return Range::above(0, true);
      return known_.at(n.operands[0]).definite == Definite::Semidefinite ? Range::above(0, false) : Range::all();
    case FunOp::prod:
    case FunOp::coprod:
      if (x.positive()) return Range::above(0, true);
      return x.nonnegative() ? Range::above(0, false) : Range::all();
    case FunOp::lse: return {x.low, {}, x.low_open, false};
    case FunOp::max_of:
    case FunOp::min_of: return x;
    case FunOp::argmax: return {Rational(0), Rational(1)};
    default: return {};
  }
}

}  // namespace ricci
