#include "passes/optimize.h"

#include "passes/plan.h"
#include "passes/rules.h"
#include "passes/simplify.h"

namespace ricci {
namespace {

constexpr size_t kAnswerSized = 2000;  // nodes: beyond it, answers are not written down and flattening would only cost time

double planned(Graph& g, std::span<const NodeId> outputs, const Sizes& sizes) {
  return cost_of(g, make_plan(g, outputs, sizes), sizes).flops.at(g, sizes);
}

}  // namespace

std::vector<NodeId> optimize(Graph& g, std::vector<NodeId> outputs, const Sizes& sizes) {
  std::vector<const Rule*> stable, all;
  for (const Rule& r : rules()) {
    all.push_back(&r);
    if (r.stable) stable.push_back(&r);
  }
  outputs = apply_rules(g, std::move(outputs), stable);
  double best = planned(g, outputs, sizes);
  auto consider = [&](std::vector<NodeId> candidate) {
    if (candidate == outputs) return;
    double cost = planned(g, candidate, sizes);
    if (cost < best) best = cost, outputs = std::move(candidate);
  };
  consider(apply_rules(g, outputs, all));
  if (g.reachable(outputs).size() > kAnswerSized) return outputs;
  for (size_t i = 0; i < outputs.size(); ++i) {
    std::vector<NodeId> candidate = outputs;
    candidate[i] = simplify(g, candidate[i]);
    consider(std::move(candidate));
  }
  return outputs;
}

}  // namespace ricci
