// Intervals with exact ends.
#pragma once
#include <optional>

#include "ir/rational.h"

namespace ricci {

// An interval with exact ends; no end: unbounded.
struct Range {
  std::optional<Rational> low = {}, high = {};
  bool low_open = false, high_open = false;

  bool nonnegative() const { return low && *low >= 0; }
  bool nonpositive() const { return high && *high <= 0; }
  bool positive() const { return low && (*low > 0 || (*low == 0 && low_open)); }
  bool negative() const { return high && (*high < 0 || (*high == 0 && high_open)); }
  bool excludes_zero() const { return positive() || negative(); }
  // Whether the interval lies in (low, high) given as doubles; ends that are infinite hold anything.
  bool inside(double low, double high) const;

  static Range all() { return {}; }
  static Range above(Rational bound, bool open) { return {bound, {}, open, false}; }
};

// An end of an interval on its way through arithmetic.
struct End {
  std::optional<Rational> at;  // none: infinite
  bool open;
};

Range operator+(const Range& a, const Range& b);
Range operator*(const Rational& c, const Range& a);
Range operator*(const Range& a, const Range& b);
Range intersection(const Range& a, const Range& b);
Range hull(const Range& a, const Range& b);

// The smaller of two lower ends, the larger of two upper ones if `upper`: what a hull keeps; and what an intersection keeps.
End outer(const End& a, const End& b, bool upper);
End inner(const End& a, const End& b, bool upper);
Range join(const End& low, const End& high);
End low_of(const Range& r);
End high_of(const Range& r);

}  // namespace ricci
