// What a printed line says is judged from its text alone: right lines agree with the derivative, wrong ones do not.
#include "codegen/printed_line.h"

#include <gtest/gtest.h>

#include "passes/differentiate.h"
#include "passes/simplify.h"

using namespace ricci;

namespace {

using Form = PrintedLine::Form;
using Verdict = Comparison::Verdict;

struct Question {
  Program program;
  Derivative derivative;
};

Question question(const std::string& text, const std::string& by, const std::vector<std::string>& declarations = {}) {
  Diagnostics diagnostics;
  auto program = parse_expression(text, {.declarations = declarations}, calculus(), diagnostics);
  EXPECT_TRUE(program) << text;
  const Definition f = *program->find_definition("f");
  const Declaration x = *program->find_declaration(by);
  Value value = derivative(*program->graph, f.value, x, 1);
  value.node = simplify(*program->graph, value.node);
  return {std::move(*program), {"f", {x.node}, value}};
}

// What is made of a line of the given text.
Verdict verdict(Question& q, Form form, const std::string& text, DerivativeLayout layout = DerivativeLayout::Mixed) {
  Graph& g = *q.program.graph;
  const Shown shown = form == Form::Slices         ? slice_form(g, q.derivative)
                      : form == Form::Differential ? differential_form(g, q.derivative)
                                                   : Shown{};
  const PrintedLine line{form, text, shown.directions};
  return compare_with_line(q.program, q.derivative, layout, line, {.count = 3}).verdict;
}

TEST(PrintedLine, AMatrixIsInTheLayout) {
  Question square = question("A*x", "x", {"A: matrix(n, n)"});
  EXPECT_EQ(verdict(square, Form::Matrix, "A"), Verdict::Equal);
  EXPECT_NE(verdict(square, Form::Matrix, "A'"), Verdict::Equal);
  EXPECT_EQ(verdict(square, Form::Matrix, "A'", DerivativeLayout::Denominator), Verdict::Equal);
  EXPECT_NE(verdict(square, Form::Matrix, "A", DerivativeLayout::Denominator), Verdict::Equal);
  Question gradient = question("a'*x", "x");
  EXPECT_EQ(verdict(gradient, Form::Matrix, "a"), Verdict::Equal);
  EXPECT_EQ(verdict(gradient, Form::Matrix, "a'"), Verdict::Transposed);
  EXPECT_EQ(verdict(gradient, Form::Matrix, "a'", DerivativeLayout::Numerator), Verdict::Equal);
}

TEST(PrintedLine, EquationsHoldInAnyLayout) {
  Question jacobian = question("A*x", "x", {"A: matrix(n, n)"}), gradient = question("a'*X*b", "X", {"X: matrix(n, n)"});
  for (const auto layout : {DerivativeLayout::Mixed, DerivativeLayout::Numerator, DerivativeLayout::Denominator}) {
    EXPECT_EQ(verdict(jacobian, Form::Differential, "df = A*dx", layout), Verdict::Equal);
    EXPECT_NE(verdict(jacobian, Form::Differential, "df = A'*dx", layout), Verdict::Equal);
    EXPECT_NE(verdict(jacobian, Form::Differential, "df = (A*dx)'", layout), Verdict::Equal);
    EXPECT_EQ(verdict(jacobian, Form::Slices, "df/dx_k = A*e(k)", layout), Verdict::Equal);
    EXPECT_NE(verdict(jacobian, Form::Slices, "df/dx_k = A'*e(k)", layout), Verdict::Equal);
    EXPECT_EQ(verdict(jacobian, Form::Index, "f_i(j) = A_ij", layout), Verdict::Equal);
    EXPECT_NE(verdict(jacobian, Form::Index, "f_i(j) = A_ji", layout), Verdict::Equal);
    EXPECT_EQ(verdict(gradient, Form::Differential, "df = a'*dX*b", layout), Verdict::Equal);
    EXPECT_NE(verdict(gradient, Form::Differential, "df = b'*dX*a", layout), Verdict::Equal);
    EXPECT_EQ(verdict(gradient, Form::Slices, "df/dX_kl = e(k)'*a*b'*e(l)", layout), Verdict::Equal);
    EXPECT_NE(verdict(gradient, Form::Slices, "df/dX_kl = e(k)'*b*a'*e(l)", layout), Verdict::Equal);
    EXPECT_THROW(verdict(gradient, Form::Slices, "df/dX_lk = e(k)'*a*b'*e(l)", layout), NotReadable);
    EXPECT_EQ(verdict(gradient, Form::Index, "f_(ij) = a_i*b_j", layout), Verdict::Equal);
    EXPECT_NE(verdict(gradient, Form::Index, "f_(ij) = b_i*a_j", layout), Verdict::Equal);
  }
}

TEST(PrintedLine, TheLeftSideOfAJacobianSaysHowItStands) {
  Question product = question("A*X*B", "X", {"A: matrix(n, n); X: matrix(n, n); B: matrix(n, n)"});
  for (const auto layout : {DerivativeLayout::Mixed, DerivativeLayout::Denominator}) {
    EXPECT_EQ(verdict(product, Form::Vec, "dvec(f)/dvec(X)' = kron(B', A)", layout), Verdict::Equal);
    EXPECT_NE(verdict(product, Form::Vec, "dvec(f)/dvec(X)' = kron(B, A')", layout), Verdict::Equal);
    EXPECT_NE(verdict(product, Form::Vec, "dvec(f)/dvec(X)' = kron(A, B')", layout), Verdict::Equal);
    EXPECT_EQ(verdict(product, Form::Vec, "dvec(f)'/dvec(X) = kron(B, A')", layout), Verdict::Equal);
    EXPECT_NE(verdict(product, Form::Vec, "dvec(f)'/dvec(X) = kron(B', A)", layout), Verdict::Equal);
  }
  Question gradient = question("a'*X*b", "X", {"X: matrix(n, n)"});
  EXPECT_EQ(verdict(gradient, Form::Vec, "df/dvec(X) = kron(b, a)"), Verdict::Equal);
  EXPECT_EQ(verdict(gradient, Form::Vec, "df/dvec(X)' = kron(b, a)'"), Verdict::Equal);
  EXPECT_EQ(verdict(gradient, Form::Vec, "df/dvec(X)' = kron(b, a)"), Verdict::Transposed);
  EXPECT_NE(verdict(gradient, Form::Vec, "df/dvec(X) = kron(a, b)"), Verdict::Equal);
}

TEST(PrintedLine, ALineMayNotDependOnTheDirection) {
  Question zero = question("a'*b + 0*x'*x", "x"), linear = question("a'*x", "x");
  EXPECT_EQ(verdict(zero, Form::Differential, "df = 0"), Verdict::Equal);
  EXPECT_EQ(verdict(zero, Form::Slices, "df/dx_k = 0"), Verdict::Equal);
  EXPECT_NE(verdict(linear, Form::Differential, "df = 0"), Verdict::Equal);
}

TEST(PrintedLine, WhatDoesNotReadIsNotJudged) {
  Question q = question("A*x", "x");
  EXPECT_THROW(verdict(q, Form::Differential, "df = A'*dx"), NotReadable);
  EXPECT_THROW(verdict(q, Form::Matrix, "A*"), NotReadable);
}

}  // namespace
