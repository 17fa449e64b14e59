// The passes by name, and the loop that runs them. Passes print, time and verify nothing; the loop's observer does.
#pragma once
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "ir/graph.h"
#include "passes/canonicalize.h"
#include "passes/rules.h"
#include "passes/simplify.h"

namespace ricci {

// Operators and names, and sums that are not among them.
using PrintedSize = std::pair<uint64_t, int64_t>;

// What has been found out during one simplification: its forms end in the same nodes again and again, and a pass gives for a node what it gave before.
struct SimplifyMemory {
  SimplifyMemory(Graph& g, const SimplifyOptions& options);
  Rewriting rewriting;
  Flattened flattened;
  std::map<std::pair<std::string_view, NodeId>, NodeId> results;  // by pass and root
  std::unordered_map<NodeId, PrintedSize> printed_size;
};

// DAG to DAG, the value unchanged.
struct Pass {
  std::string_view name;
  NodeId (*run)(Graph&, NodeId root, const SimplifyOptions&);
  std::string_view summary;
};

// Every pass, in the order the answer pipeline runs them (a pass may stand there more than once).
std::span<const Pass> passes();
std::optional<Pass> find_pass(std::string_view name);

// Called after each pass with the roots before and after, and the seconds it took.
using Observer = std::function<void(const Graph&, const Pass&, NodeId before, NodeId after, double seconds)>;

// Runs `pass` under the observer of the running thread, if one is set.
NodeId run_pass(Graph& g, const Pass& pass, NodeId root, const SimplifyOptions& options = {});

// Sets the observer of the running thread while it lives.
class ObservePasses {
 public:
  explicit ObservePasses(Observer o);
  ~ObservePasses();
  ObservePasses(const ObservePasses&) = delete;
  ObservePasses& operator=(const ObservePasses&) = delete;

 private:
  Observer saved_;
};

}  // namespace ricci
