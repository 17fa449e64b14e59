// Words that start with a dash are options only if they could be spelt as one: `-x'*x` is an expression.
#include "tools/ricci/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "frontend/spelling.h"
#include "tools/guard.h"

namespace ricci::driver {
namespace {

std::vector<std::string> long_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options())
    for (const std::string& name : option->get_lnames()) names.push_back(name);
  return names;
}

std::vector<std::string> command_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; })) names.push_back(sub->get_name());
  return names;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& names, std::string_view dashes) {
  auto near = nearest(word, names);
  return near ? fmt::format("; did you mean `{}{}`?", dashes, *near) : "";
}

bool is_option_spelling(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
}

// One word after the command's name.
std::string normalise_word(const std::string& word, const CLI::App& command) {
  if (word.size() < 2 || word[0] != '-' || word == "--") return word;
  bool two_dashes = word[1] == '-';
  std::string name = word.substr(two_dashes ? 2 : 1);
  name.resize(std::min(name.find('='), name.size()));
  auto names = long_names(command);
  if (std::ranges::find(names, name) != names.end()) return two_dashes ? word : "-" + word;
  const CLI::Option* one_letter = two_dashes ? nullptr : command.get_option_no_throw(word.substr(0, 2));
  bool value_is_joined = one_letter && (word.size() == 2 || (one_letter->get_items_expected() > 0 && (name[0] == 'O' || name[0] == 'o')));
  if (value_is_joined) return word;
  bool misspelt = is_option_spelling(name) && name.size() > 1 && (two_dashes || nearest(name, names));
  if (misspelt)
    throw UsageError(fmt::format("`ricci {}` has no option `{}`{}", command.get_name(), word.substr(0, word.find('=')),
                                 did_you_mean(name, names, "--")));
  return " " + word;
}

}  // namespace

std::vector<std::string> normalise(const CLI::App& app, std::vector<std::string> words) {
  size_t at = 0;
  while (at < words.size() && words[at].starts_with('-')) {
    if (words[at].size() > 2 && words[at][1] != '-') words[at].insert(0, 1, '-');
    std::string name = words[at].substr(0, words[at].find('='));
    const CLI::Option* option = app.get_option_no_throw(name);
    if (!option)
      throw UsageError(fmt::format("no option `{}` before a command{}", name,
                                   did_you_mean(name.substr(std::min(name.size(), name.find_first_not_of('-'))), long_names(app), "--")));
    at += option->get_items_expected() > 0 && words[at].find('=') == std::string::npos ? 2 : 1;
  }
  if (at >= words.size()) return words;
  auto names = command_names(app);
  if (std::ranges::find(names, words[at]) == names.end())
    throw UsageError(fmt::format("no command `{}`{}", words[at], did_you_mean(words[at], names, "")));
  const CLI::App* command = app.get_subcommand(words[at]);
  for (++at; at < words.size(); ++at) words[at] = normalise_word(words[at], *command);
  return words;
}

}  // namespace ricci::driver
