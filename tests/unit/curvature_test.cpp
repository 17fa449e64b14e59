// Convexity, rule by rule: what is proved, under which conditions, and what must not be.
#include <gtest/gtest.h>

#include <algorithm>

#include "codegen/text.h"
#include "frontend/program.h"
#include "passes/convexity.h"
#include "passes/differentiate.h"
#include "passes/raise.h"

namespace ricci {
namespace {

constexpr const char* kDeclarations =
    "x: vector(n); a: vector(n); p: vector(n) positive; u: vector(n) unit; A: matrix(m, n); b: vector(m); y: vector(m); N: matrix(n, n) "
    "nonsingular; "
    "S: matrix(n, n) spd; P: matrix(n, n) psd; X: matrix(n, n) spd; Y: matrix(n, n) symmetric; Q: matrix(n, n) orthogonal; V: matrix(n, "
    "n); "
    "q: vector(n) positive; w: vector(m) positive; v: vector(n) nonnegative; T: matrix(m, m) spd; r: scalar positive; K: matrix(n, n) skew; U: matrix(m, n); B: matrix(m, n); t: scalar; s: scalar positive; c: scalar; D: matrix(n, n) diagonal nonnegative; fun phi(vector(n)) -> scalar";

struct Answer {
  Program program;
  Convexity c;
  std::string spelt(NodeId n) const {
    const size_t rank = (*program.graph)[n].rank();
    auto raised = raise(*program.graph, n, rank == 2 ? std::vector{Variance::Up, Variance::Down} : std::vector(rank, Variance::Up));
    return raised.expr ? to_text(*raised.expr) : raised.reason;
  }
};

Answer ask(const std::string& formula, const std::string& names) {
  Diagnostics diagnostics;
  auto program = parse_expression(formula, {.declarations = {kDeclarations}}, calculus(), diagnostics);
  if (!program) throw std::runtime_error(diagnostics.to_text(false));
  std::vector<NodeId> variables;
  for (size_t at = 0; at < names.size();) {
    const size_t end = std::min(names.find(',', at), names.size());
    variables.push_back(program->find_declaration(names.substr(at, end - at))->node);
    at = end + 1;
  }
  Convexity c = convexity(*program->graph, program->definitions.back().value.node, variables, {});
  return {std::move(*program), std::move(c)};
}

struct Case {
  const char *formula, *variables, *verdict, *strict_if = "";
};

struct CurvatureTest : testing::TestWithParam<Case> {};

TEST_P(CurvatureTest, Verdict) {
  const Case& k = GetParam();
  Answer answer = ask(k.formula, k.variables);
  EXPECT_EQ(name(answer.c.verdict), k.verdict) << k.formula << " " << answer.c.reason;
  std::string conditions;
  for (const IndependentColumns& i : answer.c.strict_if) conditions += (conditions.empty() ? "" : ", ") + answer.spelt(i.matrix);
  EXPECT_EQ(conditions, k.strict_if) << k.formula;
}

auto values(std::initializer_list<Case> cases) { return testing::ValuesIn(std::vector<Case>(cases)); }

// A product with a mirror.
INSTANTIATE_TEST_SUITE_P(Mirror, CurvatureTest,
                         values({
                             {"x'*S*x", "x", "strictly convex"},
                             {"x'*P*x", "x", "convex"},
                             {"norm2(A*x - b)^2", "x", "convex", "A"},
                             {"norm2(N*x)^2", "x", "strictly convex"},
                             {"x'*inv(S)*x", "x", "strictly convex"},
                             {"x'*(S.*P)*x", "x", "convex"},
                             {"-s*x'*S*x", "x", "strictly concave"},
                             {"tr(X*S*X)", "X", "strictly convex"},
                             {"x'*D*x", "x", "convex"},
                             {"tr(V'*D*V)", "V", "convex"},
                             {"norm2(A*V*N)^2", "V", "convex", "A"},
                             {"norm2(U)^2", "U", "strictly convex"},
    {"norm2(diag(N*V*N))^2", "V", "convex"},  // both axes of the direction meet in one
                             {"a'*inv(X)*a", "X", "convex"},
                             {"norm2(K)^2", "K", "strictly convex"},
                             {"tr(inv(A*diag(p)*A'))", "p", "convex"},
                             {"(a'*x)^4", "x", "convex"},
                         }));

// Signs and intervals of the weights.
INSTANTIATE_TEST_SUITE_P(Weights, CurvatureTest,
                         values({
                             {"sum(exp(A*x))", "x", "convex", "A"},
                             {"sum(softplus(x))", "x", "strictly convex"},
                             {"sum(log1p(exp(-y.*(A*x))))", "x", "convex"},
                             {"-sum(log(p))", "p", "strictly convex"},
                             {"sum(p.*log(p))", "p", "strictly convex"},
                             {"sum(x.*log(x))", "x", "strictly convex"},
                             {"sum(sqrt(p))", "p", "strictly concave"},
                             {"sum(u.*log(u)) + sum((1 - t)*u)", "u", "strictly convex"},
                             {"-sum(log(b - A*x))", "x", "convex", "A"},
                             {"sum(x.^4)", "x", "strictly convex"},
                             {"sum(v.^3)", "v", "strictly convex"},
                             {"(x'*x)^2", "x", "strictly convex"},
                             {"norm2(x)^3", "x", "strictly convex"},
                             {"exp(x'*S*x)", "x", "strictly convex"},
                             {"t^2*exp(t)", "t", "neither"},
                             {"sqrt(1 + t^2)", "t", "strictly convex"},
                             {"tanh(s)", "s", "strictly concave"},
                             {"lgamma(s)", "s", "strictly convex"},
                         }));

// Negative terms outweighed.
INSTANTIATE_TEST_SUITE_P(CauchySchwarz, CurvatureTest,
                         values({
                             {"lse(A*x + b)", "x", "convex"},
                             {"log(sum(exp(A*x + b)))", "x", "convex"},
                             {"log(1 + sum(exp(x)))", "x", "strictly convex"},
                             {"-sum(B.*(U*V)) + sum_i(lse_k([U*V]_ik))", "V", "convex"},
                             {"norm2(A*x - b)", "x", "convex"},
                             {"sqrt(x'*S*x)", "x", "convex"},
                             {"sqrt(1 + x'*x)", "x", "strictly convex"},
                             {"exp(sum(log(p))/n)", "p", "concave"},
                             {"prod(p)^(1/n)", "p", "concave"},
                             {"x'*x/s", "x,s", "convex"},
                             {"exp(norm2(x))", "x", "convex"},
                             {"x'*S*x/s", "x,s", "convex"},
                         }));

// Oblong projections: what is inverted is singular at half of all sizes, where nothing counts.
INSTANTIATE_TEST_SUITE_P(Projections, CurvatureTest,
                         values({
                             {"y'*(eye(m) - A*inv(A'*A)*A')*y", "y", "convex"},
                             {"x'*(eye(n) - A'*inv(A*A')*A)*x", "x", "convex"},
                             {"y'*A*inv(A'*A)*A'*y", "y", "convex", "A'"},
                             {"tr(U'*(eye(m) - A*inv(A'*A)*A')*U)", "U", "convex"},
                             {"y'*(T - T*A*inv(A'*T*A)*A'*T)*y", "y", "convex"},
                             {"y'*y - y'*A*inv(A'*A + P)*A'*y", "y", "convex"},
                             {"y'*A*inv(A'*A)*A'*y - y'*y", "y", "concave"},
                             {"2*y'*y - y'*A*inv(A'*A)*A'*y", "y", "strictly convex"},
                             {"y'*y - 2*y'*A*inv(A'*A)*A'*y", "y", "neither"},
                             {"y'*y - y'*A*inv(A'*A - P)*A'*y", "y", "neither"},
                         }));

// The second derivative does not tell everything.
INSTANTIATE_TEST_SUITE_P(Kinks, CurvatureTest,
                         values({
                             {"sum(abs(A*x - b))", "x", "convex"},
                             {"-sum(abs(x))", "x", "concave"},
                             {"max(x)", "x", "convex"},
                             {"min(A*x)", "x", "concave"},
                             {"relu(t)", "t", "convex"},
                             {"relu(t)^2", "t", "convex"},
                             {"exp(abs(t))", "t", "convex"},
                             {"abs(t) - relu(t)", "t", "unknown"},
                             {"abs(t)^c", "t", "unknown"},
                             {"sum(abs(x).^c)", "x", "unknown"},
                             {"norm2(x)^c", "x", "neither"},
                             {"(x'*x)^c", "x", "neither"},
                             {"t^t", "t", "strictly convex"},
                             {"s^s", "s", "strictly convex"},
                             {"sum(relu(ones(n) - t*a))", "t", "convex"},
                             {"where(abs(t) < 1, t^2/2, abs(t) - 1/2)", "t", "convex"},
                             {"where(t < 1, t^2, t)", "t", "unknown"},
                             {"where(t < 0, 0, 1)", "t", "unknown"},
                             {"step(t)", "t", "unknown"},
                             {"norm2(a*t)^(1/2)", "t", "unknown"},  // concave but for the cusp at 0
                             {"cbrt(t)^2", "t", "unknown"},         // the same
                             {"log(t^2)", "t", "unknown"},          // concave on both sides of the pole
                             {"1/t^2", "t", "unknown"},             // convex on both sides of it
                             {"log(abs(t))", "t", "unknown"},
                             {"1/s", "s", "strictly convex"},
                         }));

INSTANTIATE_TEST_SUITE_P(MatrixVariables, CurvatureTest,
                         values({
                             {"logdet(X)", "X", "strictly concave"},
                             {"log(det(X))", "X", "strictly concave"},
                             {"tr(inv(X))", "X", "strictly convex"},
                             {"logdet(N)", "N", "neither"},
                             {"tr(X*X)", "X", "strictly convex"},
                             {"tr(V*V)", "V", "neither"},  // a trace of a square is no sum of squares
                             {"norm2(V*V' - S)^2", "V", "neither"},
                             {"logdet(A*diag(p)*A')", "p", "concave"},
                             {"det(X)", "X", "neither"},
                         }));

// What a symmetric matrix's eigenvalues, or a matrix's singular values, decide (Davis, Lewis).
INSTANTIATE_TEST_SUITE_P(Spectral, CurvatureTest,
                         values({
                             {"tr(expm(Y))", "Y", "strictly convex"},
                             {"log(tr(expm(Y)))", "Y", "convex"},
                             {"tr(X*logm(X))", "X", "strictly convex"},
                             {"tr(X*logm(X) - X)", "X", "strictly convex"},
                             {"tr(logm(X))", "X", "strictly concave"},
                             {"tr(inv(sqrtm(X)))", "X", "strictly convex"},
                             {"tr(X^3)", "X", "strictly convex"},
                             {"tr(Y^4)", "Y", "strictly convex"},
                             {"tr(Y^3)", "Y", "neither"},
                             {"tr(cosm(Y))", "Y", "neither"},
                             {"det(X)^(1/n)", "X", "concave"},
                             {"1/tr(inv(X))", "X", "concave"},
                             {"tr(logm(eye(n) + expm(Y)))", "Y", "strictly convex"},
                             {"tr(expm(Y + t*S))", "t", "strictly convex"},
                             {"eigmax(Y)", "Y", "convex"},
                             {"eigmax(Y)^2", "Y", "unknown"},
                             {"eigmax(X)^2", "X", "convex"},
                             {"-eigmax(-Y)", "Y", "concave"},
                             {"eigmax(U'*U)", "U", "convex"},
                             {"sqrt(eigmax(U'*U))", "U", "convex"},
                             {"tr(sqrtm(eye(n) + U'*U))", "U", "strictly convex"},
                             {"logdet(eye(n) + U'*U)", "U", "neither"},
                             {"max(eigmax(Y), tr(Y))", "Y", "convex"},
                         }));

// Matrices in the order of Loewner.
INSTANTIATE_TEST_SUITE_P(Loewner, CurvatureTest,
                         values({
                             {"tr(sqrtm(X))", "X", "strictly concave"},
                             {"tr(S*sqrtm(X))", "X", "strictly concave"},
                             {"tr(P*sqrtm(X))", "X", "concave"},
                             {"a'*logm(X)*a", "X", "concave"},
                             {"a'*expm(Y)*a", "Y", "neither"},  // the exponential is convex, but not operator convex
                             {"tr(X*(logm(X) - logm(S)))", "X", "strictly convex"},
                             {"x'*inv(X)*x", "x,X", "convex"},
                             {"(A*x + b)'*inv(T)*(A*x + b)", "x,T", "convex"},
                             {"tr(U*inv(X)*U')", "U,X", "convex"},
                             {"max(diag(inv(X)))", "X", "convex"},
                             {"eigmax(inv(X))", "X", "convex"},
                             {"logdet(inv(X) + P)", "X", "convex"},  // matrix log-convex
                             {"logdet(A*inv(X)*A' + T)", "X", "convex"},
                             {"logdet(inv(X) - S)", "X", "neither"},
                             {"log(a'*inv(X)*a + 1)", "X", "convex"},
                             {"tr(expm(logm(S) + logm(X)))", "X", "concave"},  // Lieb
                             {"tr(expm(Y + logm(X)/2))", "X", "concave"},
                             {"tr(expm(Y + 2*logm(X)))", "X", "neither"},
                         }));

// Rules for what the second derivative does not show.
INSTANTIATE_TEST_SUITE_P(Compositions, CurvatureTest,
                         values({
                             {"norm2(A*x - b) + norm1(x)", "x", "convex"},
                             {"norm1(x)^2", "x", "convex"},
                             {"lse(abs(x))", "x", "convex"},
                             {"sum(abs(x).^3)^(1/3)", "x", "convex"},
                             {"relu(norm2(x) - 1)", "x", "convex"},
                             {"sqrt(norm1(x))", "x", "unknown"},
                             {"1/norm1(x)", "x", "unknown"},
                             {"-log(norm1(x))", "x", "unknown"},
                             {"sum(log(normcdf(y.*(A*x))))", "x", "concave"},
                             {"sum(sqrt(ones(m) + (A*x - b).^2))", "x", "convex", "A"},
                             {"sqrt(t^2 + c^2)", "t,c", "convex"},
                             {"sqrt(s^2 + s)", "s", "strictly concave"},  // nonnegative where s is, but no norm
                             {"sum(x.^4)/s^3", "x,s", "convex"},
                             {"sum(x.^4)/s^4", "x,s", "neither"},
                             {"s*lse(x/s)", "x,s", "convex"},
                             {"r*log(1 + exp(t/r))", "t,r", "convex"},
                             {"sum(p.*log(p./q))", "p,q", "convex"},
                             {"sum(w.*exp(-A*x) + A*x)", "x", "convex", "A"},
                             {"where(abs(t) <= 1, t^2/2, abs(t) - 1/2)", "t", "convex"},
                             {"t^4", "t", "strictly convex"},
                             {"t^3", "t", "neither"},
                         }));

// Strictly in several variables: one direction after the other, each by a term of its own.
INSTANTIATE_TEST_SUITE_P(Several, CurvatureTest,
                         values({
                             {"x'*x + c^4", "x,c", "strictly convex"},
                             {"x'*x + (x - a)'*(x - a)", "x,a", "strictly convex"},
                             {"c^2 + c*t + t^2", "c,t", "strictly convex"},
                             {"c^2 - 2*c*t + t^2", "c,t", "convex"},
                             {"tr(U'*U) + tr(B'*B) + tr(U'*B)", "U,B", "strictly convex"},
                             {"tr(U'*U) + tr(B'*B) - 2*tr(U'*B)", "U,B", "convex"},
                             {"tr(U'*U) + tr(B'*B) - 3*tr(U'*B)", "U,B", "neither"},
                             {"norm2(x - a)^2 + norm2(a - p)^2", "x,a,p", "convex"},
                             {"norm2(x - a)^2 + norm2(a - p)^2 + p'*p", "x,a,p", "strictly convex"},
                             {"exp(c + t)", "c,t", "convex"},
                             {"s^2*c^2 + c^4 + s^4", "s,c", "convex"},  // strictly, but by no term alone
                             {"-log(s) - log(r)", "s,r", "strictly convex"},
                             {"-logdet(X) - sum(log(p))", "X,p", "strictly convex"},
                             {"x'*x/s", "x,s", "convex"},
                         }));

INSTANTIATE_TEST_SUITE_P(Rest, CurvatureTest,
                         values({
                             {"a'*x + 1", "x", "affine"},
                             {"norm2(a)", "x", "affine"},
                             {"tr(S*X)", "X", "affine"},
                             {"x'*A'*b - (A*x)'*b", "x", "affine"},
                             {"log(1 + x'*x)", "x", "neither"},
                             {"x'*V*x", "x", "neither"},
                             {"a'*x*sum(x)", "x", "neither"},
                             {"sin(t)", "t", "neither"},
                             {"sum(x.^3)", "x", "neither"},
                             {"c*t^2", "t", "unknown"},  // one or the other, with the sign of c
                             {"tr(Q)", "Q", "unknown"},
                             {"norm2(N)^2", "N", "unknown"},  // two parts
                             {"phi(x)", "x", "unknown"},
                             {"phi(x)^2 + x'*x", "x", "unknown"},
                             {"x'*x - phi(x) + phi(x)", "x", "strictly convex"},
                             {"phi(a) + x'*V*x", "x", "neither"},
                         }));

std::string stationary(const char* formula, const char* variable) {
  Answer a = ask(formula, variable);
  return a.c.stationary ? a.spelt(a.c.stationary->left) + " = " + a.spelt(a.c.stationary->right) : "";
}

TEST(Stationary, PointsOfQuadraticsAreSolutionsOfLinearEquations) {
  EXPECT_EQ(stationary("norm2(A*x - b)^2", "x"), "A'*A*x = A'*b");
  EXPECT_EQ(stationary("x'*S*x/2 - a'*x", "x"), "S*x = a");
  EXPECT_EQ(stationary("a'*x - 3*x'*S*x", "x"), "6*S*x = a");
  EXPECT_EQ(stationary("norm2(A*x - b)^2 + s*norm2(x)^2", "x"), "A'*A*x + s*x = A'*b");
  EXPECT_EQ(stationary("(A*x - b)'*T*(A*x - b)", "x"), "A'*T*A*x = A'*T*b");
  EXPECT_EQ(stationary("sum(exp(x))", "x"), "");
  EXPECT_EQ(stationary("a'*x", "x"), "");
}

TEST(Witness, HasBothSignsAtTheSameParameters) {
  Answer a = ask("x'*V*x", "x");
  ASSERT_EQ(a.c.witness.size(), 2u);
  const NodeId v = a.program.find_declaration("V")->node, x = a.program.find_declaration("x")->node;
  EXPECT_EQ(a.c.witness[0].point.at(v).data, a.c.witness[1].point.at(v).data);
  for (const CurvatureAt& at : a.c.witness) {  // 2*h'*V*h is what is printed
    const Array<Quad>&h = at.direction.at(x), &m = at.point.at(v);
    Quad q = 0;
    for (size_t i = 0; i < h.data.size(); ++i)
      for (size_t j = 0; j < h.data.size(); ++j) q += 2 * h.data[i] * m.data[i * h.data.size() + j] * h.data[j];
    EXPECT_NEAR(double(q), at.value, 1e-12);
  }
  EXPECT_GT(a.c.witness[0].value, 0);
  EXPECT_LT(a.c.witness[1].value, 0);
}

// U'*U has no root by the principal function if U is wide, and rounding must not pass for curvature.
TEST(Witness, IsNoRoundingOfASingularMatrix) { EXPECT_EQ(ask("tr(sqrtm(U'*U))", "U").c.verdict, Verdict::Convex); }

std::string root(const char* formula, const char* variables) {
  const Answer a = ask(formula, variables);
  return std::string(a.c.proof ? a.c.proof->rule : "");
}

TEST(Proof, NamesTheRule) {
  EXPECT_EQ(root("log(tr(expm(Y)))", "Y"), "function of eigenvalues");
  EXPECT_EQ(root("tr(P*sqrtm(X))", "X"), "positive linear image");
  EXPECT_EQ(root("x'*inv(X)*x", "x,X"), "square over linear");
  EXPECT_EQ(root("s*lse(x/s)", "x,s"), "perspective");
  EXPECT_EQ(root("s*lse(x/s) + exp(s)", "x,s"), "sum");
}

TEST(Eigenvalues, OfAKnownMatrix) {
  Array<Quad> m({3, 3}), vectors;
  for (size_t k = 0; double v : {2, -1, 0, -1, 2, -1, 0, -1, 2}) m.data[k++] = Quad(v);
  const std::vector<Quad> values = eigenvalues(m, vectors);
  EXPECT_NEAR(double(values[0]), 2 - std::sqrt(2), 1e-15);
  EXPECT_NEAR(double(values[1]), 2, 1e-15);
  EXPECT_NEAR(double(values[2]), 2 + std::sqrt(2), 1e-15);
  for (size_t k = 0; k < 3; ++k)
    for (size_t i = 0; i < 3; ++i) {
      Quad product = 0;
      for (size_t j = 0; j < 3; ++j) product += m.data[i * 3 + j] * vectors.data[j * 3 + k];
      EXPECT_NEAR(double(product - values[k] * vectors.data[i * 3 + k]), 0, 1e-28);
    }
}

// --- signs ------------------------------------------------------------------------------------------------------------------------------

struct SignsTest : testing::Test {
  Graph g;
  Signs signs{g};
  DimId n = g.dim("n"), m = g.dim("m");
  NodeId var(const char* name, Type type, Properties p = {}) { return g.variable(g.declare({name, std::move(type), {}, p})); }
  NodeId t = var("t", {}), u = var("u", {}, {Property::unit}), x = var("x", {n}), A = var("A", {m, n}), V = var("V", {n, n}),
         S = var("S", {n, n}, {Property::spd}), w = var("w", {n}, {Property::nonnegative});
};

TEST_F(SignsTest, IntervalsAreExact) {
  const Range logistic = signs.range(g.subtract(u, g.power(u, 2)));  // u - u^2 in (0, 1/4]
  EXPECT_TRUE(logistic.positive());
  EXPECT_EQ(*logistic.high, Rational(1, 4));
  EXPECT_FALSE(logistic.high_open);
  EXPECT_TRUE(signs.range(g.add(g.constant(1), g.map(MapOp::tanh_, {t}))).positive());
  EXPECT_FALSE(signs.range(g.add(g.constant(1), g.map(MapOp::sin_, {t}))).positive());
  EXPECT_TRUE(signs.range(g.add(g.constant(1), g.map(MapOp::sin_, {t}))).nonnegative());
  EXPECT_TRUE(signs.range(g.map(MapOp::log_, {u})).negative());
  EXPECT_FALSE(signs.range(g.power(t, 3)).nonnegative());
  EXPECT_TRUE(signs.range(g.add(g.constant(2), g.subtract(g.power(t, 2), g.scale(2, t)))).positive());  // (t - 1)^2 + 1
  EXPECT_EQ(*(Rational(-2) * Range{Rational(0), Rational(3), true, false}).low, Rational(-6));
  const Range product = Range{Rational(-1), Rational(2)} * Range{Rational(-3), Rational(1), true, false};
  EXPECT_EQ(*product.low, Rational(-6));
  EXPECT_EQ(*product.high, Rational(3));
  EXPECT_TRUE(product.high_open);
  EXPECT_TRUE((Range::above(0, false) * Range::all()).low == std::nullopt);
}

TEST_F(SignsTest, MirrorsMakeScalarsNonnegativeAndMatricesSemidefinite) {
  EXPECT_TRUE(signs.nonnegative(g.ein({{x, {0}}, {S, {0, 1}}, {x, {1}}}, {}, {})));
  EXPECT_FALSE(signs.nonnegative(g.ein({{x, {0}}, {V, {0, 1}}, {x, {1}}}, {}, {})));
  EXPECT_FALSE(signs.nonnegative(g.ein({{V, {0, 1}}, {V, {1, 0}}}, {}, {}))) << "tr(V*V) may be negative";
  EXPECT_TRUE(signs.nonnegative(g.ein({{V, {0, 1}}, {V, {0, 1}}}, {}, {})));
  EXPECT_TRUE(signs.psd(g.ein({{A, {0, 1}}, {w, {1}}, {A, {2, 1}}}, {0, 2}, {m, m})));  // A*diag(w)*A'
  EXPECT_FALSE(signs.psd(g.ein({{A, {0, 1}}, {x, {1}}, {A, {2, 1}}}, {0, 2}, {m, m})));
  EXPECT_EQ(signs.definite(g.ein({{S, {0, 1}}, {S, {0, 1}}}, {0, 1}, {n, n})), Definite::Definite);  // Schur
  EXPECT_FALSE(signs.psd(g.ein({{S, {0, 1}}, {V, {1, 2}}}, {0, 2}, {n, n})));
  EXPECT_EQ(signs.definite(g.add(S, g.ein({{x, {0}}, {x, {1}}}, {0, 1}, {n, n}))), Definite::Definite);  // S + x*x'
  EXPECT_FALSE(signs.psd(g.subtract(S, g.delta(n))));
  EXPECT_TRUE(signs.psd(g.ein({{w, {0}}}, {0, 0}, {n, n})));
}

}  // namespace
}  // namespace ricci
