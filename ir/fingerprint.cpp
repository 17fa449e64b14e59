// The fingerprint of a node: a hash of names, sizes, operations and of how axes meet.
#include "ir/fingerprint.h"

#include <algorithm>
#include <functional>
#include <map>
#include <numeric>
#include <string>

#include "ir/mix.h"

namespace ricci {
namespace {

uint64_t hash(const std::string& s) { return std::hash<std::string>{}(s); }

// Of a product. Axis k of the result looks like marks[k].
uint64_t of_product(const Graph& g, const std::vector<Factor>& factors, const Labels& out, const std::vector<uint64_t>& marks) {
  Label count = 0;
  for (const Factor& f : factors)
    for (Label l : f.labels) count = std::max(count, l + 1);
  for (Label l : out) count = std::max(count, l + 1);
  std::vector<uint64_t> marked(count);
  for (size_t k = 0; k < out.size(); ++k) marked[out[k]] += marks[k];
  const Looks looks = looks_in_product(g, factors, std::move(marked));
  uint64_t h = 0;
  for (uint64_t f : looks.factors) h += mix(f);
  for (size_t k = 0; k < out.size(); ++k) h += mix(looks.labels[out[k]] ^ marks[k]);
  return h;
}

std::vector<uint64_t> in_order(size_t rank) {
  std::vector<uint64_t> marks;
  for (size_t k = 0; k < rank; ++k) marks.push_back(mark_of_axis(k));
  return marks;
}

// Those of the permutation symbol: any axis comes to any place.
Symmetries even_permutations(size_t rank) {
  constexpr size_t kMostAxes = 5;
  Symmetries s{{}, std::vector<size_t>(rank, 0)};
  std::vector<size_t> order(rank);
  std::iota(order.begin(), order.end(), size_t{0});
  const auto is_even = [&] {
    size_t inversions = 0;
    for (size_t k = 0; k < rank; ++k) inversions += size_t(std::count_if(order.begin(), order.begin() + std::ptrdiff_t(k), [&](size_t before) { return before > order[k]; }));
    return inversions % 2 == 0;
  };
  if (rank > kMostAxes) return s;
  do {
    if (is_even()) s.orders.push_back(order);
  } while (std::ranges::next_permutation(order).found);
  return s;
}

}  // namespace

uint64_t mark_of_axis(size_t axis) { return mix(~uint64_t(axis)); }

// The refinement of ir/canonical_order.h. A label looks like the axes it joins, a factor like its tensor and its labels; sums of hashes stand for
// multisets, so that the order of factors and the numbers of labels do not count. What a mark tells reaches one summed label further every round.
Looks looks_in_product(const Graph& g, const std::vector<Factor>& factors, std::vector<uint64_t> marks) {
  Looks looks{std::move(marks), {}};
  std::vector<const Symmetries*> symmetries;
  std::vector<uint64_t> axes;  // of all factors: alike where a symmetry exchanges them
  for (const Factor& f : factors) {
    looks.factors.push_back(g.fingerprint(f.tensor));
    const Symmetries* s = symmetries.emplace_back(g.symmetries(f.tensor));
    for (size_t k = 0; k < f.labels.size(); ++k) axes.push_back(mix(g.is_symmetric(f.tensor) ? 1 : (s ? s->orbit[k] : k) + 2));
  }
  const size_t summed = size_t(std::ranges::count(looks.labels, uint64_t{0}));
  for (size_t round = 0; round < std::max(summed, size_t{1}); ++round) {
    if (round > 0) std::ranges::transform(looks.labels, looks.labels.begin(), mix);
    size_t axis = 0;
    for (size_t i = 0; i < factors.size(); ++i)
      for (Label l : factors[i].labels) looks.labels[l] += mix(looks.factors[i] ^ axes[axis++]);
    axis = 0;
    for (size_t i = 0; i < factors.size(); ++i) {
      const Labels& labels = factors[i].labels;
      uint64_t own = g.fingerprint(factors[i].tensor);
      for (Label l : labels) own += mix(looks.labels[l] ^ axes[axis++]);
      if (symmetries[i])
        for (const std::vector<size_t>& order : symmetries[i]->orders) {
          uint64_t way = 0;
          for (size_t k = 0; k < order.size(); ++k) way += mix(looks.labels[labels[order[k]]] ^ mark_of_axis(k));
          own += mix(way);
        }
      looks.factors[i] = own;
    }
  }
  return looks;
}

size_t most_orders(const Graph& g, NodeId n) {
  constexpr size_t kMostOrders = 120, kMostFactors = 4000;  // that all orders together look at
  size_t factors = 0;
  for (NodeId o : g[n].operands) factors += 1 + g[o].operands.size();
  return std::clamp(kMostFactors / std::max(factors, size_t{1}), size_t{1}, kMostOrders);
}

std::optional<Symmetries> symmetries_of(const Graph& g, NodeId id) {
  const Node& n = g[id];
  if (n.kind == Kind::Epsilon) return even_permutations(n.rank());
  std::map<uint64_t, std::vector<size_t>> classes;  // of axes that look alike one by one
  for (size_t a = 0; a < n.rank(); ++a) classes[g.axis_fingerprints(id)[a]].push_back(a);
  if (classes.size() == n.rank()) return std::nullopt;
  Symmetries s;
  s.orbit.resize(n.rank());
  size_t count = 1;
  for (const auto& [look, axes] : classes)
    for (size_t k = 0; k < axes.size(); ++k) count *= k + 1, s.orbit[axes[k]] = axes[0];
  if (count > most_orders(g, id)) return s;
  std::map<uint64_t, std::vector<size_t>> permuted = classes;
  std::optional<std::vector<uint64_t>> own;  // of the axes in order, which come first
  for (bool more = true; more;) {
    std::vector<size_t> order(n.rank());
    for (const auto& [look, axes] : classes)
      for (size_t k = 0; k < axes.size(); ++k) order[axes[k]] = permuted[look][k];
    std::vector<uint64_t> looks = looks_of_operands(g, id, order);
    if (!own) own = looks;
    if (looks == *own) s.orders.push_back(std::move(order));
    more = std::ranges::any_of(permuted, [](auto& entry) { return std::ranges::next_permutation(entry.second).found; });
  }
  if (s.orders.size() == 1) return std::nullopt;
  for (size_t a = 0; a < n.rank(); ++a) s.orbit[a] = std::ranges::min(s.orders, {}, [&](const auto& order) { return order[a]; })[a];
  return s;
}

std::vector<uint64_t> looks_of_operands(const Graph& g, NodeId n, const std::vector<size_t>& axes, bool up_to_sign) {
  std::vector<uint64_t> looks, negative;
  for (NodeId o : g[n].operands) looks.push_back(fingerprint_of_permuted(g, o, axes));
  if (g[n].kind == Kind::Sum) {  // terms have no order
    negative = looks;
    for (size_t k = 0; k < looks.size(); ++k) {
      looks[k] = mix(looks[k] ^ mix(hash_value(g[n].coefficients[k])));
      if (up_to_sign) negative[k] = mix(negative[k] ^ mix(hash_value(-g[n].coefficients[k])));
    }
    std::ranges::sort(looks);
    std::ranges::sort(negative);
    if (up_to_sign) looks = std::min(looks, negative);
  }
  for (size_t a : axes) looks.push_back(hash(g.spell(g[n].type[a])));
  return looks;
}

std::vector<uint64_t> axis_fingerprints_of(const Graph& g, NodeId id) {
  const Node& n = g[id];
  std::vector<uint64_t> result;
  if (n.kind == Kind::Sum || n.kind == Kind::Map) {
    const bool sum = n.kind == Kind::Sum;
    for (DimId d : n.type) result.push_back(mix(hash(g.spell(d))));
    for (size_t k = 0; k < n.operands.size(); ++k) {
      const NodeId o = n.operands[k];
      const uint64_t role = mix(sum ? hash_value(n.coefficients[k]) : k);
      for (size_t a = 0; a < n.rank(); ++a) result[a] += mix((g[o].rank() == 0 ? g.fingerprint(o) : g.axis_fingerprints(o)[a]) ^ role);
    }
    return result;
  }
  const bool product = n.kind == Kind::Ein;
  const Labels own = product ? g.out(id) : Graph::iota(n.rank());
  const std::vector<Factor> factors = product ? g.factors(id) : std::vector<Factor>{{id, own}};
  std::vector<uint64_t> marks(n.rank(), mix(0));
  for (size_t a = 0; a < n.rank(); ++a) {
    marks[a] = mix(1);
    result.push_back(of_product(g, factors, own, marks));
    marks[a] = mix(0);
  }
  return result;
}

uint64_t fingerprint_of_permuted(const Graph& g, NodeId n, const std::vector<size_t>& axes) {
  if (g[n].rank() == 0) return g.fingerprint(n);
  if (g[n].kind == Kind::Sum) {
    uint64_t h = mix(uint64_t(Kind::Sum));
    for (size_t k = 0; k < g[n].operands.size(); ++k) h += mix(fingerprint_of_permuted(g, g[n].operands[k], axes) ^ mix(hash_value(g[n].coefficients[k])));
    return h;
  }
  const bool product = g[n].kind == Kind::Ein;
  const Labels own = product ? g.out(n) : Graph::iota(axes.size());
  Labels out;
  for (size_t a : axes) out.push_back(own[a]);
  return of_product(g, product ? g.factors(n) : std::vector<Factor>{{n, own}}, out, in_order(out.size()));
}

uint64_t Graph::fingerprint_of(NodeId id) const {
  const Node& n = (*this)[id];
  uint64_t h = mix(uint64_t(n.kind));
  const auto add = [&](uint64_t x) { h = mix(h ^ mix(x)); };
  for (DimId d : n.type) add(hash(spell(d)));
  switch (n.kind) {
    case Kind::Const: add(hash_value(n.value())); break;
    case Kind::Size:
    case Kind::Place: add(hash(spell(DimId{n.row}))); break;
    case Kind::Var: add(hash(symbols_[n.row].name)); break;
    case Kind::Sum: {
      uint64_t terms = 0;
      for (size_t k = 0; k < n.operands.size(); ++k) terms += mix(fingerprint(n.operands[k]) ^ mix(hash_value(n.coefficients[k])));
      add(terms);
      break;
    }
    case Kind::Ein:
      if (n.labels.empty()) {  // what of_product comes to where nothing meets
        uint64_t factors = 0;
        for (NodeId o : n.operands) factors += mix(fingerprint(o));
        add(factors);
      } else {
        add(of_product(*this, factors(id), out(id), in_order(n.rank())));
      }
      break;
    case Kind::Map:
    case Kind::Fun:
    case Kind::Call:
      add(n.kind == Kind::Call ? hash(symbols_[n.row].name) : n.row);
      for (NodeId o : n.operands) add(fingerprint(o));
      break;
    case Kind::Epsilon: break;
  }
  return h;
}

}  // namespace ricci
