// Whether a formula is the differential, the adjoint or the derivative of a function without index form: on cores of several sizes, by dual numbers.
#pragma once
#include <fmt/format.h>

#include <array>
#include <optional>
#include <random>
#include <vector>

#include "frontend/formula.h"
#include "ir/interpret.h"

namespace ricci {

class FunctionSampler {
 public:
  // Entries apart from each other and from zero; matrices well conditioned, with eigenvalues right of the imaginary axis.
  Array<Quad> draw(std::vector<int64_t> shape, bool matrix) {
    Array<Quad> a(std::move(shape));
    const int64_t n = a.shape.empty() ? 1 : a.shape.back(), m = matrix ? a.shape[a.shape.size() - 2] : 1;
    for (size_t i = 0; i < a.data.size(); ++i) {
      a.data[i] = entry() + Quad(double(i)) / 1000;
      if (scalar::fabs(a.data[i]) < 0.05) a.data[i] += 1;
      if (matrix && int64_t(i) / n % m == int64_t(i) % n) a.data[i] += 6;
    }
    return a;
  }

 private:
  Quad entry() { return Quad(double(random_() % 2000) - 1000) / 512; }
  std::mt19937_64 random_{7};
};

// x along h.
inline Array<Dual1> moved(const Array<Quad>& x, const Array<Quad>& h) {
  Array<Dual1> a = convert<Dual1>(x);
  for (size_t i = 0; i < a.data.size(); ++i) a.data[i].slope = h.data[i];
  return a;
}

// A column that is a formula in X, F and a third.
struct FunctionColumn {
  std::string_view name;
  std::string_view FunctionRow::*text;
  std::string_view third;
};
inline const std::array<FunctionColumn, 3>& function_columns() {
  static const std::array<FunctionColumn, 3> all{{{"differential", &FunctionRow::differential, "dX"},
                                                  {"adjoint", &FunctionRow::adjoint, "G"},
                                                  {"derivative", &FunctionRow::derivative, ""}}};
  return all;
}

struct FunctionCheck {
  const FunctionRow& r;
  Graph g;
  NodeId X, F, dX, G;

  explicit FunctionCheck(const FunctionRow& row) : r(row) {
    const DimId n = g.dim("n"), m = r.core.square ? n : g.dim("m");
    const Type operand = r.core.in == 1 ? Type{n} : Type{m, n};
    X = variable("X", operand), dX = variable("dX", operand);
    F = g.fun(r.op, X);
    G = variable("G", g[F].type);
    FunctionSampler sampler;
    struct Sizes {
      int64_t m, n;
    };
    for (const auto [rows, size] : {Sizes{5, 3}, {2, 1}, {1, 2}, {3, 4}, {2, 2}}) {  // tall and wide
      Instance at{.dims = {{"n", size}, {"m", rows}}, .inputs = {}, .slope = {}};
      const std::vector<int64_t> shape = shape_of(g, operand, at.dims);
      at.inputs = {{X, sampler.draw(shape, r.core.in == 2)}, {dX, sampler.draw(shape, false)}, {G, sampler.draw(shape_of(g, g[F].type, at.dims), false)}};
      if (r.is_primary()) at.inputs[dX] = identity(size);  // it commutes with X: L(X, I) = f'(X)
      at.slope = interpret<Dual1>(g, F, at.dims, {{X, moved(at.inputs[X], at.inputs[dX])}});
      instances_.push_back(std::move(at));
    }
  }

  Bindings names(const FunctionColumn& c) const {
    Bindings b{{"X", X}, {"F", F}};
    if (!c.third.empty()) b.emplace(c.third, c.third == "G" ? G : dX);
    return b;
  }

  // Where a formula is not the column it should be; nothing if it is: L(X, dX) itself, f'(X) = L(X, I), or the L* of <L*(X, G), dX> = <G, L(X, dX)>.
  std::optional<std::string> refutation(const FunctionColumn& c, NodeId formula) const {
    for (const Instance& at : instances_) {
      Array<Quad> found = interpret<Quad>(g, formula, at.dims, at.inputs), right(at.slope.shape);
      for (size_t i = 0; i < right.data.size(); ++i) right.data[i] = at.slope.data[i].slope;
      if (c.third == "G") found = inner(found, at.inputs.at(dX)), right = inner(at.inputs.at(G), right);
      if (found.shape != right.shape) return "it is a tensor of another shape";
      for (size_t i = 0; i < right.data.size(); ++i)
        if (!(scalar::fabs(found.data[i] - right.data[i]) <= Quad(1e-28) * (1 + scalar::fabs(right.data[i]))))
          return fmt::format("{} of order {}: {}, dual numbers {}", c.name, at.dims.at("n"), double(found.data[i]), double(right.data[i]));
    }
    return std::nullopt;
  }

 private:
  struct Instance {
    Dims dims;
    std::map<NodeId, Array<Quad>> inputs;
    Array<Dual1> slope;
  };

  NodeId variable(const char* name, const Type& type) { return g.variable(g.declare({.name = name, .type = type})); }

  static Array<Quad> identity(int64_t n) {
    Array<Quad> a({n, n});
    for (int64_t i = 0; i < n; ++i) a.data[size_t(i * n + i)] = 1;
    return a;
  }

  static Array<Quad> inner(const Array<Quad>& a, const Array<Quad>& b) {
    Array<Quad> sum(std::vector<int64_t>{});
    for (size_t i = 0; i < a.data.size(); ++i) sum.data[0] += a.data[i] * b.data[i];
    return sum;
  }

  std::vector<Instance> instances_;
};

}  // namespace ricci
