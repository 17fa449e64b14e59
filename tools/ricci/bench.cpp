// ricci bench: time per call on random data, against what the machine could do at most.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "passes/plan.h"
#include "runtime/threads.h"
#include "tools/guard.h"
#include "tools/ricci/command.h"
#include "tools/ricci/function.h"
#include "tools/ricci/machine.h"
#include "tools/ricci/timing.h"

namespace ricci::driver {
namespace {

constexpr int kRepeat = 101;
constexpr int64_t kUnnamed = 100;  // a dimension that --dim does not name

}  // namespace

int bench(const Options& given) {
  Options options = given;
  Program program = load(options);
  Graph& g = *program.graph;
  const Export function = chosen_export(program, options);

  std::vector<NodeId> outputs;
  for (const std::string& name : function.results) outputs.push_back(*program.find(name));
  const Dims named = dimension_sizes(options);
  for (DimId d : symbolic_dims(g, make_request(program, function, build_options(options, false), target_of(options))))
    if (!named.contains(g[d].name) && options.in.empty()) options.dims.push_back(fmt::format("{}={}", g[d].name, kUnnamed));

  Arguments arguments = gather(program, function, options, true);
  Sizes sizes;
  for (const auto& [name, size] : arguments.dims) sizes.known[g.dim(name)] = size;
  const Dims dims = arguments.dims;
  if (const auto called = called_by(program, function); !called.empty()) {
    std::vector<std::string> names;
    for (const CalledFunction& f : called) names.push_back(g[f.symbol].name);
    fmt::print(stderr, "in the place of {}: some smooth function\n", fmt::join(names, ", "));
  }
  Call call(program, function, options, std::move(arguments));
  const int repeat = options.repeat > 0 ? options.repeat : kRepeat;
  const double alone = options.threads == 1 ? 0 : time_calls([&] { call(); }, repeat).median;
  rt::set_threads(options.threads);
  const Timing t = time_calls([&] { call(); }, repeat);
  const Cost cost = cost_of(g, make_plan(g, outputs, sizes), sizes);
  const MachineLimits limits = measure_machine();
  const double flops = cost.flops.at(g, sizes), bytes = cost.bytes.at(g, sizes);

  std::vector<std::string> spelled;
  for (const auto& [name, size] : dims) spelled.push_back(fmt::format("{}={}", name, size));
  fmt::print("{}({}) -> {} at {}\n", function.name, fmt::join(function.arguments, ", "), fmt::join(function.results, ", "),
             fmt::join(spelled, " "));
  fmt::print("  compile  {}\n", spell_seconds(call.compile_seconds()));
  fmt::print("  call     {} (fastest {})\n", spell_seconds(t.median), spell_seconds(t.fastest));
  if (options.threads != 1) fmt::print("  threads  {}: {:.2f} times as fast as one\n", rt::threads(), alone / t.median);
  fmt::print("  flops    {:.3g}, {:.2f} GFLOP/s, {:.1f} % of {:.1f}\n", flops, 1e-9 * flops / t.median,
             100 * flops / t.median / limits.flops, 1e-9 * limits.flops);
  fmt::print("  bytes    {:.3g}, {:.2f} GB/s, {:.1f} % of the {:.1f} that main memory gives\n", bytes, 1e-9 * bytes / t.median,
             100 * bytes / t.median / limits.bytes, 1e-9 * limits.bytes);
  return kSuccess;
}

}  // namespace ricci::driver
