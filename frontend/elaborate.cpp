#include "frontend/elaborate.h"

#include <algorithm>

#include "frontend/lexer.h"
#include "frontend/spelling.h"

namespace ricci {

std::vector<Variance> Elaborator::usual_variance(size_t rank) {
  std::vector<Variance> v(rank, Variance::Down);
  if (rank > 0) v[0] = Variance::Up;
  return v;
}

std::string Elaborator::describe(const Meaning& m) const {
  const Shape& s = drafts_.shape(m.draft);
  if (s.empty()) return "a scalar";
  const bool known = std::ranges::all_of(s, [&](DimVar d) { return dims_.is_known(d); });
  std::string text = s.size() == 2 ? "a matrix" : s.size() > 2 ? "a tensor" : m.variance.empty() || m.variance[0] == Variance::Up ? "a column" : "a row";
  if (!known) return text;
  for (size_t i = 0; i < s.size(); ++i) text += (i > 0 ? " x " : s.size() == 1 ? " of length " : " ") + dims_.spell(s[i]);
  return text;
}

Meaning Elaborator::expression(const Syntax& syntax, AstId root, const LeftSide& left) {
  syntax_ = &syntax;
  left_ = left;
  base_ = ast(root).first;
  meanings_.assign(root.value - base_ + 1, {});
  find_roles(root);
  for (uint32_t id = base_; id <= root.value; ++id) {
    Meaning& m = meanings_[id - base_] = elaborate({id});
    if (!dims_.exceeded()) continue;
    report(Message::size_exceeded, ast({id}).where);
    m = poison();
  }
  return close(take(root), root, left);
}

// What surrounds each node: descending ids meet an enclosing node before what it encloses.
void Elaborator::find_roles(AstId root) {
  scopes_.clear();
  scope_of_.assign(meanings_.size(), kNone);
  is_dimension_.assign(meanings_.size(), false);
  high_ = std::ranges::any_of(left_.indices, [](const IndexUse& i) { return i.variance == Variance::Up; });
  uint32_t scope = kNone;
  for (uint32_t id = root.value + 1; id-- > base_;) {
    while (scope != kNone && id < ast(scopes_[scope].reduction).first) scope = scopes_[scope].parent;
    scope_of_[id - base_] = scope;
    const Ast& a = ast({id});
    for (const IndexUse& i : a.indices) high_ = high_ || i.variance == Variance::Up;
    if (a.kind != AstKind::Call) continue;
    const size_t first_size = first_size_argument(a.name);
    for (size_t k = first_size; k < a.children.size(); ++k)
      for (uint32_t c = ast(a.children[k]).first; c <= a.children[k].value; ++c) is_dimension_[c - base_] = ast({c}).kind == AstKind::Name;
    if (!a.indices.empty()) {
      scopes_.push_back({scope, {id}});
      scope = uint32_t(scopes_.size() - 1);
    }
  }
}

Meaning Elaborator::elaborate(AstId id) {
  const Ast& a = ast(id);
  switch (a.kind) {
    case AstKind::Number: return number(a);
    case AstKind::Name: return is_dimension_[id.value - base_] ? Meaning{} : name(a);
    case AstKind::Indexed: return indexed(id);
    case AstKind::Negate: return negate(a);
    case AstKind::Comparison: return comparison(a);
    case AstKind::Sum: {
      std::vector<Meaning> terms;
      for (AstId c : a.children) terms.push_back(take(c));
      for (size_t i = 0; i < terms.size(); ++i)
        if (!usable(terms[i], ast(a.children[i]).where)) return poison();
      const bool indices = std::ranges::any_of(terms, [](const Meaning& m) { return m.indexed; });
      return indices ? indexed_sum(id, std::move(terms)) : sum_in_matrices(a, std::move(terms));
    }
    case AstKind::Product: {
      bool indices = false;
      for (AstId c : a.children) indices = indices || meaning(c).indexed;
      if (!indices) return product(a);
      std::vector<Meaning> factors;
      for (AstId c : a.children) factors.push_back(take(c));
      return indexed_product(id, std::move(factors));
    }
    case AstKind::Power:
    case AstKind::EntryPower: return power(a);
    case AstKind::Transpose: {
      Meaning m = take(a.children[0]);
      return usable(m, a.where) ? transpose(std::move(m), a.where) : poison();
    }
    case AstKind::Call: return a.indices.empty() ? call(a) : indexed_reduction(id);
    case AstKind::Apply: return apply(a);
    case AstKind::Block: return block(a);
    case AstKind::Range: return poison();  // read with the slice it stands in
    case AstKind::List: return list(a);
    case AstKind::Partial: return partial(a);
    case AstKind::Poison: return poison();
  }
  return poison();
}

// False for what no operator can work on: poison, d(F, X) that waits for a direction, a list of gradients.
bool Elaborator::usable(Meaning& m, SourceRange where) {
  if (m.poisoned()) return false;
  if (!m.several.empty()) {
    report(Message::several_values, where, m.several.size());
    return false;
  }
  if (m.needs_direction) {
    report(Message::direction_missing, where).fix(Message::write, excerpt(where) + "[H]");
    return false;
  }
  return true;
}

std::string Elaborator::excerpt(SourceRange where) const { return shorten(diagnostics_.text(where)); }

std::vector<std::string> Elaborator::candidates() const {
  std::vector<std::string> all;
  for (const auto& [name, meaning] : names) all.push_back(name);
  std::ranges::sort(all);
  return all;
}

Meaning Elaborator::number(const Ast& a) {
  if (const auto value = parse_rational(a.name)) return scalar(drafts_.constant(*value));
  report(Message::bad_number, a.where, shorten(a.name));
  return poison();
}

Meaning Elaborator::name(const Ast& a) {
  if (const auto it = names.find(a.name); it != names.end()) return it->second;
  if (a.name == "pi" || a.name == "π") return scalar(drafts_.map(MapOp::pi_, {}));
  if (dims_.is_name(a.name)) return scalar(drafts_.size(dims_.named(std::string(a.name))));
  if (a.name == "delta" || a.name == "δ" || a.name == "eps" || a.name == "ε") return poison();  // a unit tensor: its indices follow
  if (!reported_.insert(std::string(a.name)).second) return poison();
  if (a.name == defining) {
    report(Message::recursive, a.name_at, a.name);
  } else if (const auto it = later.find(a.name); it != later.end()) {
    report(Message::used_before, a.name_at, a.name).note(it->second, Message::defined_here, a.name);
  } else {
    suggest(report(Message::undeclared, a.name_at, shorten(a.name)), a.name, candidates());
  }
  return poison();
}

Meaning Elaborator::negate(const Ast& a) {
  Meaning m = take(a.children[0]);
  if (!usable(m, a.where)) return poison();
  m.draft = drafts_.scale(-1, m.draft);
  m.by.reset();
  return m;
}

// --- sums -----------------------------------------------------------------------------------------------------------------------------

Meaning Elaborator::sum_in_matrices(const Ast& a, std::vector<Meaning> terms) {
  size_t model = 0;
  while (model + 1 < terms.size() && drafts_.rank(terms[model].draft) == 0) ++model;
  if (drafts_.rank(terms[model].draft) == 0) model = 0;
  Meaning result = terms[model];
  const Shape shape = drafts_.shape(result.draft);
  std::vector<DraftTerm> out;
  for (size_t i = 0; i < terms.size(); ++i) {
    Meaning& t = terms[i];
    if (drafts_.rank(t.draft) == 0 && !shape.empty()) {
      if (!entrywise_) {
        std::string ones;
        for (DimVar d : shape) ones += (ones.empty() ? "ones(" : ", ") + (dims_.is_known(d) ? dims_.spell(d) : "n");
        const std::string row = shape.size() == 1 && result.variance[0] == Variance::Down ? ")'" : ")";
        const Rational* c = drafts_.as_constant(t.draft);
        const std::string scaled = c && *c == 1 ? ones + row : excerpt(ast(a.children[i]).where) + "*" + ones + row;
        report(Message::scalar_plus_tensor, join(ast(a.children[std::min(i, model)]).where, ast(a.children[std::max(i, model)]).where),
               describe(result)).fix(Message::write, scaled);
        return poison();
      }
      t.draft = drafts_.broadcast(t.draft, shape);
    } else if (i != model) {
      const size_t near = i > model ? i - 1 : i;
      const SourceRange where = join(ast(a.children[near]).where, ast(a.children[std::max(i, model)]).where);
      if (!same_shape(i > model ? result : t, i > model ? t : result, Message::shapes_differ, where, "sum")) return poison();
    }
    if (t.variable != result.variable) result.variable.clear();
    out.push_back({Rational(i > 0 && a.ops[i - 1] == AstOp::Minus ? -1 : 1), t.draft});
  }
  result.draft = drafts_.sum(std::move(out), shape);
  result.by.reset();
  return result;
}

void Elaborator::note_origins(Diagnostic& d, DimVar a, DimVar b) const {
  for (DimVar v : {a, b})
    if (const auto* o = dims_.origin(v)) d.note(o->where, Message::dimension_origin, dims_.spell(v), o->owner);
  if (dims_.is_name(dims_.spell(a)) && dims_.is_name(dims_.spell(b))) d.fix(Message::equate_dimensions, dims_.spell(a), dims_.spell(b));
}

// Whether two tensors can be added or multiplied entry by entry; unifies their dimensions.
bool Elaborator::same_shape(const Meaning& a, const Meaning& b, Message m, SourceRange where, std::string_view what) {
  const Shape sa = drafts_.shape(a.draft), sb = drafts_.shape(b.draft);
  const std::string da = describe(a), db = describe(b);
  if (sa.size() != sb.size()) {
    report(m, where, what, da, db);
    return false;
  }
  if (sa.size() == 1 && a.variance[0] != b.variance[0] && !entrywise_) {
    report(m, where, what, da, db).fix(Message::transpose_one);
    return false;
  }
  for (size_t i = 0; i < sa.size(); ++i)
    if (!dims_.unify(sa[i], sb[i])) {
      Diagnostic& d = report(Message::sizes_meet, where, what, da, db, dims_.spell(sa[i]), dims_.spell(sb[i]));
      note_origins(d, sa[i], sb[i]);
      return false;
    }
  return true;
}

}  // namespace ricci
