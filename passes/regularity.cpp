#include "passes/regularity.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "ir/interpret.h"
#include "passes/canonicalize.h"
#include "passes/differentiate.h"
#include "passes/quadratic_form.h"
#include "passes/simplify.h"

namespace ricci {
namespace {

struct Kinks {
  bool up = false, down = false;
  bool any() const { return up || down; }
};
Kinks operator|(Kinks a, Kinks b) { return {a.up || b.up, a.down || b.down}; }
Kinks reversed(Kinks k) { return {k.down, k.up}; }
Kinks either(Kinks k) { return {k.any(), k.any()}; }

class Walk {
 public:
  Walk(Graph& g, Signs& signs, std::span<const NodeId> variables, std::span<const NodeId> directions)
      : g_(g), signs_(signs), variables_(variables), directions_(directions) {}

  Regularity operator()(NodeId f) {
    const NodeId roots[] = {f};
    for (NodeId n : g_.reachable(roots)) {
      bool active = std::ranges::count(variables_, n) > 0;
      for (NodeId op : g_[n].operands) active = active || active_.contains(op);
      if (!active) continue;
      active_[n] = {};
      for (NodeId op : g_[n].operands) {
        const bool condition = g_[n].kind == Kind::Map && g_[n].map_op() == MapOp::select_ && op == g_[n].operands[0];
        if (jumps_.contains(op) && !condition && !is_comparison(n)) broken("a comparison jumps");
      }
      if (is_comparison(n)) jumps_.insert(n);
      active_[n] = visit(n);
      if (!result_.broken.empty()) return result_;
    }
    if (jumps_.contains(f)) broken("a comparison jumps");
    if (auto it = active_.find(f); it != active_.end()) result_.up = it->second.up, result_.down = it->second.down;
    return result_;
  }

 private:
  Kinks of(NodeId n) const {
    auto it = active_.find(n);
    return it == active_.end() ? Kinks{} : it->second;
  }
  bool active(NodeId n) const { return active_.contains(n); }
  Kinks broken(std::string why) {
    result_.broken = std::move(why);
    return {};
  }

  Kinks visit(NodeId id) {
    const Node& n = g_[id];
    switch (n.kind) {
      case Kind::Const:
      case Kind::Size:
      case Kind::Place:
      case Kind::Epsilon:
      case Kind::Var: return {};
      case Kind::Sum: {
        Kinks k;
        for (size_t i = 0; i < n.operands.size(); ++i) k = k | (n.coefficients[i] > 0 ? of(n.operands[i]) : reversed(of(n.operands[i])));
        return k;
      }
      case Kind::Ein: return product(n);
      case Kind::Map: return map(id);
      case Kind::Fun: return function(n);
      case Kind::Call: return broken("an undeclared function");
    }
    return {};
  }

  // The jump of the slope of a product: that of each factor times the others.
  Kinks product(const Node& n) {
    Kinks k;
    for (size_t i = 0; i < n.operands.size(); ++i) {
      const Kinks own = of(n.operands[i]);
      if (!own.any()) continue;
      ricci::Range rest{Rational(1), Rational(1)};
      for (size_t j = 0; j < n.operands.size(); ++j)
        if (j != i) rest = rest * signs_.range(n.operands[j]);
      k = k | (rest.nonnegative() ? own : rest.nonpositive() ? reversed(own) : either(own));
    }
    return k;
  }

  Kinks map(NodeId id) {
    const Node& n = g_[id];
    const ElementwiseRow& r = row(n.map_op());
    const NodeId u = n.operands[0];
    switch (n.map_op()) {
      case MapOp::abs_:
        if (signs_.range(u).nonnegative()) return of(u);
        if (signs_.range(u).nonpositive()) return reversed(of(u));
        return of(u).any() ? Kinks{true, true} : Kinks{true, false};
      case MapOp::relu_: return of(u) | Kinks{true, false};
      case MapOp::max_: return of(u) | of(n.operands[1]) | Kinks{true, false};
      case MapOp::min_: return of(u) | of(n.operands[1]) | Kinks{false, true};
      case MapOp::hypot_: return of(u).any() || of(n.operands[1]).any() ? Kinks{true, true} : Kinks{true, false};
      case MapOp::pow_:
      case MapOp::pow0_: return power(n);
      case MapOp::select_:
        if (active(u) && !joins_smoothly(n)) return broken("`where` may jump");
        return of(n.operands[1]) | of(n.operands[2]);
      case MapOp::step_:
      case MapOp::sign_:
        if (signs_.range(u).excludes_zero()) return {};
        return broken(fmt::format("`{}` jumps", r.name));
      case MapOp::isless_:
      case MapOp::isequal_: return {};
      case MapOp::atan2_: return broken("`atan2` jumps");
      case MapOp::polygamma_:
        if (!signs_.positive(n.operands[1])) return broken("`polygamma` has poles");
        return either(of(n.operands[1]));
      default: break;
    }
    if (!within(n.map_op(), u, r.smooth_low, r.smooth_high)) return {};
    const Kinks k = of(u);
    return r.monotone == '+' ? k : r.monotone == '-' ? reversed(k) : either(k);
  }

  // u < v and u == v, and u <= v as the sum of both.
  bool is_comparison(NodeId id) const {
    const Node& n = g_[id];
    if (n.kind == Kind::Map) return n.map_op() == MapOp::isless_ || n.map_op() == MapOp::isequal_;
    return n.kind == Kind::Sum && std::ranges::all_of(n.operands, [&](NodeId op) {
             const Node& c = g_[op];
             return c.kind == Kind::Map && is_comparison(op) && std::ranges::is_permutation(c.operands, g_[n.operands[0]].operands);
           });
  }

  // where(u < v, a, b) has no kink of its own if a - b is a multiple of (u - v)^2: the branches meet with equal slopes.
  bool joins_smoothly(const Node& n) {
    if (!jumps_.contains(n.operands[0])) return false;
    const Node& c = g_[g_[n.operands[0]].kind == Kind::Sum ? g_[n.operands[0]].operands[0] : n.operands[0]];
    auto as_typed = [&](NodeId t) { return g_[t].rank() == n.type.size() ? t : g_.times(t, g_.ones(Type(n.type))); };
    auto difference = [&](NodeId a, NodeId b) { return g_.subtract(as_typed(a), as_typed(b)); };
    const NodeId gap = difference(n.operands[1], n.operands[2]), past = difference(c.operands[0], c.operands[1]);
    auto normal = [&](NodeId t) { return simplify(g_, expand(g_, simplify(g_, expand(g_, t)))); };
    const auto a = g_.terms(normal(gap)), b = g_.terms(normal(g_.power(past, 2)));
    if (a.empty() || a.size() != b.size()) return a.empty();
    const Rational ratio = a[0].coefficient / b[0].coefficient;
    for (size_t k = 0; k < a.size(); ++k)
      if (a[k].tensor != b[k].tensor || a[k].coefficient != ratio * b[k].coefficient) return false;
    return true;
  }

  // Whether the argument keeps to the interval, or the function has no value where it does not and the set where it does is convex.
  bool within(MapOp op, NodeId u, double low, double high) {
    if (!std::isfinite(low) && !std::isfinite(high)) return true;
    if (signs_.range(u).inside(low, high)) return true;
    if (has_value_beyond(op, low, high)) return broken(fmt::format("`{}` is singular there", row(op).name)), false;
    ricci::Range range;
    if (std::isfinite(low)) range.low = Rational(low), range.low_open = true;
    if (std::isfinite(high)) range.high = Rational(high), range.high_open = true;
    return restrict_to(u, range);
  }

  bool has_value_beyond(MapOp op, double low, double high) {
    auto at = [&](double x) {
      std::vector<NodeId> operands{g_.constant(Rational(x))};
      if (row(op).arity > 1) operands.push_back(g_.constant(Rational(1, 2)));  // an exponent that is not known is no whole number
      return !std::isnan(double(interpret<Quad>(g_, g_.map(op, std::move(operands)), {}, {}).data[0]));
    };
    return (std::isfinite(low) && at(low - 0.5)) || (std::isfinite(high) && at(high + 0.5));
  }

  // { x : u(x) > low } is convex if u is concave, { x : u(x) < high } if it is convex; both if it is affine.
  bool restrict_to(NodeId u, const ricci::Range& range) {
    if (of(u).any()) return broken("the domain is not known to be convex"), false;
    const NodeId q = second_derivative(u);
    bool convex = g_.is_zero(q);
    if (!convex) {
      const bool concave_u = !range.high && prove(g_.scale(-1, q)), convex_u = !range.low && prove(q);
      convex = concave_u || convex_u;
    }
    if (!convex) return broken("the domain is not known to be convex"), false;
    result_.domain.emplace_back(DomainCondition::Kind::Range, u, range);
    signs_.assume(u, range);
    signs_.assume(simplify(g_, u), range);
    return true;
  }

  NodeId second_derivative(NodeId u) {
    NodeId q = derivative(derivative(u));
    return simplify(g_, q);
  }
  NodeId derivative(NodeId u) {
    std::vector<Term> terms;
    for (size_t k = 0; k < variables_.size(); ++k) terms.push_back({1, directional(g_, u, variables_[k], directions_[k])});
    return g_.sum(std::move(terms), Type(g_[u].type));
  }
  bool prove(NodeId q) {
    return prove_nonnegative(g_, signs_, {q, {directions_.begin(), directions_.end()}, {variables_.begin(), variables_.end()}}).has_value();
  }

  Kinks power(const Node& n) {
    const NodeId u = n.operands[0];
    const Kinks k = of(u);
    const ricci::Range range = signs_.range(u);
    if (active(n.operands[1]) || g_[n.operands[1]].kind != Kind::Const) {
      if (!range.positive() && !within(MapOp::pow_, u, 0, INFINITY)) return {};
      if (active(n.operands[1])) return either(k | of(n.operands[1]));
      const ricci::Range e = signs_.range(n.operands[1]);
      return e.nonnegative() ? k : e.nonpositive() ? reversed(k) : either(k);
    }
    const Rational e = g_[n.operands[1]].value();
    if (range.positive()) return e > 0 ? k : reversed(k);
    if (is_integer(e) && e > 0) return range.nonnegative() || e.get_num() % 2 != 0 ? k : either(k);  // odd powers increase
    if (range.negative() && is_integer(e)) return either(k);
    if (e < 0 && (is_integer(e) || range.nonnegative())) return broken("a negative power has a pole");
    // A nonnegative function vanishes to the second order, so |u|^e has slope 0 there for e > 1/2 and an upward kink for less.
    if (range.nonnegative()) {
      if (k.any()) return e >= 1 ? k : (broken("a root of what has kinks"), Kinks{});
      return {e <= Rational(1, 2), false};
    }
    if (n.map_op() == MapOp::pow0_) return broken("a power that is 0 at 0");
    ricci::Range domain = ricci::Range::above(0, true);
    if (!restrict_to(u, domain)) return {};
    return e > 0 ? k : reversed(k);
  }

  Kinks function(const Node& n) {
    const NodeId u = n.operands[0];
    const Kinks k = of(u);
    switch (n.fun_op()) {
      case FunOp::lse: return k;
      case FunOp::max_of: return k | Kinks{true, false};
      case FunOp::min_of: return k | Kinks{false, true};
      case FunOp::prod: return signs_.nonnegative(u) ? k : either(k);
      case FunOp::coprod:
      case FunOp::det:
      case FunOp::adj: return either(k);
      case FunOp::argmax: return broken("`argmax` jumps");
      case FunOp::inv:
      case FunOp::logdet:
        if (signs_.definite(u) == Definite::Definite) return either(k);
        // A psd matrix that is affine in the variables is singular on the border of a convex set, or everywhere.
        if (signs_.psd(u) && !k.any() && g_.is_zero(second_derivative(u))) {
          result_.domain.emplace_back(DomainCondition::Kind::Nonsingular, u, ricci::Range());
          return {};
        }
        return broken("the set of nonsingular matrices is not convex");
      default: return broken(fmt::format("nothing is known of `{}`", row(n.fun_op()).name));
    }
  }

  Graph& g_;
  Signs& signs_;
  std::span<const NodeId> variables_, directions_;
  std::map<NodeId, Kinks> active_;
  std::set<NodeId> jumps_;  // comparisons: harmless under a `where` whose branches meet smoothly, and nowhere else
  Regularity result_;
};

}  // namespace

Regularity regularity(Graph& g, Signs& signs, NodeId f, std::span<const NodeId> variables, std::span<const NodeId> directions) {
  return Walk(g, signs, variables, directions)(f);
}

}  // namespace ricci
