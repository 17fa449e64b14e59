#include "tests/fuzz/random_generator.h"

#include <algorithm>
#include <cmath>

#include "tests/fuzz/random_domains.h"

namespace ricci::fuzz {
namespace {

constexpr int64_t kMostWork = 3000;    // values of all labels of one product
constexpr int64_t kMostEntries = 500;  // of one step

}  // namespace

RandomProgram random_program(uint64_t seed, size_t size, Options options) { return Generator(seed, size, options).program(); }

Generator::Generator(uint64_t seed, size_t size, Options options) : random_(seed), options_(options) {
  p_.seed = seed, p_.size = size;
  choose_dimensions();
  for (size_t k = 0, n = 2 + pick(3); k < n; ++k) input();
  for (size_t made = 0, tried = 0; made < size && tried < 40 * size; ++tried) made += operation();
  finish();
}

// Sizes differ from each other. Some are numbers; the permutation symbol needs one that is 2 or 3.
void Generator::choose_dimensions() {
  std::vector<int64_t> pool = options_.small ? std::vector<int64_t>{2, 3} : std::vector<int64_t>{3, 4, 5, 2, 6};
  std::shuffle(pool.begin(), pool.end(), random_);
  pool.resize(std::min<size_t>(pool.size(), 2 + pick(2)));
  if (chance(20)) pool[pick(pool.size())] = 1;
  else if (chance(8)) pool[pick(pool.size())] = 0;
  for (int64_t extent : pool) {
    const bool number = chance(extent == 2 || extent == 3 ? 20 : 8);
    p_.dimensions.push_back({.kind = number ? Dim::Kind::Fixed : Dim::Kind::Symbol, .extent = extent});
  }
  symbols_ = p_.dimensions.size();
}

size_t Generator::dimension(Dimension d) {
  p_.dimensions.push_back(std::move(d));
  const DimId made = p_.dim(g_, p_.dimensions.size() - 1);
  for (size_t k = 0; k + 1 < p_.dimensions.size(); ++k)
    if (p_.dim(g_, k) == made) {
      p_.dimensions.pop_back();
      return k;
    }
  return p_.dimensions.size() - 1;
}

size_t Generator::product_of(Dimensions parts) {
  int64_t extent = 1;
  for (size_t d : parts) extent *= p_.extent(d);
  return parts.size() == 1 ? parts[0] : dimension({Dim::Kind::Product, extent, std::move(parts)});
}

size_t Generator::sum_of(Dimensions parts) {
  int64_t extent = 0;
  for (size_t d : parts) extent += p_.extent(d);
  return parts.size() == 1 ? parts[0] : dimension({Dim::Kind::Sum, extent, std::move(parts)});
}

size_t Generator::any_dimension() { return pick(chance(85) ? symbols_ : p_.dimensions.size()); }

// Away from zero, and exact in a few digits.
double Generator::sample() { return (chance(50) ? 1 : -1) * (0.2 + double(pick(4096)) / 2048); }

void Generator::input() {
  Step s{.kind = Step::Kind::Input, .row = uint32_t(p_.steps.size())};
  const size_t rank = any(std::vector<size_t>{0, 1, 1, 2, 2, 2, 2, options_.small ? 2u : 3u});
  for (size_t k = 0; k < rank; ++k) s.type.push_back(pick(symbols_));
  if (rank == 2 && chance(40)) s.type[1] = s.type[0];
  s.symmetric = rank == 2 && s.type[0] == s.type[1] && chance(15);
  for (int64_t i = 0, count = Array<double>::count(p_.shape(s.type)); i < count; ++i) s.data.push_back(sample());
  const size_t n = rank == 2 ? size_t(extent(s.type[1])) : 0;
  for (size_t i = 0; s.symmetric && i < n; ++i)
    for (size_t j = 0; j < i; ++j) s.data[i * n + j] = s.data[j * n + i];
  keep(std::move(s));
}

void Generator::finish() {
  for (size_t k = p_.steps.size(); k-- > 0;)
    if (step(k).kind != Step::Kind::Input && !is_constant(step(k))) {
      p_.steps.resize(k + 1);
      return;
    }
}

// --- trying a step ----------------------------------------------------------------------------------------------------------------------

bool Generator::is_tame(size_t k) const { return tame(values_[k]); }

void Generator::drop(size_t count) {
  p_.steps.resize(count);
  nodes_.resize(count);
  values_.resize(count);
}

Generator::Found Generator::keep(Step s, Values values) {
  if (auto same = std::ranges::find(p_.steps, s); same != p_.steps.end()) {
    const size_t k = size_t(same - p_.steps.begin());
    return values == Values::Any || is_tame(k) ? Found(k) : std::nullopt;
  }
  if (Array<double>::count(p_.shape(s.type)) > kMostEntries) return std::nullopt;
  p_.steps.push_back(std::move(s));
  const Step& step = p_.steps.back();
  Array<double> value;
  try {
    nodes_.push_back(p_.build(g_, p_.steps.size() - 1, nodes_));
    if (step.kind == Step::Kind::Input) {
      value = Array<double>(p_.shape(step.type));
      value.data = step.data;
      given_[nodes_.back()] = value;
    } else {
      value = interpret<double>(g_, nodes_.back(), p_.dims(), given_);
    }
  } catch (const std::invalid_argument&) {  // the maximum of nothing
    value = Array<double>({}, INFINITY);
  }
  if (values == Values::Tame && !tame(value)) {
    p_.steps.pop_back();
    nodes_.resize(p_.steps.size());
    return std::nullopt;
  }
  values_.push_back(std::move(value));
  return p_.steps.size() - 1;
}

// Steps that nothing uses yet are likelier, so that the result depends on most of the program.
size_t Generator::any_step() {
  std::vector<bool> used(p_.steps.size(), false);
  for (const Step& s : p_.steps)
    for (size_t o : s.operands) used[o] = true;
  std::vector<size_t> unused;
  for (size_t k = 0; k < used.size(); ++k)
    if (!used[k] && !is_constant(step(k)) && is_tame(k)) unused.push_back(k);
  if (!unused.empty() && chance(65)) return any(unused);
  size_t k = pick(p_.steps.size());
  while (!is_tame(k)) k = pick(p_.steps.size());
  return k;
}

Generator::Found Generator::any_step_where(const std::function<bool(const Step&)>& fits) {
  for (int tries = 0; tries < 12; ++tries)
    if (size_t k = any_step(); fits(step(k))) return k;
  return std::nullopt;
}

Generator::Found Generator::alike_or_scalar(const Dimensions& type) {
  return any_step_where([&](const Step& o) { return o.type.empty() || o.type == type; });
}

bool Generator::operation() {
  if (options_.branches > 0 && pick(100) < options_.branches) return branch();
  if (pick(100) < options_.places) return moves();
  const size_t roll = pick(100);
  if (roll < 40) return product();
  if (roll < 58) return sum();
  if (roll < 84) return map();
  if (roll < 95) return fun();
  if (roll < 98) return options_.calls && call();
  const Step& x = step(any_step());  // only the dimensions of an input have a name in the text
  if (x.kind != Step::Kind::Input || x.type.empty()) return false;
  return keep({.kind = Step::Kind::Size, .row = uint32_t(x.type[0])}).has_value();
}

// --- products ---------------------------------------------------------------------------------------------------------------------------

bool Generator::product() {
  Step s{.kind = Step::Kind::Product};
  Dimensions dim_of;  // of each label
  auto label = [&](size_t d, int share) {
    std::vector<Label> alike;
    for (Label l = 0; l < dim_of.size(); ++l)
      if (dim_of[l] == d) alike.push_back(l);
    if (!alike.empty() && chance(share)) return any(alike);
    dim_of.push_back(d);
    return Label(dim_of.size() - 1);
  };
  for (size_t k = 0, n = any(std::vector<size_t>{0, 1, 1, 2, 2, 2, 2, 3, 3}); k < n; ++k) {
    s.operands.push_back(any_step());
    s.labels.emplace_back();
    for (size_t d : type(s.operands.back())) s.labels.back().push_back(label(d, 65));
  }
  if (!dim_of.empty() && pick(100) < options_.places) place_some_labels(s, dim_of);
  const size_t most = options_.small ? 2 : 3;
  for (Label l = 0; l < dim_of.size(); ++l)
    if (s.out.size() < most && chance(45)) s.out.push_back(l);
  if (s.out.size() < most && !s.out.empty() && chance(10)) s.out.push_back(any(s.out));               // a diagonal
  if (s.out.size() < most && (s.operands.empty() || chance(8))) s.out.push_back(label(any_dimension(), 0));  // a broadcast
  if (s.operands.empty() && chance(70)) s.out.push_back(s.out[0]);                                   // a delta
  std::shuffle(s.out.begin(), s.out.end(), random_);
  int64_t work = 1;
  for (size_t d : dim_of) work *= std::max<int64_t>(1, extent(d));
  if (work > kMostWork) return false;
  for (Label l : s.out) s.type.push_back(dim_of[l]);
  return keep(std::move(s)).has_value();
}

// --- sums -------------------------------------------------------------------------------------------------------------------------------

Rational Generator::coefficient() {
  static const Rational kChoices[] = {1, 1, 1, -1, -1, 2, 3, Rational(1, 2), Rational(-3, 2), Rational(2, 3), Rational(1, 10)};
  return kChoices[pick(std::size(kChoices))];
}

size_t Generator::ones(const Dimensions& type) {
  if (type.empty()) return constant(1);
  return *keep({.kind = Step::Kind::Product, .type = type, .out = Graph::iota(type.size())});
}

bool Generator::sum() {
  const size_t first = any_step();
  Step s{.kind = Step::Kind::Sum, .type = type(first), .operands = {first}, .coefficients = {coefficient()}};
  for (size_t k = 0, n = pick(3); k < n; ++k)
    if (auto other = any_step_where([&](const Step& o) { return o.type == s.type; })) {
      s.operands.push_back(*other);
      s.coefficients.push_back(coefficient());
    }
  if (chance(25)) {
    s.operands.push_back(ones(s.type));
    s.coefficients.push_back(coefficient());
  }
  if (s.operands.size() == 1 && s.coefficients[0] == 1) s.coefficients[0] = 2;
  return keep(std::move(s)).has_value();
}

// --- elementwise functions --------------------------------------------------------------------------------------------------------------

size_t Generator::constant(Rational value) { return *keep({.kind = Step::Kind::Constant, .coefficients = {std::move(value)}}); }

Generator::Found Generator::squashed(size_t k, double low, double high) {
  const double margin = (high - low) / 50;
  if (all_entries(values_[k], [&](double v) { return v > low + margin && v < high - margin; })) return k;
  auto s = keep({.kind = Step::Kind::Map, .type = type(k), .operands = {k}, .row = uint32_t(MapOp::sigmoid_)});
  const Rational a(long(std::lround(low * 10)), 10), b(long(std::lround(high * 10)), 10);
  if (!s || !all_entries(values_[*s], [](double v) { return v > 0.02 && v < 0.98; })) return std::nullopt;
  Step affine{.kind = Step::Kind::Sum, .type = type(k), .operands = {ones(type(k)), *s}, .coefficients = {a, b - a}};
  for (Rational& c : affine.coefficients) c.canonicalize();
  return keep(std::move(affine));
}

bool Generator::map() {
  const ElementwiseRow& r = any(elementwise_table());
  Step s{.kind = Step::Kind::Map, .row = uint32_t(r.op)};
  if (r.arity > 0) {
    const size_t x = any_step();
    s.type = type(x);
    s.operands = {x};
    if (!(r.arity == 1 ? unary(s, r) : several(s, r.op))) return false;
  }
  return keep(std::move(s)).has_value();
}

bool Generator::unary(Step& s, const ElementwiseRow& r) {
  const bool kink = r.op == MapOp::relu_ || r.op == MapOp::step_ || r.op == MapOp::abs_ || r.op == MapOp::sign_;
  if (kink) return all_entries(values_[s.operands[0]], [](double v) { return std::fabs(v) > kFromKink; });
  auto x = squashed(s.operands[0], r.low, r.high);
  if (x) s.operands[0] = *x;
  return x.has_value();
}

bool Generator::several(Step& s, MapOp op) {
  size_t x = s.operands[0];
  auto positive = [&] {
    auto inside = squashed(x, 0.3, 3);
    if (inside) x = *inside;
    return inside.has_value();
  };
  if (op == MapOp::polygamma_) {
    if (!positive()) return false;
    s.operands = {constant(long(pick(4))), x};
    return true;
  }
  if (op == MapOp::pow_ || op == MapOp::pow0_) {
    if (op == MapOp::pow_ && chance(30)) {
      auto y = alike_or_scalar(s.type);
      if (!y || !all_entries(values_[*y], [](double v) { return std::fabs(v) < 4; }) || !positive()) return false;
      s.operands = {x, *y};
      return true;
    }
    static const Rational kExponents[] = {2, 3, 2, -1, -2, Rational(1, 2), Rational(-1, 2), Rational(3, 2), Rational(1, 3), 0, 1};
    const Rational e = kExponents[pick(std::size(kExponents))];
    if (!is_integer(e) && !positive()) return false;
    if (e < 0 && !all_entries(values_[x], [](double v) { return std::fabs(v) > 0.1; })) return false;
    if (op == MapOp::pow0_ && !all_entries(values_[x], [](double v) { return std::fabs(v) > kFromKink; })) return false;
    s.operands = {x, constant(e)};
    return true;
  }
  auto y = alike_or_scalar(s.type);
  if (!y) return false;
  s.operands = {x, *y};
  switch (op) {
    case MapOp::atan2_:
    case MapOp::hypot_: return all_entries(values_[x], [](double v) { return std::fabs(v) > kFromKink; });
    case MapOp::select_: {
      if (!entries_apart(values_[x], values_[*y])) return false;
      auto c = keep({.kind = Step::Kind::Map, .type = s.type, .operands = {x, *y}, .row = uint32_t(MapOp::isless_)});
      auto b = alike_or_scalar(s.type);
      if (!c || !b) return false;
      s.operands = {*c, x, *b};
      return true;
    }
    default: return entries_apart(values_[x], values_[*y]);
  }
}

// --- functions without index form -------------------------------------------------------------------------------------------------------

bool Generator::fun() {
  const FunctionRow& r = any(function_table());
  const size_t core = r.core.in;
  const bool square = r.core.square;
  if (options_.language && (r.op == FunOp::adj || r.op == FunOp::coprod || r.op == FunOp::argmax)) return false;
  auto x = any_step_where([&](const Step& o) {
    const size_t n = o.type.size();
    if (core == 2 && options_.language && n != 2) return false;
    return n >= core && (!square || o.type[n - 1] == o.type[n - 2]);
  });
  if (!x || !in_domain(r.op, values_[*x])) return false;
  if (options_.language && !r.operand.empty() && !g_.is_symmetric(nodes_[*x])) return false;
  Step s{.kind = Step::Kind::Fun, .type = type(*x), .operands = {*x}, .row = uint32_t(r.op)};
  s.type = result_axes(r, s.type);
  return keep(std::move(s)).has_value();
}

// An undeclared function of one or two operands; the interpreter takes some smooth one for it.
bool Generator::call() {
  Step s{.kind = Step::Kind::Call, .row = uint32_t(p_.steps.size())};
  for (size_t k = 0, n = 1 + pick(2); k < n; ++k) {
    const auto x = any_step_where([&](const Step& o) { return !is_constant(o) && o.type.size() <= (options_.small ? 1 : 2); });
    if (!x) return false;
    s.operands.push_back(*x);
  }
  for (size_t k = pick(2); k > 0; --k) s.type.push_back(pick(symbols_));
  return keep(std::move(s)).has_value();
}

}  // namespace ricci::fuzz
