// What the commands share: reading the input, telling the user what is wrong with it or was assumed, and finding what is meant.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "frontend/program.h"
#include "tools/ricci/options.h"

namespace ricci::driver {

// Colour on stderr: a terminal, and no NO_COLOR.
bool coloured_errors();

// Prints diagnostics to stderr as the options say.
void print_diagnostics(const Diagnostics& diagnostics, const Options& options);

// The input that the options name: a file, stdin or the text itself. A text without definitions is an expression, whose value is the definition
// `f`. The kinds of undeclared names are inferred where nothing is declared, but not in a file with definitions.
struct Input {
  std::string text, name;
  bool file = false, expression = false, inferred = false;
};
Input read_input(const Options& options);
// Says what was assumed. Throws InputError after printing what is wrong.
Program parse_input(const Input& input, const Options& options);
inline Program load(const Options& options) { return parse_input(read_input(options), options); }

// The definition that --fn names, without it the last one; all parts of a derivative by several variables. Throws UsageError.
std::vector<Definition> chosen_definitions(const Program& program, const Options& options);
// The same where there must be but one.
Definition chosen_definition(const Program& program, const Options& options);

// The exported function that --fn names; without it the only one, or the first. Throws UsageError.
const Export& chosen_export(const Program& program, const Options& options);

// A declared variable by name. Throws UsageError with the nearest name.
const Declaration& declared(const Program& program, std::string_view name);

// A declared variable to differentiate by: not one that is `constant`.
const Declaration& differentiation_variable(const Program& program, std::string_view name);

// "a,b , c" as its parts.
std::vector<std::string> split_names(std::string_view list);
// Those of --wrt; a mistake if there are none.
std::vector<std::string> variable_names(const Options& options);

// --dim NAME=N ... as sizes. Throws UsageError.
std::map<std::string, int64_t, std::less<>> dimension_sizes(const Options& options);

// Throws TooLarge beyond --max-nodes.
void check_size(const Graph& graph, const Options& options);

}  // namespace ricci::driver
