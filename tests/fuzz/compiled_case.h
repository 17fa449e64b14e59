// A random program as one compiled function: what the tests of plans and back ends compile, call and compare.
//
// The results are the program's value, an intermediate one and a gradient, so that compiled functions share work between results. Layouts
// and fixed sizes vary with the seed.
#pragma once
#include <cmath>
#include <limits>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "passes/differentiate.h"
#include "passes/lower_to_loops.h"
#include "tests/fuzz/empty_sums.h"
#include "tests/fuzz/interpreter_work.h"
#include "tests/fuzz/random_program.h"

namespace ricci::fuzz {

struct Case {
  static constexpr size_t kMostElements = 20000;
  static constexpr double kMostWork = 1e6;  // of the interpreter, for one result

  std::unique_ptr<Graph> graph = std::make_unique<Graph>();
  Graph& g = *graph;
  CompileRequest request;
  std::vector<NodeId> outputs;  // as differentiation left them
  std::map<NodeId, Array<Quad>> inputs;
  Dims dims;

  explicit Case(const RandomProgram& p) : dims(p.dims()) {
    const std::vector<NodeId> nodes = p.build(g);
    inputs = p.inputs(nodes);
    const NodeId f = nodes.back();
    add_output(f);
    if (nodes.size() > 2) add_output(nodes[nodes.size() / 2]);
    for (NodeId n : g.reachable(std::span(&f, 1))) {
      if (g[n].kind == Kind::Var && p.seed % 3 != 0) {
        add_output(differentiate(g, f, n));
        break;
      }
    }
    for (NodeId n : g.reachable(outputs)) {
      if (g[n].kind == Kind::Var) request.inputs.push_back({g.symbol(n).name, n, p.seed % 4 == 1 ? Layout::ColumnMajor : Layout::RowMajor});
    }
    if (p.seed % 7 == 2) {
      for (CompileRequest::Argument& a : request.outputs) a.layout = Layout::ColumnMajor;
    }
    if (p.seed % 5 == 0) {
      for (const DimId d : symbolic_dims(g, request)) request.fixed[d] = size_of(g, d, dims);
    }
  }

  // The raw ABI's `dims`.
  std::vector<int64_t> dim_values() const {
    std::vector<int64_t> values;
    for (DimId d : symbolic_dims(g, request)) values.push_back(size_of(g, d, dims));
    return values;
  }

 private:
  void add_output(NodeId n) {
    size_t elements = 1;
    for (int64_t s : shape_of(g, g[n].type, dims)) elements *= size_t(s);
    if (elements > kMostElements || interpreter_work(g, std::span(&n, 1), dims) > kMostWork) return;
    outputs.push_back(n);
    request.outputs.push_back({"out" + std::to_string(outputs.size()), n});
  }
};

// The entries in the order of the layout, rounded to T.
template <class T>
std::vector<T> laid_out(const Array<Quad>& a, Layout layout) {
  std::vector<T> r(a.data.size());
  std::vector<int64_t> at(a.shape.size(), 0);
  for (size_t e = 0; e < a.data.size(); ++e) {
    int64_t position = 0;
    for (size_t d = at.size(); d-- > 0;) position = position * a.shape[d] + at[d];
    r[layout == Layout::ColumnMajor ? size_t(position) : e] = T(a.data[e]);
    for (size_t d = at.size(); d-- > 0 && ++at[d] == a.shape[d];) at[d] = 0;
  }
  return r;
}

// The arguments of a call.
template <class T>
std::vector<std::vector<T>> arguments(const Case& c) {
  std::vector<std::vector<T>> in;
  for (const CompileRequest::Argument& i : c.request.inputs) in.push_back(laid_out<T>(c.inputs.at(i.node), i.layout));
  return in;
}

// The results of a call against the values and the errors that the interpreter allows, 300 of which are a mismatch. An empty result was not
// asked for.
struct Comparison {
  std::string wrong = {};
  bool finite = true;  // so that every entry was compared
};
template <class T>
Comparison compare(const Case& c, const std::vector<ConditionedArray>& expected, const std::vector<std::vector<T>>& out) {
  constexpr double kTolerance = 300 * double(std::numeric_limits<T>::epsilon());
  Comparison r;
  for (size_t o = 0; o < out.size(); ++o) {
    const std::vector<double> value = laid_out<double>(expected[o].value, c.request.outputs[o].layout),
                              error = laid_out<double>(expected[o].error, c.request.outputs[o].layout);
    for (size_t e = 0; e < out[o].size(); ++e) {
      if (!std::isfinite(value[e]) || !std::isfinite(error[e])) {
        r.finite = false;
        continue;
      }
      const double slack = kTolerance * (error[e] + std::abs(value[e])) + double(std::numeric_limits<T>::min());
      if (std::abs(double(out[o][e]) - value[e]) <= slack) continue;
      if (std::isnan(out[o][e]) && empty_sums_may_be_nan(c.g, c.outputs, c.dims, c.inputs)) {
        r.finite = false;
        continue;
      }
      std::ostringstream wrong;
      wrong << "output " << o << ", element " << e << ": " << out[o][e] << " for " << value[e] << ", not within " << slack << "\n";
      r.wrong = wrong.str();
      return r;
    }
  }
  return r;
}

}  // namespace ricci::fuzz
