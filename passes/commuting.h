// Functions of one matrix commute: logm(A)*inv(A) is inv(A)*logm(A).
#pragma once
#include "ir/graph.h"

namespace ricci {

// The product with neighbours that are functions of one matrix, or the matrix and one of its functions, in an order that is the same in every graph.
NodeId order_commuting(Graph& g, NodeId ein);

}  // namespace ricci
