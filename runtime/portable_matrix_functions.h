/* Matrix functions of runtime/kernels.def in plain C (and C++): expm, logm, sqrtm, sinm, cosm, pinv, eigmax, eigvecmax, triu, tril.
 *
 * They stand on gemm, lu and lu_solve alone. So there is one text of them: embedded in emitted code it calls the portable kernels, and
 * runtime/matrix_functions.cpp compiles it against the tuned ones. Matrices in scratch are row-major and behind the scratch of gemm.
 */
#include <math.h>
#include <stdint.h>

/* The distance from 1 to the next number. */
static inline REAL KERNEL(precision)(void) {
  return sizeof(REAL) == 4 ? (REAL)1.1920929e-07 : (REAL)2.220446049250313e-16;
}

/* The scratch behind RICCI_GEMM_WORK. */
static inline REAL* KERNEL(behind_gemm)(REAL* work) {
  return work + 163840;
}

static inline void KERNEL(gather)(int64_t m, int64_t n, const REAL* a, int64_t ars, int64_t acs, REAL* x) {
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < n; ++j) x[i * n + j] = a[i * ars + j * acs];
}

static inline void KERNEL(scatter)(int64_t m, int64_t n, const REAL* a, REAL* x, int64_t xrs, int64_t xcs) {
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < n; ++j) x[i * xrs + j * xcs] = a[i * n + j];
}

static inline void KERNEL(set_all)(int64_t m, int64_t n, REAL value, REAL* x, int64_t xrs, int64_t xcs) {
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < n; ++j) x[i * xrs + j * xcs] = value;
}

/* The largest sum of magnitudes in a row of A - s*I; NaN if there is one. */
static inline double KERNEL(distance)(int64_t n, const REAL* a, double s) {
  double most = 0;
  for (int64_t i = 0; i < n; ++i) {
    double sum = 0;
    for (int64_t j = 0; j < n; ++j) sum += fabs((double)a[i * n + j] - (i == j ? s : 0));
    if (!(sum <= most)) most = sum;
    if (!(most == most)) return most;
  }
  return most;
}

static inline void KERNEL(multiply)(int64_t n, const REAL* a, const REAL* b, REAL* c, REAL* work) {
  KERNEL(gemm)(n, n, n, (REAL)1, a, n, 1, b, n, 1, (REAL)0, c, n, 1, work);
}

/* exp(A) in place by scaling, a [13/13] Pade approximant and squaring (Higham, Functions of Matrices, algorithm 10.20). `t` has 6n^2 + n. */
static inline void KERNEL(exponential)(int64_t n, REAL* a, REAL* t, REAL* work) {
  const double b[] = {64764752532480000., 32382376266240000., 7771770303897600., 1187353796428800., 129060195264000., 10559470521600., 670442572800.,
                      33522128640., 1323241920., 40840800., 960960., 16380., 182., 1.};
  const int64_t nn = n * n;
  REAL *a2 = t, *a4 = a2 + nn, *a6 = a4 + nn, *u = a6 + nn, *p = u + nn, *v = p + nn;
  int squarings = 0;
  double norm = KERNEL(distance)(n, a, 0), scale = 1;
  if (!isfinite(norm)) {
    KERNEL(set_all)(n, n, (REAL)NAN, a, n, 1);
    return;
  }
  for (; norm > 5.371920351148152; norm /= 2, scale /= 2) ++squarings;
  for (int64_t i = 0; i < nn; ++i) a[i] = (REAL)((double)a[i] * scale);
  KERNEL(multiply)(n, a, a, a2, work);
  KERNEL(multiply)(n, a2, a2, a4, work);
  KERNEL(multiply)(n, a4, a2, a6, work);
  for (int64_t i = 0; i < nn; ++i) p[i] = (REAL)(b[13] * (double)a6[i] + b[11] * (double)a4[i] + b[9] * (double)a2[i]);
  KERNEL(multiply)(n, a6, p, v, work);
  for (int64_t i = 0; i < nn; ++i)
    v[i] = (REAL)((double)v[i] + b[7] * (double)a6[i] + b[5] * (double)a4[i] + b[3] * (double)a2[i] + (i % (n + 1) == 0 ? b[1] : 0));
  KERNEL(multiply)(n, a, v, u, work);
  for (int64_t i = 0; i < nn; ++i) p[i] = (REAL)(b[12] * (double)a6[i] + b[10] * (double)a4[i] + b[8] * (double)a2[i]);
  KERNEL(multiply)(n, a6, p, v, work);
  for (int64_t i = 0; i < nn; ++i)
    v[i] = (REAL)((double)v[i] + b[6] * (double)a6[i] + b[4] * (double)a4[i] + b[2] * (double)a2[i] + (i % (n + 1) == 0 ? b[0] : 0));
  for (int64_t i = 0; i < nn; ++i) {
    a2[i] = v[i] - u[i];
    a[i] = v[i] + u[i];
  }
  KERNEL(lu)(n, a2, n, 1, p, work);
  KERNEL(lu_solve)(n, n, 0, p, a, n, 1, a, n, 1, work);
  for (; squarings > 0; --squarings) {
    KERNEL(multiply)(n, a, a, a2, work);
    for (int64_t i = 0; i < nn; ++i) a[i] = a2[i];
  }
}

static inline int KERNEL(expm)(int64_t n, const REAL* a, int64_t ars, int64_t acs, REAL* x, int64_t xrs, int64_t xcs, REAL* work) {
  REAL* t = KERNEL(behind_gemm)(work);
  KERNEL(gather)(n, n, a, ars, acs, t);
  KERNEL(exponential)(n, t, t + n * n, work);
  KERNEL(scatter)(n, n, t, x, xrs, xcs);
  return 0;
}

/* exp([0, -A; A, 0]) = [cos(A), -sin(A); sin(A), cos(A)]. */
static inline REAL* KERNEL(rotation)(int64_t n, const REAL* a, int64_t ars, int64_t acs, REAL* work) {
  REAL* t = KERNEL(behind_gemm)(work);
  KERNEL(set_all)(2 * n, 2 * n, (REAL)0, t, 2 * n, 1);
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < n; ++j) {
      t[2 * n * i + n + j] = -a[i * ars + j * acs];
      t[2 * n * (n + i) + j] = a[i * ars + j * acs];
    }
  KERNEL(exponential)(2 * n, t, t + 4 * n * n, work);
  return t;
}

static inline int KERNEL(sinm)(int64_t n, const REAL* a, int64_t ars, int64_t acs, REAL* x, int64_t xrs, int64_t xcs, REAL* work) {
  const REAL* t = KERNEL(rotation)(n, a, ars, acs, work) + 2 * n * n;
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < n; ++j) x[i * xrs + j * xcs] = t[2 * n * i + j];
  return 0;
}

static inline int KERNEL(cosm)(int64_t n, const REAL* a, int64_t ars, int64_t acs, REAL* x, int64_t xrs, int64_t xcs, REAL* work) {
  const REAL* t = KERNEL(rotation)(n, a, ars, acs, work);
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < n; ++j) x[i * xrs + j * xcs] = t[2 * n * i + j];
  return 0;
}

static inline double KERNEL(inner)(int64_t n, const REAL* x, const REAL* y) {
  double sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += (double)x[i] * (double)y[i];
  return sum;
}

static inline void KERNEL(turn)(int64_t n, double c, double s, REAL* x, REAL* y) {
  for (int64_t i = 0; i < n; ++i) {
    const double old = (double)x[i];
    x[i] = (REAL)(c * old - s * (double)y[i]);
    y[i] = (REAL)(s * old + c * (double)y[i]);
  }
}

/* One-sided Jacobi (Hestenes): turns the k rows of W (of m entries) until they are orthogonal to each other, and the k rows of V, the unit matrix
   at first, with them. If the rows of W are the columns of A, then in the end W_i = A*V_i: singular values, left and right vectors. */
static inline void KERNEL(orthogonalise)(int64_t k, int64_t m, REAL* w, REAL* v) {
  const double enough = (double)KERNEL(precision)();
  int turned = 1;
  for (int64_t i = 0; i < k; ++i)
    for (int64_t j = 0; j < k; ++j) v[i * k + j] = (REAL)(i == j);
  for (int sweep = 0; turned && sweep < 60; ++sweep) {
    turned = 0;
    for (int64_t p = 0; p < k; ++p)
      for (int64_t q = p + 1; q < k; ++q) {
        REAL *x = w + p * m, *y = w + q * m;
        const double xx = KERNEL(inner)(m, x, x), yy = KERNEL(inner)(m, y, y), xy = KERNEL(inner)(m, x, y);
        double zeta, t, c;
        if (!(fabs(xy) > enough * sqrt(xx) * sqrt(yy))) continue;
        turned = 1;
        zeta = (yy - xx) / (2 * xy);
        t = (zeta < 0 ? -1.0 : 1.0) / (fabs(zeta) + hypot(1.0, zeta));
        c = 1 / hypot(1.0, t);
        KERNEL(turn)(m, c, c * t, x, y);
        KERNEL(turn)(k, c, c * t, v + p * k, v + q * k);
      }
  }
}

/* The symmetric matrix with eigenvectors V_i and eigenvalues f(d_i), where W_i = d_i*V_i, in place of W; f is the root or the logarithm. Status 1, and NaN,
   if an eigenvalue is not positive. */
static inline int KERNEL(of_spectrum)(int64_t n, int is_root, REAL* w, const REAL* v) {
  double least = INFINITY, most = 0;
  for (int64_t i = 0; i < n; ++i) {
    const double d = KERNEL(inner)(n, w + i * n, v + i * n);
    if (!(d >= least)) least = d;
    if (!(d <= most)) most = d;
    w[i * n] = (REAL)(is_root ? sqrt(d) : log(d));
  }
  if (!(least > most * (double)n * (double)KERNEL(precision)() / 2) && n > 0) {
    KERNEL(set_all)(n, n, (REAL)NAN, w, n, 1);
    return 1;
  }
  return 0;
}

static inline int KERNEL(is_symmetric)(int64_t n, const REAL* a) {
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < i; ++j)
      if (!(a[i * n + j] == a[j * n + i])) return 0;
  return 1;
}

/* f(A) in place for a symmetric A. `t` has 2n^2 + n. */
static inline int KERNEL(symmetric_function)(int64_t n, int is_root, REAL* a, REAL* t) {
  REAL *v = t, *w = t + n * n;
  for (int64_t i = 0; i < n * n; ++i) w[i] = a[i];
  KERNEL(orthogonalise)(n, n, w, v);
  if (KERNEL(of_spectrum)(n, is_root, w, v)) {
    KERNEL(set_all)(n, n, (REAL)NAN, a, n, 1);
    return 1;
  }
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j <= i; ++j) {
      double sum = 0;
      for (int64_t k = 0; k < n; ++k) sum += (double)w[k * n] * (double)v[k * n + i] * (double)v[k * n + j];
      a[i * n + j] = a[j * n + i] = (REAL)sum;
    }
  return 0;
}

/* The principal root of A in place: the product form of Denman and Beavers' iteration, scaled by the determinant (Higham, Functions of Matrices,
   6.3), which never settles if an eigenvalue is on the closed negative axis. `t` has 4n^2 + n. */
static inline int KERNEL(root)(int64_t n, REAL* a, REAL* t, REAL* work) {
  const int64_t nn = n * n;
  const double settled = sqrt((double)KERNEL(precision)()) / 8;
  REAL *m = t, *w = m + nn, *p = w + nn, *f = p + nn;
  int last = 0;
  for (int64_t i = 0; i < nn; ++i) m[i] = a[i];
  for (int step = 0; step < 60; ++step) {
    const double far = KERNEL(distance)(n, m, 1);
    double mu = 1;
    if (!isfinite(far)) break;
    if (last) return 0;
    last = far < settled;
    KERNEL(lu)(n, m, n, 1, f, work);
    if (far > 0.01) {
      double sum = 0;
      for (int64_t i = 0; i < n; ++i) sum += log(fabs((double)f[i * (n + 1)]));
      mu = exp(-sum / (2 * (double)n));
    }
    KERNEL(set_all)(n, n, (REAL)0, w, n, 1);
    for (int64_t i = 0; i < n; ++i) w[i * (n + 1)] = (REAL)(1 / (mu * mu));
    KERNEL(lu_solve)(n, n, 0, f, w, n, 1, w, n, 1, work);
    for (int64_t i = 0; i < nn; ++i) {
      m[i] = (REAL)((mu * mu * (double)m[i] + (double)w[i]) / 4 + (i % (n + 1) == 0 ? 0.5 : 0));
      w[i] = (REAL)(((double)w[i] + (i % (n + 1) == 0 ? 1 : 0)) * mu / 2);
    }
    KERNEL(multiply)(n, a, w, p, work);
    for (int64_t i = 0; i < nn; ++i) a[i] = p[i];
  }
  KERNEL(set_all)(n, n, (REAL)NAN, a, n, 1);
  return 1;
}

static inline int KERNEL(sqrtm)(int64_t n, const REAL* a, int64_t ars, int64_t acs, REAL* x, int64_t xrs, int64_t xcs, REAL* work) {
  REAL* t = KERNEL(behind_gemm)(work);
  int status;
  KERNEL(gather)(n, n, a, ars, acs, t);
  status = KERNEL(is_symmetric)(n, t) ? KERNEL(symmetric_function)(n, 1, t, t + n * n) : KERNEL(root)(n, t, t + n * n, work);
  KERNEL(scatter)(n, n, t, x, xrs, xcs);
  return status;
}

/* log(A) = 2^k log(A^(1/2^k)) in place, with a root near I, where log(Y) = 2 artanh((Y - I)*inv(Y + I)). `t` has 4n^2 + n. */
static inline int KERNEL(logarithm)(int64_t n, REAL* a, REAL* t, REAL* work) {
  const int64_t nn = n * n;
  REAL *z = t, *q = z + nn, *s = q + nn, *f = s + nn;
  double power = 2;
  for (int k = 0; !(KERNEL(distance)(n, a, 1) <= 0.25); ++k, power *= 2)
    if (k == 60 || KERNEL(root)(n, a, t, work)) {
      KERNEL(set_all)(n, n, (REAL)NAN, a, n, 1);
      return 1;
    }
  for (int64_t i = 0; i < nn; ++i) {
    const REAL one = (REAL)(i % (n + 1) == 0);
    z[i] = a[i] - one;
    s[i] = a[i] + one;
  }
  KERNEL(lu)(n, s, n, 1, f, work);
  KERNEL(lu_solve)(n, n, 0, f, z, n, 1, z, n, 1, work);
  KERNEL(multiply)(n, z, z, q, work);
  KERNEL(set_all)(n, n, (REAL)0, s, n, 1);
  for (int k = 11; k >= 0; --k) { /* Horner: |z| <= 1/7 */
    KERNEL(multiply)(n, q, s, a, work);
    for (int64_t i = 0; i < nn; ++i) s[i] = a[i];
    for (int64_t i = 0; i < n; ++i) s[i * (n + 1)] += (REAL)(1 / (2.0 * k + 1));
  }
  KERNEL(multiply)(n, z, s, a, work);
  for (int64_t i = 0; i < nn; ++i) a[i] = (REAL)((double)a[i] * power);
  return 0;
}

static inline int KERNEL(logm)(int64_t n, const REAL* a, int64_t ars, int64_t acs, REAL* x, int64_t xrs, int64_t xcs, REAL* work) {
  REAL* t = KERNEL(behind_gemm)(work);
  int status;
  KERNEL(gather)(n, n, a, ars, acs, t);
  status = KERNEL(is_symmetric)(n, t) ? KERNEL(symmetric_function)(n, 0, t, t + n * n) : KERNEL(logarithm)(n, t, t + n * n, work);
  KERNEL(scatter)(n, n, t, x, xrs, xcs);
  return status;
}

/* Over the shorter side: the rows of W are the columns of A, or of A' if A has fewer rows; pinv(A) = sum of V_i*W_i'/(W_i'*W_i), or its transpose. */
static inline int KERNEL(pinv)(int64_t m, int64_t n, const REAL* a, int64_t ars, int64_t acs, REAL* x, int64_t xrs, int64_t xcs, REAL* work) {
  const int tall = m >= n;
  const int64_t k = tall ? n : m, l = tall ? m : n, ks = tall ? acs : ars, ls = tall ? ars : acs, xks = tall ? xrs : xcs, xls = tall ? xcs : xrs;
  REAL *w = work, *v = work + k * l;
  double most = 0, size = 0;
  KERNEL(gather)(k, l, a, ks, ls, w);
  for (int64_t i = 0; i < k * l; ++i)
    if (!(fabs((double)w[i]) <= size)) size = fabs((double)w[i]);
  KERNEL(set_all)(k, l, isfinite(size) ? (REAL)0 : (REAL)NAN, x, xks, xls);
  if (size == 0 || !isfinite(size)) return 0;
  for (int64_t i = 0; i < k * l; ++i) w[i] = (REAL)((double)w[i] / size);
  KERNEL(orthogonalise)(k, l, w, v);
  for (int64_t i = 0; i < k; ++i) {
    const double s = KERNEL(inner)(l, w + i * l, w + i * l);
    if (s > most) most = s;
  }
  for (int64_t p = 0; p < k; ++p) {
    const double s = KERNEL(inner)(l, w + p * l, w + p * l);
    if (!(sqrt(s) > sqrt(most) * (double)l * (double)KERNEL(precision)())) continue;
    for (int64_t i = 0; i < k; ++i)
      for (int64_t j = 0; j < l; ++j) x[i * xks + j * xls] += (REAL)((double)v[p * k + i] * (double)w[p * l + j] / s / size);
  }
  return 0;
}

/* The row of the result has the top eigenvector of S, the symmetric part of A: S + c*I with c = |S| is semidefinite, so that its singular values are
   its eigenvalues. NaN where A is not finite. */
static inline REAL* KERNEL(top_vector)(int64_t n, const REAL* a, int64_t ars, int64_t acs, double* value, REAL* work) {
  REAL *w = work, *v = work + n * n, *top = v;
  double shift, most = -1, largest = 0, lead = 0, sum = 0;
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < n; ++j) w[i * n + j] = (REAL)(((double)a[i * ars + j * acs] + (double)a[j * ars + i * acs]) / 2);
  shift = KERNEL(distance)(n, w, 0);
  if (!isfinite(shift)) {
    KERNEL(set_all)(n, n, (REAL)NAN, v, n, 1);
    *value = NAN;
    return v;
  }
  for (int64_t i = 0; i < n; ++i) w[i * (n + 1)] = (REAL)((double)w[i * (n + 1)] + shift);
  KERNEL(orthogonalise)(n, n, w, v);
  for (int64_t i = 0; i < n; ++i) {
    const double d = KERNEL(inner)(n, w + i * n, w + i * n);
    if (d > most) {
      most = d;
      top = v + i * n;
    }
  }
  for (int64_t i = 0; i < n; ++i)
    if (fabs((double)top[i]) > largest) largest = fabs((double)top[i]);
  for (int64_t i = 0; i < n && lead == 0; ++i)
    if (fabs((double)top[i]) >= 0.999 * largest) lead = (double)top[i] < 0 ? -1 : 1;
  for (int64_t i = 0; i < n; ++i) top[i] = (REAL)(lead * (double)top[i]);
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < n; ++j) sum += (double)top[i] * (double)a[i * ars + j * acs] * (double)top[j];
  *value = sum / KERNEL(inner)(n, top, top);
  return top;
}

static inline int KERNEL(eigmax)(int64_t n, const REAL* a, int64_t ars, int64_t acs, REAL* value, REAL* work) {
  double most = NAN;
  if (n > 0) KERNEL(top_vector)(n, a, ars, acs, &most, work);
  *value = (REAL)most;
  return n == 0;
}

static inline int KERNEL(eigvecmax)(int64_t n, const REAL* a, int64_t ars, int64_t acs, REAL* x, int64_t xs, REAL* work) {
  double most = 0;
  const REAL* top = work;
  if (n > 0) top = KERNEL(top_vector)(n, a, ars, acs, &most, work);
  for (int64_t i = 0; i < n; ++i) x[i * xs] = top[i];
  return n == 0;
}

static inline int KERNEL(triu)(int64_t m, int64_t n, const REAL* a, int64_t ars, int64_t acs, REAL* x, int64_t xrs, int64_t xcs) {
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < n; ++j) x[i * xrs + j * xcs] = j >= i ? a[i * ars + j * acs] : (REAL)0;
  return 0;
}

static inline int KERNEL(tril)(int64_t m, int64_t n, const REAL* a, int64_t ars, int64_t acs, REAL* x, int64_t xrs, int64_t xcs) {
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < n; ++j) x[i * xrs + j * xcs] = j <= i ? a[i * ars + j * acs] : (REAL)0;
  return 0;
}
