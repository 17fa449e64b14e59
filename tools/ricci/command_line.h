// From argv to words that CLI11 reads as a user means them, with a suggestion for what it would not know.
#pragma once
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace ricci::driver {

// -emit=cpp becomes --emit=cpp; an expression that begins with a minus sign is marked, by a space before it, as no option. Throws
// UsageError, with the nearest name, for a command or an option that does not exist.
std::vector<std::string> normalise(const CLI::App& app, std::vector<std::string> words);

// A script for the completion of commands, options and their values. Throws UsageError for another shell than bash, zsh and fish.
std::string completion_script(const CLI::App& app, const std::string& shell);

}  // namespace ricci::driver
