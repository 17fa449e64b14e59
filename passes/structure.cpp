#include "passes/structure.h"

#include <algorithm>
#include <numeric>
#include <tuple>

#include "ir/constant_folding.h"
#include "ir/dimension.h"
#include "ir/fingerprint.h"
#include "ir/labels.h"
#include "ir/mix.h"
#include "ir/places.h"
#include "passes/exchanges.h"
#include "passes/join_places.h"

namespace ricci {
namespace {

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
  if (g[n].kind == Kind::Sum) return std::ranges::all_of(g[n].operands, [&](NodeId o) { return is_added(g, o, axis); });
  if (g[n].kind != Kind::Ein) return false;
  const Labels out = g.out(n);
  return std::ranges::count(out, out[axis]) == 1 && std::ranges::none_of(g.factors(n), [&](const Factor& f) { return contains(f.labels, out[axis]); });
}

// `n` without the axes that are not `kept`, which are added ones.
NodeId without_others(Graph& g, NodeId n, const std::vector<size_t>& kept) {
  Type type;
  for (size_t k : kept) type.push_back(g[n].type[k]);
  if (g[n].kind == Kind::Sum) return over(g, n, type, [&](NodeId o) { return without_others(g, o, kept); });
  const Labels out = g.out(n);
  Labels left;
  for (size_t k : kept) left.push_back(out[k]);
  return g.ein(g.factors(n), std::move(left), std::move(type));
}

Type type_of(const Graph& g, NodeId id, const std::vector<size_t>& axes) {
  Type type;
  for (size_t a : axes) type.push_back(g[id].type[a]);
  return type;
}

std::vector<Factor> with_canonical_labels(Graph& g, std::vector<Factor> factors, const Labels& out);

// Axes change places inside sums and products, as canonicalize has it, where Graph::permute would put a product around.
NodeId permute(Graph& g, NodeId n, const std::vector<size_t>& axes) {
  Type type = type_of(g, n, axes);
  if (is_entrywise(g, n) && g[n].kind == Kind::Sum) return over(g, n, type, [&](NodeId o) { return permute(g, o, axes); });
  const bool product = g[n].kind == Kind::Ein;
  const Labels out = product ? g.out(n) : Graph::iota(axes.size());
  Labels moved;
  for (size_t a : axes) moved.push_back(out[a]);
  return g.ein(with_canonical_labels(g, product ? g.factors(n) : std::vector<Factor>{{n, out}}, moved), moved, std::move(type));
}

// Whether a tensor whose axes change places is a permutation of a tensor, and if it is none, which variable it is.
struct Look {
  bool permuted = false;
  std::optional<NodeId> variable = {};
};
Look look_of(const Graph& g, NodeId n, const std::vector<size_t>& axes) {
  if (g.is_symmetric(n)) return {false, g[n].kind == Kind::Var ? std::optional(n) : std::nullopt};
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
  const std::vector<uint64_t>& looks = g.axis_fingerprints(id);
  std::map<uint64_t, std::vector<size_t>> groups;
  for (size_t a = 0; a < looks.size(); ++a) groups[looks[a]].push_back(a);
  std::vector<std::vector<size_t>> result;
  for (auto& [look, group] : groups) result.push_back(std::move(group));
  return result;
}

// The order of the axes of an entrywise node that makes it canonical: axis k of the new node is axis order[k] of this one. The fewer permutations
// among its operands the better, and of what was declared later rather; then any order that is the same in every graph.
std::vector<size_t> canonical_axes(const Graph& g, NodeId id) {
  std::vector<size_t> order(g[id].rank());
  std::iota(order.begin(), order.end(), size_t{0});
  if (order.size() < 2 || g.is_symmetric(id)) return order;
  std::vector<std::vector<size_t>> groups = {order};
  if (order.size() > kMostTogether) groups = groups_of_axes(g, id);
  const auto together = [&](const std::vector<size_t>& axes) { return looks_of_operands(g, id, axes, true); };  // the sign follows the axes: A - A'
  using Key = std::pair<size_t, uint64_t>;
  std::optional<Key> least;
  std::optional<std::vector<uint64_t>> least_together;  // asked for only where that does not decide
  std::vector<size_t> best;
  bool more = true;
  std::map<NodeId, std::vector<size_t>> of_sums;  // a function follows the sum it is of: f(1 - X') = f(1 - X)'
  for (NodeId o : g[id].operands)
    if (g[o].kind == Kind::Sum && g[o].rank() == order.size()) of_sums.try_emplace(o, canonical_axes(g, o));
  const size_t most = most_orders(g, id);
  for (size_t tried = 0; more && tried < most; ++tried) {
    order.clear();
    for (const std::vector<size_t>& group : groups) order.insert(order.end(), group.begin(), group.end());
    more = std::ranges::any_of(groups, [](std::vector<size_t>& group) { return std::ranges::next_permutation(group).found; });
    Key key;
    auto& [permuted, rows] = key;
    for (NodeId o : g[id].operands) {
      if (g[o].rank() == 0) continue;
      if (const auto sum = of_sums.find(o); sum != of_sums.end()) {
        permuted += !g.is_symmetric(o) && order != sum->second;
        continue;
      }
      const Look look = look_of(g, o, order);
      permuted += look.permuted;
      rows += look.variable ? g[*look.variable].row : 0;
    }
    if (least && key > *least) continue;
    if (least && key == *least) {
      if (!least_together) least_together = together(best);
      std::vector<uint64_t> all = together(order);
      if (all >= *least_together) continue;
      least_together = std::move(all);
    } else {
      least_together.reset();
    }
    least = key;
    best = order;
  }
  return best;
}

NodeId with_axes(Graph& g, NodeId id, const std::vector<size_t>& axes) {
  return over(g, id, type_of(g, id, axes), [&](NodeId o) { return permute(g, o, axes); });
}

// Which of two terms is rather positive: a number, 1 - x; the product with more factors, A*x - b; what was declared first, x - y. Then what differs
// whatever the order of the axes, which the sign does not follow where it can be told without.
using Rank = std::tuple<bool, size_t, bool, uint64_t, uint64_t>;
Rank rank_of(const Graph& g, NodeId term) {
  const bool moved = g[term].kind == Kind::Ein && g.is_structure(term) && g[term].operands.size() == 1;
  const Node& n = g[moved ? g[term].operands[0] : term];
  const bool number = n.kind == Kind::Const || (n.kind == Kind::Ein && n.operands.empty()), variable = n.kind == Kind::Var;
  uint64_t axes = n.rank() == 0 ? g.fingerprint(term) : 0;
  for (uint64_t look : g.axis_fingerprints(term)) axes += mix(look);
  return {!number, ~(n.kind == Kind::Ein ? n.operands.size() : 1), !variable, variable ? n.row : axes, g.fingerprint(term)};
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

// How many axes of a node it maps over, so that what is picked there can be picked of its operands: a function makes its last ones itself.
size_t mapped_axes(const Graph& g, NodeId n) { return g[n].rank() - (g[n].kind == Kind::Fun ? row(g[n].fun_op()).core.out : 0); }

Picked picked(const Graph& g, const std::vector<Factor>& factors, size_t k, const Labels& out, std::vector<bool>& taken) {
  const Factor& f = factors[k];
  Picked p{{f}, {}, {}};
  const auto keep = [&](Label l, DimId d) {
    if (!contains(p.left, l)) p.left.push_back(l), p.type.push_back(d);
  };
  const Labels made(f.labels.begin() + std::ptrdiff_t(mapped_axes(g, f.tensor)), f.labels.end());
  const auto is_made = [&](Label l) { return contains(made, l); };
  if (!made.empty() && has_repeats(f.labels)) return {{f}, f.labels, g[f.tensor].type};
  for (size_t axis = 0; axis < f.labels.size(); ++axis) {
    const Label l = f.labels[axis];
    std::vector<size_t> others;
    for (size_t m = 0; m < factors.size(); ++m)
      if (m != k && contains(factors[m].labels, l)) others.push_back(m);
    const auto picks = [&](size_t m) {
      const Labels& ls = factors[m].labels;
      return g[factors[m].tensor].kind == Kind::Place && ls[0] == l && std::ranges::none_of(ls, is_made) &&
             (ls.size() == 1 || (others.size() == 1 && !contains(out, l) && std::ranges::count(ls, l) == 1));
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
  const Node of = g[picks[0].tensor];
  if (of.kind == Kind::Fun) {
    const NodeId operand = of.operands[0];
    const size_t mapped = mapped_axes(g, picks[0].tensor), made = of.rank() - mapped;
    Labels inner(left.begin(), left.end() - std::ptrdiff_t(made));
    Type inner_type(type.begin(), type.end() - std::ptrdiff_t(made));
    picks[0].tensor = operand;
    picks[0].labels.resize(mapped);
    Label fresh = 0;
    for (const Factor& p : picks)
      for (Label l : p.labels) fresh = std::max(fresh, l + 1);
    for (size_t k = mapped; k < g[operand].rank(); ++k, ++fresh) {
      picks[0].labels.push_back(fresh);
      inner.push_back(fresh);
      inner_type.push_back(g[operand].type[k]);
    }
    return g.fun(of.fun_op(), g.ein(std::move(picks), std::move(inner), std::move(inner_type)));
  }
  const NodeId inside = over(g, picks[0].tensor, type, [&](NodeId o) {
    picks[0].tensor = o;
    return g.ein(picks, left, type);
  });
  return of.kind == Kind::Sum ? g.sum(join_picks(g, g.terms(inside)), type) : inside;
}

Labels in_order(const Labels& labels, const std::vector<size_t>& order) {
  Labels result;
  for (size_t a : order) result.push_back(labels[a]);
  return result;
}

// 1 for a block above the diagonal of a matrix, -1 for one below it.
long side_of_block(const Graph& g, NodeId term) {
  if (g[term].kind != Kind::Ein || g[term].rank() != 2) return 0;
  const Labels out = g.out(term);
  std::optional<Extent> offset[2];
  for (const Factor& f : g.factors(term))
    for (size_t axis : {0, 1})
      if (g[f.tensor].kind == Kind::Place && f.labels[0] == out[axis]) offset[axis] = Extent::of(g, DimId{g[f.tensor].row});
  if (!offset[0] || !offset[1] || *offset[0] == *offset[1]) return 0;
  return (*offset[1] - *offset[0]).is_size() ? 1 : (*offset[0] - *offset[1]).is_size() ? -1 : 0;
}

// Whether more factors stand transposed than not on the way from the rows of a matrix product to its columns, as in X'*A' = (A*X)', or as many and the
// later declared comes first, as in B*A'; nothing where there is no such way, or it says nothing.
std::optional<bool> is_mostly_transposed(const Graph& g, NodeId product) {
  const Labels out = g.out(product);
  std::vector<Factor> factors = g.factors(product);
  std::vector<size_t> way;
  long balance = 0;
  for (Label at = out[0]; at != out[1];) {
    const auto f = std::ranges::find_if(factors, [&](const Factor& x) { return x.labels.size() == 2 && !has_repeats(x.labels) && contains(x.labels, at); });
    if (f == factors.end()) return std::nullopt;
    const bool transposed = f->labels[1] == at;
    at = f->labels[transposed ? 0 : 1];
    if (!g.is_symmetric(f->tensor) && !is_sum(g, f->tensor)) balance += transposed ? 1 : -1, way.push_back(size_t(f - factors.begin()));
    f->labels.clear();  // taken
  }
  if (balance != 0) return balance > 0;
  if (way.empty() || factors[way.front()].tensor == factors[way.back()].tensor) return std::nullopt;
  return way.front() > way.back();
}

bool is_skew(Graph& g, NodeId n) { return g[n].rank() == 2 && settle_exchanges(g, permute(g, n, {1, 0})) == g.scale(-1, n); }

// Whether a matrix is the transpose of its canonical form. Blocks are read as they were written, expm([X, 0; H, X]) as the transpose of
// expm([X, H; 0, X]); of products the one with fewer transposes is canonical, of skew matrices the one without a minus.
bool is_turned(Graph& g, NodeId n) {
  if (g.is_symmetric(n)) return false;
  if (g.is_structure(n)) {  // ones*v' is (v*ones')'; of two added axes the names of the sizes decide
    const bool first = is_added(g, n, 0), second = is_added(g, n, 1);
    return first != second ? first : first && g.spell(g[n].type[1]) < g.spell(g[n].type[0]);
  }
  if (g[n].kind == Kind::Sum && g[n].operands.size() == 1) {
    const NodeId scaled = g[n].operands[0];
    if (is_skew(g, scaled)) return g[n].coefficients[0] < 0;
    return is_turned(g, scaled) || g[g.permute(scaled, {1, 0})].kind != Kind::Ein;  // -X' of a matrix X, which is no product
  }
  const auto is_block = [&](NodeId t) { return g[t].kind == Kind::Ein && std::ranges::any_of(g[t].operands, [&](NodeId o) { return g[o].kind == Kind::Place; }); };
  if (is_sum(g, n)) {
    if (std::ranges::none_of(g[n].operands, is_block)) return !std::ranges::is_sorted(canonical_axes(g, n));
    long above = 0;
    for (NodeId t : g[n].operands) above += side_of_block(g, t);
    return above < 0;
  }
  if (g[n].kind != Kind::Ein || is_skew(g, n)) return false;
  const auto here = is_mostly_transposed(g, n), there = is_mostly_transposed(g, permute(g, n, {1, 0}));
  if (here && there && *here != *there) return *here;
  return fingerprint_of_permuted(g, n, {1, 0}) < fingerprint_of_permuted(g, n, {0, 1});
}

bool is_settled_here(const Graph& g, NodeId n) { return is_entrywise(g, n) || is_sum(g, n) || (g[n].kind == Kind::Fun && mapped_axes(g, n) > 0); }

// A factor that is a sum with its axes in their canonical order.
Factor with_canonical_axes(Graph& g, const Factor& f) {
  if (!is_sum(g, f.tensor)) return f;
  const std::vector<size_t> axes = canonical_axes(g, f.tensor);
  return std::ranges::is_sorted(axes) ? f : Factor{with_axes(g, f.tensor, axes), in_order(f.labels, axes)};
}

// The factors with the labels of what has symmetries in the least of the orders that these allow: by where a label stands in the result, then by what
// it joins. A choice tells the labels apart for those that come after it.
std::vector<Factor> with_canonical_labels(Graph& g, std::vector<Factor> factors, const Labels& out) {
  std::vector<size_t> open;
  for (size_t k = 0; k < factors.size(); ++k)
    if (const Symmetries* s = g.symmetries(factors[k].tensor); s && !s->orders.empty()) open.push_back(k);
  if (open.empty()) return factors;
  Label count = 0;
  for (const Factor& f : factors)
    for (Label l : f.labels) count = std::max(count, l + 1);
  std::vector<uint64_t> marks(count);
  for (size_t k = 0; k < out.size(); ++k)
    if (out[k] < count) marks[out[k]] += mark_of_axis(k);
  while (!open.empty()) {
    const Looks looks = looks_in_product(g, factors, marks);
    const auto next = std::ranges::min_element(open, {}, [&](size_t k) { return looks.factors[k]; });
    Factor& f = factors[*next];
    const auto reading = [&](const std::vector<size_t>& order) {
      std::vector<std::pair<size_t, uint64_t>> read;
      for (Label l : in_order(f.labels, order)) read.emplace_back(std::ranges::find(out, l) - out.begin(), looks.labels[l]);
      return read;
    };
    std::vector<std::vector<size_t>> orders = g.symmetries(f.tensor)->orders;  // as fingerprints see them, the identity first
    std::ranges::stable_sort(orders, {}, reading);
    const auto is_same = [&](const auto& o) { return std::ranges::is_sorted(o) || !is_entrywise(g, f.tensor) || with_axes(g, f.tensor, o) == f.tensor; };
    const auto order = std::ranges::find_if(orders, is_same);
    f.labels = in_order(f.labels, *order);
    for (size_t k = 0; k < f.labels.size(); ++k) marks[f.labels[k]] += mix(mark_of_axis(out.size() + k));
    open.erase(next);
  }
  return factors;
}

}  // namespace

Rational content(const Graph& g, NodeId sum) {
  const Node& n = g[sum];
  mpz_class num = 0, den = 1;
  long positive = 0;
  for (size_t k = 0; k < n.operands.size(); ++k) {
    const Rational& c = n.coefficients[k];
    num = gcd(num, c.get_num());
    den = lcm(den, c.get_den());
    positive += sgn(c);
  }
  if (positive == 0) {
    const auto first = std::ranges::min_element(n.operands, {}, [&](NodeId o) { return rank_of(g, o); });
    if (first != n.operands.end()) positive = sgn(n.coefficients[size_t(first - n.operands.begin())]);
  }
  return Rational(positive < 0 ? -num : num, den);
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

NodeId settle_scale(Graph& g, NodeId id) {
  const Node n = g[id];
  if (n.kind != Kind::Map || n.operands.size() != 1 || !is_sum(g, n.operands[0])) return id;
  const Rational c = abs(content(g, n.operands[0]));
  const auto scale = c == 1 ? std::nullopt : homogeneous(n.map_op(), c);
  return scale ? g.scale(*scale, g.map(n.map_op(), {divided(g, n.operands[0], c)})) : id;
}

NodeId settle_sign(Graph& g, NodeId id) {
  const Node n = g[id];
  const auto is_negative = [&](NodeId a) { return g[a].kind == Kind::Const ? g[a].value() < 0 : g[a].kind == Kind::Sum && content(g, a) < 0; };
  if (n.kind != Kind::Map || row(n.map_op()).parity == '0' || !is_negative(n.operands[0])) return id;
  const NodeId x = n.operands[0], positive = g.map(n.map_op(), {g[x].kind == Kind::Const ? g.scale(-1, x) : divided(g, x, -1)});
  return row(n.map_op()).parity == 'o' ? g.scale(-1, positive) : positive;
}

NodeId pull_out_added_axes(Graph& g, NodeId id) {
  if (!is_entrywise(g, id)) return id;
  const Type type = g[id].type;
  std::vector<size_t> kept;
  for (size_t k = 0; k < type.size(); ++k)
    if (!std::ranges::all_of(g[id].operands, [&](NodeId o) { return g[o].rank() == 0 || is_added(g, o, k); })) kept.push_back(k);
  if (kept.size() == type.size()) return id;
  const Type inner_type = type_of(g, id, kept);
  const NodeId inner = over(g, id, inner_type, [&](NodeId o) { return without_others(g, o, kept); });
  return g.ein({{inner, Labels(kept.begin(), kept.end())}}, Graph::iota(type.size()), type);
}

NodeId order_axes(Graph& g, NodeId id) {
  const std::vector<size_t> axes = canonical_axes(g, id);
  if (std::ranges::is_sorted(axes)) return id;
  const NodeId inner = with_axes(g, id, axes);
  return g.ein({{inner, Labels(axes.begin(), axes.end())}}, Graph::iota(axes.size()), Type(g[id].type));
}

NodeId order_mapped_axes(Graph& g, NodeId id) {
  const NodeId operand = g[id].operands[0];
  const size_t mapped = mapped_axes(g, id);
  if (mapped < 2 || mapped > kMostTogether) return id;
  std::vector<size_t> order(g[operand].rank());
  std::iota(order.begin(), order.end(), size_t{0});
  using Key = std::tuple<bool, uint64_t, std::vector<size_t>>;  // as canonical_axes has it
  std::optional<Key> least;
  do {
    Key key{look_of(g, operand, order).permuted, fingerprint_of_permuted(g, operand, order), order};
    if (!least || key < *least) least = std::move(key);
  } while (std::next_permutation(order.begin(), order.begin() + std::ptrdiff_t(mapped)));
  const std::vector<size_t>& axes = std::get<2>(*least);
  if (std::ranges::is_sorted(axes)) return id;
  const NodeId inner = g.fun(g[id].fun_op(), permute(g, operand, axes));
  Labels labels = Graph::iota(g[id].rank());
  std::copy_n(axes.begin(), mapped, labels.begin());
  return g.ein({{inner, std::move(labels)}}, Graph::iota(g[id].rank()), Type(g[id].type));
}

NodeId settle_factors(Graph& g, NodeId id) {
  const std::vector<Factor> factors = g.factors(id);
  if (std::ranges::none_of(factors, [&](const Factor& f) { return is_settled_here(g, f.tensor); })) return id;
  const Labels out = g.out(id);
  std::vector<Factor> settled;
  std::vector<bool> taken(factors.size(), false);  // places that now stand inside
  Rational common = 1;
  bool changed = false;
  for (size_t k = 0; k < factors.size(); ++k) {
    if (!is_settled_here(g, factors[k].tensor)) continue;
    Picked p = picked(g, factors, k, out, taken);
    if (is_sum(g, p.picks[0].tensor)) {
      const Rational c = content(g, p.picks[0].tensor);
      common *= c;
      p.picks[0].tensor = divided(g, p.picks[0].tensor, c);
    }
    const bool picks = p.picks.size() > 1 || p.left.size() < factors[k].labels.size();
    settled.push_back(picks ? Factor{pick_inside(g, std::move(p.picks), p.left, p.type), p.left} : with_canonical_axes(g, p.picks[0]));
    changed |= picks || settled.back() != factors[k] || g.symmetries(factors[k].tensor);
  }
  if (!changed && common == 1) return id;
  for (size_t k = 0; k < factors.size(); ++k)
    if (!taken[k] && !is_settled_here(g, factors[k].tensor)) settled.push_back(factors[k]);
  return g.scale(common, g.ein(with_canonical_labels(g, std::move(settled), out), out, Type(g[id].type)));
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
  if (r.core.in != 2 || r.transposed.empty() || g[operand].rank() != 2) return id;
  const FunOp other = *find_function(r.transposed);
  if (!(g.is_symmetric(operand) ? other < g[id].fun_op() : is_turned(g, operand))) return id;
  const NodeId turned = g.fun(other, permute(g, operand, {1, 0}));
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
