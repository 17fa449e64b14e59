// A dual number of depth k has 2^k parts; seeding variable j at depth j makes the part where all e_j meet the mixed derivative.
#include "ir/oracle.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "ir/sample.h"

namespace ricci {
namespace {

// Nesting: Dual<Dual<Quad>> has depth 2, and level 0 is the innermost e.
template <class T>
struct Nested {
  static constexpr size_t depth = 0;
  static Quad mixed(const T& x) { return x; }
};
template <class T>
struct Nested<Dual<T>> {
  static constexpr size_t depth = Nested<T>::depth + 1;
  static void seed(Dual<T>& x, size_t level, Quad weight) {
    if (level + 1 == depth) {
      x.slope = x.slope + T(weight);
    } else if constexpr (depth > 1) {
      Nested<T>::seed(x.value, level, weight);
    }
  }
  static Quad mixed(const Dual<T>& x) { return Nested<T>::mixed(x.slope); }
};

// Moves entry `i` of variable x, and with it what x's constraint ties to it: (E_ij + E_ji)/2 in a symmetric matrix, (E_ij - E_ji)/2 in a skew
// one, nothing off the diagonal of a diagonal one or beyond that of a triangular one. So the derivative by x is the one projected on the space of x.
template <class T>
void move(const Symbol& x, Array<T>& at, size_t i, size_t level) {
  const Properties p = x.properties;
  const bool square = at.shape.size() == 2 && at.shape[0] == at.shape[1];
  const size_t n = square ? size_t(at.shape[0]) : 1, mirror = square ? i % n * n + i / n : i;
  auto seed = [&](size_t entry, Quad weight) { Nested<T>::seed(at.data[entry], level, weight); };
  if (p.has(Property::diagonal) && square) {
    if (mirror == i) seed(i, 1);
  } else if ((p.has(Property::symmetric) || p.has(Property::skew)) && square) {
    seed(i, Quad(0.5));
    seed(mirror, p.has(Property::skew) ? Quad(-0.5) : Quad(0.5));
  } else if (!square || !(p.has(Property::lower) ? mirror > i : p.has(Property::upper) && mirror < i)) {
    seed(i, 1);
  }
}

template <class T>
Array<Quad> derivative(const Graph& g, NodeId f, std::span<const NodeId> xs, const Dims& dims,
                       const std::map<NodeId, Array<Quad>>& inputs) {
  std::map<NodeId, Array<T>> point;
  for (const auto& [node, value] : inputs) point[node] = convert<T>(value);
  std::vector<int64_t> shape = shape_of(g, g[f].type, dims);
  const size_t f_size = size_t(Array<Quad>::count(shape));
  for (NodeId x : xs) {
    auto more = shape_of(g, g[x].type, dims);
    shape.insert(shape.end(), more.begin(), more.end());
  }
  Array<Quad> result(shape);
  const size_t directions = f_size == 0 ? 0 : result.data.size() / f_size;
  for (size_t direction = 0; direction < directions; ++direction) {
    auto seeded = point;
    size_t rest = direction;
    for (size_t k = xs.size(); k-- > 0;) {
      Array<T>& at = seeded.at(xs[k]);
      move(g.symbol(xs[k]), at, rest % at.data.size(), k);
      rest /= at.data.size();
    }
    Array<T> value = interpret<T>(g, f, dims, seeded);
    for (size_t i = 0; i < f_size; ++i) result.data[i * directions + direction] = Nested<T>::mixed(value.data[i]);
  }
  return result;
}

}  // namespace

OracleValue dual_derivative(const Graph& g, NodeId f, std::span<const NodeId> xs, const Dims& dims,
                            const std::map<NodeId, Array<Quad>>& inputs) {
  scalar::kink_touched = false;
  OracleValue result;
  switch (xs.size()) {
    case 0: result.value = interpret<Quad>(g, f, dims, inputs); break;
    case 1: result.value = derivative<Dual1>(g, f, xs, dims, inputs); break;
    case 2: result.value = derivative<Dual2>(g, f, xs, dims, inputs); break;
    case 3: result.value = derivative<Dual3>(g, f, xs, dims, inputs); break;
    default: throw std::invalid_argument("the oracle goes to the third derivative");
  }
  result.at_kink = scalar::kink_touched;
  return result;
}

bool well_conditioned(const Graph& g, std::span<const NodeId> roots, const Dims& dims, const std::map<NodeId, Array<Quad>>& inputs) {
  constexpr double kMoved = 0x1p-100, kLargestEffect = 1e-20;  // relative; rounding is 2^-113
  Sampler direction(1);
  auto nearby = inputs;
  for (auto& [node, value] : nearby)
    for (Quad& v : value.data)
      if (Quad(std::floor(double(v))) != v) v += v * Quad(kMoved * direction.uniform(-1, 1));  // whole numbers are meant exactly
  const auto here = interpret<Quad>(g, roots, dims, inputs), there = interpret<Quad>(g, roots, dims, nearby);
  const auto finite = [](const Array<Quad>& a) { return std::ranges::all_of(a.data, [](const Quad& v) { return std::isfinite(double(v)); }); };
  for (size_t k = 0; k < roots.size(); ++k)
    if (!finite(here[k]) || !(relative_difference(there[k], here[k]) <= kLargestEffect)) return false;
  return true;
}

double relative_difference(const Array<Quad>& a, const Array<Quad>& b, double floor) {
  if (a.shape != b.shape) return std::numeric_limits<double>::infinity();
  double scale = floor, largest = 0;
  for (size_t i = 0; i < a.data.size(); ++i) {
    const double x = double(a.data[i]), y = double(b.data[i]);
    if (std::isnan(x) != std::isnan(y) || std::isinf(x) != std::isinf(y)) return std::numeric_limits<double>::infinity();
    if (!std::isfinite(x)) continue;
    scale = std::max(scale, std::abs(y));
    largest = std::max(largest, std::abs(double(a.data[i] - b.data[i])));
  }
  return largest / scale;
}

}  // namespace ricci
