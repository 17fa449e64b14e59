#include "frontend/dimensions.h"

#include <utility>

namespace ricci {

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
  return t.size ? std::to_string(*t.size) : "?";
}

bool Dimensions::is_known(DimVar d) const {
  const Term& t = terms_[root(d)];
  return !t.name.empty() || t.size || t.given;
}

void Dimensions::name(DimVar d, std::string name) { terms_[root(d)].name = std::move(name); }

DimId Dimensions::resolve(Graph& graph, DimVar d) const {
  const Term& t = terms_[root(d)];
  if (t.given) return *t.given;
  return t.size ? graph.dim(*t.size) : graph.dim(t.name);
}

const Dimensions::Origin* Dimensions::origin(DimVar d) const {
  const Term& t = terms_[d.value];
  return t.origin ? &*t.origin : nullptr;
}

}  // namespace ricci
