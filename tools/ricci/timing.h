// Timing of short calls: medians, since a shared machine has outliers in one direction only.
#pragma once
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

namespace ricci::driver {

struct Timing {
  double median = 0, fastest = 0;  // seconds a call
};

// Calls `repeat` times, each timed; calls too short for the clock are timed in batches.
template <class F>
Timing time_calls(F call, int repeat) {
  using Clock = std::chrono::steady_clock;
  auto seconds = [&](int batch) {
    auto start = Clock::now();
    for (int k = 0; k < batch; ++k) call();
    return std::chrono::duration<double>(Clock::now() - start).count() / batch;
  };
  seconds(1);  // warms caches
  const double once = std::max(seconds(1), 1e-9);
  const int batch = std::clamp(int(2e-6 / once), 1, 1000);
  std::vector<double> times;
  for (int k = 0; k < repeat; ++k) times.push_back(seconds(batch));
  std::ranges::sort(times);
  return {times[times.size() / 2], times[0]};
}

inline std::string spell_seconds(double s) {
  if (s < 1e-6) return fmt::format("{:.1f} ns", 1e9 * s);
  if (s < 1e-3) return fmt::format("{:.2f} us", 1e6 * s);
  if (s < 1) return fmt::format("{:.3f} ms", 1e3 * s);
  return fmt::format("{:.3f} s", s);
}

}  // namespace ricci::driver
