// What the functions of ir/functions.def compute, on one core, over any scalar.
//
// Chosen for being right rather than fast: det falls back to a division-free algorithm where elimination would divide by zero, and the
// adjugate is made of cofactors, so that dual numbers give the derivative at singular matrices too.
#pragma once
#include <span>
#include <stdexcept>
#include <utility>
#include <vector>

#include "ir/dual.h"

namespace ricci::scalar {

// A square matrix, row-major.
template <class T>
struct Square {
  size_t n;
  std::vector<T> entries;
  T& operator()(size_t i, size_t j) { return entries[i * n + j]; }
  const T& operator()(size_t i, size_t j) const { return entries[i * n + j]; }

  void swap_rows(size_t i, size_t k) {
    for (size_t j = 0; i != k && j < n; ++j) std::swap((*this)(i, j), (*this)(k, j));
  }
  // The row at or below k with the largest entry in column k.
  size_t pivot(size_t k) const {
    size_t best = k;
    for (size_t i = k + 1; i < n; ++i)
      if (fabs(value_of((*this)(i, k))) > fabs(value_of((*this)(best, k)))) best = i;
    return best;
  }
};

// Bird's division-free determinant (Inf. Proc. Letters 111, 2011): n - 1 times X := mu(X)*A, where mu keeps what is above the diagonal and
// has on it minus the sum of the later diagonal entries.
template <class T>
T det_without_division(const Square<T>& a) {
  const size_t n = a.n;
  Square<T> x = a;
  for (size_t step = 1; step < n; ++step) {
    Square<T> mu{n, std::vector<T>(n * n, T(0))};
    T trace = T(0);
    for (size_t i = n; i-- > 0;) {
      mu(i, i) = -trace;
      trace = trace + x(i, i);
      for (size_t j = i + 1; j < n; ++j) mu(i, j) = x(i, j);
    }
    for (size_t i = 0; i < n; ++i)
      for (size_t j = 0; j < n; ++j) {
        T s = T(0);
        for (size_t k = i; k < n; ++k) s = s + mu(i, k) * a(k, j);
        x(i, j) = s;
      }
  }
  return n % 2 ? x(0, 0) : -x(0, 0);
}

// Gaussian elimination with row pivoting; 1 for the empty matrix.
template <class T>
T det(const Square<T>& a) {
  Square<T> u = a;
  T product = T(1);
  for (size_t k = 0; k < u.n; ++k) {
    const size_t p = u.pivot(k);
    if (value_of(u(p, k)) == 0) return det_without_division(a);
    if (p != k) product = -product;
    u.swap_rows(p, k);
    product = product * u(k, k);
    for (size_t i = k + 1; i < u.n; ++i) {
      const T m = u(i, k) / u(k, k);
      for (size_t j = k + 1; j < u.n; ++j) u(i, j) = u(i, j) - m * u(k, j);
    }
  }
  return product;
}

// log |det|, as a sum of logarithms so that it neither overflows nor underflows; -inf for a singular matrix.
template <class T>
T logdet(Square<T> u) {
  T sum = T(0);
  for (size_t k = 0; k < u.n; ++k) {
    u.swap_rows(u.pivot(k), k);
    sum = sum + log(fabs(u(k, k)));
    if (value_of(u(k, k)) == 0) return sum;
    for (size_t i = k + 1; i < u.n; ++i) {
      const T m = u(i, k) / u(k, k);
      for (size_t j = k + 1; j < u.n; ++j) u(i, j) = u(i, j) - m * u(k, j);
    }
  }
  return sum;
}

// Gauss-Jordan with row pivoting; a singular matrix divides by zero and gives inf and NaN.
template <class T>
Square<T> inv(Square<T> a) {
  const size_t n = a.n;
  Square<T> b{n, std::vector<T>(n * n, T(0))};
  for (size_t i = 0; i < n; ++i) b(i, i) = T(1);
  for (size_t k = 0; k < n; ++k) {
    const size_t p = a.pivot(k);
    a.swap_rows(p, k);
    b.swap_rows(p, k);
    const T d = a(k, k);
    for (size_t j = 0; j < n; ++j) a(k, j) = a(k, j) / d, b(k, j) = b(k, j) / d;
    for (size_t i = 0; i < n; ++i) {
      if (i == k) continue;
      const T m = a(i, k);
      for (size_t j = 0; j < n; ++j) a(i, j) = a(i, j) - m * a(k, j), b(i, j) = b(i, j) - m * b(k, j);
    }
  }
  return b;
}

// The transposed matrix of cofactors.
template <class T>
Square<T> adj(const Square<T>& a) {
  const size_t n = a.n;
  Square<T> r{n, std::vector<T>(n * n)};
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j < n; ++j) {
      Square<T> minor{n - 1, {}};
      for (size_t k = 0; k < n * n; ++k)
        if (k / n != i && k % n != j) minor.entries.push_back(a.entries[k]);
      r(j, i) = (i + j) % 2 ? -det(minor) : det(minor);
    }
  return r;
}

template <class T>
T prod(std::span<const T> x) {
  T p = T(1);
  for (const T& e : x) p = p * e;
  return p;
}

// All entries but one, multiplied without division.
template <class T>
std::vector<T> coprod(std::span<const T> x) {
  std::vector<T> r;
  for (size_t i = 0; i < x.size(); ++i) r.push_back(prod(x.first(i)) * prod(x.subspan(i + 1)));
  return r;
}

template <class T>
auto largest(std::span<const T> x) {
  if (x.empty()) throw std::invalid_argument("the maximum of nothing");
  auto m = value_of(x[0]);
  for (const T& e : x) m = fmax_(m, value_of(e));
  return m;
}

// 1/k for each of the k entries that attain the maximum, else 0.
template <class T>
std::vector<T> argmax(std::span<const T> x) {
  const auto m = largest(x);
  size_t ties = 0;
  for (const T& e : x) {
    ties += value_of(e) == m;
    if (value_of(e) != m) note_kink(value_of(e) - m, double(1 + fabs(m)));
  }
  if (ties > 1) kink_touched = true;
  std::vector<T> r;
  for (const T& e : x) r.push_back(m != m ? T(m) : value_of(e) == m ? T(1) / T(double(ties)) : T(0));
  return r;
}

// The mean of the entries that attain the maximum: the value is the maximum, and its derivative is shared equally.
template <class T>
T max_of(std::span<const T> x) {
  const auto m = largest(x);
  if (m != m) return T(m);
  const std::vector<T> share = argmax(x);
  T sum = T(0);
  for (size_t i = 0; i < x.size(); ++i)
    if (value_of(share[i]) != 0) sum = sum + share[i] * x[i];
  return sum;
}
template <class T>
T min_of(std::span<const T> x) {
  std::vector<T> negated;
  for (const T& e : x) negated.push_back(-e);
  return -max_of(std::span<const T>(negated));
}

// log(sum(exp(x))), shifted by the largest value so that nothing overflows; -inf for no entries.
template <class T>
T lse(std::span<const T> x) {
  if (x.empty()) return log(T(0));
  const auto m = largest(x);
  if (m - m != 0) return T(m);  // infinite or NaN
  T sum = T(0);
  for (const T& e : x) sum = sum + exp(e - T(m));
  return T(m) + log(sum);
}

}  // namespace ricci::scalar
