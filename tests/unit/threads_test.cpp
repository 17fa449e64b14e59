// However many threads there are, each part of a job is done once, and kernels give the same bits.
#include "runtime/threads.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cfenv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "runtime/kernels.h"

namespace ricci::rt {
namespace {

struct Threads : testing::Test {
  void TearDown() override { set_threads(1); }
};

TEST_F(Threads, DoEveryPartOnceWithScratchOfTheirOwn) {
  double mine[1] = {};
  for (int count : {1, 2, 3, 7}) {
    set_threads(count);
    EXPECT_EQ(threads(), count);
    for (int64_t parts : {0, 1, 2, 5, 1000}) {
      std::vector<std::atomic<int>> done(static_cast<size_t>(parts));
      std::atomic<int> wrong = 0;
      run_parts(parts, mine, [&](int64_t part, double* scratch) {
        *scratch = double(part);
        for (int k = 0; k < 100; ++k) wrong += *scratch != double(part);
        ++done[size_t(part)];
      });
      for (const auto& d : done) EXPECT_EQ(d, 1);
      EXPECT_EQ(wrong, 0);
    }
  }
}

TEST_F(Threads, ZeroIsOnePerCpu) {
  set_threads(0);
  EXPECT_GE(threads(), 1);
  EXPECT_LE(threads(), int(std::max(1u, std::thread::hardware_concurrency())));
}

TEST_F(Threads, TurnsEndPartsInOrder) {
  set_threads(4);
  double mine[1];
  for (int time = 0; time < 50; ++time) {
    std::vector<int64_t> order;
    Turns turns;
    run_parts(40, mine, [&](int64_t part, double*) {
      turns.await(part);
      order.push_back(part);
      turns.pass(part);
    });
    ASSERT_EQ(order.size(), 40u);
    for (size_t k = 0; k < order.size(); ++k) ASSERT_EQ(order[k], int64_t(k));
  }
}

TEST_F(Threads, SeveralCallersAndNestedCallsAreServed) {
  set_threads(3);
  std::vector<std::thread> callers;
  std::atomic<int64_t> sum = 0;
  for (int c = 0; c < 4; ++c)
    callers.emplace_back([&] {
      double mine[1], inner[1];
      for (int time = 0; time < 50; ++time)
        run_parts(10, mine, [&](int64_t part, double*) { run_parts(2, inner, [&](int64_t k, double*) { sum += part + k; }); });
    });
  for (int time = 0; time < 20; ++time) set_threads(1 + time % 4);  // waits for jobs, disturbs none
  for (std::thread& t : callers) t.join();
  EXPECT_EQ(sum, 4 * 50 * (2 * 45 + 10));
}

TEST_F(Threads, TasksRoundAsTheirCallerDoes) {
  set_threads(4);
  double mine[1];
  std::atomic<int> different = 0;
  std::fesetround(FE_UPWARD);
  run_parts(64, mine, [&](int64_t, double*) { different += std::fegetround() != FE_UPWARD; });
  std::fesetround(FE_TONEAREST);
  EXPECT_EQ(different, 0);
}

TEST_F(Threads, AForkedProcessWorksAlone) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the thread sanitizer does not follow a fork of several threads";
#endif
  set_threads(3);
  const pid_t child = ::fork();
  if (child == 0) {
    double mine[1];
    std::atomic<int> done = 0;
    run_parts(9, mine, [&](int64_t, double*) { ++done; });
    ::_exit(done == 9 ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

// --- kernels ------------------------------------------------------------------------------------------------------------------------

struct Strides {
  int64_t rs, cs;
};
Strides by_rows(int64_t, int64_t n) { return {n, 1}; }
Strides by_columns(int64_t m, int64_t) { return {1, m}; }

template <class T>
std::vector<T> numbers(size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<T> uniform(T(-1), T(1));
  std::vector<T> v(count);
  for (T& x : v) x = uniform(random);
  return v;
}

template <class T>
struct Scratch {
  std::unique_ptr<void, void (*)(void*)> memory{std::aligned_alloc(64, RICCI_GEMM_WORK * sizeof(T)), std::free};
  T* data = static_cast<T*>(memory.get());
};

int gemm(int64_t m, int64_t n, int64_t k, double alpha, const double* a, Strides sa, const double* b, Strides sb, double beta, double* c,
         Strides sc, double* work) {
  return f64::ricci_gemm(m, n, k, alpha, a, sa.rs, sa.cs, b, sb.rs, sb.cs, beta, c, sc.rs, sc.cs, work);
}
int gemm(int64_t m, int64_t n, int64_t k, float alpha, const float* a, Strides sa, const float* b, Strides sb, float beta, float* c,
         Strides sc, float* work) {
  return f32::ricci_gemmf(m, n, k, alpha, a, sa.rs, sa.cs, b, sb.rs, sb.cs, beta, c, sc.rs, sc.cs, work);
}

template <class T>
struct Products : Threads {};
using Scalars = testing::Types<double, float>;
TYPED_TEST_SUITE(Products, Scalars);

// Shapes that go every way through the kernel: regions by rows and by columns, long sums, rows and columns of a vector's product, outer
// products.
TYPED_TEST(Products, AreTheSameBitsForAnyNumberOfThreads) {
  using T = TypeParam;
  Scratch<T> work;
  const int64_t shapes[][3] = {{211, 150, 90}, {150, 211, 90}, {30, 17, 9001}, {256, 31, 5003}, {257, 9, 4800}, {1, 2, 70000},
                               {700, 1, 401},  {37, 1, 20011}, {1, 41, 9973},  {500, 613, 1},   {5001, 1, 63},  {3, 1, 300007}};
  for (const auto& [m, n, k] : shapes)
    for (auto la : {by_rows, by_columns})
      for (auto lc : {by_rows, by_columns})
        for (T beta : {T(0), T(-0.75)}) {
          const T alpha = T(1.25);
          const auto a = numbers<T>(size_t(m * k), 1), b = numbers<T>(size_t(k * n), 2), before = numbers<T>(size_t(m * n), 3);
          std::vector<T> alone;
          for (int count : {1, 2, 3, 5}) {
            set_threads(count);
            auto c = before;
            gemm(m, n, k, alpha, a.data(), la(m, k), b.data(), la(k, n), beta, c.data(), lc(m, n), work.data);
            if (count == 1) alone = c;
            ASSERT_EQ(std::memcmp(c.data(), alone.data(), c.size() * sizeof(T)), 0)
                << m << "x" << k << "x" << n << " on " << count << " threads, beta " << beta;
          }
          for (int64_t i = 0; i < m; i += 1 + m / 7)
            for (int64_t j = 0; j < n; j += 1 + n / 5) {
              const Strides sa = la(m, k), sb = la(k, n), sc = lc(m, n);
              const size_t at = size_t(i * sc.rs + j * sc.cs);
              long double sum = beta == 0 ? 0 : (long double)beta * before[at], size = std::abs(sum);
              for (int64_t p = 0; p < k; ++p) {
                const long double term = (long double)alpha * a[size_t(i * sa.rs + p * sa.cs)] * b[size_t(p * sb.rs + j * sb.cs)];
                sum += term, size += std::abs(term);
              }
              ASSERT_NEAR(double(alone[at]), double(sum), double(std::sqrt((long double)k + 9) * std::numeric_limits<T>::epsilon() * size));
            }
        }
}

TYPED_TEST(Products, GramMatricesStaySymmetric) {
  using T = TypeParam;
  Scratch<T> work;
  for (const auto& [n, k] : std::initializer_list<std::pair<int64_t, int64_t>>{{40, 9000}, {300, 200}, {257, 5000}}) {
    const auto a = numbers<T>(size_t(n * k), 4);
    std::vector<T> alone;
    for (int count : {1, 2, 4}) {
      set_threads(count);
      std::vector<T> c(size_t(n * n), T(NAN));
      gemm(n, n, k, T(1), a.data(), Strides{1, n}, a.data(), Strides{n, 1}, T(0), c.data(), Strides{n, 1}, work.data);
      if (count == 1) alone = c;
      ASSERT_EQ(std::memcmp(c.data(), alone.data(), c.size() * sizeof(T)), 0) << n << " " << count;
      for (int64_t i = 0; i < n; ++i)
        for (int64_t j = 0; j < i; ++j) ASSERT_EQ(c[size_t(i * n + j)], c[size_t(j * n + i)]);
    }
  }
}

TEST_F(Threads, FactorisationsAreTheSameBitsForAnyNumber) {
  const int64_t n = 333;
  Scratch<double> work;
  auto a = numbers<double>(size_t(n * n), 5);
  const auto b = numbers<double>(size_t(n * n), 6);
  for (int64_t i = 0; i < n; ++i) a[size_t(i * (n + 1))] += double(n);
  std::vector<double> alone;
  for (int count : {1, 2, 3}) {
    set_threads(count);
    std::vector<double> all(size_t(2 * factor_size(n) + 2 * n * n));
    double *lu = all.data(), *chol = lu + factor_size(n), *x = chol + factor_size(n), *y = x + n * n;
    f64::ricci_lu(n, a.data(), n, 1, lu, work.data);
    f64::ricci_chol(n, a.data(), n, 1, chol, work.data);
    f64::ricci_lu_solve(n, n, 0, lu, b.data(), n, 1, x, n, 1, work.data);
    f64::ricci_chol_solve(n, n, chol, b.data(), n, 1, y, n, 1, work.data);
    if (count == 1) alone = all;
    ASSERT_EQ(std::memcmp(all.data(), alone.data(), all.size() * sizeof(double)), 0) << count;
  }
}

TEST_F(Threads, KernelsMayBeCalledFromSeveralThreadsAtOnce) {
  const int64_t m = 40, k = 9000;
  const auto a = numbers<double>(size_t(m * k), 7);
  std::vector<double> alone(size_t(m * m));
  Scratch<double> first;
  gemm(m, m, k, 1.0, a.data(), Strides{k, 1}, a.data(), Strides{1, k}, 0.0, alone.data(), Strides{m, 1}, first.data);
  set_threads(3);
  std::vector<std::thread> callers;
  for (int c = 0; c < 3; ++c)
    callers.emplace_back([&] {
      Scratch<double> work;
      for (int time = 0; time < 5; ++time) {
        std::vector<double> own(alone.size());
        gemm(m, m, k, 1.0, a.data(), Strides{k, 1}, a.data(), Strides{1, k}, 0.0, own.data(), Strides{m, 1}, work.data);
        EXPECT_EQ(own, alone);
      }
    });
  for (std::thread& t : callers) t.join();
}

}  // namespace
}  // namespace ricci::rt
