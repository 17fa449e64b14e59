// How long a second derivative takes, from the text of the function to the text of the answer: a figure for people, not a test.
//
//   latency FILE...      .tsv: rows of the corpus; .md: the formulas of `ricci diff "..." --wrt ...` and its like; .ricci: every number defined
//
// What is counted is the processor time of this thread, and of several runs the least, so that a busy machine changes little.
#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <regex>

#include "codegen/index_form.h"
#include "codegen/text.h"
#include "passes/layout.h"
#include "passes/raise.h"
#include "passes/simplify.h"
#include "passes/substitute.h"
#include "passes/weight.h"
#include "tests/corpus/claims.h"

namespace ricci::corpus {
namespace {

constexpr double kLimit = 50;         // milliseconds
constexpr int kRuns = 5;              // of what took longer than half of that the first time
constexpr size_t kWorst = 10;
constexpr uint64_t kMostWritten = 50'000;  // of an answer's weight, as in `ricci diff`

// A function to be differentiated twice by one variable.
struct Question {
  std::string where, text, function, variable;
  std::vector<std::string> declarations = {};
  bool expression = false;
};

double milliseconds() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return double(now.tv_sec) * 1e3 + double(now.tv_nsec) * 1e-6;
}

std::optional<Program> program(const Question& q) {
  Diagnostics diagnostics;
  if (q.expression) return parse_expression(q.text, {q.declarations, "question", {}}, calculus(), diagnostics);
  return parse_program(q.text, "question", calculus(), diagnostics);
}

// What `ricci diff --order 2` prints. Nothing if the program is refused.
std::optional<std::string> hessian(const Question& q) {
  auto p = program(q);
  if (!p) return std::nullopt;
  Graph& g = *p->graph;
  const Definition* f = q.function.empty() ? &p->definitions.back() : p->find_definition(q.function);
  const Declaration* x = p->find_declaration(q.variable);
  if (!f || !x) return std::nullopt;
  Value h = derivative(g, f->value, *x, 2);
  h.node = simplify(g, h.node);
  if (!p->promised.empty()) h.node = simplify(g, substitute(g, h.node, p->promised));
  if (const Raised r = raise(g, h.node, h.variance); r.expr && !f->indexed) return to_text(*r.expr);
  return Weight(g)(h.node) > kMostWritten ? "too long to be written" : index_form(g, f->name, h, f->all_low);
}

// --- questions --------------------------------------------------------------------------------------------------------------------------

void read_table(const std::string& file, std::vector<Question>& questions) {
  for (const Row& row : read_rows(file))
    questions.push_back({row.id, program_of(row.declarations, row.function, "f"), "f", trim(split(row.wrt, ';')[0])});
}

void read_page(const std::string& file, const std::string& text, std::vector<Question>& questions) {
  static const std::regex command(R"re(ricci \w+ ("([^"$]+)"|'([^']+)')[^|`\n]*?--wrt (\w+)([^|`\n]*))re"), declare(R"re(--declare '([^']+)')re");
  for (std::sregex_iterator m(text.begin(), text.end(), command), end; m != end; ++m) {
    Question q{file, (*m)[2].matched ? (*m)[2] : (*m)[3], "", (*m)[4], {}, true};
    const std::string all = m->str();
    for (std::sregex_iterator d(all.begin(), all.end(), declare); d != end; ++d) q.declarations.push_back((*d)[1]);
    questions.push_back(std::move(q));
  }
}

void read_program(const std::string& file, const std::string& text, std::vector<Question>& questions) {
  Diagnostics diagnostics;
  const auto p = parse_program(text, file, calculus(), diagnostics);
  if (!p) return;
  for (const Definition& f : p->definitions)
    for (const Declaration& x : p->declarations)
      if ((*p->graph)[f.value.node].rank() == 0) questions.push_back({file, text, f.name, x.name});
}

std::vector<Question> read(int count, char** files) {
  std::vector<Question> questions;
  for (int k = 0; k < count; ++k) {
    const std::string file = files[k];
    std::ifstream in(file);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    if (file.ends_with(".tsv")) read_table(file, questions);
    else if (file.ends_with(".md")) read_page(file, text, questions);
    else read_program(file, text, questions);
  }
  return questions;
}

// --- the figure -------------------------------------------------------------------------------------------------------------------------

struct Timed {
  double time;
  const Question* question;
  size_t printed;
};

std::optional<Timed> timed(const Question& q, bool print) {
  std::optional<Timed> best;
  for (int run = 0; run < (!best || best->time > kLimit / 2 ? kRuns : 1); ++run) {
    const double start = milliseconds();
    const auto answer = hessian(q);
    const double time = milliseconds() - start;
    if (!answer) return std::nullopt;
    if (print && run == 0) fmt::print("{}\t{}\t{}\t{}\n", q.where, q.function.empty() ? q.text : q.function, q.variable, *answer);
    if (!best || time < best->time) best = {time, &q, answer->size()};
  }
  return best;
}

int report(const std::vector<Question>& questions, bool print) {
  std::vector<Timed> all;
  for (const Question& q : questions)
    if (const auto t = timed(q, print)) all.push_back(*t);
  if (print) return 0;
  std::ranges::sort(all, std::greater{}, &Timed::time);
  double sum = 0;
  for (const Timed& t : all) sum += t.time;
  const auto slow = std::ranges::count_if(all, [](const Timed& t) { return t.time >= kLimit; });
  fmt::print("{} of {} second derivatives took less than {} ms, {} functions were refused; {:.1f} ms on average\n", all.size() - size_t(slow), all.size(), kLimit,
             questions.size() - all.size(), sum / double(std::max<size_t>(1, all.size())));
  for (size_t k = 0; k < std::min(kWorst, all.size()); ++k) {
    const Question& q = *all[k].question;
    const size_t line = q.text.rfind('\n', q.text.size() - 2);
    fmt::print("{:8.1f} ms  {}: {} by {}; the answer has {} letters\n", all[k].time, q.where,
               line == std::string::npos ? q.text : q.where.ends_with(".ricci") ? q.function : q.text.substr(line + 1, q.text.size() - line - 2), q.variable, all[k].printed);
  }
  return 0;
}

}  // namespace
}  // namespace ricci::corpus

// --print: the answers instead, for comparing two compilers.
int main(int argc, char** argv) {
  const bool print = argc > 1 && std::string_view(argv[1]) == "--print";
  return ricci::corpus::report(ricci::corpus::read(argc - 1 - print, argv + 1 + print), print);
}
