#include "passes/range.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace ricci {

End outer(const End& a, const End& b, bool upper) {
  if (!a.at || !b.at) return {std::nullopt, false};
  if (*a.at == *b.at) return {a.at, a.open && b.open};
  return (*a.at < *b.at) != upper ? a : b;
}
End inner(const End& a, const End& b, bool upper) {
  if (!a.at) return b;
  if (!b.at) return a;
  if (*a.at == *b.at) return {a.at, a.open || b.open};
  return (*a.at < *b.at) != upper ? b : a;
}
Range join(const End& low, const End& high) { return {low.at, high.at, low.open, high.open}; }
End low_of(const Range& r) { return {r.low, r.low_open}; }
End high_of(const Range& r) { return {r.high, r.high_open}; }

bool Range::inside(double a, double b) const {
  const bool above = !std::isfinite(a) || (low && (*low > Rational(a) || (*low == Rational(a) && low_open)));
  const bool below = !std::isfinite(b) || (high && (*high < Rational(b) || (*high == Rational(b) && high_open)));
  return above && below;
}

Range operator+(const Range& a, const Range& b) {
  Range r{.low_open = a.low_open || b.low_open, .high_open = a.high_open || b.high_open};
  if (a.low && b.low) r.low = *a.low + *b.low;
  if (a.high && b.high) r.high = *a.high + *b.high;
  return r;
}

Range operator*(const Rational& c, const Range& a) {
  if (c == 0) return {Rational(0), Rational(0)};
  Range r = a;
  if (r.low) *r.low *= c;
  if (r.high) *r.high *= c;
  if (c < 0) std::swap(r.low, r.high), std::swap(r.low_open, r.high_open);
  return r;
}

// The extreme products are among those of ends; 0 times an infinite end is 0, since no value is infinite.
Range operator*(const Range& a, const Range& b) {
  struct Product {
    int infinite;  // -1, 0, 1
    Rational value;
    bool open;
  };
  std::vector<Product> products;
  auto sign_of = [](const End& e, int side) { return e.at ? sgn(*e.at) : side; };
  for (int i : {-1, 1})
    for (int j : {-1, 1}) {
      const End x = i < 0 ? low_of(a) : high_of(a), y = j < 0 ? low_of(b) : high_of(b);
      const int s = sign_of(x, i) * sign_of(y, j);
      const bool zero_attained = (x.at && *x.at == 0 && !x.open) || (y.at && *y.at == 0 && !y.open);
      if (x.at && y.at) products.push_back({0, *x.at * *y.at, s == 0 ? !zero_attained : x.open || y.open});
      else if (s == 0) products.push_back({0, 0, !zero_attained});
      else products.push_back({s, 0, false});
    }
  auto less = [](const Product& p, const Product& q) { return p.infinite != q.infinite ? p.infinite < q.infinite : p.value < q.value; };
  auto same = [](const Product& p, const Product& q) { return p.infinite == q.infinite && p.value == q.value; };
  const Product low = *std::min_element(products.begin(), products.end(), less),
                high = *std::max_element(products.begin(), products.end(), less);
  Range r;
  if (low.infinite == 0) r.low = low.value, r.low_open = std::ranges::all_of(products, [&](auto& p) { return !same(p, low) || p.open; });
  if (high.infinite == 0)
    r.high = high.value, r.high_open = std::ranges::all_of(products, [&](auto& p) { return !same(p, high) || p.open; });
  return r;
}

Range intersection(const Range& a, const Range& b) { return join(inner(low_of(a), low_of(b), false), inner(high_of(a), high_of(b), true)); }
Range hull(const Range& a, const Range& b) { return join(outer(low_of(a), low_of(b), false), outer(high_of(a), high_of(b), true)); }

}  // namespace ricci
