// The plan for people and tests, and what it costs.
#include <fmt/format.h>

#include <set>

#include "passes/plan.h"

namespace ricci {
namespace {

std::string_view name(Step::Kind kind) {
  switch (kind) {
    case Step::Kind::Nest: return "nest";
    case Step::Kind::Contract: return "contract";
    case Step::Kind::Solve: return "solve";
    case Step::Kind::Factor: return "factor";
    case Step::Kind::Inverse: return "from_factor";
    case Step::Kind::Function: return "function";
    case Step::Kind::Call: return "call";
    case Step::Kind::Clear: return "clear";
    case Step::Kind::Assemble: return "assemble";
    case Step::Kind::Write: return "write";
  }
  return "";
}

// Columns of a right-hand side: the elements of the result by the order of the matrix.
Polynomial solve_cost(const Graph& g, NodeId n) {
  const size_t k = *solved_factor(g, n);
  return Polynomial(2) * Polynomial::size(g, g[n].type) * Polynomial::size(g, std::span(g[g[n].operands[k]].type).first(1));
}

Polynomial step_flops(const Graph& g, const Plan& plan, const Step& s, const Sizes& sizes) {
  Polynomial flops;
  switch (s.kind) {
    case Step::Kind::Nest:
      for (NodeId m : s.members) {
        const bool entry = plan.role(m) == Role::Entry && g[m].rank() > 0;
        flops += entry ? entry_flops(g, m, s.space, sizes) : node_flops(g, m, sizes);
      }
      break;
    case Step::Kind::Contract:
    case Step::Kind::Function:
    case Step::Kind::Call: flops = node_flops(g, s.node, sizes); break;
    case Step::Kind::Solve: flops = solve_cost(g, s.node); break;
    case Step::Kind::Factor: flops = factorisation_flops(g, g[s.node].type[0], plan.cholesky[s.node.value]); break;
    case Step::Kind::Inverse:
      if (g[s.node].rank() == 2) flops = inversion_flops(g, g[s.node].type[0]);
      break;
    case Step::Kind::Assemble:
      // Of blocks that do not overlap nothing is added.
      flops = g[s.node].kind == Kind::Sum && blocks_of(g, s.node) != Blocks::Mixed ? scaling_flops(g, s.node, sizes) : node_flops(g, s.node, sizes);
      for (NodeId o : g[s.node].operands) {
        if (plan.role(o) == Role::Absorbed) flops += node_flops(g, o, sizes);
      }
      break;
    case Step::Kind::Clear:
    case Step::Kind::Write: break;
  }
  return flops;
}

}  // namespace

Cost cost_of(const Graph& g, const Plan& plan, const Sizes& sizes) {
  Cost cost;
  auto moved = [&](NodeId n) { return Polynomial(8) * Polynomial::size(g, g[n].type); };
  std::set<NodeId> arrays;
  for (const Step& s : plan.steps) {
    cost.flops += step_flops(g, plan, s, sizes);
    for (NodeId n : s.reads) cost.bytes += moved(n);
    for (NodeId n : s.factors) cost.bytes += moved(n);
    for (NodeId n : s.stored) cost.bytes += moved(n), arrays.insert(plan.alias[n.value]);
    if (s.kind == Step::Kind::Factor || s.kind == Step::Kind::Write) cost.bytes += moved(s.node), ++cost.arrays;
  }
  cost.arrays += int(arrays.size());
  return cost;
}

std::string to_text(const Graph& g, const Plan& plan, const Sizes& sizes) {
  std::string text;
  auto list = [](const std::vector<NodeId>& nodes, char mark) {
    std::string r;
    for (NodeId n : nodes) r += fmt::format(" {}{}", mark, n.value);
    return r;
  };
  for (const Step& s : plan.steps) {
    std::string space;
    for (DimId d : s.space) space += (space.empty() ? "" : " ") + g.spell(d);
    std::string target = s.kind == Step::Kind::Factor  ? fmt::format("f{}", s.node.value)
                         : s.kind == Step::Kind::Clear ? fmt::format("%{}", s.node.value)
                         : s.kind == Step::Kind::Write ? fmt::format("out{}", s.output)
                                                       : list(s.stored, '%').substr(1);
    text += fmt::format("{} = {}", target, name(s.kind));
    if (s.kind == Step::Kind::Nest) text += fmt::format(" [{}]{} from", space, list(s.members, '%'));
    if (s.kind == Step::Kind::Factor) text += plan.cholesky[s.node.value] ? " cholesky" : " lu";
    text += list(s.reads, '%') + list(s.factors, 'f');
    text += fmt::format("  # {}\n", step_flops(g, plan, s, sizes).spell(g));
  }
  return text;
}

}  // namespace ricci
