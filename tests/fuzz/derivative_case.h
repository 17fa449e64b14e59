// A random program with variables of differentiation, and how tensors are compared: what the tests of the mathematics share.
#pragma once
#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <random>
#include <string>
#include <vector>

#include "ir/text.h"
#include "ir/verify.h"
#include "tests/fuzz/campaign.h"
#include "tests/fuzz/empty_sums.h"
#include "tests/fuzz/interpreter_work.h"

namespace ricci::fuzz {

constexpr double kMostWork = 3e5;  // scalar products the interpreter may do for one derivative

// v + h[0] e_1 + h[1] e_2 + ...
template <class T>
T seeded(Quad v, std::span<const Quad> h) {
  if constexpr (std::is_same_v<T, Quad>) {
    return v;
  } else {
    using Inner = decltype(T::value);
    return {seeded<Inner>(v, h.subspan(1)), Inner(h[0])};
  }
}

// The coefficient of e_1 e_2 ...: the mixed derivative.
inline Quad mixed(Quad x) { return x; }
template <class T>
Quad mixed(const Dual<T>& x) { return mixed(x.slope); }

inline std::string quad_text(Quad q) {
  char buffer[40];
  std::snprintf(buffer, sizeof buffer, "%.17g", double(q));
  return buffer;
}

// A program with variables of differentiation and a direction for each.
struct DerivativeCase {
  Graph g;
  std::vector<NodeId> nodes;
  NodeId f{};
  Dims dims;
  std::map<NodeId, Array<Quad>> inputs;
  std::vector<NodeId> xs;
  std::vector<Array<Quad>> hs;

  DerivativeCase(const RandomProgram& p, size_t order) : nodes(p.build(g)), f(nodes.back()), dims(p.dims()), inputs(p.inputs(nodes)) {
    std::mt19937_64 random(p.seed);
    std::vector<size_t> candidates;
    const std::vector<NodeId> reachable = g.reachable(std::span(&f, 1));
    for (size_t k = 0; k < p.steps.size(); ++k) {
      const bool input = p.steps[k].kind == Step::Kind::Input;
      const Kind kind = g[nodes[k]].kind;
      if (kind == Kind::Const || kind == Kind::Size || kind == Kind::Place || kind == Kind::Epsilon) continue;
      // An intermediate value is a variable too, but a constructor may have dissolved it in what is derived from it: first order only.
      if (std::ranges::binary_search(reachable, nodes[k]) && (input || (order == 1 && random() % 4 == 0))) candidates.push_back(k);
    }
    if (candidates.empty())  // a constant
      for (size_t k = 0; k < p.steps.size() && candidates.empty(); ++k)
        if (p.steps[k].kind == Step::Kind::Input) candidates.push_back(k);
    for (size_t k = 0; k < order && !candidates.empty(); ++k) {
      const size_t step = candidates[random() % candidates.size()];
      xs.push_back(nodes[step]);
      hs.push_back(direction(p.steps[step], xs.back(), random));
    }
  }

  Array<Quad> direction(const Step& s, NodeId x, std::mt19937_64& random) const {
    Array<Quad> h(shape_of(g, g[x].type, dims));
    for (Quad& e : h.data) e = Quad(double(random() % 2001) - 1000) / 1024;
    const size_t n = s.symmetric ? size_t(h.shape[0]) : 0;
    for (size_t i = 0; i < n; ++i)
      for (size_t j = 0; j < i; ++j) h.data[i * n + j] = h.data[j * n + i];
    return h;
  }

  // The oracle: f at inputs moved along h_1 e_1 + h_2 e_2 + ...
  template <class T>
  Array<Quad> by_duals() const {
    std::map<NodeId, Array<Quad>> at = inputs;
    for (NodeId x : xs) at.try_emplace(x, interpret<Quad>(g, x, dims, inputs));
    std::map<NodeId, Array<T>> moved;
    for (const auto& [id, value] : at) {
      Array<T>& m = moved[id] = Array<T>(value.shape);
      for (size_t i = 0; i < value.data.size(); ++i) {
        std::vector<Quad> h;
        for (size_t k = 0; k < xs.size(); ++k) h.push_back(xs[k] == id ? hs[k].data[i] : Quad(0));
        m.data[i] = seeded<T>(value.data[i], h);
      }
    }
    const Array<T> value = interpret<T>(g, f, dims, moved);
    Array<Quad> r(value.shape);
    for (size_t i = 0; i < r.data.size(); ++i) r.data[i] = mixed(value.data[i]);
    return r;
  }

  Array<Quad> value(NodeId id) const { return interpret<Quad>(g, id, dims, inputs); }

  // A program that was shrunk may have lost the choice that kept its value finite.
  bool has_value() const {
    const Array<Quad> v = value(f);
    return std::ranges::all_of(v.data, [](Quad e) { return std::isfinite(double(e)); });
  }

  // The tensor's last axes, those of x, contracted with h.
  static Array<Quad> contract(const Array<Quad>& d, const Array<Quad>& h) {
    Array<Quad> r(std::vector<int64_t>(d.shape.begin(), d.shape.end() - std::ptrdiff_t(h.shape.size())));
    for (size_t i = 0; i < r.data.size(); ++i)
      for (size_t j = 0; j < h.data.size(); ++j) r.data[i] += d.data[i * h.data.size() + j] * h.data[j];
    return r;
  }

  // What differs between values that `roots` led to; a NaN for an empty sum does not.
  std::string disagreement(const Array<Quad>& a, const Array<Quad>& b, std::initializer_list<NodeId> roots) const;

  double work(NodeId id) const { return interpreter_work(g, std::span(&id, 1), dims); }
};

// Empty if two values agree to many more digits than double has.
inline std::string disagreement(const Array<Quad>& a, const Array<Quad>& b) {
  if (a.shape != b.shape) return "the shapes differ";
  Quad scale = 1;
  for (const Array<Quad>* x : {&a, &b})
    for (Quad v : x->data) scale = scalar::fmax_(scale, scalar::fabs(v));
  for (size_t i = 0; i < a.data.size(); ++i)
    if (!(scalar::fabs(a.data[i] - b.data[i]) <= Quad(1e-18) * scale))
      return "entry " + std::to_string(i) + ": " + quad_text(a.data[i]) + " against " + quad_text(b.data[i]);
  return {};
}

// The same for values of graphs, some of which may be sums over nothing.
inline std::string disagreement(const Array<Quad>& a, const Array<Quad>& b, const Graph& g, std::span<const NodeId> roots, const Dims& dims,
                                const std::map<NodeId, Array<Quad>>& inputs) {
  std::string wrong = disagreement(a, b);
  const auto has_nan = [](const Array<Quad>& x) { return std::ranges::any_of(x.data, [](Quad v) { return std::isnan(double(v)); }); };
  const bool excused = !wrong.empty() && (has_nan(a) || has_nan(b)) && empty_sums_may_be_nan(g, roots, dims, inputs);
  return excused ? "" : wrong;
}

inline std::string DerivativeCase::disagreement(const Array<Quad>& a, const Array<Quad>& b, std::initializer_list<NodeId> roots) const {
  return fuzz::disagreement(a, b, g, std::span(roots.begin(), roots.size()), dims, inputs);
}

// What is wrong with a node as a node: a broken invariant, or text that does not read back to it.
inline std::string malformed(Graph& g, NodeId id) {
  for (const std::string& broken : verify(g, std::span(&id, 1))) return broken;
  const std::string text = print_ir(g, std::span(&id, 1));
  IrError error{};
  auto again = parse_ir(g, text, error);
  if (!again) return "its text does not read back: " + error.message + "\n" + text;
  if ((*again)[0] != id) return "its text reads back as another node:\n" + text + "reads as\n" + print_ir(g, *again);
  return {};
}

}  // namespace ricci::fuzz
