// The loop IR reads back what it prints, its verifier names the broken invariant, and its interpreter is right on loops done by hand.
#include <gtest/gtest.h>

#include "loops_run.h"

namespace ricci::loops {
namespace {

TEST(LoopText, ReadsBackWhatItPrints) {
  for (const auto& [name, text] : kPrograms) {
    const Program p = read(text);
    EXPECT_EQ(to_text(p), text);
    EXPECT_EQ(verify(p), std::nullopt) << name;
  }
}

TEST(LoopText, BuilderAndTextAgree) {
  Program p;
  p.name = "dot";
  p.dims = {"n"};
  const IndexId n = p.dim(0);
  const ArrayId x = p.dense(Array::Role::In, "x", {n}), y = p.dense(Array::Role::In, "y", {n}), f = p.dense(Array::Role::Out, "f", {});
  p.begin_if({f});
  const AccumulatorId sum = p.accumulator(p.constant(0));
  const IndexId i = p.loop(p.begin_for(n, 8, 4));
  const ValueId a = p.load(x, {i});
  p.accumulate(sum, Combine::Add, a, p.load(y, {i}));
  p.end();
  p.store(f, {}, p.read(sum));
  p.end();
  EXPECT_EQ(to_text(p), find_program("dot"));
}

TEST(LoopText, IntegersKeepTheirBrackets) {
  Program p;
  p.dims = {"m", "n"};
  const IndexId m = p.dim(0), n = p.dim(1);
  EXPECT_EQ(to_text(p, p.mul(p.add(m, n), p.add(n, p.index(1)))), "(m + n)*(n + 1)");
  EXPECT_EQ(to_text(p, p.add(m, p.add(n, p.index(2)))), "m + (n + 2)");
  EXPECT_EQ(to_text(p, p.add(p.add(m, n), p.index(2))), "m + n + 2");
  EXPECT_EQ(to_text(p, p.mul(m, p.mul(n, n))), "m*(n*n)");
  EXPECT_EQ(to_text(p, p.round_up(p.sub(m, n), 8)), "8*ceil_div(m + -1*n, 8)");
  EXPECT_EQ(to_text(p, p.sub(m, m)), "0");
  EXPECT_EQ(to_text(p, p.min(m, p.max(n, p.index(3)))), "min(m, max(n, 3))");
  IndexId sum = m;
  for (int k = 0; k < 100'000; ++k) sum = p.add(sum, n);
  EXPECT_EQ(to_text(p, sum).size(), 4 * 100'000 + 1u);
  EXPECT_EQ(evaluate(p, sum, std::array<int64_t, 2>{3, 7}), 700'003);
}

TEST(LoopText, ErrorsNameTheLine) {
  std::string error;
  EXPECT_FALSE(from_text("program f double\ndims n\nin x [k] by [1]\nwork 0\nbegin\nend\n", error));
  EXPECT_EQ(error, "line 3: unknown dimension `k`");
  EXPECT_FALSE(from_text("program f double\ndims\nwork 0\nbegin\n%0 = sinc(%0)\nend\n", error));
  EXPECT_EQ(error, "line 5: unknown operation `sinc`");
  EXPECT_FALSE(from_text("program f double\ndims\nwork " + std::string(100'000, '(') + "\n", error));
  EXPECT_EQ(error, "line 3: brackets too deep");
  EXPECT_FALSE(from_text("program f double\ndims\nwork 9223372036854775807*2\nbegin\nend\n", error));
  EXPECT_EQ(error, "line 3: a size exceeds 64 bits");
}

TEST(LoopIndex, SizesAreChecked) {
  Program p;
  p.dims = {"n"};
  const IndexId n = p.dim(0), cube = p.mul(n, p.mul(n, n));
  EXPECT_EQ(evaluate(p, cube, std::array<int64_t, 1>{10}), 1000);
  EXPECT_EQ(evaluate(p, cube, std::array<int64_t, 1>{1'000'000'000}), std::nullopt);
  p.work_elements = p.mul(n, n);
  EXPECT_EQ(work_bytes(p, std::array<int64_t, 1>{3}), 72);
  EXPECT_EQ(work_bytes(p, std::array<int64_t, 1>{2'000'000'000}), std::nullopt);
}

TEST(LoopIndex, LinearParts) {
  Program p;
  p.dims = {"n"};
  const IndexId n = p.dim(0), i = p.loop({0}), j = p.loop({1});
  const auto linear = linear_in(p, p.add(p.mul(n, p.add(i, j)), p.index(5)), {0});
  ASSERT_TRUE(linear);
  EXPECT_EQ(linear->stride, n);
  EXPECT_EQ(to_text(p, linear->base), "n*$1 + 5");
  EXPECT_FALSE(linear_in(p, p.mul(i, i), {0}));
  EXPECT_FALSE(linear_in(p, p.min(i, n), {0}));
  EXPECT_EQ(linear_in(p, p.min(j, n), {0})->stride, p.index(0));
}

struct Negative {
  std::string_view statements, sentence;
};
constexpr Negative kNegatives[] = {
    {"%0 = const 1\n%0 = const 2", "a value is defined once"},
    {"%0 = neg(%1)\n%1 = const 2", "a value is defined before it is used, in an open block"},
    {"for $0 < n {\n%0 = const 1\n}\n%1 = neg(%0)", "a value is defined before it is used, in an open block"},
    {"for $0 < n {", "every block is closed"},
    {"}", "an end closes a block"},
    {"for $0 < n {\n}\nfor $0 < n {\n}", "a loop counter belongs to one loop"},
    {"for $0 < n width 3 {\n}", "a vector width is a power of two, at most 64"},
    {"for $0 < n interleave 99 {\n}", "at most 16 copies of a body run side by side"},
    {"for $0 < n width 8 {\nfor $1 < n width 8 {\n}\n}", "a vector loop contains no vector loop"},
    {"for $0 < n interleave 2 {\nfor $1 < n {\n}\n}", "an interleaved loop contains no block"},
    {"for $0 < n width 4 {\nfor $1 < $0 {\n}\n}", "an extent inside a vector loop is the same for all lanes"},
    {"for $0 < $1 {\n}", "an extent names open loops only"},
    {"%0 = load x[$0]", "an integer names open loops only"},
    {"%0 = load x[0, 0]", "an access has a subscript per axis"},
    {"%0 = const 1\nstore x[0] = %0", "an input is never written"},
    {"%0 = const 1\nstore f[0] = %0", "an output is touched inside an if that names it and nothing else"},
    {"if f, g {\n%0 = const 1\nstore f[0] = %0\n}", "an output is touched inside an if that names it and nothing else"},
    {"if x {\n}", "an if names outputs only"},
    {"for $0 < n width 4 {\n%0 = const 1\nstore w[0, 0] = %0\n}", "what a vector loop stores to depends on its counter"},
    {"for $0 < n width 4 {\n%0 = load x[min($0, 3)]\n}", "an integer in a vector loop is linear in its counter"},
    {"for $0 < n width 4 {\nzero w\n}", "no call, zero or copy stands in a vector or interleaved loop"},
    {"%0 = const 0\n@0 += %0", "an accumulator is defined before it is used, in an open block"},
    {"%0 = const 0\nacc @0 = %0\nacc @0 = %0", "an accumulator is defined once"},
    {"%0 = const 0\nacc @0 = %0\nfor $0 < n width 4 {\n%1 = read @0\n}", "an accumulator from outside a vector or interleaved loop is not read in it"},
    {"%0 = const 0\nacc @0 = %0\nfor $0 < n interleave 4 {\n@0 += %0\n@0 max= %0\n}",
     "an accumulator that leaves a vector or interleaved loop is combined in one way there"},
    {"%0 = const 0\nacc @0 = %0\n@0 max= %0 * %0", "only += takes a product"},
    {"copy w = x", "a copy is between arrays of one size"},
    {"zero t", "zero and copy take dense arrays"},
    {"call prod(n, x[0], 1, x[0])", "an input is never written"},
};

TEST(LoopVerifier, NamesTheBrokenInvariant) {
  for (const Negative& n : kNegatives) {
    const Program p = read("program f double\ndims n\nin x [n] by [1]\nout f [n] by [1]\nout g [n] by [1]\nscratch w [n, 2] by [2, 1] at 0\n"
                           "scratch t [n, 2] by [3, 1] at 0\nwork 3*n\nbegin\n" + std::string(n.statements) + "\nend\n");
    const std::optional<std::string> broken = verify(p);
    ASSERT_TRUE(broken) << n.statements;
    EXPECT_EQ(broken->substr(broken->find(": ") + 2), n.sentence) << n.statements;
  }
}

TEST(LoopInterpreter, MatrixTimesVector) {
  const Program p = read(find_program("gemv"));
  const std::vector<std::vector<double>> in = {{1, 2, 3, 4, 5, 6}, {1, 10, 100}};
  std::vector<std::vector<double>> out = {{0, 0}};
  EXPECT_EQ(interpret<double>(p, in, out, std::array<int64_t, 2>{2, 3}, {}).error, "");
  EXPECT_EQ(out[0], (std::vector<double>{321, 654}));
}

TEST(LoopInterpreter, SubscriptsAreChecked) {
  const Program p = read("program f double\ndims n\nin x [n] by [1]\nwork 0\nbegin\n%0 = load x[n]\nend\n");
  EXPECT_EQ(interpret<double>(p, std::vector<std::vector<double>>{{1, 2}}, {}, std::array<int64_t, 1>{2}, {}).error, "x: subscript 0 is 2 of 2");
}

}  // namespace
}  // namespace ricci::loops
