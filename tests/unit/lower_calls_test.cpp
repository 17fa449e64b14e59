// Programs that call undeclared functions, lowered and compiled, mean what their graphs mean: the loop interpreter, the JIT and emitted C++
// against the tensor interpreter, all with the same smooth functions in their place (ir/calls.h).
#include <gtest/gtest.h>

#include <cmath>

#include "codegen/cpp.h"
#include "codegen/jit.h"
#include "codegen/stand_ins.h"
#include "codegen/symbol_name.h"
#include "frontend/program.h"
#include "ir/interpret.h"
#include "ir/loops_interpret.h"
#include "ir/sample.h"
#include "passes/differentiate.h"
#include "passes/lower_to_loops.h"
#include "passes/optimize.h"
#include "tests/compiled_library.h"
#include "tests/stand_in_functions.h"

namespace ricci {
namespace {

constexpr const char* kProgram = R"(
fun h(vector(n)) -> vector(m)
fun f(vector(m)) -> scalar
fun k(vector(n), scalar, matrix(m, n)) -> matrix(n, m)
fun u(scalar) -> scalar
x: vector(n)
s: scalar
A: matrix(m, n)
B: matrix(n, n)
C: matrix(n, m)
y = f(h(x))
g = grad(y, x)
H = hess(y, x)
J = jac(h(B*x), x)
T = D(h(x), x, x)
row = h(A[2, :]')
column = h(B[:, 2])
number = k(x, 2, A) - 3*k(B[:, 1], s, C')
slope = D(k(x, s, A), s) + k(x, u(s), 2*A)
places = [h(x); x; h(B[:, 2])]
total = 2*h(x) + A*x - h(B'*x)
outer = h(x)*h(x)' + diag(h(B*x))
sized = u(n) + u(0)
by_matrix = D(k(x, s, A), A)
twice = D(u(u(s)), s, s)
)";

// Everything above as one compiled function.
struct Case {
  Program program;
  CompileRequest request;
  std::vector<NodeId> outputs;

  Case(loops::Scalar scalar, Layout layout, bool optimized) : program(parse()) {
    request.name = scalar == loops::Scalar::Float  ? "single"
                   : layout == Layout::ColumnMajor ? "by_columns"
                   : optimized                     ? "optimized"
                                                   : "plain";
    request.scalar = scalar;
    for (const Declaration& d : program.declarations) request.inputs.push_back({d.name, d.node, layout});
    for (const Definition& d : program.definitions) {
      outputs.push_back(d.value.node);
      request.outputs.push_back({d.name, d.value.node, layout});
    }
    if (!optimized) return;
    const std::vector<NodeId> better = optimize(*program.graph, outputs, sizes_of(request));
    for (size_t k = 0; k < better.size(); ++k) request.outputs[k].node = better[k];
  }
  static Program parse() {
    Diagnostics diagnostics;
    std::optional<Program> p = parse_program(kProgram, "test.ricci", calculus(), diagnostics);
    EXPECT_TRUE(p) << diagnostics.to_text();
    return std::move(*p);
  }
  std::vector<NodeId> compiled() const {
    std::vector<NodeId> nodes;
    for (const auto& o : request.outputs) nodes.push_back(o.node);
    return nodes;
  }
};

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

// Calls by all means at some sizes and compares.
class Trial {
 public:
  Trial(const Graph& g, const CompileRequest& request, const std::vector<NodeId>& meant, const Dims& dims) : request_(request) {
    std::map<NodeId, Array<Quad>> inputs;
    Sampler sampler(11);
    for (const auto& i : request.inputs) {
      inputs[i.node] = convert<Quad>(sampler.draw(g, g.symbol(i.node), dims));
      if (request.scalar == loops::Scalar::Float)
        for (Quad& x : inputs[i.node].data) x = Quad(float(x));
      in_.push_back(inputs[i.node]);
    }
    expected_ = interpret_with_condition(g, meant, dims, inputs);
    for (DimId d : symbolic_dims(g, request)) dims_.push_back(size_of(g, d, dims));
  }

  template <class T, class Function>
  void call(const Function& f, const std::string& what) const {
    std::vector<std::vector<T>> in, out;
    for (size_t k = 0; k < in_.size(); ++k) in.push_back(laid_out<T>(in_[k], request_.inputs[k].layout));
    for (const ConditionedArray& e : expected_) out.emplace_back(e.value.data.size(), T(777));
    ASSERT_EQ(f(in, out, dims_), 0) << what;
    for (size_t o = 0; o < out.size(); ++o) {
      const std::vector<double> value = laid_out<double>(expected_[o].value, request_.outputs[o].layout),
                                error = laid_out<double>(expected_[o].error, request_.outputs[o].layout);
      for (size_t e = 0; e < out[o].size(); ++e)
        ASSERT_NEAR(out[o][e], value[e], 300 * double(std::numeric_limits<T>::epsilon()) * (error[e] + std::abs(value[e])) + 1e-30)
            << what << ", " << request_.outputs[o].name << ", element " << e;
    }
  }

 private:
  const CompileRequest& request_;
  std::vector<Array<Quad>> in_;
  std::vector<ConditionedArray> expected_;
  std::vector<int64_t> dims_;
};

// A function of the raw ABI with its stand-ins.
template <class T, class Function>
auto raw(const Function& f, const StandIns& host) {
  return [&](const std::vector<std::vector<T>>& in, std::vector<std::vector<T>>& out, const std::vector<int64_t>& dims) {
    std::vector<const T*> ins;
    std::vector<T*> outs;
    for (const auto& a : in) ins.push_back(a.data());
    for (auto& a : out) outs.push_back(a.data());
    void* work = std::aligned_alloc(64, (f.work_bytes(dims.data()) + 127) / 64 * 64);
    const int status = f(ins.data(), outs.data(), dims.data(), work, host.table());
    std::free(work);
    return status;
  };
}

const Dims kSizes[] = {{{"m", 3}, {"n", 4}}, {{"m", 5}, {"n", 2}}, {{"m", 2}, {"n", 9}}};

template <class T>
void run_all(Case& c) {
  const Graph& g = *c.program.graph;
  const std::vector<NodeId> compiled = c.compiled();
  const StandIns host(g, called_functions(g, compiled));
  const loops::Program p = lower_to_loops(*c.program.graph, c.request);
  ASSERT_EQ(loops::verify(p).value_or(""), "") << loops::to_text(p);
  std::string error;
  ASSERT_EQ(loops::to_text(loops::from_text(loops::to_text(p), error).value()), loops::to_text(p)) << error;
  static Jit jit;
  const CompiledFunction jitted = jit.compile(Unit{p});
  const std::string source = to_cpp(std::vector<Unit>{{p}});
  for (const Dims& dims : kSizes) {
    const Trial trial(g, c.request, c.outputs, dims);
    const auto hosts = loop_functions<T>(host);
    trial.call<T>(
        [&](const auto& in, auto& out, const auto& sizes) {
          const loops::Outcome o = loops::interpret<T>(p, in, out, sizes, rt::kernel_symbols(), std::vector<bool>(out.size(), true), hosts);
          EXPECT_EQ(o.error, "");
          return o.status;
        },
        "interpreter");
    trial.call<T>(raw<T>(jitted, host), "jit");
  }
  for (const std::string& compiler : {first_compiler({"g++"}), first_compiler({"clang++-22", "clang++-19", "clang++"})}) {
    if (compiler.empty()) continue;
    const CompiledLibrary library(compiler, "-Wall -Wextra -Wconversion -Wpedantic -Werror -O1", source);
    ASSERT_TRUE(library.ok()) << source;
    const LoadedFunction f(library, symbol_name(p.name));
    for (const Dims& dims : kSizes) Trial(g, c.request, c.outputs, dims).call<T>(raw<T>(f, host), compiler);
  }
}

TEST(LowerCalls, AsWritten) {
  Case c(loops::Scalar::Double, Layout::RowMajor, false);
  run_all<double>(c);
}
TEST(LowerCalls, Optimized) {
  Case c(loops::Scalar::Double, Layout::RowMajor, true);
  run_all<double>(c);
}
TEST(LowerCalls, ColumnMajorArraysArePacked) {
  Case c(loops::Scalar::Double, Layout::ColumnMajor, true);
  run_all<double>(c);
}
TEST(LowerCalls, Float) {
  Case c(loops::Scalar::Float, Layout::RowMajor, true);
  run_all<float>(c);
}

// A call that is mapped over axes calls its function once for each entry of them.
TEST(LowerCalls, MappedOverABatch) {
  Graph g;
  const DimId m = g.dim("m"), n = g.dim("n"), p = g.dim("p");
  CompileRequest request;
  request.name = "batch";
  const auto input = [&](const char* name, Type type, Layout layout) {
    const NodeId v = g.variable(g.declare({.name = name, .type = std::move(type)}));
    request.inputs.push_back({name, v, layout});
    return v;
  };
  const NodeId X = input("X", {m, n}, Layout::RowMajor), Y = input("Y", {n, m}, Layout::RowMajor),
               Z = input("Z", {m, n}, Layout::ColumnMajor), s = input("s", {m}, Layout::RowMajor);
  const SymbolId h = g.declare({.name = "h", .type = {p, p}}), k = g.declare({.name = "k", .type = {}});
  std::vector<NodeId> outputs;
  const auto output = [&](NodeId node, Layout layout = Layout::RowMajor) {
    outputs.push_back(node);
    request.outputs.push_back({"out" + std::to_string(outputs.size()), node, layout});
  };
  const NodeId of_rows = g.call(h, {X}, {m, p, p});
  output(of_rows);
  output(of_rows, Layout::ColumnMajor);
  output(g.call(h, {g.permute(Y, {1, 0})}, {m, p, p}));
  output(g.call(h, {Z}, {m, p, p}));
  output(g.call(k, {X, s}, {m}));
  output(g.call_derivative(g.call(k, {X, s}, {m}), 0));
  output(g.call(k, {g.ein({{X, {0, 1}}}, {2, 0, 1}, {n, m, n}), g.ein({{s, {0}}}, {1, 0}, {n, m})}, {n, m}));
  const loops::Program program = lower_to_loops(g, request);
  ASSERT_EQ(loops::verify(program).value_or(""), "") << loops::to_text(program);
  const StandIns host(g, called_functions(g, outputs));
  const CompiledFunction jitted = Jit().compile(Unit{program});
  for (const Dims& dims : {Dims{{"m", 3}, {"n", 4}, {"p", 2}}, Dims{{"m", 1}, {"n", 1}, {"p", 1}}, Dims{{"m", 0}, {"n", 2}, {"p", 3}},
                           Dims{{"m", 2}, {"n", 0}, {"p", 0}}}) {
    const Trial trial(g, request, outputs, dims);
    const auto hosts = loop_functions<double>(host);
    trial.call<double>(
        [&](const auto& in, auto& out, const auto& sizes) {
          const loops::Outcome o =
              loops::interpret<double>(program, in, out, sizes, rt::kernel_symbols(), std::vector<bool>(out.size(), true), hosts);
          EXPECT_EQ(o.error, "") << loops::to_text(program);
          return o.status;
        },
        "interpreter");
    trial.call<double>(raw<double>(jitted, host), "jit");
  }
}

// What a function that fails has written is NaN, however it is called, and the rest goes on.
TEST(LowerCalls, FailureIsNaN) {
  std::string error;
  const loops::Program p = *loops::from_text(
      "program failing double\ndims n\nin x [n] by [1]\nout y [n] by [1]\nout z [n] by [1]\nfun h([n]) [n]\nwork 0\nbegin\n"
      "  if y {\n    invoke y[0] = h(x[0])\n  }\n  if z {\n    invoke z[0] = h(x[0])\n  }\nend\n",
      error);
  // Fails the first time it is called.
  struct Host {
    int calls = 0;
    static int call(void* context, const double* const* in, double* out, const int64_t* sizes) {
      std::copy_n(in[0], sizes[0], out);
      return static_cast<Host*>(context)->calls++ == 0 ? -1 : 0;
    }
  };
  const std::vector<int64_t> dims = {3};
  const std::vector<std::vector<double>> in = {{1, 2, 3}};
  const auto check = [&](auto call, const std::string& what) {
    Host host;
    const ricci_function table = {Host::call, nullptr, &host};
    std::vector<std::vector<double>> out = {{7, 7, 7}, {7, 7, 7}};
    EXPECT_EQ(call(table, out), RICCI_FUNCTION) << what;
    EXPECT_EQ(host.calls, 2) << what;
    for (double y : out[0]) EXPECT_TRUE(std::isnan(y)) << what;
    EXPECT_EQ(out[1], in[0]) << what;
  };
  const auto raw_call = [&](const auto& f) {
    return [&](const ricci_function& table, std::vector<std::vector<double>>& out) {
      const double* ins[] = {in[0].data()};
      double* outs[] = {out[0].data(), out[1].data()};
      return f(ins, outs, dims.data(), nullptr, &table);
    };
  };
  check(
      [&](const ricci_function& table, std::vector<std::vector<double>>& out) {
        const std::vector<loops::HostFunction<double>> hosts = {
            [&](std::span<const double* const> i, double* o, std::span<const int64_t> sizes) {
              return table.f64(table.context, i.data(), o, sizes.data());
            }};
        return loops::interpret<double>(p, in, out, dims, rt::kernel_symbols(), {true, true}, hosts).status;
      },
      "interpreter");
  const CompiledFunction jitted = Jit().compile(Unit{p});
  check(raw_call(jitted), "jit");
  const CompiledLibrary library(first_compiler({"g++", "clang++-22", "clang++-19", "clang++"}), "-O1", to_cpp(std::vector<Unit>{{p}}));
  const LoadedFunction emitted(library, "failing");
  check(raw_call(emitted), "C++");
}

// Sizes that are known to be 0: nothing to pack, and somewhere to pack it.
TEST(LowerCalls, EmptyByDeclaration) {
  Case c(loops::Scalar::Double, Layout::ColumnMajor, false);
  Graph& g = *c.program.graph;
  c.request.outputs = {*std::ranges::find(c.request.outputs, "slope", &CompileRequest::Argument::name)};
  c.request.fixed = {{g.dim("m"), 0}, {g.dim("n"), 3}};
  const loops::Program p = lower_to_loops(g, c.request);
  EXPECT_EQ(loops::verify(p).value_or(""), "") << loops::to_text(p);
}

// A program that is cut into parts hands the table on.
TEST(LowerCalls, LongPrograms) {
  loops::Program p;
  p.name = "long_program";
  p.dims = {"n"};
  const loops::IndexId n = p.dim(0), zero = p.index(0);
  const loops::ArrayId x = p.dense(loops::Array::Role::In, "x", {n}), y = p.dense(loops::Array::Role::Out, "y", {n});
  p.functions = {{"h", {{n}}, {n}}};
  p.begin_if({y});
  loops::ValueId v = p.load(x, {zero});
  for (int k = 0; k < 5000; ++k) v = p.compute(loops::Primitive::mul, v, p.constant(1 + k * 1e-7));
  p.invoke(0, {{x, {zero}}}, {y, {zero}});
  p.update(y, {zero}, loops::Combine::Add, v);
  p.end();
  ASSERT_EQ(loops::verify(p), std::nullopt);
  Graph g;
  const DimId d = g.dim("n");
  const CalledFunction h{g.declare({.name = "h", .type = {d}}), {{d}}, {d}};
  const StandIns host(g, std::span(&h, 1));
  const std::string source = to_cpp(std::vector<Unit>{{p}});
  ASSERT_NE(source.find("f.functions[0]"), std::string::npos);
  const CompiledLibrary library(first_compiler({"g++", "clang++-22", "clang++-19", "clang++"}),
                                "-Wall -Wextra -Wconversion -Wpedantic -Werror -O0", source);
  ASSERT_TRUE(library.ok());
  const LoadedFunction f(library, symbol_name(p.name));
  const std::vector<std::vector<double>> in = {{0.5, -1, 2}};
  std::vector<std::vector<double>> expected = {{0, 0, 0}}, out = expected;
  const std::vector<int64_t> dims = {3};
  const auto hosts = loop_functions<double>(host);
  ASSERT_EQ(loops::interpret<double>(p, in, expected, dims, rt::kernel_symbols(), {true}, hosts).error, "");
  ASSERT_EQ(raw<double>(f, host)(in, out, dims), 0);
  for (size_t k = 0; k < 3; ++k) EXPECT_NEAR(out[0][k], expected[0][k], 1e-12);
}

// What a function does not give, the verifier and the reader say.
TEST(LowerCalls, BrokenPrograms) {
  const auto read = [](const std::string& declared, const std::string& statement) {
    std::string error;
    const auto p = loops::from_text("program f double\ndims n\nin x [n] by [1]\nout y [n] by [1]\n" + declared +
                                        "\nwork 0\nbegin\n  if y {\n    " + statement + "\n  }\nend\n",
                                    error);
    return p ? loops::verify(*p).value_or("fine") : error;
  };
  EXPECT_EQ(read("fun h([n]) [n]", "invoke y[0] = h(x[0])"), "fine");
  EXPECT_NE(read("fun h([n]) [n]", "invoke y[0] = g(x[0])").find("unknown function `g`"), std::string::npos);
  EXPECT_NE(read("fun h([n], []) [n]", "invoke y[0] = h(x[0])").find("expected `,`"), std::string::npos);
  EXPECT_NE(read("fun h([n]) [n]", "invoke x[0] = h(x[0])").find("an input is never written"), std::string::npos);
  EXPECT_NE(read("fun h([n]) [n]", "invoke y[0] = h(y[0])").find("writes no array that it reads"), std::string::npos);
  EXPECT_NE(read("fun h([n]) [n]\nfun h([]) []", "invoke y[0] = h(x[0])").find("names of their own"), std::string::npos);
  EXPECT_NE(read("fun h([n]) [n]", "for $0 < n width 4 {\n invoke y[$0] = h(x[$0])\n }").find("vector or interleaved"), std::string::npos);
}

}  // namespace
}  // namespace ricci
