#include "passes/pipeline.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <map>

#include "passes/choices.h"
#include "passes/common_denominator.h"
#include "passes/factor.h"
#include "passes/open_functions.h"
#include "passes/raise.h"
#include "passes/rules.h"
#include "passes/weight.h"
#include "passes/woodbury.h"

namespace ricci {
namespace {

constexpr size_t kMostTerms = 256;  // of an expanded answer

std::vector<const Rule*> enabled_rules(const SimplifyOptions& options) {
  std::vector<const Rule*> enabled;
  for (const Rule& r : rules())
    if (options.rules && !options.disabled.contains(r.name)) enabled.push_back(&r);
  return enabled;
}

NodeId rewrite(Graph& g, NodeId root, const SimplifyOptions& options) {
  if (options.memory) return options.memory->rewriting({root}, options.used)[0];
  return apply_rules(g, {root}, enabled_rules(options), options.used)[0];
}

Flattened* flattened(const SimplifyOptions& options) { return options.memory ? &options.memory->flattened : nullptr; }

// A sum with more axes than a matrix: a matrix form has its terms one by one.
bool is_hidden(const Graph& g, NodeId n) { return g[n].kind == Kind::Sum && g[n].rank() > 2; }

// What occurs several times is a quantity of its own, as M = A + t*B is in tr(B*M*M); only other sums are multiplied out, and those that no matrix
// form shows.
NodeId distribute(Graph& g, NodeId root, const SimplifyOptions& options) {
  std::map<NodeId, size_t> uses;
  const NodeId roots[] = {root};
  for (NodeId n : g.reachable(roots))
    for (NodeId operand : g[n].operands) ++uses[operand];
  return expand(g, root, kMostTerms, [&](NodeId sum) { return uses[sum] < 2 || is_hidden(g, sum); }, flattened(options));
}

constexpr Pass kPasses[] = {
    {"canonicalize", [](Graph& g, NodeId n, const SimplifyOptions& o) { return canonicalize(g, n, flattened(o)); }, "flatten products of products and sums of sums"},
    {"rewrite", rewrite, "apply the rules of passes/rules"},
    {"factor", [](Graph& g, NodeId n, const SimplifyOptions&) { return factor(g, n); }, "take common factors out of sums"},
    {"choices", [](Graph& g, NodeId n, const SimplifyOptions&) { return join_choices(g, n); }, "join choices by one condition, settle those that are none"},
    {"expand", [](Graph& g, NodeId n, const SimplifyOptions& o) { return open_epsilons(g, expand(g, open_functions(g, n), kMostTerms, any_sum, flattened(o))); },
     "expand products over sums, functions of products and negatives, and pairs of permutation symbols"},
    {"distribute", distribute, "expand products over sums that occur once"},
    {"common-denominator", [](Graph& g, NodeId n, const SimplifyOptions&) { return over_common_denominators(g, n); }, "bring fractions together"},
    {"shared-denominator", [](Graph& g, NodeId n, const SimplifyOptions&) { return with_shared_denominators_outside(g, n); }, "take out what terms are divided by"},
    {"woodbury", [](Graph& g, NodeId n, const SimplifyOptions&) { return with_corrections_inside(g, n); }, "take the correction of an inverse inside"},
};
constexpr size_t kAnswer = 4;  // the first four settle an answer; the others give it other starts

// What an answer is settled again from, each as passes one after the other.
constexpr std::array<std::string_view, 2> kStarts[] = {
    {"distribute"}, {"expand"}, {"common-denominator"}, {"common-denominator", "expand"}, {"shared-denominator"}, {"expand", "shared-denominator"}, {"woodbury"}};

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

constexpr size_t kExpandable = 200;  // nodes: larger answers are not multiplied out, their factored form is the shorter one
constexpr int kMostRounds = 16;  // factoring can expose a rule and a rule a common factor; in practice three rounds settle

}  // namespace

SimplifyMemory::SimplifyMemory(Graph& g, const SimplifyOptions& options) : rewriting(g, enabled_rules(options)) {}

std::span<const Pass> passes() { return kPasses; }

std::optional<Pass> find_pass(std::string_view name) {
  size_t i = position(name);
  return i < std::size(kPasses) ? std::optional(kPasses[i]) : std::nullopt;
}

ObservePasses::ObservePasses(Observer o) : saved_(std::move(observer)) { observer = std::move(o); }
ObservePasses::~ObservePasses() { observer = std::move(saved_); }

NodeId run_pass(Graph& g, const Pass& pass, NodeId root, const SimplifyOptions& options) {
  if (!observer) {
    if (!options.memory) return pass.run(g, root, options);
    auto [it, first] = options.memory->results.try_emplace({pass.name, root});
    if (first) it->second = pass.run(g, root, options);
    return it->second;
  }
  auto start = std::chrono::steady_clock::now();
  NodeId result = pass.run(g, root, options);
  observer(g, pass, root, result, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  return result;
}

namespace {

// The answer passes until nothing changes; with `factored` the sums' common factors are taken out as well.
NodeId settle(Graph& g, NodeId root, bool factored, const SimplifyOptions& options) {
  for (int round = 0; round < kMostRounds; ++round) {
    NodeId next = root;
    for (size_t i = 0; i < kAnswer; ++i)
      if (factored || kPasses[i].name != "factor") next = run_pass(g, kPasses[i], next, options);
    if (next == root) break;
    root = next;
  }
  return root;
}

// How long the answer is when printed: as a matrix expression if it has such a form, and then how many sums that does not show; by weight otherwise.
PrintedSize printed_size(const Graph& g, NodeId n, SimplifyMemory& memory) {
  auto [it, first] = memory.printed_size.try_emplace(n);
  if (!first) return it->second;
  Raised r = raise(g, n, {});
  if (!r.expr) return it->second = {Weight(g)(n), 0};
  const NodeId roots[] = {n};
  return it->second = {(*r.expr)->size, std::ranges::count_if(g.reachable(roots), [&](NodeId m) { return is_hidden(g, m); })};
}

// The shortest print of the settled forms; the earlier one among equals.
NodeId shortest(Graph& g, NodeId root, const SimplifyOptions& options) {
  NodeId flat = settle(g, root, false, options);
  NodeId best = flat;
  PrintedSize least = printed_size(g, flat, *options.memory);
  auto consider = [&](NodeId candidate) {
    if (candidate == best) return;
    const PrintedSize size = printed_size(g, candidate, *options.memory);
    if (size < least) least = size, best = candidate;
  };
  consider(settle(g, flat, true, options));
  NodeId roots[] = {flat};
  if (g.reachable(roots).size() > kExpandable) return best;
  for (const auto& start : kStarts) {
    NodeId other = flat;
    for (std::string_view pass : start)
      if (!pass.empty()) other = run_pass(g, *find_pass(pass), other, options);
    if (other == flat) continue;
    const NodeId settled = settle(g, other, false, options);
    consider(settled);
    consider(settle(g, settled, true, options));
  }
  return best;
}

}  // namespace

NodeId simplify(Graph& g, NodeId root, const SimplifyOptions& asked) {
  if (!can_be_written(g, root)) return root;
  SimplifyMemory memory(g, asked);
  SimplifyOptions options = asked;
  options.memory = &memory;
  for (int round = 0; round < kMostRounds; ++round) {  // what was multiplied out may have a shorter form still
    NodeId next = shortest(g, root, options);
    if (next == root) break;
    root = next;
  }
  return root;
}

}  // namespace ricci
