#include "passes/composition.h"

#include <algorithm>
#include <set>

#include "passes/composition_words.h"
#include "passes/differentiate.h"
#include "passes/fresh_name.h"
#include "passes/scalar_shape.h"
#include "passes/simplify.h"
#include "passes/substitute.h"

namespace ricci {
namespace {

constexpr size_t kMostMirrors = 4;

}  // namespace

// --- facts of nodes -------------------------------------------------------------------------------------------------------------

bool Composition::active(NodeId root) {
  for (NodeId n : active_.contains(root) ? std::vector<NodeId>{} : g_.reachable(std::span(&root, 1))) {
    bool any = std::ranges::count(variables_, n) > 0;
    for (NodeId op : g_[n].operands) any = any || active_.at(op);
    active_.try_emplace(n, any);
  }
  return active_.at(root);
}

bool Composition::affine(NodeId root) {
  for (NodeId id : affine_.contains(root) ? std::vector<NodeId>{} : g_.reachable(std::span(&root, 1))) {
    const Node& n = g_[id];
    const auto moving = std::ranges::count_if(n.operands, [&](NodeId op) { return active(op); });
    const bool linear_operation = n.kind == Kind::Var || n.kind == Kind::Sum || (n.kind == Kind::Ein && moving == 1) ||
                                  (n.kind == Kind::Fun && (n.fun_op() == FunOp::triu || n.fun_op() == FunOp::tril));
    affine_.try_emplace(id, !active(id) || (linear_operation && std::ranges::all_of(n.operands, [&](NodeId op) { return affine_.at(op); })));
  }
  return affine_.at(root);
}

NodeId Composition::slope(NodeId u) {
  std::vector<Term> terms;
  for (size_t k = 0; k < variables_.size(); ++k) terms.push_back({1, directional(g_, u, variables_[k], directions_[k])});
  return simplify(g_, g_.sum(std::move(terms), Type(g_[u].type)));
}

// Whether an affine function takes different values at different points: the sum of the squares of its slope is definite.
Composition::Proof Composition::injective(NodeId affine) {
  const NodeId s = slope(affine);
  const Labels all = Graph::iota(g_[s].rank());
  const NodeId q = simplify(g_, g_.ein({{s, all}, {s, all}}, {}, {}));
  return prove_nonnegative(g_, signs_, {q, {directions_.begin(), directions_.end()}, {variables_.begin(), variables_.end()}});
}

// --- the search -----------------------------------------------------------------------------------------------------------------

Composition::Proof Composition::prove(NodeId n, Curve curve, Order order) {
  if (!active(n)) return FormProof{{n, "is constant", "constant"}};
  if (affine(n)) return FormProof{{n, "is affine", "affine"}};
  const auto key = std::tuple(n, curve, order);
  if (auto it = known_.find(key); it != known_.end()) {
    domain_.insert(domain_.end(), it->second.domain.begin(), it->second.domain.end());
    return it->second.proof;
  }
  known_[key] = {};  // no proof rests on itself
  const auto conditions = std::ptrdiff_t(domain_.size());
  Proof proof = search(n, curve, order);
  if (!proof) domain_.erase(domain_.begin() + conditions, domain_.end());
  if (proof && proof->definite) proof->step.relation = strictly(proof->step.relation);
  known_[key] = {proof, {domain_.begin() + conditions, domain_.end()}};
  return proof;
}

Composition::Proof Composition::search(NodeId id, Curve curve, Order order) {
  const Node& n = g_[id];
  Proof proof;
  switch (n.kind) {
    case Kind::Sum: proof = sum(id, curve, order); break;
    case Kind::Ein: proof = product(id, curve, order); break;
    case Kind::Map: if (order == Order::Entries) proof = map(id, curve); break;
    case Kind::Fun: proof = order == Order::Entries ? function(id, curve) : matrix_function(id, curve); break;
    default: return std::nullopt;
  }
  if (order == Order::Loewner || (proof && proof->definite)) return proof;
  if (Proof better = spectral(id, curve); better && (!proof || better->definite || !better->definite_if.empty())) return better;
  if (proof) return proof;
  proof = lemmas_.smooth(id, curve, signs_, domain_);
  if (proof) proof->step = {id, says(kConvex, curve), "second derivative", {std::move(proof->step)}};
  if (!proof) proof = perspective(id, curve);
  if (!proof) proof = of_parts(id, curve);
  if (!proof && curve == Curve::Convex && is_norm(id)) proof = FormProof{{id, says(kConvex, curve), "norm of an affine function"}};
  return proof;
}

Composition::Proof Composition::sum(NodeId n, Curve curve, Order order) {
  FormProof all{{n, says(order == Order::Entries ? kConvex : kMatrixConvex, curve), "sum"}};
  for (const Term& t : g_.terms(n)) {
    auto proof = prove(t.tensor, t.coefficient > 0 ? curve : opposite(curve), order);
    if (!proof) return std::nullopt;
    if (active(t.tensor)) all.step.premises.push_back(proof->step);
    take_conditions(all, std::move(*proof));
  }
  return all;
}

// --- products -------------------------------------------------------------------------------------------------------------------

Composition::Proof Composition::product(NodeId n, Curve curve, Order order) {
  const std::vector<Factor> factors = g_.factors(n);
  std::vector<size_t> moving;
  for (size_t k = 0; k < factors.size(); ++k)
    if (active(factors[k].tensor)) moving.push_back(k);
  if (moving.size() == 1)
    if (auto proof = linear_image(n, moving[0], curve, order)) return proof;
  if (curve == Curve::Convex)
    if (auto proof = square_over(n, order)) return proof;
  if (curve == Curve::Concave && order == Order::Entries)
    if (auto proof = trace_exponential(n)) return proof;
  return order == Order::Entries && moving.size() > 1 ? weighted(n, moving, curve) : std::nullopt;
}

// A linear image of an entrywise product: sum(p.*log(p./q)).
Composition::Proof Composition::weighted(NodeId n, const std::vector<size_t>& moving, Curve curve) {
  const std::vector<Factor> factors = g_.factors(n);
  std::vector<Factor> product, all;
  Factor largest = factors[moving[0]];
  for (size_t k : moving)
    if (factors[k].labels.size() > largest.labels.size()) largest = factors[k];
  for (size_t k = 0; k < factors.size(); ++k) {
    if (!std::ranges::count(moving, k)) all.push_back(factors[k]);
    else if (factors[k].labels.empty() || factors[k].labels == largest.labels) product.push_back(factors[k]);
    else return std::nullopt;
  }
  Labels own = largest.labels;
  std::ranges::sort(own);
  if (std::ranges::adjacent_find(own) != own.end()) return std::nullopt;
  const NodeId entrywise = g_.ein(std::move(product), largest.labels, Type(g_[largest.tensor].type));
  if (entrywise == n) return std::nullopt;
  all.push_back({entrywise, largest.labels});
  const NodeId same = g_.ein(std::move(all), g_.out(n), Type(g_[n].type));
  if (same == n || g_[same].kind != Kind::Ein) return std::nullopt;
  const auto at = std::ranges::find(g_[same].operands, entrywise);
  return at == g_[same].operands.end() ? std::nullopt : linear_image(same, size_t(at - g_[same].operands.begin()), curve, Order::Entries);
}

// A linear image L(u) of one factor u. If L takes nonnegative tensors, or psd matrices, to such, it keeps the curvature in the entries, or in the order of
// Loewner, of u; and that is seen by taking it of an unknown one.
Composition::Proof Composition::linear_image(NodeId n, size_t k, Curve curve, Order order) {
  std::vector<Factor> factors = g_.factors(n);
  const Labels out = g_.out(n);
  const NodeId u = factors[k].tensor;
  const Type type = g_[u].type, type_n = g_[n].type;
  const bool square = type.size() == 2 && type[0] == type[1];
  const std::string_view result = says(order == Order::Entries ? kConvex : kMatrixConvex, curve);
  for (Order of : {Order::Entries, Order::Loewner}) {
    if (of == Order::Loewner && !square) continue;
    const Property promise = of == Order::Entries ? Property::nonnegative : Property::psd;
    factors[k].tensor = g_.variable(g_.declare({.name = fresh_name(g_, "P"), .type = type, .properties = {promise}}));
    const NodeId image = g_.ein(factors, out, Type(type_n));
    const bool positive = order == Order::Entries ? signs_.nonnegative(image) : signs_.psd(image);
    const bool negative = order == Order::Entries && !positive && signs_.range(image).nonpositive();
    if (!positive && !negative) continue;
    auto proof = prove(u, positive ? curve : opposite(curve), of);
    if (!proof) continue;
    FormProof all{{n, result, positive ? "positive linear image" : "negative linear image", {proof->step}}};
    if (keeps_strictness(factors, k, out, of)) take_conditions(all, std::move(*proof));
    return all;
  }
  return std::nullopt;
}

// Whether the image of what is nonnegative (psd) and not zero is not zero: a sum with weights that are not zero; tr(u), tr(S*u) with S definite.
bool Composition::keeps_strictness(const std::vector<Factor>& factors, size_t k, const Labels& out, Order order) {
  std::set<Label> own(factors[k].labels.begin(), factors[k].labels.end());
  size_t weights = 0;  // of the same axes
  for (size_t j = 0; j < factors.size(); ++j) {
    if (j == k) continue;
    const Factor& f = factors[j];
    if (order == Order::Entries || f.labels.empty()) {
      if (!signs_.range(f.tensor).excludes_zero()) return false;
    } else if (++weights > 1 || std::set<Label>(f.labels.begin(), f.labels.end()) != own || signs_.definite(f.tensor) != Definite::Definite) {
      return false;
    }
  }
  if (order == Order::Entries) return own.size() == factors[k].labels.size();
  return out.empty() ? weights == 1 || own.size() == 1 : weights == 0 && own.size() == 2;
}

// L(x)'*inv(Y)*L(x), u^2/v and their sums: jointly convex for affine L and u and concave positive Y and v, in the order of Loewner for matrices.
Composition::Proof Composition::square_over(NodeId n, Order order) {
  const std::vector<Factor> factors = g_.factors(n);
  const auto mirrors = find_mirrors(g_, factors, g_.out(n), order == Order::Entries ? OutLabels::Fixed : OutLabels::Swapped, signs_.facts(), kMostMirrors);
  for (const Mirror& m : mirrors) {
    std::vector<size_t> bases, squares, divisors;
    for (size_t k = 0; k < factors.size(); ++k) {
      if (!active(factors[k].tensor) || m.side[k] == Mirror::Side::Right) continue;
      const Node& f = g_[factors[k].tensor];
      const bool power = f.kind == Kind::Map && f.map_op() == MapOp::pow_ && g_[f.operands[1]].kind == Kind::Const;
      if (m.side[k] == Mirror::Side::Left) bases.push_back(k);
      else (power && g_[f.operands[1]].value() > 1 ? squares : divisors).push_back(k);
    }
    if (bases.size() + squares.size() > 1 || divisors.size() > 1) continue;
    FormProof all{{n, says(order == Order::Entries ? kConvex : kMatrixConvex, Curve::Convex), "square over linear"}};
    auto holds = [&](NodeId u, Curve c, Order o) {
      auto proof = prove(u, c, o);
      if (proof) all.step.premises.push_back(std::move(proof->step));
      return proof.has_value();
    };
    Rational power = 2;
    bool proved = true;
    for (size_t k : bases) proved = proved && holds(factors[k].tensor, Curve::Convex, Order::Entries) && affine(factors[k].tensor);
    for (size_t k : squares) {
      const Node& f = g_[factors[k].tensor];
      power = g_[f.operands[1]].value();
      const NodeId base = f.operands[0];
      const bool even = is_integer(power) && power.get_num() % 2 == 0;
      proved = proved && power >= 2 && (affine(base) ? even || signs_.nonnegative(base) : signs_.nonnegative(base)) && holds(base, Curve::Convex, Order::Entries);
    }
    for (size_t k : divisors) {
      const Node& f = g_[factors[k].tensor];
      if (m.is_kernel(factors[k])) {
        proved = proved && squares.empty() && f.kind == Kind::Fun && f.fun_op() == FunOp::inv && signs_.definite(f.operands[0]) == Definite::Definite &&
                 holds(f.operands[0], Curve::Concave, Order::Loewner);
      } else {
        const bool inverse = f.kind == Kind::Map && f.map_op() == MapOp::pow_ && g_[f.operands[1]].kind == Kind::Const &&
                             g_[f.operands[1]].value() < 0 && -g_[f.operands[1]].value() <= power - 1 && signs_.positive(f.operands[0]);
        proved = proved && inverse && holds(f.operands[0], Curve::Concave, Order::Entries);
      }
    }
    if (proved) return all;
  }
  return std::nullopt;
}

// --- functions of entries -------------------------------------------------------------------------------------------------------

Composition::Proof Composition::map(NodeId id, Curve curve) {
  const Node& n = g_[id];
  FormProof all{{id, says(kConvex, curve), "composition"}};
  auto holds = [&](NodeId u, Curve c) {
    auto proof = prove(u, c, Order::Entries);
    if (proof && active(u)) all.step.premises.push_back(std::move(proof->step));
    return proof.has_value();
  };
  switch (n.map_op()) {
    case MapOp::select_: return std::nullopt;
    case MapOp::max_:
    case MapOp::min_:
      all.step.rule = row(n.map_op()).name;
      if ((n.map_op() == MapOp::max_) != (curve == Curve::Convex) || !holds(n.operands[0], curve) || !holds(n.operands[1], curve)) return std::nullopt;
      return all;
    case MapOp::hypot_: {  // a norm of (u, v), increasing in what is not negative
      all.step.rule = "norm";
      auto fits = [&](NodeId u) { return (affine(u) || signs_.nonnegative(u)) && holds(u, Curve::Convex); };
      if (curve == Curve::Concave || !fits(n.operands[0]) || !fits(n.operands[1])) return std::nullopt;
      return all;
    }
    default: break;
  }
  if (n.operands.empty() || (n.operands.size() > 1 && active(n.operands[1]))) return std::nullopt;
  const NodeId u = n.operands[0];
  if (n.map_op() == MapOp::log_)
    if (auto proof = logarithm(u, curve)) return FormProof{{id, says(kConvex, curve), "logarithm", {std::move(proof->step)}}};
  const ScalarShape shape = scalar_shape(g_, id, signs_.range(u));
  const bool of_largest = g_[u].kind == Kind::Fun && (g_[u].fun_op() == FunOp::max_of || g_[u].fun_op() == FunOp::min_of);
  auto increases = [&](const ScalarShape& entries) { return entries.increasing && !entries.domain; };
  if (of_largest && increases(scalar_shape(g_, id, signs_.range(g_[u].operands[0])))) {  // the largest is where it was
    std::vector<NodeId> operands = n.operands;
    operands[0] = g_[u].operands[0];
    const NodeId inside = g_.fun(g_[u].fun_op(), simplify(g_, g_.map(n.map_op(), std::move(operands))));
    if (auto proof = prove(inside, curve, Order::Entries))
      return FormProof{{id, says(kConvex, curve), "an increasing function of the largest or smallest", {std::move(proof->step)}}};
  }
  if (!(curve == Curve::Convex ? shape.convex : shape.concave)) return std::nullopt;
  if (shape.domain && !affine(u)) {  // {u > a} is convex if u is concave
    if (shape.domain->low && !prove(u, Curve::Concave, Order::Entries)) return std::nullopt;
    if (shape.domain->high && !prove(u, Curve::Convex, Order::Entries)) return std::nullopt;
  }
  if (!affine(u)) {
    Proof inner;
    if (shape.increasing) inner = prove(u, curve, Order::Entries);
    if (!inner && shape.decreasing) inner = prove(u, opposite(curve), Order::Entries);
    if (!inner) return std::nullopt;
    all.step.premises.push_back(inner->step);
    if (shape.strictly_monotone) take_conditions(all, std::move(*inner));
  } else {
    all.step.premises.push_back({u, "is affine", "affine"});
  }
  if (shape.domain) {
    domain_.emplace_back(DomainCondition::Kind::Range, u, *shape.domain);
    signs_.assume(u, *shape.domain);
  }
  return all;
}

// u^e with e >= 1/2 of a polynomial u of degree two that is nowhere negative: u = |B*x + d|^2 + k with k >= 0, so its root is a norm.
bool Composition::is_norm(NodeId id) {
  const Node& n = g_[id];
  if (n.kind != Kind::Map || (n.map_op() != MapOp::pow_ && n.map_op() != MapOp::pow0_)) return false;
  const NodeId u = n.operands[0];
  if (g_[n.operands[1]].kind != Kind::Const || g_[n.operands[1]].value() < Rational(1, 2)) return false;
  for (NodeId m : g_.reachable(std::span(&u, 1))) {
    const Node& part = g_[m];
    const bool power = part.kind == Kind::Map && part.map_op() == MapOp::pow_ && g_[part.operands[1]].kind == Kind::Const &&
                       is_integer(g_[part.operands[1]].value()) && g_[part.operands[1]].value() > 0;
    if (active(m) && part.kind != Kind::Var && part.kind != Kind::Sum && part.kind != Kind::Ein && !power) return false;
  }
  if (active(slope(slope(u)))) return false;
  std::map<NodeId, NodeId> anything;  // not only where the variables keep their promises
  for (NodeId x : variables_) {
    const Symbol& s = g_.symbol(x);
    anything[x] = g_.variable(g_.declare({fresh_name(g_, s.name), s.type, s.variance, s.properties.has(Property::symmetric) ? Properties{Property::symmetric} : Properties{}}));
  }
  return Signs(g_).nonnegative(substitute(g_, u, anything));
}

// log(u) of a positive u.
Composition::Proof Composition::logarithm(NodeId u, Curve curve) {
  if (!active(u)) return signs_.positive(u) ? Proof(FormProof{{u, "is constant", "constant"}}) : std::nullopt;
  const Node& n = g_[u];
  FormProof all{{u, says(kLogConvex, curve), "composition"}};
  auto use = [&](Proof proof, std::string_view rule) -> Proof {
    if (!proof) return std::nullopt;
    all.step.rule = rule;
    all.step.premises.push_back(std::move(proof->step));
    return all;
  };
  if (n.kind == Kind::Map && n.map_op() == MapOp::exp_) return use(prove(n.operands[0], curve, Order::Entries), "exponential");
  if (n.kind == Kind::Map && n.map_op() == MapOp::pow_ && g_[n.operands[1]].kind == Kind::Const && signs_.positive(n.operands[0]))
    return use(logarithm(n.operands[0], g_[n.operands[1]].value() > 0 ? curve : opposite(curve)), "power");
  if (n.kind == Kind::Sum && curve == Curve::Convex) {
    all.step.rule = "sum";
    for (const Term& t : g_.terms(u)) {
      auto proof = t.coefficient > 0 ? logarithm(t.tensor, curve) : std::nullopt;
      if (!proof) return std::nullopt;
      all.step.premises.push_back(std::move(proof->step));
    }
    return all;
  }
  if (n.kind == Kind::Ein)
    if (auto proof = logarithm_of_product(u, curve)) return proof;
  if (n.kind == Kind::Ein && curve == Curve::Convex && signs_.positive(u)) return use(geometric_image(u), "positive linear image");
  if (curve == Curve::Convex || !signs_.positive(u)) return std::nullopt;
  if (auto proof = integral(u)) return proof;
  return use(prove(u, Curve::Concave, Order::Entries), "concave and positive");
}

// Products of log-convex functions are log-convex, and sums; products of log-concave ones log-concave.
Composition::Proof Composition::logarithm_of_product(NodeId u, Curve curve) {
  FormProof all{{u, says(kLogConvex, curve), "product"}};
  const Labels out = g_.out(u);
  for (const Factor& f : g_.factors(u)) {
    if (curve == Curve::Concave && std::ranges::any_of(f.labels, [&](Label l) { return !std::ranges::count(out, l); })) return std::nullopt;
    if (!active(f.tensor)) {
      if (!signs_.positive(f.tensor) && !(curve == Curve::Convex && signs_.nonnegative(f.tensor))) return std::nullopt;
      continue;
    }
    auto proof = logarithm(f.tensor, curve);
    if (!proof) return std::nullopt;
    all.step.premises.push_back(std::move(proof->step));
  }
  return all;
}

Composition::Proof Composition::integral(NodeId id) {
  const Node& n = g_[id];
  if (n.kind != Kind::Map || n.operands.size() != 1 || !integrates_log_concave(g_, id)) return std::nullopt;
  auto inner = prove(n.operands[0], row(n.map_op()).monotone == '+' ? Curve::Concave : Curve::Convex, Order::Entries);
  if (!inner) return std::nullopt;
  return FormProof{{id, says(kLogConvex, Curve::Concave), "integral of a log-concave density", {std::move(inner->step)}}};
}

// --- functions of vectors and matrices ------------------------------------------------------------------------------------------

Composition::Proof Composition::function(NodeId id, Curve curve) {
  const Node& n = g_[id];
  const NodeId u = n.operands[0];
  Proof inner;
  switch (n.fun_op()) {
    case FunOp::lse:
    case FunOp::max_of: if (curve == Curve::Convex) inner = prove(u, curve, Order::Entries); break;
    case FunOp::min_of: if (curve == Curve::Concave) inner = prove(u, curve, Order::Entries); break;
    case FunOp::eigmax: if (curve == Curve::Convex && g_.is_symmetric(u)) inner = prove(u, curve, Order::Loewner); break;
    case FunOp::logdet:
      if (signs_.definite(u) == Definite::Definite) inner = curve == Curve::Concave ? prove(u, curve, Order::Loewner) : geometric(u);
      break;
    default: break;
  }
  if (!inner) return std::nullopt;
  return FormProof{{id, says(kConvex, curve), row(n.fun_op()).name, {std::move(inner->step)}}};
}

}  // namespace ricci
