#include "passes/spectrum.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "ir/sample.h"

namespace ricci {
namespace {

using scalar::fabs;
using scalar::sqrt;

constexpr double kLargest = 1e15;  // beyond it a derivative is the rounding of a pole

// An orthonormal basis of the directions in which a variable may move.
std::vector<Array<Quad>> directions(const Symbol& symbol, const std::vector<int64_t>& shape) {
  std::vector<Array<Quad>> basis;
  const int64_t count = Array<Quad>::count(shape);
  const Properties p = symbol.properties;
  auto add = [&](std::initializer_list<std::pair<int64_t, Quad>> entries) {
    Array<Quad> d(shape);
    Quad norm = 0;
    for (auto [k, v] : entries) norm += v * v;
    for (auto [k, v] : entries) d.data[size_t(k)] = v / sqrt(norm);
    basis.push_back(std::move(d));
  };
  if (shape.size() == 1 && p.has(Property::simplex)) {  // Helmert's: of sum 0
    for (int64_t k = 1; k < count; ++k) {
      Array<Quad> d(shape);
      const Quad norm = sqrt(Quad(k) * Quad(k + 1));
      for (int64_t i = 0; i < k; ++i) d.data[size_t(i)] = 1 / norm;
      d.data[size_t(k)] = -Quad(k) / norm;
      basis.push_back(std::move(d));
    }
    return basis;
  }
  if (shape.size() == 2 && shape[0] == shape[1]) {
    const int64_t n = shape[0];
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = 0; j < n; ++j) {
        if ((p.has(Property::diagonal) && i != j) || (p.has(Property::lower) && j > i) || (p.has(Property::upper) && j < i)) continue;
        if (p.has(Property::symmetric) && j > i) add({{i * n + j, 1}, {j * n + i, 1}});
        else if (p.has(Property::skew) && j > i) add({{i * n + j, 1}, {j * n + i, -1}});
        else if (i == j ? !p.has(Property::skew) : !p.has(Property::symmetric) && !p.has(Property::skew)) add({{i * n + j, 1}});
      }
    return basis;
  }
  for (int64_t k = 0; k < count; ++k) add({{k, 1}});
  return basis;
}

}  // namespace

bool is_cone(Properties p) {
  using enum Property;
  return std::ranges::none_of(std::initializer_list{unit, simplex, onehot, sign, contraction, orthogonal}, [&](Property q) { return p.has(q); });
}

std::vector<Quad> eigenvalues(Array<Quad> a, Array<Quad>& v) {
  const int64_t n = a.shape[0];
  v = Array<Quad>({n, n});
  auto at = [n](Array<Quad>& m, int64_t i, int64_t j) -> Quad& { return m.data[size_t(i * n + j)]; };
  for (int64_t i = 0; i < n; ++i) at(v, i, i) = 1;
  for (int sweep = 0; sweep < 60; ++sweep) {
    Quad off = 0, all = 0;
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = 0; j < n; ++j) (i == j ? all : off) += at(a, i, j) * at(a, i, j);
    if (off <= (all + off) * Quad(1e-60)) break;
    for (int64_t p = 0; p < n; ++p)
      for (int64_t q = p + 1; q < n; ++q) {
        if (at(a, p, q) == 0) continue;
        const Quad theta = (at(a, q, q) - at(a, p, p)) / (2 * at(a, p, q));
        const Quad t = (theta >= 0 ? Quad(1) : Quad(-1)) / (fabs(theta) + sqrt(theta * theta + 1)), c = 1 / sqrt(t * t + 1), s = t * c;
        for (int64_t k = 0; k < n; ++k) {
          const Quad x = at(a, k, p), y = at(a, k, q);
          at(a, k, p) = c * x - s * y, at(a, k, q) = s * x + c * y;
        }
        for (int64_t k = 0; k < n; ++k) {
          const Quad x = at(a, p, k), y = at(a, q, k);
          at(a, p, k) = c * x - s * y, at(a, q, k) = s * x + c * y;
        }
        for (int64_t k = 0; k < n; ++k) {
          const Quad x = at(v, k, p), y = at(v, k, q);
          at(v, k, p) = c * x - s * y, at(v, k, q) = s * x + c * y;
        }
      }
  }
  std::vector<int64_t> order(static_cast<size_t>(n));
  std::iota(order.begin(), order.end(), int64_t(0));
  std::ranges::sort(order, [&](int64_t i, int64_t j) { return at(a, i, i) < at(a, j, j) || (at(a, i, i) == at(a, j, j) && i < j); });
  std::vector<Quad> values;
  Array<Quad> sorted({n, n});
  for (int64_t k = 0; k < n; ++k) {
    values.push_back(at(a, order[size_t(k)], order[size_t(k)]));
    for (int64_t i = 0; i < n; ++i) at(sorted, i, k) = at(v, i, order[size_t(k)]);
  }
  v = std::move(sorted);
  return values;
}

std::optional<Spectrum> hessian_spectrum(const Graph& g, NodeId f, std::span<const NodeId> variables, const Dims& dims,
                                         const std::map<NodeId, Array<Quad>>& point) {
  if (!well_conditioned(g, std::span(&f, 1), dims, point)) return std::nullopt;
  struct Direction {
    size_t variable;
    Array<Quad> along;
  };
  std::vector<Direction> basis;
  for (size_t k = 0; k < variables.size(); ++k)
    for (Array<Quad>& d : directions(g.symbol(variables[k]), shape_of(g, g[variables[k]].type, dims))) basis.push_back({k, std::move(d)});
  const int64_t n = int64_t(basis.size());
  Array<Quad> hessian({n, n});
  scalar::kink_touched = false;
  std::map<NodeId, Array<Dual2>> start;
  for (const auto& [node, value] : point) start[node] = convert<Dual2>(value);
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = i; j < n; ++j) {
      auto at = start;
      const Direction &a = basis[size_t(i)], &b = basis[size_t(j)];
      Array<Dual2>&x = at.at(variables[a.variable]), &y = at.at(variables[b.variable]);
      for (size_t k = 0; k < x.data.size(); ++k) x.data[k].value.slope = a.along.data[k];
      for (size_t k = 0; k < y.data.size(); ++k) y.data[k].slope.value = b.along.data[k];
      const Dual2 value = interpret<Dual2>(g, f, dims, at).data[0];
      const Quad second = value.slope.slope;
      if (scalar::kink_touched || !std::isfinite(double(value.value.value)) || !(fabs(second) < kLargest)) return std::nullopt;
      hessian.data[size_t(i * n + j)] = hessian.data[size_t(j * n + i)] = second;
    }
  Spectrum s{point, {}, {}, dims};
  Array<Quad> vectors;
  s.values = eigenvalues(std::move(hessian), vectors);
  for (int64_t k = 0; k < n; ++k) {
    std::map<NodeId, Array<Quad>> direction;
    for (NodeId x : variables) direction[x] = Array<Quad>(shape_of(g, g[x].type, dims));
    for (int64_t i = 0; i < n; ++i) {
      Array<Quad>& d = direction.at(variables[basis[size_t(i)].variable]);
      for (size_t e = 0; e < d.data.size(); ++e) d.data[e] += vectors.data[size_t(i * n + k)] * basis[size_t(i)].along.data[e];
    }
    s.vectors.push_back(std::move(direction));
  }
  return s;
}

std::map<NodeId, Array<Quad>> moved_point(const Graph& g, std::span<const NodeId> variables, const Dims& dims,
                                          std::map<NodeId, Array<Quad>> point, uint64_t seed, double scale) {
  Sampler sampler(seed);
  for (NodeId x : variables) {
    const Symbol& symbol = g.symbol(x);
    Array<Quad> value = convert<Quad>(sampler.draw(g, symbol, dims));
    for (Quad& v : value.data)
      if (is_cone(symbol.properties)) v *= Quad(scale);
    point[x] = std::move(value);
  }
  return point;
}

}  // namespace ricci
