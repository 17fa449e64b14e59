// Is the code right? Random programs and their gradients, optimised, compiled by each back end and called, against the interpreter in
// __float128 on the programs as differentiation left them.
#include <gtest/gtest.h>

#include <map>
#include <span>
#include <stdexcept>

#include "codegen/cpp.h"
#include "codegen/jit.h"
#include "codegen/stand_ins.h"
#include "ir/text.h"
#include "passes/optimize.h"
#include "tests/compiled_library.h"
#include "tests/fuzz/campaign.h"
#include "tests/fuzz/compiled_case.h"
#include "tests/fuzz/eigen_unit.h"
#include "tests/fuzz/guarded_call.h"

using namespace ricci;
using namespace ricci::fuzz;

namespace {

Jit& jit(int optimization) {
  static Jit normal(Target{.optimization = 2}), hard(Target{.optimization = 3});
  return optimization == 3 ? hard : normal;
}

// A compiled function and what it calls of the host's.
template <class Function>
struct WithHost {
  const Function& f;
  const ricci_function* functions;
  size_t work_bytes(const int64_t* dims) const { return f.work_bytes(dims); }
  template <class T>
  int operator()(const T* const* in, T* const* out, const int64_t* dims, void* work) const {
    return f(in, out, dims, work, functions);
  }
};

// A program on its way through the back ends.
struct Trial {
  const RandomProgram& program;
  Case c;
  bool single;  // in float
  Unit unit = {};
  std::vector<ConditionedArray> expected = {};
  std::vector<NodeId> optimized = {};
  std::vector<CalledFunction> called = {};  // by the code that is called next
  Outcome outcome = {};

  Trial(const RandomProgram& p, bool in_float) : program(p), c(p), single(in_float) {
    const Target& target = jit(2).target();
    c.request.name = "f" + std::to_string(p.seed);
    if (single) {
      c.request.scalar = loops::Scalar::Float;
      for (auto& [node, a] : c.inputs)
        for (Quad& x : a.data) x = Quad(float(x));
    }
    c.request.vector_bytes = std::max<uint32_t>(16, vector_lanes(target, c.request.scalar) * uint32_t(size_of(c.request.scalar)));
    optimized = optimize(c.g, c.outputs, sizes_of(c.request));
    CompileRequest request = c.request;
    for (size_t o = 0; o < optimized.size(); ++o) request.outputs[o].node = optimized[o];
    unit.program = lower_to_loops(c.g, request);
    called = called_functions(c.g, optimized);
    expect();
  }

  bool done() const { return outcome.kind != Outcome::Kind::Same; }

  template <class Function>
  void call(const Function& alone, const std::string& by) {
    if (done()) return;
    const StandIns host(c.g, called);
    const WithHost<Function> f{alone, host.table()};
    const std::string wrong = single ? difference<float>(f) : difference<double>(f);
    if (!wrong.empty()) outcome = different(by + ": " + wrong + print_ir(*graph(), optimized) + loops::to_text(unit.program));
  }

 private:
  const Graph* graph() const { return &c.g; }

  // The error that the interpreter allows is that of the program and of its optimised form.
  void expect() {
    if (interpreter_work(c.g, optimized, c.dims) > 3 * Case::kMostWork) {
      outcome.kind = Outcome::Kind::Skipped;
      return;
    }
    try {
      expected = interpret_with_condition(c.g, c.outputs, c.dims, c.inputs);
      const std::vector<ConditionedArray> again = interpret_with_condition(c.g, optimized, c.dims, c.inputs);
      for (size_t o = 0; o < expected.size(); ++o)
        for (size_t e = 0; e < expected[o].error.data.size(); ++e) expected[o].error.data[e] += again[o].error.data[e];
    } catch (const std::invalid_argument&) {
      outcome.kind = Outcome::Kind::Skipped;  // the maximum of nothing
    }
  }

  template <class T, class Function>
  std::string difference(const Function& f) {
    std::vector<size_t> sizes;
    std::vector<bool> wanted;
    for (size_t o = 0; o < expected.size(); ++o) {
      sizes.push_back(expected[o].value.data.size());
      wanted.push_back(expected.size() == 1 || program.seed % 6 != o);
    }
    try {
      const GuardedCall<T> call(f, arguments<T>(c), sizes, wanted, c.dim_values(), program.seed % 8 < 6);
      const Comparison r = compare(c, expected, call.out);
      if (!r.wrong.empty()) return r.wrong;
      if (r.finite && call.status != 0) return "status " + std::to_string(call.status) + "\n";
      if (!r.finite) outcome.kind = Outcome::Kind::Skipped;
    } catch (const std::runtime_error& e) {
      return std::string(e.what()) + "\n";
    }
    return {};
  }
};

std::vector<std::unique_ptr<Trial>> trials(const std::vector<RandomProgram>& programs, bool some_in_float) {
  std::vector<std::unique_ptr<Trial>> all;
  for (const RandomProgram& p : programs) all.push_back(std::make_unique<Trial>(p, some_in_float && p.seed % 4 == 3));
  return all;
}

std::vector<Outcome> outcomes(const std::vector<std::unique_ptr<Trial>>& all) {
  std::vector<Outcome> r;
  for (const auto& t : all) r.push_back(t->outcome);
  return r;
}

void by_jit(const std::vector<std::unique_ptr<Trial>>& all) {
  for (const int level : {2, 3}) {
    std::vector<Trial*> here;
    std::vector<Unit> units;
    for (const auto& t : all)
      if (!t->done() && (t->program.seed / 2 % 2 ? 3 : 2) == level) here.push_back(t.get()), units.push_back(t->unit);
    if (here.empty()) continue;
    const std::vector<CompiledFunction> functions = jit(level).compile(units);
    for (size_t k = 0; k < here.size(); ++k) here[k]->call(functions[k], "jit at O" + std::to_string(level));
  }
}

// One library for all of them; where the compiler refuses it, halves, until it is known whose fault that is.
template <class Text>
void by_library(std::span<Trial* const> here, const std::string& compiler, const std::string& options, const Text& text) {
  if (here.empty()) return;
  const std::string source = text(here);
  const CompiledLibrary library(compiler, options, source);
  if (!library.ok() && here.size() > 1) {
    by_library(here.first(here.size() / 2), compiler, options, text);
    by_library(here.subspan(here.size() / 2), compiler, options, text);
    return;
  }
  for (Trial* t : here) {
    if (library.ok()) t->call(LoadedFunction(library, t->unit.program.name), compiler);
    else t->outcome = different(compiler + " refuses\n" + source);
  }
}

std::vector<Trial*> unfinished(const std::vector<std::unique_ptr<Trial>>& all) {
  std::vector<Trial*> here;
  for (const auto& t : all)
    if (!t->done()) here.push_back(t.get());
  return here;
}

void by_gcc(const std::vector<std::unique_ptr<Trial>>& all, const std::string& compiler) {
  by_library(unfinished(all), compiler, "-Wall -Wextra -Wconversion -Werror -O1", [](std::span<Trial* const> some) {
    std::vector<Unit> units;
    for (const Trial* t : some) units.push_back(t->unit);
    return to_cpp(units);
  });
}

struct EigenCount {
  size_t called = 0, in_matrix_form = 0;
};

void by_eigen(const std::vector<std::unique_ptr<Trial>>& all, const std::string& compiler, EigenCount& count) {
  std::map<const Trial*, std::string> texts;
  std::vector<Trial*> here;
  for (Trial* t : unfinished(all)) {
    EigenUnit unit = eigen_unit(t->c, t->unit.program.name);
    if (unit.text.empty()) continue;
    texts[t] = std::move(unit.text);
    t->called = std::move(unit.functions);
    here.push_back(t);
    ++count.called, count.in_matrix_form += unit.matrix_form;
  }
  by_library(here, compiler, "-Wall -Wextra -O0 -isystem /usr/include/eigen3", [&](std::span<Trial* const> some) {
    std::string source = kEigenPrelude;
    for (const Trial* t : some) source += texts.at(t);
    return source;
  });
}

// Calls of the host have tests of their own, with a stand-in for each function.
constexpr Options kCompiled = {.calls = false}, kPlaces = {.calls = false, .places = 60};

std::vector<Outcome> run_by_jit(const std::vector<RandomProgram>& programs) {
  const auto all = trials(programs, true);
  by_jit(all);
  return outcomes(all);
}

TEST(Backends, JitMeansWhatTheInterpreterMeans) { campaign_in_batches(200, 8, 25, kCompiled, run_by_jit); }
TEST(Backends, JitMovesEntriesAsTheInterpreterDoes) { campaign_in_batches(100, 8, 12, kPlaces, run_by_jit); }

void four_ways(uint64_t count, Options options) {
  const std::string gcc = first_compiler({"g++"}), clang = first_compiler({"clang++-22", "clang++-19", "clang++"});
  EigenCount eigen;
  campaign_in_batches(count, 25, 10, options, [&](const std::vector<RandomProgram>& programs) {
    const auto all = trials(programs, false);
    by_jit(all);
    if (!gcc.empty()) by_gcc(all, gcc);
    if (!clang.empty()) by_eigen(all, clang, eigen);
    return outcomes(all);
  });
  std::printf("%zu through Eigen, %zu of them all in matrix form\n", eigen.called, eigen.in_matrix_form);
}

TEST(Backends, FourWays) { four_ways(12, kCompiled); }
TEST(Backends, FourWaysWithPlaces) { four_ways(6, kPlaces); }
TEST(Backends, FourWaysWithFunctionsOfTheHost) { four_ways(24, {.calls = true, .places = 0}); }

// A store one entry too far is no accident that goes unseen.
TEST(GuardedCall, CatchesWhatIsOutside) {
  struct Stray {
    int64_t at;
    size_t work_bytes(const int64_t*) const { return 0; }
    int operator()(const double* const* in, double* const* out, const int64_t*, void*) const { return out[0][at] = in[0][0], 0; }
  };
  auto call = [](int64_t at, bool guard_behind) { return GuardedCall<double>(Stray{at}, {{1.0}}, {3}, {true}, {}, guard_behind).out[0]; };
  EXPECT_EQ(call(2, true)[2], 1.0);
  EXPECT_EQ(call(0, false)[0], 1.0);
  EXPECT_THROW(call(3, true), std::runtime_error);
  EXPECT_THROW(call(-1, false), std::runtime_error);
}

}  // namespace
