// Forms and kinds are rows of tables; this file finds the rows and writes what they give.
#include "tools/ricci/answer.h"

#include <fmt/format.h>

#include <algorithm>

#include "codegen/forms.h"
#include "codegen/index_form.h"
#include "codegen/text.h"
#include "passes/raise.h"
#include "passes/simplify.h"
#include "passes/weight.h"
#include "tools/guard.h"
#include "tools/output.h"
#include "tools/ricci/emit.h"

namespace ricci::driver {
namespace {

constexpr uint64_t kMostWritten = 50'000;  // of an answer's weight (passes/weight.h): a page of formulas is a few hundred

std::string index_line(const Answer& a) {
  if (Weight(*a.program.graph)(a.value.node) > kMostWritten)
    throw TooLarge("the answer is too long to be written as a formula; `--emit ir` writes its graph");
  return index_form(*a.program.graph, a.definition.name, a.value, a.definition.all_low) + "\n";
}

std::string matrix_line(const Answer& a) {
  Raised raised = raise(*a.program.graph, a.value.node, a.value.variance);
  if (raised.expr) return (a.named ? a.definition.name + " = " : "") + to_text(*raised.expr) + "\n";
  fmt::print(stderr, "no matrix form: {}\n", raised.reason);
  return index_line(a);
}

template <Shown (*show)(Graph&, const Derivative&)>
std::string derivative_line(const Answer& a) {
  if (a.variables.empty()) throw UsageError("slices, differentials and vec are forms of derivatives: ricci diff");
  Shown shown = show(*a.program.graph, {a.definition.name, a.variables, a.value});
  if (shown.text) return *shown.text + "\n";
  fmt::print(stderr, "no such form: {}\n", shown.reason);
  return index_line(a);
}

struct Form {
  std::string_view name;
  std::string (*line)(const Answer&);
};
constexpr Form kForms[] = {
    {"matrix", matrix_line},
    {"index", index_line},
    {"slices", derivative_line<slice_form>},
    {"differential", derivative_line<differential_form>},
    {"vec", derivative_line<vec_form>},
};

std::string in_form(const Answer& a, std::string_view name) {
  auto form = std::ranges::find(kForms, name, &Form::name);
  if (form == std::end(kForms)) throw UsageError(fmt::format("no form `{}`", name));
  return form->line(a);
}

}  // namespace

Value simplified(Program& program, Value value) {
  value.node = simplify(*program.graph, value.node);
  return value;
}

std::string answer_text(const Answer& answer, const Options& options) {
  if (!options.emit.empty()) {
    const AnswerEmitter* emitter = find_answer_emitter(options.emit);
    if (!emitter)
      throw UsageError(find_program_emitter(options.emit) ? fmt::format("`{}` is made from programs: ricci compile", options.emit)
                                                          : unknown_kind(options.emit));
    return emitter->emit(answer.program, answer.value, answer.definition.name);
  }
  if (options.forms.empty()) return in_form(answer, answer.definition.indexed ? "index" : "matrix");
  std::string text;
  for (const std::string& form : options.forms) text += in_form(answer, form);
  return text;
}

}  // namespace ricci::driver
