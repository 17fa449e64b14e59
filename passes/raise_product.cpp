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
      Label a = *std::ranges::min_element(summed, {}, [&](Label l) { return std::tuple(neighbours(l).size(), columns_[l].size(), l); });
      if (neighbours(a).size() > 2) return a;
      eliminate(a);
      summed.erase(a);
    }
    return std::nullopt;
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

  Labels neighbours(Label a) const {
    Labels found;
    for (const auto& [e, m] : edges_)
      if (e.first == a || e.second == a) found.push_back(e.first == a ? e.second : e.first);
    return found;
  }

  // The matrix between two joined labels, rows on `a`.
  Expr edge(Label a, Label b) const { return a < b ? edges_.at({a, b}) : transpose(edges_.at({b, a})); }
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
    Expr oriented = a < b ? m : transpose(m);
    auto [it, first] = edges_.try_emplace({std::min(a, b), std::max(a, b)}, oriented);
    if (!first) it->second = hadamard({it->second, oriented});
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
      scalars_.push_back(v ? mat::sum(*v) : mat::dimension(g_, dim_.at(a)));
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
    if (m->op != Op::Hadamard || m->operands.size() != 2) return sums;
    Expr inner = diagonal(mul({m->operands[0], transpose(m->operands[1])}));
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
      Expr entrywise = hadamard({outer(*u, *w), m}), scaled = mul({diag_matrix(*u), m, diag_matrix(*w)});
      return entrywise->size < scaled->size ? entrywise : scaled;
    }
    if (u) return mul({diag_matrix(*u), m});
    return w ? mul({m, diag_matrix(*w)}) : m;
  }

  const Graph& g_;
  const Labels& out_;
  const std::map<Label, DimId>& dim_;
  std::vector<Expr> scalars_;
  std::map<Label, std::vector<Expr>> columns_;
  std::map<Edge, Expr> edges_;
};

}  // namespace

std::variant<Expr, Label> raise_product(const Graph& graph, const std::vector<RaisedFactor>& factors, const Labels& out,
                                        const std::map<Label, DimId>& dim) {
  ProductGraph product(graph, out, dim);
  for (const RaisedFactor& f : factors) product.add_factor(f);
  if (std::optional<Label> stuck = product.eliminate()) return *stuck;
  return product.result();
}

}  // namespace ricci
