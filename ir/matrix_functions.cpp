// Functions of matrix expressions whose arguments have simpler forms: ones, eye, diag, sum, tr, inner and outer products, inv, det.
#include <algorithm>
#include <numeric>
#include <optional>

#include "ir/functions.h"
#include "ir/matrix_node.h"

namespace ricci::mat {
namespace {

// A chain of matrix products, or the expression itself.
std::vector<Expr> chain_of(const Expr& e) {
  if (e->op == Op::Mul && !e->operands[0]->shape.is_scalar()) return e->operands;
  return {e};
}

// Sign, coefficient and scalars of a product before its chain (1 if there are none), and the chain.
std::pair<Expr, Expr> split_scalars(const Expr& e) {
  if (e->is_negated()) {
    auto [s, rest] = split_scalars(e->operands[0]);
    return {negate(s), rest};
  }
  if (e->op == Op::Divide) {
    auto [s, rest] = split_scalars(e->operands[0]);
    return {divide(s, e->operands[1]), rest};
  }
  if (e->op != Op::Mul || !e->operands[0]->shape.is_scalar()) return {number(1), e};
  std::vector<Expr> scalars, chain;
  for (const Expr& c : e->operands) (c->shape.is_scalar() ? scalars : chain).push_back(c);
  return {mul(scalars), mul(chain)};
}

// Factors that are a transposed product: (A*x)'*x needs brackets where x'*A*x needs none.
long transposed_products(const Expr& e) {
  return std::ranges::count_if(e->operands, [](const Expr& f) { return f->op == Op::Transpose && f->operands[0]->op == Op::Mul; });
}

bool prefer(const Expr& a, const Expr& b) {
  if (a->size != b->size) return a->size < b->size;
  if (long x = transposed_products(a), y = transposed_products(b); x != y) return x < y;
  return before(a, b);
}

}  // namespace

Expr make_call(std::string function, std::vector<Expr> arguments, Shape shape, bool symmetric, bool entrywise) {
  Node n(Op::Call, shape);
  n.name = std::move(function);
  n.operands = std::move(arguments);
  n.symmetric = symmetric;
  n.entrywise = entrywise;
  return make(std::move(n));
}

bool is_ones(const Expr& e) { return e->calls("ones") || (e->op == Op::Transpose && e->operands[0]->calls("ones")); }
bool is_eye(const Expr& e) { return e->calls("eye"); }

Expr dimension(const Graph& g, DimId d) {
  const Dim& dim = g[d];
  if (dim.kind == Dim::Kind::Fixed) return number(Rational(long(dim.size)));
  return name(g.spell(d), Shape::scalar());
}

Expr size(const Graph& g, DimId d) {
  if (g.spell_number(d) == g.spell(d)) return dimension(g, d);
  return make_call("sum", {make_call("ones", {dimension(g, d)}, Shape::column(d))}, Shape::scalar());
}

namespace {
Expr filled(const Graph& g, const char* function, Shape shape) {
  switch (shape.kind) {
    case Shape::Kind::Scalar: return number(function[0] == 'o' ? 1 : 0);
    case Shape::Kind::Column: return make_call(function, {dimension(g, shape.rows)}, shape);
    case Shape::Kind::Row: return transpose(filled(g, function, shape.transposed()));
    case Shape::Kind::Matrix:
      return make_call(function, {dimension(g, shape.rows), dimension(g, shape.columns)}, shape, shape.rows == shape.columns);
  }
  return number(0);
}
}  // namespace

Expr ones(const Graph& g, Shape shape) { return filled(g, "ones", shape); }
Expr zeros(const Graph& g, Shape shape) { return filled(g, "zeros", shape); }
Expr eye(const Graph& g, DimId n) { return make_call("eye", {dimension(g, n)}, Shape::matrix(n, n), true); }

Expr diag_matrix(const Expr& column) {
  DimId n = column->shape.rows;
  auto [s, v] = split_scalars(column);
  if (column->calls("ones")) return make_call("eye", column->operands, Shape::matrix(n, n), true);
  return mul({s, make_call("diag", {v}, Shape::matrix(n, n), true)});
}

// diag(f(M)) as f(diag(M)), for what acts entry by entry.
static std::optional<Expr> entrywise_diagonal(const Expr& m) {
  const auto part = [](const Expr& e) { return e->shape.is_scalar() ? e : diagonal(e); };
  switch (m->op) {
    case Op::Hadamard: {
      std::vector<Expr> factors;
      for (const Expr& f : m->operands) factors.push_back(diagonal(f));
      return hadamard(factors);
    }
    case Op::ElementwiseDivide: return elementwise_divide(diagonal(m->operands[0]), diagonal(m->operands[1]));
    case Op::ElementwisePower: return elementwise_power(diagonal(m->operands[0]), part(m->operands[1]));
    case Op::Call: {
      if (!m->entrywise) return std::nullopt;
      std::vector<Expr> arguments;
      for (const Expr& a : m->operands) arguments.push_back(part(a));
      return map_call(m->name, std::move(arguments), Shape::column(m->shape.rows));
    }
    default: return std::nullopt;
  }
}

Expr diagonal(const Expr& matrix) {
  Shape shape = Shape::column(matrix->shape.rows);
  auto [s, m] = split_scalars(matrix);
  if (m->calls("diag") && m->operands[0]->shape.is_column()) return mul({s, m->operands[0]});
  if (is_eye(m)) return mul({s, make_call("ones", m->operands, shape)});
  if (is_ones(m)) return mul({s, make_call("ones", {(m->op == Op::Transpose ? m->operands[0] : m)->operands[0]}, shape)});
  if (m->transposed_size < m->size) m = transpose(m);
  Expr outside = make_call("diag", {m}, shape);
  if (auto inside = entrywise_diagonal(m); inside && (*inside)->size <= outside->size) outside = *inside;
  return mul({s, outside});
}

Expr sum(const Expr& e) {
  if (e->shape.is_scalar()) return e;
  auto [s, v] = split_scalars(e);
  std::vector<Expr> chain = chain_of(v);
  while (chain.size() > 1 && is_ones(chain.back())) chain.pop_back();  // sum(A*ones(n)) = sum(A)
  while (chain.size() > 1 && is_ones(chain.front())) chain.erase(chain.begin());
  v = mul(chain);
  if (v->calls("diag") && v->operands[0]->shape.is_matrix()) return mul({s, trace(v->operands[0])});
  if (v->calls("diag") || v->op == Op::Transpose) v = v->operands[0];
  if (v->calls("ones") || v->calls("eye")) {
    std::vector<Expr> factors = v->operands;
    factors.push_back(s);
    return mul(factors);
  }
  if (v->op == Op::ElementwisePower && v->operands[1]->is_number(2)) {  // a sum of squares
    const Expr& u = v->operands[0];
    if (u->shape.is_matrix()) return mul({s, power(call("norm2", {u}, Shape::scalar()), number(2))});
    return mul({s, inner(u->shape.is_row() ? transpose(u) : u, u->shape.is_row() ? transpose(u) : u)});
  }
  if (v->op == Op::Hadamard && v->shape.is_matrix() && v->operands.size() == 2) {  // sum(A.*B) = tr(A'*B)
    Expr entrywise = make_call("sum", {v}, Shape::scalar()), cyclic = trace(mul({transpose(v->operands[0]), v->operands[1]}));
    return mul({s, cyclic->size < entrywise->size ? cyclic : entrywise});
  }
  if (v->op == Op::Hadamard && v->shape.is_column()) {  // sum(u.*v) = u'*v
    std::vector<Expr> rest(v->operands.begin() + 1, v->operands.end());
    return mul({s, inner(v->operands[0], hadamard(rest))});
  }
  if (v->transposed_size < v->size) v = transpose(v);
  return mul({s, make_call("sum", {v}, Shape::scalar())});
}

Expr inner(const Expr& u, const Expr& v) {
  if (is_ones(u)) return sum(v);
  if (is_ones(v)) return sum(u);
  Expr a = mul({transpose(u), v}), b = mul({transpose(v), u});
  if (!(u == v)) return prefer(b, a) ? b : a;
  Expr square = power(call("norm2", {u}, Shape::scalar()), number(2));
  return square->size < a->size ? square : a;
}

Expr kron(const std::vector<Expr>& factors, const Graph& g, Shape shape) {
  std::vector<Expr> scalars, rest;
  for (const Expr& f : factors) {
    auto [s, m] = split_scalars(f);
    scalars.push_back(s);
    rest.push_back(m);
  }
  const bool unit = std::ranges::all_of(rest, is_eye), filled = std::ranges::all_of(rest, [](const Expr& e) { return e->calls("ones"); });
  scalars.push_back(unit ? eye(g, shape.rows) : filled ? ones(g, shape) : make_call("kron", std::move(rest), shape));
  return mul(scalars);
}

Expr vec(const Expr& matrix, DimId size) {
  auto [s, m] = split_scalars(matrix);
  return mul({s, make_call("vec", {m}, Shape::column(size))});
}

Expr cross(const Expr& a, const Expr& b) {
  auto [s, u] = split_scalars(a);
  auto [t, v] = split_scalars(b);
  return mul({s, t, make_call("cross", {u, v}, a->shape)});
}

Expr range() { return make(Op::Range, Shape::scalar(), {}); }
Expr range(const Expr& first, const Expr& last) { return make(Op::Range, Shape::scalar(), {first, last}); }

Expr slice(const Expr& tensor, const std::vector<Expr>& indices, Shape shape) {
  std::vector<Expr> operands = {tensor};
  operands.insert(operands.end(), indices.begin(), indices.end());
  return make(Op::Slice, shape, std::move(operands));
}

namespace {

// The sizes of the lines, rows or columns, of a grid of blocks; nothing for a line of one entry. What is no grid is one of one block.
using Lines = std::vector<std::optional<DimId>>;

std::optional<Lines> lines_of(const Expr& grid, bool rows) {
  const bool single = grid->op != Op::Block;
  const size_t columns = single ? 1 : grid->columns, count = single ? 1 : rows ? grid->operands.size() / columns : columns;
  Lines lines(count);
  for (size_t k = 0; k < (single ? 1 : grid->operands.size()); ++k) {
    const Expr& b = single ? grid : grid->operands[k];
    if (b->calls("zeros")) return std::nullopt;  // those of a block say no more than that they fill it
    if (b->shape.is_matrix() || (rows ? b->shape.is_column() : b->shape.is_row())) lines[rows ? k / columns : k % columns] = rows ? b->shape.rows : b->shape.columns;
  }
  return lines;
}

// Those of the i-th row (or column) of a grid of grids, if they all agree. The number 0 is as large as what is beside it.
std::optional<Lines> parts(const std::vector<Expr>& blocks, size_t columns, size_t i, bool rows) {
  std::optional<Lines> found;
  const size_t count = rows ? columns : blocks.size() / columns;
  bool fills = false;
  for (size_t k = 0; k < count; ++k) {
    const Expr& b = rows ? blocks[i * columns + k] : blocks[k * columns + i];
    if (b->is_number(0)) {
      fills = true;
      continue;
    }
    const std::optional<Lines> own = lines_of(b, rows);
    if (!own || (found && *own != *found)) return std::nullopt;
    found = own;
  }
  if (fills && found && found->size() > 1) return std::nullopt;
  return found ? found : Lines(1);
}

// A grid of grids whose lines agree is one grid.
std::optional<std::pair<std::vector<Expr>, size_t>> joined(const std::vector<Expr>& blocks, size_t columns) {
  if (std::ranges::none_of(blocks, [](const Expr& e) { return e->op == Op::Block; })) return std::nullopt;
  std::vector<size_t> heights, widths;
  for (size_t i = 0; i < blocks.size() / columns + columns; ++i) {
    const bool rows = i >= columns;
    const std::optional<Lines> lines = parts(blocks, columns, rows ? i - columns : i, rows);
    if (!lines) return std::nullopt;
    (rows ? heights : widths).push_back(lines->size());
  }
  std::vector<Expr> flat;
  size_t width = 0;
  for (size_t w : widths) width += w;
  for (size_t i = 0; i < heights.size(); ++i)
    for (size_t r = 0; r < heights[i]; ++r)
      for (size_t j = 0; j < columns; ++j)
        for (size_t c = 0; c < widths[j]; ++c) {
          const Expr& b = blocks[i * columns + j];
          flat.push_back(b->op == Op::Block ? b->operands[r * widths[j] + c] : b);
        }
  return std::pair(std::move(flat), width);
}

// [0, 2, 0] is a row and no matrix of one row; of what has rows and columns itself it is a matrix.
bool reads_as_vector(const std::vector<Expr>& blocks, size_t columns) {
  const bool row = blocks.size() == columns, column = columns == 1;
  return (row && std::ranges::none_of(blocks, [](const Expr& e) { return e->shape.is_matrix() || e->shape.is_column(); })) ||
         (column && std::ranges::none_of(blocks, [](const Expr& e) { return e->shape.is_matrix() || e->shape.is_row(); }));
}

}  // namespace

Expr block(std::vector<Expr> blocks, size_t columns, Shape shape) {
  if (auto flat = joined(blocks, columns)) return block(std::move(flat->first), flat->second, shape);
  if (shape.is_matrix() && reads_as_vector(blocks, columns)) {  // a matrix of one row: ones(1)*[0, 2, 0]
    const bool row = blocks.size() == columns;
    const DimId one = row ? shape.rows : shape.columns;
    const Expr unit = make_call("ones", {number(1)}, Shape::column(one)), vector = block(std::move(blocks), columns, row ? Shape::row(shape.columns) : Shape::column(shape.rows));
    return row ? mul({unit, vector}) : mul({vector, transpose(unit)});
  }
  Node n(Op::Block, shape);
  n.operands = std::move(blocks);
  n.columns = uint32_t(columns);
  return make(std::move(n));
}

namespace {
std::vector<Expr> reversed_transposes(const std::vector<Expr>& chain) {
  std::vector<Expr> out;
  for (size_t i = chain.size(); i-- > 0;) out.push_back(transpose(chain[i]));
  return out;
}
}  // namespace

Expr outer(const Expr& u, const Expr& w) {
  const Expr closed = mul({u, transpose(w)});
  if (w->op != Op::Mul) return closed;
  std::vector<Expr> factors = reversed_transposes(w->operands);  // A*ones(n)*(B*ones(m))' is A*ones(n, m)*B'
  factors.insert(factors.begin(), u);
  const Expr opened = mul(factors);
  return opened->size < closed->size ? opened : closed;
}

// Of all rotations of the chain and of its transpose, the shortest; u*v' inside makes it an inner product.
Expr trace(const Expr& matrix) {
  if (matrix->op == Op::Add && matrix->is_negated()) return negate(trace(matrix->operands[0]));
  auto [s, m] = split_scalars(matrix);
  if (m->calls("diag")) return mul({s, sum(m->operands[0])});
  if (is_eye(m)) return mul({s, m->operands[0]});
  std::vector<Expr> chain;
  for (const Expr& e : chain_of(m)) {
    std::vector<Expr> part = {e};
    if (e->op == Op::Transpose && e->operands[0]->op == Op::Mul) part = reversed_transposes(chain_of(e->operands[0]));
    chain.insert(chain.end(), part.begin(), part.end());
  }
  auto row = std::ranges::find_if(chain, [](const Expr& e) { return e->shape.is_row(); });
  if (row != chain.end()) {
    std::ranges::rotate(chain, row);
    return mul({s, mul(chain)});
  }
  if (chain.size() == 2 && chain[0] == transpose(chain[1])) {
    const Expr& plain = chain[1]->transposed_size < chain[1]->size ? chain[0] : chain[1];
    return mul({s, power(call("norm2", {plain}, Shape::scalar()), number(2))});
  }
  std::optional<Expr> entrywise;
  if (chain.size() == 2) {  // tr(A*B') = sum(A.*B)
    const Expr product = hadamard({chain[0], transpose(chain[1])});
    entrywise = make_call("sum", {product->transposed_size < product->size ? transpose(product) : product}, Shape::scalar());
  }
  std::optional<Expr> best;
  for (size_t k = 0; k < chain.size() && chain.size() <= 32; ++k) {
    std::ranges::rotate(chain, chain.begin() + 1);
    for (const Expr& e : {mul(chain), mul(reversed_transposes(chain))})
      if (!best || prefer(e, *best)) best = e;
  }
  const Expr cyclic = make_call("tr", {best ? *best : m}, Shape::scalar());
  return mul({s, entrywise && (*entrywise)->size < cyclic->size ? *entrywise : cyclic});
}

Expr call(std::string function, std::vector<Expr> arguments, Shape shape, bool symmetric) {
  if (arguments.size() == 1 && arguments[0]->shape.is_matrix() && !arguments[0]->is_symmetric() &&
      arguments[0]->transposed_size < arguments[0]->size) {
    Expr turned = transpose(arguments[0]);
    const auto op = find_function(function);
    if (op && row(*op).core.in == 2 && shape.is_matrix() && !row(*op).transposed.empty())
      return transpose(make_call(std::string(row(*op).transposed), {turned}, shape.transposed()));
    if (shape.is_scalar()) arguments[0] = turned;  // det, tr, norm2: the same for the transpose
  }
  if (shape.is_scalar() && arguments.size() == 1 && arguments[0]->calls("vec")) arguments[0] = arguments[0]->operands[0];  // max(vec(X)): of all entries
  if (function == "norm2" && arguments[0]->is_negated()) arguments[0] = arguments[0]->operands[0];
  return make_call(std::move(function), std::move(arguments), shape, symmetric);
}

Expr map_call(std::string function, std::vector<Expr> arguments, Shape shape) {
  const auto size = [&](auto member) { return std::accumulate(arguments.begin(), arguments.end(), size_t{0}, [&](size_t s, const Expr& e) { return s + (*e).*member; }); };
  const bool turns = shape.is_matrix() && size(&Node::transposed_size) < size(&Node::size);  // tanh(X') is tanh(X)'
  if (turns) std::ranges::transform(arguments, arguments.begin(), transpose);
  const Expr mapped = make_call(std::move(function), std::move(arguments), turns ? shape.transposed() : shape, false, true);
  return turns ? transpose(mapped) : mapped;
}

Expr undeclared_call(std::string function, std::vector<Expr> arguments, Shape shape) {
  Node n(Op::Call, shape);
  n.name = std::move(function);
  n.operands = std::move(arguments);
  n.undeclared = true;
  return make(std::move(n));
}

}  // namespace ricci::mat
