#include "passes/convexity.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "ir/interpret.h"
#include "ir/sample.h"
#include "passes/canonicalize.h"
#include "passes/differentiate.h"
#include "passes/fresh_name.h"
#include "passes/raise.h"
#include "passes/rewrite.h"
#include "passes/simplify.h"
#include "passes/weight.h"

namespace ricci {
namespace {

constexpr double kContradiction = 1e-12;  // relative to the largest eigenvalue: what rounding in quadruple precision never reaches
constexpr double kWitness = 1e-9;
constexpr uint64_t kMostSettled = 10'000;  // of weight (passes/weight.h): the second derivative of eight layers, 1.5 s
constexpr int kDeepest = 2;
constexpr size_t kMostTerms = 64;            // of the function multiplied out
constexpr double kSteps[] = {1e-3, 1e-5};    // of second differences
constexpr double kScales[] = {1, 0.2, 3};

class Analysis {
 public:
  // `depth`: of questions about parts of functions. A part is asked for a proof only.
  Analysis(Graph& g, NodeId f, std::span<const NodeId> variables, const Points& points, int depth)
      : g_(g), f_(f), variables_(variables.begin(), variables.end()), points_(points), depth_(depth), signs_(g) {}

  Convexity operator()() {
    for (NodeId x : variables_) result_.directions.push_back(direction(x));
    const Regularity r = regularity(g_, signs_, canonicalize(g_, f_), variables_, result_.directions);
    result_.domain = r.domain;
    const NodeId smooth = stable(g_, f_);
    result_.second = second_derivative(smooth, signs_);
    const bool flat = g_.is_zero(result_.second);
    if (auto set = nonconvex_set()) result_.reason = *set;
    else if (!r.broken.empty()) result_.reason = r.broken;
    else if (flat && r.smooth()) conclude(Verdict::Affine, {{result_.second, "= 0", "the second derivative"}});
    else prove(r, flat);
    if (result_.verdict == Verdict::Unknown && !nonconvex_set() && depth_ < kDeepest) compose();
    if (result_.verdict != Verdict::Unknown) check_claim();
    else if (depth_ == 0) look_for_witness();
    if (r.smooth()) result_.stationary = stationary(smooth);
    return std::move(result_);
  }

 private:
  // A fresh direction in the space of x: symmetric for a symmetric matrix.
  NodeId direction(NodeId x) {
    using enum Property;
    const Symbol symbol = g_.symbol(x);
    Properties ties;
    for (Property p : {symmetric, skew, diagonal, lower, upper})
      if (symbol.properties.has(p)) ties.add(p);
    const std::string name = fresh_name(g_, variables_.size() > 1 ? "d" + symbol.name : symbol.type.size() == 2 ? "H" : "h");
    return g_.variable(g_.declare({name, symbol.type, symbol.variance, ties}));
  }

  NodeId along(NodeId u) {
    std::vector<Term> terms;
    for (size_t k = 0; k < variables_.size(); ++k) terms.push_back({1, directional(g_, u, variables_[k], result_.directions[k])});
    return g_.sum(std::move(terms), Type(g_[u].type));
  }

  // Norms are differentiated where they are not zero; their kinks are the business of regularity.
  NodeId second_derivative(NodeId f, Signs& signs) {
    const NodeId q = settled(along(settled(along(f), signs)), signs);
    std::vector<NodeId> off_zero;
    for (NodeId n : g_.reachable(std::span(&q, 1)))
      if (g_[n].kind == Kind::Map && g_[n].map_op() == MapOp::pow0_ && signs.nonnegative(g_[n].operands[0])) off_zero.push_back(g_[n].operands[0]);
    for (NodeId n : off_zero) signs.assume(n, Range::above(0, true));
    return q;
  }

  // Short, if that is not too much work: proofs look for shapes in what is short enough to be read.
  NodeId settled(NodeId q, Signs& signs) {
    const NodeId d = divided(q, signs);
    return Weight(g_)(d) <= kMostSettled ? simplify(g_, d) : d;
  }

  // The product of all but one of positive numbers as a quotient, so that powers of the product can be collected.
  NodeId divided(NodeId q, Signs& signs) {
    return rewrite_bottom_up(g_, q, [&](NodeId id) {
      const Node& n = g_[id];
      if (n.kind != Kind::Fun || n.fun_op() != FunOp::coprod || !signs.positive(n.operands[0])) return id;
      const Labels all = Graph::iota(n.rank()), rows(all.begin(), all.end() - 1);
      return g_.ein({{g_.fun(FunOp::prod, n.operands[0]), rows}, {g_.power(n.operands[0], -1), all}}, all, Type(n.type));
    });
  }

  // The set of all nonsingular matrices has two parts, but where no eigenvalue is negative they are those whose eigenvalues are positive.
  static bool nonsingular_on_a_convex_set(Properties p) {
    using enum Property;
    return p.has(psd) || (p.has(nonnegative) && (p.has(lower) || p.has(upper)));
  }

  std::optional<std::string> nonconvex_set() const {
    for (NodeId x : variables_)
      for (Property p : {Property::orthogonal, Property::sign, Property::onehot})
        if (g_.symbol(x).properties.has(p))
          return fmt::format("the set of {} values of `{}` is not convex", row(p).name, g_.symbol(x).name);
    for (NodeId x : variables_)
      if (const Properties p = g_.symbol(x).properties; p.has(Property::nonsingular) && !nonsingular_on_a_convex_set(p))
        return fmt::format("the set of nonsingular values of `{}` is not convex", g_.symbol(x).name);
    return std::nullopt;
  }

  // --- proofs -----------------------------------------------------------------------------------------------------------------------

  void conclude(Verdict v, FormProof proof) {
    result_.verdict = v;
    result_.proof = std::move(proof.step);
    if (!proof.definite) result_.strict_if = std::move(proof.definite_if);
    std::ranges::sort(result_.strict_if);
    result_.strict_if.erase(std::unique(result_.strict_if.begin(), result_.strict_if.end()), result_.strict_if.end());
  }

  void prove(const Regularity& r, bool flat) {
    if (!can_be_written(g_, result_.second)) {
      result_.reason = "the second derivative is too long";
      return;
    }
    if (!r.down && claim(result_.second, Verdict::Convex, Verdict::StrictlyConvex, flat, r.up ? "every kink bends upwards" : "")) return;
    if (!r.up &&
        claim(g_.scale(-1, result_.second), Verdict::Concave, Verdict::StrictlyConcave, flat, r.down ? "every kink bends downwards" : ""))
      return;
    result_.reason = r.up && r.down ? "there are kinks of both directions" : "no sign of the second derivative was proved";
  }

  bool claim(NodeId q, Verdict weak, Verdict strict, bool flat, std::string_view kinks) {
    std::optional<FormProof> proof;
    if (flat) proof = FormProof{{q, "= 0", "the second derivative"}};
    else proof = prove_nonnegative(g_, signs_, {q, result_.directions, variables_});
    if (!proof) return false;
    if (!kinks.empty()) proof->step = {f_, kinks, "kinks", {std::move(proof->step)}};
    conclude(proof->definite ? strict : weak, std::move(*proof));
    return true;
  }

  // --- composition ------------------------------------------------------------------------------------------------------------------

  void compose() {
    const NodeId flat = canonicalize(g_, stable(g_, f_)), forms[] = {flat, expand(g_, flat, kMostTerms)};
    Signs signs(g_);
    Composition composition(g_, signs, variables_, result_.directions,
                            {[this](NodeId n, Curve c, Signs s, Domain& d) { return smooth(n, c, std::move(s), d); },
                             [this](NodeId n, std::span<const NodeId> xs, Curve c, Domain& d) { return of_function(n, xs, c, d); }});
    for (NodeId f : forms)
      for (Curve curve : {Curve::Convex, Curve::Concave}) {
        auto proof = composition.prove(f, curve);
        if (!proof) continue;
        const bool up = curve == Curve::Convex;
        conclude(proof->definite ? (up ? Verdict::StrictlyConvex : Verdict::StrictlyConcave) : (up ? Verdict::Convex : Verdict::Concave), std::move(*proof));
        result_.by_composition = true;
        result_.domain.clear();
        for (const DomainCondition& c : composition.domain())
          if (std::ranges::none_of(result_.domain, [&](const DomainCondition& d) { return d.kind == c.kind && d.node == c.node; }))
            result_.domain.push_back(c);
        return;
      }
  }

  using Domain = std::vector<DomainCondition>;

  // By the second derivative of a part of the function.
  std::optional<FormProof> smooth(NodeId f, Curve curve, Signs signs, Domain& domain) {
    if (f == f_) return std::nullopt;  // asked before
    const Regularity r = regularity(g_, signs, canonicalize(g_, f), variables_, result_.directions);
    if (!r.broken.empty() || (curve == Curve::Convex ? r.down : r.up)) return std::nullopt;
    const NodeId second = second_derivative(f, signs);
    if (!can_be_written(g_, second)) return std::nullopt;
    const NodeId q = curve == Curve::Convex ? second : g_.scale(-1, second);
    auto proof = g_.is_zero(q) ? std::optional(FormProof{{q, "= 0", "the second derivative"}})
                               : prove_nonnegative(g_, signs, {q, result_.directions, variables_});
    if (proof) domain.insert(domain.end(), r.domain.begin(), r.domain.end());
    return proof;
  }

  std::optional<FormProof> of_function(NodeId f, std::span<const NodeId> arguments, Curve curve, Domain& domain) {
    auto it = asked_.find(f);
    if (it == asked_.end()) it = asked_.emplace(f, Analysis(g_, f, arguments, points_, depth_ + 1)()).first;
    const Convexity& c = it->second;
    const bool strict = c.verdict == (curve == Curve::Convex ? Verdict::StrictlyConvex : Verdict::StrictlyConcave);
    const bool weak = c.verdict == (curve == Curve::Convex ? Verdict::Convex : Verdict::Concave) || c.verdict == Verdict::Affine;
    if (!strict && !weak) return std::nullopt;
    domain.insert(domain.end(), c.domain.begin(), c.domain.end());
    return FormProof{*c.proof, strict};  // in its own arguments
  }

  // --- spectra ----------------------------------------------------------------------------------------------------------------------

  struct Bends {
    std::optional<CurvatureAt> up, down;
  };

  CurvatureAt curvature(const Spectrum& s, size_t k) const { return {s.point, s.vectors[k], double(s.values[k]), s.dims}; }

  void look(const Spectrum& s, double tolerance, Bends& bends) const {
    if (s.values.empty()) return;
    const double low = double(s.values.front()), high = double(s.values.back()), scale = std::max(std::abs(low), std::abs(high));
    if (!bends.down && low < -tolerance * scale - 1e-24) bends.down = curvature(s, 0);
    if (!bends.up && high > tolerance * scale + 1e-24) bends.up = curvature(s, s.values.size() - 1);
  }

  // Whether values of the function show the curvature, too. Derivatives of a function that is not differentiable there, the root of a
  // matrix that rounding made nonsingular, are noise.
  bool confirmed(const CurvatureAt& at) const {
    auto value = [&](double step) {
      auto point = at.point;
      for (NodeId x : variables_)
        for (size_t k = 0; k < point.at(x).data.size(); ++k) point.at(x).data[k] += Quad(step) * at.direction.at(x).data[k];
      return interpret<Quad>(g_, f_, at.dims, point).data[0];
    };
    return std::ranges::any_of(kSteps, [&](double step) {
      const double second = double((value(step) - 2 * value(0) + value(-step)) / (Quad(step) * Quad(step)));
      return std::abs(second - at.value) <= 0.1 * std::abs(at.value);
    });
  }

  // Spectra at `positions` points for each of `parameters` values of everything else, at the first orders of the sizes (a matrix that was tall is
  // wide) by turns; one at which the function is nowhere defined gives way to the next.
  template <class Visit>
  void sample(int parameters, int positions, Visit visit) {
    std::vector<NodeId> roots = {f_};
    roots.insert(roots.end(), variables_.begin(), variables_.end());
    std::vector<Dims> orders = size_orders(g_, roots, distinct_sizes(g_, roots, points_.dims), points_.dims);
    for (int p = 0; p < parameters; ++p) {
      const size_t order = size_t(p) % std::min<size_t>(2, orders.size());
      const Dims dims = orders[order];
      bool defined = false;
      const uint64_t seed = points_.seed + 1000 * uint64_t(p);
      const auto fixed = random_point(g_, roots, dims, seed);
      for (int k = 0; k < positions; ++k) {
        const double scale = kScales[size_t(k) % std::size(kScales)];
        auto s = hessian_spectrum(g_, f_, variables_, dims, moved_point(g_, variables_, dims, fixed, seed + uint64_t(k) + 1, scale));
        defined = defined || s;
        sampled_ = sampled_ || defined;
        if (s && !visit(p, *s)) return;
      }
      if (!defined && orders.size() > 1) orders.erase(orders.begin() + std::ptrdiff_t(order)), --p;
    }
  }

  // What is called with the variables: any function may stand behind its name, so what stands in for it is no witness.
  std::optional<std::string> unknown_function() const {
    for (NodeId n : g_.reachable(std::span(&f_, 1)))
      if (g_[n].kind == Kind::Call && std::ranges::any_of(variables_, [&](NodeId x) { return depends(n, x); }))
        return fmt::format("nothing is known of the function `{}`", g_.symbol(n).name);
    return std::nullopt;
  }

  void look_for_witness() {
    if (const auto unknown = unknown_function()) {
      result_.reason = *unknown;
      return;
    }
    Bends bends, ever;
    int at = 0;
    sample(std::max(2, points_.count / 3), 6, [&](int p, const Spectrum& s) {
      if (p != at) bends = {}, at = p;
      look(s, kWitness, bends);
      for (std::optional<CurvatureAt>* bend : {&bends.up, &bends.down})
        if (*bend && !confirmed(**bend)) bend->reset();
      if (bends.up) ever.up = bends.up;
      if (bends.down) ever.down = bends.down;
      return !(bends.up && bends.down);
    });
    if (bends.up && bends.down) {
      result_.verdict = Verdict::Neither;
      result_.witness = {*bends.up, *bends.down};
    } else if (ever.up && ever.down) {
      result_.reason = "it bends upwards for some values of its parameters and downwards for others";
    } else if (!sampled_) {
      result_.reason += ", and no random point was smooth, finite and well conditioned";
    }
  }

  void check_claim() {
    const bool convex = result_.verdict == Verdict::Convex || result_.verdict == Verdict::StrictlyConvex;
    const bool concave = result_.verdict == Verdict::Concave || result_.verdict == Verdict::StrictlyConcave;
    sample(std::max(1, points_.count / 5), 3, [&](int, const Spectrum& s) {
      Bends bends;
      look(s, kContradiction, bends);
      if (bends.down && !concave && confirmed(*bends.down)) fail(*bends.down);
      if (bends.up && !convex && confirmed(*bends.up)) fail(*bends.up);
      return true;
    });
  }
  [[noreturn]] void fail(const CurvatureAt& at) const {
    throw ConvexityContradiction(fmt::format("proved {}, but the curvature is {:.6g} at a sampled point", name(result_.verdict), at.value));
  }

  // --- stationary points ------------------------------------------------------------------------------------------------------------

  bool depends(NodeId n, NodeId x) const {
    const NodeId roots[] = {n};
    const auto below = g_.reachable(roots);
    return std::ranges::binary_search(below, x);
  }

  // The gradient of a quadratic is c*(M*x) - c*b: M*x = b. On a set without interior, as the simplex is one, it need not vanish.
  std::optional<Convexity::Equation> stationary(NodeId f) {
    if (variables_.size() != 1 || g_.is_zero(result_.second) || depends(result_.second, variables_[0]) || !can_be_written(g_, f))
      return std::nullopt;
    if (nonconvex_set() || g_.symbol(variables_[0]).properties.has(Property::simplex)) return std::nullopt;
    const NodeId x = variables_[0], gradient = simplify(g_, expand(g_, calculus().derivative(g_, f, x)));
    std::vector<Term> with, without;
    mpz_class numerators = 0, denominators = 1;
    for (Term& t : g_.terms(expand(g_, gradient))) {
      mpz_gcd(numerators.get_mpz_t(), numerators.get_mpz_t(), t.coefficient.get_num_mpz_t());
      mpz_lcm(denominators.get_mpz_t(), denominators.get_mpz_t(), t.coefficient.get_den_mpz_t());
      (depends(t.tensor, x) ? with : without).push_back(std::move(t));
    }
    if (with.empty()) return std::nullopt;
    Rational content(numerators, denominators);
    content.canonicalize();
    if (with[0].coefficient < 0) content = -content;
    for (Term& t : with) t.coefficient /= content;
    for (Term& t : without) t.coefficient /= -content;
    const Type type = g_[x].type;
    return Convexity::Equation{simplify(g_, g_.sum(std::move(with), type)), simplify(g_, g_.sum(std::move(without), type))};
  }

  Graph& g_;
  NodeId f_;
  std::vector<NodeId> variables_;
  const Points& points_;
  int depth_;
  Signs signs_;
  std::map<NodeId, Convexity> asked_;  // about other functions
  bool sampled_ = false;               // there was a spectrum
  Convexity result_;
};

}  // namespace

std::string_view name(Verdict v) {
  switch (v) {
    case Verdict::Convex: return "convex";
    case Verdict::StrictlyConvex: return "strictly convex";
    case Verdict::Concave: return "concave";
    case Verdict::StrictlyConcave: return "strictly concave";
    case Verdict::Affine: return "affine";
    case Verdict::Neither: return "neither";
    case Verdict::Unknown: return "unknown";
  }
  return "";
}

Convexity convexity(Graph& g, NodeId f, std::span<const NodeId> variables, const Points& points) {
  return Analysis(g, f, variables, points, 0)();
}

}  // namespace ricci
