// Sizes as polynomials with whole coefficients in the symbols for sizes: the normal form of every dimension that is built from others.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ir/graph.h"

namespace ricci {

// Per product of symbols (sorted names, repeated for powers) its coefficient; no zero coefficients. Numbers are clamped to 64 bits.
struct Extent {
  std::map<std::vector<std::string>, int64_t> terms;

  static Extent number(int64_t n);
  static Extent symbol(std::string name) { return {{{{std::move(name)}, 1}}}; }
  static Extent of(const Graph& g, DimId d);

  Extent& operator+=(const Extent& b);
  friend Extent operator+(Extent a, const Extent& b) { return a += b; }
  friend Extent operator-(const Extent& a, const Extent& b);
  friend Extent operator*(const Extent& a, const Extent& b);
  friend bool operator==(const Extent&, const Extent&) = default;

  // Whether it is at least 0 whatever the symbols are; a sufficient condition: no coefficient is negative.
  bool is_size() const;
  // Its value; every symbol has one in `sizes`.
  int64_t at(const std::map<std::string, int64_t, std::less<>>& sizes) const;
};

// a*b, if that is a size: nothing for more factors than any 64 bits hold (but for sizes of 1), a number beyond them, or too many terms (a product of
// k sums has 2^k).
std::optional<Extent> checked_product(const Extent& a, const Extent& b);

// The symbol that has no size yet and the size it has if `e` is `value`; nothing unless there is one such, linear, and the size is whole.
std::optional<std::pair<std::string, int64_t>> solve(const Extent& e, int64_t value, const std::map<std::string, int64_t, std::less<>>& sizes);

// As people write it: "m*n", "n + 1"; what is taken away stands last, "n - m", "n - 1".
std::string spell(const Extent& e);

// That it is at least 0, in words: "n >= 5", "m + n >= 2*k".
std::string condition(const Extent& at_least_zero);

}  // namespace ricci
