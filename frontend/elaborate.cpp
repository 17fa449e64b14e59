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
  for (uint32_t id = base_; id <= root.value; ++id) meanings_[id - base_] = elaborate({id});
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
    if (a.name == "ones" || a.name == "zeros" || a.name == "eye")
      for (AstId c : a.children) is_dimension_[c.value - base_] = ast(c).kind == AstKind::Name;
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
    case AstKind::Power: return power(a);
    case AstKind::EntryPower: return entry_power(a);
    case AstKind::Transpose: {
      Meaning m = take(a.children[0]);
      return usable(m, a.where) ? transpose(std::move(m), a.where) : poison();
    }
    case AstKind::Call: return a.indices.empty() ? call(a) : indexed_reduction(id);
    case AstKind::Apply: return apply(a);
    case AstKind::Block: report(Message::not_supported, a.where, "a matrix written out in brackets"); return poison();
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
  if (a.name == "delta" || a.name == "δ") return poison();  // the unit tensor: its indices follow
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
  if (!dims_.size(a) && !dims_.size(b)) d.fix(Message::equate_dimensions, dims_.spell(a), dims_.spell(b));
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

// --- products -------------------------------------------------------------------------------------------------------------------------

Meaning Elaborator::product(const Ast& a) {
  Meaning left = take(a.children[0]);
  if (!usable(left, ast(a.children[0]).where)) left = poison();
  bool silent = left.poisoned();
  for (size_t i = 0; i < a.ops.size(); ++i) {
    Meaning right = take(a.children[i + 1]);
    const SourceRange lw = ast(a.children[i]).where, rw = ast(a.children[i + 1]).where;
    if (!usable(right, rw)) silent = true;
    if (silent) continue;
    if (a.ops[i] == AstOp::Juxtaposed) {
      report(Message::juxtaposed, join(lw, rw)).fix(Message::write, excerpt(lw) + "*" + excerpt(rw));
      silent = true;
      continue;
    }
    left = binary(a.ops[i], std::move(left), std::move(right), join(ast(a.children[0]).where, lw), rw, join(lw, rw));
    silent = left.poisoned();
  }
  return silent ? poison() : left;
}

Meaning Elaborator::binary(AstOp op, Meaning l, Meaning r, SourceRange left_at, SourceRange right_at, SourceRange where) {
  switch (op) {
    case AstOp::Times: return entrywise_ ? entrywise(AstOp::EntryTimes, std::move(l), std::move(r), where) : matrix_product(l, r, left_at, right_at, where);
    case AstOp::Over: return entrywise_ ? entrywise(AstOp::EntryOver, std::move(l), std::move(r), where) : divide(std::move(l), r, right_at, where);
    case AstOp::Solve: return solve(l, r, where);
    case AstOp::Outer: return outer_product(l, r, where);
    default: return entrywise(op, std::move(l), std::move(r), where);
  }
}

Meaning Elaborator::times(const Meaning& scalar, const Meaning& m) {
  Meaning result = m;
  result.draft = drafts_.times(scalar.draft, m.draft);
  result.by.reset();
  return result;
}

// Contracts the last axis of the left with the first of the right: row meets column.
Meaning Elaborator::multiply(const Meaning& l, const Meaning& r) {
  const Shape sl = drafts_.shape(l.draft), sr = drafts_.shape(r.draft);
  const Labels ll = Graph::iota(sl.size()), lr = Graph::iota(sr.size(), Label(sl.size() - 1));
  Meaning m;
  Shape shape(sl.begin(), sl.end() - 1);
  shape.insert(shape.end(), sr.begin() + 1, sr.end());
  m.variance.assign(l.variance.begin(), l.variance.end() - 1);
  m.variance.insert(m.variance.end(), r.variance.begin() + 1, r.variance.end());
  Labels out(ll.begin(), ll.end() - 1);
  out.insert(out.end(), lr.begin() + 1, lr.end());
  m.draft = drafts_.ein({{l.draft, ll}, {r.draft, lr}}, std::move(out), std::move(shape));
  return m;
}

// The spelling of a transpose, for a fix.
std::string Elaborator::transposed(SourceRange where) const {
  std::string text = excerpt(where);
  if (text.ends_with('\'')) return text.substr(0, text.size() - 1);
  const bool simple = text.find_first_of("+-*/ ") == std::string::npos || text.ends_with(')');
  return simple ? text + "'" : "(" + text + ")'";
}

Meaning Elaborator::matrix_product(const Meaning& l, const Meaning& r, SourceRange left_at, SourceRange right_at, SourceRange where) {
  const size_t nl = drafts_.rank(l.draft), nr = drafts_.rank(r.draft);
  if (nl == 0) return times(l, r);
  if (nr == 0) return times(r, l);
  const bool column = nl == 1 && l.variance[0] == Variance::Up, row = nr == 1 && r.variance[0] == Variance::Down;
  if (column && row) return outer_product(l, transpose(r, right_at), where);
  if (column) {
    Diagnostic& d = report(Message::column_on_the_left, where, describe(l), describe(r));
    if (nr == 1) d.fix(Message::inner_or_entrywise, transposed(left_at) + "*" + excerpt(right_at), excerpt(left_at) + ".*" + excerpt(right_at));
    else d.fix(Message::write, transposed(left_at) + "*" + excerpt(right_at));
    return poison();
  }
  if (row) {
    report(Message::row_on_the_right, where, describe(l), describe(r)).fix(Message::write, excerpt(left_at) + "*" + transposed(right_at));
    return poison();
  }
  const DimVar a = drafts_.shape(l.draft).back(), b = drafts_.shape(r.draft).front();
  const std::string dl = describe(l), dr = describe(r);
  if (!dims_.unify(a, b)) {
    note_origins(report(Message::sizes_meet, where, "product", dl, dr, dims_.spell(a), dims_.spell(b)), a, b);
    return poison();
  }
  return multiply(l, r);
}

Meaning Elaborator::entrywise(AstOp op, Meaning l, Meaning r, SourceRange where) {
  const bool over = op == AstOp::EntryOver;
  if (over) {
    r.draft = drafts_.power(r.draft, drafts_.constant(-1));
  }
  const size_t nl = drafts_.rank(l.draft), nr = drafts_.rank(r.draft);
  if (nl == 0) return times(l, r);
  if (nr == 0) return times(r, l);
  if (!same_shape(l, r, Message::shapes_differ, where, over ? "entrywise quotient" : "entrywise product")) return poison();
  const Labels axes = Graph::iota(nl);
  Meaning m{.variance = l.variance};
  m.draft = drafts_.ein({{l.draft, axes}, {r.draft, axes}}, axes, Shape(drafts_.shape(l.draft)));
  return m;
}

Meaning Elaborator::divide(Meaning l, const Meaning& r, SourceRange right_at, SourceRange where) {
  if (drafts_.rank(r.draft) > 0) {
    report(Message::division_by_tensor, right_at, describe(r)).fix(drafts_.rank(r.draft) == 2 ? Message::solve_or_entrywise : Message::entrywise_quotient);
    return poison();
  }
  (void)where;
  const Meaning inverse = scalar(drafts_.power(r.draft, drafts_.constant(-1)));
  return times(inverse, l);
}

Meaning Elaborator::solve(const Meaning& l, const Meaning& r, SourceRange where) {
  if (!is_square(l)) {
    report(Message::needs_square, where, "\\", describe(l));
    return poison();
  }
  const DimVar a = drafts_.shape(l.draft)[1];
  if (drafts_.rank(r.draft) == 0 || (drafts_.rank(r.draft) == 1 && r.variance[0] == Variance::Down)) {
    report(Message::shapes_differ, where, "solution", describe(l), describe(r));
    return poison();
  }
  const DimVar b = drafts_.shape(r.draft)[0];
  if (!dims_.unify(a, b)) {
    note_origins(report(Message::sizes_meet, where, "solution", describe(l), describe(r), dims_.spell(a), dims_.spell(b)), a, b);
    return poison();
  }
  Meaning inv = l;
  inv.draft = inverse(l);
  return multiply(inv, r);
}

Meaning Elaborator::outer_product(const Meaning& l, const Meaning& r, SourceRange where) {
  if (drafts_.rank(l.draft) > 1 || drafts_.rank(r.draft) > 1) {
    report(Message::not_supported, where, "the Kronecker product");
    return poison();
  }
  if (drafts_.rank(l.draft) == 0) return times(l, r);
  if (drafts_.rank(r.draft) == 0) return times(r, l);
  Meaning m{.variance = {Variance::Up, Variance::Down}};
  m.draft = drafts_.ein({{l.draft, {0}}, {r.draft, {1}}}, {0, 1}, {drafts_.shape(l.draft)[0], drafts_.shape(r.draft)[0]});
  return m;
}

Meaning Elaborator::transpose(Meaning m, SourceRange where) {
  if (m.indexed && !m.indices.empty()) {
    report(Message::matrix_operator_on_components, where, "'");
    return poison();
  }
  m.by.reset();
  const size_t n = drafts_.rank(m.draft);
  if (n > 2) {
    report(Message::transpose_of_tensor, where, describe(m));
    return poison();
  }
  if (n == 1) m.variance[0] = m.variance[0] == Variance::Up ? Variance::Down : Variance::Up;
  if (n == 2) {
    const Shape s = drafts_.shape(m.draft);
    m.draft = drafts_.ein({{m.draft, {0, 1}}}, {1, 0}, {s[1], s[0]});
    m.variance = {Variance::Up, Variance::Down};
    if (!m.variable.empty()) std::swap(m.variable[0], m.variable[1]);
  }
  return m;
}

// --- powers ---------------------------------------------------------------------------------------------------------------------------

bool Elaborator::is_square(const Meaning& m) {
  return drafts_.rank(m.draft) == 2 && dims_.unify(drafts_.shape(m.draft)[0], drafts_.shape(m.draft)[1]);
}

Meaning Elaborator::power(const Ast& a) {
  if (entrywise_) return entry_power(a);
  Meaning base = take(a.children[0]), exponent = take(a.children[1]);
  if (!usable(base, ast(a.children[0]).where) || !usable(exponent, ast(a.children[1]).where)) return poison();
  if (base.indexed || exponent.indexed) {
    std::vector<Meaning> both;
    both.push_back(settle(std::move(base), a.children[0]));
    both.push_back(settle(std::move(exponent), a.children[1]));
    return indexed_map(MapOp::pow_, std::move(both), a.where);
  }
  if (drafts_.rank(exponent.draft) > 0) {
    report(Message::exponent_not_scalar, ast(a.children[1]).where, describe(exponent)).fix(Message::entrywise_power);
    return poison();
  }
  switch (drafts_.rank(base.draft)) {
    case 0: return scalar(drafts_.power(base.draft, exponent.draft));
    case 2: return matrix_power(a, base, exponent);
    default:
      report(Message::power_of_vector, a.where, describe(base)).fix(Message::entrywise_power);
      return poison();
  }
}

// A^k by repeated squaring, of inv(A) for a negative k.
Meaning Elaborator::matrix_power(const Ast& a, const Meaning& base, const Meaning& exponent) {
  constexpr long kLargest = 1'000'000;
  const Rational* e = drafts_.as_constant(exponent.draft);
  const auto k = e ? as_long(*e) : std::nullopt;
  if (!is_square(base)) {
    report(Message::needs_square, a.where, "^", describe(base));
    return poison();
  }
  if (!k || std::abs(*k) > kLargest) {
    report(Message::matrix_exponent, ast(a.children[1]).where).fix(Message::entrywise_power);
    return poison();
  }
  const DimVar n = drafts_.shape(base.draft)[0];
  Meaning square{.draft = *k < 0 ? inverse(base) : base.draft, .variance = {Variance::Up, Variance::Down}};
  if (*k == 0) return {.draft = drafts_.ein({}, {0, 0}, {n, n}), .variance = square.variance};
  std::optional<Meaning> result;
  for (long left = std::abs(*k); left > 0; left /= 2) {
    if (left % 2) result = result ? multiply(*result, square) : square;
    if (left > 1) square = multiply(square, square);
  }
  return *result;
}

Meaning Elaborator::entry_power(const Ast& a) {
  Meaning base = take(a.children[0]), exponent = take(a.children[1]);
  if (!usable(base, ast(a.children[0]).where) || !usable(exponent, ast(a.children[1]).where)) return poison();
  if (base.indexed || exponent.indexed) {
    std::vector<Meaning> both;
    both.push_back(settle(std::move(base), a.children[0]));
    both.push_back(settle(std::move(exponent), a.children[1]));
    return indexed_map(MapOp::pow_, std::move(both), a.where);
  }
  const bool tensors = drafts_.rank(base.draft) > 0 && drafts_.rank(exponent.draft) > 0;
  if (tensors && !same_shape(base, exponent, Message::shapes_differ, a.where, "entrywise power")) return poison();
  Meaning m{.variance = drafts_.rank(base.draft) > 0 ? base.variance : exponent.variance};
  m.draft = drafts_.power(base.draft, exponent.draft);
  return m;
}

}  // namespace ricci
