#include "passes/slopes.h"

#include <cassert>

#include "frontend/formula.h"
#include "passes/vectorize.h"

namespace ricci {

NodeId Slopes::operator()(NodeId map, size_t k) {
  const Node& n = g_[map];
  const std::vector<NodeId>& formula = read(n.map_op(), k);
  const Labels all = Graph::iota(n.rank());
  std::map<NodeId, Lifted> bindings{{value_, {map, all}}};
  for (size_t i = 0; i < n.operands.size(); ++i) bindings.emplace(names_[i], Lifted{n.operands[i], Graph::iota(g_[n.operands[i]].rank())});
  return vectorize(g_, formula, bindings, all, Type(n.type));
}

const std::vector<NodeId>& Slopes::read(MapOp op, size_t k) {
  const auto [known, is_new] = formulas_.try_emplace({op, k});
  if (!is_new) return known->second;
  const std::string_view text = row(op).derivative[k];
  assert(!text.empty() && "the frontend refuses operands a function cannot be differentiated by");
  const NodeId formula = build_formula(g_, text, {{"x", names_[0]}, {"y", names_[1]}, {"z", names_[2]}, {"f", value_}}, FormulaMode::Entrywise);
  return known->second = g_.reachable(std::span(&formula, 1));
}

}  // namespace ricci
