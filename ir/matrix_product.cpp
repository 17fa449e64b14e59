// Products and quotients of matrix expressions.
//
// A product is taken apart into sign, coefficient, scalars, chain and denominators, whatever it was built from, and put together again
// in one order: coefficient, scalars, chain, one division at the end. An inner product inside a larger product is one of its scalars.
#include <algorithm>
#include <optional>

#include "ir/matrix_node.h"

namespace ricci::mat {
namespace {

// x^2 and c^2 of (x/c)^2, entry by entry or of scalars.
std::optional<std::pair<Expr, Expr>> power_of_quotient(const Expr& e, Op op) {
  if (e->op != op || e->operands[0]->op != (op == Op::Power ? Op::Divide : Op::ElementwiseDivide)) return std::nullopt;
  const Expr& exponent = e->operands[1];
  if (exponent->op != Op::Number || !is_integer(exponent->number)) return std::nullopt;
  const auto raised = [&](const Expr& x) { return op == Op::Power ? power(x, exponent) : elementwise_power(x, exponent); };
  return std::pair(raised(e->operands[0]->operands[0]), raised(e->operands[0]->operands[1]));
}

struct Product {
  bool negative = false;
  Rational coefficient = 1;
  std::vector<Expr> scalars, chain, denominators;

  void multiply(const Expr& e) {
    if (e->op == Op::Number) coefficient *= e->number;
    else if (e->is_negated()) negative = !negative, multiply(e->operands[0]);
    else if (e->op == Op::Divide) multiply(e->operands[0]), divide(e->operands[1]);
    else if (const auto q = power_of_quotient(e, Op::Power)) multiply(q->first), divide(q->second);
    else if (e->op == Op::Mul && !e->operands[0]->shape.is_scalar()) {
      if (e->shape.is_scalar()) scalars.push_back(e);  // x'*A*x stays together
      else for (const Expr& c : e->operands) chain.push_back(c);
    } else if (e->op == Op::Mul) {
      for (const Expr& c : e->operands) multiply(c);
    } else if (e->shape.is_scalar()) scalars.push_back(e);
    else chain.push_back(e);
  }

  void divide(const Expr& e) {
    if (e->op == Op::Number && e->number != 0) coefficient /= e->number;
    else if (e->is_negated()) negative = !negative, divide(e->operands[0]);
    else if (e->op == Op::Divide) divide(e->operands[0]), multiply(e->operands[1]);
    else if (const auto q = power_of_quotient(e, Op::Power)) divide(q->first), multiply(q->second);
    else if (e->op == Op::Mul && e->operands[0]->shape.is_scalar()) {
      for (const Expr& c : e->operands) divide(c);
    } else denominators.push_back(e);
  }
};

// Base and whole exponent of x^3 and x.
std::pair<Expr, Rational> as_power(const Expr& e, Op op) {
  if (e->op == op && e->operands[1]->op == Op::Number) return {e->operands[0], e->operands[1]->number};
  return {e, 1};
}

// Equal factors become powers; commuting factors stand in the order of before().
std::vector<Expr> collect(const std::vector<Expr>& factors, Op op) {
  std::vector<std::pair<Expr, Rational>> powers;
  for (const Expr& f : factors) {
    auto [base, exponent] = as_power(f, op);
    auto same = std::ranges::find_if(powers, [&](const auto& p) { return p.first == base; });
    if (same == powers.end()) powers.emplace_back(base, exponent);
    else same->second += exponent;
  }
  std::vector<Expr> out;
  for (const auto& [base, exponent] : powers) {
    if (exponent == 1) out.push_back(base);
    else out.push_back(op == Op::Power ? power(base, number(exponent)) : elementwise_power(base, number(exponent)));
  }
  std::ranges::stable_sort(out, before);
  return out;
}

// x^2/c^2 is (x/c)^2: of one whole exponent above and below the line there is one power.
void join_powers(std::vector<Expr>& above, std::vector<Expr>& below, Op op) {
  const bool entrywise = op == Op::ElementwisePower;
  const auto take = [&](std::vector<Expr>& from, const Rational& k) {
    std::vector<Expr> bases;
    std::erase_if(from, [&](const Expr& e) { return as_power(e, op).second == k && (bases.push_back(as_power(e, op).first), true); });
    return entrywise ? hadamard(bases) : mul(bases);
  };
  for (const Expr& e : std::vector(below)) {
    const Rational k = as_power(e, op).second;
    const auto has_it = [&](const Expr& x) { return as_power(x, op).second == k; };
    if (k == 1 || !is_integer(k) || std::ranges::none_of(above, has_it) || std::ranges::none_of(below, has_it)) continue;
    const Expr x = take(above, k), c = take(below, k);
    above.push_back(entrywise ? elementwise_power(elementwise_divide(x, c), number(k)) : power(divide(x, c), number(k)));
  }
  std::ranges::stable_sort(above, before);
}

Shape product_shape(const std::vector<Expr>& chain) {
  if (chain.empty()) return Shape::scalar();
  const Shape &first = chain.front()->shape, &last = chain.back()->shape;
  if (first.is_row()) return last.is_column() ? Shape::scalar() : Shape::row(last.columns);
  return last.is_column() ? Shape::column(first.rows) : Shape::matrix(first.rows, last.columns);
}

// eye(n) drops out of a chain, diag(u)*v is u.*v, and a run of equal factors is a power where that is shorter.
std::vector<Expr> shorten(std::vector<Expr> chain) {
  std::vector<Expr> kept;
  for (const Expr& e : chain)
    if (!is_eye(e)) kept.push_back(e);
  if (kept.empty() && !chain.empty()) kept.push_back(chain.front());
  while (kept.size() >= 2 && kept.back()->shape.is_column() && kept[kept.size() - 2]->calls("diag")) {
    Expr v = kept.back(), u = kept[kept.size() - 2]->operands[0];
    kept.erase(kept.end() - 2, kept.end());
    kept.push_back(hadamard({u, v}));
  }
  const auto skew_of = [](const Expr& e) {  // a of skew(a) and skew(a)'
    const Expr& core = e->op == Op::Transpose ? e->operands[0] : e;
    return core->calls("skew") ? std::optional(core->operands[0]) : std::nullopt;
  };
  while (kept.size() >= 2 && kept.back()->shape.is_column() && skew_of(kept[kept.size() - 2])) {  // skew(a)*b = cross(a, b) = skew(b)'*a
    const Expr v = kept.back(), m = kept[kept.size() - 2], u = *skew_of(m);
    kept.erase(kept.end() - 2, kept.end());
    kept.push_back(m->op == Op::Transpose ? cross(v, u) : cross(u, v));
  }
  for (size_t i = 0; i + 1 < kept.size(); ++i) {  // ones(m)*ones(n)' = ones(m, n)
    if (!kept[i]->shape.is_column() || !is_ones(kept[i]) || !kept[i + 1]->shape.is_row() || !is_ones(kept[i + 1])) continue;
    const Shape shape = Shape::matrix(kept[i]->shape.rows, kept[i + 1]->shape.columns);
    kept[i] = make_call("ones", {kept[i]->operands[0], kept[i + 1]->operands[0]->operands[0]}, shape);
    kept.erase(kept.begin() + long(i) + 1);
  }
  std::vector<Expr> out;
  for (size_t i = 0; i < kept.size();) {
    auto [base, exponent] = as_power(kept[i], Op::Power);
    size_t from = i++;
    for (; i < kept.size() && as_power(kept[i], Op::Power).first == base; ++i) exponent += as_power(kept[i], Op::Power).second;
    const bool no_longer = exponent * (base->size + 1) >= base->size + 3;
    if (i - from > 1 && no_longer && base->shape.is_matrix()) out.push_back(power(base, number(exponent)));
    else out.insert(out.end(), kept.begin() + long(from), kept.begin() + long(i));
  }
  return out;
}

Expr join(std::vector<Expr> factors, Shape shape) {
  if (factors.size() == 1) return factors[0];
  return make(Op::Mul, shape, std::move(factors));
}

// A chain of mostly transposed factors is the transpose of the plain one: inv(X)'*A'*B' = (B*A*inv(X))'.
std::vector<Expr> turn(std::vector<Expr> chain) {
  if (chain.size() < 2) return chain;
  size_t as_it_is = 0, turned = 1;  // without the operators between the factors
  for (const Expr& e : chain) as_it_is += e->size, turned += e->transposed_size;
  if (turned >= as_it_is) return chain;
  std::vector<Expr> plain;
  for (size_t i = chain.size(); i-- > 0;) {
    Expr e = transpose(chain[i]);
    if (e->op == Op::Mul) plain.insert(plain.end(), e->operands.begin(), e->operands.end());
    else plain.push_back(e);
  }
  return {make(Op::Transpose, product_shape(chain), {join(plain, product_shape(plain))})};
}

Expr assemble(Product p);

// (3*H - t*F)/3 as H - t*F/3: the denominator of the coefficient goes into a sum among the factors if that gets shorter.
std::optional<Product> denominator_inside(const Product& p) {
  const Rational bottom = p.coefficient.get_den();
  for (auto factors : {&Product::scalars, &Product::chain})
    for (size_t k = 0; bottom != 1 && k < (p.*factors).size(); ++k) {
      const Expr& sum = (p.*factors)[k];
      if (sum->op != Op::Add) continue;
      std::vector<Signed> terms;
      for (size_t i = 0; i < sum->operands.size(); ++i) terms.push_back({sum->negative[i], scale(Rational(1 / bottom), sum->operands[i])});
      Product inside = p;
      inside.coefficient *= bottom;
      (inside.*factors)[k] = add(std::move(terms));
      const bool stays = inside.coefficient != 1 && inside.coefficient != -1;
      if ((inside.*factors)[k]->size < sum->size + (stays ? 0 : 2)) return inside;
    }
  return std::nullopt;
}

Expr assemble(Product p) {
  if (const auto inside = denominator_inside(p)) return assemble(*inside);
  p.chain = shorten(std::move(p.chain));
  if (!product_shape(p.chain).is_scalar()) p.chain = turn(std::move(p.chain));
  if (p.chain.size() == 1 && p.chain[0]->op == Op::Transpose && p.chain[0]->operands[0]->calls("skew")) {  // skew(a)' = -skew(a)
    p.chain[0] = Expr(p.chain[0]->operands[0]);
    p.negative = !p.negative;
  }
  for (size_t i = 0; i < p.chain.size(); ++i) {  // a shortened factor may have let go of a scalar: diag(2*u)*v
    const Expr& e = p.chain[i];
    if (e->is_negated() || e->op == Op::Divide || (e->op == Op::Mul && e->operands[0]->shape.is_scalar())) {
      std::vector<Expr> chain = std::move(p.chain);
      p.chain.clear();
      for (const Expr& c : chain) p.multiply(c);
      break;
    }
  }
  Shape shape = product_shape(p.chain);
  if (p.coefficient < 0) p.negative = !p.negative, p.coefficient = -p.coefficient;
  if (shape.is_scalar() && !p.chain.empty()) p.scalars.push_back(join(std::move(p.chain), shape)), p.chain.clear();
  std::vector<Expr> factors;
  Rational top = p.coefficient.get_num(), bottom = p.coefficient.get_den();
  p.scalars = collect(p.scalars, Op::Power);
  p.denominators = collect(p.denominators, Op::Power);
  join_powers(p.scalars, p.denominators, Op::Power);
  bool alone = p.scalars.empty() && p.chain.empty();
  // 1.5*x and 0.5/y, but x/2.
  const bool decimal = bottom != 1 && !short_decimal(p.coefficient).empty();
  if (decimal && (top != 1 || (alone && !p.denominators.empty()))) top = p.coefficient, bottom = 1;
  if (top != 1 || alone) factors.push_back(number(alone && p.denominators.empty() ? p.coefficient : top));
  for (const Expr& s : p.scalars) factors.push_back(s);
  for (const Expr& c : p.chain) factors.push_back(c);
  Expr result = join(std::move(factors), shape);
  if (!(alone && p.denominators.empty())) {
    std::vector<Expr> below = std::move(p.denominators);
    if (bottom != 1) below.insert(below.begin(), number(bottom));
    if (!below.empty()) result = make(Op::Divide, shape, {result, join(std::move(below), Shape::scalar())});
  }
  return p.negative ? negate(result) : result;
}

// a./b; ones./x.^2 is x.^(-2), and ones./sqrt(x) is x.^(-0.5).
Expr quotient(const Expr& a, const Expr& b) {
  const bool root = b->calls("sqrt"), powered = b->op == Op::ElementwisePower && b->operands[1]->op == Op::Number;
  if (!is_ones(a) || (!root && !powered)) return make(Op::ElementwiseDivide, a->shape, {a, b});
  const Expr exponent = root ? number(Rational(1, 2)) : b->operands[1];
  return make(Op::ElementwisePower, a->shape, {b->operands[0], negate(exponent)});
}

}  // namespace

Expr mul(const std::vector<Expr>& factors) {
  Product p;
  for (const Expr& f : factors) p.multiply(f);
  return assemble(std::move(p));
}

Expr scale(const Rational& c, const Expr& e) {
  if (c == 1) return e;
  return c == -1 ? negate(e) : mul({number(c), e});
}

Expr divide(const Expr& a, const Expr& scalar) {
  Product p;
  p.multiply(a);
  p.divide(scalar);
  return assemble(std::move(p));
}

Expr hadamard(const std::vector<Expr>& factors) {
  if (factors.front()->shape.is_scalar()) return mul(factors);
  Shape shape = factors.front()->shape;
  Product outside;                 // signs, scalars and their denominators
  std::vector<Expr> above, below, inverse;  // entrywise; inverse: x.^(-2)
  std::optional<Expr> unit;                 // ones of the shape, if it occurs
  auto push = [&](const Expr& e) {
    std::vector<Expr> pending = {e};
    while (!pending.empty()) {
      Expr f = pending.back();
      pending.pop_back();
      Product one;
      one.multiply(f);
      outside.negative = outside.negative != one.negative;
      outside.coefficient *= one.coefficient;
      outside.scalars.insert(outside.scalars.end(), one.scalars.begin(), one.scalars.end());
      outside.denominators.insert(outside.denominators.end(), one.denominators.begin(), one.denominators.end());
      if (one.chain.empty()) continue;
      Expr rest = join(std::move(one.chain), shape);
      if (rest->op == Op::Hadamard) pending.insert(pending.end(), rest->operands.begin(), rest->operands.end());
      else if (rest->op == Op::ElementwiseDivide) pending.push_back(rest->operands[0]), below.push_back(rest->operands[1]);
      else if (const auto q = power_of_quotient(rest, Op::ElementwisePower)) pending.push_back(q->first), below.push_back(q->second);
      else if (rest->op == Op::ElementwisePower && rest->operands[1]->is_negated()) inverse.push_back(rest);
      else if (is_ones(rest)) unit = rest;
      else above.push_back(rest);
    }
  };
  for (const Expr& f : factors) push(f);
  if (above.empty() && !unit) above = std::move(inverse), inverse.clear();
  for (const Expr& e : inverse) {
    const Expr exponent = negate(e->operands[1]);
    const bool root = exponent->op == Op::Number && exponent->number == Rational(1, 2);
    below.push_back(root ? map_call("sqrt", {e->operands[0]}, shape) : elementwise_power(e->operands[0], exponent));
  }
  auto join_entrywise = [&](std::vector<Expr> es) {
    es = collect(es, Op::ElementwisePower);
    return es.size() == 1 ? es[0] : make(Op::Hadamard, shape, std::move(es));
  };
  above = collect(above, Op::ElementwisePower), below = collect(below, Op::ElementwisePower);
  join_powers(above, below, Op::ElementwisePower);
  const Expr top = above.empty() ? *unit : join_entrywise(std::move(above));
  outside.chain = {below.empty() ? top : quotient(top, join_entrywise(std::move(below)))};
  return assemble(std::move(outside));
}

Expr elementwise_divide(const Expr& a, const Expr& b) {
  if (b->shape.is_scalar()) return divide(a, b);
  Product top, bottom;
  top.multiply(a);
  bottom.multiply(b);
  Expr over = join(std::move(bottom.chain), b->shape);
  bottom.chain.clear();
  Expr quotient = make(Op::ElementwiseDivide, a->shape, {join(std::move(top.chain), a->shape), over});
  top.chain.clear();
  if (over->op == Op::ElementwiseDivide) quotient = hadamard({quotient->operands[0], make(Op::ElementwiseDivide, a->shape, {over->operands[1], over->operands[0]})});
  else quotient = hadamard({quotient});
  Expr factor = divide(assemble(std::move(top)), assemble(std::move(bottom)));
  return mul({factor, quotient});
}

namespace {
// (x^2)^3 = x^6 for whole exponents.
Expr raise_to(Op op, const Expr& base, const Expr& exponent) {
  auto [inner, first] = as_power(base, op);
  bool whole = exponent->op == Op::Number && is_integer(exponent->number) && is_integer(first);
  if (whole && first != 1) return make(op, base->shape, {inner, number(Rational(first * exponent->number))});
  return make(op, base->shape, {base, exponent});
}

// k and A of k*logm(A).
std::optional<std::pair<Expr, Expr>> multiple_of_logarithm(const Expr& e) {
  if (e->calls("logm")) return std::pair(number(1), e->operands[0]);
  if (e->op != Op::Mul && e->op != Op::Divide && !e->is_negated()) return std::nullopt;
  const auto matrix = std::ranges::find_if(e->operands, [](const Expr& f) { return !f->shape.is_scalar(); });
  if (matrix == e->operands.end() || std::ranges::count_if(e->operands, [](const Expr& f) { return !f->shape.is_scalar(); }) > 1) return std::nullopt;
  auto inner = multiple_of_logarithm(*matrix);
  if (!inner) return std::nullopt;
  auto& [k, A] = *inner;
  if (e->is_negated()) return std::pair(negate(k), A);
  if (e->op == Op::Divide) return std::pair(divide(k, e->operands[1]), A);
  std::vector<Expr> scalars{k};
  for (const Expr& f : e->operands)
    if (f->shape.is_scalar()) scalars.push_back(f);
  return std::pair(mul(scalars), A);
}

}  // namespace

Expr exponential(const Expr& matrix, Shape shape, bool symmetric) {
  const auto power_of = multiple_of_logarithm(matrix);
  if (!power_of) return call("expm", {matrix}, shape, symmetric);
  const auto& [k, A] = *power_of;
  const Expr& size = k->is_negated() ? k->operands[0] : k;
  const bool other = size->op == Op::Number && (is_integer(size->number) || (k == size && k->number == Rational(1, 2)));
  return other ? call("expm", {matrix}, shape, symmetric) : raise_to(Op::Power, A, k);
}

std::optional<Expr> by_logarithm(const Node& power) {
  const Expr &base = power.operands[0], &exponent = power.operands[1];
  if (base->shape.is_scalar() || (exponent->op == Op::Number && is_integer(exponent->number))) return std::nullopt;
  return call("expm", {mul({exponent, call("logm", {base}, base->shape)})}, base->shape);
}

Expr power(const Expr& base, const Expr& exponent) {
  if (exponent->is_number(0) && base->shape.is_scalar()) return number(1);
  if (exponent->is_number(1)) return base;
  const bool negative = exponent->op == Op::Add && std::ranges::count(exponent->negative, false) == 0;
  if (negative && base->shape.is_scalar()) return divide(number(1), power(base, negate(exponent)));  // x^(-k - 1) = 1/x^(k + 1)
  return raise_to(Op::Power, base, exponent);
}

Expr elementwise_power(const Expr& base, const Expr& exponent) {
  if (base->shape.is_scalar()) return power(base, exponent);
  return exponent->is_number(1) ? base : raise_to(Op::ElementwisePower, base, exponent);
}

}  // namespace ricci::mat
