// Every row of the elementwise table: its derivative column, its primitive and its facts, against the hand-written derivatives of the
// dual numbers and against difference quotients in __float128. A new row is tested because it exists.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "tests/tables/derivative_check.h"

using namespace ricci;

namespace {

using Row = ElementwiseCheck;
constexpr int kSamples = Row::kSamples;

double at(double low, double high, int i) { return ricci::at(low, high, i, kSamples); }

class Elementwise : public testing::TestWithParam<MapOp> {
 protected:
  Row row{ricci::row(GetParam())};
};

bool close(Quad a, Quad b, double tolerance) { return scalar::fabs(a - b) <= Quad(tolerance) * (1 + scalar::fabs(a)); }

// Central differences at h, h/2, h/4, ... extrapolated to h = 0 (Richardson).
template <class F>
Quad difference_quotient(F f, Quad x) {
  constexpr int kLevels = 7;
  Quad t[kLevels], h = Quad(1) / 128;
  for (int i = 0; i < kLevels; ++i, h /= 2) {
    t[i] = (f(x + h) - f(x - h)) / (2 * h);
    Quad weight = 4;
    for (int j = i; j-- > 0; weight *= 4) t[j] = t[j + 1] + (t[j + 1] - t[j]) / (weight - 1);
  }
  return t[0];
}

TEST_P(Elementwise, DerivativeAgreesWithDualNumbers) {
  for (int k = 0; k < row.r.arity; ++k)
    if (const std::string_view column = row.r.derivative[k]; !column.empty()) {
      EXPECT_EQ(row.refutation(size_t(k), row.formula(column)), std::nullopt) << column;
    }
}

TEST_P(Elementwise, DualNumbersAgreeWithDifferenceQuotients) {
  for (int k = 0; k < row.r.arity; ++k) {
    if (row.r.derivative[k].empty() || (row.r.op == MapOp::select_ && k == 0)) continue;
    for (int i = 0; i < kSamples; ++i) {
      const std::vector<Quad> x = row.sample(i);
      if (row.r.arity > 1 && scalar::fabs(x[0] - x[1]) < 0.02) continue;  // the quotient would straddle a tie
      const Quad dual = row.slope(size_t(k), x);
      const Quad quotient = difference_quotient(
          [&](Quad t) {
            std::vector<Quad> y = x;
            y[size_t(k)] = t;
            return row.value<Quad>(row.f, y);
          },
          x[size_t(k)]);
      EXPECT_TRUE(close(dual, quotient, 1e-17)) << "argument " << k << " at " << double(x[0]) << ": " << double(dual) << ", difference quotient "
                                                << double(quotient);
    }
  }
}

// A primitive that is a formula means what the row means, also at zeros, at infinities and for NaN.
TEST_P(Elementwise, PrimitiveFormulaMeansTheRow) {
  if (row.r.primitive.find('(') == std::string_view::npos || row.r.arity == 0) return;
  const NodeId primitive = row.formula(row.r.primitive);
  std::vector<std::vector<double>> points;
  for (int i = 0; i < kSamples; ++i) {
    points.emplace_back();
    for (Quad q : row.sample(i)) points.back().push_back(double(q));
  }
  if (row.r.low < 0 || row.r.op == MapOp::relu_ || row.r.op == MapOp::step_ || row.r.op == MapOp::sign_)
    for (double v : {0.0, -0.0, -1.5, 1e3, -1e3, 1e50, -1e50, double(INFINITY), -double(INFINITY), double(NAN)}) points.push_back({v, 0.7, 0.3});
  for (const auto& x : points) {
    const double p = row.value<double>(primitive, x), f = row.value<double>(row.f, x);
    const bool same = std::isnan(f) ? std::isnan(p) : p == f || std::fabs(p - f) <= 1e-14 * (std::fabs(f) + (row.r.range_low == 0 ? 1e-300 : 1));
    EXPECT_TRUE(same) << row.r.primitive << " at " << x[0] << ": " << p << ", meaning " << f;
  }
}

TEST_P(Elementwise, FactsHold) {
  std::vector<std::pair<std::vector<Quad>, Quad>> points;
  for (int i = 0; i < kSamples; ++i) points.emplace_back(row.sample(i), row.value<Quad>(row.f, row.sample(i)));
  for (const auto& [x, f] : points) {
    EXPECT_GE(double(f), row.r.range_low) << "at " << double(x[0]);
    EXPECT_LE(double(f), row.r.range_high) << "at " << double(x[0]);
  }
  if (row.r.arity == 1)
    for (size_t i = 1; i < points.size(); ++i) {
      const double rise = double(points[i].second - points[i - 1].second);
      EXPECT_TRUE(row.r.monotone == '0' || (row.r.monotone == '+' ? rise : -rise) >= 0) << "near " << double(points[i].first[0]);
    }
  if (row.r.curvature == '0') return;
  for (const auto& [x, f] : points)
    for (const auto& [y, h] : points) {  // the midpoint lies below the chord of a convex function
      std::vector<Quad> middle;
      for (size_t k = 0; k < x.size(); ++k) middle.push_back((x[k] + y[k]) / 2);
      const Quad sag = (f + h) / 2 - row.value<Quad>(row.f, middle);
      EXPECT_GE(double(row.r.curvature == 'v' ? sag : -sag), -1e-25) << "between " << double(x[0]) << " and " << double(y[0]);
    }
}

// A function is odd or even exactly where its row says so.
TEST_P(Elementwise, HasItsParity) {
  if (row.r.arity != 1) {
    EXPECT_EQ(row.r.parity, '0');
    return;
  }
  bool odd = true, even = true, has_values = false;
  for (int i = 0; i < kSamples; ++i) {
    const Quad x = row.sample(i)[0], f = row.value<Quad>(row.f, {x});
    const Quad mirrored = row.value<Quad>(row.f, {-x});
    has_values |= std::isfinite(double(mirrored));
    odd = odd && close(mirrored, -f, 1e-25);
    even = even && close(mirrored, f, 1e-25);
  }
  EXPECT_EQ(row.r.parity, !has_values ? '0' : odd ? 'o' : even ? 'e' : '0');
}

// Inside the interval of smoothness there are values, slopes, and no kinks; sampling stays inside.
TEST_P(Elementwise, IsSmoothWhereTheRowSaysSo) {
  if (row.r.arity != 1) return;
  EXPECT_LE(row.r.smooth_low, row.r.low);
  EXPECT_GE(row.r.smooth_high, row.r.high);
  const double low = std::max(row.r.smooth_low, -8.0), high = std::min(row.r.smooth_high, 8.0);
  const NodeId slope = row.formula(row.r.derivative[0]);
  scalar::kink_touched = false;
  for (int i = 0; i < kSamples; ++i) {
    const Quad x = low + (high - low) * (Quad(i) + Quad(0.5)) / kSamples;
    EXPECT_TRUE(std::isfinite(double(row.value<Quad>(row.f, {x})))) << "at " << double(x);
    EXPECT_TRUE(std::isfinite(double(row.value<Quad>(slope, {x})))) << "at " << double(x);
    row.value<Dual1>(row.f, {Dual1(x, Quad(1))});
  }
  EXPECT_FALSE(scalar::kink_touched);
}

// What a claim about the whole line promises must hold on both sides of a kink, too, and not only where derivatives are sampled.
TEST_P(Elementwise, FactsHoldAcrossKinks) {
  if (row.r.arity != 1 || (row.r.low < 0 || row.r.low > 0.2)) return;
  if (row.r.op != MapOp::relu_ && row.r.op != MapOp::step_ && row.r.op != MapOp::abs_ && row.r.op != MapOp::sign_) return;
  auto f = [&](Quad x) { return row.value<Quad>(row.f, {x}); };
  for (int i = 0; i < kSamples; ++i)
    for (int j = 0; j < i; ++j) {
      const Quad x = at(-2, 2, j), y = at(-2, 2, i), middle = f((x + y) / 2);
      EXPECT_TRUE(row.r.monotone != '+' || f(x) <= f(y)) << "between " << double(x) << " and " << double(y);
      EXPECT_TRUE(row.r.curvature != 'v' || (f(x) + f(y)) / 2 >= middle) << "between " << double(x) << " and " << double(y);
      EXPECT_GE(double(f(x)), row.r.range_low);
    }
}

INSTANTIATE_TEST_SUITE_P(Table, Elementwise, testing::ValuesIn([] {
                           std::vector<MapOp> ops;
                           for (const ElementwiseRow& r : elementwise_table()) ops.push_back(r.op);
                           return ops;
                         }()),
                         [](const auto& info) { return std::string(row(info.param).name); });

// --- conventions the columns must keep where a naive formula would not --------------------------------------------------------------

Quad slope_at(MapOp op, int k, std::vector<Quad> x) {
  Row row(ricci::row(op));
  return row.value<Quad>(row.formula(row.r.derivative[k]), x);
}

TEST(Conventions, SlopesOnKinksAndAtZero) {
  EXPECT_EQ(double(slope_at(MapOp::relu_, 0, {0})), 0.5);
  EXPECT_EQ(double(slope_at(MapOp::abs_, 0, {0})), 0);
  EXPECT_EQ(double(slope_at(MapOp::sign_, 0, {0})), 0);
  EXPECT_EQ(double(slope_at(MapOp::max_, 0, {2, 2})), 0.5);
  EXPECT_EQ(double(slope_at(MapOp::max_, 1, {2, 2})), 0.5);
  EXPECT_EQ(double(slope_at(MapOp::min_, 0, {2, 2})), 0.5);
  EXPECT_EQ(double(slope_at(MapOp::hypot_, 0, {0, 0})), 0);
  EXPECT_EQ(double(slope_at(MapOp::pow0_, 0, {0, Quad(0.5)})), 0);
  EXPECT_EQ(double(slope_at(MapOp::pow_, 1, {0, 2})), 0) << "d/dy x^y at x = 0 is 0 for y > 0";
  EXPECT_EQ(double(slope_at(MapOp::pow_, 0, {0, 1})), 1) << "x^1 at 0";
  EXPECT_TRUE(std::isinf(double(slope_at(MapOp::log_, 0, {0}))));
}

TEST(Conventions, SlopesAreStable) {
  EXPECT_EQ(double(slope_at(MapOp::softplus_, 0, {Quad(-1e3)})), double(scalar::exp(Quad(-1e3))));
  EXPECT_EQ(double(slope_at(MapOp::softplus_, 0, {Quad(1e50)})), 1);
  EXPECT_EQ(double(slope_at(MapOp::sigmoid_, 0, {Quad(1e50)})), 0);
  EXPECT_EQ(double(slope_at(MapOp::tanh_, 0, {Quad(-1e50)})), 0);
}

}  // namespace
