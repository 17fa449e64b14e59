// Points where what is spoken of has no value, or a kink is touched, decide nothing and are skipped. If it has one and one side is a number, the other
// must be that number: inf and NaN are none.
#include "passes/compare.h"

#include <cmath>
#include <functional>

#include "ir/sample.h"
#include "passes/arrangement.h"

namespace ricci {
namespace {

constexpr double kFloor = 1e-3;       // differences below it are absolute
constexpr double kTolerance = 1e-18;  // of quadruple precision's 1e-34, less what ill-conditioned functions lose

bool finite(const Array<Quad>& a) {
  for (const Quad& v : a.data)
    if (!std::isfinite(double(v))) return false;
  return true;
}

// Where the first difference is, counted from one.
void locate(Comparison& c, const Array<Quad>& a, const Array<Quad>& b) {
  c.left_shape = a.shape;
  c.right_shape = b.shape;
  if (a.shape != b.shape) return;
  double scale = kFloor;
  for (const Quad& v : b.data)
    if (std::isfinite(double(v))) scale = std::max(scale, std::abs(double(v)));
  size_t first = 0;
  while (std::abs(double(a.data[first] - b.data[first])) <= kTolerance * scale) ++first;
  c.left = double(a.data[first]);
  c.right = double(b.data[first]);
  for (size_t k = a.shape.size(), rest = first; k-- > 0; rest /= size_t(a.shape[k]))
    c.index.insert(c.index.begin(), int64_t(rest % size_t(a.shape[k])) + 1);
}

struct Sides {
  Array<Quad> left, right;
  bool decide = true;
};
using Inputs = std::map<NodeId, Array<Quad>>;

Comparison compare_at(const Graph& g, std::span<const NodeId> roots, const Points& points,
                      const std::function<Sides(const Dims&, const Inputs&)>& sides) {
  const Dims dims = distinct_sizes(g, roots, points.dims);
  Comparison c{Comparison::Verdict::Undecided};
  bool equal = true;
  std::vector<Arrangement> others;  // those under which the sides have agreed so far
  for (int k = 0; k < points.count; ++k) {
    Inputs point = random_point(g, roots, dims, points.seed + uint64_t(k), points.promises);
    Sides s = sides(dims, point);
    if (!s.decide || !(finite(s.left) || finite(s.right))) {
      ++c.skipped;
      continue;
    }
    if (c.points++ == 0) others = arrangements(s.left.shape, s.right.shape);
    const double difference = relative_difference(s.left, s.right, kFloor);
    std::erase_if(others, [&](const Arrangement& a) { return !(relative_difference(a.apply(s.left), s.right, kFloor) <= kTolerance); });
    if (!(difference <= kTolerance) && equal) {
      equal = false;
      locate(c, s.left, s.right);
      c.point = std::move(point);
    }
    c.largest = std::max(c.largest, difference);
  }
  if (c.points == 0) return c;
  c.verdict = equal ? Comparison::Verdict::Equal : Comparison::Verdict::Different;
  if (equal || others.empty()) return c;
  c.verdict = others[0].transposition ? Comparison::Verdict::Transposed : Comparison::Verdict::Layout;
  c.layout = others[0].name;
  return c;
}

}  // namespace

Inputs random_point(const Graph& g, std::span<const NodeId> roots, const Dims& dims, uint64_t seed, const std::map<NodeId, Properties>& promises) {
  Sampler sampler(seed);
  Inputs point;
  for (NodeId n : g.reachable(roots)) {
    if (g[n].kind != Kind::Var) continue;
    Symbol symbol = g.symbol(n);
    if (auto other = promises.find(n); other != promises.end()) symbol.properties = other->second;
    point[n] = convert<Quad>(sampler.draw(g, symbol, dims));
  }
  return point;
}

Comparison compare(const Graph& g, NodeId a, NodeId b, const Points& points, std::optional<NodeId> function) {
  const NodeId roots[] = {a, b, function.value_or(a)};
  return compare_at(g, roots, points, [&](const Dims& dims, const Inputs& point) {
    auto values = interpret<Quad>(g, roots, dims, point);
    const bool decide = finite(values[2]);
    return Sides{std::move(values[0]), std::move(values[1]), decide};
  });
}

Comparison compare_with_oracle(const Graph& g, NodeId f, std::span<const NodeId> xs, NodeId derivative, const Points& points) {
  std::vector<NodeId> roots = {f, derivative};
  roots.insert(roots.end(), xs.begin(), xs.end());
  return compare_at(g, roots, points, [&](const Dims& dims, const Inputs& point) {
    OracleValue truth = dual_derivative(g, f, xs, dims, point);
    const bool decide = !truth.at_kink && finite(truth.value) && finite(interpret<Quad>(g, f, dims, point));
    return Sides{interpret<Quad>(g, derivative, dims, point), std::move(truth.value), decide};
  });
}

}  // namespace ricci
