// The table of elementwise functions: one row says everything the compiler knows about a function.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace ricci {

// A row of the elementwise table; the enumerators are generated from ir/elementwise.def.
enum class MapOp : uint8_t {
#define RICCI_MAP(id, ...) id,
#include "ir/elementwise.def"
#undef RICCI_MAP
};

struct ElementwiseRow {
  MapOp op;
  std::string_view name;        // spelling in the language
  int arity;                    // 1..3
  // d f / d (argument k), in the language; x, y, z are the arguments and f the value already computed. Empty: not differentiable by it.
  std::string_view derivative[3];
  double low, high;             // where the first argument is sampled by tests; kinks avoid both ends
  std::string_view primitive;   // how back ends compute it: a libm function's name, or a formula of other rows ("1/(1 + exp(-x))")
  std::string_view numpy;       // spelling in NumPy/SciPy, `{}` stands for the arguments: "np.exp({})"
  std::string_view latex;       // "\\exp", or a template with `{}`
  int weight;                   // relative cost, also the rule weight: + and * are 1, exp 20
  // Facts on the row's natural domain: '+' increasing, '-' decreasing, '0' neither; 'v' convex, 'c' concave, '0' neither.
  char monotone, curvature;
  char parity;                  // 'e' even, f(-x) = f(x); 'o' odd, f(-x) = -f(x); '0' neither
  // The largest interval around [low, high] on whose interior the function of its (last) argument is analytic: beyond it are kinks, poles, or no
  // real values at all.
  double smooth_low, smooth_high;
  double range_low, range_high; // bounds of the values
  std::string_view cpp;         // the value as a C++ expression of x, y, z: "std::exp(x)"
};

std::span<const ElementwiseRow> elementwise_table();
const ElementwiseRow& row(MapOp op);
// What formulas call it: the row's name, but `where`, and `<` and `==`, which stand between their arguments.
std::string_view written_name(MapOp op);
bool is_comparison(MapOp op);
// A row by its name or one of its aliases (ln, arcsin, ...).
std::optional<MapOp> find_elementwise(std::string_view name);

}  // namespace ricci
