// What a user can ask of the pass loop: IR after passes, verification, times. All of it goes to stderr.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "passes/pipeline.h"

namespace ricci {

struct WatchOptions {
  bool print_after_all = false, print_changed = false, verify_each = false, time_passes = false, stats = false;
  std::vector<std::string> print_after = {};
  uint64_t max_nodes = 0;  // 0: no limit
};

// Watches the passes of this thread while it lives, and prints the times and statistics when it goes. Throws UsageError for a pass in
// print_after that does not exist; a pass that breaks an invariant is our bug and throws std::logic_error; a graph that outgrows max_nodes
// throws TooLarge.
class WatchPasses {
 public:
  explicit WatchPasses(WatchOptions options);
  ~WatchPasses();
  WatchPasses(const WatchPasses&) = delete;
  WatchPasses& operator=(const WatchPasses&) = delete;

 private:
  struct Line {
    std::string_view pass;
    int runs = 0, changes = 0;
    double seconds = 0;
  };
  void see(const Graph& g, const Pass& pass, NodeId before, NodeId after, double seconds);

  WatchOptions options_;
  std::vector<Line> lines_;
  size_t nodes_first_ = 0, nodes_last_ = 0;
  ObservePasses observe_;
};

// The pass of this name. Throws UsageError with the nearest one.
Pass named_pass(std::string_view name);

}  // namespace ricci
