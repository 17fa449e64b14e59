#include "ir/elementwise.h"

#include <algorithm>
#include <array>
#include <utility>

namespace ricci {
namespace {

// The braces of the derivatives column would split the macro's arguments; __VA_ARGS__ keeps them together.
#define RICCI_MAP(id, name, arity, meaning, ...) make(MapOp::id, name, arity, __VA_ARGS__),
constexpr ElementwiseRow make(MapOp op, std::string_view name, int arity, std::array<std::string_view, 3> d, double low, double high,
                              std::string_view primitive, std::string_view numpy, std::string_view latex, int weight, char monotone,
                              char curvature, char parity, double smooth_low, double smooth_high, double range_low, double range_high, std::string_view cpp) {
  return {op, name, arity, {d[0], d[1], d[2]}, low, high, primitive, numpy, latex, weight,
          monotone, curvature, parity, smooth_low, smooth_high, range_low, range_high, cpp};
}
constexpr ElementwiseRow kTable[] = {
#include "ir/elementwise.def"
};
#undef RICCI_MAP

static_assert(std::ranges::all_of(kTable, [](const ElementwiseRow& r) { return &kTable[size_t(r.op)] == &r; }), "rows in enumerator order");
static_assert(std::ranges::all_of(kTable, [](const ElementwiseRow& r) { return !r.name.empty() && !r.primitive.empty() && !r.numpy.empty() && !r.cpp.empty(); }),
              "every elementwise function needs every column");

constexpr std::pair<std::string_view, MapOp> kAliases[] = {
    {"ln", MapOp::log_},       {"arcsin", MapOp::asin_},   {"arccos", MapOp::acos_},   {"arctan", MapOp::atan_},
    {"arcsinh", MapOp::asinh_}, {"arccosh", MapOp::acosh_}, {"arctanh", MapOp::atanh_}, {"gammaln", MapOp::lgamma_},
    {"psi", MapOp::digamma_},  {"logistic", MapOp::sigmoid_}, {"expit", MapOp::sigmoid_}, {"heaviside", MapOp::step_},
    {"where", MapOp::select_}, {"arctan2", MapOp::atan2_}, {"sgn", MapOp::sign_},
    {"loggamma", MapOp::lgamma_}, {"ReLU", MapOp::relu_},
};

}  // namespace

std::span<const ElementwiseRow> elementwise_table() { return kTable; }

const ElementwiseRow& row(MapOp op) { return kTable[size_t(op)]; }

std::string_view written_name(MapOp op) {
  return op == MapOp::select_ ? "where" : op == MapOp::isless_ ? "<" : op == MapOp::isequal_ ? "==" : row(op).name;
}

bool is_comparison(MapOp op) { return op == MapOp::isless_ || op == MapOp::isequal_; }

std::optional<MapOp> find_elementwise(std::string_view name) {
  for (const ElementwiseRow& r : kTable)
    if (r.name == name) return r.op;
  for (auto [alias, op] : kAliases)
    if (alias == name) return op;
  return std::nullopt;
}

}  // namespace ricci
