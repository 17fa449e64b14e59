// Places against their definition: every product of places and tensors equals the sum over all its labels.
#include "ir/places.h"

#include <gtest/gtest.h>

#include <random>

#include "ir/interpret.h"
#include "ir/text.h"
#include "ir/verify.h"

namespace ricci {
namespace {

class Products {
 public:
  explicit Products(uint32_t seed) : random_(seed) {}

  // A random product of places and variables over labels of sizes 1 to 6; whole and digits fit, labels repeat.
  void run() {
    Graph g;
    std::vector<Label> labels;
    std::vector<int64_t> sizes;
    for (int k = 0; k < 6; ++k) sizes.push_back(k < 3 ? 1 + below(3) : 2 + below(5));
    std::vector<Factor> factors;
    std::map<NodeId, Array<double>> inputs;
    auto dim = [&](Label l) { return g.dim(sizes[l]); };
    const int count = 2 + int(below(4));
    for (int f = 0; f < count; ++f) {
      if (below(5) < 3) {
        const Label whole = Label(below(6));
        Labels digits;
        int64_t span = 1;
        for (int d = int(below(3)); d > 0; --d) {
          const Label l = Label(below(6));
          if (span * sizes[l] > sizes[whole]) continue;
          digits.push_back(l);
          span *= sizes[l];
        }
        Type parts;
        for (Label l : digits) parts.push_back(dim(l));
        Labels all{whole};
        all.insert(all.end(), digits.begin(), digits.end());
        factors.push_back({g.place(dim(whole), parts, g.dim(below(sizes[whole] - span + 1))), all});
      } else {
        Labels own;
        for (int d = 1 + int(below(2)); d > 0; --d) own.push_back(Label(below(6)));
        Type type;
        std::vector<int64_t> shape;
        for (Label l : own) type.push_back(dim(l)), shape.push_back(sizes[l]);
        const NodeId v = g.variable(g.declare({"v" + std::to_string(f), type, std::vector<Variance>(type.size(), Variance::Up)}));
        Array<double> a(shape);
        for (double& x : a.data) x = double(1 + below(9));
        inputs[v] = a;
        factors.push_back({v, own});
      }
    }
    Labels out;
    Type type;
    for (int d = int(below(3)); d > 0; --d) out.push_back(Label(below(6))), type.push_back(dim(out.back()));
    const NodeId product = g.ein(factors, out, type);
    const NodeId roots[] = {product};
    ASSERT_TRUE(verify(g, roots).empty()) << verify(g, roots)[0] << "\n" << print_ir(g, roots);
    const Array<double> value = interpret<double>(g, product, {}, inputs);
    const Array<double> expected = by_definition(g, factors, out, inputs, sizes);
    ASSERT_EQ(value.data, expected.data) << print_ir(g, roots) << describe(g, factors, out);
    Graph other;
    IrError error;
    const auto read = parse_ir(g, print_ir(g, roots), error);
    ASSERT_TRUE(read) << error.message << "\n" << print_ir(g, roots);
    if (!has_strided_digit(g, factors)) {
      EXPECT_EQ((*read)[0], product) << print_ir(g, roots);
    }
  }

 private:
  // A later digit that is itself placed takes every so manieth entry; such chains of places have no one form.
  static bool has_strided_digit(const Graph& g, const std::vector<Factor>& factors) {
    for (const Factor& p : factors)
      for (const Factor& q : factors)
        if (g[p.tensor].kind == Kind::Place && g[q.tensor].kind == Kind::Place && p.labels.size() > 2 &&
            std::find(p.labels.begin() + 2, p.labels.end(), q.labels[0]) != p.labels.end())
          return true;
    return false;
  }

  int64_t below(int64_t n) { return int64_t(random_() % uint32_t(n)); }

  static std::string describe(const Graph& g, const std::vector<Factor>& factors, const Labels& out) {
    std::string s;
    for (const Factor& f : factors) {
      const NodeId root[] = {f.tensor};
      s += print_labels(f.labels) + ": " + print_ir(g, root);
    }
    return s + "-> " + print_labels(out);
  }

  static Array<double> by_definition(const Graph& g, const std::vector<Factor>& factors, const Labels& out,
                                     const std::map<NodeId, Array<double>>& inputs, const std::vector<int64_t>& sizes) {
    std::vector<int64_t> shape, at(sizes.size(), 0);
    for (Label l : out) shape.push_back(sizes[l]);
    std::vector<bool> used(sizes.size(), false);
    std::vector<Array<double>> values;
    for (const Factor& f : factors) {
      values.push_back(interpret<double>(g, f.tensor, {}, inputs));
      for (Label l : f.labels) used[l] = true;
    }
    for (Label l : out) used[l] = true;
    Array<double> result(shape);
    auto entry = [&](const Labels& labels) {
      int64_t offset = 0;
      for (Label l : labels) offset = offset * sizes[l] + at[l];
      return size_t(offset);
    };
    for (bool more = true; more;) {
      double product = 1;
      for (size_t f = 0; f < factors.size(); ++f) product *= values[f].data[entry(factors[f].labels)];
      result.data[entry(out)] += product;
      more = false;
      for (size_t l = 0; l < sizes.size() && !more; ++l) {
        if (!used[l]) continue;
        more = ++at[l] < sizes[l];
        if (!more) at[l] = 0;
      }
    }
    return result;
  }

  std::mt19937 random_;
};

TEST(Places, RandomProductsAreWhatTheyAreByDefinition) {
  for (uint32_t seed = 0; seed < 20000 && !::testing::Test::HasFatalFailure(); ++seed) {
    SCOPED_TRACE(seed);
    Products(seed).run();
  }
}

// The tests below write a product as Einstein would, with the entries of A, B, x, y known by name.
class Known : public ::testing::Test {
 protected:
  Graph g;
  DimId m = g.dim("m"), n = g.dim("n"), zero = g.dim(0);
  NodeId A = g.variable(g.declare({"A", {m, n}})), x = g.variable(g.declare({"x", {n}})), y = g.variable(g.declare({"y", {n}}));

  NodeId vec(NodeId matrix) {  // columns below each other: the column index is the slow digit
    const Type t = g[matrix].type;
    const DimId parts[] = {t[0], t[1]}, whole = g.product(parts);
    return g.ein({{matrix, {0, 1}}, {g.place(whole, {t[1], t[0]}, zero), {2, 1, 0}}}, {2}, {whole});
  }
};

TEST_F(Known, TheInnerProductOfTwoVecsIsThatOfTheMatrices) {
  const NodeId B = g.variable(g.declare({"B", {m, n}}));
  EXPECT_EQ(g.ein({{vec(A), {0}}, {vec(B), {0}}}, {}, {}), g.ein({{A, {0, 1}}, {B, {0, 1}}}, {}, {}));
}

TEST_F(Known, DimensionsAreEqualWhenTheirPolynomialsAre) {
  const DimId mn[] = {m, n}, nm[] = {n, m}, nn[] = {n, n}, two_n[] = {g.dim(2), n};
  EXPECT_EQ(g.product(mn), g.product(nm));
  EXPECT_EQ(g.sum(nn), g.product(two_n));
  EXPECT_EQ(g.spell(g.sum(mn)), "m + n");
  EXPECT_EQ(g.difference(g.sum(mn), n), m);
  EXPECT_FALSE(g.difference(m, n));
}

TEST_F(Known, APieceOfABlockVectorIsTheBlock) {
  const DimId mn[] = {m, n}, whole = g.sum(mn);
  const NodeId u = g.variable(g.declare({"u", {m}}));
  const NodeId first = g.ein({{u, {0}}, {g.place(whole, {m}, zero), {1, 0}}}, {1}, {whole});
  const NodeId second = g.ein({{x, {0}}, {g.place(whole, {n}, m), {1, 0}}}, {1}, {whole});
  const NodeId block = g.add(first, second);
  EXPECT_EQ(g.ein({{block, {1}}, {g.place(whole, {n}, m), {1, 0}}}, {0}, {n}), x);
  EXPECT_EQ(g.ein({{block, {1}}, {g.place(whole, {m}, zero), {1, 0}}}, {0}, {m}), u);
}

// The digits of two places of one group meet one by one, whatever they are called: the third is the first, which is the second.
TEST_F(Known, TwoPlacesOfOneGroupHaveTheSameDigits) {
  const DimId nn[] = {n, n}, whole = g.product(nn);
  const NodeId group = g.place(whole, {n, n}, zero);
  const NodeId diagonal = g.ein({{group, {0, 1, 2}}, {group, {0, 3, 3}}, {x, {3}}}, {1, 2}, {n, n});
  EXPECT_EQ(diagonal, g.ein({{x, {0}}}, {0, 0}, {n, n}));
}

// That can be only at few sizes, which are not known to be those: such a product is built in finite time, and means what its sum does.
TEST_F(Known, APlaceInsideItselfIsLeftAlone) {
  const NodeId group = g.place(m, {m, n}, zero), piece = g.place(n, {m}, zero), other = g.place(m, {n}, zero);
  const NodeId circles[] = {g.ein({{group, {0, 1, 2}}, {group, {1, 0, 2}}, {A, {0, 2}}}, {2}, {n}),
                            g.ein({{piece, {0, 1}}, {other, {1, 0}}, {A, {1, 0}}}, {0}, {n})};
  for (NodeId c : circles) EXPECT_EQ(interpret<double>(g, c, {{"m", 1}, {"n", 1}}, {{A, Array<double>({1, 1}, 2.0)}}).data, std::vector<double>{2});
  Array<double> square({2, 2});
  square.data = {1, 2, 3, 4};
  EXPECT_EQ(interpret<double>(g, circles[1], {{"m", 2}, {"n", 2}}, {{A, square}}).data, (std::vector<double>{1, 4}));
}

// As many numbers a have a digit a as fit, and not one.
TEST_F(Known, APlaceInsideItselfIsNotSummedAsOne) {
  const NodeId sum = g.ein({{g.place(m, {n, m}, zero), {0, 1, 0}}}, {1}, {n});
  EXPECT_EQ(interpret<double>(g, sum, {{"m", 3}, {"n", 1}}, {}).data, std::vector<double>{3});
}

// The place that comes first may wait for a circle without being in one.
TEST(Places, WaitForCircles) {
  Graph g;
  const DimId n = g.dim("n"), m = g.dim("m");
  const DimId two[] = {n, n};
  const DimId whole = g.sum(two);
  const NodeId outside = g.place(whole, {n}, g.dim(0)), inside = g.place(n, {n, m}, g.dim(0));  // b = b*m + c
  const NodeId product = g.ein({{outside, {0, 1}}, {inside, {1, 1, 2}}}, {0, 1, 2}, {whole, n, m});
  EXPECT_EQ(interpret<double>(g, product, {{"m", 1}, {"n", 2}}, {}).data, (std::vector<double>{1, 0, 0, 1, 0, 0, 0, 0}));
}

// A digit of a label outside the circle that is inside it could be taken apart for ever, and longer each time.
TEST_F(Known, WhatHasAPlaceInsideItselfAmongItsDigitsIsBuiltInFiniteTime) {
  const NodeId piece = g.place(n, {m}, zero), other = g.place(m, {n}, zero), group = g.place(m, {n, n}, zero), outer = g.place(m, {n}, zero);
  const NodeId u = g.variable(g.declare({"u", {m}}));
  const NodeId products[] = {g.ein({{outer, {0, 1}}, {piece, {1, 2}}, {other, {2, 1}}, {u, {0}}}, {2}, {m}),
                             g.ein({{outer, {0, 1}}, {piece, {1, 2}}, {group, {2, 1, 3}}, {u, {0}}}, {3}, {n}),
                             g.ein({{other, {0, 1}}, {other, {0, 2}}, {piece, {1, 0}}, {piece, {2, 0}}, {u, {0}}}, {}, {})};
  for (NodeId p : products) EXPECT_EQ(interpret<double>(g, p, {{"m", 1}, {"n", 1}}, {{u, Array<double>({1}, 3.0)}}).data, std::vector<double>{3});
}

// However its factors stand, and whatever has been simplified before.
TEST_F(Known, AProductOfSlicesIsOneNode) {
  const NodeId e = g.unit_vector(m, 1), top = g.place(m, {n}, zero), u = g.variable(g.declare({"u", {m}}));
  const NodeId S = g.variable(g.declare({.name = "S", .type = {m, m}, .properties = Properties{Property::symmetric}}));
  EXPECT_EQ(g.ein({{u, {0}}, {e, {0}}, {top, {0, 1}}, {x, {2}}}, {2}, {n}), g.ein({{u, {0}}, {top, {0, 1}}, {e, {0}}, {x, {2}}}, {2}, {n}));
  EXPECT_EQ(g.ein({{u, {0}}, {e, {0}}, {g.delta(n), {1, 1}}}, {2}, {n}), g.ein({{g.ein({{u, {0}}, {e, {0}}}, {}, {}), {}}, {g.size(n), {}}}, {2}, {n}));
  const DimId three_m[] = {m, m, m};
  EXPECT_EQ(g.ein({{u, {0}}, {g.delta(g.sum(three_m)), {1, 1}}}, {}, {}), g.scale(3, g.ein({{u, {0}}, {g.size(m), {}}}, {}, {})));
  EXPECT_EQ(g.ein({{S, {0, 1}}, {top, {0, 2}}, {x, {2}}}, {1}, {m}), g.ein({{S, {1, 0}}, {top, {0, 2}}, {x, {2}}}, {1}, {m}));
}

TEST_F(Known, EntriesAreFactorsOfTheirOwn) {
  const NodeId e = g.unit_vector(n, 2);
  const NodeId entry = g.ein({{x, {0}}, {e, {0}}}, {}, {});
  EXPECT_EQ(g.ein({{x, {0}}, {x, {1}}, {e, {0}}, {e, {1}}}, {}, {}), g.power(entry, 2));
  EXPECT_EQ(g.ein({{x, {0}}, {e, {0}}, {y, {1}}}, {1}, {n}), g.times(entry, y));
  EXPECT_EQ(g.ein({{e, {0}}, {g.unit_vector(n, 3), {0}}}, {}, {}), g.constant(0));
  EXPECT_EQ(g.ein({{e, {0}}}, {}, {}), g.constant(1));
  const NodeId C = g.variable(g.declare({"C", {n, n}}));  // a slice of a slice is no less a slice
  const NodeId cell = g.ein({{C, {0, 1}}, {e, {0}}, {g.unit_vector(n, 3), {1}}}, {}, {});
  const NodeId product = g.ein({{cell, {}}, {y, {0}}}, {0}, {n});
  EXPECT_EQ(product, g.times(cell, y));
  EXPECT_TRUE(std::ranges::find(g[product].operands, cell) != g[product].operands.end());
}

}  // namespace
}  // namespace ricci
