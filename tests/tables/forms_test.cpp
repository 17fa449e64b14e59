// Every row of the function table: the derivative of the function in components, in slices and as a differential, each read back from its text and
// compared in numbers with the derivative.
#include <gtest/gtest.h>

#include "codegen/index_form.h"
#include "codegen/printed_line.h"
#include "ir/functions.h"
#include "passes/differentiate.h"
#include "passes/simplify.h"

using namespace ricci;

namespace {

using Form = PrintedLine::Form;

class Forms : public testing::TestWithParam<FunOp> {
 protected:
  // What is wrong with the forms of the derivative of the expression f by X, an empty text if nothing.
  static void check(const std::string& expression, const std::string& declarations) {
    SCOPED_TRACE(expression);
    Diagnostics diagnostics;
    auto program = parse_expression(expression, {.declarations = {declarations}}, calculus(), diagnostics);
    ASSERT_TRUE(program) << diagnostics.all().front().text;
    Graph& g = *program->graph;
    const Definition f = *program->find_definition("f");
    const Declaration x = *program->find_declaration("X");
    Value value = derivative(g, f.value, x, 1);
    value.node = simplify(g, value.node);
    const Derivative d{"f", {x.node}, value, [&](std::span<const NodeId> directions) {
                         return derivative_along(g, f.value.node, std::span(&x.node, 1), directions);
                       }};
    const auto compare = [&](Form form, const std::string& text, const std::vector<NodeId>& directions) {
      const PrintedLine line{form, text, directions};
      try {
        EXPECT_EQ(compare_with_line(*program, d, DerivativeLayout::Mixed, line, {.count = 3}).verdict, Comparison::Verdict::Equal) << text;
      } catch (const NotReadable& e) {
        ADD_FAILURE() << text << "\ndoes not read back: " << e.what();
      }
    };
    compare(Form::Index, index_form(g, "f", value, false), {});
    for (const Form form : {Form::Slices, Form::Differential}) {
      const Shown shown = form == Form::Slices ? slice_form(g, d) : differential_form(g, d);
      if (shown.text()) compare(form, *shown.text(), shown.directions);
      else ADD_FAILURE() << "no form: " << shown.reason;
    }
  }
};

TEST_P(Forms, ReadBackWithTheValueOfTheDerivative) {
  const FunctionRow& r = row(GetParam());
  const std::string name(r.name), call = name + "(X)";
  if (r.core.in == 1) return check(call, "X: vector(n)");
  // logm and sqrtm have a value where the spectrum is positive.
  const std::string promise = r.loewner.starts_with('c') ? " spd" : r.operand.empty() ? "" : " " + std::string(r.operand);
  const std::string X = std::string("X: matrix(") + (r.core.square ? "n, n)" : "m, n)") + promise;
  check(call, X);
  if (r.core.out == 2) check(call + "*b", X);
}

std::vector<FunOp> rows() {
  std::vector<FunOp> all;
  for (const FunctionRow& r : function_table()) all.push_back(r.op);
  return all;
}
INSTANTIATE_TEST_SUITE_P(Table, Forms, testing::ValuesIn(rows()), [](const auto& info) { return std::string(row(info.param).name); });

}  // namespace
