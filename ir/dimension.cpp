#include "ir/dimension.h"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <ranges>

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
      for (DimId part : d.parts) e += of(g, part);
      return e;
    }
  }
  return {};
}

Extent& Extent::operator+=(const Extent& b) {
  for (const auto& [symbols, c] : b.terms) add(*this, symbols, c);
  return *this;
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

std::optional<Extent> checked_product(const Extent& a, const Extent& b) {
  constexpr size_t kMostFactors = 63, kMostTerms = 10'000;
  const auto degree = [](const Extent& e) {
    size_t d = 0;
    for (const auto& [symbols, c] : e.terms) d = std::max(d, symbols.size());
    return d;
  };
  if (degree(a) + degree(b) > kMostFactors || a.terms.size() * b.terms.size() > kMostTerms) return std::nullopt;
  Extent e = a * b;
  const bool clamped = std::ranges::any_of(e.terms, [](const auto& term) { return std::abs(term.second) == kLargest; });
  const Extent one = Extent::number(1);
  return clamped && a != one && b != one ? std::nullopt : std::optional(std::move(e));
}

bool Extent::is_size() const {
  return std::ranges::all_of(terms, [](const auto& term) { return term.second > 0; });
}

std::optional<std::pair<std::string, int64_t>> solve(const Extent& e, int64_t value, const std::map<std::string, int64_t, std::less<>>& sizes) {
  std::string open;
  int64_t coefficient = 0;
  for (const auto& [symbols, c] : e.terms) {
    int64_t product = c;
    std::string mine;
    for (const std::string& s : symbols) {
      if (const auto at = sizes.find(s); at != sizes.end()) product = clamped_product(product, at->second);
      else if (mine.empty() && (open.empty() || open == s)) mine = s;
      else return {};
    }
    if (mine.empty()) value = clamped_sum(value, clamped_product(product, -1));
    else open = mine, coefficient = clamped_sum(coefficient, product);
  }
  if (open.empty() || coefficient <= 0 || value < 0 || value % coefficient != 0) return {};
  return std::pair(open, value / coefficient);
}

namespace {
// 2*m*n, without its sign.
std::string spell_monomial(const std::vector<std::string>& symbols, int64_t coefficient) {
  const uint64_t size = coefficient < 0 ? -uint64_t(coefficient) : uint64_t(coefficient);
  std::string term = size != 1 || symbols.empty() ? std::to_string(size) : "";
  for (const std::string& s : symbols) term += (term.empty() ? "" : "*") + s;
  return term;
}
}  // namespace

std::string spell(const Extent& e) {
  std::string added, taken;
  const auto add = [&](const std::vector<std::string>& symbols, int64_t c) {
    if (c < 0) taken += " - " + spell_monomial(symbols, c);
    else added += (added.empty() ? "" : " + ") + spell_monomial(symbols, c);
  };
  for (const auto& [symbols, c] : e.terms)
    if (!symbols.empty()) add(symbols, c);
  for (const auto& [symbols, c] : e.terms)
    if (symbols.empty()) add(symbols, c);
  if (!added.empty()) return added + taken;
  return taken.empty() ? "0" : "-" + taken.substr(3);
}

std::string condition(const Extent& at_least_zero) {
  std::string sides[2];
  for (const auto& [symbols, c] : std::views::reverse(at_least_zero.terms)) {  // numbers last
    std::string& side = sides[c < 0];
    side += (side.empty() ? "" : " + ") + spell_monomial(symbols, c);
  }
  for (std::string& side : sides)
    if (side.empty()) side = "0";
  return sides[0] + " >= " + sides[1];
}

int64_t Extent::at(const std::map<std::string, int64_t, std::less<>>& sizes) const {
  int64_t sum = 0;
  for (const auto& [symbols, c] : terms) {
    int64_t product = c;
    for (const std::string& s : symbols) product = clamped_product(product, sizes.at(s));
    sum = clamped_sum(sum, product);
  }
  return sum;
}

}  // namespace ricci
