// Compiled loops compute what the loop interpreter computes: every program of the list at every size from 0 up, every primitive at every
// width, every remainder, in double and float.
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <thread>

#include "codegen/jit.h"
#include "loops_run.h"

namespace ricci::loops {
namespace {

class Levels : public testing::TestWithParam<int> {
 protected:
  Target target() const {
    Target t;
    t.optimization = GetParam();
    return t;
  }
};

TEST_P(Levels, ProgramsAgreeWithTheInterpreterAtEverySize) {
  Jit jit(target());
  for (const auto& [name, text] : kPrograms) {
    const Program original = read(text);
    for (const Program& p : {original, as_float(original)}) {
      const CompiledFunction f = jit.compile({p});
      for (int64_t n = 0; n <= (p.dims.size() == 1 ? 70 : 20); ++n)
        run(p, f, {n, (n * 7 + 3) % 23, (n * 5 + 1) % 11}, std::string(name) + " at " + std::to_string(n));
    }
  }
}

// One loop per primitive, each at every width.
Program primitive_program(const PrimitiveRow& r, uint32_t width, uint32_t interleave) {
  Program p;
  p.name = "log";  // a name of the C library: the symbol is another
  p.dims = {"n"};
  const IndexId n = p.dim(0);
  std::vector<ArrayId> x;
  for (size_t k = 0; k < r.arity; ++k) x.push_back(p.dense(Array::Role::In, k == 0 && r.op == Primitive::polygamma ? "order" : "x" + std::to_string(k), {n}));
  const ArrayId y = p.dense(Array::Role::Out, "y", {n});
  p.begin_if({y});
  const IndexId i = p.loop(p.begin_for(n, width, interleave));
  std::vector<ValueId> v;
  for (ArrayId a : x) v.push_back(p.load(a, {i}));
  p.store(y, {i}, p.compute(r.op, v));
  p.end();
  p.end();
  return p;
}

TEST(Primitives, AgreeWithTheInterpreterAtEveryWidthAndRemainder) {
  Jit jit;
  for (const PrimitiveRow& r : primitive_table())
    for (uint32_t width : {1u, 2u, 4u, 8u, 16u})
      for (const Scalar scalar : {Scalar::Double, Scalar::Float}) {
        if (r.op == Primitive::polygamma && width > 2) continue;
        Program p = primitive_program(r, width, width == 4 ? 2 : 1);
        p.scalar = scalar;
        const CompiledFunction f = jit.compile({p});
        for (int64_t n = 0; n <= 20; ++n) {
          const std::string what = std::string(r.name) + " width " + std::to_string(width) + " size " + std::to_string(n);
          run(p, f, {n}, what, 1.1, 2.5);
          if (r.op != Primitive::polygamma && r.op != Primitive::lgamma_) run(p, f, {n}, what, -0.9, 0.9);
        }
      }
}

TEST(Primitives, SpecialValuesAreIeee) {
  Jit jit;
  constexpr double inf = INFINITY, nan = NAN;
  const std::vector<double> values = {0.0, -0.0, 1, -1, inf, -inf, nan, 1e308, -1e308, 5e-324, 709, -745, 0.5};
  std::vector<double> a, b;
  for (double x : values)
    for (double y : values) a.push_back(x), b.push_back(y);
  const int64_t n = int64_t(a.size());
  for (const PrimitiveRow& r : primitive_table()) {
    if (r.arity == 3 || r.op == Primitive::polygamma || r.op == Primitive::lgamma_) continue;
    for (uint32_t width : {1u, 8u}) {
      const Program p = primitive_program(r, width, 1);
      std::vector<std::vector<double>> in(r.arity, a), out = {std::vector<double>(a.size())};
      if (r.arity == 2) in[1] = b;
      EXPECT_EQ(interpret<double>(p, in, out, std::array{n}, {}).error, "");
      std::vector<double> actual(a.size());
      const double* ins[] = {a.data(), b.data()};
      double* outs[] = {actual.data()};
      EXPECT_EQ(jit.compile({p})(ins, outs, &n, nullptr), 0);
      for (size_t k = 0; k < a.size(); ++k) {
        const double e = out[0][k], v = actual[k];
        EXPECT_TRUE(std::isnan(e) ? std::isnan(v) : v == e || std::abs(v - e) <= 1e-14 * std::abs(e))
            << r.name << "(" << a[k] << ", " << b[k] << ") width " << width << " is " << v << ", not " << e;
      }
    }
  }
}

// The C library's lgamma writes signgam, so that two threads that call it race.
TEST(Jit, LogGammaWritesNoGlobal) {
  signgam = 7;
  Jit jit;
  const Program p = primitive_program(row(Primitive::lgamma_), 4, 2);
  const std::vector<double> x(11, -0.5);  // where the gamma function is negative
  std::vector<double> y(11);
  const double* ins[] = {x.data()};
  double* outs[] = {y.data()};
  const int64_t n = 11;
  EXPECT_EQ(jit.compile({p})(ins, outs, &n, nullptr), 0);
  EXPECT_NEAR(y[10], 1.2655121234846454, 1e-14);
  EXPECT_EQ(signgam, 7);
}

TEST(Jit, SkippedOutputsAreNotTouched) {
  Jit jit;
  const Program p = read(find_program("reductions"));
  const CompiledFunction f = jit.compile({p});
  const std::vector<double> x = {1, 2, 3};
  double t = 0, work[3];
  const double* in[] = {x.data()};
  double* out[] = {nullptr, &t};
  const int64_t n = 3;
  EXPECT_EQ(f(in, out, &n, work), 0);
  EXPECT_EQ(t, (1 * 1 + 2 * 0 + 3 * 1) + (2 * 1 + 3 * 0) + 3 * 1);
}

TEST(Jit, MetadataDescribesTheFunction) {
  Jit jit;
  Unit unit{read(find_program("gemm")), "hash", "C = A*B"};
  const CompiledFunction f = jit.compile(unit);
  const ricci_meta& m = f.meta();
  EXPECT_EQ(m.struct_size, sizeof(ricci_meta));
  EXPECT_STREQ(m.name, "gemm");
  EXPECT_STREQ(m.source, "C = A*B");
  EXPECT_EQ(m.argument_count, 2);
  EXPECT_STREQ(m.arguments[1].name, "B");
  EXPECT_EQ(m.arguments[1].layout, RICCI_COLUMN_MAJOR);
  EXPECT_EQ(m.arguments[1].symbol[0], 2);
  EXPECT_EQ(m.arguments[1].shape[0], -1);
  EXPECT_STREQ(m.dims[2], "k");
  EXPECT_EQ(m.f32, nullptr);
}

TEST(Jit, NothingElseResolves) {
  Jit jit;
  // An object that calls what is not on the list: getpid stands in for anything of the process.
  const std::string object = ricci::compile(std::vector{Unit{read(find_program("exp"))}}, jit.target(), CodeForm::Object);
  EXPECT_NO_THROW(jit.load(object, std::vector<std::string>{"exponential"}));
  EXPECT_THROW(jit.load(object, std::vector<std::string>{"getpid"}), std::runtime_error);
}

TEST(Jit, CompilesFromManyThreads) {
  Jit jit;
  std::vector<std::thread> threads;
  std::atomic<int> right = 0;
  for (int k = 0; k < 8; ++k)
    threads.emplace_back([&, k] {
      const CompiledFunction f = jit.compile({read(find_program("dot"))});
      const std::vector<double> x(100, k);
      const double* in[] = {x.data(), x.data()};
      double sum = 0;
      double* out[] = {&sum};
      const int64_t n = 100;
      f(in, out, &n, nullptr);
      right += sum == 100.0 * k * k;
    });
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(right, 8);
}

TEST(Objects, SameBytesForTheSameProgramAndOtherMachines) {
  const std::vector<Unit> units = {{read(find_program("gemv"))}, {read(find_program("exp"))}};
  EXPECT_EQ(ricci::compile(units, {}, CodeForm::Object), ricci::compile(units, {}, CodeForm::Object));
  Target arm;
  arm.triple = "aarch64-linux-gnu";
  EXPECT_NE(ricci::compile(units, arm, CodeForm::Assembly).find("fmla"), std::string::npos);
  Target unknown;
  unknown.triple = "pdp11-dec-unix";
  EXPECT_THROW(ricci::compile(units, unknown, CodeForm::Object), std::runtime_error);
  EXPECT_THROW(Jit{arm}, std::runtime_error);
}

TEST(Objects, WorkBytesSayWhenASizeOverflows) {
  Jit jit;
  const CompiledFunction f = jit.compile({read(find_program("kernel"))});
  EXPECT_EQ(f.work_bytes(std::array<int64_t, 1>{2}.data()), 8 * (4 + 2 + 163840u));
  EXPECT_EQ(f.work_bytes(std::array<int64_t, 1>{int64_t(1) << 31}.data()), SIZE_MAX);
}

// The promises about instructions, where the tests run on a machine that has them.
TEST(Assembly, VectorLoopsAreVectors) {
  Target t;
  t.triple = "x86_64-linux-gnu";
  t.cpu = "znver4";
  const auto assembly = [&](std::string_view name) { return ricci::compile(std::vector{Unit{read(find_program(name))}}, t, CodeForm::Assembly); };
  const std::string dot = assembly("dot");
  size_t fmas = 0;
  for (size_t at = 0; (at = dot.find("vfmadd231pd", at)) != std::string::npos; ++at) fmas += dot.substr(at, 80).find("%zmm") != std::string::npos;
  EXPECT_GE(fmas, 5u) << dot;  // four accumulators and the masked end
  EXPECT_NE(assembly("exp").find("_ZGVeN8v_exp"), std::string::npos);
  EXPECT_EQ(assembly("axpy").find("vmulpd"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Optimization, Levels, testing::Values(0, 1, 2, 3));

}  // namespace
}  // namespace ricci::loops
