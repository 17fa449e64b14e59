// Common factors of the terms of a sum: A*x + A'*x = (A + A')*x, 2*a + 2*b = 2*(a + b).
#pragma once
#include "ir/graph.h"

namespace ricci {

// Every sum below `root` with factors that several of its terms share taken out, the heaviest saving first, until nothing is shared.
//
// A factor is shared when the same tensor meets the rest of each term alike: each of its axes is either the same output axis in all, or
// summed against the rest in all. What remains of the terms is then a sum over tensors of one type,
//     sum_k f[a,s] r_k[s,b] = f[a,s] (sum_k r_k[s,b]).
NodeId factor(Graph& g, NodeId root);

}  // namespace ricci
