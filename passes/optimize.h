// What to compute: the derivative as differentiation left it, or a rewritten form of it, whichever is planned cheaper.
#pragma once
#include <span>
#include <vector>

#include "ir/graph.h"
#include "passes/cost.h"

namespace ricci {

// The outputs, equal in value, in the form with the fewest planned flops. The reverse-mode DAG is always a candidate, so a rewrite can only save
// work. Only the stable forms (log1p(exp(x)) as softplus(x), log(sum(exp(x))) as lse(x)) are taken whatever they cost: they are right at large arguments.
std::vector<NodeId> optimize(Graph& g, std::vector<NodeId> outputs, const Sizes& sizes);

}  // namespace ricci
