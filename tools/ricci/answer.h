// What is printed of a value: the forms asked for, or what --emit names.
#pragma once
#include <string>

#include "frontend/program.h"
#include "tools/ricci/options.h"

namespace ricci::driver {

// A question and its answer: `definition` says what it is called and whether its indices stand low; `value` is its derivative by each of
// `variables` in turn, simplified; none if it is the definition itself.
struct Answer {
  Program& program;
  const Definition& definition;
  std::vector<NodeId> variables;
  Value value;
  bool named = false;  // one of several: a matrix form says whose it is
};

// The text of an answer, one line per form. The form is matrix notation, or index notation if the definition was written so. What has no
// matrix form is given in index form, with the reason on stderr. Throws UsageError for a kind of --emit that does not exist, NotSupported
// for a form the answer does not have.
std::string answer_text(const Answer& answer, const Options& options);

// `value` simplified by the passes.
Value simplified(Program& program, Value value);

}  // namespace ricci::driver
