#include "frontend/spelling.h"

#include <algorithm>
#include <utility>

#include "frontend/lexer.h"

namespace ricci {
namespace {

struct GreekName {
  std::string_view name, letter;
};
constexpr GreekName kGreek[] = {
    {"alpha", "α"}, {"beta", "β"},   {"gamma", "γ"}, {"delta", "δ"},   {"epsilon", "ε"}, {"zeta", "ζ"},  {"eta", "η"},   {"theta", "θ"},
    {"iota", "ι"},  {"kappa", "κ"},  {"lambda", "λ"}, {"mu", "μ"},      {"nu", "ν"},      {"xi", "ξ"},    {"pi", "π"},    {"rho", "ρ"},
    {"sigma", "σ"}, {"tau", "τ"},    {"upsilon", "υ"}, {"phi", "φ"},    {"chi", "χ"},     {"psi", "ψ"},   {"omega", "ω"}, {"Gamma", "Γ"},
    {"Delta", "Δ"}, {"Theta", "Θ"},  {"Lambda", "Λ"}, {"Xi", "Ξ"},      {"Pi", "Π"},      {"Sigma", "Σ"}, {"Phi", "Φ"},   {"Psi", "Ψ"},
    {"Omega", "Ω"},
};

}  // namespace

size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> before, last(b.size() + 1), row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before = std::exchange(last, row);
  }
  return last[b.size()];
}

std::optional<std::string> nearest(std::string_view name, std::span<const std::string> candidates) {
  constexpr size_t kLongest = 64;  // longer names are no misspellings
  if (name.size() > kLongest) return std::nullopt;
  std::optional<std::string> best;
  size_t least = std::max<size_t>(1, name.size() / 3) + 1;
  for (const std::string& c : candidates) {
    if (c.size() > kLongest || c == name || (name.size() == 1 && c.size() != 1)) continue;
    const size_t d = edit_distance(name, c);
    if (d < least && d < std::max(name.size(), c.size())) {
      least = d;
      best = c;
    }
  }
  return best;
}

void suggest(Diagnostic& d, std::string_view name, const std::vector<std::string>& candidates) {
  if (const auto best = nearest(name, candidates)) d.fix(Message::did_you_mean, *best);
}

std::string counted(size_t n, std::string_view one, std::string_view many) { return fmt::format("{} {}", n, n == 1 ? one : many); }

bool is_reduction(std::string_view name) {
  constexpr std::string_view kReductions[] = {"sum", "mean", "prod", "max", "min", "lse", "logsumexp", "argmax", "coprod"};
  return std::ranges::find(kReductions, name) != std::end(kReductions);
}

bool takes_indices(std::string_view name) { return is_reduction(name) || find_function(name); }

size_t written_with(const Core& core, size_t k) { return core.square && core.out == 2 ? k : core.meets[k]; }

std::string_view greek_letter(std::string_view name) {
  const auto row = std::ranges::find(kGreek, name, &GreekName::name);
  return row == std::end(kGreek) ? std::string_view() : row->letter;
}

std::string_view greek_twin(std::string_view name) {
  if (name == "delta" || name == "δ") return {};
  if (const std::string_view letter = greek_letter(name); !letter.empty()) return letter;
  const auto row = std::ranges::find(kGreek, name, &GreekName::letter);
  return row == std::end(kGreek) ? std::string_view() : row->name;
}

bool is_greek_name(std::string_view name) {
  while (!name.empty() && name.back() >= '0' && name.back() <= '9') name.remove_suffix(1);
  const CodePoint p = decode(name);
  if (p.length > 0 && p.length == name.size() && is_greek(p.value)) return true;
  return name != "pi" && !greek_letter(name).empty() && name[0] >= 'a';
}

}  // namespace ricci
