#include "frontend/dimensions.h"

#include <algorithm>

namespace ricci {
namespace {

// The symbol of a root in an extent, and back.
std::string key(uint32_t root) { return std::to_string(root); }
uint32_t root_of(const std::string& key) { return uint32_t(std::stoul(key)); }

}  // namespace

DimVar Dimensions::add(Term t) {
  const DimVar d{uint32_t(terms_.size())};
  t.parent = d.value;
  terms_.push_back(std::move(t));
  return d;
}

DimVar Dimensions::fresh() { return add({}); }
DimVar Dimensions::number(int64_t size) { return add({.parent = 0, .size = size}); }
DimVar Dimensions::given(DimId dim) { return add({.parent = 0, .given = dim}); }

DimVar Dimensions::named(const std::string& name) {
  if (const auto it = names_.find(name); it != names_.end()) return it->second;
  const DimVar d = add({.parent = 0, .name = flexible_names_ ? std::string() : name});
  names_.emplace(name, d);
  return d;
}

DimVar Dimensions::occurrence(DimVar of, SourceRange where, std::string owner) {
  const DimVar d = add({.parent = 0, .origin = Origin{where, std::move(owner)}});
  terms_[d.value].parent = root(of);
  return d;
}

uint32_t Dimensions::root(DimVar d) const {
  uint32_t r = d.value;
  while (terms_[r].parent != r) r = terms_[r].parent;
  for (uint32_t t = d.value; t != r;) t = std::exchange(terms_[t].parent, r);
  return r;
}

// --- built sizes ----------------------------------------------------------------------------------------------------------------

// A size as a polynomial in the roots that are not built themselves.
Extent Dimensions::extent(DimVar d) const {
  const uint32_t r = root(d);
  const Term& t = terms_[r];
  if (t.size) return Extent::number(*t.size);
  if (!t.built) return Extent::symbol(key(r));
  Extent e;
  for (const auto& [symbols, c] : t.built->terms) {
    Extent product = Extent::number(c);
    for (const std::string& s : symbols) product = product * extent({root_of(s)});
    e += product;
  }
  return e;
}

DimVar Dimensions::build(Extent e, std::vector<DimVar> parts) {
  if (e.terms.empty()) return number(0);
  if (e.terms.size() == 1) {
    const auto& [symbols, c] = *e.terms.begin();
    if (symbols.empty()) return number(c);
    if (symbols.size() == 1 && c == 1) return {root_of(symbols[0])};
  }
  return add({.parent = 0, .built = std::move(e), .parts = std::move(parts)});
}

DimVar Dimensions::product(std::vector<DimVar> factors) {
  Extent e = Extent::number(1);
  for (DimVar f : factors) {
    std::optional<Extent> product = checked_product(e, extent(f));
    exceeded_ = exceeded_ || !product;
    if (exceeded_) return fresh();
    e = std::move(*product);
  }
  return build(std::move(e), std::move(factors));
}

DimVar Dimensions::sum(std::vector<DimVar> terms) {
  Extent e;
  for (DimVar t : terms) e += extent(t);
  return build(std::move(e), std::move(terms));
}

DimVar Dimensions::plus(DimVar d, int64_t n) { return build(extent(d) + Extent::number(n)); }
DimVar Dimensions::difference(DimVar a, DimVar b) { return build(extent(a) - extent(b)); }

bool Dimensions::is_negative(DimVar d) const {
  const Extent e = extent(d);
  return !e.terms.empty() && std::ranges::all_of(e.terms, [](const auto& term) { return term.second < 0; });
}

std::optional<int64_t> Dimensions::size(DimVar d) const {
  const Extent e = extent(d);
  if (e.terms.empty()) return 0;
  if (e.terms.size() == 1 && e.terms.begin()->first.empty()) return e.terms.begin()->second;
  return std::nullopt;
}

bool Dimensions::agree(DimVar a, DimVar b) const { return root(a) == root(b) || extent(a) == extent(b); }

bool Dimensions::is_unknown(uint32_t r) const {
  const Term& t = terms_[r];
  return t.name.empty() && !t.size && !t.given && !t.built;
}

// Two sizes at least one of which is built: equal as polynomials, or one unknown in them makes them so.
bool Dimensions::unify_built(uint32_t a, uint32_t b) {
  const Extent x = extent({a}), y = extent({b}), rest = x - y;
  if (rest.terms.empty()) return true;
  if (is_unknown(a) || is_unknown(b)) {
    const uint32_t unknown = is_unknown(a) ? a : b, other = is_unknown(a) ? b : a;
    for (const auto& [symbols, c] : extent({other}).terms)
      if (std::ranges::find(symbols, key(unknown)) != symbols.end()) return false;
    terms_[unknown].parent = other;
    return true;
  }
  const std::vector<DimVar> p = terms_[a].parts, q = terms_[b].parts;  // part by part, as written
  const bool products = x.terms.size() == 1 && y.terms.size() == 1, sums = x.terms.size() > 1 && y.terms.size() > 1;
  if (p.size() == q.size() && !p.empty() && (products || sums)) {
    bool all = true;
    for (size_t k = 0; k < p.size(); ++k) all = all && unify(p[k], q[k]);
    return all;
  }
  for (const auto& [symbols, c] : rest.terms) {  // u + ... = ...
    if (symbols.size() != 1 || (c != 1 && c != -1) || !is_unknown(root_of(symbols[0]))) continue;
    const size_t uses = size_t(std::ranges::count_if(rest.terms, [&](const auto& t) { return std::ranges::count(t.first, symbols[0]) > 0; }));
    if (uses > 1) continue;
    const Extent others = rest - Extent::number(c) * Extent::symbol(symbols[0]);
    const DimVar value = build(c == 1 ? Extent::number(-1) * others : others);
    if (is_negative(value)) return false;
    terms_[root_of(symbols[0])].parent = root(value);
    return true;
  }
  if (!products) return false;
  std::vector<std::string> left = x.terms.begin()->first, right = y.terms.begin()->first;  // u*v = w*v
  int64_t c = x.terms.begin()->second, d = y.terms.begin()->second;
  for (size_t k = left.size(); k-- > 0;)
    if (const auto same = std::ranges::find(right, left[k]); same != right.end()) right.erase(same), left.erase(left.begin() + long(k));
  if (left.size() != 1 || !is_unknown(root_of(left[0]))) std::swap(left, right), std::swap(c, d);
  if (left.size() != 1 || !is_unknown(root_of(left[0])) || c == 0 || d % c != 0) return false;
  Extent value;
  value.terms[right] = d / c;
  terms_[root_of(left[0])].parent = root(build(std::move(value)));
  return true;
}

// --- unification ----------------------------------------------------------------------------------------------------------------

bool Dimensions::compatible(const Term& a, const Term& b) const {
  if (a.given && b.given) return *a.given == *b.given;
  if (a.size && b.size) return *a.size == *b.size;
  if (!a.name.empty() && !b.name.empty()) return a.name == b.name;
  const bool a_rigid = a.size || a.given || !a.name.empty(), b_rigid = b.size || b.given || !b.name.empty();
  return !(a_rigid && b_rigid);
}

void Dimensions::merge(uint32_t a, uint32_t b) {
  Term& to = terms_[a];
  Term& from = terms_[b];
  from.parent = a;
  if (to.name.empty()) to.name = from.name;
  if (!to.size) to.size = from.size;
  if (!to.given) to.given = from.given;
}

bool Dimensions::unify(DimVar a, DimVar b) {
  const uint32_t ra = root(a), rb = root(b);
  if (ra == rb) return true;
  if (terms_[ra].built || terms_[rb].built) return unify_built(ra, rb);
  if (!compatible(terms_[ra], terms_[rb])) return false;
  merge(ra, rb);
  return true;
}

bool Dimensions::equate(DimVar a, DimVar b) {
  const uint32_t ra = root(a), rb = root(b);
  if (ra == rb) return true;
  if (terms_[ra].size && terms_[rb].size && *terms_[ra].size != *terms_[rb].size) return false;
  merge(rb, ra);
  return true;
}

std::vector<std::string> Dimensions::names() const {
  std::vector<std::string> all;
  for (const auto& [name, d] : names_) all.push_back(name);
  return all;
}

std::string Dimensions::spell(DimVar d) const {
  const Term& t = terms_[root(d)];
  if (!t.name.empty()) return t.name;
  if (!t.built) return t.size ? std::to_string(*t.size) : "?";
  std::string sum, number;
  for (const auto& [symbols, c] : extent(d).terms) {
    std::string product = symbols.empty() || std::abs(c) != 1 ? std::to_string(std::abs(c)) : "";
    for (const std::string& s : symbols) product += (product.empty() ? "" : "*") + spell({root_of(s)});
    std::string& text = symbols.empty() ? number : sum;
    text += text.empty() && !symbols.empty() ? (c < 0 ? "-" : "") + product : (c < 0 ? " - " : " + ") + product;
  }
  return sum + number;
}

bool Dimensions::is_known(DimVar d) const {
  const Term& t = terms_[root(d)];
  if (!t.built) return !t.name.empty() || t.size || t.given;
  for (const auto& [symbols, c] : extent(d).terms)
    for (const std::string& s : symbols)
      if (!is_known({root_of(s)})) return false;
  return true;
}

void Dimensions::name(DimVar d, std::string name) { terms_[root(d)].name = std::move(name); }

DimId Dimensions::resolve(Graph& graph, DimVar d) const {
  const Term& t = terms_[root(d)];
  if (t.given) return *t.given;
  if (t.built) {
    std::vector<DimId> sum;
    for (const auto& [symbols, c] : extent(d).terms) {
      std::vector<DimId> product{graph.dim(c)};
      for (const std::string& s : symbols) product.push_back(resolve(graph, {root_of(s)}));
      sum.push_back(graph.product(product));
    }
    return graph.sum(sum);
  }
  return t.size ? graph.dim(*t.size) : graph.dim(t.name);
}

const Dimensions::Origin* Dimensions::origin(DimVar d) const {
  const Term& t = terms_[d.value];
  return t.origin ? &*t.origin : nullptr;
}

}  // namespace ricci
