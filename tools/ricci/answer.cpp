// Forms and kinds are rows of tables; this file finds the rows and writes what they give.
#include "tools/ricci/answer.h"

#include <fmt/format.h>

#include "codegen/index_form.h"
#include "codegen/text.h"
#include "passes/raise.h"
#include "passes/simplify.h"
#include "tools/guard.h"
#include "tools/output.h"
#include "tools/ricci/emit.h"
#include "tools/watch_passes.h"

namespace ricci::driver {
namespace {

struct Question {
  const Program& program;
  const Value& value;
  const std::string& name;
  bool all_low;
};

std::string index_line(const Question& q) { return index_form(*q.program.graph, q.name, q.value, q.all_low) + "\n"; }

std::string matrix_line(const Question& q) {
  Raised raised = raise(*q.program.graph, q.value.node, q.value.variance);
  if (raised.expr) return to_text(*raised.expr) + "\n";
  fmt::print(stderr, "no matrix form: {}\n", raised.reason);
  return index_line(q);
}

struct Form {
  std::string_view name;
  std::string (*line)(const Question&);
};
constexpr Form kForms[] = {{"matrix", matrix_line}, {"index", index_line}};

std::string in_form(const Question& q, std::string_view name) {
  for (const Form& f : kForms)
    if (f.name == name) return f.line(q);
  throw NotSupported(fmt::format("the form `{}`", name));
}

}  // namespace

Value simplified(Program& program, Value value, const Options& o) {
  WatchPasses watch({o.print_after_all, o.print_changed, o.verify_each, o.time_passes, o.stats, o.print_after, o.max_nodes});
  value.node = simplify(*program.graph, value.node);
  return value;
}

std::string answer_text(const Program& program, const Value& value, const Definition& definition, const Options& options) {
  if (!options.emit.empty()) {
    const AnswerEmitter* emitter = find_answer_emitter(options.emit);
    if (!emitter)
      throw UsageError(find_program_emitter(options.emit) ? fmt::format("`{}` is made from programs: ricci compile", options.emit)
                                                          : unknown_kind(options.emit));
    return emitter->emit(program, value, definition.name);
  }
  const Question question{program, value, definition.name, definition.all_low};
  if (options.forms.empty()) return in_form(question, definition.indexed ? "index" : "matrix");
  std::string text;
  for (const std::string& form : options.forms) text += in_form(question, form);
  return text;
}

}  // namespace ricci::driver
