// Forms and kinds are rows of tables; this file finds the rows and writes what they give.
#include "tools/ricci/answer.h"

#include <fmt/format.h>

#include <algorithm>

#include "codegen/forms.h"
#include "codegen/index_form.h"
#include "codegen/text.h"
#include "passes/raise.h"
#include "passes/simplify.h"
#include "passes/substitute.h"
#include "passes/weight.h"
#include "tools/guard.h"
#include "tools/output.h"
#include "tools/ricci/emit.h"

namespace ricci::driver {
namespace {

constexpr uint64_t kMostWritten = 50'000;  // of an answer's weight (passes/weight.h): a page of formulas is a few hundred

PrintedLine line_of(PrintedLine::Form form, std::vector<Equation> equations, std::vector<NodeId> directions = {}) {
  std::string text = to_text(equations);
  return {form, std::move(text), std::move(directions), std::move(equations)};
}

PrintedLine index_line(const Answer& a) {
  if (Weight(*a.program.graph)(a.value.node) > kMostWritten)
    throw TooLarge("the answer is too long to be written as a formula; `--emit ir` writes its graph");
  return line_of(PrintedLine::Form::Index, index_equations(*a.program.graph, a.definition.name, a.value, a.definition.all_low));
}

// The answer as one matrix.
Value in_layout(const Answer& a) {
  if (a.variables.empty()) return a.value;
  Value v = laid_out(*a.program.graph, a.value, (*a.program.graph)[a.definition.value.node].rank(), a.layout);
  return v.node == a.value.node ? v : simplified(a.program, std::move(v));
}

PrintedLine matrix_line(const Answer& a) {
  const Value v = in_layout(a);
  Raised raised = raise(*a.program.graph, v.node, v.variance);
  if (raised.expr) return line_of(PrintedLine::Form::Matrix, {{std::nullopt, to_text(*raised.expr), *raised.expr}});
  fmt::print(stderr, "no matrix form: {}\n", raised.reason);
  return index_line(a);
}

PrintedLine derivative_line(const Answer& a, PrintedLine::Form form, Shown shown) {
  if (shown.equation) return line_of(form, {std::move(*shown.equation)}, std::move(shown.directions));
  fmt::print(stderr, "no such form: {}\n", shown.reason);
  return index_line(a);
}

Derivative derivative_of(const Answer& a, const Value& value, SymmetricConvention symmetric) {
  if (a.variables.empty()) throw UsageError("slices, differentials and vec are forms of derivatives: ricci diff");
  return {a.definition.name, a.variables, value, [&a, symmetric](std::span<const NodeId> directions) {
            Graph& g = *a.program.graph;
            return substitute(g, derivative_along(g, a.definition.value.node, a.variables, directions, symmetric), a.program.promised);
          }};
}

PrintedLine slice_line(const Answer& a) {
  return derivative_line(a, PrintedLine::Form::Slices, slice_form(*a.program.graph, derivative_of(a, a.value, a.symmetric)));
}

PrintedLine differential_line(const Answer& a) {
  const Derivative d = a.total ? derivative_of(a, *a.total, SymmetricConvention::Projected) : derivative_of(a, a.value, a.symmetric);
  return derivative_line(a, PrintedLine::Form::Differential, differential_form(*a.program.graph, d));
}

PrintedLine vec_line(const Answer& a) {
  return derivative_line(a, PrintedLine::Form::Vec, vec_form(*a.program.graph, derivative_of(a, a.value, a.symmetric), a.layout));
}

struct Form {
  std::string_view name;
  PrintedLine (*line)(const Answer&);
};
constexpr Form kForms[] = {
    {"matrix", matrix_line}, {"index", index_line}, {"slices", slice_line}, {"differential", differential_line}, {"vec", vec_line},
};

PrintedLine in_form(const Answer& a, std::string_view name) {
  auto form = std::ranges::find(kForms, name, &Form::name);
  if (form == std::end(kForms)) throw UsageError(fmt::format("no form `{}`", name));
  return form->line(a);
}

}  // namespace

Value simplified(Program& program, Value value) {
  value.node = simplify(*program.graph, value.node);
  return value;
}

std::vector<PrintedLine> answer_lines(const Answer& answer, const Options& options) {
  if (options.forms.empty()) return {in_form(answer, answer.definition.indexed ? "index" : "matrix")};
  std::vector<PrintedLine> lines;
  for (const std::string& form : options.forms) lines.push_back(in_form(answer, form));
  return lines;
}

// The line in the notation that --emit names.
std::string spelled(const Answer& answer, const PrintedLine& line, const Options& options) {
  std::vector<Equation> equations = line.equations;
  if (answer.named && line.form == PrintedLine::Form::Matrix) equations[0].left = mat::name(answer.definition.name, mat::Shape::scalar());
  const Notation* notation = find_notation(options.emit);
  if (!notation) return to_text(equations);
  try {
    return typeset(*answer.program.graph, equations, *notation);
  } catch (const NotReadable& e) {
    throw NotSupported(fmt::format("this answer in another notation than text, since it does not read back ({}): --emit {}", e.what(), options.emit));
  }
}

std::string joined(const Answer& answer, const std::vector<PrintedLine>& lines, const Options& options) {
  std::string text;
  for (const PrintedLine& line : lines) text += spelled(answer, line, options) + "\n";
  return text;
}

std::string written(const Answer& answer, const Options& options) {
  return is_formula(options.emit) ? joined(answer, answer_lines(answer, options), options) : emitted(answer, options);
}

std::string emitted(const Answer& answer, const Options& options) {
  const AnswerEmitter* emitter = find_answer_emitter(options.emit);
  if (!emitter)
    throw UsageError(find_program_emitter(options.emit) ? fmt::format("`{}` is made from programs: ricci compile", options.emit)
                                                        : unknown_kind(options.emit));
  for (const std::string& form : options.forms)
    if (form != "matrix") throw UsageError(fmt::format("the form `{}` is a formula, and `{}` is made from the matrix; leave out `--emit {}`", form, options.emit, options.emit));
  return emitter->emit(answer.program, in_layout(answer), answer.definition.name);
}

}  // namespace ricci::driver
