// The operations that only move entries, as the language builds them: products with places. And products with the permutation symbol.
#include <algorithm>

#include "tests/fuzz/random_generator.h"

namespace ricci::fuzz {

bool Generator::moves() {
  switch (pick(8)) {
    case 0: return entry();
    case 1: return slice();
    case 2: return block();
    case 3: return vec();
    case 4: return reshape();
    case 5: return kron();
    case 6: return cross();
    default: return product();
  }
}

// The step of a place, or nothing if it would be outside.
Generator::Found Generator::place(size_t whole, Dimensions digits, int64_t offset, Dimensions before) {
  int64_t end = offset, span = 1;
  for (size_t d : digits) span *= extent(d);
  for (size_t d : before) end += extent(d);
  if (end + span > extent(whole)) return std::nullopt;
  if (digits.size() == 1 && digits[0] == whole) return std::nullopt;  // a delta
  digits.insert(digits.begin(), whole);
  return keep({.kind = Step::Kind::Place, .type = std::move(digits), .row = uint32_t(offset), .before = std::move(before)});
}

// One or two places between the labels of a product and new ones. A later label is a digit of an earlier one: no axis is a place inside itself.
void Generator::place_some_labels(Step& s, Dimensions& dim_of) {
  for (size_t k = 1 + pick(2); k > 0; --k) {
    const Label whole = Label(pick(dim_of.size()));
    Labels digits;
    Dimensions parts;
    int64_t span = 1;
    for (size_t d = pick(3); d > 0; --d) {
      if (chance(40)) dim_of.push_back(any_dimension());
      const Label l = Label(pick(dim_of.size()));
      if (l <= whole || span * extent(dim_of[l]) > extent(dim_of[whole])) continue;
      digits.push_back(l);
      parts.push_back(dim_of[l]);
      span *= extent(dim_of[l]);
    }
    if (extent(dim_of[whole]) < span) continue;
    if (const Found p = place(dim_of[whole], parts, int64_t(pick(size_t(extent(dim_of[whole]) - span + 1))))) {
      s.operands.push_back(*p);
      digits.insert(digits.begin(), whole);
      s.labels.push_back(std::move(digits));
    }
  }
}

// x[2], A[1, :], A[:, 3]
bool Generator::entry() {
  const Found x = any_step_where([](const Step& s) { return !s.type.empty(); });
  if (!x) return false;
  const size_t axis = pick(rank(*x));
  const int64_t whole = extent(type(*x)[axis]);
  if (whole == 0) return false;
  const size_t k = pick(size_t(whole));
  const Found unit = place(type(*x)[axis], {}, int64_t(k));
  if (!unit) return false;
  Step s{.kind = Step::Kind::Product, .type = type(*x), .operands = {*x, *unit}, .labels = {Graph::iota(rank(*x)), {Label(axis)}}, .out = Graph::iota(rank(*x))};
  s.type.erase(s.type.begin() + long(axis));
  s.out.erase(s.out.begin() + long(axis));
  const std::string index = std::to_string(k + 1);
  if (rank(*x) == 1) s.notation = "{0}[" + index + "]";
  if (rank(*x) == 2) s.notation = axis == 0 ? "{0}[" + index + ", :]" : "{0}[:, " + index + "]";
  return keep(std::move(s)).has_value();
}

// x[2:3], A[m + 1:m + n, :]: a block if the axis is made of blocks, else as much as another dimension is long.
bool Generator::slice() {
  const Found x = any_step_where([](const Step& s) { return !s.type.empty(); });
  if (!x) return false;
  const size_t axis = pick(rank(*x)), whole = type(*x)[axis];
  size_t part = any_dimension();
  int64_t offset = 0;
  Dimensions before;
  if (const Dimension& d = p_.dimensions[whole]; d.kind == Dim::Kind::Sum && chance(70)) {
    const size_t k = pick(d.parts.size());
    part = d.parts[k];
    before.assign(d.parts.begin(), d.parts.begin() + long(k));
  } else {
    if (chance(50)) part = dimension({.kind = Dim::Kind::Fixed, .extent = int64_t(1 + pick(3))});
    if (extent(part) > extent(whole)) return false;
    offset = int64_t(pick(size_t(extent(whole) - extent(part) + 1)));
  }
  const Found p = place(whole, {part}, offset, before);
  if (!p) return false;
  const Label digit = Label(rank(*x));
  Step s{.kind = Step::Kind::Product, .type = type(*x), .operands = {*x, *p}, .labels = {Graph::iota(rank(*x)), {Label(axis), digit}}, .out = Graph::iota(rank(*x))};
  s.type[axis] = part;
  s.out[axis] = digit;
  std::string low = std::to_string(offset + 1), high = p_.spell(part) + " + " + std::to_string(offset);
  for (size_t d : before) low = p_.spell(d) + " + " + low, high = p_.spell(d) + " + " + high;
  const std::string range = low + ":" + high;
  if (rank(*x) == 1) s.notation = "{0}[" + range + "]";
  if (rank(*x) == 2) s.notation = axis == 0 ? "{0}[" + range + ", :]" : "{0}[:, " + range + "]";
  return keep(std::move(s)).has_value();
}

// [0; A; 0], and [A; B] as a sum of two such.
bool Generator::block() {
  const Found x = any_step_where([](const Step& s) { return !s.type.empty() && s.type.size() < 3; });
  if (!x) return false;
  const size_t axis = pick(rank(*x));
  const auto shorter = [&](size_t k) {
    Dimensions t = type(k);
    t.erase(t.begin() + long(axis));
    return t;
  };
  const auto y = any_step_where([&](const Step& s) {
    Dimensions t = s.type;
    if (t.size() != rank(*x)) return false;
    t.erase(t.begin() + long(axis));
    return t == shorter(*x);
  });
  Dimensions parts = {type(*x)[axis]};
  if (y) parts.push_back(type(*y)[axis]);
  const size_t hole = any_dimension();
  const bool holed = !y || chance(30), first = chance(50);
  if (holed) parts.insert(first ? parts.begin() : parts.end(), hole);
  const size_t whole = sum_of(parts);
  const auto padded = [&](size_t k, size_t at) -> Found {
    const Dimensions before(parts.begin(), parts.begin() + long(at));
    const Found p = place(whole, {parts[at]}, 0, before);
    if (!p) return std::nullopt;
    Step s{.kind = Step::Kind::Product, .type = type(k), .operands = {k, *p}, .labels = {Graph::iota(rank(k)), {Label(rank(k)), Label(axis)}}, .out = Graph::iota(rank(k))};
    s.type[axis] = whole;
    s.out[axis] = Label(rank(k));
    for (size_t b = 0; b < parts.size(); ++b) {
      const std::string zeros = "zeros(" + (rank(k) == 1 ? p_.spell(parts[b]) : axis == 0 ? p_.spell(parts[b]) + ", " + p_.spell(type(k)[1]) : p_.spell(type(k)[0]) + ", " + p_.spell(parts[b])) + ")";
      s.notation += (b == 0 ? "[" : axis == 0 ? "; " : ", ") + (b == at ? "{0}" : zeros);
    }
    s.notation += "]";
    return keep(std::move(s));
  };
  const Found a = padded(*x, holed && first);
  if (!y || !a) return a.has_value();
  const Found b = padded(*y, 1 + (holed && first));
  if (!b) return true;
  return keep({.kind = Step::Kind::Sum, .type = type(*a), .operands = {*a, *b}, .coefficients = {1, chance(80) ? 1 : -2}}).has_value();
}

// Columns below each other: the column is the slow digit.
bool Generator::vec() {
  const Found a = any_step_of_rank(2);
  if (!a) return false;
  const size_t whole = product_of({type(*a)[0], type(*a)[1]});
  const Found p = place(whole, {type(*a)[1], type(*a)[0]}, 0);
  if (!p) return false;
  return keep({.kind = Step::Kind::Product, .type = {whole}, .operands = {*a, *p}, .labels = {{0, 1}, {2, 1, 0}}, .out = {2}, .notation = "vec({0})"}).has_value();
}

// A column into a matrix, or a matrix into one of as many entries.
bool Generator::reshape() {
  const Found x = any_step_where([&](const Step& s) {
    return s.type.size() == 2 || (s.type.size() == 1 && p_.dimensions[s.type[0]].kind == Dim::Kind::Product);
  });
  if (!x) return false;
  const bool column = rank(*x) == 1;
  Dimensions parts = column ? p_.dimensions[type(*x)[0]].parts : Dimensions{type(*x)[1], type(*x)[0]};
  if (parts.size() != 2) return false;
  if (column && chance(50)) std::swap(parts[0], parts[1]);
  const size_t whole = product_of({parts[0], parts[1]});
  const std::string notation = "reshape({0}, " + p_.spell(parts[0]) + ", " + p_.spell(parts[1]) + ")";
  const Found to = place(whole, {parts[1], parts[0]}, 0);
  if (!to) return false;
  if (column) return keep({.kind = Step::Kind::Product, .type = parts, .operands = {*x, *to}, .labels = {{0}, {0, 2, 1}}, .out = {1, 2}, .notation = notation}).has_value();
  const Found from = place(whole, {type(*x)[1], type(*x)[0]}, 0);
  if (!from) return false;
  return keep({.kind = Step::Kind::Product, .type = parts, .operands = {*x, *from, *to}, .labels = {{0, 1}, {2, 1, 0}, {2, 4, 3}}, .out = {3, 4}, .notation = notation}).has_value();
}

bool Generator::kron() {
  const Found a = any_step_of_rank(2), b = any_step_of_rank(2);
  if (!a || !b) return false;
  const size_t rows = product_of({type(*a)[0], type(*b)[0]}), columns = product_of({type(*a)[1], type(*b)[1]});
  const Found r = place(rows, {type(*a)[0], type(*b)[0]}, 0), c = place(columns, {type(*a)[1], type(*b)[1]}, 0);
  if (!r || !c) return false;
  return keep({.kind = Step::Kind::Product, .type = {rows, columns}, .operands = {*a, *b, *r, *c}, .labels = {{0, 1}, {2, 3}, {4, 0, 2}, {5, 1, 3}}, .out = {4, 5}, .notation = "kron({0}, {1})"}).has_value();
}

// eps_ijk x_j y_k, skew(x), and det by its definition.
bool Generator::cross() {
  for (size_t d = 0; d < p_.dimensions.size(); ++d) {
    if (p_.dimensions[d].kind != Dim::Kind::Fixed || extent(d) < 2 || extent(d) > 3) continue;
    const Found epsilon = keep({.kind = Step::Kind::Epsilon, .type = Dimensions(size_t(extent(d)), d)});
    const auto vector = [&] { return any_step_where([&](const Step& s) { return s.type == Dimensions{d}; }); };
    const Found x = vector(), y = vector();
    if (!epsilon || !x || !y) continue;
    if (extent(d) == 2) return keep({.kind = Step::Kind::Product, .operands = {*x, *y, *epsilon}, .labels = {{0}, {1}, {0, 1}}}).has_value();
    if (chance(30)) return keep({.kind = Step::Kind::Product, .type = {d, d}, .operands = {*x, *epsilon}, .labels = {{0}, {2, 0, 1}}, .out = {2, 1}, .notation = "skew({0})"}).has_value();
    return keep({.kind = Step::Kind::Product, .type = {d}, .operands = {*x, *y, *epsilon}, .labels = {{0}, {1}, {2, 0, 1}}, .out = {2}, .notation = "cross({0}, {1})"}).has_value();
  }
  return false;
}

}  // namespace ricci::fuzz
