// Every published formula of the corpus: parsed, differentiated, simplified, and compared with the published answer at random points.
//
// The published answer is parsed by our own parser and evaluated by the interpreter, and never touches differentiation. A row is right,
// wrong or refused; refused is what the compiler says it does not do. No row is treated specially.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <set>

#include <fstream>

#include "frontend/program.h"
#include "ir/oracle.h"
#include "ir/sample.h"
#include "passes/convexity.h"
#include "passes/differentiate.h"
#include "passes/simplify.h"
#include "tests/corpus/rows.h"

namespace ricci::corpus {
namespace {

const Dims kSizes = {{"n", 4}, {"m", 3}, {"p", 2}, {"q", 5}, {"N", 6}};
constexpr uint64_t kPoints = 3;
constexpr double kTolerance = 1e-9;  // inputs are double, arithmetic is quadruple; published constants have up to ten digits

struct Refused {
  std::string reason;
};

Program parse(const std::string& text, std::set<std::string, std::less<>> free = {}) {
  Diagnostics diagnostics;
  auto program = parse_program(text, "row", calculus(), diagnostics, {.free = std::move(free)});
  if (!program) throw Refused{diagnostics.all().front().text};
  return std::move(*program);
}

// The same values for the same declarations, whichever program asks; `promises` has the properties to draw by.
std::map<NodeId, Array<Quad>> point(const Program& p, const Program& promises, uint64_t seed) {
  std::map<NodeId, Array<Quad>> inputs;
  for (const Declaration& d : p.declarations) {
    uint64_t name = 0;
    for (char c : d.name) name = name * 131 + uint8_t(c);
    Symbol symbol = p.graph->symbol(d.node);
    symbol.properties = promises.graph->symbol(promises.find_declaration(d.name)->node).properties;
    inputs[d.node] = convert<Quad>(Sampler(seed * 1000003 + name).draw(*p.graph, symbol, kSizes));
  }
  return inputs;
}

NodeId variable(const Program& p, const std::string& name) {
  const Declaration* d = p.find_declaration(name);
  if (!d) throw Refused{"no variable " + name};
  return d->node;
}

// --- the forms: what the table means by an answer, from the full tensor of the derivative -------------------------------------------

struct Derivative {
  Array<Quad> tensor;
  size_t f_rank, x_rank;
};

int64_t extent(const std::vector<int64_t>& shape, size_t from, size_t count) {
  int64_t n = 1;
  for (size_t k = from; k < from + count; ++k) n *= shape[k];
  return n;
}

// The first `rows` axes stacked into one with the first running fastest (vec), and so the others.
Array<Quad> stacked(const Array<Quad>& t, size_t rows) {
  const size_t rank = t.shape.size();
  Array<Quad> out({extent(t.shape, 0, rows), extent(t.shape, rows, rank - rows)});
  std::vector<int64_t> index(rank, 0);
  for (const Quad& v : t.data) {
    int64_t row = 0, column = 0;
    for (size_t k = rows; k-- > 0;) row = row * t.shape[k] + index[k];
    for (size_t k = rank; k-- > rows;) column = column * t.shape[k] + index[k];
    out.data[size_t(row * out.shape[1] + column)] = v;
    for (size_t k = rank; k-- > 0 && ++index[k] == t.shape[k];) index[k] = 0;
  }
  return out;
}

Array<Quad> transposed(const Array<Quad>& a) {
  Array<Quad> out({a.shape[1], a.shape[0]});
  for (int64_t i = 0; i < a.shape[0]; ++i)
    for (int64_t j = 0; j < a.shape[1]; ++j) out.data[size_t(j * a.shape[0] + i)] = a.data[size_t(i * a.shape[1] + j)];
  return out;
}

// Sums the last axes against `h`.
Array<Quad> contracted(const Array<Quad>& t, const Array<Quad>& h) {
  size_t rank = t.shape.size() - h.shape.size();
  Array<Quad> out(std::vector<int64_t>(t.shape.begin(), t.shape.begin() + long(rank)));
  for (size_t i = 0; i < out.data.size(); ++i)
    for (size_t k = 0; k < h.data.size(); ++k) out.data[i] += t.data[i * h.data.size() + k] * h.data[k];
  return out;
}

// Entry (i, j) of the answer by (G_ij, G_ji).
template <class F>
Array<Quad> entrywise(const Array<Quad>& g, F f) {
  Array<Quad> out = g, t = transposed(g);
  for (size_t k = 0; k < g.data.size(); ++k) out.data[k] = f(g.data[k], t.data[k], int64_t(k) / g.shape[1] == int64_t(k) % g.shape[1]);
  return out;
}

// J(i, j) = df_i/dx_j: a scalar gives a row, a derivative by a scalar a column; a matrix by a vector stays a tensor.
Array<Quad> jacobian(const Derivative& d) {
  return d.f_rank + d.x_rank == 2 && d.f_rank != 1 ? d.tensor : d.f_rank > 1 || d.x_rank > 1 ? d.tensor : stacked(d.tensor, d.f_rank);
}

using Form = Array<Quad> (*)(const Derivative&, const Array<Quad>* h, const Array<Quad>* g);
const std::map<std::string, Form, std::less<>> kForms = {
    {"grad", [](auto& d, auto, auto) { return d.tensor; }},
    {"elem", [](auto& d, auto, auto) { return d.tensor; }},
    {"index", [](auto& d, auto, auto) { return d.tensor; }},
    {"hess", [](auto& d, auto, auto) { return d.tensor; }},
    {"jac", [](auto& d, auto, auto) { return jacobian(d); }},
    {"denom", [](auto& d, auto, auto) { return transposed(jacobian(d)); }},
    {"vecjac", [](auto& d, auto, auto) { return stacked(d.tensor, d.f_rank); }},
    {"vechess", [](auto& d, auto, auto) { return stacked(d.tensor, d.x_rank); }},
    {"dir", [](auto& d, auto h, auto) { return contracted(d.tensor, *h); }},
    {"dir2", [](auto& d, auto h, auto g) { return contracted(contracted(d.tensor, *g), *h); }},
    {"dirHH", [](auto& d, auto h, auto) { return contracted(contracted(d.tensor, *h), *h); }},
    {"symgrad", [](auto& d, auto, auto) { return entrywise(d.tensor, [](Quad a, Quad b, bool) { return (a + b) / 2; }); }},
    {"symgrad_cb",
     [](auto& d, auto, auto) { return entrywise(d.tensor, [](Quad a, Quad b, bool diagonal) { return diagonal ? a : a + b; }); }},
    {"diaggrad",
     [](auto& d, auto, auto) { return entrywise(d.tensor, [](Quad a, Quad, bool diagonal) { return diagonal ? a : Quad(0); }); }},
};

// A row or a column as a matrix is the vector it is.
bool fits(Array<Quad>& want, const Array<Quad>& got) {
  bool vector =
      want.data.size() == got.data.size() && got.shape.size() == 2 && (got.shape[0] == 1 || got.shape[1] == 1) && want.shape.size() <= 2;
  if (vector) want.shape = got.shape;
  return want.shape == got.shape;
}

// --- rows ---------------------------------------------------------------------------------------------------------------------------

struct Outcome {
  enum class Kind { Right, Wrong, Refused } kind;
  std::string detail = {};
};

// Whether the verdict is the table's claim about the Hessian. Where it is strict under a condition, a spectrum at the table's sizes says whether the
// condition holds there.
bool agrees(const Graph& g, NodeId f, NodeId x, const Convexity& c, const std::string& claim) {
  const bool up = claim == "PSD" || claim == "PD";
  if (claim == "ZERO") return c.verdict == Verdict::Affine;
  if (claim == "INDEF") return c.verdict == Verdict::Neither;
  if (c.verdict == (up ? Verdict::StrictlyConvex : Verdict::StrictlyConcave)) return claim == "PD" || claim == "ND";
  if (c.verdict != (up ? Verdict::Convex : Verdict::Concave)) return false;
  if (c.strict_if.empty()) return claim == "PSD" || claim == "NSD";
  const NodeId roots[] = {f, x}, xs[] = {x};
  auto s = hessian_spectrum(g, f, xs, kSizes, random_point(g, roots, kSizes, 1));
  return s && (std::abs(double(up ? s->values.front() : s->values.back())) > kTolerance) == (claim == "PD" || claim == "ND");
}

Outcome judge_convexity(const Row& row) {
  Program p = parse(program_of(row.declarations, row.function, "result"));
  const NodeId f = p.find_definition("result")->value.node, x = variable(p, row.wrt), xs[] = {x};
  const Convexity c = convexity(*p.graph, f, xs, {});
  if (c.verdict == Verdict::Unknown) return {Outcome::Kind::Refused, "unknown: " + c.reason};
  if (agrees(*p.graph, f, x, c, row.expected)) return {Outcome::Kind::Right};
  return {Outcome::Kind::Wrong, fmt::format("{}, and not {}", name(c.verdict), row.expected)};
}

Outcome judge(const Row& row) try {
  if (row.form == "convexity") return judge_convexity(row);
  auto form = kForms.find(row.form);
  if (form == kForms.end()) return {Outcome::Kind::Refused, "claims of the form `" + row.form + "` are not supported yet"};
  const std::string name = "result";
  // The published derivatives treat all entries of a variable as free; what a form makes of that for a symmetric one is in kForms.
  auto names = split(row.wrt, ';');
  std::set<std::string, std::less<>> free;
  for (const std::string& n : names) free.insert(trim(n));
  Program f = parse(program_of(row.declarations, row.function, name), free);
  const NodeId function = f.find_definition(name)->value.node;

  NodeId derivative = function;
  for (int k = 0; k < row.order; ++k)
    derivative = simplify(*f.graph, differentiate(*f.graph, derivative, variable(f, trim(names[std::min(size_t(k), names.size() - 1)]))));
  const size_t x_rank = (*f.graph)[variable(f, trim(names[0]))].rank();

  std::vector<std::string> sizes;
  for (DimId d : (*f.graph)[derivative].type) sizes.push_back(f.graph->spell(d));
  Program e = parse(program_of(row.declarations, row.expected, name, sizes));
  const NodeId expected = e.find_definition(name)->value.node;

  for (uint64_t seed = 1; seed <= kPoints; ++seed) {
    auto inputs = point(f, e, seed);
    auto direction = [&](const char* which) { return f.find_declaration(which) ? &inputs.at(variable(f, which)) : nullptr; };
    Derivative d{interpret<Quad>(*f.graph, derivative, kSizes, inputs), (*f.graph)[function].rank(), x_rank};
    Array<Quad> got = form->second(d, direction("H"), direction("G"));
    Array<Quad> want = interpret<Quad>(*e.graph, expected, kSizes, point(e, e, seed));
    if (!fits(want, got)) return {Outcome::Kind::Wrong, "shapes differ"};
    if (double difference = relative_difference(got, want); !(difference < kTolerance))
      return {Outcome::Kind::Wrong, fmt::format("differs by {:.1e}", difference)};
  }
  return {Outcome::Kind::Right};
} catch (const Refused& refused) {
  return {Outcome::Kind::Refused, refused.reason};
} catch (const std::exception& e) {
  return {Outcome::Kind::Refused, e.what()};
}

std::string folder() { return RICCI_SOURCE_DIR "/tests/corpus/"; }

struct Tally {
  int right = 0;
  std::vector<std::string> wrong;
  std::map<std::string, std::vector<std::string>> refused;  // by reason
};

Tally judge_all(std::span<const Row> rows) {
  Tally t;
  for (const Row& row : rows) {
    Outcome o = judge(row);
    if (o.kind == Outcome::Kind::Right) ++t.right;
    if (o.kind == Outcome::Kind::Wrong)
      t.wrong.push_back(fmt::format("{}: {} by {} ({}): {}", row.id, row.function, row.wrt, row.form, o.detail));
    if (o.kind == Outcome::Kind::Refused) t.refused[o.detail].push_back(row.id);
  }
  return t;
}

void print(const Tally& t, size_t rows, const char* what) {
  fmt::print("{}: {} of {} right, {} wrong, {} not answered\n", what, t.right, rows, t.wrong.size(),
             int(rows) - t.right - int(t.wrong.size()));
  std::vector<std::pair<std::string, std::vector<std::string>>> reasons(t.refused.begin(), t.refused.end());
  std::ranges::stable_sort(reasons, std::greater(), [](auto& r) { return r.second.size(); });
  for (auto& [reason, ids] : reasons) fmt::print("  {:3}  {}: {}\n", ids.size(), reason, fmt::join(ids, " "));
}

TEST(Corpus, HasNoWrongAnswerAndNoFewerRightOnesThanBefore) {
  const char* other = std::getenv("RICCI_CORPUS");  // another table than the project's
  auto rows = read_rows(other ? other : folder() + "derivatives.tsv");
  Tally t = judge_all(rows);
  print(t, rows.size(), "corpus");
  for (const std::string& w : t.wrong) ADD_FAILURE() << w;
  if (other) return;
  ASSERT_EQ(rows.size(), 475u);
  int floor = 0;
  std::ifstream(folder() + "floor.txt") >> floor;
  EXPECT_GE(t.right, floor) << "rows that were right are not any more";
}

TEST(Corpus, AgreesWithNoneOfThePublishedErrors) {
  for (const Row& row : read_rows(folder() + "errata.tsv")) EXPECT_NE(judge(row).kind, Outcome::Kind::Right) << row.id;
}

TEST(Corpus, AnswersTheLectureNotes) {
  auto rows = read_rows(folder() + "derivatives.tsv");
  std::erase_if(rows, [](const Row& r) { return !r.id.starts_with("S1") && !r.id.starts_with("S2") && !r.id.starts_with("S3"); });
  Tally t = judge_all(rows);
  print(t, rows.size(), "lecture notes, exercises and article");
  EXPECT_EQ(t.right, 83);
}

}  // namespace
}  // namespace ricci::corpus
