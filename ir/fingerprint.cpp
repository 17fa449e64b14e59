// The fingerprint of a node: a hash of names, sizes, operations and of how axes meet.
#include "ir/fingerprint.h"

#include <algorithm>
#include <functional>
#include <string>

#include "ir/mix.h"

namespace ricci {
namespace {

uint64_t hash(const std::string& s) { return std::hash<std::string>{}(s); }

uint64_t axis_of_sum(const Graph& g, NodeId sum, size_t axis);

// Of a product: one round of the refinement of ir/canonical_order.h. A label looks like the axes it joins, a factor like its tensor and its labels;
// sums of hashes stand for multisets, so that the order of factors and the numbers of labels do not count. Axis k of the result looks like marks[k].
// With `symmetries` axes that a symmetry of a sum of higher order exchanges look alike.
uint64_t of_product(const Graph& g, const std::vector<Factor>& factors, const Labels& out, const std::vector<uint64_t>& marks, bool symmetries = true) {
  const auto axis = [&](const Factor& f, size_t k) -> uint64_t {
    if (symmetries && g[f.tensor].kind == Kind::Sum && f.labels.size() > 2) return axis_of_sum(g, f.tensor, k);
    return g.is_symmetric(f.tensor) ? 1 : uint64_t(k) + 2;
  };
  Label count = 0;
  for (const Factor& f : factors)
    for (Label l : f.labels) count = std::max(count, l + 1);
  for (Label l : out) count = std::max(count, l + 1);
  std::vector<uint64_t> label(count);
  for (const Factor& f : factors)
    for (size_t k = 0; k < f.labels.size(); ++k) label[f.labels[k]] += mix(g.fingerprint(f.tensor) ^ mix(axis(f, k)));
  for (size_t k = 0; k < out.size(); ++k) label[out[k]] += marks[k];
  uint64_t h = 0;
  for (const Factor& f : factors) {
    uint64_t own = g.fingerprint(f.tensor);
    for (size_t k = 0; k < f.labels.size(); ++k) own += mix(label[f.labels[k]] ^ mix(axis(f, k)));
    h += mix(own);
  }
  for (size_t k = 0; k < out.size(); ++k) h += mix(label[out[k]] ^ marks[k]);
  return h;
}

std::vector<uint64_t> in_order(size_t rank) {
  std::vector<uint64_t> marks;
  for (size_t k = 0; k < rank; ++k) marks.push_back(mix(~uint64_t(k)));
  return marks;
}

// What an axis looks like in a product, or in anything else taken for one; no further than its factors, which may be sums in their turn.
uint64_t axis_of_product(const Graph& g, NodeId n, size_t axis) {
  std::vector<uint64_t> marks(g[n].rank(), mix(0));
  marks[axis] = mix(1);
  const bool product = g[n].kind == Kind::Ein;
  const Labels own = product ? g.out(n) : Graph::iota(marks.size());
  return of_product(g, product ? g.factors(n) : std::vector<Factor>{{n, own}}, own, marks, false);
}

uint64_t axis_of_sum(const Graph& g, NodeId sum, size_t axis) {
  uint64_t h = 0;
  for (size_t k = 0; k < g[sum].operands.size(); ++k) h += mix(axis_of_product(g, g[sum].operands[k], axis) ^ mix(hash_value(g[sum].coefficients[k])));
  return h;
}

}  // namespace

uint64_t fingerprint_of_axis(const Graph& g, NodeId n, size_t axis) {
  if (g[n].rank() == 0) return g.fingerprint(n);
  if (g[n].kind == Kind::Sum || g[n].kind == Kind::Map) {
    uint64_t h = mix(hash(g.spell(g[n].type[axis])));
    const bool sum = g[n].kind == Kind::Sum;
    for (size_t k = 0; k < g[n].operands.size(); ++k)
      h += mix(fingerprint_of_axis(g, g[n].operands[k], axis) ^ mix(sum ? hash_value(g[n].coefficients[k]) : k));
    return h;
  }
  return axis_of_product(g, n, axis);
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
    case Kind::Ein: add(of_product(*this, factors(id), out(id), in_order(n.rank()))); break;
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
