// ricci: the driver. It reads the command line and hands over to one of the commands of commands.cpp; mathematics is in the libraries.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "codegen/jit.h"
#include "tools/guard.h"
#include "tools/output.h"
#include "tools/ricci/command.h"
#include "tools/ricci/command_line.h"

namespace ricci::driver {
namespace {

struct CommandLine {
  CLI::App app{"Derivatives of matrix and tensor expressions, as formulas and as native code", "ricci"};
  Options options = {};
  bool version = false;
  std::string completion = {};

  CommandLine() {
    app.require_subcommand(0, 1);
    app.add_flag("--version", version, "the version, LLVM's, and the CPU code is made for");
    app.add_option("--completion", completion, "print a completion script: bash, zsh or fish")->type_name("SHELL");
    for (const Command& c : commands()) {
      CLI::App* sub = app.add_subcommand(std::string(c.name), std::string(c.summary));
      add_options(*sub, options, c.groups);
      sub->footer(fmt::format("\n  {}", c.example));
    }
  }
};

int run(const Command& command, const Options& options) try {
  const WatchPasses watch(watch_options(options));
  return command.run(options);
} catch (const TargetError& e) {
  throw UsageError(e.what());
}

int dispatch(CommandLine& line) {
  if (line.version) {
    fmt::print("ricci {} (LLVM {}, {})\n", RICCI_PROJECT_VERSION, RICCI_LLVM_VERSION, resolve({}).cpu);
    return kSuccess;
  }
  if (!line.completion.empty()) {
    write_output("-", completion_script(line.app, line.completion));
    return kSuccess;
  }
  for (const Command& c : commands()) {
    if (!line.app.got_subcommand(std::string(c.name))) continue;
    if (!c.run) throw NotSupported(fmt::format("`ricci {}`", c.name));
    limit_time(line.options.timeout);
    return run(c, line.options);
  }
  fmt::print("{}", line.app.help());
  return kSuccess;
}

// CLI11's own exit codes are not ours: help is success, everything else a wrong command line.
int parse(CommandLine& line, std::vector<std::string> words) {
  try {
    words = normalise(line.app, std::move(words));
    std::reverse(words.begin(), words.end());  // as CLI11 takes them
    line.app.parse(std::move(words));
  } catch (const CLI::Success& e) {
    line.app.exit(e);
    return kSuccess;
  } catch (const CLI::ParseError& e) {
    throw UsageError(e.what());
  }
  return dispatch(line);
}

}  // namespace
}  // namespace ricci::driver

int main(int argc, char** argv) {
  std::vector<std::string> words(argv + 1, argv + argc);
  return ricci::run_guarded(words, [&] {
    ricci::driver::CommandLine line;
    return ricci::driver::parse(line, words);
  });
}
