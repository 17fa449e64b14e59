// Numbers that carry their own rounding error: what a computation in floating point may differ from its exact value, in units of eps.
//
// Every operation adds |result| (its own rounding) to the errors of its arguments times |derivative| (first-order running error
// analysis; Higham, Accuracy and Stability, 3.3). A sum of products gets its sum of absolute terms, an ill-conditioned function its
// condition number; the tolerance of a test is a small constant times eps times this.
#pragma once
#include <limits>

#include "ir/dual.h"

namespace ricci::scalar {

struct Conditioned {
  // Of zeros that are rounded only products of errors are left, of second order: at the largest epsilon, float's.
  static constexpr Quad kEpsilon = std::numeric_limits<float>::epsilon();

  Quad value = 0;
  Quad error = 0;  // in units of the machine epsilon of the arithmetic that is judged

  Conditioned() = default;
  template <std::convertible_to<Quad> U>
  Conditioned(U v) : value(Quad(v)) {}  // NOLINT: an exact number
  Conditioned(Quad v, Quad e) : value(v), error(e) {}

  friend Conditioned operator+(const Conditioned& a, const Conditioned& b) {
    return rounded(a.value + b.value, a.error + b.error);
  }
  friend Conditioned operator-(const Conditioned& a, const Conditioned& b) {
    return rounded(a.value - b.value, a.error + b.error);
  }
  friend Conditioned operator-(const Conditioned& a) { return {-a.value, a.error}; }
  friend Conditioned operator*(const Conditioned& a, const Conditioned& b) {
    return rounded(a.value * b.value, a.error * fabs(b.value) + b.error * fabs(a.value) + a.error * b.error * kEpsilon);
  }
  friend Conditioned operator/(const Conditioned& a, const Conditioned& b) {
    Quad q = a.value / b.value;
    return rounded(q, (a.error + b.error * fabs(q)) / fabs(b.value));
  }
  Conditioned& operator+=(const Conditioned& b) { return *this = *this + b; }
  Conditioned& operator-=(const Conditioned& b) { return *this = *this - b; }
  Conditioned& operator*=(const Conditioned& b) { return *this = *this * b; }

  static Conditioned rounded(Quad v, Quad e) { return {v, e + fabs(v)}; }
};

inline Quad value_of(const Conditioned& x) { return x.value; }
inline bool is_zero(const Conditioned& x) { return x.value == 0 && x.error == 0; }

// A function's own error is some ulp of its value; its argument's error arrives times the derivative, which the dual numbers know.
template <class F>
Conditioned through(const Conditioned& x, F f) {
  const Dual<Quad> y = f(Dual<Quad>(x.value, 1));
  return {y.value, (x.error == 0 ? 0 : fabs(y.slope) * x.error) + 4 * fabs(y.value)};
}

#define RICCI_CONDITIONED(name) \
  inline Conditioned name(const Conditioned& x) { return through(x, [](const Dual<Quad>& u) { return name(u); }); }
RICCI_CONDITIONED(exp)
RICCI_CONDITIONED(expm1)
RICCI_CONDITIONED(log)
RICCI_CONDITIONED(log1p)
RICCI_CONDITIONED(sqrt)
RICCI_CONDITIONED(cbrt)
RICCI_CONDITIONED(sin)
RICCI_CONDITIONED(cos)
RICCI_CONDITIONED(tan)
RICCI_CONDITIONED(asin)
RICCI_CONDITIONED(acos)
RICCI_CONDITIONED(atan)
RICCI_CONDITIONED(sinh)
RICCI_CONDITIONED(cosh)
RICCI_CONDITIONED(tanh)
RICCI_CONDITIONED(asinh)
RICCI_CONDITIONED(acosh)
RICCI_CONDITIONED(atanh)
RICCI_CONDITIONED(sigmoid)
RICCI_CONDITIONED(softplus)
RICCI_CONDITIONED(relu)
RICCI_CONDITIONED(step)
RICCI_CONDITIONED(fabs)
RICCI_CONDITIONED(sign)
RICCI_CONDITIONED(erf)
RICCI_CONDITIONED(erfc)
RICCI_CONDITIONED(lgamma)
RICCI_CONDITIONED(normcdf)
RICCI_CONDITIONED(normpdf)
#undef RICCI_CONDITIONED

inline Conditioned polygamma(int n, const Conditioned& x) {
  return through(x, [n](const Dual<Quad>& u) { return polygamma(n, u); });
}

// f(x, y): the errors of both arguments add up.
template <class F>
Conditioned through(const Conditioned& x, const Conditioned& y, F f) {
  const Dual<Quad> by_x = f(Dual<Quad>(x.value, 1), Dual<Quad>(y.value));
  Quad error = 4 * fabs(by_x.value);
  if (x.error != 0) error += fabs(by_x.slope) * x.error;
  if (x.error != 0 && x.value == 0) error += fabs(f(Dual<Quad>(x.error * Conditioned::kEpsilon), Dual<Quad>(y.value)).value - by_x.value) / Conditioned::kEpsilon;
  if (y.error != 0) error += fabs(f(Dual<Quad>(x.value), Dual<Quad>(y.value, 1)).slope) * y.error;
  return {by_x.value, error};
}

#define RICCI_CONDITIONED(name)                                                                              \
  inline Conditioned name(const Conditioned& x, const Conditioned& y) {                                      \
    return through(x, y, [](const Dual<Quad>& u, const Dual<Quad>& w) { return name(u, w); });               \
  }
RICCI_CONDITIONED(pow)
RICCI_CONDITIONED(pow0)
RICCI_CONDITIONED(atan2)
RICCI_CONDITIONED(hypot)
RICCI_CONDITIONED(fmax_)
RICCI_CONDITIONED(fmin_)
RICCI_CONDITIONED(isless_)
RICCI_CONDITIONED(isequal_)
#undef RICCI_CONDITIONED

inline Conditioned select_(const Conditioned& c, const Conditioned& a, const Conditioned& b) { return c.value != 0 ? a : b; }

}  // namespace ricci::scalar
