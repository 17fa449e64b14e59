// Printed IR reads back to the same nodes, and wrong text is refused with its place.
#include "ir/text.h"

#include <gtest/gtest.h>

#include "ir/dot.h"
#include "ir/json.h"
#include "ir/verify.h"

using namespace ricci;

namespace {

// print(parse(text)) == text, in a fresh graph and, with the same ids, in the graph it came from.
void expect_round_trip(const std::string& text) {
  Graph g;
  IrError error{};
  auto roots = parse_ir(g, text, error);
  ASSERT_TRUE(roots) << error.line << ":" << error.column << ": " << error.message << "\n" << text;
  EXPECT_EQ(print_ir(g, *roots), text);
  EXPECT_EQ(parse_ir(g, text, error), roots);
  EXPECT_EQ(verify(g, *roots), std::vector<std::string>{});
}

TEST(Text, ReadsAsEinsteinNotation) {
  expect_round_trip(
      "%0 = var A : [m^ n_]\n"
      "%1 = var x : [n^]\n"
      "%2 = ein ab,b->a %0 %1 : [m]\n"
      "%3 = tanh %2 : [m]\n"
      "%4 = ein a->ab %3 : [m k]\n"
      "return %2 %4\n");
}

TEST(Text, EveryKind) {
  expect_round_trip(
      "%0 = var S spd : [n^ n_]\n"
      "%1 = fun inv %0 : [n n]\n"
      "%2 = sum -1/2*%0 + 3*%1 : [n n]\n"
      "%3 = fun logdet %2\n"
      "%4 = size n\n"
      "%5 = const -2/3\n"
      "%6 = pow %3 %5\n"
      "%7 = call h[n^] %3 %6 : [n k]\n"
      "%8 = ein ->aa : [n n]\n"
      "%9 = sum 0 : [n n]\n"
      "return %4 %7 %8 %9\n");
}

TEST(Text, OddNamesAndDimensions) {
  expect_round_trip(
      "%0 = var \"my \\\"odd\\\" name\" : [((3*m)+(m*n))^ \"1 x\"_]\n"
      "%1 = var λ' positive\n"
      "%2 = ein ab,->a %0 %1 : [((3*m)+(m*n))]\n"
      "return %2\n");
}

TEST(Text, MoreLabelsThanLetters) {
  Graph g;
  DimId n = g.dim("n");
  NodeId x = g.variable(g.declare({.name = "x", .type = Type(30, n), .variance = std::vector(30, Variance::Up)}));
  std::vector<size_t> reversed;
  for (size_t k = 30; k-- > 0;) reversed.push_back(k);
  NodeId y = g.permute(x, reversed);
  std::string text = print_ir(g, std::span(&y, 1));
  EXPECT_NE(text.find("xyza1b1c1d1->d1c1b1a1zy"), std::string::npos) << text;
  expect_round_trip(text);
}

TEST(Text, WrongTextIsRefused) {
  const std::string x = "%0 = var x : [n^]\n", a = "%1 = var A : [m^ n_]\n";
  std::string factors = "n", sums = "n";  // of a size; a product of k sums has 2^k terms
  for (int k = 0; k < 10'000; ++k) factors += "*n";
  for (int k = 0; k < 40; ++k) sums += "*(a" + std::to_string(k) + " + b" + std::to_string(k) + ")";
  const std::pair<std::string, std::string> wrong[] = {
      {"%0 = var x : [n^]\n", "expected `return`"},
      {"%0 = exp %1\nreturn %0\n", "not defined above"},
      {"%0 = frobnicate %1\nreturn %0\n", "no kind of node"},
      {x + "%0 = const 1\nreturn %0\n", "two definitions"},
      {x + "%1 = exp %0\nreturn %1\n", "expected `:`"},
      {x + "%1 = exp %0 : [m]\nreturn %1\n", "type written"},
      {x + "%1 = exp %0 %0 : [n]\nreturn %1\n", "takes 1"},
      {x + "%1 = fun inv %0 : [n]\nreturn %1\n", "rank 2"},
      {x + a + "%2 = fun det %1\nreturn %2\n", "square"},
      {x + a + "%2 = ein ab,a->b %1 %0 : [n]\nreturn %2\n", "do not fit operand 2"},
      {x + a + "%2 = ein ab->ba %1 : [m n]\nreturn %2\n", "output labels"},
      {x + a + "%2 = ein ab,b->a %1 : [m]\nreturn %2\n", "for each operand"},
      {x + a + "%2 = sum %0 + %1 : [n]\nreturn %2\n", "term's type"},
      {x + a + "%2 = pow %0 %1 : [n]\nreturn %2\n", "different types"},
      {"%0 = const 1/0\nreturn %0\n", "number"},
      {"%0 = var x wobbly : [n^]\nreturn %0\n", "no property"},
      {"%0 = var x : [n]\nreturn %0\n", "`^` or `_`"},
      {"%0 = var x : [" + std::string(1000, '(') + "\nreturn %0\n", "nested"},
      {"%0 = var x : [(" + factors + ")^]\nreturn %0\n", "64 bits"},
      {"%0 = var x : [(" + sums + ")^]\nreturn %0\n", "64 bits"},
      {"%0 = var \"x\nreturn %0\n", "expected"},
      {x + "return %0 and more\n", "end of the line"},
  };
  for (const auto& [text, message] : wrong) {
    Graph g;
    IrError error{};
    EXPECT_FALSE(parse_ir(g, text, error)) << text;
    EXPECT_NE(error.message.find(message), std::string::npos) << text << error.message;
  }
}

TEST(Text, DotAndJsonNameEveryNode) {
  Graph g;
  IrError error{};
  auto roots = parse_ir(g, "%0 = var A : [m^ n_]\n%1 = var x : [n^]\n%2 = ein ab,b->a %0 %1 : [m]\nreturn %2\n", error);
  ASSERT_TRUE(roots);
  EXPECT_NE(to_dot(g, *roots).find("ein ab,b->a %0 %1"), std::string::npos);
  EXPECT_NE(to_json(g, *roots).find("\"out\": \"a\""), std::string::npos);
}

}  // namespace
