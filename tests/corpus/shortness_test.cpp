// Is the answer as short as the textbook's? Both texts are measured alike: how many operators, names and numbers they have.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <regex>

#include "codegen/forms.h"
#include "codegen/text.h"
#include "passes/layout.h"
#include "passes/raise.h"
#include "passes/simplify.h"
#include "passes/substitute.h"
#include "tests/corpus/claims.h"

namespace ricci::corpus {
namespace {

// Operators, names and numbers of a formula; brackets and commas are free, since they follow from the rest.
int printed_size(const std::string& text) {
  static const std::regex token(R"([A-Za-z_]\w*|\d+(\.\d+)?|\.[*/^]|[-+*/\\^'<>:]|[<>=!]=)");
  return int(std::distance(std::sregex_iterator(text.begin(), text.end(), token), std::sregex_iterator()));
}

// The textbook's answer with the parts it names written out, as an answer in one expression has them.
int textbook_size(const std::string& expected) {
  const size_t where = expected.find(" where ");
  if (where == std::string::npos) return printed_size(expected);
  std::vector<std::pair<std::string, int>> parts;  // each with its size written out
  const auto with_parts = [&](const std::string& text) {
    int written = printed_size(text);
    for (const auto& [name, part] : parts) {
      const std::regex word("\\b" + name + "\\b");
      written += (part - 1) * int(std::distance(std::sregex_iterator(text.begin(), text.end(), word), std::sregex_iterator()));
    }
    return written;
  };
  for (const std::string& part : split(expected.substr(where + 7), ';')) {
    const size_t equals = part.find('=');
    parts.emplace_back(trim(part.substr(0, equals)), with_parts(part.substr(equals + 1)));
  }
  return with_parts(expected.substr(0, where));
}

struct Printed {
  std::optional<std::string> text;
  std::string reason;
};

// The answer in the notation of the row.
Printed answer(const Row& row) try {
  std::string refusal;
  const std::string function = program_of(row.declarations, row.function, "claimed");
  auto f = parse(function, row, true, refusal);
  if (!f) return {{}, refusal};
  const Declaration* x = f->find_declaration(trim(split(row.wrt, ';')[0]));
  if (!x) return {{}, "no variable"};
  const auto left = left_side(row, (*f->graph)[f->find_definition("claimed")->value.node].rank() == 0, (*f->graph)[x->node].rank());
  if (!left) return {{}, "no question"};
  auto p = parse(function + "leftside = " + left->expression + "\n", row, left->free, refusal);
  if (!p) return {{}, refusal};
  Value value = p->find_definition("leftside")->value;
  const Declaration* by = p->find_declaration(trim(split(row.wrt, ';')[0]));
  if (left->independent) value = derivative(*p->graph, p->find_definition("claimed")->value, *by, 1, SymmetricConvention::Independent);
  value.node = simplify(*p->graph, substitute(*p->graph, simplify(*p->graph, value.node), p->promised));
  if (row.form.starts_with("vec")) {
    const Shown shown = vec_form(*p->graph, {"f", std::vector<NodeId>(size_t(row.order), by->node), value});
    return {shown.equation ? std::optional(shown.equation->text) : std::nullopt, shown.reason};
  }
  const Raised r = raise(*p->graph, value.node, value.variance);
  return {r.expr ? std::optional(to_text(*r.expr)) : std::nullopt, r.reason};
} catch (const std::exception& e) {
  return {{}, e.what()};
}

TEST(Shortness, AnswersAreAsShortAsTheTextbook) {
  int rows = 0, short_ones = 0;
  std::string longer;
  const char* table = std::getenv("RICCI_CORPUS");  // another table than the project's
  for (const Row& row : read_rows(table ? table : RICCI_SOURCE_DIR "/tests/corpus/derivatives.tsv")) {
    if (row.form == "convexity" || row.expected.starts_with("{")) continue;
    ++rows;
    const Printed ours = answer(row);
    const int theirs = textbook_size(row.expected);
    if (ours.text && printed_size(*ours.text) <= theirs) ++short_ones;
    else
      longer += fmt::format("{}: {} by {}\n  {:3} {}\n  {:3} {}\n", row.id, row.function, row.wrt, theirs, row.expected,
                            ours.text ? printed_size(*ours.text) : 0, ours.text ? *ours.text : "(" + ours.reason + ")");
  }
  fmt::print("{} of {} answers in matrix form are no longer than the textbook's; the others, the textbook's first:\n{}", short_ones, rows, longer);
  EXPECT_GE(short_ones * 100, rows * 95);
}

TEST(Shortness, CountsOperatorsNamesAndNumbers) {
  EXPECT_EQ(printed_size("2*A'*(A*x - b)"), 10);
  EXPECT_EQ(printed_size("x.*y./1.5"), 5);
  EXPECT_EQ(printed_size("diag(softmax(x)) - eye(n)"), 6);
  EXPECT_EQ(textbook_size("S*(S - x) where S=a*b; x=S + c"), 3 + 1 + 3 + 1 + 5);
}

}  // namespace
}  // namespace ricci::corpus
