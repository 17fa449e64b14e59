// Any words, a line each, as a command line: refused with a UsageError or read, and never run. Seeds: tests/fuzz/seeds/command_line.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <sstream>
#include <string>
#include <vector>

#include "tools/guard.h"
#include "tools/ricci/command.h"
#include "tools/ricci/command_line.h"

using namespace ricci;
using namespace ricci::driver;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::istringstream text(std::string(reinterpret_cast<const char*>(data), size));
  std::vector<std::string> words;
  for (std::string word; std::getline(text, word);)
    if (word.find('\0') == std::string::npos) words.push_back(word);  // no argument of a process has one
  Options options;
  CLI::App app("", "ricci");
  add_options(*app.add_subcommand("answer", "from formulas to formulas"), options, kInput | kDerivative | kAnswer | kEmit | kPasses);
  add_options(*app.add_subcommand("run", "from formulas to numbers"), options, kInput | kCode | kData | kPasses);
  add_options(*app.add_subcommand("none", "with the options of every command"), options, 0);
  try {
    words = normalise(app, std::move(words));
    std::reverse(words.begin(), words.end());
    app.parse(std::move(words));
  } catch (const UsageError&) {
  } catch (const CLI::Error&) {
  }
  return 0;
}
