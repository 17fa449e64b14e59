// Every kernel against its definition in long double, in both implementations (tuned and portable), both scalars, all layouts and awkward
// sizes.
#include "runtime/kernels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#define REAL double
#define KERNEL(name) portable64_##name
#include "runtime/portable_kernels.h"
#include "runtime/portable_matrix_functions.h"
#undef REAL
#undef KERNEL
#define REAL float
#define KERNEL(name) portable32_##name
#include "runtime/portable_kernels.h"
#include "runtime/portable_matrix_functions.h"
#undef REAL
#undef KERNEL

namespace {
using namespace ricci::rt;

// The kernels of one implementation and scalar, by the names of the table.
#define RICCI_KERNEL(name, ...) static constexpr auto name = &RICCI_SPELL(name);
struct Tuned64 {
  using T = double;
#define RICCI_SPELL(name) f64::ricci_##name
#include "runtime/kernels.def"
#undef RICCI_SPELL
};
struct Tuned32 {
  using T = float;
#define RICCI_SPELL(name) f32::ricci_##name##f
#include "runtime/kernels.def"
#undef RICCI_SPELL
};
struct Portable64 {
  using T = double;
#define RICCI_SPELL(name) portable64_##name
#include "runtime/kernels.def"
#undef RICCI_SPELL
};
struct Portable32 {
  using T = float;
#define RICCI_SPELL(name) portable32_##name
#include "runtime/kernels.def"
#undef RICCI_SPELL
};
#undef RICCI_KERNEL

using Long = std::vector<long double>;

template <class K>
struct Kernels : testing::Test {
  using T = typename K::T;
  static constexpr long double epsilon = std::numeric_limits<T>::epsilon();
  static constexpr T nan = std::numeric_limits<T>::quiet_NaN(), infinity = std::numeric_limits<T>::infinity();
  std::mt19937 random{7};

  std::vector<T> numbers(size_t count) {
    std::normal_distribution<double> normal;
    std::vector<T> v(count);
    for (T& x : v) x = T(normal(random));
    return v;
  }
  // Scratch of exactly the size the table promises, with a guard behind it.
  struct Work {
    std::vector<T> memory;
    T* data;
    int64_t size;
    explicit Work(int64_t n) : memory(size_t(n) + 64 / sizeof(T) + 1, T(77)), size(n) {
      data = reinterpret_cast<T*>((reinterpret_cast<uintptr_t>(memory.data()) + 63) / 64 * 64);
      for (int64_t i = 0; i < size; ++i) data[i] = nan;  // scratch is uninitialised
    }
    ~Work() { EXPECT_EQ(data[size], T(77)) << "wrote behind the scratch"; }
  };
  static Work work(const char* kernel, int64_t n) { return Work(work_size(*find_kernel(kernel), n)); }
};
using Implementations = testing::Types<Tuned64, Tuned32, Portable64, Portable32>;
TYPED_TEST_SUITE(Kernels, Implementations);

const int64_t kSizes[] = {0, 1, 2, 3, 5, 8, 17, 33, 64, 100};

// Element strides of an m x n matrix: row-major, column-major, and scattered with gaps.
struct Layout {
  int64_t rs, cs, extent;
};
std::vector<Layout> layouts(int64_t m, int64_t n) { return {{n, 1, m * n}, {1, m, m * n}, {2 * n + 3, 2, (2 * n + 3) * m + 2 * n}}; }

TYPED_TEST(Kernels, GemmMultipliesInEveryLayoutAndShape) {
  using T = typename TestFixture::T;
  const int64_t shapes[][3] = {{0, 3, 2}, {3, 0, 2}, {3, 2, 0},   {1, 1, 1},    {1, 7, 9},    {7, 1, 9},    {5, 6, 1},     {1, 1, 40},
                               {3, 5, 4}, {8, 8, 8}, {17, 33, 5}, {25, 49, 64}, {64, 17, 33}, {100, 70, 3}, {50, 600, 20}, {97, 9, 513}};
  for (const auto& [m, n, k] : shapes)
    for (const Layout& la : layouts(m, k))
      for (const Layout& lb : layouts(k, n))
        for (const Layout& lc : layouts(m, n))
          for (T beta : {T(0), T(1), T(-0.5)}) {
            if (m * n * k > 20000 && beta == 1) continue;
            const T alpha = T(1.5);
            const auto a = this->numbers(la.extent), b = this->numbers(lb.extent);
            auto c = this->numbers(lc.extent);
            if (beta == 0)
              for (int64_t i = 0; i < m; ++i)
                for (int64_t j = 0; j < n; ++j) c[i * lc.rs + j * lc.cs] = TestFixture::nan;
            const auto before = c;
            typename TestFixture::Work work(gemm_work(m, n, k));
            ASSERT_EQ(
                TypeParam::gemm(m, n, k, alpha, a.data(), la.rs, la.cs, b.data(), lb.rs, lb.cs, beta, c.data(), lc.rs, lc.cs, work.data),
                0);
            auto expected = before;
            for (int64_t i = 0; i < m; ++i)
              for (int64_t j = 0; j < n; ++j) {
                const int64_t at = i * lc.rs + j * lc.cs;
                long double sum = beta == 0 ? 0 : (long double)beta * before[at], size = std::abs(sum);
                for (int64_t p = 0; p < k; ++p) {
                  const long double term = (long double)alpha * a[i * la.rs + p * la.cs] * b[p * lb.rs + j * lb.cs];
                  sum += term, size += std::abs(term);
                }
                ASSERT_NEAR((double)c[at], (double)sum, (double)((k + 3) * this->epsilon * size))
                    << m << "x" << k << "x" << n << " strides " << la.rs << "," << la.cs << " " << lb.rs << "," << lb.cs << " " << lc.rs
                    << "," << lc.cs;
                expected[at] = c[at];
              }
            for (size_t i = 0; i < c.size(); ++i)
              ASSERT_TRUE(c[i] == expected[i] || std::isnan(expected[i])) << "wrote between the entries";
          }
}

TYPED_TEST(Kernels, GramMatricesAreExactlySymmetric) {
  for (int64_t n : kSizes) {
    const int64_t k = 37;
    const auto a = this->numbers(k * n);
    auto c = a;
    c.resize(n * n);
    auto work = this->work("gemm", n);
    TypeParam::gemm(n, n, k, 1, a.data(), 1, n, a.data(), n, 1, 0, c.data(), n, 1, work.data);
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = 0; j < n; ++j) {
        long double sum = 0, size = 0;
        for (int64_t p = 0; p < k; ++p)
          sum += (long double)a[p * n + i] * a[p * n + j], size += std::abs((long double)a[p * n + i] * a[p * n + j]);
        ASSERT_NEAR((double)c[i * n + j], (double)sum, (double)(40 * this->epsilon * size));
        ASSERT_EQ(c[i * n + j], c[j * n + i]);
      }
  }
}

TYPED_TEST(Kernels, NanAndInfinityPassThroughGemm) {
  using T = typename TestFixture::T;
  const T a[] = {TestFixture::nan, 1, TestFixture::infinity, 0}, b[] = {0, 2, 3, 4};
  T c[4];
  auto work = this->work("gemm", 2);
  TypeParam::gemm(2, 2, 2, 1, a, 2, 1, b, 2, 1, 0, c, 2, 1, work.data);
  EXPECT_TRUE(std::isnan(c[0]) && std::isnan(c[1]) && std::isnan(c[2]));
  EXPECT_EQ(c[3], TestFixture::infinity);
}

// The residual of A*X = B relative to |A||X|, entry by entry.
template <class T>
double residual(int64_t n, int64_t k, const std::vector<T>& a, const Layout& la, const std::vector<T>& x, const Layout& lx,
                const std::vector<T>& b, const Layout& lb) {
  double worst = 0;
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < k; ++j) {
      long double sum = -(long double)b[i * lb.rs + j * lb.cs], size = std::abs(sum);
      for (int64_t p = 0; p < n; ++p) {
        const long double term = (long double)a[i * la.rs + p * la.cs] * x[p * lx.rs + j * lx.cs];
        sum += term, size += std::abs(term);
      }
      worst = std::max(worst, double(std::abs(sum) / (size + 1e-300L)));
    }
  return worst;
}

TYPED_TEST(Kernels, SolvesAndInvertsByLu) {
  using T = typename TestFixture::T;
  for (int64_t n : kSizes)
    for (int64_t k : {int64_t(1), int64_t(3), n})
      for (size_t layout = 0; layout < 3; ++layout)
        for (int transposed : {0, 1}) {
          const Layout la = layouts(n, n)[layout], lb = layouts(n, k)[(layout + 1) % 3], lx = layouts(n, k)[layout];
          const auto a = this->numbers(la.extent), b = this->numbers(lb.extent);
          std::vector<T> x(lx.extent, T(5)), factor(factor_size(n));
          auto work = this->work("lu", n);
          ASSERT_EQ(TypeParam::lu(n, a.data(), la.rs, la.cs, factor.data(), work.data), 0);
          ASSERT_EQ(TypeParam::lu_solve(n, k, transposed, factor.data(), b.data(), lb.rs, lb.cs, x.data(), lx.rs, lx.cs, work.data), 0);
          const Layout solved = transposed ? Layout{la.cs, la.rs, la.extent} : la;
          ASSERT_LE((residual<T>(n, k, a, solved, x, lx, b, lb)), double(8 * n * this->epsilon));
          if (!transposed) {
            auto one_call = this->work("solve", n);
            auto y = b;  // in place
            ASSERT_EQ(TypeParam::solve(n, k, a.data(), la.rs, la.cs, y.data(), lb.rs, lb.cs, y.data(), lb.rs, lb.cs, one_call.data), 0);
            for (int64_t i = 0; i < n; ++i)
              for (int64_t j = 0; j < k; ++j)
                ASSERT_NEAR(y[i * lb.rs + j * lb.cs], x[i * lx.rs + j * lx.cs], 1e4 * n * double(this->epsilon));
          }
          if (k != n) continue;
          std::vector<T> inverse(la.extent), identity(n * n);
          for (int64_t i = 0; i < n; ++i) identity[i * n + i] = 1;
          auto inv_work = this->work("inv", n);
          ASSERT_EQ(TypeParam::inv(n, a.data(), la.rs, la.cs, inverse.data(), la.rs, la.cs, inv_work.data), 0);
          ASSERT_LE((residual<T>(n, n, a, la, inverse, la, identity, {n, 1, n * n})), double(8 * n * this->epsilon));
        }
}

TYPED_TEST(Kernels, FactorisesSymmetricPositiveDefiniteMatrices) {
  using T = typename TestFixture::T;
  for (int64_t n : kSizes)
    for (const Layout& l : layouts(n, n)) {
      const auto g = this->numbers(n * n);
      std::vector<T> a(l.extent), lower(l.extent, TestFixture::nan), factor(factor_size(n)), inverse(n * n), identity(n * n);
      for (int64_t i = 0; i < n; ++i) {
        identity[i * n + i] = 1;
        for (int64_t j = 0; j < n; ++j) {
          T sum = T(i == j);
          for (int64_t p = 0; p < n; ++p) sum += g[std::min(i, j) * n + p] * g[std::max(i, j) * n + p];
          a[i * l.rs + j * l.cs] = sum;
          if (j <= i) lower[i * l.rs + j * l.cs] = sum;
        }
      }
      auto work = this->work("chol", n);
      ASSERT_EQ(TypeParam::chol(n, lower.data(), l.rs, l.cs, factor.data(), work.data), 0);  // never reads the upper triangle
      ASSERT_EQ(TypeParam::chol_inv(n, factor.data(), inverse.data(), n, 1, work.data), 0);
      ASSERT_LE((residual<T>(n, n, a, l, inverse, {n, 1, n * n}, identity, {n, 1, n * n})), double(16 * (n + 1) * this->epsilon));
      const auto b = this->numbers(n);
      std::vector<T> x(n);
      ASSERT_EQ(TypeParam::chol_solve(n, 1, factor.data(), b.data(), 1, 1, x.data(), 1, 1, work.data), 0);
      ASSERT_LE((residual<T>(n, 1, a, l, x, {1, 1, n}, b, {1, 1, n})), double(16 * (n + 1) * this->epsilon));
      T by_chol, by_lu;
      auto lu_work = this->work("logdet", n);
      ASSERT_EQ(TypeParam::chol_logdet(n, factor.data(), &by_chol), 0);
      ASSERT_EQ(TypeParam::logdet(n, a.data(), l.rs, l.cs, &by_lu, lu_work.data), 0);
      ASSERT_NEAR(by_chol, by_lu, double((n + 1) * 1e4 * this->epsilon));
      if (n > 8) continue;
      ASSERT_EQ(TypeParam::chol_det(n, factor.data(), &by_chol), 0);
      ASSERT_NEAR(std::log(by_chol), by_lu, double((n + 1) * 1e3 * this->epsilon));
    }
}

// The determinant by its definition over the first row.
template <class T>
long double minor_det(int64_t n, const std::vector<T>& a, const std::vector<int64_t>& rows, const std::vector<int64_t>& columns) {
  if (rows.empty()) return 1;
  long double sum = 0;
  std::vector<int64_t> below(rows.begin() + 1, rows.end());
  for (size_t c = 0; c < columns.size(); ++c) {
    std::vector<int64_t> others = columns;
    others.erase(others.begin() + c);
    sum += (c % 2 ? -1 : 1) * (long double)a[rows[0] * n + columns[c]] * minor_det(n, a, below, others);
  }
  return sum;
}
std::vector<int64_t> all_but(int64_t n, int64_t k) {
  std::vector<int64_t> v;
  for (int64_t i = 0; i < n; ++i)
    if (i != k) v.push_back(i);
  return v;
}

// A matrix of this rank: a product of thin factors of small integers, so that it is exact.
template <class T>
std::vector<T> of_rank(int64_t n, int64_t rank, std::mt19937& random) {
  std::vector<T> a(n * n);
  for (int64_t r = 0; r < rank; ++r) {
    std::vector<int> u(n), v(n);
    for (int& x : u) x = int(random() % 7) - 3;
    for (int& x : v) x = int(random() % 7) - 3;
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = 0; j < n; ++j) a[i * n + j] += T(u[i] * v[j]);
  }
  return a;
}

TYPED_TEST(Kernels, DetAndAdjAreRightAtEveryRank) {
  using T = typename TestFixture::T;
  for (int64_t n = 0; n <= 6; ++n)
    for (int64_t rank = 0; rank <= n; ++rank)
      for (int trial = 0; trial < 10; ++trial) {
        const auto a = of_rank<T>(n, rank, this->random);
        long double scale = 1;
        for (int64_t i = 0; i < n; ++i) scale *= 3 * n;
        std::vector<T> x(n * n, TestFixture::nan);
        auto work = this->work("adj", n), det_work = this->work("det", n);
        ASSERT_EQ(TypeParam::adj(n, a.data(), n, 1, x.data(), 1, n, work.data), 0);
        for (int64_t i = 0; i < n; ++i)
          for (int64_t j = 0; j < n; ++j) {  // adj(A)_ji is the cofactor of A_ij; x is column-major
            const long double cofactor = ((i + j) % 2 ? -1 : 1) * minor_det(n, a, all_but(n, i), all_but(n, j));
            ASSERT_NEAR((double)x[i * n + j], (double)cofactor, (double)(8 * this->epsilon * scale)) << n << " rank " << rank;
          }
        T det;
        ASSERT_EQ(TypeParam::det(n, a.data(), n, 1, &det, det_work.data), 0);
        ASSERT_NEAR((double)det, (double)minor_det(n, a, all_but(n, -1), all_but(n, -1)), (double)(8 * this->epsilon * scale));
      }
}

TYPED_TEST(Kernels, SingularMatricesAreNeverSilentlyFinite) {
  using T = typename TestFixture::T;
  const std::vector<std::pair<int64_t, std::vector<T>>> singular = {{1, {0}},
                                                                    {2, {1, 0, 0, 0}},
                                                                    {2, {1, 2, 2, 4}},
                                                                    {3, {1, 2, 3, 4, 5, 6, 7, 8, 9}},
                                                                    {3, {T(.1), T(.2), T(.3), T(.4), T(.5), T(.6), T(.7), T(.8), T(.9)}}};
  for (const auto& [n, a] : singular) {
    std::vector<T> x(n * n), b(n, T(1)), factor(factor_size(n));
    T value;
    auto work = this->work("inv", n);
    EXPECT_EQ(TypeParam::inv(n, a.data(), n, 1, x.data(), n, 1, work.data), 1) << n;
    EXPECT_EQ(TypeParam::solve(n, 1, a.data(), n, 1, b.data(), 1, 1, x.data(), 1, 1, work.data), 1) << n;
    EXPECT_EQ(TypeParam::logdet(n, a.data(), n, 1, &value, work.data), 1) << n;
    EXPECT_LT(value, -10);
    EXPECT_EQ(TypeParam::det(n, a.data(), n, 1, &value, work.data), 0) << n;
    EXPECT_NEAR(value, 0, double(16 * this->epsilon));
  }
  const T zero_pivot[] = {1, 2, 2, 4};
  T x[4], factor[6];
  auto work = this->work("inv", 2);
  TypeParam::inv(2, zero_pivot, 2, 1, x, 2, 1, work.data);
  for (T v : x) EXPECT_FALSE(std::isfinite(v));
  const T indefinite[] = {1, 2, 2, 1};
  EXPECT_EQ(TypeParam::chol(2, indefinite, 2, 1, factor, work.data), 1);
  EXPECT_EQ(TypeParam::chol_inv(2, factor, x, 2, 1, work.data), 1);
  for (T v : x) EXPECT_TRUE(std::isnan(v));
  // Badly scaled is not singular.
  const T scaled[] = {1, 1, 0, T(1e-20)};
  EXPECT_EQ(TypeParam::inv(2, scaled, 2, 1, x, 2, 1, work.data), 0);
  const T graded[] = {T(1e-15), 0, 0, T(1e15)};
  EXPECT_EQ(TypeParam::inv(2, graded, 2, 1, x, 2, 1, work.data), 0);
}

TYPED_TEST(Kernels, LogSumExpIsStable) {
  using T = typename TestFixture::T;
  const T inf = TestFixture::infinity, nan = TestFixture::nan, big = T(1e30);
  T v;
  const auto lse = [&](std::vector<T> x) { return TypeParam::lse(int64_t(x.size()), x.data(), 1, &v), v; };
  EXPECT_EQ(lse({}), -inf);
  EXPECT_EQ(lse({T(3.5)}), T(3.5));
  EXPECT_EQ(lse({big, -big}), big);
  EXPECT_EQ(lse({-big, -big}), -big);
  EXPECT_NEAR(lse({1000, 1000}), 1000 + std::log(2.0), 1e-4);
  EXPECT_NEAR(lse({-1000, -1000}), -1000 + std::log(2.0), 1e-4);
  EXPECT_EQ(lse({-inf, -inf}), -inf);
  EXPECT_NEAR(lse({-inf, 2}), 2, 1e-7);
  EXPECT_EQ(lse({inf, 2}), inf);
  EXPECT_TRUE(std::isnan(lse({nan, inf})));
  EXPECT_TRUE(std::isnan(lse({1, nan})));
}

TYPED_TEST(Kernels, ReductionsKeepTheirConventions) {
  using T = typename TestFixture::T;
  const T nan = TestFixture::nan;
  T v, y[3];
  EXPECT_EQ((TypeParam::prod(0, nullptr, 1, &v), v), 1);
  EXPECT_EQ(TypeParam::max(0, nullptr, 1, &v), 1);
  EXPECT_TRUE(std::isnan(v));
  const T x[] = {2, 9, 0, 9, 3};
  EXPECT_EQ((TypeParam::prod(3, x, 2, &v), v), 0);
  EXPECT_EQ((TypeParam::max(3, x, 2, &v), v), 3);
  EXPECT_EQ((TypeParam::min(3, x, 2, &v), v), 0);
  TypeParam::coprod(3, x, 2, y, 1);
  EXPECT_EQ(y[0], 0);
  EXPECT_EQ(y[1], 6);
  EXPECT_EQ(y[2], 0);
  const T ties[] = {5, 1, 5};
  TypeParam::argmax(3, ties, 1, y, 1);
  EXPECT_EQ(y[0], T(0.5));
  EXPECT_EQ(y[1], T(0));
  EXPECT_EQ(y[2], T(0.5));
  const T with_nan[] = {5, nan, 7};
  EXPECT_TRUE(std::isnan((TypeParam::max(3, with_nan, 1, &v), v)));
  EXPECT_TRUE(std::isnan((TypeParam::min(3, with_nan, 1, &v), v)));
  TypeParam::argmax(3, with_nan, 1, y, 1);
  for (T e : y) EXPECT_TRUE(std::isnan(e));
}

// Values to 16 digits from tables (Abramowitz and Stegun 6.3, 6.4) and closed forms.
TYPED_TEST(Kernels, PolygammaAgreesWithClosedForms) {
  using T = typename TestFixture::T;
  const double pi = std::acos(-1.0), gamma = 0.57721566490153286, zeta3 = 1.2020569031595942;
  const std::vector<std::array<double, 3>> values = {{0, 1, -gamma},
                                                     {0, 0.5, -gamma - 2 * std::log(2.0)},
                                                     {0, 2, 1 - gamma},
                                                     {0, -0.5, 2 - gamma - 2 * std::log(2.0)},
                                                     {1, 1, pi * pi / 6},
                                                     {1, 0.5, pi * pi / 2},
                                                     {1, -0.5, pi * pi / 2 + 4},
                                                     {2, 1, -2 * zeta3},
                                                     {2, 0.5, -14 * zeta3},
                                                     {3, 1, std::pow(pi, 4) / 15},
                                                     {3, -0.5, std::pow(pi, 4) + 96},
                                                     {2, -0.5, -14 * zeta3 + 16},
                                                     {1, 100, 0.010050166663333571}};
  for (const auto& [order, x, value] : values)
    EXPECT_NEAR(TypeParam::polygamma(T(order), T(x)), value, 20 * double(this->epsilon) * std::max(1.0, std::abs(value)))
        << order << " " << x;
  EXPECT_TRUE(std::isnan(TypeParam::polygamma(0, -2)));
  EXPECT_TRUE(std::isnan(TypeParam::polygamma(1, TestFixture::nan)));
}

TYPED_TEST(Kernels, LogGammaIsThatAndWritesNoSign) {
  using T = typename TestFixture::T;
  const double pi = std::acos(-1.0);
  signgam = 7;
  EXPECT_NEAR(TypeParam::lgamma(T(0.5)), std::log(pi) / 2, 4 * double(this->epsilon));
  EXPECT_NEAR(TypeParam::lgamma(T(-0.5)), std::log(4 * pi) / 2, 4 * double(this->epsilon));
  EXPECT_NEAR(TypeParam::lgamma(T(11)), std::log(3628800.0), 32 * double(this->epsilon));
  EXPECT_TRUE(std::isinf(TypeParam::lgamma(T(-1))));
  EXPECT_TRUE(std::isnan(TypeParam::lgamma(TestFixture::nan)));
  EXPECT_EQ(signgam, 7);
}

TEST(KernelTable, SignaturesReadBackFromTheRows) {
  const Signature gemm = signature(find_kernel("gemm")->parameters);
  EXPECT_EQ(gemm.count, 15u);
  EXPECT_EQ(gemm.names[3], "alpha");
  EXPECT_EQ(gemm.parameters[3], Parameter::Scalar);
  EXPECT_EQ(gemm.parameters[11], Parameter::Out);
  EXPECT_EQ(gemm.parameters[14], Parameter::Work);
  EXPECT_EQ(kernel_symbols().size(), 2 * std::size(kKernels));
}

}  // namespace
