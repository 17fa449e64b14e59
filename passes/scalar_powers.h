// Quotients of scalar products of powers: u^(-1/2) / u^(-3/2) is u.
#pragma once
#include "ir/graph.h"

namespace ricci {

// a/b for scalars of which no factor is zero, with equal bases collected. The guarded power counts as the plain one.
NodeId quotient(Graph& g, NodeId a, NodeId b);

}  // namespace ricci
