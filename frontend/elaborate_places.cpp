// Entries, slices, blocks, and the functions that move entries: vec, reshape, kron, commut, e. Each is a product with places (ir/places.h).
#include "frontend/elaborate.h"
#include "frontend/lexer.h"
#include "frontend/spelling.h"

namespace ricci {

// --- sizes as expressions ------------------------------------------------------------------------------------------------------------

// n, 3, m*n, n + 1, 2*n: the value of a node as a size. Nothing for what is no size; that is reported.
std::optional<DimVar> Elaborator::size_expression(AstId id, std::string_view owner) {
  const Ast& a = ast(id);
  const auto all = [&]() -> std::optional<std::vector<DimVar>> {
    std::vector<DimVar> parts;
    for (AstId c : a.children) {
      const auto d = size_expression(c, owner);
      if (!d) return std::nullopt;
      parts.push_back(*d);
    }
    return parts;
  };
  const auto only = [&](AstOp x, AstOp y) { return std::ranges::all_of(a.ops, [&](AstOp op) { return op == x || op == y; }); };
  if (a.kind == AstKind::Name && (!names.contains(a.name) || dims_.is_name(a.name)))
    return dims_.occurrence(dims_.named(std::string(a.name)), a.where, std::string(owner));
  if (a.kind == AstKind::Number)
    if (const auto r = parse_rational(a.name); r && as_long(*r) && *as_long(*r) >= 0)
      return dims_.occurrence(dims_.number(*as_long(*r)), a.where, std::string(owner));
  if (a.kind == AstKind::Product && only(AstOp::Times, AstOp::Juxtaposed)) {
    if (const auto parts = all()) return dims_.product(*parts);
    return std::nullopt;
  }
  if (a.kind == AstKind::Sum) {
    auto parts = all();
    if (!parts) return std::nullopt;
    DimVar sum = (*parts)[0];
    for (size_t k = 1; k < parts->size(); ++k)
      sum = a.ops[k - 1] == AstOp::Plus ? dims_.sum({sum, (*parts)[k]}) : dims_.difference(sum, (*parts)[k]);
    if (!dims_.is_negative(sum)) return sum;
  }
  if (a.kind == AstKind::Power && ast(a.children[1]).kind == AstKind::Number) {
    const auto r = parse_rational(ast(a.children[1]).name);
    const auto base = r && as_long(*r) && *as_long(*r) >= 1 && *as_long(*r) <= 8 ? size_expression(a.children[0], owner) : std::nullopt;
    if (base) return dims_.product(std::vector<DimVar>(size_t(*as_long(*r)), *base));
  }
  report(Message::not_a_dimension, a.where, excerpt(a.where));
  return std::nullopt;
}

// --- entries and slices --------------------------------------------------------------------------------------------------------------

// What one index in brackets says of an axis of size `d`: everything, or from where, and how much; an entry has no length.
std::optional<Elaborator::Piece> Elaborator::piece(AstId id, DimVar d) {
  const Ast& a = ast(id);
  const std::string owner = excerpt(a.where);
  if (a.kind == AstKind::Range && a.children.empty()) return Piece{.all = true, .offset = dims_.number(0), .length = d};
  const bool range = a.kind == AstKind::Range;
  const auto low = size_expression(range ? a.children[0] : id, owner);
  const auto high = range ? size_expression(a.children[1], owner) : low;
  if (!low || !high) return std::nullopt;
  Piece p{.offset = dims_.plus(*low, -1)};
  if (range) p.length = dims_.plus(dims_.difference(*high, *low), 1);
  if (dims_.is_negative(p.offset) || dims_.is_negative(dims_.difference(d, *high)) || (range && dims_.is_negative(*p.length))) {
    report(Message::outside, a.where, excerpt(a.where), dims_.spell(d));
    return std::nullopt;
  }
  return p;
}

// The tensor with piece k of axis k; an axis of which one entry is taken is gone.
Meaning Elaborator::slice(const Meaning& m, const std::vector<Piece>& pieces) {
  const Shape shape = drafts_.shape(m.draft);
  const Labels axes = Graph::iota(shape.size());
  std::vector<DraftFactor> factors = {{m.draft, axes}};
  Meaning r;
  Labels out;
  Shape out_shape;
  for (size_t k = 0; k < shape.size(); ++k) {
    const Piece& p = pieces[k];
    const Label digit = Label(shape.size() + k);
    if (!p.all) {
      factors.push_back({drafts_.place(shape[k], p.length ? Shape{*p.length} : Shape{}, p.offset), p.length ? Labels{Label(k), digit} : Labels{Label(k)}});
      if (!p.length) continue;
    }
    out.push_back(p.all ? Label(k) : digit);
    out_shape.push_back(*p.length);
    r.variance.push_back(m.variance[k]);
  }
  r.draft = drafts_.ein(std::move(factors), std::move(out), std::move(out_shape));
  return r;
}

Meaning Elaborator::entries(const Ast& a, Meaning m) {
  if (!usable(m, ast(a.children[0]).where) || !m.indices.empty()) {
    if (!m.poisoned() && !m.indices.empty()) report(Message::needs_whole_tensor, a.where, "[...]");
    return poison();
  }
  const Shape shape = drafts_.shape(m.draft);
  if (a.children.size() != shape.size() + 1 || shape.empty()) {
    Diagnostic& d = report(Message::wrong_entry_count, a.where, describe(m), counted(shape.size(), "index", "indices"), a.children.size() - 1);
    if (shape.size() == 2 && a.children.size() == 2) {
      const std::string base = excerpt(ast(a.children[0]).where), k = excerpt(ast(a.children[1]).where);
      d.fix(Message::write, fmt::format("{}[{}, :]", base, k));
    }
    return poison();
  }
  std::vector<Piece> pieces;
  for (size_t k = 0; k < shape.size(); ++k) {
    const auto p = piece(a.children[k + 1], shape[k]);
    if (!p) return poison();
    pieces.push_back(*p);
  }
  return slice(m, pieces);
}

// --- blocks --------------------------------------------------------------------------------------------------------------------------

// [A, B; C, D]. A scalar is a block of one entry, a column of one column; the number 0 fills what the other blocks of its row and column leave.
Meaning Elaborator::block(const Ast& a) {
  struct Item {
    Meaning m;
    DimVar height, width;
    bool rows, columns;  // whether it has an axis along them
    bool fills;          // the number 0
    SourceRange where;
  };
  std::vector<std::vector<Item>> grid(1);
  for (size_t k = 0; k < a.children.size(); ++k) {
    if (k > 0 && a.ops[k - 1] == AstOp::Below) grid.emplace_back();
    const SourceRange where = ast(a.children[k]).where;
    Meaning m = take(a.children[k]);
    if (!usable(m, where)) return poison();
    const Shape shape = drafts_.shape(m.draft);
    if (shape.size() > 2 || !m.indices.empty()) {
      report(Message::block_of_tensor, where, describe(m));
      return poison();
    }
    Item item{.m = m, .height = dims_.number(1), .width = dims_.number(1), .rows = false, .columns = false, .fills = false, .where = where};
    const Rational* c = drafts_.as_constant(m.draft);
    item.fills = c && *c == 0;
    item.rows = shape.size() == 2 || (shape.size() == 1 && m.variance[0] == Variance::Up);
    item.columns = shape.size() == 2 || (shape.size() == 1 && !item.rows);
    if (item.rows) item.height = shape[0];
    if (item.columns) item.width = shape.back();
    if (item.fills) item.height = dims_.fresh(), item.width = dims_.fresh();
    grid.back().push_back(std::move(item));
  }
  const size_t columns = grid[0].size();
  bool regular = true;
  for (const auto& row : grid) {
    regular = regular && row.size() == columns;
    for (const Item& item : row)
      if (!dims_.unify(row[0].height, item.height)) {
        report(Message::blocks_beside, join(row[0].where, item.where), dims_.spell(row[0].height), dims_.spell(item.height));
        return poison();
      }
  }
  for (const auto& row : grid)  // a grid whose columns agree, if they can; otherwise only the widths of whole rows must
    for (size_t k = 0; regular && k < columns; ++k) dims_.unify(grid[0][k].width, row[k].width);
  std::vector<DimVar> heights;
  std::optional<DimVar> width;
  bool any_rows = grid.size() > 1, any_columns = false;
  for (const auto& row : grid) {
    std::vector<DimVar> widths;
    for (const Item& item : row) {
      widths.push_back(item.width);
      any_rows = any_rows || item.rows;
      any_columns = any_columns || item.columns || row.size() > 1;
    }
    heights.push_back(row[0].height);
    const DimVar own = dims_.sum(widths);
    if (!width) width = own;
    if (dims_.unify(*width, own)) continue;
    report(Message::blocks_below, join(grid[0][0].where, row.back().where), dims_.spell(*width), dims_.spell(own));
    return poison();
  }
  // A 0 is of one entry only where no block says more: the sizes of blocks that nobody declared follow from elsewhere.
  const auto has_side = [&](const Item& item, DimVar d) { return !item.fills && (dims_.agree(item.height, d) || dims_.agree(item.width, d)); };
  const auto is_side = [&](DimVar d) {
    return std::ranges::any_of(grid, [&](const auto& row) { return std::ranges::any_of(row, [&](const Item& item) { return has_side(item, d); }); });
  };
  for (const auto& row : grid)
    for (const Item& item : row)
      for (DimVar d : {item.height, item.width})
        if (item.fills && dims_.is_free(d) && !is_side(d)) dims_.unify(d, dims_.number(1));
  if (a.children.size() == 1) return std::move(grid[0][0].m);
  const DimVar height = dims_.sum(heights);

  // Output labels 0 and 1; a block along the whole of an axis needs no place there.
  Meaning r;
  Shape shape;
  Labels out;
  if (any_rows) shape.push_back(height), out.push_back(0), r.variance.push_back(Variance::Up);
  if (any_columns) shape.push_back(*width), out.push_back(1), r.variance.push_back(Variance::Down);
  std::vector<DraftTerm> terms;
  DimVar top = dims_.number(0);
  for (size_t i = 0; i < grid.size(); ++i) {
    DimVar left = dims_.number(0);
    for (size_t j = 0; j < grid[i].size(); ++j) {
      const Item& item = grid[i][j];
      std::vector<DraftFactor> factors;
      Labels own;
      const auto along = [&](bool axis, bool wanted, size_t count, Label whole, DimVar size, DimVar offset, DimVar length) {
        if (!wanted) return;
        const Label digit = axis && count > 1 ? whole + 2 : whole;
        if (axis) own.push_back(digit);
        if (count > 1) factors.push_back({drafts_.place(size, axis ? Shape{length} : Shape{}, offset), axis ? Labels{whole, digit} : Labels{whole}});
      };
      along(item.rows, any_rows, grid.size(), 0, height, top, item.height);
      along(item.columns, any_columns, grid[i].size(), 1, *width, left, item.width);
      factors.push_back({item.m.draft, own});
      if (!item.fills) terms.push_back({1, drafts_.ein(std::move(factors), out, shape)});
      left = dims_.sum({left, item.width});
    }
    top = dims_.sum({top, heights[i]});
  }
  r.draft = drafts_.sum(std::move(terms), std::move(shape));
  return r;
}

// --- functions -----------------------------------------------------------------------------------------------------------------------

// e(k), e(k, n): column k of the identity.
Meaning Elaborator::f_e(Call& c) {
  DimVar n = dims_.fresh();
  if (c.arguments.size() == 2) {
    const auto given = dimension_argument(c, 1);
    if (!given) return poison();
    n = *given;
  } else {
    open_sizes.emplace_back(n, c.ast.where);
  }
  const auto p = piece(c.ast.children[0], n);
  if (!p || p->length) {
    if (p) report(Message::not_a_dimension, c.at(0), excerpt(c.at(0)));
    return poison();
  }
  return {.draft = drafts_.place(n, {}, p->offset), .variance = {Variance::Up}};
}

// The columns of a matrix below each other: vec(A)[(j, i)] = A[i, j].
Meaning Elaborator::f_vec(Call& c) {
  if (!whole(c.arguments[0], c, 0)) return poison();
  const Meaning& m = c.arguments[0];
  const Shape shape = drafts_.shape(m.draft);
  if (shape.size() == 1) return {.draft = m.draft, .variance = {Variance::Up}};
  if (shape.size() != 2) {
    report(Message::needs_matrix, c.ast.where, c.ast.name, describe(m));
    return poison();
  }
  return {.draft = stacked(m.draft), .variance = {Variance::Up}};
}

DraftId Elaborator::stacked(DraftId tensor) {
  const Shape s = drafts_.shape(tensor);
  if (s.size() == 1) return tensor;
  const Shape digits(s.rbegin(), s.rend());  // the last index counts slowest
  const DimVar whole = dims_.product(digits);
  const Label entry = Label(s.size());
  Labels labels = Graph::iota(s.size() + 1);
  std::ranges::reverse(labels);
  return drafts_.ein({{tensor, Graph::iota(s.size())}, {drafts_.place(whole, digits, dims_.number(0)), labels}}, {entry}, {whole});
}

// reshape(x, m, n): the matrix whose columns below each other are x, or the columns of x.
Meaning Elaborator::f_reshape(Call& c) {
  if (!whole(c.arguments[0], c, 0)) return poison();
  DraftId x = c.arguments[0].draft;
  if (drafts_.rank(x) == 0 || drafts_.rank(x) > 2) {
    report(Message::needs_matrix, c.ast.where, c.ast.name, describe(c.arguments[0]));
    return poison();
  }
  if (drafts_.rank(x) == 2) x = stacked(x);
  const auto m = dimension_argument(c, 1), n = dimension_argument(c, 2);
  if (!m || !n) return poison();
  const DimVar whole = drafts_.shape(x)[0], product = dims_.product({*n, *m});
  if (!dims_.unify(whole, product)) {
    report(Message::reshape_count, c.ast.where, dims_.spell(whole), dims_.spell(product));
    return poison();
  }
  return {.draft = drafts_.ein({{x, {2}}, {drafts_.place(whole, {*n, *m}, dims_.number(0)), {2, 1, 0}}}, {0, 1}, {*m, *n}),
          .variance = {Variance::Up, Variance::Down}};
}

// kron(A, B)[(i, k), (j, l)] = A[i, j]*B[k, l], for any number of factors; a column has no column axis, a row no row axis.
Meaning Elaborator::f_kron(Call& c) {
  for (size_t k = 0; k < c.arguments.size(); ++k)
    if (!whole(c.arguments[k], c, k)) return poison();
  return kronecker(c.arguments, c.ast.name, c.ast.where);
}

Meaning Elaborator::kronecker(std::span<const Meaning> operands, std::string_view name, SourceRange where) {
  std::vector<DraftFactor> factors;
  Shape parts[2];
  Labels digits[2];
  Label next = 2;
  for (const Meaning& m : operands) {
    const Shape shape = drafts_.shape(m.draft);
    if (shape.size() > 2) {
      report(Message::needs_matrix, where, name, describe(m));
      return poison();
    }
    DraftFactor f{m.draft, {}};
    for (size_t axis = 0; axis < shape.size(); ++axis) {
      const size_t side = m.variance[axis] == Variance::Up ? 0 : 1;
      f.labels.push_back(next);
      parts[side].push_back(shape[axis]);
      digits[side].push_back(next++);
    }
    factors.push_back(std::move(f));
  }
  Meaning r;
  Labels out;
  Shape out_shape;
  for (size_t side : {0, 1}) {
    if (digits[side].empty()) continue;
    r.variance.push_back(side == 0 ? Variance::Up : Variance::Down);
    out_shape.push_back(dims_.product(parts[side]));
    if (digits[side].size() == 1) {
      out.push_back(digits[side][0]);
      continue;
    }
    out.push_back(Label(side));
    Labels labels = {Label(side)};
    labels.insert(labels.end(), digits[side].begin(), digits[side].end());
    factors.push_back({drafts_.place(out_shape.back(), parts[side], dims_.number(0)), std::move(labels)});
  }
  r.draft = drafts_.ein(std::move(factors), std::move(out), std::move(out_shape));
  return r;
}

// commut(m, n)*vec(A) = vec(A') for every A of m rows and n columns.
Meaning Elaborator::f_commut(Call& c) {
  const auto m = dimension_argument(c, 0), n = dimension_argument(c, 1);
  if (!m || !n) return poison();
  const DimVar whole = dims_.product({*m, *n});
  const DraftId row = drafts_.place(whole, {*m, *n}, dims_.number(0)), column = drafts_.place(whole, {*n, *m}, dims_.number(0));
  return {.draft = drafts_.ein({{row, {0, 2, 3}}, {column, {1, 3, 2}}}, {0, 1}, {whole, whole}), .variance = {Variance::Up, Variance::Down}};
}

bool Elaborator::three_vector(const Call& c, size_t i) {
  const Meaning& m = c.arguments[i];
  if (drafts_.rank(m.draft) == 1 && dims_.unify(drafts_.shape(m.draft)[0], dims_.number(3))) return true;
  report(Message::needs_three, c.at(i), c.ast.name, describe(m));
  return false;
}

// skew(a)*b = cross(a, b): skew(a)_ik = eps_ijk a_j
Meaning Elaborator::f_skew(Call& c) {
  if (!whole(c.arguments[0], c, 0) || !three_vector(c, 0)) return poison();
  const DimVar n = drafts_.shape(c.arguments[0].draft)[0];
  return {.draft = drafts_.ein({{drafts_.epsilon(3, n), {0, 1, 2}}, {c.arguments[0].draft, {1}}}, {0, 2}, {n, n}), .variance = {Variance::Up, Variance::Down}};
}

Meaning Elaborator::f_cross(Call& c) {
  Meaning &x = c.arguments[0], &y = c.arguments[1];
  if (!whole(x, c, 0) || !whole(y, c, 1) || !three_vector(c, 0) || !three_vector(c, 1)) return poison();
  if (!same_shape(x, y, Message::shapes_differ, c.ast.where, "cross product")) return poison();
  const DimVar n = drafts_.shape(x.draft)[0];
  return {.draft = drafts_.ein({{drafts_.epsilon(3, n), {0, 1, 2}}, {x.draft, {1}}, {y.draft, {2}}}, {0}, {n}), .variance = x.variance};
}

}  // namespace ricci
