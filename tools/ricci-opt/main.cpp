// ricci-opt: IR text in, named passes, IR text out. So that any pass can be tested alone.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "ir/text.h"
#include "ir/verify.h"
#include "tools/guard.h"
#include "tools/output.h"
#include "tools/tensor_file.h"
#include "tools/watch_passes.h"

namespace ricci {
namespace {

struct Options {
  std::string input = "-", output;
  std::vector<std::string> passes, disabled;
  WatchOptions watch;
  double timeout = 0;
  bool list = false, verify = false;
};

void add_options(CLI::App& app, Options& o) {
  app.add_option("input", o.input, "a file of IR text; - is stdin")->type_name("FILE");
  app.add_option("-o,--output", o.output, "the file to write")->type_name("FILE");
  app.add_option("--passes", o.passes, "the passes to run, in this order")->delimiter(',')->allow_extra_args(false)->type_name("A,B");
  app.add_option("--disable-rule", o.disabled, "a rule that `rewrite` is not to use")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("NAME");
  app.add_flag("--verify", o.verify, "check the IR's invariants, and nothing else, if no passes are named");
  app.add_flag("--list-passes", o.list, "print the passes and what they do");
  app.add_flag("--print-after-all", o.watch.print_after_all, "print the IR after every pass, to stderr");
  app.add_option("--print-after", o.watch.print_after, "print the IR after this pass, to stderr")
      ->allow_extra_args(false)
      ->type_name("PASS");
  app.add_flag("--print-changed", o.watch.print_changed, "print the IR after every pass that changed it, to stderr");
  app.add_flag("--verify-each", o.watch.verify_each, "check the IR's invariants after every pass");
  app.add_flag("--time-passes", o.watch.time_passes, "print the time of every pass, to stderr");
  app.add_flag("--stats", o.watch.stats, "print the number of nodes before and after, to stderr");
  app.add_option("--max-nodes", o.watch.max_nodes, "give up when the graph has grown to so many nodes")->type_name("N");
  app.add_option("--timeout", o.timeout, "give up after so many seconds")->type_name("SECONDS");
}

int list_passes() {
  for (const Pass& p : passes()) fmt::print("{:<16} {}\n", p.name, p.summary);
  return kSuccess;
}

int work(const Options& o) {
  if (o.list) return list_passes();
  limit_time(o.timeout);
  std::vector<Pass> chosen;
  for (const std::string& name : o.passes) chosen.push_back(named_pass(name));
  const std::string text = read_file(o.input);
  remember_input(o.input, text);
  Graph g;
  IrError error;
  auto roots = parse_ir(g, text, error);
  if (!roots) {
    fmt::print(stderr, "{}:{}:{}: error: {}\n", o.input == "-" ? "<stdin>" : o.input, error.line, error.column, error.message);
    return kWrongInput;
  }
  SimplifyOptions options;
  options.disabled.insert(o.disabled.begin(), o.disabled.end());
  {
    WatchPasses watch(o.watch);
    for (NodeId& root : *roots)
      for (const Pass& pass : chosen) root = run_pass(g, pass, root, options);
  }
  if (o.verify)
    for (const std::string& broken : verify(g, *roots)) throw std::logic_error(broken);
  write_output(o.output, print_ir(g, *roots));
  return kSuccess;
}

int parse(const std::vector<std::string>& words) {
  CLI::App app{"Reads IR text, runs passes, prints IR text", "ricci-opt"};
  Options options;
  add_options(app, options);
  try {
    std::vector<std::string> reversed(words.rbegin(), words.rend());  // as CLI11 takes them
    for (std::string& w : reversed)
      if (w.size() > 2 && w[0] == '-' && w[1] != '-' && w[1] != 'o') w.insert(0, 1, '-');
    app.parse(std::move(reversed));
  } catch (const CLI::Success& e) {
    app.exit(e);
    return kSuccess;
  } catch (const CLI::ParseError& e) {
    throw UsageError(e.what());
  }
  return work(options);
}

}  // namespace
}  // namespace ricci

int main(int argc, char** argv) {
  std::vector<std::string> words(argv + 1, argv + argc);
  return ricci::run_guarded(words, [&] { return ricci::parse(words); });
}
