// The kernels of matrix functions, tuned and portable, double and float, against their meaning in __float128, and the meaning against closed forms.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "ir/interpret.h"
#include "ir/matrix_meaning.h"
#include "runtime/kernels.h"

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
using ricci::Quad;
using Meaning = ricci::scalar::Matrix<Quad>;
namespace scalar = ricci::scalar;

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

template <class K>
struct MatrixKernels : testing::Test {
  using T = typename K::T;
  std::mt19937 random{11};

  // Entries of about 1 and `diagonal` more on the diagonal.
  std::vector<T> numbers(int64_t m, int64_t n, double diagonal) {
    std::normal_distribution<double> normal;
    std::vector<T> a;
    for (int64_t i = 0; i < m; ++i)
      for (int64_t j = 0; j < n; ++j) a.push_back(T(normal(random) + (i == j ? diagonal : 0)));
    return a;
  }
  static std::vector<T> symmetric(std::vector<T> a, int64_t n) {
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = 0; j < i; ++j) a[size_t(i * n + j)] = a[size_t(j * n + i)];
    return a;
  }
  static Meaning exact(int64_t m, int64_t n, const std::vector<T>& a) {
    Meaning r{size_t(m), size_t(n), {}};
    for (T e : a) r.entries.push_back(Quad(e));
    return r;
  }
  static void expect_near(const std::vector<T>& got, const std::vector<Quad>& expected, double ulps, const char* what) {
    ASSERT_EQ(got.size(), expected.size());
    double size = 0, far = 0;
    for (size_t i = 0; i < got.size(); ++i) {
      size = std::max(size, std::fabs(double(expected[i])));
      far = std::max(far, std::fabs(double(Quad(got[i]) - expected[i])));
    }
    EXPECT_LE(far, ulps * double(std::numeric_limits<T>::epsilon()) * size) << what;
  }
  // Scratch as the table promises it, uninitialised, with a guard behind.
  struct Work {
    std::vector<T> memory;
    T* data;
    int64_t size;
    Work(const char* kernel, int64_t n) : size(work_size(*find_kernel(kernel), n)) {
      memory.assign(size_t(size) + 64 / sizeof(T) + 1, std::numeric_limits<T>::quiet_NaN());
      data = reinterpret_cast<T*>((reinterpret_cast<uintptr_t>(memory.data()) + 63) / 64 * 64);
      data[size] = T(77);
    }
    ~Work() { EXPECT_EQ(data[size], T(77)) << "wrote behind the scratch"; }
  };
  template <class Kernel>
  static std::vector<T> call(Kernel kernel, const char* name, int64_t n, const std::vector<T>& a, int status = 0) {
    Work work(name, n);
    std::vector<T> x(size_t(n * n), T(55));
    EXPECT_EQ(kernel(n, a.data(), n, 1, x.data(), n, 1, work.data), status) << name;
    std::vector<T> turned(size_t(n * n)), back(size_t(n * n));
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = 0; j < n; ++j) turned[size_t(j * n + i)] = a[size_t(i * n + j)];
    kernel(n, turned.data(), 1, n, back.data(), 1, n, work.data);  // the same through other strides
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = 0; j < n; ++j) {
        const T here = x[size_t(i * n + j)], there = back[size_t(j * n + i)];
        EXPECT_TRUE(here == there || (std::isnan(here) && std::isnan(there))) << name;
      }
    return x;
  }
};
using Implementations = testing::Types<Tuned64, Tuned32, Portable64, Portable32>;
TYPED_TEST_SUITE(MatrixKernels, Implementations);

TYPED_TEST(MatrixKernels, PrimaryFunctionsMeanWhatTheInterpreterMeans) {
  for (int64_t n : {0, 1, 2, 3, 5, 8, 17}) {
    const auto a = this->numbers(n, n, 1), b = this->numbers(n, n, 4 + double(n)), s = TestFixture::symmetric(b, n);
    const Meaning x = TestFixture::exact(n, n, a), y = TestFixture::exact(n, n, b), z = TestFixture::exact(n, n, s);
    TestFixture::expect_near(TestFixture::call(TypeParam::expm, "expm", n, a), scalar::expm(x).entries, 1000, "expm");
    TestFixture::expect_near(TestFixture::call(TypeParam::sinm, "sinm", n, a), scalar::sinm(x).entries, 3000, "sinm");
    TestFixture::expect_near(TestFixture::call(TypeParam::cosm, "cosm", n, a), scalar::cosm(x).entries, 3000, "cosm");
    TestFixture::expect_near(TestFixture::call(TypeParam::sqrtm, "sqrtm", n, b), scalar::sqrtm(y).entries, 1000, "sqrtm");
    TestFixture::expect_near(TestFixture::call(TypeParam::logm, "logm", n, b), scalar::logm(y).entries, 1000, "logm");
    TestFixture::expect_near(TestFixture::call(TypeParam::sqrtm, "sqrtm", n, s), scalar::sqrtm(z).entries, 200, "sqrtm of a symmetric matrix");
    TestFixture::expect_near(TestFixture::call(TypeParam::logm, "logm", n, s), scalar::logm(z).entries, 500, "logm of a symmetric matrix");
  }
}

TYPED_TEST(MatrixKernels, PseudoinversesOfEveryShapeAndRank) {
  using T = typename TestFixture::T;
  for (int64_t m : {0, 1, 3, 6, 9})
    for (int64_t n : {0, 1, 2, 6, 11})
      for (int64_t rank : {int64_t{0}, int64_t{1}, std::min(m, n) - 1, std::min(m, n)}) {
        if (rank < 0 || rank > std::min(m, n)) continue;
        std::vector<T> a(size_t(m * n), T(0));  // whole numbers, so that the rank is what it is said to be
        for (int64_t r = 0; r < rank; ++r)
          for (int64_t i = 0; i < m; ++i)
            for (int64_t j = 0; j < n; ++j) a[size_t(i * n + j)] += T((i == r ? 3 : (i * 5 + r * 3) % 7 - 3) * (j == r ? 4 : (j * 3 + r * 5) % 5 - 2));
        std::vector<T> x(size_t(n * m), T(55));
        typename TestFixture::Work work("pinv", std::max(m, n));
        ASSERT_EQ(TypeParam::pinv(m, n, a.data(), n, 1, x.data(), m, 1, work.data), 0);
        TestFixture::expect_near(x, scalar::pinv(TestFixture::exact(m, n, a)).entries, 3000, "pinv");
      }
}

TYPED_TEST(MatrixKernels, TopEigenvalueAndVector) {
  using T = typename TestFixture::T;
  for (int64_t n : {1, 2, 3, 7, 20}) {
    const auto a = this->numbers(n, n, n == 7 ? -50 : 0);  // once with all eigenvalues negative
    T value;
    std::vector<T> v(static_cast<size_t>(n));
    typename TestFixture::Work work("eigmax", n);
    ASSERT_EQ(TypeParam::eigmax(n, a.data(), n, 1, &value, work.data), 0);
    TestFixture::expect_near({value}, {scalar::eigmax(TestFixture::exact(n, n, a))}, 200, "eigmax");
    ASSERT_EQ(TypeParam::eigvecmax(n, a.data(), n, 1, v.data(), 1, work.data), 0);
    TestFixture::expect_near(v, scalar::eigvecmax(TestFixture::exact(n, n, a)), 5000, "eigvecmax");
  }
  const T twice[] = {2, 0, 0, 0, 2, 0, 0, 0, 1};
  T value;
  typename TestFixture::Work work("eigmax", 3);
  EXPECT_EQ((TypeParam::eigmax(3, twice, 3, 1, &value, work.data), value), T(2)) << "a double eigenvalue has a value all the same";
  EXPECT_EQ(TypeParam::eigmax(0, twice, 0, 1, &value, work.data), 1);
  EXPECT_TRUE(std::isnan(value));
}

TYPED_TEST(MatrixKernels, TrianglesOfOblongMatrices) {
  using T = typename TestFixture::T;
  const T a[] = {1, 2, 3, 4, 5, 6, 7, 8};
  T x[8];
  TypeParam::triu(2, 4, a, 4, 1, x, 4, 1);
  EXPECT_EQ(std::vector<T>(x, x + 8), (std::vector<T>{1, 2, 3, 4, 0, 6, 7, 8}));
  TypeParam::tril(4, 2, a, 2, 1, x, 2, 1);
  EXPECT_EQ(std::vector<T>(x, x + 8), (std::vector<T>{1, 0, 3, 4, 5, 6, 7, 8}));
}

TYPED_TEST(MatrixKernels, NothingIsInventedWhereThereIsNoPrincipalValue) {
  using T = typename TestFixture::T;
  const std::vector<std::vector<T>> without = {{-1, 0, 0, -1}, {0, 0, 0, 0}, {1, 1, 1, 1}, {-2, 1, 0, 3}, {1, 2, 2, 1}, {0, 1, 0, 0}};
  for (const auto& a : without) {
    for (T e : TestFixture::call(TypeParam::sqrtm, "sqrtm", 2, a, 1)) EXPECT_TRUE(std::isnan(e)) << a[0];
    for (T e : TestFixture::call(TypeParam::logm, "logm", 2, a, 1)) EXPECT_TRUE(std::isnan(e)) << a[0];
    for (Quad e : scalar::sqrtm(TestFixture::exact(2, 2, a)).entries) EXPECT_TRUE(e != e);
    for (Quad e : scalar::logm(TestFixture::exact(2, 2, a)).entries) EXPECT_TRUE(e != e);
  }
  const std::vector<T> with_nan = {1, std::numeric_limits<T>::quiet_NaN(), 0, 1};
  for (T e : TestFixture::call(TypeParam::expm, "expm", 2, with_nan)) EXPECT_TRUE(std::isnan(e));
}

// --- the meaning itself ------------------------------------------------------------------------------------------------------------------

void expect_equal(const Meaning& a, const Meaning& b, double tolerance = 1e-30) {
  ASSERT_EQ(a.entries.size(), b.entries.size());
  for (size_t i = 0; i < a.entries.size(); ++i) EXPECT_LE(double(scalar::fabs(a.entries[i] - b.entries[i])), tolerance);
}

TEST(MatrixMeaning, ClosedForms) {
  const Quad t = 0.75;
  expect_equal(scalar::expm(Meaning{2, 2, {0, -t, t, 0}}), Meaning{2, 2, {scalar::cos(t), -scalar::sin(t), scalar::sin(t), scalar::cos(t)}});
  expect_equal(scalar::expm(Meaning{3, 3, {0, 1, 0, 0, 0, 1, 0, 0, 0}}), Meaning{3, 3, {1, 1, 0.5, 0, 1, 1, 0, 0, 1}});
  // x' = 3x - 4y, y' = 4x - 7y, x(0) = y(0) = 1: the eigenvalues are 1 and -5.
  const Quad fast = scalar::exp(-5 * t), slow = scalar::exp(t);
  expect_equal(scalar::expm(t * Meaning{2, 2, {3, -4, 4, -7}}) * Meaning{2, 1, {1, 1}}, Meaning{2, 1, {2 * slow / 3 + fast / 3, slow / 3 + 2 * fast / 3}});
  expect_equal(scalar::logm(Meaning{2, 2, {scalar::cos(t), -scalar::sin(t), scalar::sin(t), scalar::cos(t)}}), Meaning{2, 2, {0, -t, t, 0}});
  expect_equal(scalar::sqrtm(Meaning{2, 2, {5, 4, 4, 5}}), Meaning{2, 2, {2, 1, 1, 2}});
  expect_equal(scalar::sinm(Meaning{2, 2, {0, 1, 0, 0}}), Meaning{2, 2, {0, 1, 0, 0}});
  expect_equal(scalar::cosm(Meaning{2, 2, {t, 1, 0, t}}), Meaning{2, 2, {scalar::cos(t), -scalar::sin(t), 0, scalar::cos(t)}});
  expect_equal(scalar::pinv(Meaning{2, 3, {1, 2, 3, 2, 4, 6}}), scalar::transpose(Quad(1) / 70 * Meaning{2, 3, {1, 2, 3, 2, 4, 6}}));
  EXPECT_EQ(double(scalar::eigmax(Meaning{2, 2, {1, 3, 1, 1}})), 3) << "of the symmetric part";
  expect_equal({2, 1, scalar::eigvecmax(Meaning{2, 2, {1, -2, -2, 1}})}, Meaning{2, 1, {scalar::sqrt(Quad(0.5)), -scalar::sqrt(Quad(0.5))}});
}

}  // namespace
