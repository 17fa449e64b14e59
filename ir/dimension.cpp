#include "ir/dimension.h"

#include <algorithm>
#include <limits>

namespace ricci {
namespace {

constexpr int64_t kLargest = std::numeric_limits<int64_t>::max();

int64_t clamped_product(int64_t a, int64_t b) {
  int64_t r;
  return __builtin_mul_overflow(a, b, &r) ? ((a < 0) == (b < 0) ? kLargest : -kLargest) : r;
}

int64_t clamped_sum(int64_t a, int64_t b) {
  int64_t r;
  return __builtin_add_overflow(a, b, &r) ? (a < 0 ? -kLargest : kLargest) : r;
}

void add(Extent& e, const std::vector<std::string>& symbols, int64_t coefficient) {
  int64_t& c = e.terms[symbols];
  c = clamped_sum(c, coefficient);
  if (c == 0) e.terms.erase(symbols);
}

}  // namespace

Extent Extent::number(int64_t n) {
  Extent e;
  if (n != 0) e.terms[{}] = n;
  return e;
}

Extent Extent::of(const Graph& g, DimId id) {
  const Dim& d = g[id];
  switch (d.kind) {
    case Dim::Kind::Symbol: return symbol(d.name);
    case Dim::Kind::Fixed: return number(d.size);
    case Dim::Kind::Product: {
      Extent e = number(1);
      for (DimId part : d.parts) e = e * of(g, part);
      return e;
    }
    case Dim::Kind::Sum: {
      Extent e;
      for (DimId part : d.parts) e = e + of(g, part);
      return e;
    }
  }
  return {};
}

Extent operator+(const Extent& a, const Extent& b) {
  Extent e = a;
  for (const auto& [symbols, c] : b.terms) add(e, symbols, c);
  return e;
}

Extent operator-(const Extent& a, const Extent& b) { return a + Extent::number(-1) * b; }

Extent operator*(const Extent& a, const Extent& b) {
  Extent e;
  for (const auto& [x, c] : a.terms)
    for (const auto& [y, d] : b.terms) {
      std::vector<std::string> symbols = x;
      symbols.insert(symbols.end(), y.begin(), y.end());
      std::ranges::sort(symbols);
      add(e, symbols, clamped_product(c, d));
    }
  return e;
}

bool Extent::is_size() const {
  return std::ranges::all_of(terms, [](const auto& term) { return term.second > 0; });
}

}  // namespace ricci
