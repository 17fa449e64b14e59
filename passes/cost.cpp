#include "passes/cost.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>

#include "passes/plan_order.h"
#include "passes/plan_views.h"

namespace ricci {
namespace {

// The sum over `parts` or their product, for dimensions made of others. Dimensions nest a level or two, by construction.
template <class T, class Leaf>
T fold(const Graph& g, DimId d, const Leaf& leaf) {
  const Dim& dim = g[d];
  switch (dim.kind) {
    case Dim::Kind::Symbol: return leaf(d);
    case Dim::Kind::Fixed: return T(double(dim.size));
    case Dim::Kind::Product: {
      T r(1.0);
      for (DimId p : dim.parts) r = r * fold<T>(g, p, leaf);
      return r;
    }
    case Dim::Kind::Sum: {
      T r(0.0);
      for (DimId p : dim.parts) r += fold<T>(g, p, leaf);
      return r;
    }
  }
  std::abort();
}

double elements(const Graph& g, const Type& type, const Sizes& sizes) {
  double r = 1;
  for (DimId d : type) r *= sizes(g, d);
  return r;
}

}  // namespace

double Sizes::operator()(const Graph& g, DimId d) const {
  if (auto it = known.find(d); it != known.end()) return double(it->second);
  return fold<double>(g, d, [&](DimId symbol) {
    auto it = known.find(symbol);
    return it == known.end() ? assumed : double(it->second);
  });
}

Polynomial Polynomial::size(const Graph& g, std::span<const DimId> type) {
  Polynomial r(1);
  for (DimId d : type) {
    r = r * fold<Polynomial>(g, d, [](DimId symbol) {
          Polynomial p;
          p.add({symbol}, 1);
          return p;
        });
  }
  return r;
}

void Polynomial::add(std::vector<DimId> monomial, double coefficient) {
  if (coefficient == 0) return;
  auto [it, fresh] = terms_.try_emplace(std::move(monomial), coefficient);
  if (!fresh && (it->second += coefficient) == 0) terms_.erase(it);
}

Polynomial& Polynomial::operator+=(const Polynomial& other) {
  for (const auto& [monomial, c] : other.terms_) add(monomial, c);
  return *this;
}

Polynomial operator*(const Polynomial& a, const Polynomial& b) {
  Polynomial r;
  for (const auto& [ma, ca] : a.terms_) {
    for (const auto& [mb, cb] : b.terms_) {
      std::vector<DimId> m;
      std::ranges::merge(ma, mb, std::back_inserter(m));
      r.add(std::move(m), ca * cb);
    }
  }
  return r;
}

double Polynomial::at(const Graph& g, const Sizes& sizes) const {
  double r = 0;
  for (const auto& [monomial, c] : terms_) r += c * elements(g, monomial, sizes);
  return r;
}

std::string Polynomial::spell(const Graph& g) const {
  std::vector<std::pair<std::vector<DimId>, double>> sorted(terms_.begin(), terms_.end());
  std::ranges::sort(sorted, [](const auto& a, const auto& b) {
    return a.first.size() != b.first.size() ? a.first.size() > b.first.size() : a.first < b.first;
  });
  std::string text;
  for (const auto& [monomial, c] : sorted) {
    text += text.empty() ? (c < 0 ? "-" : "") : (c < 0 ? " - " : " + ");
    std::string body;
    if (std::abs(c) != 1 || monomial.empty()) body = fmt::format("{:.12g}", std::abs(c));
    for (size_t i = 0; i < monomial.size();) {
      size_t j = i;
      while (j < monomial.size() && monomial[j] == monomial[i]) ++j;
      if (!body.empty()) body += '*';
      body += g.spell(monomial[i]);
      if (j - i > 1) body += fmt::format("^{}", j - i);
      i = j;
    }
    text += body;
  }
  return text.empty() ? "0" : text;
}

Cost& Cost::operator+=(const Cost& other) {
  flops += other.flops;
  bytes += other.bytes;
  arrays += other.arrays;
  return *this;
}

Polynomial factorisation_flops(const Graph& g, DimId n, bool cholesky) {
  return Polynomial(cholesky ? 1.0 / 3 : 2.0 / 3) * Polynomial::size(g, Type{n, n, n});
}
Polynomial solve_flops(const Graph& g, DimId n, const Polynomial& columns) {
  return Polynomial(2) * Polynomial::size(g, Type{n, n}) * columns;
}
Polynomial inversion_flops(const Graph& g, DimId n) { return Polynomial(4.0 / 3) * Polynomial::size(g, Type{n, n, n}); }

namespace {

Polynomial function_flops(const Graph& g, const Node& node) {
  const Type& type = g[node.operands[0]].type;
  const FunctionRow& f = row(node.fun_op());
  if (f.core.in < 2) return Polynomial(f.weight) * Polynomial::size(g, type);
  if (f.cubes == 0) return Polynomial::size(g, type);
  Type cube = type;  // of an oblong matrix m*n*n, n the columns
  cube.push_back(type.back());
  return Polynomial(f.cubes) * Polynomial::size(g, cube);
}

// Operations of a product, in the order found at `sizes`, as a polynomial. Places are addresses: what they join is computed over their digits.
Polynomial product_flops(const Graph& g, NodeId n, const Sizes& sizes) {
  TensorNetwork p;
  std::map<Label, DimId> dims;
  Labels result = g.out(n);
  for (const Factor& f : g.factors(n)) {
    if (g[f.tensor].kind == Kind::Place) {
      result.insert(result.end(), f.labels.begin(), f.labels.end());
      continue;
    }
    for (size_t i = 0; i < f.labels.size(); ++i) dims.emplace(f.labels[i], g[f.tensor].type[i]);
    p.factors.push_back(f.labels);
  }
  for (const auto& [label, d] : dims) p.sizes[label] = sizes(g, d);
  for (Label l : result) {
    if (dims.contains(l) && std::ranges::find(p.out, l) == p.out.end()) p.out.push_back(l);
  }
  std::vector<Labels> tensors = p.factors;
  Polynomial flops;
  for (const Contraction& c : contraction_order(p).contractions) {
    Labels all = tensors[size_t(c.left)];
    if (c.right >= 0) all.insert(all.end(), tensors[size_t(c.right)].begin(), tensors[size_t(c.right)].end());
    std::ranges::sort(all);
    all.erase(std::ranges::unique(all).begin(), all.end());
    Type type;
    for (Label l : all) type.push_back(dims.at(l));
    const bool sums = all.size() > c.out.size();
    flops += Polynomial(c.right >= 0 && sums ? 2 : 1) * Polynomial::size(g, type);
    tensors.push_back(c.out);
  }
  return flops;
}

double map_operations(const Graph& g, NodeId n) {
  const Node& node = g[n];
  const double weight = row(node.map_op()).weight;
  if (node.map_op() != MapOp::pow_ || g[node.operands[1]].kind != Kind::Const) return weight;
  const std::optional<long> twice = as_long(2 * g[node.operands[1]].value());
  if (!twice || std::labs(*twice) > 64) return weight;
  const unsigned long whole = static_cast<unsigned long>(std::labs(*twice)) / 2;
  double operations = (*twice % 2 != 0 ? 1 : 0) + (*twice < 0 ? 1 : 0);  // a square root, a division
  if (whole > 0) operations += std::bit_width(whole) + std::popcount(whole) - 2 + (*twice % 2 != 0 ? 1 : 0);
  return operations;
}

// A coefficient is multiplied in where that takes least: a product has room for it, a number is another number, and what a view reads may be less
// than what it writes.
Polynomial coefficient_flops(const Graph& g, const Term& t, const Polynomial& elements, const Sizes& sizes) {
  if (abs(t.coefficient) == 1) return {};
  const std::optional<View> v = find_view(g, t.tensor);
  const NodeId scaled = v && v->base ? *v->base : t.tensor;
  const Kind kind = g[scaled].kind;
  if (kind == Kind::Ein || kind == Kind::Const || kind == Kind::Place) return {};
  const Polynomial read = Polynomial::size(g, g[scaled].type);
  return read.at(g, sizes) < elements.at(g, sizes) ? read : elements;
}

// Numbers where places say and zero elsewhere, as those of a permutation symbol are: written down and not computed.
bool is_written_down(const Graph& g, NodeId n) {
  const std::optional<View> v = find_view(g, n);
  return v && !v->base;
}

Polynomial coefficients_flops(const Graph& g, NodeId n, const Polynomial& elements, const Sizes& sizes) {
  Polynomial flops;
  for (const Term& t : g.terms(n)) flops += coefficient_flops(g, t, elements, sizes);
  return flops;
}

Polynomial sum_flops(const Graph& g, NodeId n, const Polynomial& elements, const Sizes& sizes) {
  if (std::ranges::all_of(g[n].operands, [&](NodeId o) { return is_written_down(g, o); })) return {};
  return Polynomial(double(g[n].operands.size()) - 1) * elements + coefficients_flops(g, n, elements, sizes);
}

}  // namespace

Polynomial scaling_flops(const Graph& g, NodeId n, const Sizes& sizes) { return coefficients_flops(g, n, Polynomial::size(g, g[n].type), sizes); }

Polynomial entry_flops(const Graph& g, NodeId n, std::span<const DimId> space, const Sizes& sizes) {
  const Polynomial elements = Polynomial::size(g, space);
  switch (g[n].kind) {
    case Kind::Ein: return Polynomial(std::max(0.0, double(g[n].operands.size()) - 1)) * elements;
    case Kind::Sum: return sum_flops(g, n, elements, sizes);
    default: return Polynomial(map_operations(g, n)) * elements;
  }
}

Polynomial node_flops(const Graph& g, NodeId n, const Sizes& sizes) {
  const Node& node = g[n];
  switch (node.kind) {
    case Kind::Const:
    case Kind::Size:
    case Kind::Var:
    case Kind::Place:
    case Kind::Epsilon: return {};
    case Kind::Sum:
    case Kind::Map: return entry_flops(g, n, node.type, sizes);
    case Kind::Ein: return product_flops(g, n, sizes);
    case Kind::Fun: return function_flops(g, node);
    case Kind::Call: return Polynomial::size(g, node.type);
  }
  std::abort();
}

Cost cost_as_grouped(const Graph& g, std::span<const NodeId> outputs, const Sizes& sizes) {
  Cost cost;
  for (NodeId n : g.reachable(outputs)) {
    const Node& node = g[n];
    if (node.kind == Kind::Const || node.kind == Kind::Size) continue;
    cost.flops += node_flops(g, n, sizes);
    cost.bytes += Polynomial(8) * Polynomial::size(g, node.type);
    if (node.kind == Kind::Var) continue;
    ++cost.arrays;
    for (NodeId o : node.operands) cost.bytes += Polynomial(8) * Polynomial::size(g, g[o].type);
  }
  return cost;
}

}  // namespace ricci
