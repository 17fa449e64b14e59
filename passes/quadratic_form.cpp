// First the terms as they stand; then, if signs are mixed, every product opened as far as directions go, and negative ones outweighed.
#include "passes/quadratic_form.h"

#include <algorithm>
#include <map>
#include <set>
#include <unordered_set>

#include "passes/canonicalize.h"
#include "passes/cauchy_schwarz.h"
#include "passes/definiteness.h"
#include "passes/differentiate.h"
#include "passes/monomial.h"
#include "passes/scalar_powers.h"
#include "passes/simplify.h"
#include "passes/softmax_sum.h"
#include "passes/substitute.h"

namespace ricci {
namespace {

constexpr size_t kMostMonomials = 256;
constexpr size_t kMostMirrors = 4;
constexpr int kDeepest = 3;  // of questions that a proof asks about other functions

constexpr std::string_view kNonnegative = ">= 0";

class Prover {
 public:
  Prover(Graph& g, Signs& signs, const QuadraticForm& form, int depth) : g_(g), signs_(signs), form_(form), depth_(depth) {}

  std::optional<FormProof> operator()() {
    auto proof = termwise(g_.terms(form_.q), form_.q);
    const NodeId flat = canonicalize(g_, form_.q);
    if (!proof && flat != form_.q) proof = termwise(g_.terms(flat), flat);
    if (!proof) proof = opened(flat);
    if (proof && form_.directions.size() > 1) proof->definite = every_direction_counts();
    return proof;
  }

 private:
  bool has_direction(NodeId n) {
    if (auto it = directed_.find(n); it != directed_.end()) return it->second;
    const NodeId roots[] = {n};
    for (NodeId m : g_.reachable(roots)) {
      if (directed_.contains(m)) continue;
      bool directed = std::ranges::count(form_.directions, m) > 0;
      for (NodeId op : g_[m].operands) directed = directed || directed_.at(op);
      directed_[m] = directed;
    }
    return directed_.at(n);
  }
  int sign_of(const Range& r) const { return r.nonnegative() ? 1 : r.nonpositive() ? -1 : 0; }
  Range scalar_range(const Monomial& m) { return m.coefficient * signs_.range(m.scalar); }

  // --- terms as they stand --------------------------------------------------------------------------------------------------------

  std::optional<FormProof> termwise(const std::vector<Term>& terms, NodeId whole) {
    const size_t before = nonnegative_.size();
    FormProof all{{whole, kNonnegative, "a sum of nonnegative terms"}};
    for (const Term& t : terms) {
      auto proof = term(t);
      if (!proof) return nonnegative_.resize(before, whole), std::nullopt;
      merge(all, std::move(*proof));
    }
    if (all.step.premises.size() == 1) all.step = std::move(all.step.premises[0]);
    return all;
  }

  void merge(FormProof& all, FormProof one) {
    nonnegative_.push_back(one.step.node);
    all.definite |= one.definite;
    all.definite_if.insert(all.definite_if.end(), one.definite_if.begin(), one.definite_if.end());
    all.step.premises.push_back(std::move(one.step));
  }

  std::optional<FormProof> term(const Term& t) {
    Monomial m = monomial(t, false);
    m.sign = sign_of(scalar_range(m));
    if (m.sign == 0) return std::nullopt;
    if (m.factors.size() == 1 && m.factors[0].labels == m.out && g_[m.factors[0].tensor].kind == Kind::Sum) {
      std::vector<Term> inner = g_.terms(m.factors[0].tensor);  // a number times a sum
      for (Term& i : inner) i.coefficient *= m.sign;
      const size_t before = nonnegative_.size();
      auto proof = termwise(inner, g_.scale(m.sign, m.factors[0].tensor));
      if (proof && !scalar_range(m).excludes_zero()) proof->definite = false, proof->definite_if.clear(), nonnegative_.resize(before, t.tensor);
      return proof;
    }
    if (m.sign < 0 && !turned(m)) return std::nullopt;
    m.mirrors = find_mirrors(g_, m.factors, m.out, OutLabels::Fixed, signs_.facts(), kMostMirrors);
    if (m.mirrors.empty()) return std::nullopt;
    return mirrored(m);
  }

  // -a*b = a*(-b): a minus is that of a weight that is a negative sum, however the two are written.
  bool turned(Monomial& m) {
    for (Factor& f : m.factors) {
      if (g_[f.tensor].kind != Kind::Sum || has_direction(f.tensor)) continue;
      std::vector<Term> terms = g_.terms(f.tensor);
      for (Term& t : terms) t.coefficient *= -1;
      const NodeId turned = g_.sum(std::move(terms), Type(g_[f.tensor].type));
      if (!signs_.nonnegative(turned) && !signs_.psd(turned)) continue;
      f.tensor = turned;
      m.coefficient *= -1;
      m.sign = 1;
      return true;
    }
    return false;
  }

  // --- opened products --------------------------------------------------------------------------------------------------------------

  std::optional<FormProof> opened(NodeId flat) {
    const NodeId open = expand(g_, flat, kMostMonomials, [&](NodeId n) { return has_direction(n); });
    std::vector<Term> terms = g_.terms(open);
    if (terms.size() > kMostMonomials) return std::nullopt;
    std::vector<Monomial> monomials = collect(terms);
    std::vector<Monomial*> positive, rest;
    for (Monomial& m : monomials) {
      m.sign = sign_of(scalar_range(m));
      m.mirrors = find_mirrors(g_, m.factors, m.out, OutLabels::Fixed, signs_.facts(), kMostMirrors);
      (m.sign > 0 && !m.mirrors.empty() ? positive : rest).push_back(&m);
    }
    FormProof all{{form_.q, kNonnegative, "a sum of nonnegative terms"}};
    for (Monomial* m : rest) {
      auto step = m->mirrors.empty() ? outweigh_mixed(*m, positive) : m->sign < 0 ? outweigh(*m, positive) : std::nullopt;
      if (!step) return std::nullopt;
      all.step.premises.push_back(std::move(*step));
    }
    for (Monomial* m : positive) merge(all, mirrored(*m));
    if (all.step.premises.size() == 1) all.step = std::move(all.step.premises[0]);
    return all;
  }

  // Products with the same factors become one, their scalars added, if the sum has a sign.
  std::vector<Monomial> collect(const std::vector<Term>& terms) {
    std::map<NodeId, std::vector<Monomial>> groups;
    for (const Term& t : terms) {
      Monomial m = monomial(t, true);
      std::vector<Monomial>& group = groups[g_.ein(m.factors, m.out, Type(g_[form_.q].type))];
      if (sign_of(scalar_range(m)) != 0) {
        group.push_back(std::move(m));
        continue;
      }
      for (const Term& part : g_.terms(expand(g_, m.scalar, kMostMonomials))) {
        Monomial one = m;
        one.coefficient *= part.coefficient;
        one.scalar = quotient(g_, part.tensor, g_.constant(1));
        refresh(g_, one);
        group.push_back(std::move(one));
      }
    }
    std::vector<Monomial> result;
    for (auto& [node, group] : groups) {
      Monomial m = group[0];
      if (group.size() > 1) {
        m.scalar = added(group);
        m.coefficient = 1;
        if (sign_of(signs_.range(m.scalar)) == 0) {  // those of one sign may outweigh the others
          for (Monomial& one : group) result.push_back(std::move(one));
          continue;
        }
        refresh(g_, m);
      }
      if (!g_.is_zero(m.scalar)) result.push_back(std::move(m));
    }
    return result;
  }

  NodeId added(const std::vector<Monomial>& group) {
    std::vector<Term> scalars;
    for (const Monomial& one : group) scalars.push_back({one.coefficient, one.scalar});
    const NodeId sum = simplify(g_, g_.sum(scalars, {}));
    if (sign_of(signs_.range(sum)) != 0) return sum;
    const FactoredSum f = factored_sum(g_, scalars, [this](NodeId n) { return signs_.positive(n); });
    return g_.times(f.common, shortest(f.rest));
  }

  Monomial monomial(const Term& t, bool open) {
    return ricci::monomial(g_, t, open, [this](NodeId n) { return has_direction(n); });
  }

  // --- Cauchy-Schwarz ---------------------------------------------------------------------------------------------------------------

  bool is_direction(NodeId n) const { return std::ranges::count(form_.directions, n) > 0; }

  // The linear form whose weighted square a mirrored monomial is, or the forms u of u'*inv(B)*u; nothing if other kernels join the halves.
  struct Squared {
    LinearForm linear;
    std::vector<Factor> weights;
    std::optional<NodeId> inverted = {};  // B
  };
  std::optional<Squared> squared(const Monomial& m, const Mirror& mirror) const {
    Squared s;
    std::set<Label> on_mirror(m.out.begin(), m.out.end());
    for (size_t k = 0; k < m.factors.size(); ++k) {
      const Factor& f = m.factors[k];
      if (mirror.side[k] == Mirror::Side::Left) s.linear.factors.push_back(f);
      if (mirror.side[k] != Mirror::Side::Right)
        for (Label l : f.labels)
          if (mirror.is_fixed(l)) on_mirror.insert(l);
      if (mirror.side[k] != Mirror::Side::Fixed) continue;
      if (!mirror.is_kernel(f)) {
        s.weights.push_back(f);
        continue;
      }
      const Node& kernel = g_[f.tensor];
      if (s.inverted || kernel.kind != Kind::Fun || kernel.fun_op() != FunOp::inv) return std::nullopt;
      s.inverted = kernel.operands[0];
      s.linear.kernel = joined_on_the_left(m, mirror, f);
      on_mirror.insert(*s.linear.kernel);
    }
    s.linear.out.assign(on_mirror.begin(), on_mirror.end());
    for (Label l : s.linear.out)  // an axis that the linear form does not carry is none of its own
      if (std::ranges::none_of(s.linear.factors, [&](const Factor& f) { return std::ranges::count(f.labels, l) > 0; })) return std::nullopt;
    return s;
  }

  static Label joined_on_the_left(const Monomial& m, const Mirror& mirror, const Factor& kernel) {
    for (size_t k = 0; k < m.factors.size(); ++k)
      if (mirror.side[k] == Mirror::Side::Left && std::ranges::count(m.factors[k].labels, kernel.labels[0])) return kernel.labels[0];
    return kernel.labels[1];
  }

  NodeId magnitude(NodeId scalar) { return signs_.range(scalar).nonpositive() ? g_.scale(-1, scalar) : scalar; }

  // coefficient*scalar of `plus` over that of `minus`, both taken positive.
  NodeId ratio(const Monomial& plus, const Monomial& minus) {
    return g_.scale(abs(plus.coefficient) / abs(minus.coefficient), quotient(g_, magnitude(plus.scalar), magnitude(minus.scalar)));
  }

  NodeId shortest(NodeId n) {
    const NodeId s = simplify(g_, with_shares_summed(g_, n));
    if (signs_.nonnegative(s)) return s;
    const NodeId e = simplify(g_, with_shares_summed(g_, expand(g_, s)));
    return signs_.nonnegative(e) ? e : s;
  }

  std::optional<ProofStep> outweigh(Monomial& minus, std::vector<Monomial*>& positive) {
    for (const Mirror& own : minus.mirrors) {
      auto square = squared(minus, own);
      if (!square) continue;
      for (size_t p = 0; p < positive.size(); ++p) {
        for (const Mirror& mirror : positive[p]->mirrors) {
          if (!scalar_range(minus).excludes_zero()) continue;
          auto d = dominate(
              g_, positive[p]->factors, mirror, square->linear, [&](NodeId n) { return is_direction(n); },
              [&](NodeId n) { return signs_.positive(n); });
          if (!d) continue;
          auto step = square->inverted ? inverted_bounds(*square, *d) : sum_bounds(*d);
          if (!step) continue;
          const NodeId remainder = shortest(square->inverted ? g_.subtract(ratio(*positive[p], minus), g_.constant(1))
                                                             : surplus(*positive[p], minus, *square, *d));
          if (!signs_.nonnegative(remainder)) continue;
          step->node = g_.add(positive[p]->node, minus.node);
          if (!g_.is_zero(remainder)) step->premises.push_back({remainder, signs_.positive(remainder) ? "> 0" : kNonnegative, "interval"});
          if (g_.is_zero(remainder) || g_[remainder].rank() > 0) {
            positive.erase(positive.begin() + std::ptrdiff_t(p));
          } else {  // what is left of the positive term may be needed again
            Monomial& rest = *positive[p];
            rest.coefficient = abs(minus.coefficient);
            rest.scalar = simplify(g_, g_.times(magnitude(minus.scalar), remainder));
            refresh(g_, rest);
          }
          return step;
        }
      }
    }
    return std::nullopt;
  }

  static std::optional<ProofStep> sum_bounds(const Domination& d) {
    return ProofStep{d.constant, kNonnegative, "Cauchy-Schwarz", {{d.constant, "times the sum of squares bounds the square", "the inequality"}}};
  }

  // B >= R'*P*R, for the same R and P whatever else the forms share with the square form.
  std::optional<ProofStep> inverted_bounds(const Squared& square, const Domination& d) {
    const bool all_else_shared = d.shared.size() + 1 == square.linear.out.size() && !std::ranges::count(d.shared, *square.linear.kernel);
    if (!square.weights.empty() || !all_else_shared) return std::nullopt;
    const NodeId rest = simplify(g_, g_.subtract(*square.inverted, d.constant));
    if (g_.is_zero(rest)) return ProofStep{rest, kNonnegative, "a projection makes nothing longer"};
    if (!signs_.psd(rest)) return std::nullopt;
    return ProofStep{rest, kNonnegative, "Schur complement", {{rest, "is positive semidefinite", "matrix"}}};
  }

  // What must be nonnegative for `plus` to outweigh `minus`, over `minus`'s scalar.
  NodeId surplus(const Monomial& plus, const Monomial& minus, const Squared& square, const Domination& d) {
    std::vector<Factor> left = d.common, right = square.weights;
    const bool all_shared = d.shared.size() == square.linear.out.size();
    for (size_t k = left.size(); all_shared && k-- > 0;)  // equal weights on both sides
      if (auto same = std::ranges::find(right, left[k]); same != right.end()) {
        right.erase(same);
        left.erase(left.begin() + std::ptrdiff_t(k));
      }
    Type type;
    std::map<Label, DimId> dims;
    for (const Factor& f : square.linear.factors)
      for (size_t a = 0; a < f.labels.size(); ++a) dims[f.labels[a]] = g_[f.tensor].type[a];
    for (Label l : d.shared) type.push_back(dims.at(l));
    left.push_back({ratio(plus, minus), {}});
    right.push_back({d.constant, square.linear.out});
    return g_.subtract(g_.ein(std::move(left), d.shared, type), g_.ein(std::move(right), d.shared, type));
  }

  // A product B1(h)*B2(h) of two linear forms, of either sign, outweighed by a*Q1(h) and c*Q2(h): B1^2 <= k1*Q1 and B2^2 <= k2*Q2, so
  // 4*a*c >= b^2*k1*k2 suffices.
  std::optional<ProofStep> outweigh_mixed(Monomial& mixed, std::vector<Monomial*>& positive) {
    if (!mixed.out.empty()) return std::nullopt;
    auto parts = connected_parts(mixed.factors);
    if (parts.size() == 1) return outweigh_inner(mixed, positive);
    if (parts.size() != 2) return std::nullopt;
    for (size_t a = 0; a < positive.size(); ++a)
      for (size_t c = 0; c < positive.size(); ++c) {
        if (a == c) continue;
        auto first = constant_of(*positive[a], parts[0]), second = constant_of(*positive[c], parts[1]);
        if (!first || !second) continue;
        const NodeId both = g_.ein({{magnitude(positive[a]->scalar), {}}, {magnitude(positive[c]->scalar), {}}}, {}, {});
        const NodeId squared_scalar = g_.ein({{mixed.scalar, {}}, {mixed.scalar, {}}}, {}, {});
        const Rational c4 = 4 * abs(positive[a]->coefficient * positive[c]->coefficient) / (mixed.coefficient * mixed.coefficient);
        const NodeId remainder =
            shortest(g_.subtract(g_.scale(c4, quotient(g_, both, squared_scalar)), g_.ein({{*first, {}}, {*second, {}}}, {}, {})));
        if (!signs_.nonnegative(remainder)) continue;
        return used_up(mixed, positive, a, c, remainder);
      }
    return std::nullopt;
  }

  // An inner product <u, v> of two linear forms, outweighed by a*|u|^2 and c*|v|^2 if 4*a*c >= b^2.
  std::optional<ProofStep> outweigh_inner(Monomial& mixed, std::vector<Monomial*>& positive) {
    const NodeId inner = g_.ein(mixed.factors, {}, {});
    for (size_t a = 0; a < positive.size(); ++a)
      for (size_t c = 0; c < a; ++c) {
        if (std::ranges::none_of(inner_products(*positive[a], *positive[c]), [&](NodeId n) { return n == inner; })) continue;
        const NodeId remainder = shortest(g_.subtract(g_.scale(4, g_.times(ratio(*positive[a], mixed), ratio(*positive[c], mixed))), g_.constant(1)));
        if (signs_.nonnegative(remainder)) return used_up(mixed, positive, a, c, remainder);
      }
    return std::nullopt;
  }

  // Those of the linear forms whose plain squares two monomials are.
  std::vector<NodeId> inner_products(const Monomial& left, const Monomial& right) {
    std::vector<NodeId> all;
    for (const Mirror& l : left.mirrors)
      for (const Mirror& r : right.mirrors) {
        const auto u = squared(left, l), v = squared(right, r);
        if (!u || !v || !u->weights.empty() || !v->weights.empty() || u->inverted || v->inverted || u->linear.out.size() != v->linear.out.size()) continue;
        const Type type = type_of(u->linear), other = type_of(v->linear);
        std::vector<size_t> order(type.size());
        for (size_t k = 0; k < order.size(); ++k) order[k] = k;
        do {
          Labels turned;
          Type turned_type;
          for (size_t k : order) turned.push_back(v->linear.out[k]), turned_type.push_back(other[k]);
          if (turned_type != type) continue;
          const Labels axes = Graph::iota(type.size());
          all.push_back(canonicalize(g_, g_.ein({{g_.ein(u->linear.factors, u->linear.out, type), axes}, {g_.ein(v->linear.factors, turned, type), axes}}, {}, {})));
        } while (type.size() <= 2 && std::ranges::next_permutation(order).found);
      }
    return all;
  }

  Type type_of(const LinearForm& form) const {
    Type type;
    for (Label l : form.out)
      for (const Factor& f : form.factors)
        if (const auto at = std::ranges::find(f.labels, l); at != f.labels.end()) {
          type.push_back(g_[f.tensor].type[size_t(at - f.labels.begin())]);
          break;
        }
    return type;
  }

  // Two squares spent on a mixed product. If more than it takes is there, a multiple of each is left.
  ProofStep used_up(const Monomial& mixed, std::vector<Monomial*>& positive, size_t a, size_t c, NodeId remainder) {
    ProofStep step{g_.add(g_.add(positive[a]->node, positive[c]->node), mixed.node), kNonnegative, "Cauchy-Schwarz"};
    if (!g_.is_zero(remainder)) step.premises.push_back({remainder, signs_.positive(remainder) ? "> 0" : kNonnegative, "interval"});
    if (signs_.positive(remainder))
      for (size_t k : {a, c}) nonnegative_.push_back(positive[k]->node);
    std::vector<Monomial*> left;
    for (size_t k = 0; k < positive.size(); ++k)
      if (k != a && k != c) left.push_back(positive[k]);
    positive = std::move(left);
    return step;
  }

  std::optional<NodeId> constant_of(const Monomial& square, const std::vector<Factor>& linear) {
    for (const Mirror& mirror : square.mirrors)
      if (auto d = dominate(
              g_, square.factors, mirror, {linear, {}}, [&](NodeId n) { return is_direction(n); },
              [&](NodeId n) { return signs_.positive(n); }))
        if (d->common.empty()) return d->constant;
    return std::nullopt;
  }

  // --- definiteness -----------------------------------------------------------------------------------------------------------------

  FormProof mirrored(const Monomial& m) {
    FormProof best{{m.node, kNonnegative, m.mirrors[0].side.size() == 1 ? "square" : "mirror"}};
    name_rule(best.step, m, m.mirrors[0]);
    if (form_.directions.size() != 1) return best;
    Definiteness definiteness(g_, signs_, form_.variables[0], form_.directions[0], [this](NodeId u) { return strictly_convex(u); });
    if (!definiteness.thin(m.scalar)) return best;
    for (const Mirror& mirror : m.mirrors) {
      std::set<IndependentColumns> conditions;
      if (!definiteness.only_at_zero(m.factors, m.out, mirror, conditions)) continue;
      if (conditions.empty()) {
        best.definite = true;
        return best;
      }
      if (conditions.size() == 1) best.definite_if.push_back(*conditions.begin());
    }
    return best;
  }

  // Of several directions: q = 0 only where each of its nonnegative terms is, and one by one, given that those before are 0, each direction is 0 where
  // some term is that says nothing of others. (A term of other variables could be 0 on a whole line on which its own moves.)
  bool every_direction_counts() {
    if (depth_ >= kDeepest || g_[form_.q].rank() > 0) return false;
    std::map<NodeId, NodeId> settled;
    for (bool progress = true; progress && settled.size() < form_.directions.size();) {
      progress = false;
      for (size_t k = 0; k < form_.directions.size(); ++k)
        if (!settled.contains(form_.directions[k]) && std::ranges::any_of(nonnegative_, [&](NodeId t) { return definite_in(k, substitute(g_, t, settled)); }))
          settled[form_.directions[k]] = g_.zero(Type(g_[form_.directions[k]].type)), progress = true;
    }
    return settled.size() == form_.directions.size();
  }

  bool definite_in(size_t k, NodeId term) {
    for (NodeId n : g_.reachable(std::span(&term, 1)))
      for (size_t other = 0; other < form_.directions.size(); ++other)
        if (other != k && (n == form_.directions[other] || n == form_.variables[other])) return false;
    const QuadraticForm alone{simplify(g_, term), {form_.directions[k]}, {form_.variables[k]}};
    auto proof = Prover(g_, signs_, alone, depth_ + 1)();
    return proof && proof->definite;
  }

  // The theorem in the words of the textbook's special case.
  void name_rule(ProofStep& step, const Monomial& m, const Mirror& mirror) {
    size_t kernels = 0, weights = 0;
    for (size_t k = 0; k < m.factors.size(); ++k) {
      if (mirror.side[k] != Mirror::Side::Fixed) continue;
      const Factor& f = m.factors[k];
      if (mirror.is_kernel(f)) {
        ++kernels;
        step.premises.push_back(
            {f.tensor, signs_.definite(f.tensor) == Definite::Definite ? "is positive definite" : "is positive semidefinite", "matrix"});
      } else if (!has_direction(f.tensor)) {
        ++weights;
        step.premises.push_back({f.tensor, signs_.positive(f.tensor) ? "> 0" : kNonnegative, "interval"});
      }
    }
    if (!g_.is_one(m.scalar)) step.premises.push_back({m.scalar, signs_.positive(m.scalar) ? "> 0" : kNonnegative, "interval"});
    step.rule = kernels > 1    ? "Schur and Kronecker products of semidefinite matrices"
                : kernels == 1 ? "X'*P*X with P semidefinite"
                : weights > 0  ? "X'*D*X with D nonnegative"
                               : "sum of squares";
    std::set<NodeId> seen;
    std::erase_if(step.premises, [&](const ProofStep& p) { return !seen.insert(p.node).second; });
  }

  // The question that thinness of a scalar's zeros may come to.
  bool strictly_convex(NodeId u) {
    if (depth_ >= kDeepest) return false;
    const NodeId x = form_.variables[0], h = form_.directions[0];
    const NodeId second = simplify(g_, directional(g_, simplify(g_, directional(g_, u, x, h)), x, h));
    const QuadraticForm inner{second, form_.directions, form_.variables};
    auto proof = Prover(g_, signs_, inner, depth_ + 1)();
    return proof && proof->definite;
  }

  Graph& g_;
  Signs& signs_;
  const QuadraticForm& form_;
  int depth_;
  std::vector<NodeId> nonnegative_;  // terms of q, or parts of them, that are nonnegative each
  std::unordered_map<NodeId, bool> directed_;
};

}  // namespace

std::optional<FormProof> prove_nonnegative(Graph& g, Signs& signs, const QuadraticForm& form) { return Prover(g, signs, form, 0)(); }

}  // namespace ricci
