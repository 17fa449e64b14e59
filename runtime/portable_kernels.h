/* The kernels of runtime/kernels.def in plain C (and C++), for emitted code that must stand alone: correct and simple, not tuned.
 *
 * The text is embedded in emitted files. REAL is the scalar (double if not set) and KERNEL(name) spells a function's name. Conventions, strides, status
 * codes and scratch are those of the table; the contents of a factorisation are private to whoever made it.
 */
#ifndef REAL
#define REAL double
#define KERNEL(name) ricci_##name
#endif
#include <math.h>
#include <stdint.h>

/* C = alpha*A*B + beta*C */
static inline int KERNEL(gemm)(int64_t m, int64_t n, int64_t k, REAL alpha, const REAL* a, int64_t ars, int64_t acs, const REAL* b, int64_t brs,
                               int64_t bcs, REAL beta, REAL* c, int64_t crs, int64_t ccs, REAL* work) {
  (void)work;
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t j = 0; j < n; ++j) c[i * crs + j * ccs] = beta == 0 ? (REAL)0 : beta * c[i * crs + j * ccs];
    for (int64_t p = 0; p < k; ++p) {
      const REAL f = alpha * a[i * ars + p * acs];
      for (int64_t j = 0; j < n; ++j) c[i * crs + j * ccs] += f * b[p * brs + j * bcs];
    }
  }
  return 0;
}

/* P*A = L*U. Behind the entries: the row exchanged with row i, plus one, negative if the pivot is zero up to rounding. */
static inline int KERNEL(lu)(int64_t n, const REAL* a, int64_t ars, int64_t acs, REAL* factor, REAL* work) {
  REAL* f = factor;
  REAL one = 1, epsilon = (REAL)2.220446049250313e-16;
  (void)work;
  if (sizeof(REAL) == 4) epsilon = (REAL)1.1920929e-07;
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < n; ++j) f[i * n + j] = a[i * ars + j * acs];
  for (int64_t j = 0; j < n; ++j) {
    int64_t best = j;
    for (int64_t i = j + 1; i < n; ++i)
      if (fabs((double)f[i * n + j]) > fabs((double)f[best * n + j])) best = i;
    f[n * n + j] = (REAL)(best + 1);
    for (int64_t c = 0; c < n && best != j; ++c) {
      const REAL t = f[j * n + c];
      f[j * n + c] = f[best * n + c];
      f[best * n + c] = t;
    }
    if (f[j * n + j] == 0) continue;
    for (int64_t i = j + 1; i < n; ++i) {
      const REAL l = f[i * n + j] / f[j * n + j];
      f[i * n + j] = l;
      for (int64_t c = j + 1; c < n; ++c) f[i * n + c] -= l * f[j * n + c];
    }
  }
  for (int64_t i = 0; i < n; ++i) {
    double cancelled = 0;
    for (int64_t p = 0; p < i; ++p) cancelled += fabs((double)f[i * n + p] * (double)f[p * n + i]);
    if (f[i * n + i] == 0 || fabs((double)f[i * n + i]) <= (double)n * (double)epsilon * cancelled) f[n * n + i] *= -one;
  }
  return 0;
}

/* A = L*L', reading the lower triangle; one entry behind says whether A was positive definite. */
static inline int KERNEL(chol)(int64_t n, const REAL* a, int64_t ars, int64_t acs, REAL* factor, REAL* work) {
  REAL* f = factor;
  int positive = 1;
  (void)work;
  for (int64_t j = 0; j < n; ++j) {
    REAL d = a[j * ars + j * acs];
    for (int64_t p = 0; p < j; ++p) d -= f[j * n + p] * f[j * n + p];
    if (!(d > 0)) positive = 0;
    d = (REAL)sqrt((double)d);
    f[j * n + j] = d;
    for (int64_t i = j + 1; i < n; ++i) {
      REAL s = a[i * ars + j * acs];
      for (int64_t p = 0; p < j; ++p) s -= f[i * n + p] * f[j * n + p];
      f[i * n + j] = s / d;
      f[j * n + i] = 0;
    }
  }
  if (n > 0) f[n * n] = (REAL)positive;
  for (int64_t i = 0; i < n * n && !positive; ++i) f[i] = (REAL)NAN;
  return !positive;
}

/* Solves T*X = X in place for a triangular T. */
static inline void KERNEL(triangular_solve)(int lower, int unit, int64_t n, int64_t k, const REAL* t, int64_t trs, int64_t tcs, REAL* x, int64_t xrs,
                                            int64_t xcs) {
  for (int64_t s = 0; s < n; ++s) {
    const int64_t i = lower ? s : n - 1 - s;
    for (int64_t c = 0; c < k; ++c) {
      REAL sum = x[i * xrs + c * xcs];
      for (int64_t q = 0; q < s; ++q) {
        const int64_t p = lower ? q : n - 1 - q;
        sum -= t[i * trs + p * tcs] * x[p * xrs + c * xcs];
      }
      x[i * xrs + c * xcs] = unit ? sum : sum / t[i * (trs + tcs)];
    }
  }
}

static inline void KERNEL(exchange_rows)(int64_t i, int64_t j, int64_t k, REAL* x, int64_t xrs, int64_t xcs) {
  for (int64_t c = 0; c < k && i != j; ++c) {
    const REAL t = x[i * xrs + c * xcs];
    x[i * xrs + c * xcs] = x[j * xrs + c * xcs];
    x[j * xrs + c * xcs] = t;
  }
}

static inline void KERNEL(copy)(int64_t n, int64_t k, const REAL* b, int64_t brs, int64_t bcs, REAL* x, int64_t xrs, int64_t xcs) {
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < k; ++j) x[i * xrs + j * xcs] = b[i * brs + j * bcs];
}

static inline void KERNEL(identity)(int64_t n, REAL* x, int64_t xrs, int64_t xcs) {
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < n; ++j) x[i * xrs + j * xcs] = (REAL)(i == j);
}

/* An exactly zero pivot gives NaN everywhere; a zero up to rounding gives what comes out, and the status. */
static inline int KERNEL(lu_solve)(int64_t n, int64_t k, int64_t transposed, const REAL* factor, const REAL* b, int64_t brs, int64_t bcs, REAL* x,
                                   int64_t xrs, int64_t xcs, REAL* work) {
  const REAL* f = factor;
  int singular = 0, zero = 0;
  (void)work;
  if (x != b) KERNEL(copy)(n, k, b, brs, bcs, x, xrs, xcs);
  for (int64_t i = 0; i < n; ++i) {
    if (f[n * n + i] < 0) singular = 1;
    if (f[i * n + i] == 0) zero = 1;
  }
  for (int64_t i = 0; i < n && zero; ++i)
    for (int64_t j = 0; j < k; ++j) x[i * xrs + j * xcs] = (REAL)NAN;
  if (zero) return 1;
  for (int64_t i = 0; i < n && !transposed; ++i) KERNEL(exchange_rows)(i, (int64_t)fabs((double)f[n * n + i]) - 1, k, x, xrs, xcs);
  KERNEL(triangular_solve)(1, !transposed, n, k, f, transposed ? 1 : n, transposed ? n : 1, x, xrs, xcs);
  KERNEL(triangular_solve)(0, transposed != 0, n, k, f, transposed ? 1 : n, transposed ? n : 1, x, xrs, xcs);
  for (int64_t i = n; i-- > 0 && transposed;) KERNEL(exchange_rows)(i, (int64_t)fabs((double)f[n * n + i]) - 1, k, x, xrs, xcs);
  return singular;
}

static inline int KERNEL(chol_solve)(int64_t n, int64_t k, const REAL* factor, const REAL* b, int64_t brs, int64_t bcs, REAL* x, int64_t xrs,
                                     int64_t xcs, REAL* work) {
  (void)work;
  if (x != b) KERNEL(copy)(n, k, b, brs, bcs, x, xrs, xcs);
  KERNEL(triangular_solve)(1, 0, n, k, factor, n, 1, x, xrs, xcs);
  KERNEL(triangular_solve)(0, 0, n, k, factor, 1, n, x, xrs, xcs);
  return n > 0 && factor[n * n] == 0;
}

static inline int KERNEL(lu_inv)(int64_t n, const REAL* factor, REAL* x, int64_t xrs, int64_t xcs, REAL* work) {
  KERNEL(identity)(n, x, xrs, xcs);
  return KERNEL(lu_solve)(n, n, 0, factor, x, xrs, xcs, x, xrs, xcs, work);
}

static inline int KERNEL(chol_inv)(int64_t n, const REAL* factor, REAL* x, int64_t xrs, int64_t xcs, REAL* work) {
  KERNEL(identity)(n, x, xrs, xcs);
  return KERNEL(chol_solve)(n, n, factor, x, xrs, xcs, x, xrs, xcs, work);
}

static inline int KERNEL(lu_det)(int64_t n, const REAL* factor, REAL* value) {
  REAL det = 1;
  for (int64_t i = 0; i < n; ++i) det *= (int64_t)fabs((double)factor[n * n + i]) != i + 1 ? -factor[i * n + i] : factor[i * n + i];
  *value = det;
  return 0;
}

static inline int KERNEL(chol_det)(int64_t n, const REAL* factor, REAL* value) {
  REAL root = 1;
  for (int64_t i = 0; i < n; ++i) root *= factor[i * n + i];
  *value = root * root;
  return n > 0 && factor[n * n] == 0;
}

static inline int KERNEL(lu_logdet)(int64_t n, const REAL* factor, REAL* value) {
  double sum = 0;
  int singular = 0;
  for (int64_t i = 0; i < n; ++i) {
    sum += log(fabs((double)factor[i * n + i]));
    if (factor[n * n + i] < 0) singular = 1;
  }
  *value = (REAL)sum;
  return singular;
}

static inline int KERNEL(chol_logdet)(int64_t n, const REAL* factor, REAL* value) {
  double sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += log((double)factor[i * n + i]);
  *value = (REAL)(2 * sum);
  return n > 0 && factor[n * n] == 0;
}

static inline int KERNEL(inv)(int64_t n, const REAL* a, int64_t ars, int64_t acs, REAL* x, int64_t xrs, int64_t xcs, REAL* work) {
  KERNEL(lu)(n, a, ars, acs, work, work);
  return KERNEL(lu_inv)(n, work, x, xrs, xcs, work);
}

static inline int KERNEL(solve)(int64_t n, int64_t k, const REAL* a, int64_t ars, int64_t acs, const REAL* b, int64_t brs, int64_t bcs, REAL* x,
                                int64_t xrs, int64_t xcs, REAL* work) {
  KERNEL(lu)(n, a, ars, acs, work, work);
  return KERNEL(lu_solve)(n, k, 0, work, b, brs, bcs, x, xrs, xcs, work);
}

static inline int KERNEL(det)(int64_t n, const REAL* a, int64_t ars, int64_t acs, REAL* value, REAL* work) {
  KERNEL(lu)(n, a, ars, acs, work, work);
  return KERNEL(lu_det)(n, work, value);
}

static inline int KERNEL(logdet)(int64_t n, const REAL* a, int64_t ars, int64_t acs, REAL* value, REAL* work) {
  KERNEL(lu)(n, a, ars, acs, work, work);
  return KERNEL(lu_logdet)(n, work, value);
}

/* Exchanges row i with row j (along 1, across n) or column i with column j (along n, across 1). */
static inline void KERNEL(exchange)(int64_t n, REAL* a, int64_t i, int64_t j, int64_t along, int64_t across) {
  for (int64_t k = 0; k < n && i != j; ++k) {
    const REAL t = a[i * across + k * along];
    a[i * across + k * along] = a[j * across + k * along];
    a[j * across + k * along] = t;
  }
}

/* By elimination with complete pivoting: adj(A) = det(P)*det(Q) * Q*adj(U)*inv(L)*P with
   adj(U) = det(U1) * [e*inv(U1), -inv(U1)*u; 0, 1], where U = [U1, u; 0, e]. */
static inline int KERNEL(adj)(int64_t n, const REAL* a, int64_t ars, int64_t acs, REAL* x, int64_t xrs, int64_t xcs, REAL* work) {
  REAL *f = work, *g = f + n * n, *p = g + n * n, *q = p + n, leading = 1;
  KERNEL(copy)(n, n, a, ars, acs, f, n, 1);
  for (int64_t k = 0; k < n; ++k) {
    int64_t row = k, column = k;
    for (int64_t i = k; i < n; ++i)
      for (int64_t j = k; j < n; ++j)
        if (!(fabs((double)f[i * n + j]) <= fabs((double)f[row * n + column]))) row = i, column = j;
    p[k] = (REAL)row;
    q[k] = (REAL)column;
    KERNEL(exchange)(n, f, k, row, 1, n);
    KERNEL(exchange)(n, f, k, column, n, 1);
    if ((row != k) != (column != k)) leading = -leading;
    if (k + 1 == n) break;
    leading *= f[k * n + k];
    if (f[k * n + k] == 0) {
      for (int64_t i = 0; i < n; ++i)
        for (int64_t j = 0; j < n; ++j) x[i * xrs + j * xcs] = 0;
      return 0;
    }
    for (int64_t i = k + 1; i < n; ++i) {
      f[i * n + k] /= f[k * n + k];
      for (int64_t j = k + 1; j < n; ++j) f[i * n + j] -= f[i * n + k] * f[k * n + j];
    }
  }
  for (int64_t c = 0; c < n; ++c) {
    for (int64_t i = 0; i < n; ++i) {
      REAL s = (REAL)(i == c);
      for (int64_t k = c; k < i; ++k) s -= f[i * n + k] * g[k * n + c];
      g[i * n + c] = s;
    }
    for (int64_t i = n - 1; i-- > 0;) {
      REAL s = f[n * n - 1] * g[i * n + c] - f[i * n + n - 1] * g[(n - 1) * n + c];
      for (int64_t k = i + 1; k + 1 < n; ++k) s -= f[i * n + k] * g[k * n + c];
      g[i * n + c] = s / f[i * n + i];
    }
    for (int64_t i = 0; i < n; ++i) g[i * n + c] *= leading;
  }
  for (int64_t k = n; k-- > 0;) {
    KERNEL(exchange)(n, g, k, (int64_t)q[k], 1, n);
    KERNEL(exchange)(n, g, k, (int64_t)p[k], n, 1);
  }
  KERNEL(copy)(n, n, g, n, 1, x, xrs, xcs);
  return 0;
}

static inline int KERNEL(prod)(int64_t n, const REAL* x, int64_t xs, REAL* value) {
  REAL product = 1;
  for (int64_t i = 0; i < n; ++i) product *= x[i * xs];
  *value = product;
  return 0;
}

static inline int KERNEL(coprod)(int64_t n, const REAL* x, int64_t xs, REAL* y, int64_t ys) {
  REAL before = 1, after = 1;
  for (int64_t i = 0; i < n; ++i) {
    y[i * ys] = before;
    before *= x[i * xs];
  }
  for (int64_t i = n; i-- > 0;) {
    y[i * ys] *= after;
    after *= x[i * xs];
  }
  return 0;
}

static inline int KERNEL(max)(int64_t n, const REAL* x, int64_t xs, REAL* value) {
  REAL best = n == 0 ? (REAL)NAN : x[0];
  for (int64_t i = 1; i < n && best == best; ++i)
    if (!(x[i * xs] <= best)) best = x[i * xs];
  *value = best;
  return n == 0;
}

static inline int KERNEL(min)(int64_t n, const REAL* x, int64_t xs, REAL* value) {
  REAL best = n == 0 ? (REAL)NAN : x[0];
  for (int64_t i = 1; i < n && best == best; ++i)
    if (!(x[i * xs] >= best)) best = x[i * xs];
  *value = best;
  return n == 0;
}

static inline int KERNEL(argmax)(int64_t n, const REAL* x, int64_t xs, REAL* y, int64_t ys) {
  REAL most, ties = 0, none = 0;
  KERNEL(max)(n, x, xs, &most);
  if (!(most == most)) none = most;
  for (int64_t i = 0; i < n; ++i)
    if (x[i * xs] == most) ties += 1;
  for (int64_t i = 0; i < n; ++i) y[i * ys] = x[i * xs] == most ? 1 / ties : none;
  return 0;
}

/* log sum exp(x) = m + log sum exp(x - m) with m = max(x) */
static inline int KERNEL(lse)(int64_t n, const REAL* x, int64_t xs, REAL* value) {
  REAL most = (REAL)-INFINITY;
  double sum = 0;
  if (n > 0) KERNEL(max)(n, x, xs, &most);
  *value = most;
  if (!isfinite((double)most)) return 0;
  for (int64_t i = 0; i < n; ++i) sum += exp((double)x[i * xs] - (double)most);
  *value = (REAL)((double)most + log(sum));
  return 0;
}

/* Abramowitz and Stegun 6.3.5, 6.3.18 and 6.3.7. */
static inline double KERNEL(digamma)(double x) {
  const double pi = 3.14159265358979323846;
  double sum = 0, s;
  if (x == 0) return copysign(INFINITY, -x);
  if (x < 0 && x == floor(x)) return NAN;
  if (x < 0) {
    sum = -pi / tan(pi * remainder(x, 1.0));
    x = 1 - x;
  }
  for (; x < 10; x += 1) sum -= 1 / x;
  s = 1 / (x * x);
  return sum + log(x) - 0.5 / x -
         s * (1. / 12 - s * (1. / 120 - s * (1. / 252 - s * (1. / 240 - s * (1. / 132 - s * (691. / 32760 - s * (1. / 12)))))));
}

/* The Hurwitz zeta function of integer s >= 2 at x > 0: Abramowitz and Stegun 23.1.30. */
static inline double KERNEL(hurwitz_zeta)(double s, double x) {
  const double bernoulli[] = {1. / 6, -1. / 30, 1. / 42, -1. / 30, 5. / 66, -691. / 2730, 7. / 6, -3617. / 510};
  const double end = s > 10 ? s : 10;
  double sum = 0, factor;
  for (; x < end; x += 1) sum += pow(x, -s);
  sum += pow(x, 1 - s) / (s - 1) + 0.5 * pow(x, -s);
  factor = s * pow(x, -s - 1) / 2;
  for (int k = 1; k <= 8; ++k) {
    sum += bernoulli[k - 1] * factor;
    factor *= (s + 2 * k - 1) * (s + 2 * k) / ((2 * k + 1) * (2 * k + 2) * x * x);
  }
  return sum;
}

/* The n-th derivative of cot where it is c: d/dx p(c) = -(1 + c^2)*p'(c). */
static inline double KERNEL(cot_derivative)(int n, double c) {
  double p[34] = {0, 1}, d[34], value = 0;
  for (int k = 1; k <= n; ++k) {
    for (int i = 0; i < 34; ++i) d[i] = 0;
    for (int i = 1; i <= k; ++i) {
      d[i - 1] -= i * p[i];
      d[i + 1] -= i * p[i];
    }
    for (int i = 0; i < 34; ++i) p[i] = d[i];
  }
  for (int i = n + 1; i >= 0; --i) value = value * c + p[i];
  return value;
}

static inline REAL KERNEL(polygamma)(REAL order, REAL x) {
  const double pi = 3.14159265358979323846, n = (double)order, z = (double)x;
  const int odd = fmod(n, 2) != 0;
  double positive;
  if (!(n >= 0) || n != floor(n) || !(z == z)) return (REAL)NAN;
  if (n == 0) return (REAL)KERNEL(digamma)(z);
  if (z <= 0 && z == floor(z)) return (REAL)(odd ? INFINITY : NAN);
  if (z <= 0 && n > 32) return (REAL)NAN;
  positive = (odd ? 1 : -1) * tgamma(n + 1) * KERNEL(hurwitz_zeta)(n + 1, z > 0 ? z : 1 - z);
  if (z > 0) return (REAL)positive;
  return (REAL)((odd ? -1 : 1) * positive - pow(pi, n + 1) * KERNEL(cot_derivative)((int)n, 1 / tan(pi * remainder(z, 1.0))));
}

static inline REAL KERNEL(lgamma)(REAL x) {
#ifdef __USE_MISC /* glibc, and not strict C */
  int sign; /* lgamma itself would write it to the global signgam */
  return (REAL)lgamma_r((double)x, &sign);
#else
  return (REAL)lgamma((double)x);
#endif
}
