// Is a claim of convexity ever wrong? Random programs, and random formulas of the kind that people minimise; every claim is checked against
// spectra of the Hessian at more points than the analysis itself looks at.
#include "passes/convexity.h"

#include <fmt/format.h>

#include <cmath>
#include <random>

#include "frontend/program.h"
#include "ir/sample.h"
#include "passes/differentiate.h"
#include "tests/fuzz/campaign.h"

using namespace ricci;
using namespace ricci::fuzz;

namespace {

struct Claims {
  std::map<Verdict, int> count;
  std::string text() const {
    std::string s;
    for (auto& [v, n] : count) s += fmt::format("{}{} {}", s.empty() ? "" : ", ", n, name(v));
    return s;
  }
};

// Empty if every sampled spectrum is as claimed.
std::string refutation(Graph& g, NodeId f, NodeId x, const Dims& sizes, uint64_t seed, Claims& claims) {
  const NodeId roots[] = {f, x}, xs[] = {x};
  Convexity c;
  try {
    c = convexity(g, f, xs, {sizes, seed, 3});
  } catch (const ConvexityContradiction& e) {
    return e.what();
  }
  ++claims.count[c.verdict];
  if (c.verdict == Verdict::Unknown) return {};
  const bool affine = c.verdict == Verdict::Affine, strict = c.verdict == Verdict::StrictlyConvex || c.verdict == Verdict::StrictlyConcave;
  const bool up = c.verdict == Verdict::Convex || c.verdict == Verdict::StrictlyConvex;
  if (c.verdict == Verdict::Neither) return c.witness.size() == 2 && c.witness[0].value > 0 && c.witness[1].value < 0 ? "" : "no witness";
  const Dims dims = distinct_sizes(g, roots, sizes);
  for (uint64_t k = 0; k < 6; ++k) {
    const auto point = moved_point(g, xs, dims, random_point(g, roots, dims, seed + 77 * k), seed + k,
                                   k % 3 == 0   ? 1
                                   : k % 3 == 1 ? 0.3
                                                : 2);
    auto s = hessian_spectrum(g, f, xs, dims, point);
    if (!s || s->values.empty()) continue;
    const double low = double(s->values.front()), high = double(s->values.back()), scale = std::max(std::abs(low), std::abs(high));
    const double worst = affine ? std::max(-low, high) : up ? -low : high;
    if (worst > 1e-13 * scale + (affine ? 1e-20 : 1e-24))
      return fmt::format("claimed {}: eigenvalues {:.3g} to {:.3g}", name(c.verdict), low, high);
    const double least = up ? low : -high;
    if (strict && least < 1e-29 * scale) return fmt::format("claimed {}: eigenvalues {:.3g} to {:.3g}", name(c.verdict), low, high);
  }
  return {};
}

TEST(Convexity, ClaimsOfRandomProgramsHold) {
  Claims claims;
  campaign(40, 9, {.small = true}, [&](const RandomProgram& p) -> Outcome {
    Graph g;
    const std::vector<NodeId> nodes = p.build(g);
    NodeId f = nodes.back();
    f = g.ein({{f, Graph::iota(g[f].rank())}}, {}, {});
    const std::vector<NodeId> below = g.reachable(std::span(&f, 1));
    std::vector<NodeId> candidates;
    for (NodeId n : below)
      if (g[n].kind == Kind::Var) candidates.push_back(n);
    if (candidates.empty()) return {Outcome::Kind::Skipped};
    Dims sizes = p.dims();
    for (auto& [name, size] : sizes) size = std::max<int64_t>(size, 1);
    std::string wrong = refutation(g, f, candidates[p.seed % candidates.size()], sizes, p.seed, claims);
    return wrong.empty() ? Outcome{} : different(std::move(wrong));
  });
  fmt::print("verdicts: {}\n", claims.text());
}

// --- formulas -------------------------------------------------------------------------------------------------------------------------

constexpr const char* kDeclarations =
    "x: vector(n); p: vector(n) positive; A: matrix(m, n); b: vector(m); c: vector(n); w: vector(m) positive; S: matrix(n, n) spd; "
    "X: matrix(n, n) spd; Y: matrix(n, n) symmetric; U: matrix(m, n); t: scalar; s: scalar positive; a: scalar positive";

class Formulas {
 public:
  explicit Formulas(uint64_t seed) : random_(seed) {}

  std::pair<std::string, std::string> operator()() {
    const std::string x = any({"x", "x", "x", "p", "p", "X", "Y", "U", "t", "s"});
    return {scalar(x, 3), x};
  }

 private:
  std::string any(std::initializer_list<const char*> choices) { return choices.begin()[random_() % choices.size()]; }
  std::string number() { return any({"1", "2", "1/2", "3", "a"}); }

  std::string atom(const std::string& x) {
    if (x == "x" || x == "p") {
      const std::string affine = any({"A*{0}", "A*{0} - b", "b - A*{0}", "w.*(A*{0})"}), inner = fmt::format(fmt::runtime(affine), x);
      const std::string v = random_() % 2 ? x : "(" + inner + ")";
      if (random_() % 3 == 0)
        return fmt::format(
            fmt::runtime(any({"c'*{0}", "{0}'*S*{0}", "{0}'*{0}", "norm2({0})", "lse({0})", "sqrt({0}'*S*{0})", "{0}'*inv(S)*{0}",
                              "prod({0})", "tr(inv(A*diag({0})*A'))", "logdet(S + diag({0}))", "sum({0})"})),
            x);
      return fmt::format(
          fmt::runtime(
              any({"sum(exp({0}))",      "lse({0})",      "norm2({0})",         "sum({0}.^2)",           "sum({0}.^4)",    "sum({0}.^3)",
                   "sum(softplus({0}))", "sum(abs({0}))", "max({0})",           "sum(relu({0}))",        "sum(cosh({0}))", "sum(log({0}))",
                   "sum(sqrt({0}))",     "sum(1./{0})",   "sum({0}.*log({0}))", "sum(sigmoid({0}))",     "sum(tanh({0}))", "sum(sin({0}))",
                   "norm2({0})^2",       "min({0})",      "sum(relu({0}).^2)",  "log(1 + sum(exp({0})))"})),
          v);
    }
    if (x == "X" || x == "Y")
      return fmt::format(
          fmt::runtime(any({"logdet({0})", "tr(inv({0}))", "tr({0}*{0})", "tr(S*{0})", "c'*inv({0})*c", "det({0})", "norm2({0} - S)^2",
                            "tr({0}*S*{0})", "c'*{0}*c", "logdet(S + {0}*{0})", "tr(A*{0}*A')", "logdet({0} + S)", "norm2({0})",
                            "tr(expm({0}))", "tr(S*sqrtm({0}))", "tr({0}*logm({0}))", "eigmax({0})", "c'*logm({0})*c", "tr(sqrtm({0}))",
                            "tr(inv({0})*S)", "tr({0}^3)", "tr({0}^4)", "c'*expm({0})*c", "max(diag({0}))", "tr(inv({0}))"})),
          x);
    if (x == "U")
      return any({"norm2(U)^2", "norm2(U*X - A)^2", "sum(exp(U))", "norm2(U)", "tr(U*S*U')", "sum(abs(U))", "norm2(U*U' - b*b')^2",
                  "b'*U*c", "logdet(S + U'*U)", "sum(softplus(U*c))", "eigmax(U'*U)", "tr(sqrtm(eye(n) + U'*U))",
                  "logdet(eye(n) + U'*U)", "tr(inv(eye(n) + U'*U))"});
    return fmt::format(
        fmt::runtime(any({"{0}", "{0}^2", "exp({0})", "log({0})", "sqrt({0})", "1/{0}", "{0}*log({0})", "abs({0})", "softplus({0})",
                          "sigmoid({0})", "relu({0})", "norm2(c*{0} - p)", "{0}^3", "{0}^4", "sin({0})", "lse({0}*c)"})),
        x);
  }

  std::string scalar(const std::string& x, int depth) {
    const std::string u = depth > 0 && random_() % 2 ? scalar(x, depth - 1) : atom(x);
    switch (random_() % 8) {
      case 0:
        return fmt::format(fmt::runtime(any({"exp({0})", "log({0})", "sqrt(1 + ({0})^2)", "({0})^2", "softplus({0})", "relu({0})",
                                             "abs({0})", "sqrt({0})", "cosh({0})", "log(normcdf({0}))", "exp(-({0}))", "1/({0})", "({0})^(3/2)", "sigmoid({0})"})),
                           u);
      case 1: return fmt::format("({}) + {}", u, atom(x));
      case 2: return fmt::format("{}*({}) - {}", number(), u, atom(x));
      case 3: return fmt::format("-({})", u);
      case 4: return fmt::format("({})*({})", u, atom(x));
      case 5: return fmt::format(fmt::runtime(any({"max({0}, {1})", "min({0}, {1})", "({0})/(1 + {1})"})), u, atom(x));
      default: return u;
    }
  }

  std::mt19937_64 random_;
};

TEST(Convexity, ClaimsOfRandomFormulasHold) {
  Claims claims;
  const uint64_t count = from_environment("RICCI_FUZZ_COUNT", 60), first = from_environment("RICCI_FUZZ_SEED", 1);
  int failures = 0;
  for (uint64_t seed = first; seed < first + count && failures < 10; ++seed) {
    const auto [formula, x] = Formulas(seed)();
    Diagnostics diagnostics;
    auto program = parse_expression(formula, {.declarations = {kDeclarations}}, calculus(), diagnostics);
    ASSERT_TRUE(program) << formula << "\n" << diagnostics.to_text(false);
    const Declaration* d = program->find_declaration(x);
    if (!d) continue;
    const std::string wrong = refutation(*program->graph, program->definitions.back().value.node, d->node, {}, seed, claims);
    failures += !wrong.empty();
    EXPECT_EQ(wrong, "") << "RICCI_FUZZ_SEED=" << seed << ": " << formula << " by " << x;
  }
  fmt::print("{} formulas: {}\n", count, claims.text());
}

}  // namespace
