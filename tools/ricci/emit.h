// The kinds of --emit: what each is made from, and how. A row each; nothing else knows them by name.
#pragma once
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "tools/ricci/input.h"

namespace ricci::driver {

// From one answer: `name` is what it is called.
struct AnswerEmitter {
  std::string_view kind;
  std::string (*emit)(const Program& program, const Value& value, const std::string& name);
};
std::span<const AnswerEmitter> answer_emitters();

// From the exported functions of a program.
struct ProgramEmitter {
  std::string_view kind;
  std::string (*emit)(Program& program, std::span<const Export> functions, const Options& options);
};
std::span<const ProgramEmitter> program_emitters();

const AnswerEmitter* find_answer_emitter(std::string_view kind);
const ProgramEmitter* find_program_emitter(std::string_view kind);

// Whether it is a notation of formulas, in which every answer and every form is written; nothing is text.
bool is_formula(std::string_view kind);

// The complaint about a kind that does not exist, with the nearest that does.
std::string unknown_kind(std::string_view kind);

}  // namespace ricci::driver
