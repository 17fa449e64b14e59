// The table of functions without an index form: inv, det, expm, pinv, lse, prod, max ...
//
// A function acts on the *last* axes of its operand (its core, as in NumPy's gufunc signatures) and maps over the axes
// before them, so it is batched by nature: lse over axis j of a_ij is Fun(lse) of a node of type [i j] and has type [i].
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "ir/properties.h"

namespace ricci {

enum class FunOp : uint8_t {
#define RICCI_FUN(id, ...) id,
#include "ir/functions.def"
#undef RICCI_FUN
};

// The core axes of operand and result, read from a signature such as "(m,n)->(n,m)".
struct Core {
  size_t in = 0, out = 0;            // how many there are
  std::array<size_t, 2> meets = {};  // per axis of the result, the first axis of the operand with its letter
  bool square = false;               // the operand's two axes have one letter
};
constexpr Core parse_core(std::string_view signature) {
  const size_t arrow = signature.find("->");
  auto letters = [](std::string_view bracket) {
    std::array<char, 2> found = {};
    size_t n = 0;
    for (char c : bracket)
      if (c >= 'a' && c <= 'z') found[n++] = c;
    return std::pair(found, n);
  };
  const auto [from, in] = letters(signature.substr(0, arrow));
  const auto [to, out] = letters(signature.substr(arrow));
  Core core{.in = in, .out = out, .square = in == 2 && from[0] == from[1]};
  for (size_t k = 0; k < out; ++k) core.meets[k] = to[k] == from[0] ? 0 : 1;
  return core;
}

struct FunctionRow {
  FunOp op;
  std::string_view name;          // spelling in the language, and of the runtime kernel behind it
  std::string_view signature;     // core axes: "(n,n)->(n,n)", "(m,n)->(n,m)", "(n)->()"
  std::string_view transposed;    // the function h with f(X') = h(X)', or h(X) if that is no matrix; "" for none
  // dF as a formula of the language, linear in dX; X is the operand (its core only), F the value. Empty for a primary function.
  std::string_view differential;
  // The transposed map, for a differential that is linear in dX through a function of this table: a formula in X, F and G, the cotangent of F.
  // Empty: the differential is pulled back.
  std::string_view adjoint;
  // A primary matrix function is a scalar function f of the spectrum: this is f'(X) as a formula in X and F (passes/frechet.h).
  std::string_view derivative;
  std::string_view operand;       // a property that programs must show the operand to have
  std::string_view properties;    // what the result has if the operand has what stands before the colon, if anything: "symmetric:spd :nonsingular"
  // What it is of a symmetric operand with the eigenvalues x: the eigenvalues of the result, or the number, as a formula in x. Empty: not theirs alone.
  std::string_view spectral;
  // In the order of Loewner, on the positive definite matrices: 'v' convex or 'c' concave, then '+' increasing or '-' decreasing. Empty: neither.
  std::string_view loewner;
  std::string_view numpy;         // "np.linalg.inv({})"
  std::string_view latex;         // "{}^{-1}"
  int weight;                     // relative cost for rules (inv is heavy)
  double cubes;                   // operations of a function of a matrix, as a multiple of n^3
  Core core;                      // of the signature

  constexpr bool is_primary() const { return !derivative.empty(); }
};

// The axes of the result: those before the operand's core, then the result's own. `Axes` has one element per axis: types, shapes, sizes.
template <class Axes>
Axes result_axes(const FunctionRow& r, const Axes& operand) {
  const auto core = operand.end() - std::ptrdiff_t(r.core.in);
  Axes result(operand.begin(), core);
  for (size_t k = 0; k < r.core.out; ++k) result.push_back(core[std::ptrdiff_t(r.core.meets[k])]);
  return result;
}

// The column `properties`: the result has `result` if the operand has `operand`, or whatever the operand.
struct PropertyClaim {
  std::optional<Property> operand;
  Property result;
};
const std::vector<PropertyClaim>& property_claims(FunOp op);

std::span<const FunctionRow> function_table();
const FunctionRow& row(FunOp op);
std::optional<FunOp> find_function(std::string_view name);

}  // namespace ricci
