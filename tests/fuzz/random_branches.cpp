// Choices whose other branch has no value: where(0 < u, h(log(u)), b) at entries u < 0, and where(0 < min(u), h(log(u)), b) with sums in h.
#include <cmath>

#include "tests/fuzz/random_domains.h"
#include "tests/fuzz/random_generator.h"

namespace ricci::fuzz {

bool Generator::branch() {
  const size_t before = p_.steps.size();
  const auto u = any_step_where([&](const Step& o) { return !is_constant(o) && o.type.size() <= 2; });
  if (!u || !all_entries(values_[*u], [](double v) { return std::fabs(v) > kFromKink; })) return false;
  const bool entrywise = rank(*u) != 1 || chance(60);
  if (!entrywise && extent(type(*u)[0]) == 0) return false;
  const auto least = entrywise ? u : keep({.kind = Step::Kind::Fun, .operands = {*u}, .row = uint32_t(FunOp::min_of)});
  const auto value = least ? undefined_somewhere(*u, entrywise) : std::nullopt;
  const auto other = value ? alike_or_scalar(type(*value)) : std::nullopt;
  if (other) {
    Step condition{.kind = Step::Kind::Map, .type = type(*least), .operands = {constant(0), *least}, .row = uint32_t(MapOp::isless_)};
    if (const auto holds = keep(std::move(condition)))
      if (keep({.kind = Step::Kind::Map, .type = type(*value), .operands = {*holds, *value, *other}, .row = uint32_t(MapOp::select_)})) return true;
  }
  drop(before);
  return false;
}

// A function of log(u) or of a power of u that is real for u > 0 only.
Generator::Found Generator::undefined_somewhere(size_t u, bool entrywise) {
  static const Rational kExponents[] = {Rational(1, 2), Rational(-1, 2), Rational(3, 2), Rational(5, 2)};
  const size_t which = pick(5);
  Step s{.kind = Step::Kind::Map, .type = type(u), .operands = {u}, .row = uint32_t(MapOp::log_)};
  if (which < 4) s.row = uint32_t(MapOp::pow_), s.operands.push_back(constant(kExponents[which]));
  auto made = keep(std::move(s), Values::Any);
  for (size_t k = pick(3); made && k > 0; --k) {
    const size_t v = *made;
    const auto w = alike_or_scalar(type(v));
    if (!w) break;
    if (chance(40)) {
      static const std::vector<MapOp> kFunctions = {MapOp::sin_, MapOp::exp_, MapOp::tanh_, MapOp::atan_};
      made = keep({.kind = Step::Kind::Map, .type = type(v), .operands = {v}, .row = uint32_t(any(kFunctions))}, Values::Any);
    } else if (chance(40) && type(*w) == type(v)) {
      made = keep({.kind = Step::Kind::Sum, .type = type(v), .operands = {v, *w}, .coefficients = {coefficient(), coefficient()}}, Values::Any);
    } else {
      Step product{.kind = Step::Kind::Product, .operands = {v, *w}};
      product.labels = {Graph::iota(rank(v)), Graph::iota(rank(*w))};
      product.out = !entrywise && chance(50) ? Labels{} : Graph::iota(rank(v));
      if (!product.out.empty()) product.type = type(v);
      made = keep(std::move(product), Values::Any);
    }
    if (made && rank(*made) == 0) break;
  }
  return made;
}

}  // namespace ricci::fuzz
