// Independent chains of fused multiply-adds fill both ports of any x86-64 core; a sum over memory far larger than the caches streams it.
#include "tools/ricci/machine.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <vector>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace ricci::driver {
namespace {

constexpr int kChains = 12;  // latency 4 times two ports, and some
constexpr int kSteps = 100'000;
volatile double sink;  // what is stored here cannot be optimised away

double seconds_of(auto&& work) {
  auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double portable_flops() {
  double a[kChains] = {};
  double seconds = seconds_of([&] {
    for (int step = 0; step < kSteps; ++step)
      for (double& x : a) x = x * 0.999 + 1;
  });
  for (double x : a) sink = x;
  return 2.0 * kChains * kSteps / seconds;
}

#if defined(__x86_64__)
__attribute__((target("avx2,fma"))) double avx2_flops() {
  __m256d a[kChains], factor = _mm256_set1_pd(0.999), one = _mm256_set1_pd(1);
  for (__m256d& x : a) x = one;
  auto start = std::chrono::steady_clock::now();
  for (int step = 0; step < kSteps; ++step)
#pragma GCC unroll 12
    for (int k = 0; k < kChains; ++k) a[k] = _mm256_fmadd_pd(a[k], factor, one);
  double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  for (__m256d x : a) sink = _mm256_cvtsd_f64(x);
  return 2.0 * 4 * kChains * kSteps / seconds;
}

__attribute__((target("avx512f"))) double avx512_flops() {
  __m512d a[kChains], factor = _mm512_set1_pd(0.999), one = _mm512_set1_pd(1);
  for (__m512d& x : a) x = one;
  auto start = std::chrono::steady_clock::now();
  for (int step = 0; step < kSteps; ++step)
#pragma GCC unroll 12
    for (int k = 0; k < kChains; ++k) a[k] = _mm512_fmadd_pd(a[k], factor, one);
  double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  for (__m512d x : a) sink = _mm512_cvtsd_f64(x);
  return 2.0 * 8 * kChains * kSteps / seconds;
}
#endif

double peak_flops() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) return avx512_flops();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return avx2_flops();
#endif
  return portable_flops();
}

double peak_bytes() {
  std::vector<double> memory(size_t(16) << 20, 1.0);  // 128 MiB
  double sums[8] = {};
  double seconds = seconds_of([&] {
    for (size_t k = 0; k + 8 <= memory.size(); k += 8)
      for (size_t lane = 0; lane < 8; ++lane) sums[lane] += memory[k + lane];
  });
  for (double s : sums) sink = s;
  return double(memory.size() * sizeof(double)) / seconds;
}

// The best of many short samples: a sample is slowed by whatever else runs, and sped up by nothing.
double best_of(int samples, double (*sample)()) {
  double best = 0;
  for (int k = 0; k < samples; ++k) best = std::max(best, sample());
  return best;
}

}  // namespace

MachineLimits measure_machine() { return {best_of(100, peak_flops), best_of(5, peak_bytes)}; }

}  // namespace ricci::driver
