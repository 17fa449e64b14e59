// Points where either side is not finite, or a kink is touched, decide nothing and are skipped.
#include "passes/compare.h"

#include <cmath>
#include <functional>

#include "ir/sample.h"

namespace ricci {
namespace {

constexpr double kTolerance = 1e-18;  // of quadruple precision's 1e-34, less what ill-conditioned functions lose

bool finite(const Array<Quad>& a) {
  for (const Quad& v : a.data)
    if (!std::isfinite(double(v))) return false;
  return true;
}

Array<Quad> transposed(const Array<Quad>& a) {
  if (a.shape.size() != 2) return a;
  Array<Quad> t({a.shape[1], a.shape[0]});
  for (int64_t i = 0; i < a.shape[0]; ++i)
    for (int64_t j = 0; j < a.shape[1]; ++j) t.data[size_t(j * a.shape[0] + i)] = a.data[size_t(i * a.shape[1] + j)];
  return t;
}

// Where the largest difference is, counted from one.
void locate(Comparison& c, const Array<Quad>& a, const Array<Quad>& b) {
  c.left_shape = a.shape;
  c.right_shape = b.shape;
  if (a.shape != b.shape) return;
  size_t worst = 0;
  double largest = -1;
  for (size_t k = 0; k < a.data.size(); ++k)
    if (double d = std::abs(double(a.data[k] - b.data[k])); d > largest) largest = d, worst = k;
  c.left = double(a.data[worst]);
  c.right = double(b.data[worst]);
  for (size_t k = a.shape.size(), rest = worst; k-- > 0; rest /= size_t(a.shape[k]))
    c.index.insert(c.index.begin(), int64_t(rest % size_t(a.shape[k])) + 1);
}

struct Sides {
  Array<Quad> left, right;
  bool at_kink = false;
};
using Inputs = std::map<NodeId, Array<Quad>>;

Comparison compare_at(const Graph& g, std::span<const NodeId> roots, const Points& points,
                      const std::function<Sides(const Dims&, const Inputs&)>& sides) {
  const Dims dims = distinct_sizes(g, roots, points.dims);
  Comparison c{Comparison::Verdict::Undecided};
  bool equal = true, transposed_equal = true;
  for (int k = 0; k < points.count; ++k) {
    Inputs point = random_point(g, roots, dims, points.seed + uint64_t(k));
    Sides s = sides(dims, point);
    if (s.at_kink || !finite(s.left) || !finite(s.right)) {
      ++c.skipped;
      continue;
    }
    ++c.points;
    const double difference = relative_difference(s.left, s.right);
    if (relative_difference(s.left, transposed(s.right)) > kTolerance) transposed_equal = false;
    if (difference > kTolerance && equal) {
      equal = false;
      locate(c, s.left, s.right);
      c.point = std::move(point);
    }
    c.largest = std::max(c.largest, difference);
  }
  if (c.points == 0) return c;
  c.verdict = equal ? Comparison::Verdict::Equal : transposed_equal ? Comparison::Verdict::Transposed : Comparison::Verdict::Different;
  return c;
}

}  // namespace

Inputs random_point(const Graph& g, std::span<const NodeId> roots, const Dims& dims, uint64_t seed) {
  Sampler sampler(seed);
  Inputs point;
  for (NodeId n : g.reachable(roots))
    if (g[n].kind == Kind::Var) point[n] = convert<Quad>(sampler.draw(g, g.symbol(n), dims));
  return point;
}

Comparison compare(const Graph& g, NodeId a, NodeId b, const Points& points) {
  const NodeId roots[] = {a, b};
  return compare_at(g, roots, points, [&](const Dims& dims, const Inputs& point) {
    scalar::kink_touched = false;
    auto values = interpret<Quad>(g, roots, dims, point);
    return Sides{std::move(values[0]), std::move(values[1])};
  });
}

Comparison compare_with_oracle(const Graph& g, NodeId f, std::span<const NodeId> xs, NodeId derivative, const Points& points) {
  std::vector<NodeId> roots = {f, derivative};
  roots.insert(roots.end(), xs.begin(), xs.end());
  return compare_at(g, roots, points, [&](const Dims& dims, const Inputs& point) {
    OracleValue truth = dual_derivative(g, f, xs, dims, point);
    return Sides{interpret<Quad>(g, derivative, dims, point), std::move(truth.value), truth.at_kink};
  });
}

}  // namespace ricci
