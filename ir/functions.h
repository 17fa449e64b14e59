// The table of functions without an index form: inv, det, logdet, adj, lse, prod, max, min ...
//
// A function acts on the *last* axes of its operands (its core, as in NumPy's gufunc signatures) and maps over the axes
// before them, so it is batched by nature: lse over axis j of a_ij is Fun(lse) of a node of type [i j] and has type [i].
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace ricci {

enum class FunOp : uint8_t {
#define RICCI_FUN(id, ...) id,
#include "ir/functions.def"
#undef RICCI_FUN
};

struct FunctionRow {
  FunOp op;
  std::string_view name;          // spelling in the language
  std::string_view signature;     // core axes: "(n,n)->(n,n)", "(n,n)->()", "(n)->()"
  // dF as a formula of the language, linear in dX; X is the operand (its core only), F the value. Empty: not differentiable yet.
  std::string_view differential;
  std::string_view kernel;        // the runtime function behind it
  std::string_view numpy;         // "np.linalg.inv({})"
  std::string_view latex;         // "{}^{-1}"
  int weight;                     // relative cost for rules (inv is heavy)
  int core_in, core_out;          // number of core axes of the operand and of the result
};

std::span<const FunctionRow> function_table();
const FunctionRow& row(FunOp op);
std::optional<FunOp> find_function(std::string_view name);

}  // namespace ricci
