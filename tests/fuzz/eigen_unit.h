// The Eigen header of a random program behind the raw ABI, so that it can be called as every other back end is: a part of one translation
// unit for many programs, since reading Eigen costs more than most of them.
#pragma once
#include <algorithm>
#include <string>

#include "codegen/eigen.h"
#include "frontend/program.h"
#include "ir/calls.h"
#include "passes/raise.h"
#include "passes/simplify.h"
#include "tests/fuzz/compiled_case.h"

namespace ricci::fuzz {

// What the translation unit starts with. An assertion of Eigen's is a status, not the end of the process.
inline const char* const kEigenPrelude = R"(
#include <stdexcept>
#include <vector>
#define eigen_assert(x) do { if (!(x)) throw std::logic_error(#x); } while (false)
#include <Eigen/Dense>
#include <cmath>
#include <cstdio>
#include <unsupported/Eigen/CXX11/Tensor>
#include <unsupported/Eigen/KroneckerProduct>
#include <unsupported/Eigen/MatrixFunctions>
#include <unsupported/Eigen/SpecialFunctions>

namespace {
using Size = Eigen::Index;
using ByRows = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

[[maybe_unused]] Eigen::VectorXd vector(const double* x, Size n) { return Eigen::Map<const Eigen::VectorXd>(x, n); }
[[maybe_unused]] Eigen::MatrixXd matrix(const double* x, bool by_columns, Size m, Size n) {
  if (by_columns) return Eigen::Map<const Eigen::MatrixXd>(x, m, n);
  return Eigen::Map<const ByRows>(x, m, n);
}

// Every index tuple and its position in memory.
template <size_t R, class Visit>
void visit(const std::array<Size, R>& shape, bool by_columns, const Visit& f) {
  Size count = 1;
  for (Size s : shape) count *= s;
  std::array<Size, R> at = {};
  for (Size e = 0; e < count; ++e) {
    Size position = 0;
    for (size_t d = R; d-- > 0;) position = position * shape[d] + at[d];
    f(at, by_columns ? position : e);
    for (size_t d = R; d-- > 0 && ++at[d] == shape[d];) at[d] = 0;
  }
}
template <size_t R>
Eigen::Tensor<double, int(R)> tensor(const double* x, bool by_columns, const std::array<Size, R>& shape) {
  Eigen::Tensor<double, int(R)> t(shape);
  visit(shape, by_columns, [&](const std::array<Size, R>& at, Size e) { t(at) = x[e]; });
  return t;
}

[[maybe_unused]] void store(double value, double* to, bool) {
  if (to) *to = value;
}
template <class M>
void store(const Eigen::MatrixBase<M>& m, double* to, bool by_columns) {
  if (to && by_columns) Eigen::Map<Eigen::MatrixXd>(to, m.rows(), m.cols()) = m;
  else if (to) Eigen::Map<ByRows>(to, m.rows(), m.cols()) = m;
}
template <int R>
void store(const Eigen::Tensor<double, R>& t, double* to, bool by_columns) {
  std::array<Size, size_t(R)> shape;
  for (size_t d = 0; d < size_t(R); ++d) shape[d] = t.dimension(d);
  if (to) visit(shape, by_columns, [&](const std::array<Size, size_t(R)>& at, Size e) { to[e] = t(at); });
}

// A ricci_function, and one as a callable whose value has this shape.
struct Host {
  int (*f64)(void*, const double* const*, double*, const int64_t*);
  int (*f32)(void*, const float* const*, float*, const int64_t*);
  void* context;
};
[[maybe_unused]] ByRows flat(double x) { return ByRows::Constant(1, 1, x); }
template <class M>
ByRows flat(const Eigen::MatrixBase<M>& m) { return m; }
template <size_t R>
struct HostCall {
  const Host& f;
  std::vector<int64_t> sizes;
  std::array<Size, R> shape;
  template <class... A>
  auto operator()(const A&... a) const {
    const std::array<ByRows, sizeof...(A)> arrays = {flat(a)...};
    std::array<const double*, sizeof...(A)> in;
    for (size_t k = 0; k < in.size(); ++k) in[k] = arrays[k].data();
    Size count = 1;
    for (Size s : shape) count *= s;
    std::vector<double> out(size_t(count) + 1);
    f.f64(f.context, in.data(), out.data(), sizes.data());
    if constexpr (R == 0) return out[0];
    else if constexpr (R == 1) return vector(out.data(), shape[0]);
    else if constexpr (R == 2) return matrix(out.data(), false, shape[0], shape[1]);
    else return tensor(out.data(), false, shape);
  }
};
}  // namespace
)";

struct EigenUnit {
  std::string text = {};      // empty: this program has none
  bool matrix_form = false;   // every result has one: nothing goes through loops over tensors
  std::vector<CalledFunction> functions = {};  // of the host's
};

inline EigenUnit eigen_unit(Case& c, const std::string& name) {
  Graph& g = c.g;
  Program program;
  Export e{.name = name, .arguments = {}, .results = {}};
  Type known;
  for (const CompileRequest::Argument& a : c.request.inputs) {
    program.declarations.push_back({a.name, a.node});
    e.arguments.push_back(a.name);
    known.insert(known.end(), g[a.node].type.begin(), g[a.node].type.end());
  }
  EigenUnit unit{.matrix_form = true};
  std::vector<NodeId> results;
  for (size_t o = 0; o < c.outputs.size(); ++o) {
    const NodeId n = results.emplace_back(simplify(g, c.outputs[o]));
    std::vector<Variance> variance(g[n].rank(), Variance::Down);
    if (g[n].rank() == 1 || g[n].rank() == 2) variance[0] = Variance::Up;
    unit.matrix_form = unit.matrix_form && raise(g, n, variance).expr.has_value();
    program.definitions.push_back({c.request.outputs[o].name, {n, variance}});
    e.results.push_back(c.request.outputs[o].name);
  }
  // The sizes an Eigen function knows are those of its arguments.
  for (NodeId n : g.reachable(results)) {
    Type needed = g[n].type;
    if (g[n].kind == Kind::Size) needed.push_back(DimId{g[n].row});
    for (DimId d : needed)
      if (g[d].kind != Dim::Kind::Fixed && std::ranges::find(known, d) == known.end()) return {};
  }
  program.exports = {e};
  program.graph = std::move(c.graph);
  std::string header = eigen_header(program);
  c.graph = std::move(program.graph);

  auto layout = [](const CompileRequest::Argument& a) { return std::string(a.layout == Layout::ColumnMajor ? "true" : "false"); };
  std::string call;
  for (size_t k = 0; k < c.request.inputs.size(); ++k) {
    const CompileRequest::Argument& a = c.request.inputs[k];
    const std::string data = "in[" + std::to_string(k) + "]", both = "(" + data + ", " + layout(a) + ", ";
    std::string sizes;
    const std::vector<int64_t> shape = shape_of(g, g[a.node].type, c.dims);
    for (int64_t s : shape) sizes += (sizes.empty() ? "" : ", ") + std::to_string(s);
    call += call.empty() ? "" : ", ";
    if (shape.empty()) call += "*" + data;
    else if (shape.size() == 1) call += "vector(" + data + ", " + sizes + ")";
    else if (shape.size() == 2) call += "matrix" + both + sizes + ")";
    else call += "tensor<" + std::to_string(shape.size()) + ">" + both + "{" + sizes + "})";
  }
  unit.functions = called_functions(g, results);
  for (size_t k = 0; k < unit.functions.size(); ++k) {
    const CalledFunction& f = unit.functions[k];
    const auto list = [&](const std::vector<Type>& types) {
      std::string text;
      for (const Type& t : types)
        for (int64_t s : shape_of(g, t, c.dims)) text += (text.empty() ? "" : ", ") + std::to_string(s);
      return "{" + text + "}";
    };
    std::vector<Type> all = f.arguments;
    all.push_back(f.value);
    call += (call.empty() ? "" : ", ") + ("HostCall<" + std::to_string(f.value.size()) + ">{functions[" + std::to_string(k) + "], ") + list(all) + ", " + list({f.value}) + "}";
  }
  // The header's includes are the prelude's.
  for (size_t at = header.find('#'); at != header.npos; at = header.find("\n#", at)) header.insert(at += header[at] == '\n', "// ");
  unit.text = "namespace " + name + "_header {\n" + header + "}\n";
  unit.text += "extern \"C\" int " + name + "(const double* const* in, double* const* out, const int64_t*, void*" +
               (unit.functions.empty() ? "" : ", const Host* functions") + ") try {\n  (void)in;\n";
  unit.text += "  const auto r = " + name + "_header::" + name + "(" + call + ");\n";
  for (size_t o = 0; o < c.outputs.size(); ++o) {
    const CompileRequest::Argument& a = c.request.outputs[o];
    const std::string result = c.outputs.size() == 1 ? "r" : "r." + a.name;
    unit.text += "  store(" + result + ", out[" + std::to_string(o) + "], " + layout(a) + ");\n";
  }
  unit.text += "  return 0;\n} catch (const std::logic_error& e) {\n  std::fprintf(stderr, \"%s\\n\", e.what());\n  return 1;\n}\nextern \"C\" size_t " + name +
               "_work_bytes(const int64_t*) { return 0; }\n\n";
  return unit;
}

}  // namespace ricci::fuzz
