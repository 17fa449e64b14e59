// The functions without an index form, for one matrix or one vector: compositions of the factorisations, and reductions.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

#include "runtime/kernels.h"

namespace ricci::rt {
namespace {

template <class T>
constexpr T infinity = std::numeric_limits<T>::infinity();
template <class T>
constexpr T nan = std::numeric_limits<T>::quiet_NaN();

// det = sign * product of the pivots; an exchange of two rows changes the sign.
template <class T>
int lu_det(int64_t n, const T* f, T* value) {
  T det = 1;
  for (int64_t i = 0; i < n; ++i) {
    const bool exchanged = std::abs(f[n * n + i]) != T(i + 1);
    det *= exchanged ? -f[i * n + i] : f[i * n + i];
  }
  *value = det;
  return 0;
}

template <class T>
int lu_logdet(int64_t n, const T* f, T* value) {
  T log_det = 0;
  bool singular = false;
  for (int64_t i = 0; i < n; ++i) {
    log_det += std::log(std::abs(f[i * n + i]));
    singular = singular || f[n * n + i] < 0;
  }
  *value = log_det;
  return singular;
}

template <class T>
int chol_det(int64_t n, const T* f, T* value) {
  T root = 1;
  for (int64_t i = 0; i < n; ++i) root *= f[i * n + i];
  *value = root * root;
  return n > 0 && f[n * n] == 0;
}

template <class T>
int chol_logdet(int64_t n, const T* f, T* value) {
  T log_root = 0;
  for (int64_t i = 0; i < n; ++i) log_root += std::log(f[i * n + i]);
  *value = 2 * log_root;
  return n > 0 && f[n * n] == 0;
}

// Exchanges column i with column j of `a` (n x n row-major), or row i with row j.
template <class T>
void exchange(int64_t n, T* a, int64_t i, int64_t j, int64_t along, int64_t across) {
  if (i == j) return;
  for (int64_t k = 0; k < n; ++k) std::swap(a[i * across + k * along], a[j * across + k * along]);
}

// With complete pivoting A = P'*L*U*Q' all small pivots come last, so adj(U) follows from its leading (n-1) x (n-1) block U1, its last
// column u and its last pivot e without any decision about rank:
//   adj(U) = det(U1) * [e*inv(U1), -inv(U1)*u; 0, 1],      adj(A) = det(P)*det(Q) * Q*adj(U)*inv(L)*P.
// Scratch: U and L in `f`, adj(U)*inv(L) in `g`, the exchanges in `p` and `q`.
template <class T>
int adj(int64_t n, const T* a, int64_t ars, int64_t acs, T* x, int64_t xrs, int64_t xcs, T* work) {
  T *f = work, *g = f + n * n, *p = g + n * n, *q = p + n;
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < n; ++j) f[i * n + j] = a[i * ars + j * acs];
  T leading = 1;  // det(U1) with the signs of the exchanges
  for (int64_t k = 0; k < n; ++k) {
    int64_t row = k, column = k;
    for (int64_t i = k; i < n; ++i)
      for (int64_t j = k; j < n; ++j)
        if (!(std::abs(f[i * n + j]) <= std::abs(f[row * n + column]))) row = i, column = j;  // NaN wins
    p[k] = T(row), q[k] = T(column);
    exchange(n, f, k, row, 1, n);
    exchange(n, f, k, column, n, 1);
    if ((row != k) != (column != k)) leading = -leading;
    if (k + 1 == n) break;
    const T pivot = f[k * n + k];
    leading *= pivot;
    if (pivot == 0) {  // rank n - 2 or less
      for (int64_t i = 0; i < n; ++i)
        for (int64_t j = 0; j < n; ++j) x[i * xrs + j * xcs] = 0;
      return 0;
    }
    for (int64_t i = k + 1; i < n; ++i) {
      const T l = f[i * n + k] /= pivot;
      for (int64_t j = k + 1; j < n; ++j) f[i * n + j] -= l * f[k * n + j];
    }
  }
  // Column c of g: solve U1*y = e*(inv(L) column c) - u*(last entry of it), then scale.
  for (int64_t c = 0; c < n; ++c) {
    const auto at = [&](int64_t i) -> T& { return g[i * n + c]; };
    for (int64_t i = 0; i < n; ++i) {
      at(i) = T(i == c);
      for (int64_t k = c; k < i; ++k) at(i) -= f[i * n + k] * at(k);
    }
    const T last = at(n - 1), e = f[n * n - 1];
    for (int64_t i = 0; i + 1 < n; ++i) at(i) = e * at(i) - f[i * n + n - 1] * last;
    for (int64_t i = n - 1; i-- > 0;) {
      for (int64_t k = i + 1; k + 1 < n; ++k) at(i) -= f[i * n + k] * at(k);
      at(i) /= f[i * n + i];
    }
    for (int64_t i = 0; i < n; ++i) at(i) *= leading;
  }
  for (int64_t k = n; k-- > 0;) {
    exchange(n, g, k, int64_t(q[k]), 1, n);
    exchange(n, g, k, int64_t(p[k]), n, 1);
  }
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < n; ++j) x[i * xrs + j * xcs] = g[i * n + j];
  return 0;
}

template <class T>
int prod(int64_t n, const T* x, int64_t xs, T* value) {
  T product = 1;
  for (int64_t i = 0; i < n; ++i) product *= x[i * xs];
  *value = product;
  return 0;
}

// The products of the entries before i, times those after it.
template <class T>
int coprod(int64_t n, const T* x, int64_t xs, T* y, int64_t ys) {
  T before = 1, after = 1;
  for (int64_t i = 0; i < n; before *= x[i++ * xs]) y[i * ys] = before;
  for (int64_t i = n; i-- > 0; after *= x[i * xs]) y[i * ys] *= after;
  return 0;
}

// The largest entry times `sign`; NaN if there is a NaN or no entry.
template <class T>
T extreme(int64_t n, const T* x, int64_t xs, T sign) {
  T best = -infinity<T>;
  for (int64_t i = 0; i < n; ++i)
    if (!(sign * x[i * xs] <= best)) {
      best = sign * x[i * xs];
      if (std::isnan(best)) break;
    }
  return n == 0 ? nan<T> : best;
}

// log sum exp(x) = m + log sum exp(x - m) with m = max(x): no term overflows and one of them is 1.
template <class T>
int lse(int64_t n, const T* x, int64_t xs, T* value) {
  const T most = n == 0 ? -infinity<T> : extreme(n, x, xs, T(1));
  T sum = 0;
  if (std::isfinite(most))
    for (int64_t i = 0; i < n; ++i) sum += std::exp(x[i * xs] - most);
  *value = std::isfinite(most) ? most + std::log(sum) : most;
  return 0;
}

template <class T>
int max(int64_t n, const T* x, int64_t xs, T* value) {
  *value = extreme(n, x, xs, T(1));
  return n == 0;
}

template <class T>
int min(int64_t n, const T* x, int64_t xs, T* value) {
  *value = -extreme(n, x, xs, T(-1));
  return n == 0;
}

template <class T>
int argmax(int64_t n, const T* x, int64_t xs, T* y, int64_t ys) {
  const T most = extreme(n, x, xs, T(1));
  int64_t ties = 0;
  for (int64_t i = 0; i < n; ++i) ties += x[i * xs] == most;
  for (int64_t i = 0; i < n; ++i) y[i * ys] = std::isnan(most) ? most : x[i * xs] == most ? T(1) / T(ties) : T(0);
  return 0;
}

double log_gamma(double x) {
  int sign;
  return ::lgamma_r(x, &sign);
}

// psi(x) by recurrence up to x >= 10, then its asymptotic series (Abramowitz and Stegun 6.3.5, 6.3.18); by reflection (6.3.7) left of 0.
double digamma(double x) {
  constexpr double pi = 3.14159265358979323846;
  if (x == 0) return std::copysign(infinity<double>, -x);
  if (x < 0) return x == std::floor(x) ? nan<double> : digamma(1 - x) - pi / std::tan(pi * std::remainder(x, 1.0));
  double sum = 0;
  for (; x < 10; ++x) sum -= 1 / x;
  const double s = 1 / (x * x);
  const double series =
      s * (1. / 12 - s * (1. / 120 - s * (1. / 252 - s * (1. / 240 - s * (1. / 132 - s * (691. / 32760 - s * (1. / 12)))))));
  return sum + std::log(x) - 0.5 / x - series;
}

// The Hurwitz zeta function sum_k (k + x)^-s for integer s >= 2 and x > 0, by Euler and Maclaurin (Abramowitz and Stegun 23.1.30).
double hurwitz_zeta(double s, double x) {
  constexpr double bernoulli[] = {1. / 6, -1. / 30, 1. / 42, -1. / 30, 5. / 66, -691. / 2730, 7. / 6, -3617. / 510};
  double sum = 0;
  for (const double end = std::max(10.0, s); x < end; ++x) sum += std::pow(x, -s);
  sum += std::pow(x, 1 - s) / (s - 1) + 0.5 * std::pow(x, -s);
  double factor = s * std::pow(x, -s - 1) / 2;
  for (int k = 1; k <= 8; ++k) {
    sum += bernoulli[k - 1] * factor;
    factor *= (s + 2 * k - 1) * (s + 2 * k) / ((2 * k + 1) * (2 * k + 2) * x * x);
  }
  return sum;
}

// psi_n(-x) for n >= 1: differentiating psi(1 - x) - psi(x) = pi*cot(pi*x) n times needs the n-th derivative of cot, a polynomial in cot:
// d/dx p(c) = -(1 + c^2)*p'(c).
double cot_derivative(int n, double c) {
  constexpr int most = 32;
  double p[most + 2] = {0, 1};
  for (int k = 1; k <= n; ++k) {
    double d[most + 2] = {};
    for (int i = 1; i <= k; ++i) {
      d[i - 1] -= i * p[i];
      d[i + 1] -= i * p[i];
    }
    for (int i = 0; i <= k + 1; ++i) p[i] = d[i];
  }
  double value = 0;
  for (int i = n + 1; i >= 0; --i) value = value * c + p[i];
  return value;
}

double polygamma(double order, double x) {
  constexpr double pi = 3.14159265358979323846;
  if (std::isnan(x) || std::isnan(order) || order < 0 || order != std::floor(order)) return nan<double>;
  if (order == 0) return digamma(x);
  const double sign = std::fmod(order, 2) == 0 ? -1 : 1;
  if (x > 0) return sign * std::tgamma(order + 1) * hurwitz_zeta(order + 1, x);
  if (x == std::floor(x)) return sign > 0 ? infinity<double> : nan<double>;  // a pole
  if (order > 32) return nan<double>;
  const double c = 1 / std::tan(pi * std::remainder(x, 1.0));
  return (sign < 0 ? 1 : -1) * polygamma(order, 1 - x) - std::pow(pi, order + 1) * cot_derivative(int(order), c);
}

}  // namespace

#define RICCI_TWINS(T, f)                                                                                                                 \
  int ricci_lu_det##f(int64_t n, const T* factor, T* value) { return lu_det(n, factor, value); }                                          \
  int ricci_lu_logdet##f(int64_t n, const T* factor, T* value) { return lu_logdet(n, factor, value); }                                    \
  int ricci_chol_det##f(int64_t n, const T* factor, T* value) { return chol_det(n, factor, value); }                                      \
  int ricci_chol_logdet##f(int64_t n, const T* factor, T* value) { return chol_logdet(n, factor, value); }                                \
  int ricci_inv##f(int64_t n, const T* a, int64_t ars, int64_t acs, T* x, int64_t xrs, int64_t xcs, T* work) {                            \
    T* factor = work + RICCI_GEMM_WORK;                                                                                                   \
    ricci_lu##f(n, a, ars, acs, factor, work);                                                                                            \
    return ricci_lu_inv##f(n, factor, x, xrs, xcs, work);                                                                                 \
  }                                                                                                                                       \
  int ricci_solve##f(int64_t n, int64_t k, const T* a, int64_t ars, int64_t acs, const T* b, int64_t brs, int64_t bcs, T* x, int64_t xrs, \
                     int64_t xcs, T* work) {                                                                                              \
    T* factor = work + RICCI_GEMM_WORK;                                                                                                   \
    ricci_lu##f(n, a, ars, acs, factor, work);                                                                                            \
    return ricci_lu_solve##f(n, k, 0, factor, b, brs, bcs, x, xrs, xcs, work);                                                            \
  }                                                                                                                                       \
  int ricci_det##f(int64_t n, const T* a, int64_t ars, int64_t acs, T* value, T* work) {                                                  \
    T* factor = work + RICCI_GEMM_WORK;                                                                                                   \
    ricci_lu##f(n, a, ars, acs, factor, work);                                                                                            \
    return ricci_lu_det##f(n, factor, value);                                                                                             \
  }                                                                                                                                       \
  int ricci_logdet##f(int64_t n, const T* a, int64_t ars, int64_t acs, T* value, T* work) {                                               \
    T* factor = work + RICCI_GEMM_WORK;                                                                                                   \
    ricci_lu##f(n, a, ars, acs, factor, work);                                                                                            \
    return ricci_lu_logdet##f(n, factor, value);                                                                                          \
  }                                                                                                                                       \
  int ricci_adj##f(int64_t n, const T* a, int64_t ars, int64_t acs, T* x, int64_t xrs, int64_t xcs, T* work) {                            \
    return adj(n, a, ars, acs, x, xrs, xcs, work);                                                                                        \
  }                                                                                                                                       \
  int ricci_prod##f(int64_t n, const T* x, int64_t xs, T* value) { return prod(n, x, xs, value); }                                        \
  int ricci_lse##f(int64_t n, const T* x, int64_t xs, T* value) { return lse(n, x, xs, value); }                                          \
  int ricci_max##f(int64_t n, const T* x, int64_t xs, T* value) { return max(n, x, xs, value); }                                          \
  int ricci_min##f(int64_t n, const T* x, int64_t xs, T* value) { return min(n, x, xs, value); }                                          \
  int ricci_coprod##f(int64_t n, const T* x, int64_t xs, T* y, int64_t ys) { return coprod(n, x, xs, y, ys); }                            \
  int ricci_argmax##f(int64_t n, const T* x, int64_t xs, T* y, int64_t ys) { return argmax(n, x, xs, y, ys); }                            \
  T ricci_polygamma##f(T order, T x) { return T(polygamma(order, x)); }                                                                   \
  T ricci_lgamma##f(T x) { return T(log_gamma(double(x))); }

#define RICCI_KERNEL(...)
#include "runtime/kernels.def"
#undef RICCI_KERNEL

extern "C" {
namespace f64 {
RICCI_TWINS(double, )
}
namespace f32 {
RICCI_TWINS(float, f)
}
}

}  // namespace ricci::rt
