#include "passes/plan_views.h"

#include <algorithm>
#include <map>

#include "ir/places.h"

namespace ricci {
namespace {

struct Product {
  std::vector<Factor> factors;
  Labels out;
};

// An Ein, or a place alone.
Product product_of(const Graph& g, NodeId n) {
  const Labels own = Graph::iota(g[n].rank());
  return g[n].kind == Kind::Place ? Product{{{n, own}}, own} : Product{g.factors(n), g.out(n)};
}

bool is_place(const Graph& g, const Factor& f) { return g[f.tensor].kind == Kind::Place; }

// Adds what `address` times the strides is.
void add(Address& sum, const Address& address, std::span<const DimId> strides) {
  for (Address::Term t : address.terms) {
    t.strides.insert(t.strides.end(), strides.begin(), strides.end());
    sum.terms.push_back(std::move(t));
  }
}

// The labels that places fix, from the digits up. Of labels that are places inside themselves one is counted, and the view is where it fits.
void resolve(const Graph& g, const std::vector<Factor>& factors, std::map<Label, Address>& placed, View& v) {
  std::vector<const Factor*> waiting;
  for (const Factor& f : factors)
    if (is_place(g, f)) waiting.push_back(&f);
  const auto waits = [&](Label l) { return !placed.contains(l) && std::ranges::any_of(waiting, [&](const Factor* f) { return f->labels[0] == l; }); };
  while (!waiting.empty()) {
    const auto ready = std::ranges::find_if(waiting, [&](const Factor* f) { return std::none_of(f->labels.begin() + 1, f->labels.end(), waits); });
    if (ready == waiting.end()) {
      const Label counted = waiting.front()->labels[0];
      placed.emplace(counted, Address::of(counted));
      continue;
    }
    const Factor& f = **ready;
    const Node& place = g[f.tensor];
    Address at;
    const Dim& offset = g[DimId{place.row}];
    if (offset.kind != Dim::Kind::Fixed || offset.size != 0) at.terms.push_back({{}, {DimId{place.row}}});
    for (size_t k = 1; k < f.labels.size(); ++k) {
      const auto digit = placed.find(f.labels[k]);
      add(at, digit == placed.end() ? Address::of(f.labels[k]) : digit->second, std::span(place.type).subspan(k + 1));
    }
    const auto [it, first] = placed.try_emplace(f.labels[0], at);
    if (!first) v.equal.emplace_back(it->second, at);
    waiting.erase(ready);
  }
}

// A slice of a slice.
void see_through(const Graph& g, View& v) {
  const std::optional<View> base = find_view(g, *v.base);
  if (!base || !base->total || !base->is_readable()) return;
  std::vector<Address> digits(base->counted.empty() ? 0 : std::ranges::max(base->counted) + 1);
  for (size_t k = 0; k < base->to.size(); ++k) digits[*base->to[k].label()] = v.from[k];
  v.base = base->base;
  v.from.clear();
  for (const Address& a : base->from) v.from.push_back(substitute(a, digits));
}

}  // namespace

std::optional<Label> Address::label() const {
  return terms.size() == 1 && terms[0].strides.empty() ? terms[0].digit : std::nullopt;
}

Address substitute(const Address& a, std::span<const Address> digits) {
  Address r;
  for (const Address::Term& t : a.terms) {
    if (t.digit) add(r, digits[*t.digit], t.strides);
    else r.terms.push_back(t);
  }
  return r;
}

std::vector<Address> own_axes(size_t rank) {
  std::vector<Address> r;
  for (Label l = 0; l < rank; ++l) r.push_back(Address::of(l));
  return r;
}

bool View::is_readable() const {
  return equal.empty() && std::ranges::all_of(to, [](const Address& a) { return a.label().has_value(); });
}

bool View::moves_axes() const {
  return is_readable() && std::ranges::all_of(from, [](const Address& a) { return a.label().has_value(); });
}

std::optional<View> find_view(const Graph& g, NodeId n) {
  const Kind kind = g[n].kind;
  if (kind != Kind::Place && kind != Kind::Ein) return {};
  const auto [factors, out] = product_of(g, n);
  const auto places = std::ranges::count_if(factors, [&](const Factor& f) { return is_place(g, f); });
  if (std::ssize(factors) - places > 1 || (places == 0 && !g.is_structure(n))) return {};
  View v;
  std::map<Label, Address> placed;
  resolve(g, factors, placed, v);
  std::map<Label, DimId> dims;
  const auto address = [&](Label l) {
    const auto it = placed.find(l);
    return it == placed.end() ? Address::of(l) : it->second;
  };
  const auto count = [&](const Address& a) {
    for (const Address::Term& t : a.terms) {
      if (!t.digit || std::ranges::find(v.counted, *t.digit) != v.counted.end()) continue;
      v.counted.push_back(*t.digit);
      v.space.push_back(dims.at(*t.digit));
    }
  };
  for (const Factor& f : factors)
    for (size_t k = 0; k < f.labels.size(); ++k) dims.emplace(f.labels[k], g[f.tensor].type[k]);
  for (size_t k = 0; k < out.size(); ++k) dims.emplace(out[k], g[n].type[k]);
  for (Label l : out) v.to.push_back(address(l));
  for (const Factor& f : factors) {
    if (is_place(g, f)) continue;
    v.base = f.tensor;
    for (Label l : f.labels) v.from.push_back(address(l));
  }
  if (v.base) see_through(g, v);
  for (const Address& a : v.to) count(a);
  for (const Address& a : v.from) count(a);
  for (const auto& [one, other] : v.equal) count(one), count(other);
  const Placement how = kind == Kind::Ein ? placement(g, n) : Placement::Partial;
  v.total = v.equal.empty() && how == Placement::Total;
  v.sums = !v.equal.empty() || how == Placement::None;
  return v;
}

View view_of(const Graph& g, NodeId n) { return *find_view(g, n); }

bool is_view(const Graph& g, NodeId n) {
  const Kind kind = g[n].kind;
  return kind == Kind::Place || (kind == Kind::Ein && find_view(g, n).has_value());
}

bool is_readable_view(const Graph& g, NodeId n) {
  if (g[n].kind != Kind::Ein) return false;
  const bool places = std::ranges::any_of(g[n].operands, [&](NodeId o) { return g[o].kind == Kind::Place; });
  if (!places) return g.is_structure(n);
  const std::optional<View> v = find_view(g, n);
  return v && v->is_readable() && v->total;
}

bool is_scattered(const Graph& g, NodeId n) {
  const std::optional<View> v = find_view(g, n);
  return v && (!v->total || !v->is_readable());
}

}  // namespace ricci
