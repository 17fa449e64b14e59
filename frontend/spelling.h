// Names: which one was probably meant, and what a spelling says about a kind.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "frontend/diagnostics.h"
#include "ir/functions.h"

namespace ricci {

// Edits (insert, delete, replace, swap of neighbours) that turn `a` into `b`.
size_t edit_distance(std::string_view a, std::string_view b);

// The candidate nearest to `name` if it is near enough to be a misspelling; the first of equally near ones.
std::optional<std::string> nearest(std::string_view name, std::span<const std::string> candidates);

// Adds "did you mean `...`?" to `d` if a candidate is near.
void suggest(Diagnostic& d, std::string_view name, const std::vector<std::string>& candidates);

// "1 index", "2 indices".
std::string counted(size_t n, std::string_view one, std::string_view many);

// Functions of a named index when they bear one, which most of them reduce: sum_i, lse_k; argmax_k keeps it.
bool is_reduction(std::string_view name);
// Those and functions of a matrix over two named indices, expm_jk.
bool takes_indices(std::string_view name);

// Which axis of its operand an axis of a function's result is written with, where both are written over letters: inv_jk(...), pinv_jk(...), argmax_k(...).
size_t written_with(const Core& core, size_t result_axis);

// What "h", "Dh", "D12h" say of a function h: that it is differentiated by which of its arguments (numbers from 0, as written; of Dh 0).
struct DerivedFunction {
  std::string_view function;
  std::vector<uint8_t> by;
};
// Nothing for a name that no derivative of a function bears.
template <class IsFunction>
std::optional<DerivedFunction> derived_function(std::string_view name, IsFunction is_function) {
  std::vector<uint8_t> by;
  while (!is_function(name)) {
    if (!name.starts_with('D')) return std::nullopt;
    name.remove_prefix(1);
    const size_t digits = std::min(name.find_first_not_of("123456789"), name.size());
    if (digits == 0) by.push_back(0);
    for (char k : name.substr(0, digits)) by.push_back(uint8_t(k - '1'));
    name.remove_prefix(digits);
  }
  return DerivedFunction{name, std::move(by)};
}

// The letter of a Greek name: "λ" for "lambda", "Γ" for "Gamma"; empty for any other name.
std::string_view greek_letter(std::string_view name);

// The other spelling of a Greek name or letter, which means the same variable; empty if there is none. δ is the unit tensor and no twin.
std::string_view greek_twin(std::string_view name);

// alpha, lambda, ... or one Greek letter, also with digits behind (sigma2).
bool is_greek_name(std::string_view name);

}  // namespace ricci
