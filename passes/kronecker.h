// A matrix seen as a Kronecker product, and the functions that go to its factors.
#pragma once
#include <optional>
#include <vector>

#include "ir/graph.h"

namespace ricci {

// scalar * kron(M_1, M_2, ...), every M_k square.
struct Kronecker {
  NodeId scalar;
  std::vector<NodeId> factors;
};

// Nothing if the matrix is no such product of at least two.
std::optional<Kronecker> kronecker(Graph& g, NodeId matrix);

// kron(factors...).
NodeId kron(Graph& g, const std::vector<NodeId>& factors);

}  // namespace ricci
