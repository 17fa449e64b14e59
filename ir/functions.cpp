#include "ir/functions.h"

#include <algorithm>

namespace ricci {
namespace {

constexpr FunctionRow kTable[] = {
#define RICCI_FUN(id, name, signature, core_in, core_out, differential, kernel, numpy, latex, weight) \
  {FunOp::id, name, signature, differential, kernel, numpy, latex, weight, core_in, core_out},
#include "ir/functions.def"
#undef RICCI_FUN
};

static_assert(std::ranges::all_of(kTable, [](const FunctionRow& r) { return &kTable[size_t(r.op)] == &r; }), "rows in enumerator order");

}  // namespace

std::span<const FunctionRow> function_table() { return kTable; }

const FunctionRow& row(FunOp op) { return kTable[size_t(op)]; }

std::optional<FunOp> find_function(std::string_view name) {
  if (name == "logsumexp") return FunOp::lse;
  for (const FunctionRow& r : kTable)
    if (r.name == name) return r.op;
  return std::nullopt;
}

}  // namespace ricci
