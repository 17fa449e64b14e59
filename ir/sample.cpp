// Each property is met by construction, never by trying until it holds.
#include "ir/sample.h"

#include "ir/dimension.h"
#include "ir/places.h"

#include <algorithm>
#include <cmath>
#include <ranges>

namespace ricci {

double Sampler::uniform(double low, double high) {
  return low + (high - low) * (double(bits_() >> 11) * 0x1p-53);  // the library's distributions differ between platforms
}

double Sampler::entry(Properties p, double scale) {
  if (p.has(Property::sign)) return below(2) ? 1 : -1;
  if (p.has(Property::unit)) return uniform(0.15, 0.85);
  if (p.has(Property::nonnegative)) return scale * uniform(0.4, 1.6);
  const double v = uniform(-1, 1);
  return scale * (v + std::copysign(0.15, v));
}

Array<double> Sampler::matrix(int64_t rows, int64_t columns, Properties p) {
  Array<double> a({rows, columns});
  auto at = [&](int64_t i, int64_t j) -> double& { return a.data[size_t(i * columns + j)]; };
  for (double& v : a.data) v = entry(p);
  if (rows != columns) return a;

  const int64_t n = rows;
  if (p.has(Property::psd)) {
    const Array<double> b = a;
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = 0; j < n; ++j) {
        at(i, j) = i == j ? 0.7 : 0;
        for (int64_t k = 0; k < n; ++k) at(i, j) += b.data[size_t(i * n + k)] * b.data[size_t(j * n + k)];
      }
  } else if (p.has(Property::orthogonal)) {
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = 0; j < n; ++j) at(i, j) = i == j;
    for (int reflections = 0; reflections < 2; ++reflections) {  // two, so that the matrix is not symmetric
      std::vector<double> v(static_cast<size_t>(n));
      double norm = 0;
      for (double& x : v) x = entry({}), norm += x * x;
      for (int64_t i = 0; i < n; ++i) {
        double along = 0;
        for (int64_t j = 0; j < n; ++j) along += at(i, j) * v[size_t(j)];
        for (int64_t j = 0; j < n; ++j) at(i, j) -= 2 * along / norm * v[size_t(j)];
      }
    }
    return a;
  } else if (p.has(Property::nonsingular)) {  // diagonally dominant, with a positive determinant
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = 0; j < n; ++j) at(i, j) = i == j ? 2 + 0.5 * at(i, j) : 1.5 / double(n) * at(i, j);
  }
  if (p.has(Property::contraction))
    for (double& v : a.data) v *= 0.8 / double(n);
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = i; j < n; ++j) {
      if (p.has(Property::symmetric)) at(i, j) = at(j, i);
      if (p.has(Property::skew)) at(i, j) = i == j ? 0 : -at(j, i);
      if (i != j && p.has(Property::lower)) at(i, j) = 0;
      if (i != j && p.has(Property::upper)) at(j, i) = 0;
    }
  return a;
}

Array<double> Sampler::draw(const Graph& g, const Symbol& symbol, const Dims& dims) {
  std::vector<int64_t> shape = shape_of(g, symbol.type, dims);
  const Properties p = symbol.properties;
  if (shape.size() == 2) return matrix(shape[0], shape[1], p);
  Array<double> a(shape);
  for (double& v : a.data) v = entry(p, scale_);
  if (shape.size() == 1 && p.has(Property::onehot)) {
    for (double& v : a.data) v = 0;
    if (!a.data.empty()) a.data[below(a.data.size())] = 1;
  } else if (shape.size() == 1 && p.has(Property::simplex)) {
    double sum = 0;
    for (double v : a.data) sum += v;
    for (double& v : a.data) v /= sum;
  }
  return a;
}

Array<Quad> with_exact_promises(const Array<double>& drawn, Properties p, bool reflected) {
  Array<Quad> a = convert<Quad>(drawn);
  if (a.shape.size() == 1 && p.has(Property::simplex)) {
    Quad sum = 0;
    for (Quad v : a.data) sum += v;
    for (Quad& v : a.data) v /= sum;
  }
  if (a.shape.size() == 2 && a.shape[0] == a.shape[1] && p.has(Property::orthogonal)) {  // Gram and Schmidt, column by column
    const size_t n = size_t(a.shape[0]);
    const auto along = [&](size_t j, size_t k) {
      Quad sum = 0;
      for (size_t i = 0; i < n; ++i) sum += a.data[i * n + j] * a.data[i * n + k];
      return sum;
    };
    for (size_t k = 0; k < n; ++k) {
      for (size_t j = 0; j < k; ++j)
        for (Quad c = along(j, k); size_t i : std::views::iota(size_t{0}, n)) a.data[i * n + k] -= c * a.data[i * n + j];
      for (Quad size = scalar::sqrt(along(k, k)); size_t i : std::views::iota(size_t{0}, n)) a.data[i * n + k] /= size;
    }
    for (size_t i = 0; reflected && i < n; ++i) a.data[i * n] = -a.data[i * n];
  }
  return a;
}

Dims distinct_sizes(const Graph& g, std::span<const NodeId> roots, Dims dims) {
  const Dims given = dims;
  constexpr int64_t kFirst[] = {3, 4, 5, 2, 6};
  size_t next = dims.size();
  std::vector<DimId> open;
  auto give = [&](DimId d) {
    open.assign(1, d);
    while (!open.empty()) {
      const Dim& dim = g[open.back()];
      open.pop_back();
      if (dim.kind == Dim::Kind::Symbol && !dims.contains(dim.name)) {
        dims[dim.name] = next < std::size(kFirst) ? kFirst[next] : int64_t(next) + 2;
        ++next;
      }
      open.insert(open.end(), dim.parts.rbegin(), dim.parts.rend());
    }
  };
  for (NodeId n : g.reachable(roots)) {
    for (DimId d : g[n].type) give(d);
    if (g[n].kind == Kind::Size || g[n].kind == Kind::Place) give(DimId{g[n].row});
  }
  return with_room_for_places(g, roots, std::move(dims), given);
}

std::vector<Dims> other_sizes(const Graph& g, std::span<const NodeId> roots, const Dims& sizes, const Dims& given) {
  std::vector<Dims> all;
  for (const int64_t by : {1, -1}) {
    Dims dims = sizes;
    for (auto& [name, size] : dims)
      if (!given.contains(name)) size = std::max(size + by, int64_t{1});
    dims = with_room_for_places(g, roots, std::move(dims), given);
    if (dims != sizes) all.push_back(std::move(dims));
  }
  return all;
}

std::vector<Dims> size_orders(const Graph& g, std::span<const NodeId> roots, const Dims& sizes, const Dims& given) {
  constexpr int kMostPermutations = 24;  // all of four sizes
  std::vector<int64_t> chosen;
  for (const auto& [name, size] : sizes)
    if (!given.contains(name)) chosen.push_back(size);
  std::vector<Dims> orders{sizes};
  const auto add = [&](const std::vector<int64_t>& values) {
    Dims dims = sizes;
    auto value = values.begin();
    for (auto& [name, size] : dims)
      if (!given.contains(name)) size = *value++;
    dims = with_room_for_places(g, roots, std::move(dims), given);
    if (std::ranges::find(orders, dims) == orders.end()) orders.push_back(std::move(dims));
  };
  add({chosen.rbegin(), chosen.rend()});
  const std::vector<int64_t> equal(chosen.size(), 3);
  for (int k = 0; k < kMostPermutations; ++k) {
    std::ranges::next_permutation(chosen);
    add(chosen);
  }
  add(equal);
  return orders;
}

Dims with_room_for_places(const Graph& g, std::span<const NodeId> roots, Dims dims, const Dims& given) {
  const auto grow = [&](const std::string& name) {
    int64_t& size = dims.at(name);
    do ++size;
    while (std::ranges::count(dims, size, [](const auto& d) { return d.second; }) > 1);
  };
  for (NodeId n : g.reachable(roots)) {
    if (g[n].kind != Kind::Place) continue;
    const Extent room = room_of(g, n);
    constexpr int kMostSteps = 1000;  // where sizes that are given leave no room, none is made
    for (int step = 0; step < kMostSteps && room.at(dims) < 0; ++step)
      for (const auto& [symbols, coefficient] : room.terms)
        for (const std::string& s : symbols)
          if (coefficient > 0 && !given.contains(s)) grow(s);
  }
  return dims;
}

}  // namespace ricci
