// Products, quotients and powers of matrix notation.
#include <algorithm>

#include "frontend/elaborate.h"

namespace ricci {

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
    r.draft = drafts_.reciprocal(r.draft);
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
  const Meaning inverse = scalar(drafts_.reciprocal(r.draft));
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
    const Meaning operands[] = {l, r};
    return kronecker(operands, "⊗", where);
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
  Meaning base = take(a.children[0]), exponent = take(a.children[1]);
  if (!usable(base, ast(a.children[0]).where) || !usable(exponent, ast(a.children[1]).where)) return poison();
  if (base.indexed || exponent.indexed) {
    std::vector<Meaning> both;
    both.push_back(settle(std::move(base), a.children[0]));
    both.push_back(settle(std::move(exponent), a.children[1]));
    return indexed_map(MapOp::pow_, std::move(both), a.where);
  }
  if (entrywise_ || a.kind == AstKind::EntryPower) return entry_power(a, base, exponent);
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

// A^k by repeated squaring, of inv(A) for a negative k; for any other exponent the principal power expm(k*logm(A)), sqrtm(A) for 1/2.
Meaning Elaborator::matrix_power(const Ast& a, const Meaning& base, const Meaning& exponent) {
  constexpr long kLargest = 1'000'000;
  const Rational* e = drafts_.as_constant(exponent.draft);
  if (!is_square(base)) {
    report(Message::needs_square, a.where, "^", describe(base));
    return poison();
  }
  const std::vector<Variance> variance{Variance::Up, Variance::Down};
  if (e && *e == Rational(1, 2)) return {.draft = drafts_.fun(FunOp::sqrtm, base.draft), .variance = variance};
  if (!e || !is_integer(*e)) {
    const DraftId logarithm = drafts_.times(exponent.draft, drafts_.fun(FunOp::logm, base.draft));
    return {.draft = drafts_.fun(FunOp::expm, logarithm), .variance = variance};
  }
  const long k = as_long(*e).value_or(kLargest + 1);
  if (std::abs(k) > kLargest) {
    report(Message::matrix_exponent, ast(a.children[1]).where, kLargest).fix(Message::entrywise_power);
    return poison();
  }
  const DimVar n = drafts_.shape(base.draft)[0];
  Meaning square{.draft = k < 0 ? inverse(base) : base.draft, .variance = variance};
  if (k == 0) return {.draft = drafts_.ein({}, {0, 0}, {n, n}), .variance = variance};
  std::optional<Meaning> result;
  for (long left = std::abs(k); left > 0; left /= 2) {
    if (left % 2) result = result ? multiply(*result, square) : square;
    if (left > 1) square = multiply(square, square);
  }
  return *result;
}

Meaning Elaborator::entry_power(const Ast& a, const Meaning& base, const Meaning& exponent) {
  const bool tensors = drafts_.rank(base.draft) > 0 && drafts_.rank(exponent.draft) > 0;
  if (tensors && !same_shape(base, exponent, Message::shapes_differ, a.where, "entrywise power")) return poison();
  Meaning m{.variance = drafts_.rank(base.draft) > 0 ? base.variance : exponent.variance};
  m.draft = drafts_.power(base.draft, exponent.draft);
  return m;
}

}  // namespace ricci
