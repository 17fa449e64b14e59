// By the columns of the table, and by the intervals of the first two derivatives.
#include "passes/scalar_shape.h"

#include <cmath>

#include "ir/interpret.h"
#include "passes/differentiate.h"
#include "passes/signs.h"
#include "passes/simplify.h"

namespace ricci {
namespace {

NodeId fresh_number(Graph& g) { return g.variable(g.declare({.name = "z", .type = {}})); }

Range range_on(Graph& g, NodeId f, NodeId z, const Range& interval) {
  Signs signs(g);
  signs.assume(z, interval);
  return signs.range(simplify(g, f));
}

bool has_value(Graph& g, MapOp op, double x) {
  return !std::isnan(double(interpret<Quad>(g, g.map(op, {g.constant(Rational(x))}), {}, {}).data[0]));
}

// x^e; a guarded power differs only at 0, and only in negative powers.
ScalarShape of_power(const Rational& e, const Range& x) {
  ScalarShape s;
  const bool even = is_integer(e) && e.get_num() % 2 == 0;
  if (is_integer(e) && e > 0 && !x.nonnegative()) {
    s.convex = even;
    s.increasing = !even;
    if (x.nonpositive()) s.decreasing = even, s.concave = !even, s.strictly_monotone = x.negative();
    return s;
  }
  if (!x.positive() && (e < 0 || !x.nonnegative())) {  // of the positive numbers only, unless it goes on beyond a pole
    if (is_integer(e) && !x.nonnegative()) return s;
    s.domain = Range::above(0, true);
  }
  s.convex = e >= 1 || e <= 0;
  s.concave = e >= 0 && e <= 1;
  s.increasing = e >= 0;
  s.decreasing = e <= 0;
  s.strictly_monotone = e != 0 && (x.positive() || s.domain);
  return s;
}

}  // namespace

ScalarShape scalar_shape(Graph& g, NodeId map, const Range& interval) {
  const MapOp op = g[map].map_op();
  const ElementwiseRow& r = row(op);
  if (op == MapOp::pow_ || op == MapOp::pow0_) {
    const Node& e = g[g[map].operands[1]];
    return e.kind == Kind::Const ? of_power(e.value(), interval) : ScalarShape{};
  }
  if (r.arity != 1) return {};
  ScalarShape s{.convex = r.curvature == 'v', .concave = r.curvature == 'c', .increasing = r.monotone == '+', .decreasing = r.monotone == '-'};
  if (op == MapOp::abs_ || op == MapOp::relu_) {  // a kink, on both sides of which they are linear
    s.increasing |= interval.nonnegative();
    s.decreasing |= interval.nonpositive();
    s.concave = interval.nonnegative() || interval.nonpositive();
    s.strictly_monotone = interval.positive() || (op == MapOp::abs_ && interval.negative());
    return s;
  }
  Range inside = interval;
  if (!interval.inside(r.smooth_low, r.smooth_high)) {
    const bool low = std::isfinite(r.smooth_low), high = std::isfinite(r.smooth_high);
    if ((low && has_value(g, op, r.smooth_low - 0.5)) || (high && has_value(g, op, r.smooth_high + 0.5))) return {};
    Range natural;
    if (low) natural.low = Rational(r.smooth_low), natural.low_open = true;
    if (high) natural.high = Rational(r.smooth_high), natural.high_open = true;
    s.domain = natural;
    inside = intersection(interval, natural);
  }
  const NodeId z = fresh_number(g), first = differentiate(g, g.map(op, {z}), z);
  const Range slope = range_on(g, first, z, inside), bend = range_on(g, differentiate(g, first, z), z, inside);
  s.increasing |= slope.nonnegative();
  s.decreasing |= slope.nonpositive();
  s.strictly_monotone = slope.excludes_zero();
  s.convex |= bend.nonnegative();
  s.concave |= bend.nonpositive();
  return s;
}

bool integrates_log_concave(Graph& g, NodeId map) {
  const ElementwiseRow& r = row(g[map].map_op());
  if (r.arity != 1 || r.monotone == '0' || r.range_low != 0 || std::isfinite(r.smooth_low) || std::isfinite(r.smooth_high)) return false;
  const NodeId z = fresh_number(g), density = g.scale(r.monotone == '+' ? 1 : -1, differentiate(g, g.map(r.op, {z}), z));
  const NodeId slope = differentiate(g, simplify(g, g.map(MapOp::log_, {density})), z);
  return range_on(g, differentiate(g, simplify(g, slope), z), z, Range::all()).nonpositive();
}

}  // namespace ricci
