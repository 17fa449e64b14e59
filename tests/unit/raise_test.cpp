// Matrix notation found for index notation: random products against direct summation, and the spelling of well-known answers.
#include "passes/raise.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "codegen/text.h"
#include "tests/unit/matrix_evaluator.h"

namespace ricci {
namespace {

// A random product over one to six labels of up to eight scalars, columns, matrices and deltas, with values for its variables.
struct RandomProduct {
  Graph g;
  std::mt19937 random;
  std::map<std::string, Dense> names;
  std::vector<DimId> dim;      // per label
  std::vector<size_t> size;
  std::vector<Factor> factors;
  std::vector<const Dense*> values;  // per factor; null for a delta
  std::vector<int> exponents;        // per factor
  Labels out;

  size_t below(size_t n) { return std::uniform_int_distribution<size_t>(0, n - 1)(random); }

  explicit RandomProduct(unsigned seed) : random(seed) {
    const std::pair<const char*, size_t> kDims[] = {{"m", 2}, {"n", 3}, {"p", 4}};
    for (auto [name, n] : kDims) names[name] = Dense(1, 1, double(n));
    size_t labels = 1 + below(6);
    for (size_t l = 0; l < labels; ++l) {
      auto [name, n] = kDims[below(3) * below(2)];
      dim.push_back(g.dim(name));
      size.push_back(n);
    }
    for (size_t k = 1 + below(8); k-- > 0;) add_factor();
    for (size_t l = below(3); l-- > 0;) out.push_back(Label(below(labels)));
  }

  void add_factor() {
    size_t rank = std::array<size_t, 6>{0, 1, 1, 2, 2, 2}[below(6)];
    Labels ls;
    for (size_t k = 0; k < rank; ++k) ls.push_back(Label(below(dim.size())));
    if (rank == 2 && dim[ls[0]] == dim[ls[1]] && below(4) == 0) {
      factors.push_back({g.delta(dim[ls[0]]), ls});
      values.push_back(nullptr);
      exponents.push_back(1);
      return;
    }
    Type type;
    std::string name = rank == 2 ? "A" : rank == 1 ? "x" : "s";
    for (Label l : ls) type.push_back(dim[l]), name += g.spell(dim[l]);
    name += std::to_string(below(2));  // few names, so that factors repeat
    NodeId var{};
    for (uint32_t s = 0; s < g.symbol_count(); ++s)
      if (g[SymbolId{s}].name == name) var = g.variable({s});
    if (!names.contains(name)) {
      bool symmetric = rank == 2 && type[0] == type[1] && name.back() == '1';
      Properties properties;
      if (symmetric) properties.add(Property::symmetric);
      var = g.variable(g.declare({name, type, std::vector<Variance>(rank, Variance::Up), properties}));
      Dense value(rank > 0 ? size[ls[0]] : 1, rank > 1 ? size[ls[1]] : 1);
      for (double& x : value.data) x = std::uniform_real_distribution<double>(0.5, 2)(random);
      if (symmetric)
        for (size_t i = 0; i < value.rows; ++i)
          for (size_t j = 0; j < i; ++j) value(i, j) = value(j, i);
      names[name] = value;
    }
    int exponent = std::array<int, 5>{1, 1, 1, 1, -1}[below(5)];
    factors.push_back({exponent == 1 ? var : g.power(var, exponent), ls});
    values.push_back(&names.at(name));
    exponents.push_back(exponent);
  }

  NodeId node() {
    Type type;
    for (Label l : out) type.push_back(dim[l]);
    return g.ein(factors, out, type);
  }

  // The definition: a sum over all labels that are not in the result.
  Dense expected() const {
    Dense r(out.empty() ? 1 : size[out[0]], out.size() < 2 ? 1 : size[out[1]]);
    std::vector<size_t> at(dim.size()), extent(dim.size(), 1);  // a label that nothing carries is not part of the product
    for (const Factor& f : factors)
      for (Label l : f.labels) extent[l] = size[l];
    for (Label l : out) extent[l] = size[l];
    for (;;) {
      double term = 1;
      for (size_t f = 0; f < factors.size(); ++f) {
        const Labels& ls = factors[f].labels;
        if (!values[f]) term *= at[ls[0]] == at[ls[1]];
        else term *= std::pow((*values[f])(ls.empty() ? 0 : at[ls[0]], ls.size() < 2 ? 0 : at[ls[1]]), exponents[f]);
      }
      // A repeated label of the result is its diagonal.
      r(out.empty() ? 0 : at[out[0]], out.size() < 2 ? 0 : at[out[1]]) += term;
      size_t k = 0;
      while (k < at.size() && ++at[k] == extent[k]) at[k++] = 0;
      if (k == at.size()) return r;
    }
  }
};

bool close(const Dense& a, const Dense& b) {
  if (a.rows != b.rows || a.columns != b.columns) return false;
  double scale = 0;
  for (double x : b.data) scale = std::max(scale, std::abs(x));
  for (size_t k = 0; k < a.data.size(); ++k)
    if (!(std::abs(a.data[k] - b.data[k]) <= 1e-11 * scale)) return false;
  return true;
}

TEST(Raise, RandomProductsAgreeWithDirectSummation) {
  constexpr unsigned kProducts = 10'000;
  int refused = 0;
  for (unsigned seed = 0; seed < kProducts; ++seed) {
    RandomProduct p(seed);
    NodeId node = p.node();
    Raised r = raise(p.g, node, std::vector<Variance>(p.out.size(), Variance::Up));
    if (!r.expr) {
      EXPECT_NE(r.reason.find("joins"), std::string::npos) << seed << ": " << r.reason;
      ++refused;
      continue;
    }
    ASSERT_NO_THROW(ASSERT_TRUE(close(evaluate(*r.expr, p.names), p.expected())) << seed << ": " << to_text(*r.expr)) << seed << ": " << to_text(*r.expr);
  }
  EXPECT_LT(refused, int(kProducts) / 100);
  RecordProperty("refused", refused);
}

TEST(Raise, TheOrderOfFactorsDoesNotShow) {
  for (unsigned seed = 0; seed < 500; ++seed) {
    RandomProduct p(seed);
    NodeId node = p.node();
    Raised r = raise(p.g, node, std::vector<Variance>(p.out.size(), Variance::Up));
    std::shuffle(p.factors.begin(), p.factors.end(), p.random);
    Raised again = raise(p.g, p.node(), std::vector<Variance>(p.out.size(), Variance::Up));
    ASSERT_EQ(r.expr.has_value(), again.expr.has_value()) << seed;
    if (!r.expr) continue;
    ASSERT_EQ(to_text(*r.expr), to_text(*again.expr)) << seed;
  }
}

// Well-known answers, built as the passes hand them over: factored, coefficients in sums.
struct Answers : testing::Test {
  Graph g;
  DimId m = g.dim("m"), n = g.dim("n");
  NodeId x = column("x", n), y = column("y", n), b = column("b", m), A = matrix("A", m, n), B = matrix("B", n, n), C = matrix("C", n, n);
  NodeId S = matrix("S", n, n, {Property::symmetric}), X = matrix("X", n, n), c = scalar("c");

  NodeId scalar(std::string name) { return g.variable(g.declare({std::move(name), {}})); }
  NodeId column(std::string name, DimId d) { return g.variable(g.declare({std::move(name), {d}, {Variance::Up}})); }
  NodeId matrix(std::string name, DimId r, DimId k, Properties p = {}) {
    return g.variable(g.declare({std::move(name), {r, k}, {Variance::Up, Variance::Down}, p}));
  }
  // "ij,j->i"
  NodeId ein(std::string_view spec, std::vector<NodeId> operands) {
    std::vector<Factor> factors;
    Labels out;
    Type type;
    std::map<char, DimId> dim;
    size_t at = 0;
    for (NodeId o : operands) {
      Labels ls;
      for (DimId d : g[o].type) ls.push_back(Label(spec[at] - 'a')), dim.emplace(spec[at++], d);
      ++at;
      factors.push_back({o, ls});
    }
    for (char ch : spec.substr(spec.find('>') + 1)) out.push_back(Label(ch - 'a')), type.push_back(dim.at(ch));
    return g.ein(factors, out, type);
  }
  NodeId transpose(NodeId a) { return g.permute(a, {1, 0}); }
  NodeId pow(NodeId a, Rational e) { return g.power(a, e); }
  std::string form(NodeId node, Variance v = Variance::Up) {
    Raised r = raise(g, node, std::vector<Variance>(g[node].rank(), v));
    return r.expr ? to_text(*r.expr) : "none: " + r.reason;
  }
};

TEST_F(Answers, Linear) {
  EXPECT_EQ(form(ein("ij,j->i", {g.add(B, transpose(B)), x})), "(B + B')*x");
  EXPECT_EQ(form(g.scale(2, ein("ij,i->j", {A, g.subtract(ein("ij,j->i", {A, x}), b)}))), "2*A'*(A*x - b)");
  EXPECT_EQ(form(g.scale(-1, ein("i,ij,j->", {x, B, x}))), "-x'*B*x");
  EXPECT_EQ(form(ein("i,ij,j->", {y, S, x})), "x'*S*y");
  EXPECT_EQ(form(ein("ij,j->i", {A, x}), Variance::Down), "(A*x)'");
  EXPECT_EQ(form(g.add(g.scale(Rational(1, 2), x), g.scale(Rational(3, 2), y))), "1.5*y + x/2");
  EXPECT_EQ(form(g.scale(Rational(1, 2), g.add(x, y))), "(x + y)/2");
  EXPECT_EQ(form(ein("i,j->ij", {x, ein("ji,i->j", {B, y})})), "x*(B*y)'");
  EXPECT_EQ(form(ein("i,j,j->i", {x, x, x})), "x'*x*x");
}

TEST_F(Answers, TracesNormsAndSquares) {
  EXPECT_EQ(form(ein("ij,jk,ki->", {B, C, X})), "tr(B*C*X)");
  EXPECT_EQ(form(ein("ij,kj,ki->", {B, C, X})), "tr(B*C'*X)");
  EXPECT_EQ(form(ein("ij,ij->", {B, C})), "sum(B.*C)");
  EXPECT_EQ(form(ein("ij,ji->", {B, C})), "tr(B*C)");
  EXPECT_EQ(form(ein("ij,ij->", {A, A})), "norm2(A)^2");
  EXPECT_EQ(form(ein("i,i->", {x, x})), "x'*x");
  NodeId r = g.subtract(ein("ij,j->i", {A, x}), b);
  EXPECT_EQ(form(ein("i,i->", {r, r})), "norm2(A*x - b)^2");
  EXPECT_EQ(form(ein("ii->", {B})), "tr(B)");
  EXPECT_EQ(form(ein("ij->", {A})), "sum(A)");
  NodeId xx = ein("i,i->", {x, x});
  EXPECT_EQ(form(g.map(MapOp::pow0_, {xx, g.constant(Rational(1, 2))})), "norm2(x)");
  EXPECT_EQ(form(g.times(g.map(MapOp::pow0_, {xx, g.constant(Rational(-1, 2))}), x)), "x/norm2(x)");
  EXPECT_EQ(form(g.times(g.map(MapOp::pow0_, {xx, g.constant(Rational(-3, 2))}), ein("i,j->ij", {x, x}))), "x*x'/norm2(x)^3");
  EXPECT_EQ(form(pow(xx, Rational(1, 2))), "sqrt(x'*x)");
  EXPECT_EQ(form(ein(",ij,j,->i", {c, B, x, pow(ein("i,ij,j->", {x, B, x}), -1)})), "c*B*x/(x'*B*x)");
}

TEST_F(Answers, DiagonalsAndEntrywise) {
  EXPECT_EQ(form(ein("i->ii", {x})), "diag(x)");
  EXPECT_EQ(form(g.delta(n)), "eye(n)");
  EXPECT_EQ(form(ein("ij,j,kj->ik", {B, x, C})), "B*diag(x)*C'");
  EXPECT_EQ(form(ein("i,ij,j->i", {x, B, y})), "x.*(B*y)");
  EXPECT_EQ(form(ein("ij,ji->i", {B, C})), "diag(B*C)");
  EXPECT_EQ(form(ein("i,i->i", {x, pow(y, -2)})), "x./y.^2");
  EXPECT_EQ(form(pow(x, -1)), "ones(n)./x");
  EXPECT_EQ(form(g.subtract(g.ones({n}), pow(x, 2))), "ones(n) - x.^2");
  EXPECT_EQ(form(ein(",i,i->i", {c, x, y})), "c*x.*y");
  EXPECT_EQ(form(ein("ij,i,i->j", {B, x, y})), "B'*(x.*y)");
  NodeId lse = g.fun(FunOp::lse, x);
  NodeId softmax = g.map(MapOp::exp_, {g.subtract(x, g.ein({{lse, {}}}, {0}, {n}))});
  EXPECT_EQ(form(softmax), "softmax(x)");
  EXPECT_EQ(form(g.subtract(ein("i->ii", {softmax}), ein("i,j->ij", {softmax, softmax}))), "diag(softmax(x)) - softmax(x)*softmax(x)'");
}

TEST_F(Answers, Inverses) {
  NodeId inverse = g.fun(FunOp::inv, X);
  EXPECT_EQ(form(transpose(inverse)), "inv(X)'");
  EXPECT_EQ(form(g.fun(FunOp::inv, transpose(X))), "inv(X)'");
  EXPECT_EQ(form(transpose(g.fun(FunOp::inv, S))), "inv(S)");
  EXPECT_EQ(form(g.fun(FunOp::det, transpose(X))), "det(X)");
  EXPECT_EQ(form(g.scale(-1, ein("ij,jk,kl->il", {inverse, B, inverse}))), "-inv(X)*B*inv(X)");
}

TEST_F(Answers, Reasons) {
  NodeId P = matrix("P", n, m), Q = matrix("Q", n, m), R = matrix("R", n, m);
  EXPECT_EQ(form(ein("ip,jp,kp,ij,jk,ik->", {P, Q, R, B, C, X})).substr(0, 17), "none: the index i");
  EXPECT_EQ(form(ein("i,j,k->ijk", {x, x, x})), "none: the result has three free indices");
}

}  // namespace
// A group among whose digits it is itself, as there are of size 0 and 1, is no Kronecker product.
TEST(Raise, AGroupInsideItselfIsRefused) {
  Graph g;
  const DimId none = g.dim(0);
  const NodeId v = g.variable(g.declare({"v", {none}}));
  const NodeId n = g.ein({{g.place(none, {none, none}, none), {0, 0, 1}}, {v, {1}}}, {0}, {none});
  EXPECT_NO_THROW(raise(g, n, {Variance::Up}));
}

}  // namespace ricci
