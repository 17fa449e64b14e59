// Composite elementwise functions become formulas of primitive ones: sigmoid(x) is 1/(1 + exp(-x)), as the table's `primitive` column says.
#include "frontend/formula.h"
#include "ir/loops.h"
#include "passes/plan_products.h"

namespace ricci {
namespace {

bool is_composite(const Node& n) {
  return n.kind == Kind::Map && row(n.map_op()).arity > 0 && !loops::find_primitive(row(n.map_op()).primitive);
}

// A power with a number as its exponent is multiplications, a square root or a call of pow: the lowering's business.
std::vector<NodeId> expand_once(Graph& g, std::span<const NodeId> outputs, bool& changed) {
  static constexpr std::string_view kArguments[] = {"x", "y", "z"};
  const std::vector<NodeId> old = g.reachable(outputs);
  std::vector<NodeId> expanded(old.empty() ? 0 : old.back().value + 1);
  for (NodeId n : old) {
    std::vector<NodeId> operands = g[n].operands;
    for (NodeId& o : operands) o = expanded[o.value];
    if (is_composite(g[n])) {
      Bindings bindings;
      for (size_t k = 0; k < operands.size(); ++k) bindings.emplace(kArguments[k], operands[k]);
      expanded[n.value] = build_formula(g, row(g[n].map_op()).primitive, bindings, FormulaMode::Entrywise);
      changed = true;
    } else {
      expanded[n.value] = g.rebuild(n, std::move(operands));
    }
  }
  std::vector<NodeId> r;
  for (NodeId o : outputs) r.push_back(expanded[o.value]);
  return r;
}

}  // namespace

std::vector<NodeId> expand_elementwise(Graph& g, std::span<const NodeId> outputs) {
  std::vector<NodeId> r(outputs.begin(), outputs.end());
  for (bool changed = true; changed;) {
    changed = false;
    r = expand_once(g, r, changed);
  }
  return r;
}

}  // namespace ricci
