#include "passes/finite.h"

#include <algorithm>
#include <cmath>

namespace ricci {

// A sum or product with an entry that is inf or NaN is not finite, if the entry goes into it: places, the permutation symbol and diagonals pick entries.
void Finiteness::suppose(NodeId f) {
  std::vector<NodeId> open = {f};
  while (!open.empty()) {
    const NodeId id = open.back();
    open.pop_back();
    if (!known_.try_emplace(id, true).second) continue;
    const Node& n = g_[id];
    const bool keeps_infinity = n.kind == Kind::Map && (n.map_op() == MapOp::log_ || n.map_op() == MapOp::abs_ || is_positive_power(id));
    if (n.kind == Kind::Sum || keeps_infinity) open.insert(open.end(), n.operands.begin(), n.operands.end());
    if (n.kind != Kind::Ein) continue;
    const auto picks = [&](NodeId o) { return g_[o].kind == Kind::Place || g_[o].kind == Kind::Epsilon; };
    if (std::ranges::any_of(n.operands, picks)) continue;
    for (const Factor& x : g_.factors(id)) {
      Labels labels = x.labels;
      std::ranges::sort(labels);
      if (std::ranges::adjacent_find(labels) == labels.end()) open.push_back(x.tensor);
    }
  }
}

bool Finiteness::operator()(NodeId root) {
  if (const auto it = known_.find(root); it != known_.end()) return it->second;
  for (NodeId n : g_.reachable(std::span(&root, 1)))
    if (!known_.contains(n)) known_[n] = infer(n);
  return known_.at(root);
}

bool Finiteness::infer(NodeId id) {
  const Node& n = g_[id];
  const bool is_map = n.kind == Kind::Map;
  if (is_map && (n.map_op() == MapOp::isless_ || n.map_op() == MapOp::isequal_)) return true;  // of NaN too
  std::span<const NodeId> parts = n.operands;
  if (is_map && n.map_op() == MapOp::select_) parts = parts.subspan(1);
  if (!std::ranges::all_of(parts, [&](NodeId o) { return known_.at(o); })) return false;
  switch (n.kind) {
    case Kind::Map: return of_map(id);
    case Kind::Call: return false;
    case Kind::Fun:
      switch (n.fun_op()) {
        case FunOp::det:
        case FunOp::prod:
        case FunOp::coprod:
        case FunOp::lse:
        case FunOp::triu:
        case FunOp::tril:
        case FunOp::max_of:
        case FunOp::min_of:
        case FunOp::argmax: return true;
        default: return false;
      }
    default: return true;
  }
}

bool Finiteness::of_map(NodeId id) {
  const Node& n = g_[id];
  const ElementwiseRow& r = row(n.map_op());
  switch (n.map_op()) {
    case MapOp::pow_:
    case MapOp::pow0_: return of_power(id);
    case MapOp::relu_:
    case MapOp::step_:
    case MapOp::abs_:
    case MapOp::sign_:
    case MapOp::cbrt_: return true;  // beyond a kink they go on
    case MapOp::polygamma_: return signs_.range(n.operands[1]).positive();
    case MapOp::exp_:
    case MapOp::expm1_:
    case MapOp::sinh_:
    case MapOp::cosh_: {
      if (overflow_ == Overflow::Ignored) return true;
      const Range values = signs_.range(id);
      return values.low && values.high;
    }
    // Without a pole on the interval of the table, that of their last argument.
    default: return n.operands.empty() || signs_.range(n.operands.back()).inside(r.smooth_low, r.smooth_high);
  }
}

bool Finiteness::is_positive_power(NodeId id) const {
  const Node& n = g_[id];
  if (n.map_op() != MapOp::pow_ && n.map_op() != MapOp::pow0_) return false;
  return g_[n.operands[1]].kind == Kind::Const && g_[n.operands[1]].value() > 0;
}

bool Finiteness::of_power(NodeId id) {
  const Node& n = g_[id];
  const Range base = signs_.range(n.operands[0]);
  if (base.positive()) return true;
  const Node& exponent = g_[n.operands[1]];
  if (exponent.kind != Kind::Const) return false;
  const Rational& e = exponent.value();
  if (!is_integer(e) && !base.nonnegative()) return false;
  // A guarded power is 0 at 0; next to it a base that is a number at all has a finite power of this size.
  return e >= 0 || base.excludes_zero() || (n.map_op() == MapOp::pow0_ && e >= -1);
}

}  // namespace ricci
