// Every claim in the property table, tried on a pool of random and corner instances: each instance is used for every property it has.
// Random matrices alone refute little ("a sum of nonsingular matrices is nonsingular"); the pool has I, -I, 0, permutations, nilpotents,
// rank-one matrices, and everything negated and transposed.
#include <gtest/gtest.h>

#include <random>

#include "tests/property_holds.h"

using namespace ricci;

namespace {

using Matrix = Array<double>;

Matrix square(int64_t n, std::vector<double> entries) {
  Matrix m({n, n});
  m.data = std::move(entries);
  return m;
}
Matrix scaled(const Matrix& a, double c) {
  Matrix r = a;
  for (double& v : r.data) v *= c;
  return r;
}
Matrix transpose(const Matrix& a) {
  if (a.shape.size() != 2) return a;
  Matrix r({a.shape[1], a.shape[0]});
  for (int64_t i = 0; i < a.shape[0]; ++i)
    for (int64_t j = 0; j < a.shape[1]; ++j) r.data[size_t(j * a.shape[0] + i)] = a.data[size_t(i * a.shape[1] + j)];
  return r;
}
Matrix sum(const Matrix& a, const Matrix& b) {
  Matrix r = a;
  for (size_t i = 0; i < r.data.size(); ++i) r.data[i] += b.data[i];
  return r;
}

const std::vector<Matrix>& pool() {
  static const std::vector<Matrix> all = [] {
    std::vector<Matrix> p;
    std::mt19937_64 random(11);
    auto uniform = [&](double low, double high) { return low + (high - low) * double(random() % 10007) / 10007; };
    for (int64_t n : {1, 2, 3}) {
      auto make = [&](auto entry) {
        Matrix m({n, n});
        for (int64_t i = 0; i < n; ++i)
          for (int64_t j = 0; j < n; ++j) m.data[size_t(i * n + j)] = entry(i, j);
        p.push_back(m);
        return m;
      };
      make([](int64_t, int64_t) { return 0.; });
      make([](int64_t, int64_t) { return 1.; });
      make([](int64_t i, int64_t j) { return i == j ? 1. : 0.; });
      make([](int64_t i, int64_t j) { return i == j ? (i % 2 ? -1. : 1.) : 0.; });
      make([](int64_t i, int64_t j) { return i == j ? double(i) : 0.; });
      make([n](int64_t i, int64_t j) { return j == (i + 1) % n ? 1. : 0.; });
      make([](int64_t i, int64_t j) { return j == i + 1 ? 1. : 0.; });
      make([](int64_t i, int64_t j) { return j < i ? -1. : j == i ? 1. : 0.; });
      make([](int64_t i, int64_t j) { return (i + j) % 2 ? -1. : 1.; });
      make([&](int64_t, int64_t) { return uniform(-2, 2); });
      make([&](int64_t, int64_t) { return uniform(0.1, 0.9); });
      make([&](int64_t, int64_t) { return uniform(-0.3, 0.3); });
      make([&](int64_t, int64_t) { return uniform(1, 3); });
      make([&](int64_t i, int64_t j) { return j <= i ? uniform(-2, 2) : 0.; });
      make([&](int64_t i, int64_t j) { return i == j ? uniform(0.2, 2) : 0.; });
      const Matrix r = make([&](int64_t, int64_t) { return uniform(-1, 1); });
      p.push_back(sum(r, transpose(r)));
      p.push_back(sum(r, scaled(transpose(r), -1)));
      p.push_back(transposed_product(r, r));
      Matrix v({n});
      for (int64_t i = 0; i < n; ++i) v.data[size_t(i)] = 1. / double(n);
      p.push_back(v);
      for (int64_t i = 0; i < n; ++i) v.data[size_t(i)] = i == n - 1;
      p.push_back(v);
      for (int64_t i = 0; i < n; ++i) v.data[size_t(i)] = i % 2 ? -1 : 1;
      p.push_back(v);
    }
    p.push_back(square(2, {0.6, -0.8, 0.8, 0.6}));
    p.push_back(square(2, {2, 1, 1, 2}));
    p.push_back(square(2, {1, 3, 0, 1}));
    p.push_back(square(2, {0, 1, -1, 0}));
    p.push_back(square(2, {0.9, 0, 0, -0.9}));
    for (size_t i = 0, n = p.size(); i < n; ++i) p.push_back(scaled(p[i], -1)), p.push_back(transpose(p[i]));
    return p;
  }();
  return all;
}

class Claims : public testing::TestWithParam<Property> {
 protected:
  const PropertyRow& row = ricci::row(GetParam());
  std::vector<Matrix> instances;
  void SetUp() override {
    for (const Matrix& m : pool()) {
      if (row.applies_to == "square" && m.shape.size() != 2) continue;
      if (row.applies_to == "vector" && m.shape.size() != 1) continue;
      if (holds(GetParam(), m)) instances.push_back(m);
    }
    ASSERT_GE(instances.size(), 3u);
  }
  static std::string text(const Matrix& m) {
    std::string s = "[";
    for (double v : m.data) s += " " + std::to_string(v);
    return s + " ]";
  }
  static Property named(std::string_view name) {
    auto p = find_property(name);
    EXPECT_TRUE(p) << name;
    return *p;
  }
};

TEST_P(Claims, Implications) {
  for (Property q : Properties{GetParam()}.list())
    for (const Matrix& m : instances) EXPECT_TRUE(holds(q, m)) << row.name << " implies " << ricci::row(q).name << ": not for " << text(m);
}

TEST_P(Claims, Transpose) {
  if (row.transpose.empty()) return;
  for (const Matrix& m : instances) EXPECT_TRUE(holds(named(row.transpose), transpose(m))) << text(m);
}

TEST_P(Claims, Inverse) {
  if (row.inverse.empty()) return;
  for (const Matrix& m : instances) {
    if (m.shape.size() != 2) continue;
    const scalar::Square<double> a{size_t(m.shape[0]), m.data};
    if (std::fabs(scalar::det(a)) < 1e-6) continue;
    EXPECT_TRUE(holds(named(row.inverse), square(m.shape[0], scalar::inv(a).entries), 1e-6)) << text(m);
  }
}

TEST_P(Claims, SumsAndProducts) {
  bool sums = true, products = true;
  for (const Matrix& a : instances)
    for (const Matrix& b : instances) {
      if (a.shape != b.shape) continue;
      const bool sum_has = holds(GetParam(), sum(a, b));
      sums &= sum_has;
      EXPECT_TRUE(sum_has || !row.sum) << text(a) << " + " << text(b);
      if (a.shape.size() != 2) continue;
      const bool product_has = holds(GetParam(), transposed_product(transpose(a), b));
      products &= product_has;
      EXPECT_TRUE(product_has || !row.product) << text(a) << " * " << text(b);
    }
  // And the other way round: a closure that nothing in the pool refutes is claimed, so that the table leaves nothing out.
  EXPECT_EQ(sums, row.sum);
  EXPECT_TRUE(row.applies_to == "vector" || products == row.product);
}

INSTANTIATE_TEST_SUITE_P(Table, Claims, testing::ValuesIn([] {
                           std::vector<Property> ps;
                           for (const PropertyRow& r : property_table()) ps.push_back(r.property);
                           return ps;
                         }()),
                         [](const auto& info) { return std::string(row(info.param).name); });

TEST(Properties, AreClosedUnderImplication) {
  EXPECT_TRUE(Properties{Property::spd}.has(Property::symmetric)) << "through psd";
  EXPECT_EQ((Properties{Property::spd, Property::symmetric}.minimal()), std::vector<Property>{Property::spd});
  EXPECT_FALSE(find_property("wobbly"));
}

}  // namespace
