// What is printed of a value: the forms asked for, or what --emit names.
#pragma once
#include <string>

#include "frontend/program.h"
#include "tools/ricci/options.h"

namespace ricci::driver {

// The text of the answer `value` to a question about `definition`, which says what it is called and whether its indices stand low; one line
// per form. The form is matrix notation, or index notation if the definition was written so. What has no matrix form is given in index
// form, with the reason on stderr. Throws UsageError for a kind that does not exist.
std::string answer_text(const Program& program, const Value& value, const Definition& definition, const Options& options);

// `value` simplified by the passes, which print, time and verify as the options say.
Value simplified(Program& program, Value value, const Options& options);

}  // namespace ricci::driver
