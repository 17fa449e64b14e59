#include "passes/pipeline.h"

#include <algorithm>
#include <chrono>

#include "passes/canonicalize.h"
#include "passes/factor.h"
#include "passes/rules.h"

namespace ricci {
namespace {

NodeId rewrite(Graph& g, NodeId root, const SimplifyOptions& options) {
  std::vector<const Rule*> enabled;
  for (const Rule& r : rules())
    if (options.rules && !options.disabled.contains(r.name)) enabled.push_back(&r);
  return apply_rules(g, {root}, enabled, options.used)[0];
}

constexpr Pass kPasses[] = {
    {"canonicalize", [](Graph& g, NodeId n, const SimplifyOptions&) { return canonicalize(g, n); }, "flatten products of products and sums of sums"},
    {"rewrite", rewrite, "apply the rules of passes/rules"},
    {"factor", [](Graph& g, NodeId n, const SimplifyOptions&) { return factor(g, n); }, "take common factors out of sums"},
    {"expand", [](Graph& g, NodeId n, const SimplifyOptions&) { return expand(g, n); }, "expand products over sums (for equality, not for answers)"},
};
constexpr size_t kAnswer = 3;  // the first three make the answer; `expand` undoes `factor` and stands alone

struct Order {
  std::string_view first, second, reason;
};
constexpr Order kOrder[] = {
    {"canonicalize", "rewrite", "a rule's product is found only in a flat product"},
    {"rewrite", "factor", "factoring first would hide the terms that cancel"},
};
constexpr size_t position(std::string_view name) {
  for (size_t i = 0; i < std::size(kPasses); ++i)
    if (kPasses[i].name == name) return i;
  return std::size(kPasses);
}
static_assert(std::ranges::all_of(kOrder, [](const Order& o) { return position(o.first) < position(o.second); }), "kPasses breaks a line of kOrder");

thread_local Observer observer;

constexpr int kMostRounds = 16;  // factoring can expose a rule and a rule a common factor; in practice three rounds settle

}  // namespace

std::span<const Pass> passes() { return kPasses; }

std::optional<Pass> find_pass(std::string_view name) {
  size_t i = position(name);
  return i < std::size(kPasses) ? std::optional(kPasses[i]) : std::nullopt;
}

ObservePasses::ObservePasses(Observer o) : saved_(std::move(observer)) { observer = std::move(o); }
ObservePasses::~ObservePasses() { observer = std::move(saved_); }

NodeId run_pass(Graph& g, const Pass& pass, NodeId root, const SimplifyOptions& options) {
  if (!observer) return pass.run(g, root, options);
  auto start = std::chrono::steady_clock::now();
  NodeId result = pass.run(g, root, options);
  observer(g, pass, root, result, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  return result;
}

NodeId simplify(Graph& g, NodeId root, const SimplifyOptions& options) {
  for (int round = 0; round < kMostRounds; ++round) {
    NodeId next = root;
    for (size_t i = 0; i < kAnswer; ++i) next = run_pass(g, kPasses[i], next, options);
    if (next == root) break;
    root = next;
  }
  return root;
}

}  // namespace ricci
