// What programs mean: two spellings of one thing are one node, kinds and sizes are inferred, hostile text is diagnosed.
#include <gtest/gtest.h>

#include <ctime>

#include "frontend/formula.h"
#include "frontend/program.h"
#include "ir/text.h"
#include "passes/canonicalize.h"
#include "passes/differentiate.h"
#include "tests/slow_build.h"

namespace ricci {
namespace {

constexpr const char* kDeclarations = R"(
A: matrix(m, n)
B: matrix(n, n)
C: matrix(n, n)
x: vector(n)
z: vector(n)
y: vector(m)
s: scalar
learning_rate: scalar
)";

Program program(const std::string& text) {
  Diagnostics diagnostics;
  auto p = parse_program(text, "test", calculus(), diagnostics);
  EXPECT_TRUE(p) << text << "\n" << diagnostics.to_text();
  return p ? std::move(*p) : Program{};
}

Program expression(const std::string& text, std::vector<std::string> declarations = {}) {
  Diagnostics diagnostics;
  auto p = parse_expression(text, {.declarations = std::move(declarations)}, calculus(), diagnostics);
  EXPECT_TRUE(p) << text << "\n" << diagnostics.to_text();
  return p ? std::move(*p) : Program{};
}

std::string assumptions(const std::string& text) {
  std::string all;
  for (const std::string& a : expression(text).assumptions) all += (all.empty() ? "" : "; ") + a;
  return all;
}

struct Pair {
  std::string left, right;
  friend void PrintTo(const Pair& p, std::ostream* out) { *out << "u" << p.left << ", v" << p.right; }
};

class OneMeaning : public testing::TestWithParam<Pair> {};

TEST_P(OneMeaning, IsOneNode) {
  const Program p = program(std::string(kDeclarations) + "u" + GetParam().left + "\nv" + GetParam().right + "\n");
  ASSERT_EQ(p.definitions.size(), 2u);
  const std::vector nodes = {canonicalize(*p.graph, p.definitions[0].value.node), canonicalize(*p.graph, p.definitions[1].value.node)};
  EXPECT_EQ(nodes[0], nodes[1]) << print_ir(*p.graph, nodes);
  EXPECT_EQ(p.definitions[0].value.variance, p.definitions[1].value.variance);
}

// Each side is what stands behind a name: "= ..." or "^i = ...".
const Pair kPairs[] = {
    // spellings
    {" = A'*y", " = Aᵀ*y"}, {" = A'*y", " = A^T*y"}, {" = inv(B)*x", " = B⁻¹*x"}, {" = B^12*x", " = B¹²*x"}, {" = inv(B)^12*x", " = B⁻¹²*x"}, {" = inv(B)*x", " = B\\x"}, {" = B*x", " = B·x"},
    {" = A*(B*x)", " = A @ (B @ x)"}, {" = A'*y", " = A.T @ y"}, {" = norm2(B*x)^2/norm2(x)", " = ||B*x||^2/||x||"},
    {" = x.*z", " = x⊙z"}, {" = x*z'", " = x⊗z"}, {" = norm2(x)", " = ‖x‖"}, {" = s^2", " = s²"}, {" = log(s)", " = ln(s)"},
    {" = B*B", " = B^2"}, {" = eye(n)", " = B^0"}, {" = inv(B)*inv(B)", " = B^-2"}, {" = s^2", " = s^{2}"}, {" = 0.5*s", " = s/2"},
    {" = -(s^2)", " = -s^2"}, {" = s^(2^3)", " = s^2^3"}, {" = (s - 1) - 2", " = s - 1 - 2"}, {" = (B*x).*z", " = B*x.*z"},
    {" = -(x.*z)", " = -x.*z"}, {" = s*(-2)*s", " = s*-2*s"}, {" = 1/(s)*s^(-1)", " = s^-2"}, {" = learning_rate*x", " = x*learning_rate"},
    {" = sqrt(s)", " = s^(1/2)"}, {" = normF(A)", " = norm(A)"}, {" = tr(B)", " = trace(B)"}, {" = x'*z", " = dot(x, z)"},
    {" = mean(x)", " = sum(x)/n"}, {" = solve(B, x)", " = B\\x"}, {" = lse(x)", " = logsumexp(x)"}, {" = diag(B)", " = diag(B')"},
    {" = sum(\n  x\n)", " = sum(x)  # a comment"}, {" = s + 1", " = 1 + s"},
    // both notations
    {" = A*x", "^i = A^i_j x^j"}, {" = A*x", "_i = A_ij x_j"}, {" = A*x", "_i = A_{ij} x_{j}"}, {" = A*x", "^{i} = A^{i}_{j}*x^{j}"},
    {" = A'*y", "_i = A_ji y_j"}, {" = A'", "_ij = A_ji"}, {" = tr(B)", " = B_ii"}, {" = tr(B)", " = B^i_i"}, {" = x.*z", "^i = x^i z^i"},
    {" = diag(B)", "_i = B_ii"}, {" = diag(x)", "_ij = x_i delta_ij"}, {" = eye(n)*B", "^i_j = δ^i_k B^k_j"}, {" = x*z'", "^i_j = x^i z_j"},
    {" = exp(A*x)", "^i = exp(A^i_j x^j)"}, {" = y'*A*x", " = y_i A^i_j x^j"}, {" = x'*x", " = x_i x_i"},
    {" = sum(x.*x.*x)", " = sum_i(x_i x_i x_i)"}, {" = sum(x.^3)", " = ∑_i x_i^3"}, {" = x./z", "_i = x_i/z_i"}, {" = B*C*x", "^i = [B*C]^i_j x^j"},
    {" = 2*A*x + y", "^i = 2 A^i_j x^j + y^i"}, {" = A*ones(n)", "_i = A_ij"}, {" = mean(x)", " = mean_i(x_i)"}, {" = lse(x)", " = lse_i(x_i)"},
    {" = prod(x)", " = prod_i(x_i)"}, {" = A*x", "_i = A*x"}, {" = (A*x)/s", "_i = A_ij x_j/s"},
    {" = A*x", "^m = A^m_n x^n"}, {" = B*C", "^n_s = B^n_m C^m_s"},
    // comparisons
    {" = where(x < z, x, z)", " = where(z > x, x, z)"}, {" = where(x <= z, x, z)", " = where(z ≥ x, x, z)"},
    {" = where(x < z, x, z)", "_i = where(x_i < z_i, x_i, z_i)"}, {" = where(s == 0, x, s*z)", "_i = where(s == 0, x_i, s z_i)"},
    {" = where(x - s*z < 2*z, x, 0)", " = where((x - s*z) < (2*z), x, 0)"}, {" = where(x != 0, 1, x)", " = where(x ≠ 0, 1, x)"},
    {" = s^2*where(0 < s, s, 1)", " = s^2*where(s > 0, s, 1)"},
    // derivatives
    {"_i(k) = d(A_ij x_j)/d(x_k)", " = A"}, {"_{i(k)} = d(A_ij x_j)/d(x_k)", " = A"}, {"_{i}(k) = d(A_ij x_j)/d(x_k)", " = A"},
    {"_ij(kl) = d(B_ij)/d(B_kl)", " = D(B, B)"}, {"_ij(k) = D(x*x', x)", " = D(x*x', x)"}, {"^i_j(kl) = d(B^i_m C^m_j)/d(B^k_l)", " = D(B*C, B)"},
    {"_(i)(j) = d(d(x_k B_kl x_l)/d(x_i))/d(x_j)", " = hess(x'*B*x, x)"},
    {" = grad(x'*B*x, x)", " = B*x + B'*x"}, {" = jac(A*x, x)", " = A"}, {" = hess(x'*B*x, x)", " = B + B'"}, {" = D(A*x, x)", " = jac(A*x, x)"},
    {"^i_(k) = d(A^i_j x^j)/d(x^k)", " = A"}, {"_(k) = ∂(x_i B_ij x_j)/∂x_k", " = grad(x'*B*x, x)"}, {" = d(B*x, x)[z]", " = B*z"},
    {" = jvp(B*x, x, z)", " = B*z"}, {" = vjp(A*x, x, y)", " = A'*y"}, {" = hvp(x'*B*x, x, z)", " = B*z + B'*z"}, {" = div(B*x, x)", " = tr(B)"},
    {" = laplacian(x'*B*x, x)", " = tr(B + B')"}, {" = ∇(x'*B*x, x)", " = grad(x'*B*x, x)"}, {" = ∇²(x'*B*x, x)", " = hess(x'*B*x, x)"},
    {" = D(s^3, s)", " = 3*s^2"}, {" = d(B*B, B)[C]", " = C*B + B*C"}, {" = d(B*C*x, B)[C]", " = C*C*x"},
};
INSTANTIATE_TEST_SUITE_P(Spellings, OneMeaning, testing::ValuesIn(std::begin(kPairs), std::end(kPairs)));

TEST(Parse, KindsAreInferred) {
  EXPECT_EQ(assumptions("x'*A*x"), "x: vector(n); A: matrix(n, n)");
  EXPECT_EQ(assumptions("A*x - b"), "A: matrix(m, n); x: vector(n); b: vector(m)");
  EXPECT_EQ(assumptions("a^i_j x^j y_i"), "a: matrix(m, n); x: vector(n); y: covector(m)");
  EXPECT_EQ(assumptions("alpha*x + β*y"), "alpha: scalar; x: vector(n); β: scalar; y: vector(n)");
  EXPECT_EQ(assumptions("T_ijk x_k"), "T: tensor(_n, _m, _p); x: vector(p)");
  EXPECT_EQ(assumptions("A*B*C"), "A: matrix(m, n); B: matrix(n, p); C: matrix(p, q)");
  EXPECT_EQ(assumptions("X*ones(k)"), "X: matrix(n, k)");
}

// The literal reading cannot be typed, so the fewest names that make it right are scalars.
TEST(Parse, LowerCaseNamesUsedAsNumbersAreScalars) {
  EXPECT_EQ(assumptions("t^2"), "t: scalar");
  EXPECT_EQ(assumptions("t^2*a"), "t: scalar; a: vector(n)");
  EXPECT_EQ(assumptions("1/(1 + exp(-t))"), "t: scalar");
  EXPECT_EQ(assumptions("x^2 + 3*x*y"), "x: scalar; y: scalar");
}

TEST(Parse, DeclarationsOverrideSpelling) {
  const Program p = expression("t^2*x", {"t: scalar positive; x: covector(3)"});
  EXPECT_TRUE(p.assumptions.empty());
  EXPECT_EQ(p.definitions[0].value.variance, std::vector{Variance::Down});
  EXPECT_TRUE(p.graph->symbol(*p.find("t")).properties.has(Property::positive));
}

TEST(Parse, MathematicalDeclarations) {
  const Program p = program("A ∈ ℝ^(m×n) positive\nx ∈ ℝ^n\nα ∈ ℝ\nf = α*A*x\n");
  EXPECT_EQ((*p.graph)[*p.find("A")].type.size(), 2u);
  EXPECT_EQ((*p.graph)[*p.find("α")].type.size(), 0u);
}

TEST(Parse, DimensionsAreFixedAndNumbers) {
  const Program p = program("dim n = 3\nx: vector(n)\ny: vector(3)\nf = x'*y/n\n");
  EXPECT_EQ(p.graph->spell((*p.graph)[*p.find("x")].type[0]), "3");
}

TEST(Parse, ExportsDefaultToEveryDefinition) {
  const Program p = program(std::string(kDeclarations) + "f = A*x\ng = f'*f\n");
  ASSERT_EQ(p.exports.size(), 2u);
  EXPECT_EQ(p.exports[1].name, "g");
  EXPECT_EQ(p.exports[1].arguments, (std::vector<std::string>{"A", "x"}));
}

TEST(Parse, SeveralVariablesDefineSeveralNames) {
  const Program p = program(std::string(kDeclarations) + "G = grad(y'*A*x, {x, y})\nh = G_x'*G_x\n");
  EXPECT_TRUE(p.find_definition("G_x"));
  EXPECT_TRUE(p.find_definition("G_y"));
}

TEST(Parse, LeftIndicesSayWhichVariable) {
  const Program p = program(std::string(kDeclarations) + "J^i_(k) = d(A^i_j x^j)/d(x^k)\nK_(i)(j) = ∂(x_k B_kl x_l)/∂x_i x_j\n");
  EXPECT_EQ(p.definitions[0].value.variable, (std::vector{0, 1}));
  EXPECT_EQ(p.definitions[1].value.variable, (std::vector{1, 2}));
  EXPECT_FALSE(p.definitions[0].all_low);
  EXPECT_TRUE(p.definitions[1].all_low);
}

TEST(Parse, AGreekNameAndItsLetterAreOne) {
  const Program p = program("lambda: scalar\nΣ: matrix(n, n)\nx: vector(n)\nf = λ*Sigma*x\ng_i = lambda Σ_ij x_j\nexport h(λ, x, Sigma) -> f, g\n");
  ASSERT_EQ(p.definitions.size(), 2u);
  EXPECT_EQ(canonicalize(*p.graph, p.definitions[0].value.node), canonicalize(*p.graph, p.definitions[1].value.node));
  EXPECT_EQ(p.exports[0].arguments, (std::vector<std::string>{"lambda", "x", "Σ"}));
  EXPECT_TRUE(p.find_declaration("λ"));
  EXPECT_EQ(assumptions("α*x + alpha*x"), "α: scalar; x: vector(n)");
  Diagnostics diagnostics;
  EXPECT_FALSE(parse_program("lambda: scalar\nλ: scalar\nf = λ\n", "test", calculus(), diagnostics));
}

TEST(Parse, IndicesEndTheLongestName) {
  const Program p = program("w_out: vector(n)\nf_x_i = w_out_i\nG_x_i(k) = d(w_out_i)/d(w_out_k)\n");
  EXPECT_TRUE(p.find_definition("f_x"));
  EXPECT_TRUE(p.find_definition("G_x"));
}

TEST(Parse, NamesWithUnderscoresWinOverIndices) {
  const Program p = program("learning_rate: scalar\nx_i: vector(n)\nstep_size = 2*learning_rate\nf = step_size*x_i\n");
  EXPECT_EQ(p.definitions[1].value.variance, std::vector{Variance::Up});
}

TEST(Parse, JsonHasPlaceAndFix) {
  Diagnostics diagnostics;
  EXPECT_FALSE(parse_program("lambda: scalar\nf = 2*lamda\n", "a.ricci", calculus(), diagnostics));
  const std::string json = diagnostics.to_json();
  for (const char* part : {"\"file\": \"a.ricci\"", "\"line\": 2", "\"column\": 7", "\"end_column\": 12", "\"id\": \"undeclared\"", "did you mean `lambda`?"})
    EXPECT_NE(json.find(part), json.npos) << json;
}

TEST(Formula, EntrywiseProductsAndBroadcast) {
  Graph g;
  const DimId n = g.dim("n");
  const NodeId x = g.variable(g.declare({"x", {n}, {Variance::Up}}));
  const NodeId built = build_formula(g, "1/(1 + x^2)", {{"x", x}}, FormulaMode::Entrywise);
  const NodeId by_hand = g.power(g.add(g.ones({n}), g.power(x, 2)), -1);
  EXPECT_EQ(built, by_hand);
}

TEST(Formula, DimensionsFollowFromTheBindings) {
  Graph g;
  const DimId m = g.dim("m");
  const NodeId x = g.variable(g.declare({"x", {m}, {Variance::Up}})), s = g.variable(g.declare({"s", {}}));
  const NodeId built = build_formula(g, "X - F*ones(n)", {{"X", x}, {"F", s}}, FormulaMode::Matrix);
  EXPECT_EQ(g[built].type, Type{m});
}

// --- hostile text: diagnosed or read, in under a second on a quiet machine, on a small stack ---------------------------------------------

constexpr double kLimit = 3 * kSlowness;  // seconds of processor time: noise gets its share

std::string repeated(std::string_view part, size_t times) {
  std::string all;
  for (size_t i = 0; i < times; ++i) all += part;
  return all;
}

void expect_quick(const std::string& text, bool good) {
  const std::clock_t start = std::clock();  // processor time: the machine may be busy
  Diagnostics diagnostics;
  const auto p = parse_program(text, "torture", calculus(), diagnostics);
  EXPECT_EQ(bool(p), good) << diagnostics.to_text().substr(0, 400);
  EXPECT_LT(diagnostics.to_text().size(), 4000u);
  EXPECT_NO_THROW(diagnostics.to_json());
  EXPECT_LT(double(std::clock() - start) / CLOCKS_PER_SEC, kLimit) << text.substr(0, 40);
}

TEST(Torture, DeepNesting) {
  expect_quick("f = " + repeated("(", 1'000'000), false);
  expect_quick("f = " + repeated("(", 1'000'000) + "1" + repeated(")", 1'000'000), false);
  expect_quick("f = " + repeated("[", 1'000'000), false);
  expect_quick("f = " + repeated("sin(", 9'000) + "1" + repeated(")", 9'000), true);
}

TEST(Torture, LongChains) {
  const std::string x = "x: vector(n)\ns: scalar\n";
  expect_quick(x + "f = x" + repeated(" + x", 100'000), true);
  expect_quick(x + "f = s" + repeated("*s", 100'000), true);
  expect_quick(x + "f = s" + repeated("^s", 100'000), true);
  expect_quick(x + "f = " + repeated("-", 100'000) + "s", true);
  expect_quick(x + "f = x" + repeated("'", 100'000), true);
  std::string definitions = x + "t0 = s\n";
  for (int k = 1; k <= 100'000; ++k) definitions += fmt::format("t{} = sin(t{})*s\n", k, k - 1);
  expect_quick(definitions, true);
}

TEST(Torture, LargeSizes) {
  expect_quick("A: matrix(n, n)\nf = " + repeated("kron(", 2'000) + "A" + repeated(", A)", 2'000), false);
  expect_quick("x: vector(n" + repeated("*n", 100'000) + ")\nf = x", false);
  expect_quick("x: vector(n" + repeated(" + n", 100'000) + ")\nf = x", true);
  std::string sums = "x: vector(n0";  // a product of k sums has 2^k terms
  for (int k = 1; k < 40; ++k) sums += fmt::format(" + n{}", k);
  sums += ")\nf = x";
  for (int k = 0; k < 6; ++k) sums = sums + "\nf" + std::to_string(k) + " = " + "kron(" + (k == 0 ? "x" : "f" + std::to_string(k - 1)) + ", x)";
  expect_quick(sums, false);
}

TEST(Torture, LongNames) {
  const std::string name(1'000'000, 'a');
  expect_quick(name + ": scalar\nf = " + name + "\n", false);
  expect_quick("f = x_" + name + "\n", false);
  expect_quick("f = " + std::string(1'000'000, '9') + "\n", false);
  expect_quick("f = 1e999999999\n", false);
}

TEST(Torture, BrokenText) {
  expect_quick(std::string("f = 1\0", 6), false);
  expect_quick("f = \xff\xfe", false);
  expect_quick("f = \xe2\x88", false);
  expect_quick("f = \xed\xa0\x80", false);
  expect_quick("", false);
  expect_quick("\n\n#\n", false);
  expect_quick(repeated("f = )\n", 40), false);
}

}  // namespace
}  // namespace ricci
