#include "passes/structure.h"

#include <algorithm>
#include <numeric>
#include <tuple>

#include "ir/constant_folding.h"
#include "ir/fingerprint.h"
#include "ir/labels.h"
#include "ir/mix.h"
#include "ir/places.h"
#include "passes/join_places.h"

namespace ricci {
namespace {

constexpr int kMostOrders = 24;  // of the axes of a tensor, tried for the canonical one
constexpr size_t kMostTogether = 4;  // axes whose orders are all tried; of more, those that differ are told apart first

bool is_entrywise(const Graph& g, NodeId n) { return (g[n].kind == Kind::Map || g[n].kind == Kind::Sum) && g[n].rank() > 0 && !g[n].operands.empty(); }

bool is_sum(const Graph& g, NodeId n) { return g[n].kind == Kind::Sum && g[n].operands.size() > 1; }

// The same function, or sum, of operands that `each` has given other axes, of type `type`.
template <class Each>
NodeId over(Graph& g, NodeId id, Type type, Each each) {
  if (g[id].kind == Kind::Sum) {
    std::vector<Term> terms = g.terms(id);
    for (Term& t : terms) t.tensor = each(t.tensor);
    return g.sum(std::move(terms), std::move(type));
  }
  std::vector<NodeId> operands = g[id].operands;
  for (NodeId& o : operands)
    if (g[o].rank() > 0) o = each(o);
  return g.map(g[id].map_op(), std::move(operands));
}

// Whether no entry of `n` depends on its index at `axis`.
bool is_added(const Graph& g, NodeId n, size_t axis) {
  if (g[n].kind != Kind::Ein) return false;
  const Labels out = g.out(n);
  return std::ranges::count(out, out[axis]) == 1 && std::ranges::none_of(g.factors(n), [&](const Factor& f) { return contains(f.labels, out[axis]); });
}

Type type_of(const Graph& g, NodeId id, const std::vector<size_t>& axes) {
  Type type;
  for (size_t a : axes) type.push_back(g[id].type[a]);
  return type;
}

// Axes change places inside sums and products, as canonicalize has it, where Graph::permute would put a product around.
NodeId permute(Graph& g, NodeId n, const std::vector<size_t>& axes) {
  Type type = type_of(g, n, axes);
  if (is_entrywise(g, n) && g[n].kind == Kind::Sum) return over(g, n, type, [&](NodeId o) { return permute(g, o, axes); });
  if (g[n].kind != Kind::Ein) return g.permute(n, axes);
  const Labels out = g.out(n);
  Labels moved;
  for (size_t a : axes) moved.push_back(out[a]);
  return g.ein(g.factors(n), std::move(moved), std::move(type));
}

// Whether a tensor whose axes change places is a permutation of a tensor, and if it is none, which variable it is.
struct Look {
  bool permuted = false;
  std::optional<NodeId> variable = {};
};
Look look_of(const Graph& g, NodeId n, const std::vector<size_t>& axes) {
  const bool moves = g[n].kind == Kind::Ein && g.is_structure(n);
  const bool repeats_sum = moves && g[n].operands.size() == 1 && g[g[n].operands[0]].kind == Kind::Sum;  // and can have its axes in any order
  if (g[n].kind == Kind::Sum || (g[n].kind == Kind::Ein && !moves) || repeats_sum) return {};
  const Labels own = moves ? g.out(n) : Graph::iota(axes.size());
  Labels out;
  for (size_t a : axes) out.push_back(own[a]);
  const bool plain = out == Graph::iota(out.size()) && (!moves || (g[n].operands.size() == 1 && g.factors(n)[0].labels == out));
  const NodeId core = moves && plain ? g[n].operands[0] : n;
  return {!plain, plain && g[core].kind == Kind::Var ? std::optional(core) : std::nullopt};
}

// The axes in an order that is the same in every graph, in groups of those that cannot be told apart by a look at each alone.
std::vector<std::vector<size_t>> groups_of_axes(const Graph& g, NodeId id) {
  std::map<uint64_t, std::vector<size_t>> groups;
  for (size_t a = 0; a < g[id].rank(); ++a) groups[fingerprint_of_axis(g, id, a)].push_back(a);
  std::vector<std::vector<size_t>> result;
  for (auto& [look, group] : groups) result.push_back(std::move(group));
  return result;
}

// The orders of the axes of an entrywise node that make it canonical: axis k of the new node is axis order[k] of this one. The fewer permutations
// among its operands the better, and of what was declared later rather; then any order that is the same in every graph. Several orders are those
// that give the same node: symmetries of it.
std::vector<std::vector<size_t>> canonical_orders(Graph& g, NodeId id) {
  std::vector<size_t> order(g[id].rank());
  std::iota(order.begin(), order.end(), size_t{0});
  if (order.size() < 2 || g.is_symmetric(id)) return {order};
  const Node& n = g[id];
  std::vector<std::vector<size_t>> groups = {order}, best;
  if (order.size() > kMostTogether) groups = groups_of_axes(g, id);
  using Key = std::tuple<size_t, uint64_t, std::vector<uint64_t>>;
  std::optional<Key> least;
  for (int tried = 0; tried < kMostOrders; ++tried) {
    order.clear();
    for (const std::vector<size_t>& group : groups) order.insert(order.end(), group.begin(), group.end());
    auto [permuted, rows, prints] = Key{};
    for (size_t k = 0; k < n.operands.size(); ++k) {
      const NodeId o = n.operands[k];
      if (g[o].rank() > 0) {
        const Look look = look_of(g, o, order);
        permuted += look.permuted;
        rows += look.variable ? g[*look.variable].row : 0;
      }
      prints.push_back(fingerprint_of_permuted(g, o, order));
    }
    if (n.kind == Kind::Sum) std::ranges::sort(prints);  // terms have no order
    Key key{permuted, rows, std::move(prints)};
    if (!least || key < *least) least = key, best.clear();
    if (key == *least) best.push_back(order);
    if (std::ranges::none_of(groups, [](std::vector<size_t>& group) { return std::ranges::next_permutation(group).found; })) break;
  }
  return best;
}

std::vector<size_t> canonical_axes(Graph& g, NodeId id) { return canonical_orders(g, id)[0]; }

NodeId with_axes(Graph& g, NodeId id, const std::vector<size_t>& axes) {
  return over(g, id, type_of(g, id, axes), [&](NodeId o) { return permute(g, o, axes); });
}

// Which of two terms is rather positive: a number, 1 - x; the product with more factors, A*x - b; what was declared first, x - y.
using Rank = std::tuple<bool, size_t, bool, uint64_t>;
Rank rank_of(const Graph& g, NodeId term) {
  const Node& n = g[term];
  const bool number = n.kind == Kind::Const || (n.kind == Kind::Ein && n.operands.empty()), variable = n.kind == Kind::Var;
  return {!number, ~(n.kind == Kind::Ein ? n.operands.size() : 1), !variable, variable ? n.row : g.fingerprint(term)};
}

NodeId divided(Graph& g, NodeId sum, const Rational& c) {
  std::vector<Term> terms = g.terms(sum);
  for (Term& t : terms) t.coefficient /= c;
  return g.sum(std::move(terms), Type(g[sum].type));
}

// A factor with the places that pick of its axes, an entry or of nothing else, and the labels that are left.
struct Picked {
  std::vector<Factor> picks;  // the factor first
  Labels left;
  Type type;
};

Picked picked(const Graph& g, const std::vector<Factor>& factors, size_t k, const Labels& out, std::vector<bool>& taken) {
  const Factor& f = factors[k];
  Picked p{{f}, {}, {}};
  const auto keep = [&](Label l, DimId d) {
    if (!contains(p.left, l)) p.left.push_back(l), p.type.push_back(d);
  };
  for (size_t axis = 0; axis < f.labels.size(); ++axis) {
    const Label l = f.labels[axis];
    std::vector<size_t> others;
    for (size_t m = 0; m < factors.size(); ++m)
      if (m != k && contains(factors[m].labels, l)) others.push_back(m);
    const auto picks = [&](size_t m) {
      const Labels& ls = factors[m].labels;
      return g[factors[m].tensor].kind == Kind::Place && ls[0] == l && (ls.size() == 1 || (others.size() == 1 && !contains(out, l) && std::ranges::count(ls, l) == 1));
    };
    const auto at = std::ranges::find_if(others, picks);
    if (at == others.end()) {
      keep(l, g[f.tensor].type[axis]);
      continue;
    }
    const Factor& place = factors[*at];
    if (std::ranges::find(p.picks, place) == p.picks.end()) p.picks.push_back(place);  // an axis may stand twice
    taken[*at] = others.size() == 1 && !contains(out, l);  // a unit vector is its own square: e_k*f(x_k)*y_k = e_k*f(x_2)*y_k
    for (size_t d = 1; d < place.labels.size(); ++d) keep(place.labels[d], g[place.tensor].type[d]);
  }
  return p;
}

// The function or sum picks[0] of what the places behind it pick, with axes `left`.
NodeId pick_inside(Graph& g, std::vector<Factor> picks, const Labels& left, const Type& type) {
  const NodeId of = picks[0].tensor;
  const NodeId inside = over(g, of, type, [&](NodeId o) {
    picks[0].tensor = o;
    return g.ein(picks, left, type);
  });
  return g[of].kind == Kind::Sum ? g.sum(join_picks(g, g.terms(inside)), type) : inside;
}

bool is_settled_here(const Graph& g, NodeId n) { return is_entrywise(g, n) || is_sum(g, n); }

// What else a label joins in a product than factor `k`. Not where it stands in the result: how a sum is written may depend on its terms, but not
// these on it; nor at which axis of another sum, which asks the same of this one.
uint64_t look_of_label(const Graph& g, const std::vector<Factor>& factors, size_t k, Label l) {
  uint64_t look = 0;
  for (size_t m = 0; m < factors.size(); ++m) {
    const bool alike = g.is_symmetric(factors[m].tensor) || is_sum(g, factors[m].tensor);
    for (size_t a = 0; a < factors[m].labels.size(); ++a)
      if (m != k && factors[m].labels[a] == l) look += mix(g.fingerprint(factors[m].tensor) ^ mix(alike ? 1 : a + 2));
  }
  return look;
}

// Factor `k` of a product, if it is a sum, with its axes in their canonical order: where it has symmetries, that in which its labels look least, and
// if there is nothing else, so that all look alike, that of the result.
Factor with_canonical_axes(Graph& g, const std::vector<Factor>& factors, size_t k, const Labels& out) {
  const Factor& f = factors[k];
  if (!is_sum(g, f.tensor)) return f;
  const std::vector<std::vector<size_t>> orders = canonical_orders(g, f.tensor);
  const auto looks = [&](const std::vector<size_t>& order) {
    std::vector<uint64_t> result;
    for (size_t a : order) result.push_back(factors.size() > 1 ? look_of_label(g, factors, k, f.labels[a]) : uint64_t(std::ranges::find(out, f.labels[a]) - out.begin()));
    return result;
  };
  const std::vector<size_t> axes = orders.size() == 1 ? orders[0] : *std::ranges::min_element(orders, {}, looks);
  if (std::ranges::is_sorted(axes)) return f;
  Labels labels;
  for (size_t a : axes) labels.push_back(f.labels[a]);
  return {with_axes(g, f.tensor, axes), std::move(labels)};
}

}  // namespace

Rational content(const Graph& g, NodeId sum) {
  const Node& n = g[sum];
  mpz_class num = 0, den = 1;
  long positive = 0;
  std::optional<Rank> first;
  int sign = 1;
  for (size_t k = 0; k < n.operands.size(); ++k) {
    const Rational& c = n.coefficients[k];
    num = gcd(num, c.get_num());
    den = lcm(den, c.get_den());
    positive += sgn(c);
    if (const Rank r = rank_of(g, n.operands[k]); !first || r < *first) first = r, sign = sgn(c);
  }
  return Rational((positive != 0 ? positive : sign) < 0 ? -num : num, den);
}

NodeId settle_base(Graph& g, NodeId id) {
  const Node n = g[id];
  if (n.kind != Kind::Map || (n.map_op() != MapOp::pow_ && n.map_op() != MapOp::pow0_) || !is_sum(g, n.operands[0]) || g[n.operands[1]].kind != Kind::Const) return id;
  const Rational exponent = g[n.operands[1]].value();
  Rational c = content(g, n.operands[0]);
  if (!is_integer(exponent)) c = abs(c);
  const auto power = c == 1 ? std::nullopt : exact_power(c, exponent);
  return power ? g.scale(*power, g.map(n.map_op(), {divided(g, n.operands[0], c), n.operands[1]})) : id;
}

NodeId pull_out_added_axes(Graph& g, NodeId id) {
  if (!is_entrywise(g, id)) return id;
  const Type type = g[id].type;
  std::vector<size_t> kept;
  for (size_t k = 0; k < type.size(); ++k)
    if (!std::ranges::all_of(g[id].operands, [&](NodeId o) { return g[o].rank() == 0 || is_added(g, o, k); })) kept.push_back(k);
  if (kept.size() == type.size()) return id;
  const Type inner_type = type_of(g, id, kept);
  const NodeId inner = over(g, id, inner_type, [&](NodeId o) {
    const Labels out = g.out(o);
    Labels left;
    for (size_t k : kept) left.push_back(out[k]);
    return g.ein(g.factors(o), std::move(left), inner_type);
  });
  return g.ein({{inner, Labels(kept.begin(), kept.end())}}, Graph::iota(type.size()), type);
}

NodeId order_axes(Graph& g, NodeId id) {
  const std::vector<size_t> axes = canonical_axes(g, id);
  if (std::ranges::is_sorted(axes)) return id;
  const NodeId inner = with_axes(g, id, axes);
  return g.ein({{inner, Labels(axes.begin(), axes.end())}}, Graph::iota(axes.size()), Type(g[id].type));
}

NodeId settle_factors(Graph& g, NodeId id) {
  std::vector<Factor> factors = g.factors(id);
  if (std::ranges::none_of(factors, [&](const Factor& f) { return is_settled_here(g, f.tensor); })) return id;
  const Labels out = g.out(id);
  std::vector<Factor> settled;
  std::vector<bool> taken(factors.size(), false);  // places that now stand inside
  bool changed = false;
  Rational common = 1;
  for (size_t k = 0; k < factors.size(); ++k) {
    if (!is_settled_here(g, factors[k].tensor)) continue;
    if (is_sum(g, factors[k].tensor))
      if (const Rational c = content(g, factors[k].tensor); c != 1) {
        common *= c;
        factors[k].tensor = divided(g, factors[k].tensor, c);
      }
    Picked p = picked(g, factors, k, out, taken);
    const bool picks = p.picks.size() > 1 || p.left.size() < factors[k].labels.size();
    settled.push_back(picks ? Factor{pick_inside(g, std::move(p.picks), p.left, p.type), p.left} : with_canonical_axes(g, factors, k, out));
    changed |= picks || settled.back() != factors[k];
  }
  if (!changed && common == 1) return id;
  for (size_t k = 0; k < factors.size(); ++k)
    if (!taken[k] && !is_settled_here(g, factors[k].tensor)) settled.push_back(factors[k]);
  return g.scale(common, g.ein(std::move(settled), out, Type(g[id].type)));
}

NodeId settle_argument(Graph& g, NodeId id) {
  const NodeId operand = g[id].operands[0];
  if (!is_sum(g, operand)) return id;
  const Rational c = content(g, operand);
  if (c == 1) return id;
  const NodeId next = g.fun(g[id].fun_op(), g.scale(c, divided(g, operand, c)));
  return g[next].kind == Kind::Fun ? id : next;
}

NodeId transpose_inside(Graph& g, NodeId id) {
  const FunctionRow& r = row(g[id].fun_op());
  const NodeId operand = g[id].operands[0];
  if (r.core.in != 2 || r.transposed.empty() || g[operand].rank() != 2 || !is_sum(g, operand)) return id;
  const auto is_block = [&](NodeId t) { return g[t].kind == Kind::Ein && std::ranges::any_of(g[t].operands, [&](NodeId o) { return g[o].kind == Kind::Place; }); };
  if (std::ranges::any_of(g[operand].operands, is_block)) return id;  // expm([X, H; 0, X]) is read as it was written
  const std::vector<size_t> axes = canonical_axes(g, operand);
  if (std::ranges::is_sorted(axes)) return id;
  const NodeId turned = g.fun(*find_function(r.transposed), with_axes(g, operand, axes));
  return r.core.out == 2 ? g.permute(turned, {1, 0}) : turned;
}

NodeId push_in_places(Graph& g, NodeId id) {
  if (placement(g, id) != Placement::Total) return id;
  const std::vector<Factor> factors = g.factors(id);
  const auto f = std::ranges::find_if(factors, [&](const Factor& x) { return g[x.tensor].kind != Kind::Place; });
  if (factors.size() < 2 || f == factors.end() || g[f->tensor].kind != Kind::Map || g[f->tensor].rank() == 0) return id;
  Labels carried;
  Type type;
  const Labels out = g.out(id);
  for (size_t k = 0; k < out.size(); ++k)
    if (std::ranges::any_of(factors, [&](const Factor& x) { return contains(x.labels, out[k]); })) carried.push_back(out[k]), type.push_back(g[id].type[k]);
  const size_t at = size_t(f - factors.begin());
  const NodeId inner = over(g, f->tensor, type, [&](NodeId o) {
    std::vector<Factor> picked = factors;
    picked[at].tensor = o;
    return g.ein(std::move(picked), carried, type);
  });
  return g.ein({{inner, carried}}, out, Type(g[id].type));
}

}  // namespace ricci
