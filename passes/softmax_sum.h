// Shares sum to one.
#pragma once
#include "ir/graph.h"

namespace ricci {

// Every sum_k exp(u_k - lse(u)) below `root`, for one u or for every row of a matrix of them, replaced by 1.
NodeId with_shares_summed(Graph& g, NodeId root);

}  // namespace ricci
