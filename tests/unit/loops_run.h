// Comparing compiled loop programs with the loop interpreter, for the tests of the back ends.
#pragma once
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <random>

#include "ir/loops_interpret.h"
#include "loops_programs.h"

namespace ricci::loops {

inline Program read(std::string_view text) {
  std::string error;
  std::optional<Program> p = from_text(text, error);
  EXPECT_TRUE(p) << error << "\n" << text;
  return p ? *std::move(p) : Program();
}

inline Program as_float(Program p) {
  p.scalar = Scalar::Float;
  return p;
}

inline int64_t elements(const Program& p, const Array& a, std::span<const int64_t> dims) {
  int64_t last = 0;
  for (size_t k = 0; k < a.shape.size(); ++k) {
    const int64_t n = *evaluate(p, a.shape[k], dims);
    if (n == 0) return 0;
    last += (n - 1) * *evaluate(p, a.strides[k], dims);
  }
  return last + 1;
}

// One call of a compiled function beside one of the interpreter, on the same random inputs. A Function has operator() with the raw ABI and
// work_bytes(dims).
template <class T>
struct Run {
  std::vector<std::vector<T>> in, expected, actual;
  Outcome outcome;
  int status = 0;

  template <class Function>
  Run(const Program& p, const Function& f, std::span<const int64_t> dims, unsigned seed, T low = -2, T high = 2) {
    std::mt19937 random(seed);
    std::uniform_real_distribution<T> number(low, high);
    for (const Array& a : p.arrays) {
      if (a.role == Array::Role::Work) continue;
      std::vector<T> data(size_t(elements(p, a, dims)));
      if (a.role == Array::Role::In)
        for (T& x : data) x = a.name == "order" ? std::round(number(random)) : number(random);
      (a.role == Array::Role::In ? in : expected).push_back(data);
    }
    // A guard behind each output catches stores beyond its end; an empty output is still asked for.
    actual = expected;
    for (auto& a : actual) a.resize(a.size() + 16, T(777));
    outcome = interpret<T>(p, in, expected, dims, rt::kernel_symbols());
    std::vector<const T*> ins;
    std::vector<T*> outs;
    for (auto& a : in) ins.push_back(a.data());
    for (auto& a : actual) outs.push_back(a.data());
    const size_t bytes = f.work_bytes(dims.data());
    EXPECT_GE(bytes, size_t(*work_bytes(p, dims)));
    void* work = std::aligned_alloc(64, (bytes + 127) / 64 * 64);
    status = f(ins.data(), outs.data(), dims.data(), work);
    std::free(work);
  }

  void compare(T tolerance, const std::string& what) const {
    EXPECT_EQ(outcome.error, "") << what;
    EXPECT_EQ(status, outcome.status) << what;
    for (size_t k = 0; k < expected.size(); ++k) {
      for (size_t i = 0; i < expected[k].size(); ++i) {
        const T e = expected[k][i], a = actual[k][i];
        if (std::isnan(e) || std::isinf(e)) EXPECT_TRUE(std::isnan(e) ? std::isnan(a) : a == e) << what << " entry " << i << ": " << a << " for " << e;
        else EXPECT_NEAR(a, e, tolerance * std::max(T(1), std::abs(e))) << what << " entry " << i;
      }
      for (size_t i = expected[k].size(); i < actual[k].size(); ++i) EXPECT_EQ(actual[k][i], T(777)) << what << " beyond its end";
    }
  }
};

template <class T>
constexpr T kTolerance = std::is_same_v<T, double> ? T(2e-14) : T(2e-5);

template <class Function>
void run(const Program& p, const Function& f, const std::vector<int64_t>& dims, const std::string& what, double low = -2, double high = 2) {
  if (p.scalar == Scalar::Double) Run<double>(p, f, dims, 1, low, high).compare(kTolerance<double>, what);
  else Run<float>(p, f, dims, 1, float(low), float(high)).compare(kTolerance<float>, what);
}

}  // namespace ricci::loops
