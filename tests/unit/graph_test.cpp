// The constructors' normal form: products that are equal as mathematics are one node.
#include "ir/graph.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace ricci {
namespace {

struct GraphTest : testing::Test {
  Graph g;
  DimId n = g.dim("n"), m = g.dim("m"), three = g.dim(int64_t{3});
  NodeId var(const char* name, Type type, Properties p = {}) { return g.variable(g.declare({name, std::move(type), {}, p})); }
  NodeId A = var("A", {n, n}), B = var("B", {n, n}), M = var("M", {m, n}), x = var("x", {n}), y = var("y", {n}), s = var("s", {}), t = var("t", {});
  NodeId S = var("S", {n, n}, {Property::symmetric});
  NodeId matmul(NodeId a, NodeId b) {
    return g.ein({{a, {0, 1}}, {b, {1, 2}}}, {0, 2}, {g[a].type[0], g[b].type[1]});
  }
  NodeId transpose(NodeId a) { return g.permute(a, {1, 0}); }
};

TEST_F(GraphTest, RenamedAndReorderedProductsAreOneNode) {
  EXPECT_EQ(g.ein({{A, {0, 1}}, {x, {1}}}, {0}, {n}), g.ein({{x, {7}}, {A, {9, 7}}}, {9}, {n}));
  EXPECT_EQ(g.ein({{transpose(B), {0, 1}}, {transpose(A), {1, 2}}}, {0, 2}, {n, n}), g.ein({{A, {0, 1}}, {B, {1, 2}}}, {2, 0}, {n, n}))
      << "B'*A' is A*B with its axes exchanged";
  NodeId ab = g.ein({{A, {0, 1}}, {B, {1, 0}}}, {}, {}), ba = g.ein({{B, {4, 2}}, {A, {2, 4}}}, {}, {});
  EXPECT_EQ(ab, ba) << "tr(A*B) = tr(B*A)";
}

TEST_F(GraphTest, DeltasDissolve) {
  EXPECT_EQ(matmul(g.delta(n), A), A);
  EXPECT_EQ(g.ein({{g.delta(n), {0, 1}}, {x, {1}}}, {0}, {n}), x);
  EXPECT_EQ(g.ein({{g.delta(n), {0, 0}}}, {}, {}), g.size(n)) << "delta_ii = n";
  EXPECT_EQ(g.ein({{g.delta(three), {0, 0}}}, {}, {}), g.constant(3));
  EXPECT_EQ(g.ein({{g.ones({n}), {0}}, {x, {1}}}, {1}, {n}), g.times(g.size(n), x)) << "a label summed alone is a factor n";
  NodeId diag = g.ein({{x, {0}}}, {0, 0}, {n, n});
  EXPECT_EQ(g.ein({{diag, {0, 1}}, {y, {1}}}, {0}, {n}), g.hadamard(x, y)) << "diag(x)*y = x.*y";
}

TEST_F(GraphTest, LikeTermsAndPowersCollect) {
  EXPECT_EQ(g.add(x, x), g.scale(2, x));
  EXPECT_TRUE(g.is_zero(g.subtract(x, x)));
  EXPECT_EQ(g.times(s, g.times(s, x)), g.times(s, g.times(s, x)));
  EXPECT_EQ(g.times(s, s), g.power(s, 2));
  EXPECT_EQ(g.times(s, g.power(s, -1)), g.constant(1));
  EXPECT_EQ(g.hadamard(x, x), g.power(x, 2));
  EXPECT_EQ(g.scale(Rational(1, 2), g.scale(2, x)), x);
  EXPECT_EQ(g.power(g.scale(2, s), 3), g.scale(8, g.power(s, 3)));
}

TEST_F(GraphTest, NumbersMultiplyAlikeWithAndWithoutLabelsBeside) {
  const NodeId z = var("z", {three}), e = g.unit_vector(three, 1), entry = g.ein({{z, {0}}, {e, {0}}}, {}, {});
  const NodeId numbers[] = {s, t, g.constant(0), g.constant(1), g.constant(Rational(-1, 2)), g.power(g.constant(2), Rational(1, 2)), g.scale(3, s), g.power(s, 2),
                            g.power(s, -1), g.map(MapOp::pow0_, {s, g.constant(-1)}), g.power(g.power(s, 2), Rational(1, 2)), g.map(MapOp::pow_, {s, t}),
                            g.add(s, t), g.scale(2, g.add(s, t)), g.times(s, t), entry, g.size(n), g.ein({{A, {0, 0}}}, {}, {}), g.map(MapOp::sin_, {s})};
  const std::vector<Factor> one = {{e, {0}}, {e, {0}}};
  ASSERT_EQ(g.ein(one, {}, {}), g.constant(1));
  for (NodeId a : numbers)
    for (NodeId b : numbers)
      for (NodeId c : numbers) {
        std::vector<Factor> product = {{a, {}}, {b, {}}, {c, {}}};
        const NodeId alone = g.ein(product, {}, {});
        product.insert(product.begin() + 1, one.begin(), one.end());
        EXPECT_EQ(alone, g.ein(product, {}, {})) << a.value << " " << b.value << " " << c.value;
      }
}

TEST(Graph, ManyNodesAreFoundAgain) {
  Graph g;
  std::vector<NodeId> numbers;
  for (int k = 0; k < 5000; ++k) numbers.push_back(g.constant(k));
  EXPECT_EQ(g.size(), 5000u);
  for (int k = 0; k < 5000; ++k) {
    EXPECT_EQ(g.constant(k), numbers[size_t(k)]);
    EXPECT_EQ(g[numbers[size_t(k)]].value(), k);
  }
}

TEST_F(GraphTest, ZeroFactorMakesZero) { EXPECT_TRUE(g.is_zero(g.ein({{g.zero({n, n}), {0, 1}}, {x, {1}}}, {0}, {n}))); }

TEST_F(GraphTest, SymmetryIsSeen) {
  EXPECT_EQ(transpose(S), S);
  EXPECT_EQ(g.ein({{S, {0, 1}}, {x, {0}}}, {1}, {n}), g.ein({{S, {0, 1}}, {x, {1}}}, {0}, {n}));
  EXPECT_TRUE(g.is_symmetric(g.ein({{M, {2, 0}}, {M, {2, 1}}}, {0, 1}, {n, n}))) << "M'*M";
  EXPECT_TRUE(g.is_symmetric(g.add(A, transpose(A))));
  EXPECT_TRUE(g.is_symmetric(g.fun(FunOp::inv, S)));
  EXPECT_FALSE(g.is_symmetric(A));
  EXPECT_FALSE(g.is_symmetric(matmul(A, B)));
}

TEST_F(GraphTest, FunctionsOfStructureHoist) {
  EXPECT_EQ(g.map(MapOp::exp_, {transpose(A)}), transpose(g.map(MapOp::exp_, {A})));
  NodeId wide = g.ein({{x, {0}}}, {0, 1}, {n, m});
  EXPECT_EQ(g.map(MapOp::exp_, {wide}), g.ein({{g.map(MapOp::exp_, {x}), {0}}}, {0, 1}, {n, m}));
  EXPECT_EQ(g.fun(FunOp::det, transpose(A)), g.fun(FunOp::det, A));
  NodeId diag = g.ein({{x, {0}}}, {0, 0}, {n, n});
  NodeId e = g.map(MapOp::exp_, {diag});
  EXPECT_EQ(g[e].kind, Kind::Map) << "exp(diag(x)) is 1 off the diagonal: nothing to hoist";
}

// Factors of random products are shuffled and their labels renamed: no product may get two ids.
TEST_F(GraphTest, ShuffledProductsAreOneNode) {
  std::mt19937 random(7);
  auto pick = [&](size_t k) { return std::uniform_int_distribution<size_t>(0, k - 1)(random); };
  for (int trial = 0; trial < 3000; ++trial) {
    std::vector<Factor> fs;
    Label letters = Label(1 + pick(5));
    for (size_t k = 1 + pick(6); k-- > 0;) {
      NodeId tensor = std::vector{A, B, S, x, y, s}[pick(6)];
      Labels ls;
      for (size_t a = 0; a < g[tensor].rank(); ++a) ls.push_back(Label(pick(letters)));
      fs.push_back({tensor, ls});
    }
    Labels out;
    for (Label l = 0; l < letters; ++l)
      if (pick(3) == 0) out.push_back(l);
    Type type(out.size(), n);
    NodeId first = g.ein(fs, out, type);
    for (int copy = 0; copy < 4; ++copy) {
      std::ranges::shuffle(fs, random);
      Labels rename = Graph::iota(letters, 10);
      std::ranges::shuffle(rename, random);
      std::vector<Factor> shuffled = fs;
      Labels renamed = out;
      for (Factor& f : shuffled) {
        for (Label& l : f.labels) l = rename[l];
        if (f.tensor == S && pick(2)) std::swap(f.labels[0], f.labels[1]);
      }
      for (Label& l : renamed) l = rename[l];
      ASSERT_EQ(g.ein(shuffled, renamed, type), first) << "trial " << trial;
    }
  }
}

// Found by random programs: diag(A)*ones(n)' moves entries of A and is no transpose of it; its determinant is 0.
TEST(Graph, ADiagonalInEveryColumnIsNoTranspose) {
  Graph g;
  const DimId n = g.dim("n");
  const NodeId A = g.variable(g.declare({"A", {n, n}})), columns = g.ein({{A, {0, 0}}}, {0, 1}, {n, n});
  EXPECT_NE(g.fun(FunOp::det, columns), g.fun(FunOp::det, A));
  EXPECT_NE(g.fun(FunOp::triu, columns), g.permute(g.fun(FunOp::tril, A), {1, 0}));
}

}  // namespace
}  // namespace ricci
