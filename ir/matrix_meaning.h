// What the functions of a matrix in ir/functions.def compute beyond determinants and inverses, on one core, over any scalar: the primary
// functions expm, logm, sqrtm, sinm, cosm, the pseudoinverse, the top eigenpair and the triangles.
//
// Every choice (a number of squarings, a pivot, a rank, convergence) is made on values, everything else is arithmetic of the scalar; an iteration
// that converges quadratically gains an order of derivative a step too, so it runs on for a step per order after its values have settled.
#pragma once
#include <algorithm>
#include <span>
#include <stdexcept>
#include <tuple>
#include <utility>
#include <vector>

#include "ir/function_meaning.h"

namespace ricci::scalar {

template <class T>
struct Matrix {  // row-major
  size_t rows, columns;
  std::vector<T> entries;
  T& operator()(size_t i, size_t j) { return entries[i * columns + j]; }
  const T& operator()(size_t i, size_t j) const { return entries[i * columns + j]; }
};

template <class T>
using Value = decltype(value_of(T{}));

// How many nested derivatives a scalar carries.
template <class T>
inline constexpr int kOrders = 0;
template <class T>
inline constexpr int kOrders<Dual<T>> = 1 + kOrders<T>;

template <Real V>
V epsilon_of() {
  V e = 1;
  while (V(1) + e / 2 != V(1)) e /= 2;
  return e;
}

// --- arithmetic ----------------------------------------------------------------------------------------------------------------------

template <class T>
Matrix<T> filled(size_t rows, size_t columns, const T& value) { return {rows, columns, std::vector<T>(rows * columns, value)}; }

template <class T>
Matrix<T> undefined(size_t rows, size_t columns) { return filled(rows, columns, T(nan_of<Value<T>>())); }

template <class T>
Matrix<T> identity(size_t n) {
  Matrix<T> r = filled(n, n, T(0));
  for (size_t i = 0; i < n; ++i) r(i, i) = T(1);
  return r;
}

template <class T>
Matrix<T> operator*(const Matrix<T>& a, const Matrix<T>& b) {
  Matrix<T> r = filled(a.rows, b.columns, T(0));
  for (size_t i = 0; i < a.rows; ++i)
    for (size_t j = 0; j < b.columns; ++j)
      for (size_t k = 0; k < a.columns; ++k) r(i, j) += a(i, k) * b(k, j);
  return r;
}
template <class T>
Matrix<T> operator*(const T& c, Matrix<T> a) {
  for (T& e : a.entries) e = c * e;
  return a;
}
template <class T>
Matrix<T> operator+(Matrix<T> a, const Matrix<T>& b) {
  for (size_t i = 0; i < a.entries.size(); ++i) a.entries[i] = a.entries[i] + b.entries[i];
  return a;
}
template <class T>
Matrix<T> operator-(Matrix<T> a, const Matrix<T>& b) {
  for (size_t i = 0; i < a.entries.size(); ++i) a.entries[i] = a.entries[i] - b.entries[i];
  return a;
}
template <class T>
Matrix<T> transpose(const Matrix<T>& a) {
  Matrix<T> r{a.columns, a.rows, {}};
  for (size_t j = 0; j < a.columns; ++j)
    for (size_t i = 0; i < a.rows; ++i) r.entries.push_back(a(i, j));
  return r;
}
template <class T>
Matrix<T> inv(const Matrix<T>& a) { return {a.rows, a.rows, inv(Square<T>{a.rows, a.entries}).entries}; }

template <class T>
Matrix<Value<T>> values(const Matrix<T>& a) {
  Matrix<Value<T>> r{a.rows, a.columns, {}};
  for (const T& e : a.entries) r.entries.push_back(value_of(e));
  return r;
}

// The largest sum of magnitudes in a row; NaN if there is one.
template <class T>
Value<T> row_sum_norm(const Matrix<T>& a) {
  Value<T> norm = 0;
  for (size_t i = 0; i < a.rows; ++i) {
    Value<T> sum = 0;
    for (size_t j = 0; j < a.columns; ++j) sum += fabs(value_of(a(i, j)));
    norm = fmax_(norm, sum);
  }
  return norm;
}
template <class T>
bool is_finite(const Matrix<T>& a) {
  const Value<T> norm = row_sum_norm(a);
  return norm - norm == 0;
}

// --- primary functions -------------------------------------------------------------------------------------------------------------------

// exp(X) = exp(X/2^s)^(2^s) with |X|/2^s <= 1/2, where the series needs 24 terms for __float128 and one more an order of derivative.
template <class T>
Matrix<T> expm(const Matrix<T>& x) {
  constexpr int kTerms = 30;
  if (!is_finite(x)) return undefined<T>(x.rows, x.rows);
  Value<T> scale = 1;
  int squarings = 0;
  for (Value<T> norm = row_sum_norm(x); norm > 0.5; norm /= 2) scale /= 2, ++squarings;
  const Matrix<T> small = T(scale) * x;
  Matrix<T> sum = identity<T>(x.rows), term = sum;
  for (int k = 1; k <= kTerms; ++k) {
    term = T(Value<T>(1) / k) * (term * small);
    sum = sum + term;
  }
  for (; squarings > 0; --squarings) sum = sum * sum;
  return sum;
}

// exp([0, -X; X, 0]) = [cos(X), -sin(X); sin(X), cos(X)]
template <class T>
Matrix<T> rotation(const Matrix<T>& x) {
  const size_t n = x.rows;
  Matrix<T> generator = filled(2 * n, 2 * n, T(0));
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j < n; ++j) generator(i, n + j) = -x(i, j), generator(n + i, j) = x(i, j);
  return expm(generator);
}
template <class T>
Matrix<T> block(const Matrix<T>& a, size_t row, size_t column, size_t n) {
  Matrix<T> r{n, n, {}};
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j < n; ++j) r.entries.push_back(a(row + i, column + j));
  return r;
}
template <class T>
Matrix<T> sinm(const Matrix<T>& x) { return block(rotation(x), x.rows, 0, x.rows); }
template <class T>
Matrix<T> cosm(const Matrix<T>& x) { return block(rotation(x), 0, 0, x.rows); }

// The product form of Denman and Beavers' iteration with scaling by the determinant (Higham, Functions of Matrices, 6.3): X -> X^(1/2),
// M -> I, and X*inv(A)*X = M throughout. It is Newton's method, so it never settles if an eigenvalue is on the closed negative axis.
template <class T>
Matrix<T> sqrtm(const Matrix<T>& a) {
  using V = Value<T>;
  constexpr int kMostSteps = 100, kStepsToPrecision = 3;
  const size_t n = a.rows;
  const Matrix<T> one = identity<T>(n);
  Matrix<T> x = a, m = a;
  int left = kStepsToPrecision + kOrders<T>;
  for (int step = 0; step < kMostSteps; ++step) {
    const V distance = row_sum_norm(m - one);
    if (!(distance - distance == 0)) break;
    if (distance < 1e-9 && left-- == 0) return x;
    const V mu = distance > 0.01 ? exp(-logdet(Square<V>{n, values(m).entries}) / V(double(2 * n))) : V(1);
    const Matrix<T> w = T(1 / (mu * mu)) * inv(m);
    x = T(mu / 2) * (x * (one + w));
    m = T(V(0.5)) * one + T(V(0.25)) * (T(mu * mu) * m + w);
  }
  return undefined<T>(n, n);
}

// log(A) = 2^k log(A^(1/2^k)) with a root near I, where log(Y) = 2 artanh((Y - I)*inv(Y + I)).
template <class T>
Matrix<T> logm(Matrix<T> a) {
  constexpr int kMostRoots = 100, kTerms = 26;
  const size_t n = a.rows;
  const Matrix<T> one = identity<T>(n);
  Value<T> power = 2;
  for (int k = 0; !(row_sum_norm(a - one) <= 0.25); ++k, power *= 2) {
    if (!is_finite(a) || k == kMostRoots) return undefined<T>(n, n);
    a = sqrtm(a);
  }
  const Matrix<T> z = (a - one) * inv(a + one), square = z * z;
  Matrix<T> sum = z, odd = z;
  for (int k = 1; k < kTerms; ++k) {
    odd = odd * square;
    sum = sum + T(Value<T>(1) / (2 * k + 1)) * odd;
  }
  return T(power) * sum;
}

// --- the pseudoinverse -------------------------------------------------------------------------------------------------------------------

// A = B*C with as many columns in B as the rank, by elimination with complete pivoting; then pinv(A) = C'*inv(C*C')*inv(B'*B)*B'. What is left of
// A when it is zero up to rounding is dropped with its derivatives: they are those at constant rank.
template <class T>
Matrix<T> pinv(const Matrix<T>& a) {
  using V = Value<T>;
  const size_t m = a.rows, n = a.columns;
  if (!is_finite(a)) return undefined<T>(n, m);
  Matrix<T> rest = a, columns{0, m, {}}, rows{0, n, {}};  // B', C
  V first = 0;
  while (rows.rows < std::min(m, n)) {
    size_t p = 0;
    for (size_t k = 0; k < rest.entries.size(); ++k)
      if (fabs(value_of(rest.entries[k])) > fabs(value_of(rest.entries[p]))) p = k;
    const size_t i = p / n, j = p % n;
    const V size = fabs(value_of(rest(i, j)));
    if (rows.rows == 0) first = size;
    if (size <= first * epsilon_of<V>() * V(double(8 * std::max(m, n)))) break;
    std::vector<T> column, row;
    for (size_t k = 0; k < m; ++k) column.push_back(rest(k, j));
    for (size_t k = 0; k < n; ++k) row.push_back(rest(i, k) / rest(i, j));
    for (size_t k = 0; k < m; ++k)
      for (size_t l = 0; l < n; ++l) rest(k, l) = k == i || l == j ? T(0) : rest(k, l) - column[k] * row[l];
    columns.entries.insert(columns.entries.end(), column.begin(), column.end());
    rows.entries.insert(rows.entries.end(), row.begin(), row.end());
    ++columns.rows, ++rows.rows;
  }
  if (kOrders<T> > 0 && rows.rows < std::min(m, n))
    for (const T& e : rest.entries) kink_touched = kink_touched || !is_zero(e);
  const Matrix<T> b = transpose(columns), c = transpose(rows);
  return c * (inv(rows * c) * (inv(columns * b) * columns));
}

// --- the top eigenpair of the symmetric part -------------------------------------------------------------------------------------------------

template <class T>
Matrix<T> symmetric_part(const Matrix<T>& a) { return T(Value<T>(0.5)) * (a + transpose(a)); }

// Jacobi's method in cycles: diagonalises `s`; the columns of the result are the eigenvectors.
template <Real V>
Matrix<V> diagonalise(Matrix<V>& s) {
  constexpr int kMostSweeps = 60;
  const size_t n = s.rows;
  const V nothing = row_sum_norm(s) * epsilon_of<V>() * epsilon_of<V>();
  Matrix<V> vectors = identity<V>(n);
  bool rotated = true;
  for (int sweep = 0; rotated && sweep < kMostSweeps; ++sweep) {
    rotated = false;
    for (size_t p = 0; p < n; ++p)
      for (size_t q = p + 1; q < n; ++q) {
        if (fabs(s(p, q)) <= nothing) continue;
        rotated = true;
        const V theta = (s(q, q) - s(p, p)) / (2 * s(p, q));
        const V t = (theta < 0 ? V(-1) : V(1)) / (fabs(theta) + hypot(V(1), theta)), c = 1 / hypot(V(1), t), d = c * t;
        auto turn = [&](V& x, V& y) { std::tie(x, y) = std::pair(c * x - d * y, d * x + c * y); };
        for (size_t k = 0; k < n; ++k) turn(s(k, p), s(k, q));
        for (size_t k = 0; k < n; ++k) turn(s(p, k), s(q, k));
        for (size_t k = 0; k < n; ++k) turn(vectors(k, p), vectors(k, q));
        s(p, q) = s(q, p) = 0;
      }
  }
  return vectors;
}

// The first entry whose size is within a thousandth of the largest is positive.
template <Real V>
void fix_sign(std::vector<V>& v) {
  V largest = 0;
  for (V e : v) largest = fmax_(largest, fabs(e));
  const auto lead = std::ranges::find_if(v, [&](V e) { return fabs(e) >= V(0.999) * largest; });
  if (lead != v.end() && *lead < 0)
    for (V& e : v) e = -e;
}

// The unit eigenvector of the largest eigenvalue: right in its values, then a step of Newton's method on S*v = r*v, v'*v = 1 for each order.
template <class T>
Matrix<T> top_vector(const Matrix<T>& s, int steps) {
  using V = Value<T>;
  const size_t n = s.rows;
  if (n == 0) throw std::invalid_argument("the largest eigenvalue of nothing");
  if (!is_finite(s)) return undefined<T>(n, 1);
  Matrix<V> diagonal = values(s);
  const Matrix<V> vectors = diagonalise(diagonal);
  size_t top = 0;
  for (size_t k = 1; k < n; ++k)
    if (diagonal(k, k) > diagonal(top, top)) top = k;
  for (size_t k = 0; k < n; ++k)
    if (k != top) note_kink(V(diagonal(top, top) - diagonal(k, k)), double(1 + fabs(diagonal(top, top))));
  std::vector<V> column;
  for (size_t i = 0; i < n; ++i) column.push_back(vectors(i, top));
  fix_sign(column);
  Matrix<T> v{n, 1, {column.begin(), column.end()}};
  for (; steps > 0; --steps) {
    const T r = (transpose(v) * (s * v)).entries[0];
    const Matrix<T> defect = s * v - r * v;
    Matrix<T> jacobian = filled(n + 1, n + 1, T(0)), residual = filled(n + 1, 1, T(0));
    for (size_t i = 0; i < n; ++i) {
      for (size_t j = 0; j < n; ++j) jacobian(i, j) = i == j ? s(i, j) - r : s(i, j);
      jacobian(i, n) = -v(i, 0), jacobian(n, i) = v(i, 0), residual(i, 0) = defect(i, 0);
    }
    residual(n, 0) = T(V(0.5)) * ((transpose(v) * v).entries[0] - T(1));
    const Matrix<T> change = inv(jacobian) * residual;
    for (size_t i = 0; i < n; ++i) v(i, 0) = v(i, 0) - change(i, 0);
  }
  return v;
}

// v'*S*v, which needs v to half the order only.
template <class T>
T eigmax(const Matrix<T>& a) {
  const Matrix<T> s = symmetric_part(a), v = top_vector(s, kOrders<T>);
  return (transpose(v) * (s * v)).entries[0];
}
template <class T>
std::vector<T> eigvecmax(const Matrix<T>& a) { return top_vector(symmetric_part(a), Real<T> ? 0 : std::max(1, kOrders<T>)).entries; }

// --- triangles ---------------------------------------------------------------------------------------------------------------------------

template <class T>
Matrix<T> triu(Matrix<T> a) {
  for (size_t i = 0; i < a.rows; ++i)
    for (size_t j = 0; j < std::min(i, a.columns); ++j) a(i, j) = T(0);
  return a;
}
template <class T>
Matrix<T> tril(const Matrix<T>& a) { return transpose(triu(transpose(a))); }

}  // namespace ricci::scalar
