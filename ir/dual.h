// Dual numbers a + b e with e^2 = 0 over any scalar; Dual<Dual<T>> carries second derivatives, and so on.
//
// The derivative of every function is written out here by hand and owes nothing to ir/elementwise.def: these numbers are the independent
// oracle for the table's derivative column and for differentiation. A zero slope stays zero (no 0*inf), and a function evaluated where it
// has a kink or a tie says so in `kink_touched`.
#pragma once
#include <concepts>

#include "ir/scalar.h"

namespace ricci::scalar {

template <class T>
struct Dual {
  T value{};
  T slope{};

  Dual() = default;
  template <std::convertible_to<T> U>
  Dual(U v) : value(T(v)) {}  // NOLINT: a number is a dual number
  Dual(T v, T d) : value(v), slope(d) {}

  friend Dual operator+(const Dual& a, const Dual& b) { return {a.value + b.value, a.slope + b.slope}; }
  friend Dual operator-(const Dual& a, const Dual& b) { return {a.value - b.value, a.slope - b.slope}; }
  friend Dual operator-(const Dual& a) { return {-a.value, -a.slope}; }
  friend Dual operator*(const Dual& a, const Dual& b) { return {a.value * b.value, times(b.value, a.slope) + times(a.value, b.slope)}; }
  friend Dual operator/(const Dual& a, const Dual& b) {
    T q = a.value / b.value;
    return {q, times(1 / b.value, a.slope) - times(q / b.value, b.slope)};
  }
  Dual& operator+=(const Dual& b) { return *this = *this + b; }
  Dual& operator-=(const Dual& b) { return *this = *this - b; }
  Dual& operator*=(const Dual& b) { return *this = *this * b; }
  Dual& operator/=(const Dual& b) { return *this = *this / b; }

  // `factor` times a slope, where a slope that is zero altogether stays zero whatever the factor.
  static T times(const T& factor, const T& slope) { return is_zero(slope) ? T{} : factor * slope; }
};

template <class T>
auto value_of(const Dual<T>& x) { return value_of(x.value); }
template <class T>
bool is_zero(const Dual<T>& x) { return is_zero(x.value) && is_zero(x.slope); }
template <class T>
bool operator==(const Dual<T>& x, const Dual<T>& y) { return value_of(x) == value_of(y); }

// Set when a function was evaluated at (or within rounding of) a point where it is not smooth; the caller clears it.
inline thread_local bool kink_touched = false;

// Notes a kink where the value of `x`, a difference of numbers of size `scale`, is nothing but rounding.
template <class T>
void note_kink(const T& x, double scale = 1) {
  if (fabs(value_of(x)) <= 1e-12 * scale) kink_touched = true;
}

// f(x) with the derivative `slope` = f'(x).
template <class T>
Dual<T> chain(const Dual<T>& x, const T& f, const T& slope) { return {f, Dual<T>::times(slope, x.slope)}; }

// Each row: the function, and its derivative from x (the argument) and f (the value).
#define RICCI_DUAL(name, derivative)          \
  template <class T>                          \
  Dual<T> name(const Dual<T>& u) {            \
    const T x = u.value, f = name(x);         \
    static_cast<void>(f);                     \
    return chain(u, f, T(derivative));        \
  }
RICCI_DUAL(exp, f)
RICCI_DUAL(expm1, exp(x))
RICCI_DUAL(log, 1 / x)
RICCI_DUAL(log1p, 1 / (1 + x))
RICCI_DUAL(sqrt, 1 / (2 * f))
RICCI_DUAL(cbrt, f / (3 * x))
RICCI_DUAL(sin, cos(x))
RICCI_DUAL(cos, -sin(x))
RICCI_DUAL(tan, 1 / (cos(x) * cos(x)))
RICCI_DUAL(asin, 1 / sqrt((1 - x) * (1 + x)))
RICCI_DUAL(acos, -1 / sqrt((1 - x) * (1 + x)))
RICCI_DUAL(atan, 1 / (1 + x * x))
RICCI_DUAL(sinh, cosh(x))
RICCI_DUAL(cosh, sinh(x))
RICCI_DUAL(tanh, 4 * sigmoid(2 * x) * sigmoid(-2 * x))
RICCI_DUAL(asinh, 1 / sqrt(x * x + 1))
RICCI_DUAL(acosh, 1 / (sqrt(x - 1) * sqrt(x + 1)))
RICCI_DUAL(atanh, 1 / ((1 - x) * (1 + x)))
RICCI_DUAL(sigmoid, sigmoid(x) * sigmoid(-x))
RICCI_DUAL(softplus, sigmoid(x))
RICCI_DUAL(erf, 2 / sqrt(pi<T>()) * exp(-x * x))
RICCI_DUAL(erfc, -2 / sqrt(pi<T>()) * exp(-x * x))
RICCI_DUAL(lgamma, polygamma(0, x))
RICCI_DUAL(normcdf, normpdf(x))
RICCI_DUAL(normpdf, -x * f)
#undef RICCI_DUAL

// --- functions with kinks: on the kink the slope is the one every spelling of the function shares ----------------------------------------------
#define RICCI_DUAL_KINK(name, derivative)     \
  template <class T>                          \
  Dual<T> name(const Dual<T>& u) {            \
    const T& x = u.value;                     \
    note_kink(x);                             \
    return chain(u, name(x), T(derivative));  \
  }
RICCI_DUAL_KINK(relu, step(x))
RICCI_DUAL_KINK(step, 0)
RICCI_DUAL_KINK(fabs, sign(x))
RICCI_DUAL_KINK(sign, 0)
#undef RICCI_DUAL_KINK

template <class T>
Dual<T> polygamma(int n, const Dual<T>& x) { return chain(x, polygamma(n, x.value), polygamma(n + 1, x.value)); }

// f(x, y) with its two partial derivatives; each is evaluated only where its argument moves.
template <class T, class F, class G>
Dual<T> chain(const Dual<T>& x, const Dual<T>& y, const T& f, F by_x, G by_y) {
  T slope{};
  if (!is_zero(x.slope)) slope = slope + by_x() * x.slope;
  if (!is_zero(y.slope)) slope = slope + by_y() * y.slope;
  return {f, slope};
}

// x^y is constant in x for y = 0, and its derivative by y is 0 where the power itself is.
template <class T>
Dual<T> pow(const Dual<T>& u, const Dual<T>& w) {
  const T &x = u.value, &y = w.value, f = pow(x, y);
  return chain(u, w, f, [&] { return is_zero(y) ? T{} : y * pow(x, y - 1); }, [&] { return value_of(f) == 0 ? T{} : f * log(x); });
}
template <class T>
Dual<T> pow0(const Dual<T>& u, const Dual<T>& w) {
  const T &x = u.value, &y = w.value, f = pow0(x, y);
  return chain(u, w, f, [&] { return is_zero(y) ? T{} : y * pow0(x, y - 1); }, [&] { return value_of(f) == 0 ? T{} : f * log(x); });
}

template <class T>
Dual<T> atan2(const Dual<T>& u, const Dual<T>& w) {
  const T &x = u.value, &y = w.value, r = x * x + y * y;
  return chain(u, w, atan2(x, y), [&] { return y / r; }, [&] { return -x / r; });
}
// Not differentiable at the origin, where its slope is 0.
template <class T>
Dual<T> hypot(const Dual<T>& u, const Dual<T>& w) {
  const T &x = u.value, &y = w.value, f = hypot(x, y);
  note_kink(f);
  const bool origin = value_of(f) == 0;
  return chain(u, w, f, [&] { return origin ? T{} : x / f; }, [&] { return origin ? T{} : y / f; });
}

template <class T>
void note_tie(const Dual<T>& x, const Dual<T>& y) {
  note_kink(value_of(x) - value_of(y), double(1 + fabs(value_of(x))));
}
template <class T>
Dual<T> fmax_(const Dual<T>& x, const Dual<T>& y) {
  note_tie(x, y);
  const T share = step(T(value_of(x) - value_of(y)));
  return {fmax_(x.value, y.value), Dual<T>::times(share, x.slope) + Dual<T>::times(1 - share, y.slope)};
}
template <class T>
Dual<T> fmin_(const Dual<T>& x, const Dual<T>& y) { return -fmax_(-x, -y); }
template <class T>
Dual<T> isless_(const Dual<T>& x, const Dual<T>& y) {
  note_tie(x, y);
  return {isless_(value_of(x), value_of(y))};
}
template <class T>
Dual<T> isequal_(const Dual<T>& x, const Dual<T>& y) {
  note_tie(x, y);
  return {isequal_(value_of(x), value_of(y))};
}
template <class T>
Dual<T> select_(const Dual<T>& c, const Dual<T>& a, const Dual<T>& b) { return value_of(c) != 0 ? a : b; }

// M_PI and other numbers that are not exact in double come from Quad.
template <class T>
  requires(!Real<T>)
T pi_of(const T&) { return T(pi<Quad>()); }

}  // namespace ricci::scalar
