// Printed answers are input: the index form, matrix text and Unicode of derivatives, read after the same declarations, mean the same node.
#include <gtest/gtest.h>

#include "codegen/index_form.h"
#include "codegen/text.h"
#include "codegen/unicode.h"
#include "frontend/program.h"
#include "ir/text.h"
#include "passes/canonicalize.h"
#include "passes/differentiate.h"
#include "passes/raise.h"
#include "passes/simplify.h"

namespace ricci {
namespace {

constexpr const char* kDeclarations = R"(
A, B, X: matrix(n, n)
S: matrix(n, n) symmetric
C: matrix(m, n)
x, y: vector(n)
z: vector(m)
w_out: vector(n)
u: vector(3)
lambda: scalar positive
s, t: scalar
k: scalar
T: tensor(^n, _n, _n)
)";

// What stands behind the name F.
const char* const kAnswers[] = {
    // scalars
    " = grad(x'*A*x, x)", " = hess(x'*A*x, x)", " = grad(norm2(C*x - z)^2 + lambda*w_out'*w_out, x)", " = grad(lambda*w_out'*w_out, w_out)",
    " = grad(log(det(X)), X)", " = grad(tr(A*X*B*X'), X)", " = hess(tr(A*X*B*X'), X)", " = D(x'*A*x, x, x)", " = grad(lse(C*x), x)",
    " = hess(lse(x), x)", " = grad(sum(log1p(exp(-z.*(C*x)))), x)", " = hess(norm2(x), x)", " = D(norm2(x), x, x, x)", " = grad(x'*inv(X)*y, X)",
    " = hess(x'*inv(X)*y, X)", " = grad(sum(x.^s), s)", " = grad(sum(s.^x), x)", " = D(s^t, t)", " = D(s^t, t, t)", " = grad(x'*S*x, S)",
    " = hess(logdet(X), X)", " = D(logdet(X), X, X, X)", " = grad(max(x'*y, s), x)", " = grad(sum(where(x < y, x.*x, y)), x)",
    " = grad(sum(where(x <= s, x, s*x.*y)), x)", " = hess(sum(where(x != 0, x.^3, x)), x)",
    // places: fixed indices, groups, blocks beside which everything is 0
    " = grad(x[2]*A[1, 2], x)", " = grad(x[1]*x[1]*A[2, 2], A)", " = vec(A*B)", " = [y', zeros(1, n); zeros(n, n), zeros(n, n)]",
    " = D([x; z][1:n + 1], x)", " = sum(diag(A).^2)", " = norm2(diag(A))^4", " = grad(sum(diag(A).^2)*s, A)",
    // vectors and matrices by vectors
    " = jac(A*x, x)", " = jac(tanh(C*x), x)", " = D(x*x', x)", " = D(x*x', x, x)", " = D(x.*y, x)", " = D(softmax(x), x)", " = D(softmax(x), x, x)",
    " = D(x/norm2(x), x)", " = D((x'*x)*A*x, x, x)", " = D(exp(s*A*x), x, s)", " = D(k*x*x', x, k)", " = D(x*x', y)",
    // matrices by matrices
    " = D(A*X*B, X)", " = D(X'*X, X)", " = D(inv(X), X)", " = D(X*X*X, X)", " = D(X'*A*X, X, X)", " = D(inv(X), X, X)", " = D(exp(X).*A, X)",
    " = D(S*S, S)", " = D(inv(A + lambda*X)*x, X)", " = D(det(X)*X, X)", " = D(inv(softplus(abs(A))), A, A)", " = D(x*tr(X)^2*s, X, X)",
    " = D((s*x'*x - t)^3*x, x, x)",
    // what stands outside, and which of two transposes: contents, triangles of symmetric matrices, added axes, symbols sliced, functions of sums
    " = abs(3*(C - sin(C)))", " = step(2*(s*s + 3*t + 4)/3)*x", " = triu(max(S, S.*S))*x", " = tr(tril(S))*s", " = pinv(ones(m, 2))*ones(m)",
    " = pinv(z*ones(n)')*z", " = e(1, 1)*(e(8, 9)'*s)", " = [0; min(u[2], 3*s - 1) - u[2]/20; 0]", " = (C*pinv(C))'*z", " = X'*pinv(X)'*x + A*x", " = -skew(u)[1:2, :]*asinh(u)", " = asin(ones(n, n) - sigmoid(A)')*A",
    // index notation
    "^i_(k) = d(C^i_j x^j)/d(x^k)", "_i(k) = d(C_ij x_j)/d(x_k)", "_ij(k) = d(x_i x_j)/d(x_k)", "_ij(kl) = d(X_im X_mj)/d(X_kl)",
    "^i_j(kl) = d(X^i_m X^m_j)/d(X^k_l)", "^i_(j)(k) = d(d(T^i_lm x^l x^m)/d(x^j))/d(x^k)", "_(i)(j)(k) = d(d(d(sum_l(x_l x_l x_l))/d(x_i))/d(x_j))/d(x_k)",
    "^i_j(k) = d(T^i_jl x^l)/d(x^k)", "_{ij(k)} = d(x_i y_j x_l A_lm x_m)/d(x_k)", "_ij = (x_i A_jk + A_ik x_j) y_k s", "_i = lse_k(A_ik x_k)", "_i(j) = d(lse_k(A_ik x_k))/d(x_j)",
};

Program program(const std::string& text) {
  Diagnostics diagnostics;
  auto p = parse_program(text, "test", calculus(), diagnostics);
  EXPECT_TRUE(p) << text << "\n" << diagnostics.to_text();
  return p ? std::move(*p) : Program{};
}

// The node of F as it is to be printed.
using Prepare = NodeId (*)(Graph&, NodeId);
NodeId flat(Graph& g, NodeId n) { return canonicalize(g, n); }
NodeId simplest(Graph& g, NodeId n) { return simplify(g, n); }

// That `line`, printed of F, means what F does when read behind it.
void expect_read_back(const std::string& source, const std::string& line, Prepare prepare) {
  Program p = program(source + line + "\n");
  if (!p.graph) return;
  ASSERT_EQ(p.definitions.size(), 2u) << line;
  Graph& g = *p.graph;
  const std::vector nodes = {canonicalize(g, prepare(g, p.definitions[0].value.node)), canonicalize(g, p.definitions[1].value.node)};
  EXPECT_EQ(nodes[0], nodes[1]) << line << "\n" << print_ir(g, nodes);
}

class ReadBack : public testing::TestWithParam<const char*> {
 protected:
  const std::string source_ = std::string(kDeclarations) + "F" + GetParam() + "\n";
};

TEST_P(ReadBack, IndexForm) {
  for (Prepare prepare : {&flat, &simplest}) {
    Program p = program(source_);
    ASSERT_TRUE(p.graph);
    const Definition& f = p.definitions[0];
    Value value = f.value;
    value.node = prepare(*p.graph, value.node);
    for (bool all_low : {f.all_low, true}) {
      const std::vector<Equation> equations = index_equations(*p.graph, "G", value, all_low);
      expect_read_back(source_, to_text(equations), prepare);
      for (const Notation& notation : {Notation{"text", to_text, "; "}, *find_notation("unicode")})  // the tree says the same as the text
        expect_read_back(source_, typeset(*p.graph, equations, notation), prepare);
    }
  }
}

TEST_P(ReadBack, MatrixText) {
  Program p = program(source_);
  ASSERT_TRUE(p.graph);
  const Value& value = p.definitions[0].value;
  const Raised raised = raise(*p.graph, simplify(*p.graph, value.node), value.variance);
  if (!raised.expr) {
    EXPECT_FALSE(raised.reason.empty()) << "an answer without matrix form says why";
    return;
  }
  expect_read_back(source_, "G = " + to_text(*raised.expr), simplest);
  expect_read_back(source_, "G = " + to_unicode(*raised.expr), simplest);
}

INSTANTIATE_TEST_SUITE_P(Answers, ReadBack, testing::ValuesIn(kAnswers));

}  // namespace
}  // namespace ricci
