// Quotients of scalar products of powers: u^(-1/2) / u^(-3/2) is u.
#pragma once
#include <functional>
#include <vector>

#include "ir/graph.h"

namespace ricci {

// a/b for scalars of which no factor is zero, with equal bases collected. The guarded power counts as the plain one.
NodeId quotient(Graph& g, NodeId a, NodeId b);

// sum_k c_k t_k as common*rest, where `common` has the powers, of bases for which `positive` holds, that all terms share: u^(-1/2) -
// x^2*u^(-3/2) is u^(-3/2) times u - x^2.
struct FactoredSum {
  NodeId common, rest;
};
FactoredSum factored_sum(Graph& g, const std::vector<Term>& terms, const std::function<bool(NodeId)>& positive);

}  // namespace ricci
