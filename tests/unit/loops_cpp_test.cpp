// Emitted C++ compiles without a warning under g++ and clang, and computes what the loop interpreter computes.
#include <gtest/gtest.h>

#include "codegen/cpp.h"
#include "codegen/symbol_name.h"
#include "loops_run.h"
#include "tests/compiled_library.h"

namespace ricci::loops {
namespace {

// Every primitive, chained, on one vector.
Program all_primitives() {
  Program p;
  p.name = "primitives";
  p.dims = {"n"};
  const IndexId n = p.dim(0);
  const ArrayId x = p.dense(Array::Role::In, "x", {n}), y = p.dense(Array::Role::Out, "y", {p.index(int64_t(primitive_table().size())), n});
  p.begin_if({y});
  const IndexId i = p.loop(p.begin_for(n));
  const ValueId v = p.load(x, {i}), half = p.constant(0.5), two = p.constant(2), infinity = p.constant(-INFINITY);
  const ValueId order = p.number(p.index(2));
  p.compute(Primitive::exp_, infinity);  // nobody reads it: no warning
  for (const PrimitiveRow& r : primitive_table()) {
    const ValueId first = r.op == Primitive::polygamma ? order : r.op == Primitive::acosh_ ? p.compute(Primitive::add, v, two) : v;
    const std::array<ValueId, 3> operands = {first, r.op == Primitive::polygamma ? v : half, two};
    p.store(y, {p.index(int64_t(r.op)), i}, p.compute(r.op, std::span(operands).first(r.arity)));
  }
  p.end();
  p.end();
  return p;
}

// Straight code of several thousand statements with values that live long, a loop around such code, and hostile names.
Program long_program() {
  Program p;
  p.name = "long_program";
  p.dims = {"int", "∇"};
  const IndexId n = p.dim(0), m = p.dim(1);
  const ArrayId x = p.dense(Array::Role::In, "while", {n}), y = p.dense(Array::Role::Out, "y_", {n}), z = p.dense(Array::Role::Out, "λ", {}),
                w = p.dense(Array::Role::Work, "f", {p.mul(n, m)});
  p.work_elements = p.mul(n, m);
  ValueId v = p.constant(1);
  std::vector<ValueId> early;
  for (int k = 0; k < 3000; ++k) {
    v = p.compute(k % 3 ? Primitive::mul : Primitive::sub, v, k % 3 ? p.constant(1 + k * 1e-6) : p.constant(0.25));
    if (k % 500 == 0) early.push_back(v);
  }
  const AccumulatorId sum = p.accumulator(v);
  p.zero(w);
  const IndexId i = p.loop(p.begin_for(n));
  const ValueId a = p.load(x, {i});
  ValueId u = a;
  for (int k = 0; k < 2500; ++k) u = p.compute(Primitive::muladd, u, early[size_t(k) % early.size()], a);
  p.accumulate(sum, Combine::Add, u, a);
  p.begin_if({y});
  p.store(y, {i}, u);
  p.end();
  p.end();
  p.begin_if({z});
  p.store(z, {}, p.read(sum));
  p.end();
  return p;
}

TEST(Cpp, AgreesWithTheInterpreterUnderEveryCompiler) {
  std::vector<Unit> units;
  for (const auto& [name, text] : kPrograms)
    for (const bool second : {false, true}) {
      Program p = second ? as_float(read(text)) : read(text);
      if (second) p.name += "_second";
      units.push_back({std::move(p), "", "f = x'*A*x  # */ \\ ?" "?/ \n second line /*"});
    }
  for (Program p : {all_primitives(), as_float(all_primitives()), long_program()}) {
    if (p.scalar == Scalar::Float) p.name += "_float";
    EXPECT_EQ(verify(p), std::nullopt);
    units.push_back({std::move(p)});
  }
  const std::string source = to_cpp(units, std::vector<std::string>{"layout: row-major"});
  EXPECT_EQ(source, to_cpp(units, std::vector<std::string>{"layout: row-major"}));
  for (const std::string& compiler : {first_compiler({"g++"}), first_compiler({"clang++-22", "clang++-19", "clang++"})}) {
    if (compiler.empty()) continue;
    const std::string warnings = "-Wall -Wextra -Wconversion -Wpedantic -Werror ";
    const CompiledLibrary library(compiler, warnings + (compiler == "g++" ? "-O1" : "-O1 -march=native"), source);
    ASSERT_TRUE(library.ok()) << source.substr(0, 20'000);
    for (const Unit& u : units) {
      const LoadedFunction f(library, symbol_name(u.program.name));
      ASSERT_TRUE(f.entry && f.bytes) << u.program.name;
      const bool primitives = u.program.name.starts_with("primitives");
      for (int64_t n = 0; n <= 20; ++n)
        run(u.program, f, {n, (n * 7 + 3) % 23, (n * 5 + 1) % 11}, compiler + " " + u.program.name + " at " + std::to_string(n), primitives ? 0.1 : -2,
            primitives ? 0.9 : 2);
    }
  }
}

TEST(Cpp, FunctionsStayShort) {
  const std::string source = to_cpp(std::vector<Unit>{{long_program()}});
  size_t longest = 0, begin = 0;
  for (size_t at = 0; (at = source.find("\n}\n", at)) != std::string::npos; ++at) {
    longest = std::max(longest, size_t(std::count(source.begin() + long(begin), source.begin() + long(at), ';')));
    begin = at;
  }
  EXPECT_LE(longest, 2100u);
  EXPECT_NE(source.find("part3"), std::string::npos);
}

TEST(SymbolName, KeepsWhatIsSafe) {
  EXPECT_EQ(symbol_name("loss"), "loss");
  EXPECT_EQ(symbol_name("f_1"), "f_1");
  for (const char* taken : {"exp", "expf", "int", "free", "linux", "_start", "a__b", "ricci_gemm", "main", "2d", ""})
    EXPECT_EQ(symbol_name(taken), std::string("ricci_fn_") + taken);
  EXPECT_EQ(symbol_name("λ"), "ricci_fn_xcexbb");
}

}  // namespace
}  // namespace ricci::loops
