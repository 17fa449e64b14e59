#include "passes/definiteness.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "ir/interpret.h"
#include "passes/compare.h"
#include "passes/differentiate.h"
#include "passes/simplify.h"

namespace ricci {

bool Definiteness::depends_on(NodeId n, NodeId what) const {
  const NodeId roots[] = {n};
  const auto below = g_.reachable(roots);
  return std::ranges::binary_search(below, what);
}

bool Definiteness::thin(NodeId u) {
  std::vector<NodeId> open{u};
  while (!open.empty()) {
    const NodeId id = open.back();
    open.pop_back();
    if (signs_.range(id).excludes_zero()) continue;
    const Node& n = g_[id];
    const bool scalars =
        n.kind == Kind::Ein && n.rank() == 0 && std::ranges::all_of(n.operands, [&](NodeId op) { return g_[op].rank() == 0; });
    if (scalars) {
      open.insert(open.end(), n.operands.begin(), n.operands.end());
    } else if (n.kind == Kind::Map && (n.map_op() == MapOp::pow_ || n.map_op() == MapOp::pow0_)) {
      open.push_back(n.operands[0]);
    } else {
      if (isolated_zeros(id)) continue;
      // A strictly convex function that is never negative has one zero at most.
      const bool one_zero = n.rank() == 0 && depends_on(id, x_) && signs_.nonnegative(id) && analytic(id) && strictly_convex_(id);
      if (!one_zero) return false;
    }
  }
  return true;
}

// An analytic function of one number and of nothing else has isolated zeros if it is not zero everywhere.
bool Definiteness::isolated_zeros(NodeId u) const {
  const auto below = g_.reachable(std::span(&u, 1));
  const bool of_x_alone = g_[x_].rank() == 0 && std::ranges::all_of(below, [&](NodeId m) { return g_[m].kind != Kind::Var || m == x_; });
  if (!of_x_alone || g_[u].rank() != 0 || !analytic(u)) return false;
  const Array<Quad> at = interpret<Quad>(g_, u, {}, random_point(g_, below, {}, 1));
  return std::isfinite(double(at.data[0])) && scalar::fabs(at.data[0]) > 1e-6;
}

// Made of sums, products, whole powers and functions analytic on the whole line only, so that nothing is hidden at kinks.
bool Definiteness::analytic(NodeId u) const {
  const NodeId roots[] = {u};
  return std::ranges::all_of(g_.reachable(roots), [&](NodeId m) {
    const Node& n = g_[m];
    if (n.kind == Kind::Fun || n.kind == Kind::Call) return false;
    if (n.kind != Kind::Map || !depends_on(m, x_)) return true;
    const ElementwiseRow& r = row(n.map_op());
    if (n.map_op() != MapOp::pow_) return r.arity == 1 && std::isinf(r.smooth_low) && std::isinf(r.smooth_high);
    const Node& e = g_[n.operands[1]];
    return e.kind == Kind::Const && is_integer(e.value()) && e.value() > 0;
  });
}

bool Definiteness::only_at_zero(const std::vector<Factor>& factors, const Labels& out, const Mirror& mirror,
                                std::set<IndependentColumns>& conditions) {
  std::vector<Factor> linear, weights;
  std::set<Label> boundary(out.begin(), out.end());
  for (const auto& [l, image] : mirror.labels)
    if (l == image) boundary.insert(l);
  for (size_t k = 0; k < factors.size(); ++k) {
    const Factor& f = factors[k];
    if (mirror.side[k] == Mirror::Side::Left) linear.push_back(f);
    if (mirror.side[k] != Mirror::Side::Fixed) continue;
    if (!mirror.is_kernel(f)) {
      weights.push_back(f);
      continue;
    }
    if (signs_.definite(f.tensor) != Definite::Definite) return false;
    boundary.insert(f.labels.begin(), f.labels.end());
  }
  std::erase_if(linear, [&](const Factor& f) {  // what is never zero makes no zero
    return std::ranges::all_of(f.labels, [&](Label l) { return boundary.contains(l); }) && !depends_on(f.tensor, h_) &&
           signs_.range(f.tensor).excludes_zero();
  });
  for (const Factor& f : weights)
    if (depends_on(f.tensor, h_) && !(linear.empty() && opened_square(f, linear))) return false;
  for (const Factor& f : weights)
    if (!depends_on(f.tensor, h_) && !signs_.positive(f.tensor) && !zero_only_as(f, linear)) return false;
  return injective(linear, boundary, conditions);
}

// A weight L.^2 as it stands in an unopened product: its base, opened.
bool Definiteness::opened_square(const Factor& square, std::vector<Factor>& linear) const {
  const Node& n = g_[square.tensor];
  if (n.kind != Kind::Map || n.map_op() != MapOp::pow_) return false;
  const NodeId base = n.operands[0];
  if (g_[base].kind != Kind::Ein) {
    linear.push_back({base, square.labels});
    return true;
  }
  const Labels inner_out = g_.out(base);
  std::map<Label, Label> name;
  for (size_t a = 0; a < inner_out.size(); ++a) name[inner_out[a]] = square.labels[a];
  Label fresh = Label(1) << 20;  // beyond the labels of any product
  for (Factor inner : g_.factors(base)) {
    for (Label& l : inner.labels) {
      auto [it, is_new] = name.try_emplace(l, fresh);
      if (is_new) ++fresh;
      l = it->second;
    }
    linear.push_back(std::move(inner));
  }
  return true;
}

// A weight v^k, k > 0, whose v moves as the linear form does: along a line on which that moves, it passes zero at isolated points.
bool Definiteness::zero_only_as(const Factor& weight, const std::vector<Factor>& linear) {
  const Node& n = g_[weight.tensor];
  const bool power = n.kind == Kind::Map && n.map_op() == MapOp::pow_ && g_[n.operands[1]].kind == Kind::Const && g_[n.operands[1]].value() > 0;
  const NodeId slope = simplify(g_, directional(g_, power ? n.operands[0] : weight.tensor, x_, h_));
  if (depends_on(slope, x_)) return false;
  const NodeId form = simplify(g_, g_.ein(linear, weight.labels, Type(n.type)));
  const auto a = g_.terms(slope), b = g_.terms(form);
  return a.size() == 1 && b.size() == 1 && a[0].tensor == b[0].tensor;
}

// Whether the linear form is zero for h = 0 only: every axis of h is either an axis of the form, or goes through matrices of independent
// columns to an axis that no other goes to.
bool Definiteness::injective(const std::vector<Factor>& linear, const std::set<Label>& boundary, std::set<IndependentColumns>& conditions) {
  const auto h = std::ranges::find(linear, h_, &Factor::tensor);
  if (h == linear.end()) return false;
  Labels axes = h->labels;
  std::ranges::sort(axes);
  if (std::ranges::adjacent_find(axes) != axes.end()) return false;
  std::vector<Factor> others;
  for (const Factor& f : linear)
    if (&f != &*h) others.push_back(f);
  auto is_matrix = [](const Factor& f) { return f.labels.size() == 2 && f.labels[0] != f.labels[1]; };
  std::set<Label> reached;
  size_t placed = 0;
  for (Label axis : h->labels) {
    std::vector<Factor> chain;
    Label end = axis;
    while (!boundary.contains(end)) {
      auto next = std::ranges::find_if(others, [&](const Factor& f) {
        return is_matrix(f) && std::ranges::count(f.labels, end) > 0 && std::ranges::count(chain, f) == 0;
      });
      if (next == others.end()) return false;
      end = next->labels[next->labels[0] == end ? 1 : 0];
      chain.push_back(*next);
    }
    if (!reached.insert(end).second) return false;
    placed += chain.size();
    if (std::ranges::all_of(chain, [&](const Factor& f) {
          return signs_.properties(f.tensor).has(Property::nonsingular) || signs_.definite(f.tensor) == Definite::Definite;
        }))
      continue;
    const NodeId matrix = simplify(g_, g_.ein(chain, {end, axis}, {dim_of(chain, end), dim_of(chain, axis)}));
    if (depends_on(matrix, x_)) return false;
    conditions.insert({matrix});
  }
  return placed == others.size();
}

DimId Definiteness::dim_of(const std::vector<Factor>& factors, Label l) const {
  for (const Factor& f : factors)
    for (size_t a = 0; a < f.labels.size(); ++a)
      if (f.labels[a] == l) return g_[f.tensor].type[a];
  return {};
}

}  // namespace ricci
