// ricci compile: a program's exported functions as code in some language, or its definitions as formulas.
#include <fmt/format.h>

#include "tools/guard.h"
#include "tools/output.h"
#include "tools/ricci/answer.h"
#include "tools/ricci/command.h"
#include "tools/ricci/emit.h"

namespace ricci::driver {
namespace {

// Kinds that are bytes, which nobody wants on a terminal.
bool is_binary(std::string_view kind) { return kind == "bc" || kind == "obj" || kind == "so"; }

std::vector<Export> chosen_functions(const Program& program, const Options& options) {
  if (options.fn.empty()) return program.exports;
  return {chosen_export(program, options)};
}

std::string formulas(Program& program, const Options& options) {
  std::vector<const Definition*> chosen;
  for (const Definition& d : program.definitions)
    if (options.fn.empty() || d.name == options.fn) chosen.push_back(&d);
  std::string text;
  for (const Definition* d : chosen) text += written({program, *d, {}, simplified(program, d->value), chosen.size() > 1}, options);
  return text;
}

}  // namespace

int compile(const Options& options) {
  const std::string kind = options.emit.empty() ? "obj" : options.emit;
  const ProgramEmitter* code = find_program_emitter(kind);
  if (!code && !is_formula(kind)) throw UsageError(unknown_kind(kind));
  if (is_binary(kind) && options.output.empty())
    throw UsageError(fmt::format("{} is binary: name a file with -o, or -o - for stdout", kind));
  Program program = load(options);
  write_output(options.output,
               code ? code->emit(program, chosen_functions(program, options), options) : formulas(program, options));
  return kSuccess;
}

}  // namespace ricci::driver
