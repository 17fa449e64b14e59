#include "passes/convexity.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "ir/sample.h"
#include "passes/canonicalize.h"
#include "passes/differentiate.h"
#include "passes/raise.h"
#include "passes/rewrite.h"
#include "passes/simplify.h"
#include "passes/weight.h"

namespace ricci {
namespace {

constexpr double kContradiction = 1e-12;  // relative to the largest eigenvalue: what rounding in quadruple precision never reaches
constexpr double kWitness = 1e-9;
constexpr uint64_t kMostSettled = 10'000;  // of weight (passes/weight.h): the second derivative of eight layers, 1.5 s
constexpr double kScales[] = {1, 0.2, 3};

class Analysis {
 public:
  Analysis(Graph& g, NodeId f, std::span<const NodeId> variables, const Points& points)
      : g_(g), f_(f), variables_(variables.begin(), variables.end()), points_(points), signs_(g) {}

  Convexity operator()() {
    for (NodeId x : variables_) result_.directions.push_back(direction(x));
    const Regularity r = regularity(g_, signs_, canonicalize(g_, f_), variables_, result_.directions);
    result_.domain = r.domain;
    const NodeId smooth = stable(g_, f_);
    result_.second = settled(along(settled(along(smooth))));
    assume_off_zero(result_.second);
    const bool flat = g_.is_zero(result_.second);
    if (auto set = nonconvex_set()) result_.reason = *set;
    else if (!r.broken.empty()) result_.reason = r.broken;
    else if (flat && r.smooth()) conclude(Verdict::Affine, {result_.second, "= 0", "the second derivative"});
    else prove(r, flat);
    if (result_.verdict == Verdict::Unknown) look_for_witness();
    else check_claim();
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
    std::string name = variables_.size() > 1 ? "d" + symbol.name : symbol.type.size() == 2 ? "H" : "h";
    auto taken = [&] {
      for (size_t k = 0; k < g_.symbol_count(); ++k)
        if (g_[SymbolId{uint32_t(k)}].name == name) return true;
      return false;
    };
    while (taken()) name += "_";
    return g_.variable(g_.declare({name, symbol.type, symbol.variance, ties}));
  }

  NodeId along(NodeId u) {
    std::vector<Term> terms;
    for (size_t k = 0; k < variables_.size(); ++k) terms.push_back({1, directional(g_, u, variables_[k], result_.directions[k])});
    return g_.sum(std::move(terms), {});
  }

  // The product of all but one of positive numbers as a quotient, so that powers of the product can be collected.
  NodeId divided(NodeId q) {
    return rewrite_bottom_up(g_, q, [&](NodeId id) {
      const Node& n = g_[id];
      if (n.kind != Kind::Fun || n.fun_op() != FunOp::coprod || !signs_.positive(n.operands[0])) return id;
      const Labels all = Graph::iota(n.rank()), rows(all.begin(), all.end() - 1);
      return g_.ein({{g_.fun(FunOp::prod, n.operands[0]), rows}, {g_.power(n.operands[0], -1), all}}, all, Type(n.type));
    });
  }

  // Short, if that is not too much work: proofs look for shapes in what is short enough to be read.
  NodeId settled(NodeId q) {
    const NodeId d = divided(q);
    return Weight(g_)(d) <= kMostSettled ? simplify(g_, d) : d;
  }

  // Norms are differentiated where they are not zero; their kinks are the business of regularity.
  void assume_off_zero(NodeId q) {
    const NodeId roots[] = {q};
    for (NodeId n : g_.reachable(roots))
      if (g_[n].kind == Kind::Map && g_[n].map_op() == MapOp::pow0_ && signs_.nonnegative(g_[n].operands[0]))
        off_zero_.push_back(g_[n].operands[0]);
    for (NodeId n : off_zero_) signs_.assume(n, Range::above(0, true));
  }

  std::optional<std::string> nonconvex_set() const {
    for (NodeId x : variables_)
      for (Property p : {Property::orthogonal, Property::sign, Property::onehot})
        if (g_.symbol(x).properties.has(p))
          return fmt::format("the set of {} values of `{}` is not convex", row(p).name, g_.symbol(x).name);
    return std::nullopt;
  }

  // --- proofs -----------------------------------------------------------------------------------------------------------------------

  void conclude(Verdict v, ProofStep proof) {
    result_.verdict = v;
    result_.proof = std::move(proof);
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
    conclude(proof->definite ? strict : weak, std::move(proof->step));
    if (!proof->definite) result_.strict_if = std::move(proof->definite_if);
    std::ranges::sort(result_.strict_if);
    result_.strict_if.erase(std::unique(result_.strict_if.begin(), result_.strict_if.end()), result_.strict_if.end());
    return true;
  }

  // --- spectra ----------------------------------------------------------------------------------------------------------------------

  struct Bends {
    std::optional<CurvatureAt> up, down;
  };

  CurvatureAt curvature(const Spectrum& s, size_t k) const { return {s.point, s.vectors[k], double(s.values[k])}; }

  void look(const Spectrum& s, double tolerance, Bends& bends) const {
    if (s.values.empty()) return;
    const double low = double(s.values.front()), high = double(s.values.back()), scale = std::max(std::abs(low), std::abs(high));
    if (!bends.down && low < -tolerance * scale - 1e-24) bends.down = curvature(s, 0);
    if (!bends.up && high > tolerance * scale + 1e-24) bends.up = curvature(s, s.values.size() - 1);
  }

  // The sizes that were chosen, in the opposite order: a matrix that was tall is wide.
  Dims mirrored_sizes(Dims dims) const {
    std::vector<int64_t*> chosen;
    for (auto& [name, size] : dims)
      if (!points_.dims.contains(name)) chosen.push_back(&size);
    for (size_t i = 0, j = chosen.size(); i + 1 < j; ++i) std::swap(*chosen[i], *chosen[--j]);
    return dims;
  }

  template <class Visit>
  void sample(int parameters, int positions, Visit visit) {
    std::vector<NodeId> roots = {f_};
    roots.insert(roots.end(), variables_.begin(), variables_.end());
    const Dims ascending = distinct_sizes(g_, roots, points_.dims), descending = with_room_for_places(g_, roots, mirrored_sizes(ascending), points_.dims);
    for (int p = 0; p < parameters; ++p) {
      const Dims& dims = p % 2 ? descending : ascending;
      const uint64_t seed = points_.seed + 1000 * uint64_t(p);
      const auto fixed = random_point(g_, roots, dims, seed);
      for (int k = 0; k < positions; ++k) {
        const double scale = kScales[size_t(k) % std::size(kScales)];
        auto s = hessian_spectrum(g_, f_, variables_, dims, moved_point(g_, variables_, dims, fixed, seed + uint64_t(k) + 1, scale));
        if (s && !visit(p, *s)) return;
      }
    }
  }

  void look_for_witness() {
    Bends bends, ever;
    int at = 0;
    sample(std::max(2, points_.count / 3), 6, [&](int p, const Spectrum& s) {
      if (p != at) bends = {}, at = p;
      look(s, kWitness, bends);
      look(s, kWitness, ever);
      return !(bends.up && bends.down);
    });
    if (bends.up && bends.down) {
      result_.verdict = Verdict::Neither;
      result_.witness = {*bends.up, *bends.down};
    } else if (ever.up && ever.down) {
      result_.reason = "it bends upwards for some values of its parameters and downwards for others";
    }
  }

  void check_claim() {
    const bool convex = result_.verdict == Verdict::Convex || result_.verdict == Verdict::StrictlyConvex;
    const bool concave = result_.verdict == Verdict::Concave || result_.verdict == Verdict::StrictlyConcave;
    sample(std::max(1, points_.count / 5), 3, [&](int, const Spectrum& s) {
      Bends bends;
      look(s, kContradiction, bends);
      if (bends.down && !concave) fail(*bends.down);
      if (bends.up && !convex) fail(*bends.up);
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

  // The gradient of a quadratic is c*(M*x) - c*b: M*x = b.
  std::optional<Convexity::Equation> stationary(NodeId f) {
    if (variables_.size() != 1 || g_.is_zero(result_.second) || depends(result_.second, variables_[0]) || !can_be_written(g_, f))
      return std::nullopt;
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
  Signs signs_;
  std::vector<NodeId> off_zero_;
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
  return Analysis(g, f, variables, points)();
}

}  // namespace ricci
