#include "passes/raise_places.h"

#include <algorithm>
#include <functional>
#include <tuple>

#include "ir/dimension.h"
#include "ir/labels.h"

namespace ricci {
namespace {

using mat::Expr;
using mat::Shape;

Labels digits_of(const Factor& place) { return {place.labels.begin() + 1, place.labels.end()}; }

// A size as it is written: a number, or a name for what is built.
Expr size_expr(const Extent& e) {
  if (e.terms.empty()) return mat::number(0);
  if (e.terms.size() == 1 && e.terms.begin()->first.empty()) return mat::number(Rational(long(e.terms.begin()->second)));
  return mat::name(spell(e), Shape::scalar());
}

Extent offset_of(const Graph& g, NodeId place) { return Extent::of(g, DimId{g[place].row}); }

// What a place with at most one digit takes of an axis.
Expr index_of(const Graph& g, NodeId place) {
  const Extent first = offset_of(g, place) + Extent::number(1);
  if (g[place].rank() == 1) return size_expr(first);
  return mat::range(size_expr(first), size_expr(offset_of(g, place) + Extent::of(g, g[place].type[1])));
}

Shape shape_of(const std::vector<DimId>& rows, const std::vector<DimId>& columns) {
  if (rows.empty()) return columns.empty() ? Shape::scalar() : Shape::row(columns[0]);
  return columns.empty() ? Shape::column(rows[0]) : Shape::matrix(rows[0], columns[0]);
}

class TermRaiser {
 public:
  TermRaiser(const Graph& g, RaisedTerm term, const Type& type) : g_(g), t_(std::move(term)), type_(type) {}

  std::variant<Expr, Label> run() {
    for (auto eps = find_epsilon(); eps != t_.constants.end(); eps = find_epsilon())
      if (!absorb(size_t(eps - t_.constants.begin()))) return t_.constants[size_t(eps - t_.constants.begin())].labels[0];
    for (RaisedFactor& f : t_.factors) take_slices(f);
    for (size_t at = 0; at < t_.constants.size();) at = close_group(at) ? 0 : at + 1;
    std::optional<Grouped> grouped;
    for (size_t axis = 0; axis < t_.out.size(); ++axis) find_group(axis, grouped);
    for (const Factor& p : t_.constants) {
      const std::optional<Expr> e = raise_place(g_, p.tensor);
      if (!e) return p.labels[0];
      t_.factors.push_back({*e, p.labels});
    }
    if (grouped) return raise_grouped(g_, t_.factors, *grouped, t_.dim);
    return raise_product(g_, t_.factors, t_.out, t_.dim);
  }

 private:
  std::vector<Factor>::iterator find_epsilon() {
    return std::ranges::find_if(t_.constants, [&](const Factor& f) { return g_[f.tensor].kind == Kind::Epsilon; });
  }

  // eps_ijk a_j is the matrix skew(a)_ik. The column a is all that hangs on the symbol by j alone: a vector, or a product such as A_jl b_l.
  bool absorb(size_t at) {
    const Labels ls = t_.constants[at].labels;
    if (ls.size() != 3) return false;
    for (size_t k = 0; k < 3; ++k) {
      const Label j = ls[k];
      if (is_result(j) || std::ranges::count(ls, j) > 1) continue;
      const Labels held = hanging(at, {j});
      if (std::ranges::any_of(held, [&](Label l) { return is_result(l) || (l != j && contains(ls, l)); })) continue;
      const Type three{t_.dim.at(j)};
      auto [column, rest] = cut(at, held);
      column.out = {j};
      const auto vector = raise_term(g_, std::move(column), three);
      if (!std::holds_alternative<Expr>(vector)) continue;
      rest.factors.push_back({mat::call("skew", {std::get<Expr>(vector)}, Shape::matrix(three[0], three[0])), {ls[(k + 2) % 3], ls[(k + 1) % 3]}});
      t_ = std::move(rest);
      return true;
    }
    return false;
  }

  // The labels joined with `held`, these among them, by others than the constant `at`.
  Labels hanging(size_t at, Labels held) const {
    const auto join = [&](const Labels& labels) {
      if (std::ranges::any_of(labels, [&](Label l) { return contains(held, l); }))
        for (Label l : labels)
          if (!contains(held, l)) held.push_back(l);
    };
    for (size_t before = 0; before != held.size();) {
      before = held.size();
      for (const RaisedFactor& f : t_.factors) join(f.labels);
      for (size_t c = 0; c < t_.constants.size(); ++c)
        if (c != at) join(t_.constants[c].labels);
    }
    return held;
  }

  // The product without the constant `at` in two: the factors on the labels `held`, and the others.
  std::pair<RaisedTerm, RaisedTerm> cut(size_t at, const Labels& held) const {
    RaisedTerm part, rest = t_;
    const auto hangs = [&](const auto& f) { return std::ranges::any_of(f.labels, [&](Label l) { return contains(held, l); }); };
    rest.constants.erase(rest.constants.begin() + std::ptrdiff_t(at));
    move_if(rest.factors, part.factors, hangs);
    move_if(rest.constants, part.constants, hangs);
    for (Label l : held) part.dim.insert(rest.dim.extract(l));
    return {std::move(part), std::move(rest)};
  }

  template <class Factors, class Test>
  static void move_if(Factors& from, Factors& to, const Test& test) {
    const auto moved = std::ranges::stable_partition(from, std::not_fn(test));
    std::ranges::move(moved, std::back_inserter(to));
    from.erase(moved.begin(), moved.end());
  }

  // A group on an axis that is summed: with what hangs on its digits it is a matrix over that axis, P_lki b_k = [kron(b', eye(p))]_il.
  bool close_group(size_t at) {
    const Factor p = t_.constants[at];
    const Label whole = p.labels[0];
    if (p.labels.size() < 3 || has_repeats(p.labels) || is_result(whole) || !is_whole(p)) return false;
    const Labels held = hanging(at, digits_of(p));
    Labels sides;
    for (Label l : t_.out)
      if (contains(held, l) && !contains(sides, l)) sides.push_back(l);
    if (contains(held, whole) || sides.size() > 1) return false;
    auto [part, rest] = cut(at, held);
    for (Label l : sides) rest.dim.emplace(l, t_.dim.at(l));
    sides.push_back(whole);
    part.constants.push_back(p);
    part.dim.emplace(whole, t_.dim.at(whole));
    part.out = sides;
    Type type;
    for (Label l : sides) type.push_back(t_.dim.at(l));
    const auto form = raise_term(g_, std::move(part), type);
    if (!std::holds_alternative<Expr>(form)) return false;
    rest.factors.push_back({std::get<Expr>(form), sides});
    t_ = std::move(rest);
    return true;
  }

  bool is_result(Label l) const { return contains(t_.out, l); }

  // The place that takes part of an axis of `f` and of nothing else.
  std::vector<Factor>::iterator slicing(Label whole, const RaisedFactor& f) {
    const auto end = t_.constants.end();
    if (is_result(whole)) return end;
    for (const RaisedFactor& other : t_.factors)
      if (&other != &f && contains(other.labels, whole)) return end;
    auto found = end;
    for (auto p = t_.constants.begin(); p != end; ++p) {
      if (!contains(p->labels, whole)) continue;
      if (found != end || p->labels[0] != whole) return end;
      found = p;
    }
    return found;
  }

  // T[a] P[a, i] as the slice of T on i.
  void take_slices(RaisedFactor& f) {
    const size_t rank = f.labels.size();
    if (rank == 0 || rank > 2 || (rank == 2 && f.labels[0] == f.labels[1])) return;
    std::vector<Expr> indices;
    std::vector<DimId> sides[2];
    Labels labels, wholes;
    for (size_t k = 0; k < rank; ++k) {
      const auto p = slicing(f.labels[k], f);
      const size_t side = rank == 2 ? k : 0;
      if (p == t_.constants.end() || p->labels.size() > 2) {
        if (p != t_.constants.end() && rank == 1 && p->labels.size() == 3 && is_whole(*p)) return reshape(f, *p);
        indices.push_back(mat::range());
        labels.push_back(f.labels[k]);
        sides[side].push_back(t_.dim.at(f.labels[k]));
        continue;
      }
      indices.push_back(index_of(g_, p->tensor));
      wholes.push_back(f.labels[k]);
      if (p->labels.size() == 2) labels.push_back(p->labels[1]), sides[side].push_back(g_[p->tensor].type[1]);
    }
    if (wholes.empty()) return;
    Expr e = mat::slice(f.expr, indices, shape_of(sides[0], sides[1]));
    if (e->shape.is_row()) e = transpose(e);
    f = {e, labels};
    for (Label w : wholes) drop_whole(w);
  }

  bool is_whole(const Factor& p) const {
    Extent parts = Extent::number(1);
    for (size_t k = 1; k < p.labels.size(); ++k) parts = parts * Extent::of(g_, g_[p.tensor].type[k]);
    return parts == Extent::of(g_, g_[p.tensor].type[0]);
  }

  void reshape(RaisedFactor& f, const Factor& p) {
    const DimId rows = g_[p.tensor].type[2], columns = g_[p.tensor].type[1];
    const Labels digits = digits_of(p);
    const Label whole = p.labels[0];
    f = {mat::call("reshape", {f.expr, mat::dimension(g_, rows), mat::dimension(g_, columns)}, Shape::matrix(rows, columns)), {digits[1], digits[0]}};
    drop_whole(whole);
  }

  void drop_whole(Label whole) {
    std::erase_if(t_.constants, [&](const Factor& p) { return p.labels[0] == whole; });
    t_.dim.erase(whole);
  }

  // An axis of the result that is a group of labels.
  void find_group(size_t axis, std::optional<Grouped>& grouped) {
    const Label whole = t_.out[axis];
    const auto p = std::ranges::find_if(t_.constants, [&](const Factor& f) { return f.labels[0] == whole && f.labels.size() > 2; });
    if (p == t_.constants.end() || std::ranges::count(t_.out, whole) > 1 || !is_whole(*p) || contains(digits_of(*p), whole)) return;
    for (const RaisedFactor& f : t_.factors)
      if (contains(f.labels, whole)) return;
    for (auto other = t_.constants.begin(); other != t_.constants.end(); ++other)
      if (other != p && contains(other->labels, whole)) return;
    if (!grouped) {
      grouped.emplace();
      grouped->shape = t_.out.size() == 2 ? Shape::matrix(type_[0], type_[1]) : Shape::column(type_[0]);
      grouped->rows = {t_.out[0]};
      if (t_.out.size() == 2) grouped->columns = {t_.out[1]};
    }
    (axis == 0 ? grouped->rows : grouped->columns) = digits_of(*p);
    t_.dim.erase(whole);
    t_.constants.erase(p);
  }

  const Graph& g_;
  RaisedTerm t_;
  const Type& type_;
};

// x_a e_a is x[k] e_a: of what meets a unit vector on an axis of the result, its entry there.
void pick_entries(const Graph& g, RaisedTerm& t) {
  for (const Factor& p : t.constants) {
    if (g[p.tensor].kind != Kind::Place || p.labels.size() != 1 || !contains(t.out, p.labels[0])) continue;
    for (RaisedFactor& f : t.factors) {
      const size_t rank = f.labels.size(), at = size_t(std::ranges::find(f.labels, p.labels[0]) - f.labels.begin());
      if (at == rank || rank > 2 || has_repeats(f.labels)) continue;
      std::vector<Expr> indices(rank, mat::range());
      indices[at] = index_of(g, p.tensor);
      f.labels.erase(f.labels.begin() + std::ptrdiff_t(at));
      const Shape shape = rank == 1 ? Shape::scalar() : at == 0 ? Shape::row(t.dim.at(f.labels[0])) : Shape::column(t.dim.at(f.labels[0]));
      f.expr = mat::slice(f.expr, indices, shape);
      if (f.expr->shape.is_row()) f.expr = transpose(f.expr);
    }
  }
}

// One stretch of an axis of a block matrix.
struct Segment {
  Extent offset, length;
  bool entry;                        // of one entry, without a label
  std::optional<DimId> dim = {};
  Extent end() const { return offset + length; }
};

// Places the segment in the row of known ones, in order; false if the order is not known or they overlap.
bool insert(std::vector<Segment>& row, const Segment& s) {
  for (size_t k = 0; k < row.size(); ++k) {
    if (row[k].offset == s.offset && row[k].length == s.length && row[k].entry == s.entry) return true;
    if ((row[k].offset - s.end()).is_size()) {
      row.insert(row.begin() + long(k), s);
      return true;
    }
    if (!(s.offset - row[k].end()).is_size()) return false;
  }
  row.push_back(s);
  return true;
}

}  // namespace

void split_diagonals(const Graph& g, RaisedTerm& t) {
  if (t.out.size() != 2 || t.out[0] != t.out[1]) return;
  const auto key = [&](const Factor& f) { return std::tuple(f.labels[0] != t.out[0] || g[f.tensor].kind != Kind::Place, f.labels.size(), g.fingerprint(f.tensor)); };
  const auto p = std::ranges::min_element(t.constants, {}, key);  // a unit vector rather than a slice
  if (p == t.constants.end() || std::get<0>(key(*p))) return;
  Factor twin = *p;
  twin.labels[0] = t.out[1] = t.dim.rbegin()->first + 1;
  t.dim[t.out[1]] = t.dim.at(t.out[0]);
  t.constants.push_back(std::move(twin));
}

std::variant<Expr, Label> raise_term(const Graph& g, RaisedTerm term, const Type& type) { return TermRaiser(g, std::move(term), type).run(); }

std::optional<Expr> raise_place(const Graph& g, NodeId place) {
  const Node& n = g[place];
  if (n.kind != Kind::Place || n.rank() > 2) return std::nullopt;
  const Expr index = index_of(g, place);
  if (n.rank() == 1) return mat::call("e", {index, mat::dimension(g, n.type[0])}, Shape::column(n.type[0]));
  return mat::slice(mat::eye(g, n.type[0]), {mat::range(), index}, Shape::matrix(n.type[0], n.type[1]));
}

std::optional<Expr> raise_blocks(const Graph& g, std::vector<SignedTerm> terms, const Type& type) {
  constexpr size_t kMostBlocks = 100;
  if (type.empty() || type.size() > 2) return std::nullopt;
  for (SignedTerm& t : terms) pick_entries(g, t.term);
  std::vector<Segment> segments[2];
  bool split[2] = {false, false};
  // The place of each term on an axis of the result.
  const auto place_on = [&](const RaisedTerm& t, size_t axis) -> const Factor* {
    const Label whole = t.out[axis];
    const auto p = std::ranges::find_if(t.constants, [&](const Factor& f) { return f.labels[0] == whole && g[f.tensor].kind == Kind::Place; });
    const bool carried = std::ranges::any_of(t.factors, [&](const RaisedFactor& f) { return contains(f.labels, whole); }) ||
                         std::ranges::count_if(t.constants, [&](const Factor& f) { return contains(f.labels, whole); }) > 1;
    return p == t.constants.end() || p->labels.size() > 2 || carried || std::ranges::count(t.out, whole) > 1 ? nullptr : &*p;
  };
  for (size_t axis = 0; axis < type.size(); ++axis) {
    size_t placed = 0;
    for (const SignedTerm& t : terms) placed += place_on(t.term, axis) != nullptr;
    if (placed == 0) continue;
    if (placed != terms.size()) return std::nullopt;
    split[axis] = true;
    for (const SignedTerm& t : terms) {
      const Factor* p = place_on(t.term, axis);
      const bool entry = p->labels.size() == 1;
      Segment s{offset_of(g, p->tensor), entry ? Extent::number(1) : Extent::of(g, g[p->tensor].type[1]), entry, {}};
      if (!entry) s.dim = g[p->tensor].type[1];
      if (!insert(segments[axis], s)) return std::nullopt;
    }
    std::vector<Segment> filled;  // what lies between is 0
    Extent at;
    const auto gap = [&](const Extent& to) {
      const Extent length = to - at;
      if (length.terms.empty()) return true;
      if (!length.is_size()) return false;
      const bool number = length.terms.size() == 1 && length.terms.begin()->first.empty();
      if (number && length.terms.begin()->second > 8) return false;
      for (int64_t k = 0; number && k < length.terms.begin()->second; ++k) filled.push_back({at + Extent::number(k), Extent::number(1), true, {}});
      if (!number) filled.push_back({at, length, false, {}});
      return true;
    };
    for (const Segment& s : segments[axis]) {
      if (!gap(s.offset)) return std::nullopt;
      filled.push_back(s);
      at = s.end();
    }
    if (!gap(Extent::of(g, type[axis]))) return std::nullopt;
    segments[axis] = std::move(filled);
  }
  if (!split[0] && !split[1]) return std::nullopt;
  const auto count = [&](size_t axis) { return split[axis] ? segments[axis].size() : 1; };
  if (count(0) * count(1) > kMostBlocks) return std::nullopt;

  std::vector<std::vector<mat::Signed>> cells(count(0) * count(1));
  for (const SignedTerm& t : terms) {
    RaisedTerm core = t.term;
    Type core_type;
    size_t index[2] = {0, 0};
    Labels out;
    bool has_rows = false;
    for (size_t axis = 0; axis < type.size(); ++axis) {
      if (!split[axis]) {
        out.push_back(t.term.out[axis]);
        core_type.push_back(type[axis]);
        has_rows = has_rows || axis == 0;
        continue;
      }
      const Factor p = *place_on(t.term, axis);
      const Extent offset = offset_of(g, p.tensor);
      index[axis] = size_t(std::ranges::find(segments[axis], offset, &Segment::offset) - segments[axis].begin());
      if (p.labels.size() == 2) out.push_back(p.labels[1]), core_type.push_back(g[p.tensor].type[1]), has_rows = has_rows || axis == 0;
      std::erase(core.constants, p);
      core.dim.erase(p.labels[0]);
    }
    core.out = out;
    auto raised = raise_term(g, std::move(core), core_type);
    if (!std::holds_alternative<Expr>(raised)) return std::nullopt;
    Expr e = std::get<Expr>(raised);
    if (out.size() == 1 && !has_rows) e = transpose(e);
    std::vector<mat::Signed>& cell = cells[index[0] * count(1) + index[1]];
    const Expr scaled = scale(abs(t.coefficient), e);
    std::vector<mat::Signed> multiplied;  // 2 + 4*x rather than 2*(1 + 2*x)
    for (size_t k = 0; e->op == mat::Op::Add && k < e->operands.size(); ++k)
      multiplied.push_back({e->negative[k] != (t.coefficient < 0), scale(abs(t.coefficient), e->operands[k])});
    if (!multiplied.empty() && mat::add(multiplied)->size < scaled->size) std::ranges::move(multiplied, std::back_inserter(cell));
    else cell.push_back({t.coefficient < 0, scaled});
  }
  std::vector<bool> tells[2] = {std::vector<bool>(count(0)), std::vector<bool>(count(1), type.size() == 1)};
  for (size_t k = 0; k < cells.size(); ++k)
    if (!cells[k].empty()) tells[0][k / count(1)] = tells[1][k % count(1)] = true;
  std::vector<Expr> blocks;
  for (size_t i = 0; i < count(0); ++i)
    for (size_t j = 0; j < count(1); ++j) {
      auto& cell = cells[i * count(1) + j];
      if (!cell.empty()) {
        blocks.push_back(mat::add(std::move(cell)));
        continue;
      }
      // A 0 is as large as the blocks beside and below it; where they are all 0, one of them tells.
      const bool row_known = tells[0][i] || (split[0] && segments[0][i].entry), column_known = tells[1][j] || (split[1] && segments[1][j].entry);
      if (!row_known || !column_known) {
        tells[0][i] = tells[1][j] = true;
        std::vector<Expr> sizes;
        for (size_t axis = 0; axis < type.size(); ++axis)
          sizes.push_back(size_expr(split[axis] ? segments[axis][axis == 0 ? i : j].length : Extent::of(g, type[axis])));
        blocks.push_back(mat::call("zeros", sizes, Shape::matrix(type[0], type.back())));
      } else {
        blocks.push_back(mat::number(0));
      }
    }
  const Shape shape = type.size() == 2 ? Shape::matrix(type[0], type[1]) : Shape::column(type[0]);
  if (blocks.size() == 1) return blocks[0]->shape == shape ? std::optional(blocks[0]) : std::nullopt;  // the entry of an axis of one is no number
  return mat::block(std::move(blocks), count(1), shape);
}

}  // namespace ricci
