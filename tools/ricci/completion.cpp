// Completion scripts are generated from the options themselves, so they cannot lag behind them.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>

#include "tools/guard.h"
#include "tools/ricci/command.h"
#include "tools/ricci/command_line.h"

namespace ricci::driver {
namespace {

struct Described {
  std::string name, help;
};

std::vector<Described> options_of(const CLI::App& command) {
  std::vector<Described> all;
  for (const CLI::Option* option : command.get_options())
    for (const std::string& name : option->get_lnames()) all.push_back({"--" + name, option->get_description()});
  return all;
}

std::string words(const std::vector<Described>& list) {
  std::string text;
  for (const Described& d : list) text += (text.empty() ? "" : " ") + d.name;
  return text;
}

std::vector<Described> described_commands() {
  std::vector<Described> all;
  for (const Command& c : commands()) all.push_back({std::string(c.name), std::string(c.summary)});
  return all;
}

std::string in_quotes(std::string_view text) {  // for '...' in a shell
  std::string safe;
  for (char c : text) safe += c == '\'' ? "'\\''" : std::string(1, c);
  return "'" + safe + "'";
}

std::string bash(const CLI::App& app) {
  std::string cases;
  for (const Command& c : commands())
    cases += fmt::format("    {}) words={} ;;\n", c.name, in_quotes(words(options_of(*app.get_subcommand(std::string(c.name))))));
  return fmt::format(
      "_ricci() {{\n  local current=${{COMP_WORDS[COMP_CWORD]}} words\n  case ${{COMP_WORDS[1]}} in\n{}    *) words={} ;;\n  esac\n"
      "  COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n  [[ $current == -* || $COMP_CWORD -eq 1 ]] || COMPREPLY+=($(compgen -f -- "
      "\"$current\"))\n"
      "}}\ncomplete -F _ricci ricci\n",
      cases, in_quotes(words(described_commands()) + " " + words(options_of(app))));
}

std::string zsh(const CLI::App& app) {
  auto list = [](const std::vector<Described>& entries) {
    std::string text;
    for (const Described& d : entries) text += fmt::format(" {}", in_quotes(d.name + ":" + d.help));
    return text;
  };
  std::string cases;
  for (const Command& c : commands())
    cases += fmt::format("    {}) options=({}) ;;\n", c.name, list(options_of(*app.get_subcommand(std::string(c.name)))));
  return fmt::format(
      "#compdef ricci\n_ricci() {{\n  local -a commands options\n  commands=({})\n  if (( CURRENT == 2 )); then _describe command "
      "commands; return; fi\n"
      "  case $words[2] in\n{}  esac\n  _describe option options\n  _files\n}}\n_ricci \"$@\"\n",
      list(described_commands()), cases);
}

std::string fish(const CLI::App& app) {
  std::string text = "complete -c ricci -n __fish_use_subcommand -f\n";
  for (const Described& d : described_commands())
    text += fmt::format("complete -c ricci -n __fish_use_subcommand -a {} -d {}\n", d.name, in_quotes(d.help));
  for (const Command& c : commands())
    for (const Described& d : options_of(*app.get_subcommand(std::string(c.name))))
      text +=
          fmt::format("complete -c ricci -n '__fish_seen_subcommand_from {}' -l {} -d {}\n", c.name, d.name.substr(2), in_quotes(d.help));
  return text;
}

}  // namespace

std::string completion_script(const CLI::App& app, const std::string& shell) {
  if (shell == "bash") return bash(app);
  if (shell == "zsh") return zsh(app);
  if (shell == "fish") return fish(app);
  throw UsageError(fmt::format("no completion for `{}`: bash, zsh and fish are known", shell));
}

}  // namespace ricci::driver
