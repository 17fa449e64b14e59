#include "passes/raise_product.h"

#include <algorithm>
#include <optional>
#include <set>
#include <tuple>

namespace ricci {
namespace {

using mat::diagonal;
using mat::Expr;
using mat::eye;
using mat::hadamard;
using mat::mul;
using mat::Op;
using mat::Shape;

class ProductGraph {
 public:
  ProductGraph(const Graph& g, const Labels& out, const std::map<Label, DimId>& dim) : g_(g), out_(out), dim_(dim) {
    for (auto [l, d] : dim) columns_[l];
  }

  void add_factor(const RaisedFactor& f) {
    switch (f.labels.size()) {
      case 0: scalars_.push_back(f.expr); break;
      case 1: columns_[f.labels[0]].push_back(f.expr); break;
      default: add_edge(f.labels[0], f.labels[1], f.expr);
    }
  }

  // Eliminates every summed label, fewest neighbours first; the label it stops at, if there is one.
  std::optional<Label> eliminate() {
    std::set<Label> summed;
    for (const auto& [l, d] : dim_)
      if (std::ranges::find(out_, l) == out_.end()) summed.insert(l);
    while (!summed.empty()) {
      Label a = *std::ranges::min_element(summed, [&](Label l, Label m) { return goes_before(l, m); });
      if (neighbours(a).size() > 2) return a;
      eliminate(a);
      summed.erase(a);
    }
    return std::nullopt;
  }

  // What is left stands on the labels of the rows and columns, all distinct.
  std::optional<Expr> kronecker(const Grouped& to) {
    std::optional<Expr> form = group(to.rows, to.columns, to.shape);
    const bool exchanged = !form;
    if (exchanged && !(form = group(to.columns, to.rows, to.shape.transposed()))) return std::nullopt;
    if (to.shape.is_matrix() ? exchanged : !(*form)->shape.is_scalar() && (*form)->shape != to.shape) form = transpose(*form);
    std::vector<Expr> factors = scalars_;
    factors.push_back(*form);
    return mul(factors);
  }

  // What is left stands on the labels of the result.
  Expr result() const {
    std::vector<Expr> factors = scalars_;
    if (out_.size() == 1) factors.push_back(column_or_ones(out_[0]));
    else if (out_.size() == 2 && out_[0] == out_[1]) factors.push_back(columns_.at(out_[0]).empty() ? eye(g_, dim_.at(out_[0])) : diag_matrix(column_or_ones(out_[0])));
    else if (out_.size() == 2) factors.push_back(matrix(out_[0], out_[1]));
    return mul(factors);
  }

 private:
  using Edge = std::pair<Label, Label>;  // the lower label first: its rows

  // Which of two labels is eliminated first: where their numbers of joints and columns are the same, by what the columns read.
  bool goes_before(Label a, Label b) const {
    const auto count = [&](Label l) { return std::pair(neighbours(l).size(), columns_.at(l).size()); };
    if (count(a) != count(b)) return count(a) < count(b);
    const std::optional<Expr> u = column(a), v = column(b);
    if (u && v && mat::before(*u, *v) != mat::before(*v, *u)) return mat::before(*u, *v);
    return a < b;
  }

  Labels neighbours(Label a) const {
    Labels found;
    for (const auto& [e, m] : edges_)
      if (e.first == a || e.second == a) found.push_back(e.first == a ? e.second : e.first);
    return found;
  }

  // The matrix between two joined labels, rows on `a`: entrywise products as they are or turned, whichever is shorter.
  Expr edge(Label a, Label b) const {
    const std::vector<Expr>& parts = edges_.at({std::min(a, b), std::max(a, b)});
    std::vector<Expr> turned;
    for (const Expr& m : parts) turned.push_back(transpose(m));
    const Expr low = hadamard(parts), high = hadamard(turned);
    const Expr &straight = a < b ? low : high, around = transpose(a < b ? high : low);
    return around->size < straight->size ? around : straight;
  }
  Expr take_edge(Label a, Label b) {
    Expr m = edge(a, b);
    edges_.erase({std::min(a, b), std::max(a, b)});
    return m;
  }

  void add_edge(Label a, Label b, const Expr& m) {
    if (a == b) {
      columns_[a].push_back(diagonal(m));
      return;
    }
    edges_[{std::min(a, b), std::max(a, b)}].push_back(a < b ? m : transpose(m));
  }

  std::optional<Expr> column(Label a) const {
    const std::vector<Expr>& parts = columns_.at(a);
    if (parts.empty()) return std::nullopt;
    return hadamard(parts);
  }
  Expr column_or_ones(Label a) const {
    std::optional<Expr> v = column(a);
    return v ? *v : ones(g_, Shape::column(dim_.at(a)));
  }

  void eliminate(Label a) {
    Labels next = neighbours(a);
    std::optional<Expr> v = column(a);
    if (next.empty()) {  // sum_a v_a
      scalars_.push_back(v ? mat::sum(*v) : mat::size(g_, dim_.at(a)));
    } else if (next.size() == 1) {  // sum_a M_ba v_a
      Expr m = take_edge(next[0], a);
      columns_[next[0]].push_back(v ? mul({m, *v}) : row_sums(m, a));
    } else {  // sum_a L_ba v_a R_ac
      Expr left = take_edge(next[0], a), right = take_edge(a, next[1]);
      add_edge(next[0], next[1], v ? mul({left, diag_matrix(*v), right}) : mul({left, right}));
    }
  }

  // M*ones, or diag(X*Y') if M is X.*Y and that is shorter.
  Expr row_sums(const Expr& m, Label a) const {
    Expr sums = mul({m, ones(g_, Shape::column(dim_.at(a)))});
    const bool turned = m->op == Op::Transpose;
    const Expr& core = turned ? m->operands[0] : m;
    if (core->op != Op::Hadamard || core->operands.size() != 2) return sums;
    const Expr &x = core->operands[0], &y = core->operands[1];
    Expr inner = diagonal(turned ? mul({transpose(x), y}) : mul({x, transpose(y)}));
    return inner->size < sums->size ? inner : sums;
  }

  // diag(u)*M*diag(w), or (u*w').*M where that is shorter.
  Expr matrix(Label i, Label j) const {
    std::optional<Expr> u = column(i), w = column(j);
    if (!edges_.contains({std::min(i, j), std::max(i, j)})) {
      if (!u && !w) return ones(g_, Shape::matrix(dim_.at(i), dim_.at(j)));
      return outer(column_or_ones(i), column_or_ones(j));
    }
    Expr m = edge(i, j);
    if (u && w) {
      const Expr forms[] = {mul({diag_matrix(*u), m, diag_matrix(*w)}), hadamard({outer(*u, *w), m}), transpose(hadamard({outer(*w, *u), edge(j, i)}))};
      return *std::ranges::min_element(forms, {}, [](const Expr& e) { return e->size; });
    }
    if (u) return mul({diag_matrix(*u), m});
    return w ? mul({m, diag_matrix(*w)}) : m;
  }

  bool joined(Label a, Label b) const { return edges_.contains({std::min(a, b), std::max(a, b)}); }

  // The column of all entries over two labels, the first slow: vec(M) of the matrix with the second label on its rows.
  Expr stacked(Label slow, Label fast, DimId size) const {
    if (joined(slow, fast)) return mat::vec(matrix(fast, slow), size);
    return mat::kron({column_or_ones(slow), column_or_ones(fast)}, g_, Shape::column(size));
  }

  Expr pair(Label row, Label column) const { return matrix(row, column); }

  std::optional<Expr> group(const Labels& rows, const Labels& columns, Shape shape) {
    const size_t m = rows.size(), n = columns.size();
    for (size_t i = 0; m != 2 && i < m; ++i)
      for (size_t k = i + 1; k < m; ++k)
        if (joined(rows[i], rows[k])) return std::nullopt;
    for (size_t i = 0; n != 2 && i < n; ++i)
      for (size_t k = i + 1; k < n; ++k)
        if (joined(columns[i], columns[k])) return std::nullopt;
    if (n == 0 && m == 2) return stacked(rows[0], rows[1], shape.rows);
    if (n == 0) {
      std::vector<Expr> parts;
      for (Label l : rows) parts.push_back(column_or_ones(l));
      return mat::kron(parts, g_, shape);
    }
    const auto any = [&](const auto& test) {
      for (size_t i = 0; i < m; ++i)
        for (size_t k = 0; k < n; ++k)
          if (joined(rows[i], columns[k]) && test(i, k)) return true;
      return false;
    };
    if (m == 2 && n <= 2 && !any([](size_t, size_t) { return true; })) {  // rows and columns have nothing in common
      Expr u = stacked(rows[0], rows[1], shape.rows);
      return mat::outer(u, n == 2 ? stacked(columns[0], columns[1], shape.columns) : column_or_ones(columns[0]));
    }
    if (m == n && (m > 2 || !any([](size_t i, size_t k) { return i != k; }))) {
      if (m > 2 && any([](size_t i, size_t k) { return i != k; })) return std::nullopt;
      return framed(rows, columns, shape, [&] {
        std::vector<Expr> parts;
        for (size_t k = 0; k < m; ++k) parts.push_back(pair(rows[k], columns[k]));
        return mat::kron(parts, g_, shape);
      });
    }
    if (m == 2 && n == 2) {
      const bool direct = any([](size_t i, size_t k) { return i == k; });
      return framed(rows, columns, shape, [&] {
        std::optional<Expr> straight;
        if (direct) {
          straight = mat::kron({pair(rows[0], columns[0]), pair(rows[1], columns[1])}, g_, shape);
          for (Label l : {rows[0], rows[1], columns[0], columns[1]}) columns_[l].clear();
        }
        Shape inner = Shape::matrix(shape.rows, shape.columns);
        Expr exchange = mat::call("commut", {mat::dimension(g_, dim_.at(columns[1])), mat::dimension(g_, dim_.at(columns[0]))},
                                  Shape::matrix(shape.columns, shape.columns));
        Expr crossed = mul({mat::kron({pair(rows[0], columns[1]), pair(rows[1], columns[0])}, g_, inner), exchange});
        return straight ? hadamard({*straight, crossed}) : crossed;
      });
    }
    if (m == 2 && n == 1) {
      const Label c = columns[0];
      return framed(rows, columns, shape, [&] {
        const bool first = joined(rows[0], c), second = joined(rows[1], c);
        if (!second) return mat::kron({pair(rows[0], c), column_or_ones(rows[1])}, g_, shape);
        if (!first) return mat::kron({column_or_ones(rows[0]), pair(rows[1], c)}, g_, shape);
        Expr upper = pair(rows[0], c);
        columns_[c].clear();
        const Expr ones_0 = ones(g_, Shape::column(dim_.at(rows[0]))), ones_1 = ones(g_, Shape::column(dim_.at(rows[1])));
        return hadamard({mat::kron({upper, ones_1}, g_, shape), mat::kron({ones_0, pair(rows[1], c)}, g_, shape)});  // Khatri-Rao
      });
    }
    return std::nullopt;
  }

  // diag(vec(Y))*...*diag(vec(Z)) for an edge Y between the two row labels and Z between the two column labels.
  template <class F>
  Expr framed(const Labels& rows, const Labels& columns, Shape shape, const F& inside) {
    const auto frame = [&](const Labels& two, DimId size) -> std::optional<Expr> {
      if (two.size() != 2 || !joined(two[0], two[1])) return std::nullopt;
      return mat::diag_matrix(mat::vec(take_edge(two[1], two[0]), size));
    };
    const std::optional<Expr> left = frame(rows, shape.rows), right = frame(columns, shape.columns);
    std::vector<Expr> chain;
    if (left) chain.push_back(*left);
    chain.push_back(inside());
    if (right) chain.push_back(*right);
    return mul(chain);
  }

  const Graph& g_;
  const Labels& out_;
  const std::map<Label, DimId>& dim_;
  std::vector<Expr> scalars_;
  std::map<Label, std::vector<Expr>> columns_;
  std::map<Edge, std::vector<Expr>> edges_;  // entrywise factors
};

}  // namespace

std::variant<Expr, Label> raise_grouped(const Graph& graph, std::vector<RaisedFactor> factors, const Grouped& grouped, std::map<Label, DimId> dim) {
  Grouped to = grouped;
  Labels out;
  Label fresh = dim.empty() ? 0 : dim.rbegin()->first + 1;
  for (Labels* side : {&to.rows, &to.columns})  // a label that stands twice is a label of its own joined by the identity
    for (Label& l : *side) {
      if (std::ranges::find(out, l) != out.end()) {
        dim[fresh] = dim.at(l);
        factors.push_back({eye(graph, dim.at(l)), {l, fresh}});
        l = fresh++;
      }
      out.push_back(l);
    }
  ProductGraph product(graph, out, dim);
  for (const RaisedFactor& f : factors) product.add_factor(f);
  if (std::optional<Label> stuck = product.eliminate()) return *stuck;
  if (std::optional<Expr> form = product.kronecker(to)) return *form;
  return to.rows.empty() ? to.columns[0] : to.rows[0];
}

std::variant<Expr, Label> raise_product(const Graph& graph, const std::vector<RaisedFactor>& factors, const Labels& out,
                                        const std::map<Label, DimId>& dim) {
  ProductGraph product(graph, out, dim);
  for (const RaisedFactor& f : factors) product.add_factor(f);
  if (std::optional<Label> stuck = product.eliminate()) return *stuck;
  return product.result();
}

}  // namespace ricci
