// What is printed of a value: the forms asked for, or what --emit names.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "codegen/printed_line.h"
#include "frontend/program.h"
#include "tools/ricci/options.h"

namespace ricci::driver {

// A question and its answer: `definition` says what it is called and whether its indices stand low; `value` is its derivative by each of
// `variables` in turn, simplified and not laid out; none if it is the definition itself.
struct Answer {
  Program& program;
  const Definition& definition;
  std::vector<NodeId> variables;
  Value value;
  bool named = false;  // one of several: a matrix form says whose it is
  DerivativeLayout layout = DerivativeLayout::Mixed;
  std::optional<Value> total = {};  // what differentials are made of, if that is not `value`: by independent entries
  SymmetricConvention symmetric = SymmetricConvention::Projected;  // of `value`; that of `total` is Projected
};

// The answer as formulas, a line for each form that the options name. The form is matrix notation, or index notation if the definition was written so.
// What has no matrix form is given in index form, with the reason on stderr. Throws NotSupported for a form the answer does not have.
std::vector<PrintedLine> answer_lines(const Answer& answer, const Options& options);
std::string joined(const Answer& answer, const std::vector<PrintedLine>& lines, const Options& options);

// The answer as what --emit names, other than a formula. Throws UsageError for a kind that does not exist, and for forms.
std::string emitted(const Answer& answer, const Options& options);

// Either.
std::string written(const Answer& answer, const Options& options);

// `value` simplified by the passes.
Value simplified(Program& program, Value value);

}  // namespace ricci::driver
