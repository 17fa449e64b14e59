// What each option is called, what it takes and what it says of itself in --help and in completions.
#include "tools/ricci/options.h"

#include <CLI/CLI.hpp>
#include <cstdlib>

namespace ricci::driver {
namespace {

// One value at each occurrence: a following word is not swallowed.
CLI::Option* repeated(CLI::App& app, const char* name, std::vector<std::string>& values, const char* help, const char* type) {
  return app.add_option(name, values, help)->allow_extra_args(false)->type_name(type);
}

const std::vector<std::string> kForms = {"matrix", "index", "slices", "differential", "vec"};
const std::vector<std::string> kLayouts = {"mixed", "numerator", "denominator"};
const std::vector<std::string> kSymmetric = {"projected", "unconstrained", "independent"};

const CLI::Range kCount(1, 1'000'000'000);
const CLI::Validator kSeconds(
    [](std::string& text) {
      char* end = nullptr;
      const double seconds = std::strtod(text.c_str(), &end);
      return end != text.c_str() && *end == 0 && seconds >= 0 && seconds < 1e9 ? "" : text + " is no number of seconds";
    },
    "");

void add_input(CLI::App& app, Options& o) {
  app.add_option("input", o.input, "a file, - for stdin, or an expression")->required()->type_name("FILE|-|EXPR");
  repeated(app, "--declare", o.declare, "declarations, as 'A: matrix(n, n) symmetric; x: vector(n)'", "TEXT");
  app.add_option("--fn", o.fn, "the definition, or the exported function, that is meant")->type_name("NAME");
}

void add_derivative(CLI::App& app, Options& o) {
  app.add_option("--wrt", o.wrt, "the variable; several, separated by commas, give a line each")->required()->type_name("NAME");
  app.add_option("--order", o.order, "how often to differentiate")->check(CLI::Range(1, 9))->type_name("N");
}

void add_convention(CLI::App& app, Options& o) {
  app.add_option("--layout", o.layout, "where the indices of a Jacobian and a gradient stand")
      ->check(CLI::IsMember(kLayouts))
      ->type_name("NAME");
  app.add_option("--symmetric", o.symmetric, "the gradient by a symmetric variable")->check(CLI::IsMember(kSymmetric))->type_name("NAME");
}

void add_variables(CLI::App& app, Options& o) {
  app.add_option("--wrt", o.wrt, "the variable, or several, separated by commas, that move together")->required()->type_name("NAME");
}

void add_answer(CLI::App& app, Options& o) {
  app.add_option("--form", o.forms, "matrix, index, slices, differential, vec; several, separated by commas, give a line each")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::IsMember(kForms))
      ->type_name("NAME");
}

void add_emit(CLI::App& app, Options& o) {
  app.add_option("--emit", o.emit,
                 "text, unicode, latex, mathml, numpy, eigen, cpp, header, llvm, bc, asm, obj, so, dot, json, ir, plan, loops")
      ->type_name("KIND");
  app.add_option("-o,--output", o.output, "the file to write (- is stdout)")->type_name("FILE");
}

void add_code(CLI::App& app, Options& o) {
  app.add_option("-O", o.level, "effort of the code generator")->check(CLI::Range(0, 3))->type_name("0..3");
  app.add_option("--march", o.march, "the CPU to compile for")->type_name("CPU");
  app.add_option("--target", o.target, "the triple to compile for, if it is another machine")->type_name("TRIPLE");
  app.add_option("--veclib", o.vector_library, "vector exp, log, tanh ...: libmvec or none")
      ->check(CLI::IsMember({"libmvec", "none"}))
      ->type_name("NAME");
  app.add_flag("--float", o.use_float, "compute in single precision");
  app.add_flag("--fast-math", o.fast_math, "let scalar expressions be reassociated");
  repeated(app, "--dim", o.dims, "the size of a dimension: n=1000", "NAME=N");
}

void add_data(CLI::App& app, Options& o) {
  repeated(app, "--in", o.in, "an input: X=x.npy, y=table.csv[31], w=table.csv[1:30]", "NAME=FILE");
  app.add_option("--random", o.random, "inputs to draw as their properties say; `all` draws what is not given")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("NAME");
  app.add_option("--repeat", o.repeat, "call so often, and print the time of a call")->check(kCount)->type_name("N");
  app.add_option("--out", o.output, "where results go: a .npy or .csv file, or a folder ending in / for several")->type_name("FILE");
}

void add_process(CLI::App& app, Options& o) {
  app.add_option("--cache-dir", o.cache_dir, "where compiled code is kept (default: ricci in $XDG_CACHE_HOME or ~/.cache)")->type_name("DIR");
  app.add_option("--threads", o.threads, "how many threads compute; 0 is one per CPU")->check(CLI::Range(0, 1024))->type_name("N");
  app.add_flag("--no-cache", o.no_cache, "compile even what was compiled before, and keep nothing");
}

void add_points(CLI::App& app, Options& o) {
  app.add_option("--points", o.points, "how many random points")->check(kCount)->type_name("N");
}

void add_certificate(CLI::App& app, Options& o) {
  app.add_flag("--certify", o.certify, "evaluate the answer at random points against dual numbers, and say how well they agree, to stderr");
}

void add_passes(CLI::App& app, Options& o) {
  app.add_flag("--print-after-all", o.print_after_all, "print the IR after every pass, to stderr");
  repeated(app, "--print-after", o.print_after, "print the IR after this pass, to stderr", "PASS");
  app.add_flag("--print-changed", o.print_changed, "print the IR after every pass that changed it, to stderr");
  app.add_flag("--verify-each", o.verify_each, "check the IR's invariants after every pass");
  app.add_flag("--time-passes", o.time_passes, "print the time of every pass, to stderr");
  app.add_flag("--stats", o.stats, "print the number of nodes before and after, to stderr");
}

void add_common(CLI::App& app, Options& o) {
  app.add_option("--timeout", o.timeout, "give up after so many seconds")->check(kSeconds)->type_name("SECONDS");
  app.add_option("--max-nodes", o.max_nodes, "give up when the graph has grown to so many nodes")->type_name("N");
  app.add_option_function<std::string>(
         "--diagnostics", [&o](const std::string& kind) { o.json_diagnostics = kind == "json"; }, "how errors are printed: text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->type_name("NAME");
  app.add_flag("-v,--verbose", o.verbose, "say which conventions are in force and what is done");
}

}  // namespace

WatchOptions watch_options(const Options& o) {
  return {o.print_after_all, o.print_changed, o.verify_each, o.time_passes, o.stats, o.print_after, o.max_nodes};
}

void add_options(CLI::App& app, Options& o, unsigned groups) {
  if (groups & kInput) add_input(app, o);
  if (groups & kDerivative) add_derivative(app, o);
  if (groups & kVariables) add_variables(app, o);
  if (groups & kConvention) add_convention(app, o);
  if (groups & kAnswer) add_answer(app, o);
  if (groups & kEmit) add_emit(app, o);
  if (groups & kCode) add_code(app, o);
  if (groups & kData) add_data(app, o), add_process(app, o);
  if (groups & (kPoints | kData)) app.add_option("--seed", o.seed, "of the random numbers")->type_name("N");
  if (groups & kPoints) add_points(app, o);
  if (groups & kCertificate) add_certificate(app, o);
  if (groups & kPasses) add_passes(app, o);
  add_common(app, o);
}

}  // namespace ricci::driver
