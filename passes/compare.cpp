// Points where what is spoken of has no value, or a kink is touched, or a number is ill-conditioned, decide nothing and are skipped. If it has one and
// one side is a number, the other must be that number: inf and NaN are none.
#include "passes/compare.h"

#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "ir/sample.h"
#include "passes/arrangement.h"

namespace ricci {
namespace {

constexpr double kFloor = 1e-3;       // differences below it are absolute
constexpr double kTolerance = 1e-18;  // of quadruple precision's 1e-34, less what ill-conditioned functions lose
constexpr int kProbes = 3;            // points at sizes that others gave way to
constexpr int kFar = 16;              // points far from 0: in their middle kFarthest/4 from it, then kFarthest
constexpr double kFarthest = 16;
constexpr double kFarTolerance = 1e-6;  // atanh(tanh(x)) has lost half its digits there

bool finite(const Array<Quad>& a) {
  for (const Quad& v : a.data)
    if (!std::isfinite(double(v))) return false;
  return true;
}

// Of an entry in row-major order, counted from one.
std::vector<int64_t> index_of(size_t entry, const std::vector<int64_t>& shape) {
  std::vector<int64_t> index(shape.size());
  for (size_t k = shape.size(); k-- > 0; entry /= size_t(shape[k])) index[k] = int64_t(entry % size_t(shape[k])) + 1;
  return index;
}

// Where the first difference is, of tensors of different shapes entry by entry in row-major order; it may be that one of them has ended.
void locate(Comparison& c, const Array<Quad>& a, const Array<Quad>& b) {
  c.left_shape = a.shape;
  c.right_shape = b.shape;
  double scale = kFloor;
  for (const Quad& v : b.data)
    if (std::isfinite(double(v))) scale = std::max(scale, std::abs(double(v)));
  const size_t both = std::min(a.data.size(), b.data.size());
  size_t first = 0;
  while (first < both && std::abs(double(a.data[first] - b.data[first])) <= kTolerance * scale) ++first;
  const auto put = [first](const Array<Quad>& from, double& value, std::vector<int64_t>& index) {
    value = std::numeric_limits<double>::quiet_NaN();
    if (first < from.data.size()) value = double(from.data[first]), index = index_of(first, from.shape);
  };
  put(a, c.left, c.index);
  put(b, c.right, c.right_index);
  if (first < both) c.difference = double(a.data[first] - b.data[first]);
}

struct Sides {
  Array<Quad> left, right;
};
using Inputs = std::map<NodeId, Array<Quad>>;
using Evaluate = std::function<std::optional<Sides>(const Dims&, const Inputs&)>;  // nothing where a side means nothing

// At the first sizes at which there is a point where both sides are numbers. A number against none refutes there, or where no sizes have such a point:
// where X'*X is singular its inverse is none.
Comparison compare_at(const Graph& g, std::span<const NodeId> roots, const Points& points, const Evaluate& evaluate) {
  Comparison c{Comparison::Verdict::Undecided};
  bool equal = true;
  std::vector<Arrangement> others;  // those under which the sides have agreed so far
  const auto decide = [&](const Sides& s, const Inputs& point) {
    if (c.points++ == 0) others = arrangements(s.left.shape, s.right.shape);
    const double difference = relative_difference(s.left, s.right, kFloor);
    std::erase_if(others, [&](const Arrangement& a) { return !(relative_difference(a.apply(s.left), s.right, kFloor) <= kTolerance); });
    if (!(difference <= kTolerance) && equal) {
      equal = false;
      locate(c, s.left, s.right);
      c.point = point;
    }
    c.largest = std::max(c.largest, difference);
  };
  std::vector<std::pair<Sides, Inputs>> one_sided;  // at the first sizes that have such points
  int tries = points.count;
  for (const Dims& dims : size_orders(g, roots, distinct_sizes(g, roots, points.dims), points.dims)) {
    c.sizes = dims;
    std::vector<std::pair<Sides, Inputs>> here;
    for (int k = 0; k < (c.points > 0 ? points.count : tries); ++k) {
      Inputs point = random_point(g, roots, dims, points.seed + uint64_t(k), points.promises);
      std::optional<Sides> s = evaluate(dims, point);
      const bool left = s && finite(s->left), right = s && finite(s->right);
      if (left && right) decide(*s, point);
      else if (left || right) here.emplace_back(*std::move(s), std::move(point));
      else ++c.skipped;
    }
    if (one_sided.empty() || c.points > 0) one_sided = std::move(here);
    if (c.points > 0) break;
    tries = std::min(points.count, kProbes);
  }
  for (const auto& [sides, point] : one_sided) decide(sides, point);
  if (c.points == 0) return c;
  c.verdict = equal ? Comparison::Verdict::Equal : Comparison::Verdict::Different;
  if (equal || others.empty()) return c;
  c.verdict = others[0].transposition ? Comparison::Verdict::Transposed : Comparison::Verdict::Layout;
  c.layout = others[0].name;
  return c;
}

// Sides that agree near 0 at some sizes, or have no value there: far from 0, and at other sizes, among them all larger and smaller ones, tall for wide,
// and square.
void compare_elsewhere(const Graph& g, std::span<const NodeId> roots, const Points& points, const Evaluate& evaluate, Comparison& c) {
  using Verdict = Comparison::Verdict;
  const auto at = [&](const Dims& dims, int count, double scale, double tolerance) {
    const int before = c.points;
    for (int k = 0; c.verdict != Verdict::Different && k < count; ++k) {
      Inputs point = random_point(g, roots, dims, points.seed + uint64_t(k), points.promises, scale);
      const std::optional<Sides> s = evaluate(dims, point);
      if (!s || !finite(s->left) || !finite(s->right)) continue;
      ++c.points;
      const double difference = relative_difference(s->left, s->right, kFloor);
      c.verdict = difference <= tolerance ? Verdict::Equal : Verdict::Different;
      if (c.verdict == Verdict::Equal) continue;
      c.largest = difference;
      locate(c, s->left, s->right);
      c.point = std::move(point);
    }
    return c.points > before;
  };
  const std::vector<Dims> orders = size_orders(g, roots, distinct_sizes(g, roots, points.dims), points.dims);
  const Dims decided = c.verdict == Verdict::Undecided ? orders.front() : c.sizes;
  for (double scale : {kFarthest / 4, kFarthest}) at(decided, kFar / 2, scale, kFarTolerance);
  std::vector<Dims> others = other_sizes(g, roots, decided, points.dims);
  for (const Dims& dims : {orders.front(), orders[std::min<size_t>(1, orders.size() - 1)], orders.back()})
    if (dims != decided) others.push_back(dims);
  for (const Dims& dims : others)
    if (c.verdict == Verdict::Equal && !at(dims, kProbes, 1, kTolerance)) c.without.push_back(dims);
}

}  // namespace

Inputs random_point(const Graph& g, std::span<const NodeId> roots, const Dims& dims, uint64_t seed, const std::map<NodeId, Properties>& promises,
                    double scale) {
  Sampler sampler(seed, scale);
  Inputs point;
  for (NodeId n : g.reachable(roots)) {
    if (g[n].kind != Kind::Var) continue;
    Symbol symbol = g.symbol(n);
    if (auto other = promises.find(n); other != promises.end()) symbol.properties = other->second;
    point[n] = with_exact_promises(sampler.draw(g, symbol, dims), symbol.properties, seed % 2 == 0);
  }
  return point;
}

Comparison compare(const Graph& g, NodeId a, NodeId b, const Points& points, std::optional<NodeId> function,
                   const Meaning& meaning) {
  const NodeId roots[] = {a, b, function.value_or(a)};
  const auto evaluate = [&](const Dims& dims, const Inputs& point) -> std::optional<Sides> {
    auto values = interpret<Quad>(g, roots, dims, point);
    std::vector<NodeId> numbers;
    for (size_t k = 0; k < std::size(roots); ++k)
      if (finite(values[k])) numbers.push_back(roots[k]);
    if (!finite(values[2]) || !well_conditioned(g, numbers, dims, point)) return std::nullopt;
    return Sides{meaning ? meaning(std::move(values[0]), point) : std::move(values[0]), std::move(values[1])};
  };
  Comparison c = compare_at(g, roots, points, evaluate);
  if (c.verdict == Comparison::Verdict::Equal || c.verdict == Comparison::Verdict::Undecided) compare_elsewhere(g, roots, points, evaluate, c);
  return c;
}

Comparison compare_with_oracle(const Graph& g, NodeId f, std::span<const NodeId> xs, NodeId derivative, const Points& points) {
  std::vector<NodeId> roots = {f, derivative};
  roots.insert(roots.end(), xs.begin(), xs.end());
  return compare_at(g, roots, points, [&](const Dims& dims, const Inputs& point) -> std::optional<Sides> {
    if (!well_conditioned(g, std::span(&f, 1), dims, point)) return std::nullopt;
    OracleValue truth = dual_derivative(g, f, xs, dims, point);
    if (truth.at_kink || !finite(truth.value)) return std::nullopt;
    return Sides{interpret<Quad>(g, derivative, dims, point), std::move(truth.value)};
  });
}

}  // namespace ricci
