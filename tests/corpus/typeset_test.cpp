// Every printed line of the corpus's derivatives is typeset in every notation: TeX and browsers accept it, and Unicode is input again.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "codegen/forms.h"
#include "codegen/index_form.h"
#include "codegen/text.h"
#include "passes/differentiate.h"
#include "passes/raise.h"
#include "passes/simplify.h"
#include "passes/weight.h"
#include "tests/corpus/rows.h"
#include "tests/well_formed.h"

namespace ricci::corpus {
namespace {

constexpr uint64_t kHeaviest = 50'000;  // as the program writes

// The answer to a row in every form that it has.
struct Lines {
  std::optional<Program> program;
  std::vector<std::vector<Equation>> lines;
};

Lines lines_of(const Row& row) {
  Diagnostics diagnostics;
  Lines out{parse_program(program_of(row.declarations, row.function, "F_1"), "row", calculus(), diagnostics), {}};
  if (!out.program) return out;
  Program& p = *out.program;
  Graph& g = *p.graph;
  const Declaration* x = p.find_declaration(trim(split(row.wrt, ';')[0]));
  if (!x) return out;
  const Definition& f = p.definitions.back();
  Value value = derivative(g, f.value, *x, row.order);
  value.node = simplify(g, value.node);
  if (Weight(g)(value.node) > kHeaviest) return out;
  for (bool all_low : {false, true}) out.lines.push_back(index_equations(g, f.name, value, all_low));
  if (Raised r = raise(g, value.node, value.variance); r.expr) out.lines.push_back({{std::nullopt, to_text(*r.expr), *r.expr}});
  const Derivative d{f.name, std::vector(size_t(row.order), x->node), value};
  for (Shown shown : {slice_form(g, d), differential_form(g, d), vec_form(g, d)})
    if (shown.equation) out.lines.push_back({*shown.equation});
  return out;
}

TEST(Typeset, EveryLineOfTheCorpusIsWellFormed) {
  size_t rows = 0, typeset_lines = 0;
  for (const Row& row : read_rows(RICCI_SOURCE_DIR "/tests/corpus/derivatives.tsv")) {
    if (row.form == "convexity") continue;
    const Lines answer = lines_of(row);
    rows += !answer.lines.empty();
    for (const std::vector<Equation>& line : answer.lines) {
      const std::string text = to_text(line);
      SCOPED_TRACE(row.id + ": " + text);
      const auto in = [&](std::string_view notation) { return typeset(*answer.program->graph, line, *find_notation(notation)); };
      EXPECT_EQ(mistake_in_latex(in("latex")), "") << in("latex");
      EXPECT_EQ(mistake_in_mathml(in("mathml")), "") << in("mathml");
      EXPECT_FALSE(in("unicode").empty());
      // Every sum, delta and root of the text is in each of them.
      for (auto [in_text, in_latex, in_mathml] : {std::tuple("delta", "\\delta", "δ"), {"sum_", "\\sum_", "∑"}, {"sqrt(", "\\sqrt{", "<msqrt>"}}) {
        EXPECT_EQ(count(text, in_text), count(in("latex"), in_latex)) << in("latex");
        EXPECT_EQ(count(text, in_text), count(in("mathml"), in_mathml)) << in("mathml");
      }
      ++typeset_lines;
    }
  }
  fmt::print("{} lines of {} rows\n", typeset_lines, rows);
  EXPECT_GT(rows, 400u);
  EXPECT_GT(typeset_lines, 4 * rows);
}

}  // namespace
}  // namespace ricci::corpus
