// A command of the driver. commands.cpp has the table, which is the only list of them: help, completion and dispatch read it.
#pragma once
#include <span>
#include <string_view>

#include "tools/ricci/options.h"

namespace ricci::driver {

struct Command {
  std::string_view name, summary, example;
  unsigned groups;             // of options
  int (*run)(const Options&);  // returns an exit code; nullptr: the command is known, and not supported yet
};

std::span<const Command> commands();

int diff(const Options&);
int simplify_command(const Options&);
int compile(const Options&);
int run(const Options&);
int check(const Options&);
int verify(const Options&);
int convexity_command(const Options&);
int cost(const Options&);
int bench(const Options&);
int explain(const Options&);

}  // namespace ricci::driver
