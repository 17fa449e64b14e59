// The scalar functions behind the `meaning` column of ir/elementwise.def, for double, float and __float128.
//
// Conventions (one place for all spellings of a function): step(0) = 1/2 and sign(0) = 0; max and min hand a NaN on; comparisons with a
// NaN are 0; pow0(0, y) = 0 unless y = 0. Dual numbers (ir/dual.h) and error-carrying numbers (ir/condition.h) add their overloads beside these and
// are found through their arguments, so one formula means the same over every scalar.
#pragma once
#include <cmath>
#include <concepts>
#include <limits>

namespace ricci::scalar {

__extension__ typedef __float128 Quad;

// --- what <cmath> and libquadmath have ---------------------------------------------------------------------------------------
// libquadmath is declared here because clang does not find gcc's <quadmath.h>.
#define RICCI_LIBM1(name)                                    \
  extern "C" Quad name##q(Quad);                             \
  inline float name(float x) { return std::name(x); }        \
  inline double name(double x) { return std::name(x); }      \
  inline Quad name(Quad x) { return name##q(x); }
#define RICCI_LIBM2(name)                                              \
  extern "C" Quad name##q(Quad, Quad);                                \
  inline float name(float x, float y) { return std::name(x, y); }     \
  inline double name(double x, double y) { return std::name(x, y); }  \
  inline Quad name(Quad x, Quad y) { return name##q(x, y); }
RICCI_LIBM1(exp)
RICCI_LIBM1(expm1)
RICCI_LIBM1(log)
RICCI_LIBM1(log1p)
RICCI_LIBM1(sqrt)
RICCI_LIBM1(cbrt)
RICCI_LIBM1(sin)
RICCI_LIBM1(cos)
RICCI_LIBM1(tan)
RICCI_LIBM1(asin)
RICCI_LIBM1(acos)
RICCI_LIBM1(atan)
RICCI_LIBM1(sinh)
RICCI_LIBM1(cosh)
RICCI_LIBM1(tanh)
RICCI_LIBM1(asinh)
RICCI_LIBM1(acosh)
RICCI_LIBM1(atanh)
RICCI_LIBM1(erf)
RICCI_LIBM1(erfc)
RICCI_LIBM1(lgamma)
RICCI_LIBM1(fabs)
RICCI_LIBM2(pow)
RICCI_LIBM2(atan2)
RICCI_LIBM2(hypot)
#undef RICCI_LIBM1
#undef RICCI_LIBM2

template <class T>
concept Real = std::same_as<T, float> || std::same_as<T, double> || std::same_as<T, Quad>;

// The number a scalar stands for, without its derivatives or error.
template <Real T>
T value_of(T x) { return x; }

// Whether a scalar is zero together with all its derivatives.
template <Real T>
bool is_zero(T x) { return x == 0; }

template <class T>
T pi() { return T(4 * atan(Quad(1))); }

// The named constant; the argument only says over which scalar.
template <class T>
T pi_of(const T&) { return pi<T>(); }

template <Real T>
T nan_of() { return T(std::numeric_limits<double>::quiet_NaN()); }
template <Real T>
T infinity_of() { return T(std::numeric_limits<double>::infinity()); }

// --- functions with a convention ---------------------------------------------------------------------------------------------
template <Real T>
T step(T x) { return x > 0 ? T(1) : x < 0 ? T(0) : x == 0 ? T(0.5) : x; }
template <Real T>
T sign(T x) { return x > 0 ? T(1) : x < 0 ? T(-1) : x; }
template <Real T>
T fmax_(T x, T y) { return x != x || y != y ? x + y : x > y ? x : y; }
template <Real T>
T fmin_(T x, T y) { return x != x || y != y ? x + y : x < y ? x : y; }
template <Real T>
T relu(T x) { return fmax_(x, T(0)); }
template <Real T>
T isless_(T x, T y) { return x < y ? T(1) : T(0); }
template <Real T>
T isequal_(T x, T y) { return x == y ? T(1) : T(0); }
template <Real T>
T select_(T c, T a, T b) { return c != 0 ? a : b; }
template <Real T>
T pow0(T x, T y) { return x == 0 && y != 0 ? T(0) : pow(x, y); }

// Stable at both ends: exp is only taken of what is not positive.
template <Real T>
T sigmoid(T x) {
  T e = exp(-fabs(x));
  return x >= 0 ? 1 / (1 + e) : e / (1 + e);
}
template <Real T>
T softplus(T x) { return fmax_(x, T(0)) + log1p(exp(-fabs(x))); }

template <Real T>
T normcdf(T x) { return erfc(-x / sqrt(T(2))) / 2; }
template <Real T>
T normpdf(T x) { return exp(-x * x / 2) / sqrt(2 * pi<T>()); }

// The (n+1)-th derivative of log Gamma: the recurrence psi_n(x) = psi_n(x + 1) - (-1)^n n! / x^(n+1) up to where the asymptotic series in
// Bernoulli numbers (Abramowitz and Stegun 6.4.11) has all the digits of T. NaN far down the negative axis, where there are only poles.
template <Real T>
T polygamma(int n, T x) {
  static constexpr double kBernoulli[][2] = {
      {1, 6},         {-1, 30},      {1, 42},          {-1, 30},        {5, 66},      {-691, 2730},         {7, 6},
      {-3617, 510},   {43867, 798},  {-174611, 330},   {854513, 138},   {-236364091, 2730}, {8553103, 6}, {-23749461029, 870},
      {8615841276005, 14322}};
  if (n < 0 || !(x > -10000)) return nan_of<T>();
  if (x > 0 && x + x == x) return n == 0 ? x : T(0);  // +inf
  T factorial = 1;                                     // n!
  for (int k = 2; k <= n; ++k) factorial *= k;
  const T sign = n % 2 ? T(1) : T(-1);  // (-1)^(n+1)
  T shift = 0;
  for (const T enough = 30 + 5 * n; x < enough; x += 1) shift += sign * factorial / pow(x, T(n + 1));
  const T inverse = 1 / x, square = inverse * inverse;
  // psi_n(x) ~ (-1)^(n+1) ((n-1)!/x^n + n!/(2 x^(n+1)) + sum_k B_2k (2k+n-1)!/((2k)! x^(2k+n)))
  T power = pow(inverse, T(n));
  T series = (n == 0 ? -log(x) : factorial / n * power) + factorial / 2 * power * inverse;
  T ratio = factorial * (n + 1) / 2;  // (2k+n-1)!/(2k)! at k = 1
  power *= square;
  for (int k = 1; k <= 15; ++k) {
    series += T(kBernoulli[k - 1][0]) / T(kBernoulli[k - 1][1]) * ratio * power;
    ratio *= T(2 * k + n) * T(2 * k + n + 1) / (T(2 * k + 1) * T(2 * k + 2));
    power *= square;
  }
  return shift + sign * series;
}

}  // namespace ricci::scalar
