#include "ir/functions.h"

#include <algorithm>
#include <cassert>
#include <map>
#include <sstream>
#include <string>

namespace ricci {
namespace {

constexpr FunctionRow kTable[] = {
#define RICCI_FUN(id, name, signature, transposed, differential, adjoint, derivative, operand, properties, spectral, loewner, numpy, latex, weight, cubes) \
  {FunOp::id, name, signature, transposed, differential, adjoint, derivative, operand, properties, spectral, loewner, numpy, latex, weight, cubes, \
   parse_core(signature)},
#include "ir/functions.def"
#undef RICCI_FUN
};

static_assert(std::ranges::all_of(kTable, [](const FunctionRow& r) { return &kTable[size_t(r.op)] == &r; }), "rows in enumerator order");
static_assert(std::ranges::all_of(kTable, [](const FunctionRow& r) { return r.differential.empty() == r.is_primary(); }),
              "a function has a differential, or is primary and has a derivative");

std::vector<PropertyClaim> parse_claims(std::string_view text) {
  std::vector<PropertyClaim> claims;
  std::istringstream words{std::string(text)};
  for (std::string word; words >> word;) {
    const size_t colon = word.find(':');
    const auto operand = find_property(word.substr(0, colon)), result = find_property(word.substr(colon + 1));
    assert(result && (operand || colon == 0));
    claims.push_back({operand, *result});
  }
  return claims;
}

}  // namespace

const std::vector<PropertyClaim>& property_claims(FunOp op) {
  static const std::map<FunOp, std::vector<PropertyClaim>> all = [] {
    std::map<FunOp, std::vector<PropertyClaim>> claims;
    for (const FunctionRow& r : kTable) claims.emplace(r.op, parse_claims(r.properties));
    return claims;
  }();
  return all.at(op);
}

std::span<const FunctionRow> function_table() { return kTable; }

const FunctionRow& row(FunOp op) { return kTable[size_t(op)]; }

std::optional<FunOp> find_function(std::string_view name) {
  if (name == "logsumexp") return FunOp::lse;
  for (const FunctionRow& r : kTable)
    if (r.name == name) return r.op;
  return std::nullopt;
}

}  // namespace ricci
