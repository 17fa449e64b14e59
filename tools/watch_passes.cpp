// One observer does all the watching, so that passes do none.
#include "tools/watch_passes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "frontend/spelling.h"
#include "ir/text.h"
#include "ir/verify.h"
#include "tools/guard.h"

namespace ricci {

Pass named_pass(std::string_view name) {
  if (auto pass = find_pass(name)) return *pass;
  std::vector<std::string> names;
  for (const Pass& p : passes()) names.emplace_back(p.name);
  auto near = nearest(name, names);
  throw UsageError(near ? fmt::format("no pass `{}`; did you mean `{}`?", name, *near)
                        : fmt::format("no pass `{}`; there are {}", name, fmt::join(names, ", ")));
}

WatchPasses::WatchPasses(WatchOptions options)
    : options_(std::move(options)), observe_([this](const Graph& g, const Pass& pass, NodeId before, NodeId after, double seconds) {
        see(g, pass, before, after, seconds);
      }) {
  for (const std::string& name : options_.print_after) named_pass(name);
}

void WatchPasses::see(const Graph& g, const Pass& pass, NodeId before, NodeId after, double seconds) {
  auto line = std::ranges::find(lines_, pass.name, &Line::pass);
  if (line == lines_.end()) line = lines_.insert(line, Line{pass.name});
  ++line->runs;
  line->changes += before != after;
  line->seconds += seconds;

  const NodeId roots[] = {after};
  if (options_.stats) {
    const NodeId old[] = {before};
    if (nodes_first_ == 0) nodes_first_ = g.reachable(old).size();
    nodes_last_ = g.reachable(roots).size();
  }
  bool named = std::ranges::find(options_.print_after, pass.name) != options_.print_after.end();
  if (options_.print_after_all || named || (options_.print_changed && before != after))
    fmt::print(stderr, "# after {}{}\n{}", pass.name, before == after ? " (no change)" : "", print_ir(g, roots));
  if (options_.verify_each)
    if (auto broken = verify(g, roots); !broken.empty())
      throw std::logic_error(fmt::format("pass {} broke the IR: {}", pass.name, fmt::join(broken, "; ")));
  if (options_.max_nodes > 0 && g.size() > options_.max_nodes)
    throw TooLarge(fmt::format("the graph has grown to {} nodes (--max-nodes {})", g.size(), options_.max_nodes));
}

WatchPasses::~WatchPasses() {
  if (options_.time_passes)
    for (const Line& l : lines_)
      fmt::print(stderr, "{:>10.3f} ms {:>4} runs {:>4} changes  {}\n", 1e3 * l.seconds, l.runs, l.changes, l.pass);
  if (options_.stats) fmt::print(stderr, "{} nodes before the passes, {} after\n", nodes_first_, nodes_last_);
}

}  // namespace ricci
