// Whether a tensor of numbers has a property: what each row of ir/properties.def means, decided numerically.
#pragma once
#include <algorithm>
#include <cmath>

#include "ir/function_meaning.h"
#include "ir/interpret.h"

namespace ricci {

// A'*B of square matrices.
inline Array<double> transposed_product(const Array<double>& a, const Array<double>& b) {
  const int64_t n = a.shape[0];
  Array<double> r({n, n});
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < n; ++j)
      for (int64_t k = 0; k < n; ++k) r.data[size_t(i * n + j)] += a.data[size_t(k * n + i)] * b.data[size_t(k * n + j)];
  return r;
}

// Whether Cholesky's algorithm finds only pivots above `least`.
inline bool positive_pivots(Array<double> a, double least) {
  const int64_t n = a.shape[0];
  auto at = [&](int64_t i, int64_t j) -> double& { return a.data[size_t(i * n + j)]; };
  for (int64_t k = 0; k < n; ++k) {
    if (!(at(k, k) > least)) return false;
    for (int64_t i = k + 1; i < n; ++i)
      for (int64_t j = k + 1; j < n; ++j) at(i, j) -= at(i, k) * at(k, j) / at(k, k);
  }
  return true;
}

inline bool holds(Property p, const Array<double>& a, double tolerance = 1e-9) {
  const bool square = a.shape.size() == 2 && a.shape[0] == a.shape[1];
  const int64_t n = square ? a.shape[0] : 0;
  double size = 1;
  for (double v : a.data) size = std::max(size, std::fabs(v));
  const double small = tolerance * size;
  auto at = [&](int64_t i, int64_t j) { return a.data[size_t(i * n + j)]; };
  auto all = [&](auto fits) { return std::ranges::all_of(a.data, fits); };
  auto entries = [&](auto fits) {
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = 0; j < n; ++j)
        if (!fits(i, j)) return false;
    return square;
  };
  auto shifted = [&](const Array<double>& m, double diagonal, double scale) {
    Array<double> r = m;
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = 0; j < n; ++j) r.data[size_t(i * n + j)] = scale * m.data[size_t(i * n + j)] + (i == j ? diagonal : 0);
    return r;
  };
  auto sum = [&] {
    double s = 0;
    for (double v : a.data) s += v;
    return s;
  };
  switch (p) {
    case Property::symmetric: return entries([&](int64_t i, int64_t j) { return std::fabs(at(i, j) - at(j, i)) <= small; });
    case Property::skew: return entries([&](int64_t i, int64_t j) { return std::fabs(at(i, j) + at(j, i)) <= small; });
    case Property::lower: return entries([&](int64_t i, int64_t j) { return j <= i || std::fabs(at(i, j)) <= small; });
    case Property::upper: return entries([&](int64_t i, int64_t j) { return j >= i || std::fabs(at(i, j)) <= small; });
    case Property::diagonal: return entries([&](int64_t i, int64_t j) { return i == j || std::fabs(at(i, j)) <= small; });
    case Property::nonsingular: return square && std::fabs(scalar::det(scalar::Square<double>{size_t(n), a.data})) > 1e-3 * small;
    case Property::psd: return holds(Property::symmetric, a, tolerance) && positive_pivots(shifted(a, 10 * small, 1), 0);
    case Property::spd: return holds(Property::symmetric, a, tolerance) && positive_pivots(a, 0);
    case Property::orthogonal: {
      if (!square) return false;
      const Array<double> gram = transposed_product(a, a);
      return entries([&](int64_t i, int64_t j) { return std::fabs(gram.data[size_t(i * n + j)] - (i == j)) <= 1e3 * small; });
    }
    case Property::contraction: return square && positive_pivots(shifted(transposed_product(a, a), 1, -1), 0);
    case Property::nonnegative: return all([&](double v) { return v >= -1e-3 * small; });
    case Property::positive: return all([](double v) { return v > 0; });
    case Property::unit: return all([](double v) { return v > 0 && v < 1; });
    case Property::simplex: return a.shape.size() == 1 && holds(Property::nonnegative, a, tolerance) && std::fabs(sum() - 1) <= small;
    case Property::onehot:
      return a.shape.size() == 1 && all([](double v) { return v == 0 || v == 1; }) && std::ranges::count(a.data, 1.0) == 1;
    case Property::sign: return all([](double v) { return v == 1 || v == -1; });
    case Property::constant: return true;
  }
  return false;
}

}  // namespace ricci
