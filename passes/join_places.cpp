#include "passes/join_places.h"

#include <algorithm>

#include "ir/fingerprint.h"
#include "ir/labels.h"
#include "ir/places.h"

namespace ricci {
namespace {

// Terms that are the same `Around` something, as one around the sum of what is inside. A term may be taken apart in several ways: the one that most
// terms have in common counts.
template <class Apart, class Together>
std::vector<Term> join_alike(Graph& g, std::vector<Term> terms, Apart apart, Together together) {
  using Parts = decltype(apart(NodeId{}));
  using Around = decltype(Parts{}[0].around);
  std::vector<Parts> ways;
  std::map<Around, size_t> count;
  for (const Term& t : terms) {
    ways.push_back(apart(t.tensor));
    for (const auto& p : ways.back()) ++count[p.around];
  }
  std::map<Around, std::vector<std::pair<Term, NodeId>>> groups;  // terms, and what is inside of each
  std::vector<Term> joined;
  for (size_t k = 0; k < terms.size(); ++k) {
    if (ways[k].empty()) {
      joined.push_back(std::move(terms[k]));
      continue;
    }
    const auto p = std::ranges::max_element(ways[k], {}, [&](const auto& way) { return count.at(way.around); });
    groups[std::move(p->around)].emplace_back(std::move(terms[k]), p->inside);
  }
  for (auto& [around, group] : groups) {
    if (group.size() == 1) {
      joined.push_back(std::move(group[0].first));
      continue;
    }
    std::vector<Term> inside;
    const Type type = g[group[0].first.tensor].type;
    for (const auto& [term, core] : group)
      for (Term& t : g.terms(core)) inside.push_back({term.coefficient * t.coefficient, t.tensor});
    joined.push_back({1, together(around, g.sum(std::move(inside), around.type), type)});
  }
  return joined;
}

// A product taken apart into what places tensors in the result and the tensor that they place.
struct Placed {
  struct Around {
    std::vector<Factor> places;  // labels: the (first) axis of the result, then axes of the tensor inside, from 0 up
    Labels rest;                 // which axes of the result the tensor inside has, behind the digits
    Labels out;                  // of the result: two axes are the same where a place stands on a diagonal, e(2)*e(2)'
    Type type;                   // of the tensor inside
    auto operator<=>(const Around&) const = default;
  } around;
  NodeId inside;
};

// x.*e(2) = e(2)*x[2]: a unit vector is its own square, so that what else stands on its axis can be an entry.
std::vector<Factor> with_entries(const Graph& g, std::vector<Factor> factors, const Labels& out) {
  Label fresh = 0;
  for (Label l : out) fresh = std::max(fresh, l + 1);
  for (const Factor& f : factors)
    for (Label l : f.labels) fresh = std::max(fresh, l + 1);
  for (size_t k = 0, given = factors.size(); k < given; ++k) {
    const Factor unit = factors[k];
    if (g[unit.tensor].kind != Kind::Place || unit.labels.size() != 1 || !contains(out, unit.labels[0])) continue;
    const Label l = unit.labels[0];
    const auto stands = [&](const Factor& f) { return contains(f.labels, l); };
    const auto is_place = [&](const Factor& f) { return stands(f) && g[f.tensor].kind == Kind::Place; };
    if (std::ranges::count_if(factors, stands) < 2 || std::ranges::count_if(factors, is_place) > 1) continue;
    for (Factor& f : factors)
      if (f != unit) std::ranges::replace(f.labels, l, fresh);
    factors.push_back({unit.tensor, {fresh++}});
  }
  return factors;
}

// One way for each place that may be taken first: of places that share digits only one is outside, e(2)*x[1]: the others are then inside.
std::vector<Placed> placed(Graph& g, NodeId id) {
  const bool alone = g[id].kind == Kind::Place;  // around a one, or a unit matrix
  if (g[id].kind != Kind::Ein && !alone) return {};
  const Labels out = alone ? Graph::iota(g[id].rank()) : g.out(id);
  const std::vector<Factor> factors = alone ? std::vector<Factor>{{id, out}} : with_entries(g, g.factors(id), out);
  const Type type = g[id].type;
  const auto uses = [&](Label l) { return std::ranges::count_if(factors, [&](const Factor& x) { return contains(x.labels, l); }); };
  const auto shares = [](const Factor& f, const Labels& digits) { return std::any_of(f.labels.begin() + 1, f.labels.end(), [&](Label l) { return contains(digits, l); }); };
  std::vector<size_t> places;
  for (size_t k = 0; k < factors.size(); ++k) {
    const Factor& f = factors[k];
    if (g[f.tensor].kind == Kind::Place && contains(out, f.labels[0]) && uses(f.labels[0]) == 1 && !has_repeats(f.labels)) places.push_back(k);
  }
  std::ranges::stable_sort(places, {}, [&](size_t k) { return g.fingerprint(factors[k].tensor); });
  std::vector<Placed> ways;
  for (size_t first : places) {
    Labels digits;
    std::vector<size_t> outside;
    const auto is_outside = [&](size_t k) { return std::ranges::find(outside, k) != outside.end(); };
    const auto take = [&](size_t k) {
      if (is_outside(k) || shares(factors[k], digits)) return;
      outside.push_back(k);
      digits.insert(digits.end(), factors[k].labels.begin() + 1, factors[k].labels.end());
    };
    take(first);
    std::ranges::for_each(places, take);
    std::ranges::sort(outside, {}, [&](size_t k) { return std::ranges::find(out, factors[k].labels[0]) - out.begin(); });
    Placed::Around a;
    digits.clear();
    for (size_t k : outside) {
      const Factor& f = factors[k];
      Factor place{f.tensor, {Label(std::ranges::find(out, f.labels[0]) - out.begin())}};
      for (size_t d = 1; d < f.labels.size(); ++d) {
        place.labels.push_back(Label(digits.size()));
        digits.push_back(f.labels[d]);
        a.type.push_back(g[f.tensor].type[d]);
      }
      a.places.push_back(std::move(place));
    }
    if (std::ranges::any_of(ways, [&](const Placed& p) { return p.around.places == a.places; })) continue;
    std::vector<Factor> inside;
    for (size_t k = 0; k < factors.size(); ++k)
      if (!is_outside(k)) inside.push_back(factors[k]);
    Labels left = digits;
    for (size_t k = 0; k < out.size(); ++k) {
      const Label first = Label(std::ranges::find(out, out[k]) - out.begin());
      const bool is_placed = std::ranges::any_of(a.places, [&](const Factor& p) { return p.labels[0] == first; });
      a.out.push_back(is_placed ? first : Label(k));
      if (!is_placed) a.rest.push_back(Label(k)), left.push_back(out[k]), a.type.push_back(type[k]);
    }
    const NodeId core = g.ein(std::move(inside), std::move(left), a.type);
    ways.push_back({std::move(a), core});
  }
  return ways;
}

NodeId place_again(Graph& g, const Placed::Around& a, NodeId inside, const Type& type) {
  std::vector<Factor> factors = a.places;
  Label digit = Label(type.size());  // labels: the axes of the result, then the digits
  Labels core;
  for (Factor& p : factors)
    for (size_t k = 1; k < p.labels.size(); ++k) core.push_back(p.labels[k] = digit++);
  core.insert(core.end(), a.rest.begin(), a.rest.end());
  factors.push_back({inside, std::move(core)});
  return g.ein(std::move(factors), a.out, type);
}

// A product that picks entries of one tensor, and this tensor.
struct Pick {
  struct Around {
    std::vector<Factor> places;
    Labels core, out;  // labels, numbered by first appearance in the core, so that equal picks are equal
    Type type;         // of the tensor inside
    auto operator<=>(const Around&) const = default;
  } around;
  NodeId inside;
};

// A product of which only the diagonal is wanted, with its axes in an order that is the same however it was written.
NodeId either_way(Graph& g, NodeId n) {
  if (g[n].kind != Kind::Ein || fingerprint_of_permuted(g, n, {0, 1}) <= fingerprint_of_permuted(g, n, {1, 0})) return n;
  return g.permute(n, {1, 0});
}

// A symmetric matrix can be read in two ways.
std::vector<Pick> picked(Graph& g, NodeId id) {
  if (placement(g, id) != Placement::Total) return {};
  Pick::Around a;
  std::optional<Factor> core;
  for (const Factor& f : g.factors(id)) {
    if (g[f.tensor].kind == Kind::Place) a.places.push_back(f);
    else core = f;
  }
  // What is picked of a function, or of a product that sums nothing, is picked inside it (passes/structure.h).
  const auto is_opened = [&](NodeId n) {
    const Node& t = g[n];
    if (t.kind == Kind::Ein) return std::ranges::all_of(t.labels, [&](Label l) { return contains(g.out(n), l); });
    return t.kind == Kind::Map || (t.kind == Kind::Fun && t.rank() > row(t.fun_op()).core.out);
  };
  if (!core || core->labels.empty() || is_opened(core->tensor) || (a.places.empty() && !has_repeats(core->labels))) return {};
  a.type = g[core->tensor].type;
  const auto read = [&](const Labels& labels) {
    std::map<Label, Label> name;
    const auto number = [&](Labels ls) {
      for (Label& l : ls) l = name.try_emplace(l, Label(name.size())).first->second;
      return ls;
    };
    Pick p{a, core->tensor};
    p.around.core = number(labels);
    p.around.out = number(g.out(id));
    for (Factor& f : p.around.places) f.labels = number(f.labels);
    std::ranges::sort(p.around.places);
    if (p.around.core == Labels{0, 0}) p.inside = either_way(g, core->tensor);
    return p;
  };
  std::vector<Pick> ways{read(core->labels)};
  if (g.is_symmetric(core->tensor)) ways.push_back(read({core->labels[1], core->labels[0]}));
  return ways;
}

NodeId pick_again(Graph& g, const Pick::Around& a, NodeId inside, const Type& type) {
  std::vector<Factor> factors = a.places;
  factors.push_back({inside, a.core});
  return g.ein(std::move(factors), a.out, type);
}

}  // namespace

std::vector<Term> join_places(Graph& g, std::vector<Term> terms) {
  return join_alike(g, std::move(terms), [&](NodeId n) { return placed(g, n); },
                    [&](const Placed::Around& a, NodeId inside, const Type& type) { return place_again(g, a, inside, type); });
}

std::vector<Term> join_picks(Graph& g, std::vector<Term> terms) {
  return join_alike(g, std::move(terms), [&](NodeId n) { return picked(g, n); },
                    [&](const Pick::Around& a, NodeId inside, const Type& type) { return pick_again(g, a, inside, type); });
}

std::vector<Term> picks_of_terms(Graph& g, NodeId id) {
  const std::vector<Pick> ways = picked(g, id);
  const auto keeps_all = [&](const Factor& place) { return g[place.tensor].rank() > 2; };  // vec, kron: entries move, and none is left out
  if (ways.empty() || g[ways[0].inside].kind != Kind::Sum || std::ranges::any_of(ways[0].around.places, keeps_all)) return {};
  std::vector<Term> terms = g.terms(ways[0].inside);
  for (Term& t : terms) t.tensor = pick_again(g, ways[0].around, t.tensor, g[id].type);
  return terms;
}

NodeId power_of_placed(Graph& g, NodeId id) {
  const Node n = g[id];
  if (n.map_op() != MapOp::pow_ || g[n.operands[1]].kind != Kind::Const || g[n.operands[1]].value() <= 0) return id;
  const NodeId base = n.operands[0];
  const auto is_place = [&](NodeId o) { return g[o].kind == Kind::Place; };
  if (g[base].kind == Kind::Ein && std::ranges::all_of(g[base].operands, is_place) && only_moves(g, base)) return base;  // zeros and ones
  const std::vector<Placed> ways = placed(g, base);
  return ways.empty() ? id : place_again(g, ways[0].around, g.map(MapOp::pow_, {ways[0].inside, n.operands[1]}), n.type);
}

}  // namespace ricci
