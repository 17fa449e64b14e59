// Answers in every notation: index form, slices, differentials, Unicode, LaTeX, MathML, NumPy, Eigen.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "codegen/eigen.h"
#include "codegen/forms.h"
#include "codegen/index_form.h"
#include "codegen/latex.h"
#include "codegen/mathml.h"
#include "codegen/numpy.h"
#include "codegen/text.h"
#include "codegen/unicode.h"
#include "passes/differentiate.h"
#include "passes/raise.h"
#include "passes/simplify.h"
#include "tests/well_formed.h"

namespace ricci {
namespace {

Program parse(const std::string& text) {
  Diagnostics diagnostics;
  std::optional<Program> p = parse_program(text, "test.ricci", calculus(), diagnostics);
  if (!p) throw std::runtime_error("refused: " + text);
  for (Definition& d : p->definitions) d.value.node = simplify(*p->graph, d.value.node);
  return std::move(*p);
}

const std::string kDeclarations = "A: matrix(n, n)\nX: matrix(n, n)\nH: matrix(n, n)\nx: vector(n)\nlambda: scalar\n";

// The definition `f` of a program over A, X, H, x and lambda.
struct Answer {
  Program program;
  explicit Answer(const std::string& expression) : program(parse(kDeclarations + "f = " + expression + "\n")) {}
  const Value& value() const { return program.definitions.back().value; }
  mat::Expr expr() const { return *raise(*program.graph, value().node, value().variance).expr; }
};

TEST(IndexForm, Answers) {
  auto form = [](const std::string& e) {
    Answer a(e);
    return index_form(*a.program.graph, "F", a.value());
  };
  EXPECT_EQ(form("D(x*x', x)"), "F_ij(k) = delta_ik*x_j + delta_jk*x_i");
  EXPECT_EQ(form("D(inv(X), X)"), "F_ij(kl) = -[inv(X)]_ik*[inv(X)]_lj");
  EXPECT_EQ(form("A*x"), "F^i = A^i_j*x^j");
  EXPECT_EQ(form("x'*A*x"), "F = x_i*A_ij*x_j");
  EXPECT_EQ(form("grad(norm2(x), x)"), "F_(i) = x_i/norm2(x)");
  EXPECT_EQ(form("sum(exp(x))"), "F = sum_i(exp(x_i))");
}

TEST(Forms, SlicesAndDifferentials) {
  auto derivative = [](Answer& a, const char* variable, const char* name) {
    const Declaration* d = a.program.find_declaration(variable);
    return Derivative{name, {d->node}, a.value()};
  };
  Answer outer("D(x*x', x)");
  EXPECT_EQ(slice_form(*outer.program.graph, derivative(outer, "x", "F")).text(), "dF/dx_k = e(k)*x' + x*e(k)'");
  Answer inverse("D(inv(X), X)");
  EXPECT_EQ(differential_form(*inverse.program.graph, derivative(inverse, "X", "F")).text(), "dF = -inv(X)*dX*inv(X)");
  Answer logdet("grad(logdet(X), X)");
  EXPECT_EQ(differential_form(*logdet.program.graph, derivative(logdet, "X", "f")).text(), "df = tr(inv(X)*dX)");
  Answer linear("grad(tr(A'*X), X)");
  EXPECT_EQ(differential_form(*linear.program.graph, derivative(linear, "X", "f")).text(), "df = tr(A'*dX)");
}

TEST(Spelling, UnicodeReadsBackAndLatexIsBalanced) {
  for (const char* e : {"2*A'*(A*x - x)", "inv(X)'", "λ*norm2(x)^3*x./exp(x)", "-x'*A*x/(x'*x)", "diag(x.^2)*A", "sqrt(x'*A*x)*eye(n)"}) {
    Answer a(e);
    Answer again(to_unicode(a.expr()));
    EXPECT_EQ(to_text(again.expr()), to_text(a.expr())) << to_unicode(a.expr());
    EXPECT_EQ(mistake_in_latex(to_latex(a.expr())), "");
  }
  EXPECT_EQ(to_unicode(Answer("2*A'*(A*x - x)").expr()), "2·Aᵀ·(A·x − x)");
  EXPECT_EQ(to_latex(Answer("inv(X)'*x").expr()), "X^{-\\top} x");
  EXPECT_EQ(to_latex(Answer("lambda/2*x.^2").expr()), "\\frac{\\lambda x^{\\circ 2}}{2}");
}

// What is written in index notation becomes a tree from its text.
std::string typeset_index(const std::string& expression, std::string_view notation, bool all_low = false) {
  Answer a(expression);
  return typeset(*a.program.graph, index_equations(*a.program.graph, "F", a.value(), all_low), *find_notation(notation));
}

TEST(Typeset, IndexForms) {
  EXPECT_EQ(typeset_index("D(x*x', x)", "latex"), "F_{i j (k)} = \\delta_{i k} x_{j} + \\delta_{j k} x_{i}");
  EXPECT_EQ(typeset_index("A*x", "latex"), "F^{i} = A^{i}{}_{j} x^{j}");
  EXPECT_EQ(typeset_index("D(inv(X), X)", "unicode"), "F_ij(kl) = −[X⁻¹]_ik·[X⁻¹]_lj");
  EXPECT_EQ(typeset_index("sum(exp(x))*x", "latex", true), "F_{i} = \\sum_{j} x_{i} \\exp\\left(x_{j}\\right)");
}

// Any line over A, X, x and lambda.
std::string typeset_line(const std::string& right, std::string_view notation) {
  const Answer a("x");
  return typeset(*a.program.graph, std::vector<Equation>{{std::nullopt, right}}, *find_notation(notation));
}

// A sum extends as far as the product it stands in: where more follows it is bracketed, and so is a sum of terms in it.
TEST(Typeset, SumsAreBracketedWhereMoreFollows) {
  EXPECT_EQ(typeset_line("x_j*sum_i(x_i)", "latex"), "x_{j} \\sum_{i} x_{i}");
  EXPECT_EQ(typeset_line("sum_i(x_i)*x_j", "latex"), "\\left(\\sum_{i} x_{i}\\right) x_{j}");
  EXPECT_EQ(typeset_line("sum_i(x_i)^2", "latex"), "\\left(\\sum_{i} x_{i}\\right)^{2}");
  EXPECT_EQ(typeset_line("sum_i(x_i + A_ii) + lambda", "latex"), "\\sum_{i} \\left(x_{i} + A_{i i}\\right) + \\lambda");
  EXPECT_EQ(typeset_line("sum_i(x_i)/lambda", "latex"), "\\frac{\\sum_{i} x_{i}}{\\lambda}");
  EXPECT_EQ(typeset_line("max_k(A_ik)*x_i", "latex"), "\\max_{k}\\left(A_{i k}\\right) x_{i}");
}

// Divisors are read from the left, and make one denominator.
TEST(Typeset, Quotients) {
  EXPECT_EQ(typeset_line("x_i/lambda/norm2(x)/3", "latex"), "\\frac{x_{i}}{\\lambda \\left\\|x\\right\\|_2 3}");
  EXPECT_EQ(typeset_line("2/3*x_i/lambda", "latex"), "\\frac{2 x_{i}}{3 \\lambda}");
  EXPECT_EQ(typeset_line("1/2*x_i/lambda*A_ij", "latex"), "\\frac{x_{i}}{2 \\lambda} A_{i j}");
  EXPECT_EQ(typeset_line("-(x_i)^2 + 1/(x_i + lambda)", "latex"), "-\\left(x_{i}\\right)^{2} + \\frac{1}{x_{i} + \\lambda}");
}

// Numbers stand low at the end, where high ones would be an exponent; the permutation symbol gives way to a variable of its letter.
TEST(Typeset, Letters) {
  EXPECT_EQ(typeset_line("A^1_j*x^j", "latex"), "A^{1}{}_{j} x^{j}");
  EXPECT_EQ(typeset_line("delta_i2*eps_ijk", "latex"), "\\delta_{i 2} \\varepsilon_{i j k}");
  EXPECT_EQ(typeset_line("delta_i2*eps_ijk", "unicode"), "δ_i2·ε_ijk");
  EXPECT_EQ(typeset_line("[A*X]^i_j", "latex"), "\\left[A X\\right]^{i}{}_{j}");
}

int python(const std::string& code) {
  auto path = std::filesystem::temp_directory_path() / ("ricci_emitters_test_" + std::to_string(std::hash<std::string>()(code)) + ".py");
  std::ofstream(path) << code;
  int status = std::system(("/usr/bin/python3 " + path.string()).c_str());
  std::filesystem::remove(path);
  return status;
}

TEST(Spelling, MathMlIsWellFormed) {
  std::string code = "import xml.dom.minidom\n";
  for (const char* e : {"2*A'*(A*x - x)", "inv(X)'", "lambda*norm2(x)^3*x./exp(x)", "sqrt(x'*A*x)*eye(n)"})
    code += "xml.dom.minidom.parseString('''" + to_mathml(Answer(e).expr()) + "'''.encode())\n";
  EXPECT_EQ(python(code), 0);
}

// Gradients, Hessians and third-order results against differences of the functions they came from, all run by NumPy.
TEST(NumPy, EmittedModulesRunAndAgree) {
  Program p = parse(R"(
X: matrix(m, n)
S: matrix(n, n)
y: vector(m)
w: vector(n)
lambda: scalar positive
f = sum(log1p(exp(-y .* (X*w)))) + lambda/2 * w'*w
g = grad(f, w)
H = hess(f, w)
F = w*w'*S
T = D(F, w)
r = inv(S)*w*(w'*S*w)/norm2(w)
J = jac(r, w)
)");
  EXPECT_EQ(python(numpy_module(p) + R"(

random = np.random.default_rng(1)
X, S, y, w, h = random.normal(size=(5, 3)), random.normal(size=(3, 3)), random.normal(size=5), random.normal(size=3), 1e-5
difference = lambda f: np.stack([(f(w + e) - f(w - e)) / (2 * h) for e in h * np.eye(3)], axis=-1)
assert np.allclose(difference(lambda w: f(X=X, y=y, w=w, lambda_=0.3)), g(X=X, y=y, w=w, lambda_=0.3), rtol=1e-6)
assert np.allclose(difference(lambda w: g(X=X, y=y, w=w, lambda_=0.3)), H(X=X, y=y, w=w, lambda_=0.3), rtol=1e-6)
assert np.allclose(difference(lambda w: F(S=S, w=w)), T(S=S, w=w), rtol=1e-6)
assert np.allclose(difference(lambda w: r(S=S, w=w)), J(S=S, w=w), rtol=1e-6)
)"),
            0);
}

TEST(Eigen, ReadsAsAPersonWouldWriteIt) {
  Program p = parse("A: matrix(m, n)\nb: vector(m)\nx: vector(n)\ndouble: scalar\nf = norm2(A*x - b)^2*double\ng = grad(f, x)\nexport loss(x, A, b, double) -> f, g\n");
  std::string header = eigen_header(p);
  EXPECT_NE(header.find("inline loss_result loss(const Eigen::Ref<const Eigen::VectorXd>& x, const Eigen::Ref<const Eigen::MatrixXd>& A"), header.npos) << header;
  EXPECT_NE(header.find("const Eigen::VectorXd g = 2.0 * double_ * (A.transpose() * (A * x - b));"), header.npos) << header;
}

// Eigen's comparisons are of bool, and its select() needs a tensor: found by random programs.
TEST(Eigen, ChoosesBetweenScalars) {
  Program p = parse("x: vector(n)\ny: vector(n)\na: scalar\nf = where(x < y, 1, 0)\ng = where(x < y, a, 2)\nexport h(x, y, a) -> f, g\n");
  std::string header = eigen_header(p);
  EXPECT_NE(header.find("f = (x.array() < y.array()).cast<double>().matrix();"), header.npos) << header;
  EXPECT_NE(header.find("g = (x.array() < y.array()).unaryExpr([s = a, t = 2.0](bool hit) -> double { return hit ? s : t; }).matrix();"), header.npos) << header;
}

}  // namespace
}  // namespace ricci
