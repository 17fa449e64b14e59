// Matrices in the order of Loewner, and functions of eigenvalues and singular values.
#include <algorithm>

#include "passes/composition.h"
#include "passes/composition_words.h"
#include "passes/differentiate.h"
#include "passes/fresh_name.h"
#include "passes/simplify.h"
#include "passes/spectral_function.h"

namespace ricci {
namespace {

constexpr size_t kMostMatrices = 8;  // that a function is tried as a spectral function of

// U'*U or U*U': one axis of the two equal factors is summed, the others are those of the result.
bool is_gram(const std::vector<Factor>& f, const Labels& out) {
  for (size_t inner : {0, 1}) {
    if (f[0].labels.size() != 2) return false;
    const Label c = f[0].labels[inner], a = f[0].labels[1 - inner], b = f[1].labels[1 - inner];
    if (f[1].labels[inner] == c && !std::ranges::count(out, c) && a != b && (out == Labels{a, b} || out == Labels{b, a})) return true;
  }
  return false;
}

}  // namespace

// Operator convex and operator monotone functions (Loewner, Kraus).
Composition::Proof Composition::matrix_function(NodeId id, Curve curve) {
  const Node& n = g_[id];
  const FunctionRow& r = row(n.fun_op());
  const NodeId u = n.operands[0];
  if (r.loewner.empty() || !g_.is_symmetric(u) || (r.loewner[0] == 'v') != (curve == Curve::Convex)) return std::nullopt;
  if (signs_.definite(u) != Definite::Definite) {
    if (!signs_.psd(u) || !affine(u)) return std::nullopt;
    domain_.emplace_back(DomainCondition::Kind::Nonsingular, u, Range());
  }
  auto inner = prove(u, r.loewner[1] == '+' ? curve : opposite(curve), Order::Loewner);
  if (!inner) return std::nullopt;
  FormProof all{{id, says(kMatrixConvex, curve), r.name, {inner->step}}};
  if (!affine(u)) take_conditions(all, std::move(*inner));
  else if (auto one_to_one = injective(u)) take_conditions(all, std::move(*one_to_one));
  return all;
}

// tr(expm(L + p_1*logm(M_1) + ...)) with a symmetric constant L, p_k > 0 and their sum at most 1, is jointly concave in positive definite M_k (Lieb 1973), and it
// increases with each.
Composition::Proof Composition::trace_exponential(NodeId id) {
  if (g_[id].operands.size() != 1 || g_[id].rank() > 0) return std::nullopt;
  const NodeId exponential = g_[id].operands[0];
  if (g_[exponential].kind != Kind::Fun || g_[exponential].fun_op() != FunOp::expm || g_.factors(id)[0].labels != Labels{0, 0}) return std::nullopt;
  FormProof all{{id, says(kConvex, Curve::Concave), "Lieb's trace function"}};
  Rational total = 0;
  for (const Term& t : g_.terms(g_[exponential].operands[0])) {
    if (!g_.is_symmetric(t.tensor)) return std::nullopt;
    if (!active(t.tensor)) continue;
    const Node& n = g_[t.tensor];
    if (n.kind != Kind::Fun || n.fun_op() != FunOp::logm || t.coefficient <= 0 || signs_.definite(n.operands[0]) != Definite::Definite) return std::nullopt;
    total += t.coefficient;
    auto inner = prove(n.operands[0], Curve::Concave, Order::Loewner);
    if (!inner) return std::nullopt;
    all.step.premises.push_back(std::move(inner->step));
  }
  return total <= 1 ? Proof(all) : std::nullopt;
}

// A psd matrix F(x) with F((x + y)/2) <= F(x)#F(y), the geometric mean of matrices (Ando and Hiai 2011): inverses of what is concave, constants, sums of such (the
// mean is superadditive) and positive linear images (Ando 1979). As det(F#G)^2 = det(F)*det(G), logdet(F) is convex.
Composition::Proof Composition::geometric(NodeId matrix) {
  if (!signs_.psd(matrix)) return std::nullopt;
  if (!active(matrix)) return FormProof{{matrix, "is constant", "constant"}};
  const Node& n = g_[matrix];
  FormProof all{{matrix, kMatrixLogConvex, "sum"}};
  if (n.kind == Kind::Fun && n.fun_op() == FunOp::inv && signs_.definite(n.operands[0]) == Definite::Definite) {
    auto inner = prove(n.operands[0], Curve::Concave, Order::Loewner);
    if (!inner) return std::nullopt;
    return FormProof{{matrix, kMatrixLogConvex, "inv", {std::move(inner->step)}}};
  }
  if (n.kind == Kind::Ein) return geometric_image(matrix);
  if (n.kind != Kind::Sum) return std::nullopt;
  for (const Term& t : g_.terms(matrix)) {
    auto inner = t.coefficient > 0 ? geometric(t.tensor) : std::nullopt;
    if (!inner) return std::nullopt;
    all.step.premises.push_back(std::move(inner->step));
  }
  return all;
}

// The image of one such matrix under a linear map that takes psd matrices to psd ones, or to nonnegative numbers.
Composition::Proof Composition::geometric_image(NodeId id) {
  std::vector<Factor> factors = g_.factors(id);
  const auto moving = [&](const Factor& f) { return active(f.tensor); };
  const auto f = std::ranges::find_if(factors, moving);
  if (std::ranges::count_if(factors, moving) != 1 || g_[f->tensor].rank() != 2 || !g_.is_symmetric(f->tensor)) return std::nullopt;
  const NodeId u = f->tensor;
  f->tensor = g_.variable(g_.declare({.name = fresh_name(g_, "P"), .type = g_[u].type, .properties = {Property::psd}}));
  const NodeId image = g_.ein(factors, g_.out(id), Type(g_[id].type));
  if (g_[id].rank() == 0 ? !signs_.nonnegative(image) : g_[id].rank() != 2 || !signs_.psd(image)) return std::nullopt;
  auto inner = geometric(u);
  if (!inner) return std::nullopt;
  return FormProof{{id, g_[id].rank() == 0 ? says(kLogConvex, Curve::Convex) : kMatrixLogConvex, "positive linear image", {std::move(inner->step)}}};
}

// A function of the eigenvalues of a symmetric affine matrix, or of the singular values of an affine one (Davis 1957, Lewis 1995); increasing
// in the eigenvalues also of a matrix that is convex itself.
Composition::Proof Composition::spectral(NodeId n, Curve curve) {
  if (g_[n].rank() != 0) return std::nullopt;
  std::vector<NodeId> matrices;
  for (NodeId m : g_.reachable(std::span(&n, 1)))
    if (g_[m].rank() == 2 && active(m) && g_.is_symmetric(m)) matrices.push_back(m);
  if (matrices.size() > kMostMatrices) matrices.resize(kMostMatrices);
  for (size_t k = matrices.size(); k-- > 0;) {
    const NodeId m = matrices[k];
    Properties p;
    if (signs_.psd(m)) p.add(signs_.definite(m) == Definite::Definite ? Property::positive : Property::nonnegative);
    const bool is_affine = affine(m);
    const std::vector<Factor> factors = g_[m].kind == Kind::Ein ? g_.factors(m) : std::vector<Factor>{};
    const bool gram = factors.size() == 2 && factors[0].tensor == factors[1].tensor && affine(factors[0].tensor) && is_gram(factors, g_.out(m));
    const NodeId v = eigenvalues_of(m, gram ? Properties() : p);
    if (is_affine || gram) {
      if (auto proof = spectral_in(n, gram ? factors[0].tensor : m, v, m, curve)) return proof;
    } else {
      auto value = of_eigenvalues(g_, n, m, v, [this](NodeId u) { return active(u); });
      if (!value) continue;
      const Range slope = signs_.range(simplify(g_, differentiate(g_, *value, v)));
      if (!slope.nonnegative() && !slope.nonpositive()) continue;
      auto inner = prove(m, slope.nonnegative() ? curve : opposite(curve), Order::Loewner);
      if (!inner) continue;
      if (auto proof = spectral_in(n, m, v, m, curve)) {
        proof->definite = false, proof->definite_if.clear();
        proof->step.premises[0] = std::move(inner->step);
        return proof;
      }
    }
  }
  return std::nullopt;
}

NodeId Composition::eigenvalues_of(NodeId matrix, Properties p) {
  const DimId n = g_[matrix].type[0];
  auto it = eigenvalues_.find({n, p});
  if (it == eigenvalues_.end()) {  // no two of them stand in one function
    const std::string name = eigenvalues_.empty() ? fresh_name(g_, "lambda") : g_.symbol(eigenvalues_.begin()->second).name;
    it = eigenvalues_.try_emplace({n, p}, g_.variable(g_.declare({name, {n}, {Variance::Up}, p}))).first;
  }
  return it->second;
}

Composition::Proof Composition::spectral_in(NodeId n, NodeId affine_part, NodeId v, NodeId m, Curve curve) {
  const bool singular_values = affine_part != m;
  auto value = of_eigenvalues(g_, n, m, singular_values ? g_.power(v, 2) : v, [this](NodeId u) { return active(u); });
  if (!value) return std::nullopt;
  std::vector<DomainCondition> where;
  auto inner = lemmas_.of_function(*value, std::span(&v, 1), curve, where);
  if (!inner) return std::nullopt;
  for (const DomainCondition& c : where)  // the set of matrices with eigenvalues in it
    if (singular_values || !affine(m) || c.kind != DomainCondition::Kind::Range || c.node != v || c.range.high || !c.range.low || *c.range.low != 0) return std::nullopt;
  if (!where.empty()) domain_.emplace_back(signs_.psd(m) ? DomainCondition::Kind::Nonsingular : DomainCondition::Kind::Definite, m, Range());
  for (NodeId u : g_.reachable(std::span(&n, 1)))  // a value of its own is asked for, though the limits at singular matrices exist
    if (singular_values && g_[u].kind == Kind::Fun && !row(g_[u].fun_op()).loewner.empty() && active(u) && signs_.definite(g_[u].operands[0]) != Definite::Definite)
      domain_.emplace_back(DomainCondition::Kind::Nonsingular, g_[u].operands[0], Range());
  FormProof all{{n, says(kConvex, curve), singular_values ? "function of singular values" : "function of eigenvalues"}};
  all.step.premises.push_back({affine_part, "is affine", "affine"});
  all.step.premises.push_back({*value, says(kConvex, curve), "second derivative", {std::move(inner->step)}});
  if (!inner->definite || !affine(affine_part)) return all;
  if (auto one_to_one = injective(affine_part)) take_conditions(all, std::move(*one_to_one));
  return all;
}

}  // namespace ricci
