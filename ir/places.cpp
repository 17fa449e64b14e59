#include "ir/places.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "ir/dimension.h"
#include "ir/labels.h"
#include "ir/product.h"

namespace ricci {
namespace {

bool is_place(const Graph& g, const Factor& f) { return g[f.tensor].kind == Kind::Place; }

// The labels that are places inside themselves, by way of others, or have such among their digits: that has a meaning at few sizes, and no end.
Labels endless(const Graph& g, const std::vector<Factor>& factors) {
  std::vector<const Factor*> waiting;
  for (const Factor& f : factors)
    if (is_place(g, f)) waiting.push_back(&f);
  const auto waits = [&](Label l) { return std::ranges::any_of(waiting, [&](const Factor* f) { return f->labels[0] == l; }); };
  while (!waiting.empty()) {
    const auto ready = std::ranges::find_if(waiting, [&](const Factor* f) { return std::none_of(f->labels.begin() + 1, f->labels.end(), waits); });
    if (ready == waiting.end()) break;
    waiting.erase(ready);
  }
  Labels r;
  for (const Factor* f : waiting) r.push_back(f->labels[0]);
  return r;
}

// Which labels of a product the output fixes: a place fixes its whole by its digits and its digits by its whole.
struct Fixed {
  bool all = true;     // every label is fixed: nothing is really summed
  bool total = true;   // no place says anything but how one label follows from others: no entry of the result is 0 for its sake

  Fixed(const Graph& g, const std::vector<Factor>& factors, const Labels& out) {
    std::set<Label> known(out.begin(), out.end());
    std::vector<const Factor*> places;
    for (const Factor& f : factors)
      if (is_place(g, f)) places.push_back(&f);
    for (bool moved = true; moved;) {
      moved = false;
      std::erase_if(places, [&](const Factor* p) {
        const Labels digits(p->labels.begin() + 1, p->labels.end());
        const bool by_digits = std::ranges::all_of(digits, [&](Label l) { return known.contains(l); });
        const bool by_whole = known.contains(p->labels[0]);
        if (!by_digits && !by_whole) return false;
        const bool free = std::ranges::none_of(digits, [&](Label l) { return known.contains(l); }) && !has_repeats(digits);
        if (by_whole && (by_digits || !free || !is_group(g, p->tensor))) total = false;
        known.insert(p->labels.begin(), p->labels.end());
        return moved = true;
      });
    }
    for (const Factor& f : factors)
      for (Label l : f.labels) all = all && known.contains(l);
  }
};

// Entries that places find, none of which is an axis of the result: a factor of its own in a product.
bool is_cut(const Graph& g, NodeId n) {
  if (g[n].kind != Kind::Ein) return false;
  const std::vector<Factor> factors = g.factors(n);
  const Labels out = g.out(n);
  return std::ranges::any_of(factors, [&](const Factor& f) { return is_place(g, f); }) &&
         std::ranges::none_of(factors, [&](const Factor& f) { return is_place(g, f) && contains(out, f.labels[0]); });
}

bool has_factor(const Graph& g, NodeId ein, NodeId tensor) {
  return std::ranges::any_of(g.factors(ein), [&](const Factor& f) { return f.tensor == tensor; });
}

}  // namespace

bool is_group(const Graph& g, NodeId place) {
  const Node& n = g[place];
  Extent parts = Extent::number(1);
  for (size_t k = 1; k < n.rank(); ++k) parts = parts * Extent::of(g, n.type[k]);
  return parts == Extent::of(g, n.type[0]);
}

Extent room_of(const Graph& g, NodeId place) {
  const Node& n = g[place];
  Extent span = Extent::number(1);
  for (size_t k = 1; k < n.rank(); ++k) span = span * Extent::of(g, n.type[k]);
  return Extent::of(g, n.type[0]) - Extent::of(g, DimId{n.row}) - span;
}

Placement placement(const Graph& g, NodeId ein) {
  if (g[ein].kind != Kind::Ein) return Placement::None;
  const std::vector<Factor> factors = g.factors(ein);
  if (std::ranges::count_if(factors, [&](const Factor& f) { return !is_place(g, f); }) > 1) return Placement::None;
  const Labels out = g.out(ein);
  const Fixed fixed(g, factors, out);
  if (!fixed.all) return Placement::None;
  return fixed.total && !has_repeats(out) ? Placement::Total : Placement::Partial;
}

bool only_moves(const Graph& g, NodeId ein) {
  const std::vector<Factor> factors = g.factors(ein);
  if (std::ranges::none_of(factors, [&](const Factor& f) { return is_place(g, f); })) return g.is_structure(ein);
  return Fixed(g, factors, g.out(ein)).all;
}

void Product::rename(Label from, Label to) {
  if (from == to) return;
  for (Factor& f : factors) std::ranges::replace(f.labels, from, to);
  std::ranges::replace(out, from, to);
  dim.erase(from);
}

// Makes factor k the place of `digits` in `whole`; a place of everything is a delta, which unites the two labels.
void Product::set_place(size_t k, Label whole, const Labels& digits, Type parts, DimId offset) {
  const NodeId place = graph.place(dim.at(whole), std::move(parts), offset);
  if (graph[place].kind != Kind::Place) {
    factors.erase(factors.begin() + long(k));
    return rename(std::max(whole, digits[0]), std::min(whole, digits[0]));
  }
  factors[k] = {place, {whole}};
  factors[k].labels.insert(factors[k].labels.end(), digits.begin(), digits.end());
}

// A digit of one value says nothing.
bool Product::drop_unit_digit(size_t k) {
  const DimId one = graph.dim(1);
  const Node& n = graph[factors[k].tensor];
  const auto unit = std::find(n.type.begin() + 1, n.type.end(), one);
  if (unit == n.type.end()) return false;
  Type parts(n.type.begin() + 1, n.type.end());
  Labels digits(factors[k].labels.begin() + 1, factors[k].labels.end());
  const auto at = unit - n.type.begin() - 1;
  parts.erase(parts.begin() + at);
  digits.erase(digits.begin() + at);
  set_place(k, factors[k].labels[0], digits, std::move(parts), DimId{n.row});
  return true;
}

// One rule for two places, or for one; false if none applies.
bool Product::join_places() {
  std::vector<size_t> places;
  for (size_t k = 0; k < factors.size(); ++k)
    if (is_place(graph, factors[k])) places.push_back(k);
  const auto carried = [&](Label l, size_t but) {
    for (size_t k = 0; k < factors.size(); ++k)
      if (k != but && contains(factors[k].labels, l)) return true;
    return contains(out, l);
  };
  for (size_t k : places) {
    if (drop_unit_digit(k)) return true;
    const Labels& ls = factors[k].labels;
    const bool whole_is_lone = !carried(ls[0], k) && std::ranges::count(ls, ls[0]) == 1;  // not that of a place inside itself, P[a, i, a]
    const bool digits_are_lone = ls.size() > 1 && is_group(graph, factors[k].tensor) && !has_repeats(ls) &&
                                 std::none_of(ls.begin() + 1, ls.end(), [&](Label l) { return carried(l, k); });
    if (!whole_is_lone && !digits_are_lone) continue;
    // sum_a P[a, i...] = 1, and for a group sum_i... P[a, i...] = 1
    if (whole_is_lone) dim.erase(ls[0]);
    else for (size_t d = 1; d < ls.size(); ++d) dim.erase(ls[d]);
    factors.erase(factors.begin() + long(k));
    return true;
  }
  std::ranges::stable_sort(places, {}, [&](size_t k) { return std::pair(factors[k].labels.size(), graph.fingerprint(factors[k].tensor)); });  // what fixes most first
  for (size_t m : places)
    for (size_t k : places)
      if (k != m && join(k, m)) return true;
  return false;
}

// Replaces what places p and q say together by something simpler; called with both orders of each pair.
bool Product::join(size_t p, size_t q) {
  const Factor P = factors[p], Q = factors[q];
  const Type P_type = graph[P.tensor].type, Q_type = graph[Q.tensor].type;
  const DimId P_offset{graph[P.tensor].row}, Q_offset{graph[Q.tensor].row};
  const Labels P_digits(P.labels.begin() + 1, P.labels.end()), Q_digits(Q.labels.begin() + 1, Q.labels.end());
  const Type Q_parts(Q_type.begin() + 1, Q_type.end());
  const auto drop = [&](size_t k) { factors.erase(factors.begin() + long(k)); };
  const auto length = [&](const Type& t) { return graph.product(std::span(t).subspan(1)); };

  if (P.tensor == Q.tensor && (P.labels[0] == Q.labels[0] || P_digits == Q_digits)) {  // the same place of the same entry
    Labels one = P.labels, other = Q.labels;
    drop(q);
    for (size_t k = 0; k < one.size(); ++k) {  // a label may stand twice: what it is called now is where it meets the next
      const Label from = std::max(one[k], other[k]), to = std::min(one[k], other[k]);
      rename(from, to);
      for (Labels* labels : {&one, &other}) std::ranges::replace(*labels, from, to);
    }
    return true;
  }
  if (P.labels[0] == Q.labels[0]) {
    const DimId P_length = length(P_type), Q_length = length(Q_type);
    const DimId P_end[] = {P_offset, P_length}, Q_end[] = {Q_offset, Q_length};
    const DimId end = graph.sum(P_end), other_end = graph.sum(Q_end);
    if (graph.difference(Q_offset, end)) {  // pieces that have nothing in common
      coefficient = 0;
      return false;
    }
    if (contains(endless(graph, factors), P.labels[0])) return false;  // round and round in the circle
    const auto inside = graph.difference(Q_offset, P_offset);
    if (P_digits == Q_digits && Q_parts == Type(P_type.begin() + 1, P_type.end()) && inside && graph[*inside].kind == Dim::Kind::Fixed) {
      coefficient = 0;  // the same number at two offsets
      return false;
    }
    if (inside && P_digits.size() == 1 && graph.difference(end, other_end)) {  // Q is a place inside the piece P
      set_place(q, P_digits[0], Q_digits, Q_parts, *inside);
      return true;
    }
    if (inside && P_digits.size() == 1 && Q_digits.size() == 1) {  // they overlap from the start of Q to the end of P
      const auto common = graph.difference(end, Q_offset);
      if (!common || !graph.difference(other_end, end) || graph.difference(P_offset, Q_offset)) return false;
      Label fresh = 0;
      for (const auto& [l, d] : dim) fresh = std::max(fresh, l + 1);
      dim[fresh] = *common;
      factors[p] = {graph.place(P_type[1], {*common}, *inside), {P_digits[0], fresh}};
      factors[q] = {graph.place(Q_type[1], {*common}, graph.dim(0)), {Q_digits[0], fresh}};
      factors.push_back({graph.place(P_type[0], {*common}, Q_offset), {P.labels[0], fresh}});
      return true;
    }
    if (P_offset == Q_offset && P_digits.size() > 1 && refine(p, Q_digits, Q_parts)) return true;
    if (inside && P_digits.size() > 1 && Q_digits.empty() && graph[*inside].kind == Dim::Kind::Fixed) {  // one entry of a group: its digits
      int64_t number = graph[*inside].size;
      const bool group = is_group(graph, P.tensor);
      std::vector<Factor> digits;
      for (size_t k = P_digits.size(); k-- > 1;) {
        const Dim& d = graph[P_type[k + 1]];
        const bool fixed = d.kind == Dim::Kind::Fixed && d.size > 0;
        if (!fixed && !(group && number == 0)) return false;  // the digits of 0 are 0 in any group that has one
        digits.push_back({graph.unit_vector(P_type[k + 1], fixed ? number % d.size + 1 : 1), {P_digits[k]}});
        if (fixed) number /= d.size;
      }
      const Dim& first = graph[P_type[1]];
      if (first.kind == Dim::Kind::Fixed && number >= first.size) {  // behind the group
        coefficient = 0;
        return false;
      }
      if (first.kind != Dim::Kind::Fixed && !group) return false;  // perhaps behind it
      digits.push_back({graph.unit_vector(P_type[1], number + 1), {P_digits[0]}});
      drop(q);
      factors.insert(factors.end(), digits.begin(), digits.end());
      return true;
    }
    return false;
  }
  // A digit of P is itself placed by Q: P tells how the whole of P follows from the digits of Q.
  const auto digit = std::ranges::find(P_digits, Q.labels[0]);
  if (digit == P_digits.end() || contains(endless(graph, factors), Q.labels[0])) return false;  // a place inside itself would grow for ever
  const size_t at = size_t(digit - P_digits.begin());
  if (at > 0 && !is_group(graph, Q.tensor)) return false;
  std::vector<DimId> jump(P_type.begin() + 2 + long(at), P_type.end());
  jump.push_back(Q_offset);
  const DimId offsets[] = {P_offset, graph.product(jump)};
  Type parts(P_type.begin() + 1, P_type.end());
  Labels digits = P_digits;
  parts.erase(parts.begin() + long(at));
  parts.insert(parts.begin() + long(at), Q_parts.begin(), Q_parts.end());
  digits.erase(digits.begin() + long(at));
  digits.insert(digits.begin() + long(at), Q_digits.begin(), Q_digits.end());
  set_place(p, P.labels[0], digits, std::move(parts), graph.sum(offsets));
  return true;
}

// m = i*|j| + j and m = (k*|l| + l)*|j| + o are one number if i = k*|l| + l and j = o: a number has its digits once. So place p, if some of `digits`
// group to each of its own, gives way to the places of these groups.
bool Product::refine(size_t p, const Labels& digits, const Type& parts) {
  const Factor P = factors[p];
  const Type type = graph[P.tensor].type;
  std::vector<Factor> groups;
  std::vector<std::pair<Label, Label>> equal;
  size_t next = 0;
  for (size_t k = 1; k < P.labels.size(); ++k) {
    const size_t first = next;
    do {
      if (next == digits.size()) return false;
    } while (graph.product(std::span(parts).subspan(first, ++next - first)) != type[k]);
    const Labels own(digits.begin() + long(first), digits.begin() + long(next));
    if (own.size() == 1) {
      equal.emplace_back(P.labels[k], own[0]);
      continue;
    }
    Factor group{graph.place(type[k], {parts.begin() + long(first), parts.begin() + long(next)}, graph.dim(0)), {P.labels[k]}};
    group.labels.insert(group.labels.end(), own.begin(), own.end());
    groups.push_back(std::move(group));
  }
  if (next != digits.size()) return false;
  factors.erase(factors.begin() + long(p));
  factors.insert(factors.end(), groups.begin(), groups.end());
  for (size_t k = 0; k < equal.size(); ++k) {
    const Label from = std::max(equal[k].first, equal[k].second), to = std::min(equal[k].first, equal[k].second);
    rename(from, to);
    for (auto& [a, b] : equal) a = a == from ? to : a, b = b == from ? to : b;
  }
  return true;
}

// What the labels of a factor meet: of each the axis of the result, and the axes of other factors. However labels are called and factors stand, it is
// the same.
std::vector<std::vector<std::pair<uint64_t, size_t>>> Product::surroundings(const Factor& of) const {
  std::vector<std::vector<std::pair<uint64_t, size_t>>> r;
  for (Label l : of.labels) {
    auto& met = r.emplace_back(1, std::pair(uint64_t{0}, size_t(std::ranges::find(out, l) - out.begin())));
    for (const Factor& f : factors) {
      if (f.tensor == of.tensor && f.labels == of.labels) continue;
      const bool either = f.labels.size() == 2 && graph.is_symmetric(f.tensor);
      for (size_t k = 0; k < f.labels.size(); ++k)
        if (f.labels[k] == l) met.emplace_back(graph.fingerprint(f.tensor), either ? 0 : k);
    }
    std::sort(met.begin() + 1, met.end());
  }
  return r;
}

// T[a] P[a, i] = T[offset + i]: every tensor that carries a whole becomes a slice, a node of its own. Of several places of one whole that with the
// fewest digits does it, an entry before a piece; a digit that is itself placed is sliced in its turn. Whether a slice is something simpler, that of
// a block matrix, whose factors belong to this product, and with them the places in what is left of a sum.
bool Product::slice() {
  bool simpler = false;
  const auto sliced_by = [&](const Factor& place) {
    return [&](const Factor& f) { return !is_place(graph, f) && contains(f.labels, place.labels[0]); };
  };
  for (size_t rounds = factors.size() * factors.size(); rounds > 0; --rounds) {  // more only if a place is inside itself
    const Factor* next = nullptr;
    const auto key = [&](const Factor& f) { return std::tuple(f.labels.size(), graph.fingerprint(f.tensor), surroundings(f), f.labels); };
    for (const Factor& f : factors)
      if (is_place(graph, f) && (!next || key(f) < key(*next)) && std::ranges::any_of(factors, sliced_by(f))) next = &f;
    if (!next) break;
    const Factor place = *next;
    for (Factor& f : factors) {
      if (!sliced_by(place)(f)) continue;
      Labels kept;
      Type kept_type;
      const auto keep = [&](Label l) {
        if (!contains(kept, l)) kept.push_back(l), kept_type.push_back(dim.at(l));
      };
      if (f.labels.size() == 2 && f.labels[1] == place.labels[0] && graph.is_symmetric(f.tensor)) std::swap(f.labels[0], f.labels[1]);
      for (Label l : f.labels) {
        if (l != place.labels[0]) keep(l);
        else std::for_each(place.labels.begin() + 1, place.labels.end(), keep);
      }
      const NodeId sliced = graph.ein({f, place}, kept, kept_type);
      if (graph.is_zero(sliced)) coefficient = 0;
      simpler = simpler || !is_cut(graph, sliced) || (graph[f.tensor].kind == Kind::Sum && !has_factor(graph, sliced, f.tensor));
      f = {sliced, kept};
    }
  }
  return simpler;
}

// A slice of a sum of placed blocks is the sum of the blocks' slices, most of which vanish.
std::optional<NodeId> Product::slice_of_blocks() {
  const auto is_sliced = [&](const Factor& sum) {
    return std::ranges::any_of(factors, [&](const Factor& f) { return is_place(graph, f) && !contains(out, f.labels[0]) && contains(sum.labels, f.labels[0]); });
  };
  const auto sum = std::ranges::find_if(factors, [&](const Factor& f) { return graph[f.tensor].kind == Kind::Sum && is_sliced(f); });
  if (sum == factors.end()) return std::nullopt;
  const auto is_block = [&](NodeId t) {
    return graph[t].kind == Kind::Ein && std::ranges::any_of(graph.factors(t), [&](const Factor& f) { return is_place(graph, f); });
  };
  const std::vector<Term> blocks = graph.terms(sum->tensor);
  if (!std::ranges::any_of(blocks, is_block, &Term::tensor)) return std::nullopt;
  std::vector<Term> terms;
  for (const Term& block : blocks) {
    sum->tensor = block.tensor;
    terms.push_back({coefficient * block.coefficient, graph.ein(factors, out, type)});
  }
  return graph.sum(std::move(terms), type);
}

void Product::settle_places() {
  if (std::ranges::none_of(factors, [&](const Factor& f) { return is_place(graph, f); })) return;
  for (int rounds = 8; rounds > 0; --rounds) {
    while (coefficient != 0 && join_places()) {}
    sum_lone_labels();
    const auto tensors = std::ranges::count_if(factors, [&](const Factor& f) { return !is_place(graph, f); });
    if (coefficient == 0 || !endless(graph, factors).empty() || (tensors <= 1 && Fixed(graph, factors, out).all)) return;
    if (!slice() || coefficient == 0) break;
    dissolve_structure();
  }
  // A whole that nothing carries any more is summed away.
  while (join_places()) {}
  sum_lone_labels();
}

}  // namespace ricci
