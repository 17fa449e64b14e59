// ricci run: compile a function for this machine, call it on data, print or save what it gives.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "ricci/abi.h"
#include "runtime/threads.h"
#include "tools/guard.h"
#include "tools/ricci/command.h"
#include "tools/ricci/function.h"
#include "tools/ricci/timing.h"
#include "tools/tensor_file.h"

namespace ricci::driver {
namespace {

constexpr size_t kMostPrinted = 10000;

std::string numbers(std::span<const double> values) { return fmt::format("{:.10g}", fmt::join(values, ", ")); }

std::string printed(const std::string& name, const Array<double>& a) {
  if (a.shape.empty()) return fmt::format("{} = {:.17g}\n", name, a.data[0]);
  std::string shape = fmt::format("{}", fmt::join(a.shape, " x "));
  if (a.data.size() > kMostPrinted) return fmt::format("{} ({}): too long to print; save it with --out\n", name, shape);
  if (a.shape.size() == 1 || a.data.empty()) return fmt::format("{} ({}) = [{}]\n", name, shape, numbers(a.data));
  std::string text = fmt::format("{} ({}) =\n", name, shape);
  size_t row = size_t(a.shape.back());
  for (size_t k = 0; k < a.data.size(); k += row) text += fmt::format("  [{}]\n", numbers(std::span(a.data).subspan(k, row)));
  return text;
}

void save(const std::string& path, const Export& function, const std::vector<Array<double>>& results) {
  if (results.size() > 1 && !path.ends_with('/'))
    throw UsageError(fmt::format("{} has {} results: give --out a folder, with / at its end", function.name, results.size()));
  for (size_t k = 0; k < results.size(); ++k)
    write_tensor(path.ends_with('/') ? path + function.results[k] + ".npy" : path, {results[k].shape, results[k].data});
}

// Only hosts have the functions that a program declares and does not define.
void require_no_functions(const Program& program, const Export& function) {
  std::vector<std::string> names;
  for (const CalledFunction& f : called_by(program, function)) names.push_back((*program.graph)[f.symbol].name);
  if (names.empty()) return;
  throw UsageError(fmt::format(
      "{} calls {}, which the program only declares and `ricci run` cannot supply: a host does (docs/tutorial.md, \"A function of yours\"). "
      "`ricci check` and `ricci bench` put smooth functions in {} place",
      function.name, fmt::join(names, ", "), names.size() == 1 ? "its" : "their"));
}

// Whether max or min is taken of no entries at these sizes.
bool has_empty_extremum(const Program& program, const Export& function, const Dims& dims) {
  const Graph& g = *program.graph;
  std::vector<NodeId> results;
  for (const std::string& name : function.results) results.push_back(*program.find(name));
  return std::ranges::any_of(g.reachable(results), [&](NodeId n) {
    const bool extremum = g[n].kind == Kind::Fun && (g[n].fun_op() == FunOp::max_of || g[n].fun_op() == FunOp::min_of);
    return extremum && shape_of(g, g[g[n].operands[0]].type, dims).back() == 0;
  });
}

}  // namespace

int run(const Options& options) {
  Program program = load(options);
  const Export& function = chosen_export(program, options);
  require_no_functions(program, function);
  rt::set_threads(options.threads);
  Arguments arguments = gather(program, function, options, false);
  const bool empty_extremum = has_empty_extremum(program, function, arguments.dims);
  Call call(program, function, options, std::move(arguments));
  const int status = call();
  const auto& results = call.results();
  if (options.output.empty())
    for (size_t k = 0; k < results.size(); ++k) fmt::print("{}", printed(function.results[k], results[k]));
  else save(options.output, function, results);
  if (options.repeat > 0) {
    Timing t = time_calls([&] { call(); }, options.repeat);
    fmt::print(stderr, "{}: {} a call (median of {}; fastest {})\n", function.name, spell_seconds(t.median), options.repeat,
               spell_seconds(t.fastest));
  }
  if (status == RICCI_SINGULAR) {
    fmt::print(stderr, "ricci: error: {}\n",
               empty_extremum ? "max and min have no value over no entries" : "a matrix was singular, or not positive definite");
    return kWrongInput;
  }
  return kSuccess;
}

}  // namespace ricci::driver
