#include "passes/lower_to_loops_scalar.h"

#include <charconv>
#include <stdexcept>

#include "ir/interpret.h"

namespace ricci {
namespace {

using loops::Primitive;
using loops::ValueId;

constexpr long kMostMultiplied = 32;  // exponents beyond are left to pow: rounding errors of the squarings add up

std::optional<long> small_exponent(const Rational& e) {
  const std::optional<long> k = as_long(e);
  return k && std::labs(*k) <= kMostMultiplied ? k : std::nullopt;
}

ValueId emit_pow(loops::Program& p, const Graph& g, NodeId map, std::span<const ValueId> operands) {
  const Node& exponent = g[g[map].operands[1]];
  if (exponent.kind != Kind::Const) return p.compute(Primitive::pow_, operands[0], operands[1]);
  const Rational e = exponent.value();
  const ValueId x = operands[0];
  if (e == 0) return p.constant(1);
  auto inverse_if_negative = [&](ValueId v) { return e < 0 ? p.compute(Primitive::div, p.constant(1), v) : v; };
  if (std::optional<long> k = small_exponent(e)) return inverse_if_negative(emit_power(p, x, static_cast<unsigned long>(std::labs(*k))));
  if (std::optional<long> twice = small_exponent(2 * e)) {  // x^(k + 1/2)
    const ValueId root = p.compute(Primitive::sqrt_, x);
    const unsigned long whole = static_cast<unsigned long>(std::labs(*twice)) / 2;
    return inverse_if_negative(whole == 0 ? root : p.compute(Primitive::mul, emit_power(p, x, whole), root));
  }
  return p.compute(Primitive::pow_, x, p.constant(to_double(e)));
}

}  // namespace

double to_double(const Rational& r) { return double(to_quad(r)); }

ValueId emit_power(loops::Program& p, ValueId x, unsigned long exponent) {
  std::optional<ValueId> r;
  for (ValueId square = x;; square = p.compute(Primitive::mul, square, square)) {
    if (exponent & 1) r = r ? p.compute(Primitive::mul, *r, square) : square;
    if ((exponent >>= 1) == 0) return *r;
  }
}

std::optional<unsigned long> divisor_power(const Graph& g, NodeId n) {
  const Node& node = g[n];
  if (node.kind != Kind::Map || node.map_op() != MapOp::pow_ || g[node.operands[1]].kind != Kind::Const) return {};
  const std::optional<long> k = small_exponent(g[node.operands[1]].value());
  if (!k || *k >= 0) return {};
  return static_cast<unsigned long>(-*k);
}

ValueId emit_map(loops::Program& p, const Graph& g, NodeId map, std::span<const ValueId> operands) {
  const MapOp op = g[map].map_op();
  if (op == MapOp::pow_) return emit_pow(p, g, map, operands);
  const std::string_view primitive = row(op).primitive;
  if (operands.empty()) {
    double value = 0;
    std::from_chars(primitive.data(), primitive.data() + primitive.size(), value);
    return p.constant(value);
  }
  const std::optional<Primitive> found = loops::find_primitive(primitive);
  if (!found) throw std::logic_error("no primitive behind " + std::string(row(op).name));
  return p.compute(*found, operands);
}

ValueId emit_sum(loops::Program& p, std::span<const Rational> coefficients, std::span<const ValueId> terms) {
  auto scaled = [&](size_t k) {
    const Rational c = abs(coefficients[k]);
    return c == 1 ? terms[k] : p.compute(Primitive::mul, p.constant(to_double(c)), terms[k]);
  };
  size_t first = 0;  // a positive term, so that nothing needs to be negated
  while (first < terms.size() && coefficients[first] < 0) ++first;
  if (first == terms.size()) first = 0;
  ValueId r = scaled(first);
  if (coefficients[first] < 0) r = p.compute(Primitive::neg, r);
  for (size_t k = 0; k < terms.size(); ++k) {
    if (k != first) r = p.compute(coefficients[k] < 0 ? Primitive::sub : Primitive::add, r, scaled(k));
  }
  return r;
}

ValueId emit_quotient(loops::Program& p, std::span<const ValueId> over, std::span<const ValueId> under) {
  auto product = [&](std::span<const ValueId> values) {
    ValueId r = values[0];
    for (ValueId v : values.subspan(1)) r = p.compute(Primitive::mul, r, v);
    return r;
  };
  const ValueId top = over.empty() ? p.constant(1) : product(over);
  return under.empty() ? top : p.compute(Primitive::div, top, product(under));
}

}  // namespace ricci
