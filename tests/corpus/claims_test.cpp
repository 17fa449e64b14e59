// The corpus as claims: `ricci verify` confirms every published answer that the language reads, and refutes every published error with a
// counter-example.
//
// A row becomes a claim in the language: d/dx, jac, hess, D or a directional derivative on the left, the published answer on the right.
// What corpus_test.cpp compares with tensors of its own is compared here by the code behind `verify`.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include "codegen/derivation.h"
#include "codegen/text.h"
#include "passes/claim.h"
#include "passes/derivation.h"
#include "passes/differentiate.h"
#include "passes/layout.h"
#include "passes/raise.h"
#include "passes/simplify.h"
#include "tests/corpus/claims.h"

namespace ricci::corpus {
namespace {

const Points kPoints = {.dims = {{"n", 4}, {"m", 3}, {"p", 2}, {"q", 5}, {"N", 6}}, .seed = 1, .count = 3};

struct Outcome {
  enum class Kind { Verified, Refuted, Unread } kind;
  std::string detail = {};
};

Outcome judge_row(const Row& row) try {
  std::string refusal;
  const std::string function = program_of(row.declarations, row.function, "claimed");
  auto f = parse(function, row, true, refusal);
  if (!f) return {Outcome::Kind::Unread, refusal};
  const Declaration* x = f->find_declaration(trim(split(row.wrt, ';')[0]));
  if (!x) return {Outcome::Kind::Unread, "no variable"};
  const auto left = left_side(row, (*f->graph)[f->find_definition("claimed")->value.node].rank() == 0, (*f->graph)[x->node].rank());
  if (!left) return {Outcome::Kind::Unread, "claims of the form `" + row.form + "`"};
  const std::string derived = function + "leftside = " + left->expression + "\n";
  auto l = parse(derived, row, left->free, refusal);
  if (!l) return {Outcome::Kind::Unread, refusal};
  std::vector<std::string> sizes;
  for (DimId d : (*l->graph)[l->find_definition("leftside")->value.node].type) sizes.push_back(l->graph->spell(d));
  // The parts of the answer (`where S = ...`) may be those of the function: definitions are not repeated.
  std::string answer = program_of(row.declarations, row.expected, "rightside", sizes), whole = derived;
  for (const std::string& line : split(answer, '\n'))
    if (("\n" + derived).find("\n" + line + "\n") == std::string::npos) whole += line + "\n";
  auto p = parse(whole, row, left->free, refusal);
  if (!p) return {Outcome::Kind::Unread, refusal};
  Points points = kPoints;  // a free variable is drawn as what was promised of it
  for (const auto& [variable, declared] : p->promised) points.promises[variable] = p->graph->symbol(declared).properties;
  Value value = p->find_definition("leftside")->value;
  if (left->independent)
    value = derivative(*p->graph, p->find_definition("claimed")->value, *p->find_declaration(trim(row.wrt)), 1,
                       SymmetricConvention::Independent);
  const Judgement j = judge(*p->graph, value, p->find_definition("rightside")->value, points);
  using Verdict = Comparison::Verdict;
  const Comparison& c = j.numbers;
  const bool laid_out = !left->layout.empty() && c.verdict == Verdict::Layout && c.layout == left->layout;
  if (j.verified() || laid_out) return {Outcome::Kind::Verified};
  if (j.symbolic || c.verdict == Verdict::Equal) return {Outcome::Kind::Refuted, "a row against a column"};
  if (c.verdict == Verdict::Undecided) return {Outcome::Kind::Unread, "undecided"};
  if (c.left == c.right) return {Outcome::Kind::Refuted};
  return {Outcome::Kind::Refuted, fmt::format("left {} in entry [{}] and right {} in entry [{}]", c.left, fmt::join(c.index, ", "), c.right,
                                              fmt::join(c.right_index, ", "))};
} catch (const std::exception& e) {
  return {Outcome::Kind::Unread, e.what()};
}

std::vector<Row> rows(const char* table) { return read_rows(std::string(RICCI_SOURCE_DIR "/tests/corpus/") + table); }

TEST(Claims, PublishedErrorsAreRefutedWithACounterexample) {
  int refuted = 0, unread = 0;
  for (const Row& row : rows("errata.tsv")) {
    const Outcome o = judge_row(row);
    EXPECT_NE(o.kind, Outcome::Kind::Verified) << row.id;
    EXPECT_TRUE(o.kind != Outcome::Kind::Refuted || !o.detail.empty()) << row.id << " has no counter-example";
    fmt::print("  {}: {} {}\n", row.id, o.kind == Outcome::Kind::Refuted ? "refuted," : "not read,", o.detail);
    ++(o.kind == Outcome::Kind::Refuted ? refuted : unread);
  }
  fmt::print("errata: {} refuted, {} not read\n", refuted, unread);
  EXPECT_EQ(refuted, 13);
}

TEST(Claims, PublishedAnswersAreVerified) {
  int verified = 0;
  std::map<std::string, std::vector<std::string>> unread;
  for (const Row& row : rows("derivatives.tsv")) {
    const Outcome o = judge_row(row);
    if (o.kind == Outcome::Kind::Refuted) ADD_FAILURE() << row.id << ": " << row.function << " by " << row.wrt << ": " << o.detail;
    if (o.kind == Outcome::Kind::Verified) ++verified;
    if (o.kind == Outcome::Kind::Unread) unread[o.detail].push_back(row.id);
  }
  fmt::print("published answers: {} verified\n", verified);
  EXPECT_GE(verified, 457);
  for (const auto& [reason, ids] : unread) fmt::print("  {:3}  {}: {}\n", ids.size(), reason, fmt::join(ids, " "));
}

// What `ricci explain` says of every function of the corpus: no step that the numbers refute, and the last one is the answer.
TEST(Derivations, OfTheCorpusAreTrueStepByStep) {
  int derived = 0, unchecked = 0;
  for (const Row& row : rows("derivatives.tsv")) {
    std::string refusal;
    auto p = parse(program_of(row.declarations, row.function, "claimed"), row, false, refusal);
    const Declaration* x = p ? p->find_declaration(trim(split(row.wrt, ';')[0])) : nullptr;
    if (!x) continue;
    Graph& g = *p->graph;
    DerivationRequest request{.function = "f", .f = p->find_definition("claimed")->value, .x = x->node};
    request.answer = derivative(g, request.f, *x, 1);
    request.answer.node = simplify(g, request.answer.node);
    auto d = derive(g, request);
    ASSERT_TRUE(d) << row.id;
    if (auto answer = raise(g, request.answer.node, request.answer.variance).expr) {
      EXPECT_NE(derivation_text(g, *d).find(" = " + to_text(*answer)), std::string::npos) << row.id << " does not end in its answer";
    }
    const DerivationCheck c = check(g, *d);
    EXPECT_FALSE(c.wrong) << row.id << ": " << row.function << " by " << row.wrt << ", " << c.largest << "\n" << derivation_text(g, *d);
    ++derived;
    unchecked += c.points == 0;
    if (c.points == 0) fmt::print("  {} is checked at no point: {}\n", row.id, row.function);
  }
  fmt::print("derivations: {} true, {} of them checked at no point\n", derived, unchecked);
  EXPECT_GE(derived, 470);
}

}  // namespace
}  // namespace ricci::corpus
