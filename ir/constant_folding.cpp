#include "ir/constant_folding.h"

#include <algorithm>

namespace ricci {
namespace {

constexpr long kMostBits = 20000;  // beyond this an exact power is not worth its digits

std::optional<mpz_class> exact_root(const mpz_class& z, unsigned long k) {
  mpz_class root;
  if (z < 0 || !mpz_root(root.get_mpz_t(), z.get_mpz_t(), k)) return std::nullopt;
  return root;
}

const Rational* constant_value(const Graph& g, NodeId n) { return g[n].kind == Kind::Const ? &g[n].value() : nullptr; }

// c and t if the node is c*t with c other than 1.
std::optional<Term> scaled(const Graph& g, NodeId n) {
  if (g[n].kind != Kind::Sum || g[n].operands.size() != 1) return std::nullopt;
  return g.terms(n)[0];
}

NodeId filled(Graph& g, Rational value, const Type& type) { return g.scale(std::move(value), g.ones(type)); }

std::optional<NodeId> fold_power(Graph& g, MapOp op, NodeId base, NodeId exponent) {
  const Rational* e = constant_value(g, exponent);
  if (!e) return std::nullopt;
  const Type type = g[base].type;
  bool guarded = op == MapOp::pow0_;
  if (*e == 0) return g.ones(type);  // of a guarded one too, as where it cancels in a product
  if (*e == 1 || (*e > 0 && g[base].kind == Kind::Place)) return base;  // of 0s and 1s
  if (guarded && is_integer(*e) && *e > 0) return g.power(base, *e);
  if (const Rational* c = constant_value(g, base)) {
    if (guarded && *c == 0) return g.constant(0);
    if (auto r = exact_power(*c, *e)) return g.constant(*r);
    return std::nullopt;
  }
  const Node& b = g[base];
  if (auto t = scaled(g, base)) {  // (c*t)^e = c^e * t^e for c > 0, or any c and an integer e
    if (t->coefficient > 0 || is_integer(*e))
      if (auto c = exact_power(t->coefficient, *e)) return g.scale(*c, g.map(op, {t->tensor, exponent}));
    return std::nullopt;
  }
  if (b.kind == Kind::Map && (b.map_op() == MapOp::pow_ || b.map_op() == MapOp::pow0_) && g[b.operands[0]].type == type) {
    if (const Rational* inner = constant_value(g, b.operands[1])) {
      // (x^a)^e = x^(a*e), unless a is even and e is not an integer: then it is |x|^(a*e).
      bool even = is_integer(*inner) && inner->get_num() % 2 == 0;
      bool inner_guarded = b.map_op() == MapOp::pow0_;
      if (!even || is_integer(*e) || inner_guarded) {
        Rational product = *inner * *e;
        bool plain = !(guarded || inner_guarded) || (is_integer(product) && product > 0);
        NodeId x = b.operands[0], p = g.constant(product);
        return g.map(plain ? MapOp::pow_ : MapOp::pow0_, {x, p});
      }
    }
  }
  return std::nullopt;
}

// f(0) and f(1) where they are integers.
std::optional<Rational> value_at_constant(MapOp op, const Rational& c) {
  if (op == MapOp::sign_) return Rational(sgn(c));
  if (op == MapOp::abs_) return Rational(abs(c));
  if (op == MapOp::relu_) return c > 0 ? c : Rational(0);
  if (op == MapOp::step_) return c > 0 ? Rational(1) : c < 0 ? Rational(0) : Rational(1, 2);
  if (c == 1 && (op == MapOp::log_ || op == MapOp::acosh_)) return Rational(0);
  if (c == 1 && op == MapOp::cbrt_) return Rational(1);
  if (c != 0) return std::nullopt;
  switch (op) {
    case MapOp::exp_:
    case MapOp::cos_:
    case MapOp::cosh_:
    case MapOp::erfc_: return Rational(1);
    case MapOp::sigmoid_:
    case MapOp::normcdf_: return Rational(1, 2);
    case MapOp::expm1_:
    case MapOp::log1p_:
    case MapOp::cbrt_:
    case MapOp::sin_:
    case MapOp::tan_:
    case MapOp::asin_:
    case MapOp::atan_:
    case MapOp::sinh_:
    case MapOp::tanh_:
    case MapOp::asinh_:
    case MapOp::atanh_:
    case MapOp::erf_: return Rational(0);
    default: return std::nullopt;
  }
}

// Whether all entries are positive by what was promised of variables: of those themselves, their powers, and entrywise products.
// Asked at construction, so only a few nodes are looked at: of a long chain of shared products it is not known.
bool is_positive(const Graph& g, NodeId n) {
  constexpr size_t kMostLooks = 64;
  std::vector<NodeId> open = {n};
  for (size_t looks = 0; !open.empty(); ++looks) {
    if (looks == kMostLooks) return false;
    const NodeId id = open.back();
    open.pop_back();
    const Node& x = g[id];
    const Rational* c = constant_value(g, id);
    if (c ? *c > 0 : x.kind == Kind::Var && g.symbol(id).properties.has(Property::positive)) continue;
    if (x.kind == Kind::Map && x.map_op() == MapOp::pow_) {
      open.push_back(x.operands[0]);
      continue;
    }
    if (x.kind != Kind::Ein) return false;
    Labels out = g.out(id);
    std::ranges::sort(out);
    const auto is_summed = [&](Label l) { return !std::ranges::binary_search(out, l); };  // and of no entries 0
    if (std::ranges::adjacent_find(out) != out.end() || std::ranges::any_of(x.labels, is_summed)) return false;
    open.insert(open.end(), x.operands.begin(), x.operands.end());
  }
  return true;
}

// A power of a base that is known to be positive (in exact arithmetic: an underflow to 0 is no reason to keep a case distinction).
bool never_zero(const Graph& g, NodeId n) {
  if (g[n].kind != Kind::Map || g[n].map_op() != MapOp::pow_) return false;
  return is_positive(g, g[n].operands[0]);
}

bool is_transpose(const Graph& g, NodeId n) {
  if (!g.is_structure(n) || g[n].rank() != 2 || g[n].operands.size() != 1) return false;
  const Labels labels = g.factors(n)[0].labels;  // aa->ab is diag(A)*ones', no transpose
  return labels.size() == 2 && labels[0] != labels[1] && g.out(n)[0] != g.out(n)[1];
}

// f(0), a matrix of zeros.
std::optional<NodeId> at_zero(Graph& g, FunOp op, Type type) {
  switch (op) {
    case FunOp::expm:
    case FunOp::cosm: return g.delta(type[0]);
    case FunOp::sinm:
    case FunOp::pinv:
    case FunOp::triu:
    case FunOp::tril: return g.zero(result_axes(row(op), type));
    default: return std::nullopt;
  }
}

// k with f(c*X) = k*f(X).
std::optional<Rational> homogeneous(FunOp op, const Rational& c) {
  switch (op) {
    case FunOp::inv:
    case FunOp::pinv: return Rational(1 / c);
    case FunOp::sqrtm: return c > 0 ? exact_power(c, Rational(1, 2)) : std::nullopt;
    case FunOp::eigmax:
    case FunOp::eigvecmax: return c > 0 ? std::optional(op == FunOp::eigmax ? c : Rational(1)) : std::nullopt;
    case FunOp::triu:
    case FunOp::tril: return c;
    default: return std::nullopt;
  }
}

// f(diag(v)) = diag(f(v)) for a primary function f. With a scalar s for v only where f(s) is harmless: inv(s*eye(n)) is there for s = 0 too if
// n is 0, 1/s is not.
std::optional<NodeId> of_diagonal(Graph& g, FunOp op, NodeId operand) {
  const std::vector<Factor> core = g.factors(operand);
  const Label along = g.out(operand)[0];
  const bool unit = core.empty(), scalar = std::ranges::none_of(core, [&](const Factor& f) { return std::ranges::count(f.labels, along) > 0; }) && !unit;
  const Labels axis = unit || scalar ? Labels{} : Labels{along};
  const NodeId v = g.ein(core, axis, unit || scalar ? Type{} : Type{g[operand].type[0]});
  NodeId entries;
  switch (op) {
    case FunOp::triu:
    case FunOp::tril: return operand;
    case FunOp::pinv:
      if (!unit) return std::nullopt;
      return operand;
    case FunOp::inv:
      if (scalar) return std::nullopt;
      entries = g.power(v, -1);
      break;
    case FunOp::logm:
      if (scalar) return std::nullopt;
      entries = g.map(MapOp::log_, {v});
      break;
    case FunOp::sqrtm:
      if (scalar) return std::nullopt;
      entries = g.power(v, Rational(1, 2));
      break;
    case FunOp::expm: entries = g.map(MapOp::exp_, {v}); break;
    case FunOp::sinm: entries = g.map(MapOp::sin_, {v}); break;
    case FunOp::cosm: entries = g.map(MapOp::cos_, {v}); break;
    default: return std::nullopt;
  }
  return g.ein({{entries, axis}}, {along, along}, Type(g[operand].type));
}

}  // namespace

bool is_norm(const Graph& g, NodeId n) { return g[n].kind == Kind::Map && (g[n].map_op() == MapOp::pow0_ || g[n].map_op() == MapOp::hypot_); }

std::optional<Rational> exact_power(const Rational& r, const Rational& e) {
  if (!e.get_num().fits_slong_p() || !e.get_den().fits_ulong_p()) return std::nullopt;
  long p = e.get_num().get_si();
  unsigned long magnitude = p < 0 ? 0ul - static_cast<unsigned long>(p) : static_cast<unsigned long>(p);
  if (r == 0) return p > 0 ? std::optional(Rational(0)) : std::nullopt;
  auto bits = [](const mpz_class& z) { return double(mpz_sizeinbase(z.get_mpz_t(), 2)); };
  if ((bits(r.get_num()) + bits(r.get_den())) * double(magnitude) > double(kMostBits)) {
    if (abs(r) != 1) return std::nullopt;
  }
  mpz_class num = r.get_num(), den = r.get_den();
  if (e.get_den() != 1) {
    auto a = exact_root(num, e.get_den().get_ui()), b = exact_root(den, e.get_den().get_ui());
    if (!a || !b) return std::nullopt;
    num = *a, den = *b;
  }
  if (abs(r) == 1) magnitude %= 2;
  mpz_class n, d;
  mpz_pow_ui(n.get_mpz_t(), num.get_mpz_t(), magnitude);
  mpz_pow_ui(d.get_mpz_t(), den.get_mpz_t(), magnitude);
  if (p < 0) std::swap(n, d);
  Rational result(n, d);
  result.canonicalize();
  return result;
}

std::optional<Rational> homogeneous(MapOp op, const Rational& c) {
  switch (op) {
    case MapOp::step_:
    case MapOp::sign_: return Rational(1);
    case MapOp::abs_:
    case MapOp::relu_: return c;
    default: return std::nullopt;
  }
}

std::optional<NodeId> fold_map(Graph& g, MapOp op, const std::vector<NodeId>& operands) {
  if (op == MapOp::pow_ || op == MapOp::pow0_) return fold_power(g, op, operands[0], operands[1]);
  if (operands.size() == 1) {
    if (const Rational* c = constant_value(g, operands[0]))
      if (auto v = value_at_constant(op, *c)) return g.constant(*v);
    if (g.is_zero(operands[0]) && g[operands[0]].rank() > 0)
      if (auto v = value_at_constant(op, 0)) {
        const Type type = g[operands[0]].type;
        return *v == 0 ? g.zero(type) : filled(g, *v, type);
      }
    if (auto t = scaled(g, operands[0]); t && abs(t->coefficient) != 1)
      if (auto c = homogeneous(op, abs(t->coefficient))) return g.scale(*c, g.map(op, {g.scale(sgn(t->coefficient), t->tensor)}));
    return std::nullopt;
  }
  if (operands.size() == 2) {
    const Rational *a = constant_value(g, operands[0]), *b = constant_value(g, operands[1]);
    if (a && b) {
      if (op == MapOp::max_) return g.constant(std::max(*a, *b));
      if (op == MapOp::min_) return g.constant(std::min(*a, *b));
      if (op == MapOp::isless_) return g.constant(*a < *b ? 1 : 0);
      if (op == MapOp::isequal_) return g.constant(*a == *b ? 1 : 0);
    }
    if ((op == MapOp::max_ || op == MapOp::min_) && operands[0] == operands[1]) return operands[0];
  }
  if (op == MapOp::isequal_ && g.is_zero(operands[1]) && never_zero(g, operands[0])) return g.zero(Type(g[operands[0]].type));
  if (op == MapOp::select_ && g[operands[1]].type == g[operands[2]].type) {
    const Type& type = g[operands[1]].type;
    if (const Rational* c = constant_value(g, operands[0])) return *c != 0 ? operands[1] : operands[2];
    if (g.is_zero(operands[0]) && g[operands[0]].type == type) return operands[2];
  }
  if (op == MapOp::select_ && g.is_zero(operands[0]) && g[operands[2]].type == g[operands[0]].type) return operands[2];
  return std::nullopt;
}

std::optional<NodeId> fold_fun(Graph& g, FunOp op, NodeId operand) {
  const FunctionRow& r = row(op);
  if (r.core.in != 2 || g[operand].rank() != 2) return std::nullopt;
  if (!r.transposed.empty() && is_transpose(g, operand)) {
    const NodeId f = g.fun(*find_function(r.transposed), g.factors(operand)[0].tensor);
    return r.core.out == 2 ? g.permute(f, {1, 0}) : f;
  }
  if (g.is_zero(operand)) return at_zero(g, op, g[operand].type);
  if (auto t = scaled(g, operand))
    if (auto c = homogeneous(op, t->coefficient)) return g.scale(*c, g.fun(op, t->tensor));
  if (g[operand].kind == Kind::Ein && g.out(operand)[0] == g.out(operand)[1]) return of_diagonal(g, op, operand);
  return std::nullopt;
}

}  // namespace ricci
