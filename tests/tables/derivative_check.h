// Whether a formula is the derivative of an elementwise function: at random points of the row's interval, and at all places where special values meet.
#pragma once
#include <fmt/format.h>

#include <cmath>
#include <optional>
#include <vector>

#include "frontend/formula.h"
#include "ir/interpret.h"

namespace ricci {

inline double at(double low, double high, int i, int of) { return low + (high - low) * (i + 0.5) / of; }

// One row as a graph over scalars.
struct ElementwiseCheck {
  static constexpr int kSamples = 41;

  const ElementwiseRow& r;
  Graph g;
  std::vector<NodeId> x;
  NodeId f;
  Bindings names;

  explicit ElementwiseCheck(const ElementwiseRow& row) : r(row) {
    for (int k = 0; k < r.arity; ++k) x.push_back(g.variable(g.declare({.name = std::string(1, "xyz"[k]), .type = {}})));
    f = g.map(r.op, x);
    names.emplace("f", f);
    for (const NodeId n : x) names.emplace(g.symbol(n).name, n);
  }

  NodeId formula(std::string_view text) { return build_formula(g, text, names, FormulaMode::Entrywise); }

  template <class T>
  T value(NodeId n, const std::vector<T>& arguments) const {
    std::map<NodeId, Array<T>> inputs;
    for (size_t k = 0; k < x.size(); ++k) inputs[x[k]] = Array<T>({}, arguments[k]);
    return interpret<T>(g, n, {}, inputs).data[0];
  }

  // Arguments inside the domain: the first from the row's interval, the others near but different.
  std::vector<Quad> sample(int i) const {
    const double first = at(r.low, r.high, i, kSamples);
    if (r.op == MapOp::polygamma_) return {Quad(i % 4), Quad(at(0.3, 4, i, kSamples))};
    if (r.op == MapOp::select_) return {Quad(i % 2), Quad(at(-1, 1, i, kSamples)), Quad(at(2, 5, i, kSamples))};
    return {Quad(first), Quad(at(r.low, r.high, (7 * i + 3) % kSamples, kSamples) + 0.0123), Quad(0.7)};
  }

  // The samples, and where kinks, ties, zeros and both signs meet.
  std::vector<std::vector<Quad>> points() const {
    std::vector<std::vector<Quad>> all;
    for (int i = 0; i < kSamples; ++i) all.push_back(sample(i));
    if (r.op == MapOp::polygamma_) return all;  // of an order that counts
    const double special[] = {-1, -0.7, 0, 0.5, 1, 2};
    for (double a : special)
      for (double b : special)
        for (double c : special)
          if ((r.arity > 1 || b == 0) && (r.arity > 2 || c == 0) && !(r.op == MapOp::pow_ && a == 0 && b == 0))  // x^y has no limit there
            all.push_back({Quad(a), Quad(b), Quad(c)});
    for (auto& point : all) point.resize(size_t(r.arity));
    return all;
  }

  // The dual numbers' derivative by operand k.
  Quad slope(size_t k, const std::vector<Quad>& at) const {
    std::vector<Dual1> moved;
    for (size_t j = 0; j < x.size(); ++j) moved.emplace_back(at[j], Quad(j == k));
    return value<Dual1>(f, moved).slope;
  }

  // Where a formula is not the derivative by operand k; nothing if it is one. Where the function or its slope is not finite, anything is right.
  std::optional<std::string> refutation(size_t k, NodeId formula) const {
    for (const std::vector<Quad>& p : points()) {
      const Quad right = slope(k, p);
      if (!std::isfinite(double(right)) || !std::isfinite(double(value<Quad>(f, p)))) continue;
      const Quad found = value<Quad>(formula, p);
      if (scalar::fabs(found - right) <= Quad(1e-28) * (1 + scalar::fabs(found))) continue;
      return fmt::format("operand {} at {}: {}, dual numbers {}", k, double(p[0]), double(found), double(right));
    }
    return std::nullopt;
  }
};

}  // namespace ricci
