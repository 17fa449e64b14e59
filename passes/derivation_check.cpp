// Every step is an equality, and here it is put to the test: nothing of the derivation is believed. The value of d v / d u comes from dual
// numbers on v's right side, that of a delta is the identity matrix.
#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "ir/oracle.h"
#include "ir/sample.h"
#include "passes/compare.h"
#include "passes/derivation.h"

namespace ricci {
namespace {

constexpr double kTolerance = 1e-18;  // as in passes/compare.cpp
constexpr double kMostWork = 2e6;     // scalar products in quadruple precision, for one point
constexpr double kLargest = 1e12;
constexpr int kPoints = 3, kTries = 12;

bool is_differentiated(const StandIn& s) { return s.kind == StandIn::Kind::Derivative || s.kind == StandIn::Kind::LinearMap; }

using Values = std::map<NodeId, Array<Quad>>;

// Finite, and not the inverse of what is singular but for rounding.
bool usable(const Array<Quad>& a) {
  return std::ranges::all_of(a.data, [](const Quad& v) { return std::abs(double(v)) < kLargest; });
}

// The same sizes the other way round: X'*X is singular if X is wide.
Dims reversed(const Dims& dims, const Dims& fixed) {
  Dims result = dims;
  std::vector<int64_t> sizes;
  for (const auto& [name, size] : dims)
    if (!fixed.contains(name)) sizes.push_back(size);
  for (auto& [name, size] : result)
    if (!fixed.contains(name)) size = sizes.back(), sizes.pop_back();
  return result;
}

Array<Quad> identity(int64_t n) {
  Array<Quad> a({n, n});
  for (int64_t i = 0; i < n; ++i) a.data[size_t(i * n + i)] = 1;
  return a;
}

// Random values keep what was promised. On later tries what promises nothing is positive, for logarithms and roots.
Values values_at(const Graph& g, const Derivation& d, std::span<const NodeId> roots, const Dims& dims, uint64_t seed, bool positive) {
  Values at = random_point(g, roots, dims, seed);
  for (auto& [variable, value] : at)
    if (positive && g.symbol(variable).properties.empty())
      for (Quad& v : value.data) v = scalar::fabs(v);
  if (at.contains(d.original)) at[d.x] = at.at(d.original);
  for (const auto& [stand_in, meaning] : d.stand_ins) {
    switch (meaning.kind) {
      case StandIn::Kind::Delta: at[stand_in] = identity(size_of(g, g[stand_in].type[0], dims)); break;
      case StandIn::Kind::Quantity: at[stand_in] = interpret<Quad>(g, meaning.value, dims, at); break;
      case StandIn::Kind::Derivative:
      case StandIn::Kind::LinearMap:
      case StandIn::Kind::Along: break;
    }
  }
  for (const auto& [stand_in, meaning] : d.stand_ins) {
    if (!is_differentiated(meaning)) continue;
    OracleValue v = dual_derivative(g, meaning.value, std::span(&meaning.by, 1), dims, at);
    at[stand_in] = std::move(v.value);
    scalar::kink_touched |= v.at_kink;
  }
  for (const auto& [stand_in, meaning] : d.stand_ins)  // of directions that are derivatives
    if (meaning.kind == StandIn::Kind::Along) at[stand_in] = interpret<Quad>(g, meaning.value, dims, at);
  return at;
}

// How many scalar products an evaluation takes: the interpreter sums over all letters of a product at once.
double work(const Graph& g, std::span<const NodeId> roots, const Dims& dims) {
  double sum = 0;
  for (NodeId n : g.reachable(roots)) {
    if (g[n].kind != Kind::Ein) continue;
    std::map<Label, int64_t> size;
    for (const Factor& f : g.factors(n))
      for (size_t k = 0; k < f.labels.size(); ++k) size[f.labels[k]] = size_of(g, g[f.tensor].type[k], dims);
    double product = double(Array<Quad>::count(shape_of(g, g[n].type, dims)) > 0);
    for (const auto& [label, s] : size) product *= double(s);
    sum += product;
  }
  return sum;
}

double work(const Graph& g, const Derivation& d, std::span<const NodeId> roots, const Dims& dims) {
  double sum = work(g, roots, dims);
  for (const auto& [stand_in, meaning] : d.stand_ins)
    if (is_differentiated(meaning))
      sum += work(g, std::span(&meaning.value, 1), dims) * double(Array<Quad>::count(shape_of(g, g[meaning.by].type, dims)));
  return sum;
}

// Sizes that differ show a swapped axis; long products are evaluated at two small sizes by turns.
Dims small_sizes(const Dims& dims, const Dims& fixed) {
  Dims result = dims;
  int64_t size = 3;
  for (auto& [name, s] : result)
    if (!fixed.contains(name)) s = size, size = 5 - size;
  return result;
}

std::vector<NodeId> formulas(const Derivation& d) {
  std::vector<NodeId> nodes{d.answer.node, d.x, d.original};
  for (const auto& [stand_in, meaning] : d.stand_ins) {
    nodes.push_back(stand_in);
    if (meaning.kind != StandIn::Kind::Delta) nodes.push_back(meaning.value);
  }
  for (const DerivationSection& s : d.sections)
    for (const DerivationStep& step : s.steps) nodes.insert(nodes.end(), {step.before.node, step.after.node});
  return nodes;
}

}  // namespace

namespace {

DerivationCheck evaluate(const Graph& g, const Derivation& d, const Dims& sizes, uint64_t seed) {
  const std::vector<NodeId> roots = formulas(d);
  Dims usual = distinct_sizes(g, roots, sizes);
  DerivationCheck result;
  for (const DerivationSection& s : d.sections) result.steps += int(s.steps.size());
  if (work(g, d, roots, usual) > kMostWork) usual = with_room_for_places(g, roots, small_sizes(usual, sizes), sizes);
  if (work(g, d, roots, usual) > kMostWork) return result;
  const Dims turned = with_room_for_places(g, roots, reversed(usual, sizes), sizes);
  for (int k = 0; k < kTries && result.points < kPoints; ++k) {
    scalar::kink_touched = false;
    const Dims& dims = k % 2 == 0 ? usual : turned;
    const Values at = values_at(g, d, roots, dims, seed + uint64_t(k), k >= kTries / 2);
    const bool smooth = !scalar::kink_touched && std::ranges::all_of(at, [](const auto& v) { return usable(v.second); });
    if (!smooth) continue;
    ++result.points;
    for (const DerivationSection& s : d.sections)
      for (const DerivationStep& step : s.steps) {
        const NodeId sides[] = {step.before.node, step.after.node};
        const std::vector<Array<Quad>> values = interpret<Quad>(g, sides, dims, at);
        const double difference = relative_difference(values[1], values[0]);
        result.largest = std::max(result.largest, difference);
        if (!(difference <= kTolerance) && !result.wrong) result.wrong = &step;
      }
  }
  return result;
}

}  // namespace

// What cannot be evaluated at all (a function of the host's, the maximum of nothing) is checked at no point.
DerivationCheck check(const Graph& g, const Derivation& d, const Dims& sizes, uint64_t seed) {
  try {
    return evaluate(g, d, sizes, seed);
  } catch (const std::invalid_argument&) {
    return {};
  }
}

}  // namespace ricci
