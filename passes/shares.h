// Shares of a whole where the whole is so large that its logarithm has no digits left for theirs.
//
// lse(x) at 1e50 is 1e50, and exp(x - lse(x)) of two equal entries there 1 and not 1/2: what is lost is one factor for all of them, the same that their
// sum exceeds 1 by. exp(x - lse(x))/sum(exp(x - lse(x))) is right at any size (Blanchard, Higham and Higham, Accurately computing the log-sum-exp
// and softmax functions, 2021, divide by a sum for the same reason).
#pragma once
#include <span>
#include <vector>

#include "ir/graph.h"

namespace ricci {

// The nodes with every exp(u - lse(u)) over its sum; shares of what has an infinite entry stay as they are, NaN and 0.
std::vector<NodeId> with_exact_shares(Graph& g, std::span<const NodeId> roots);

}  // namespace ricci
