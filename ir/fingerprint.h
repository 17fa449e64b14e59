// The fingerprint (Graph::fingerprint) of a node whose axes change places, without making the node.
#pragma once
#include "ir/graph.h"

namespace ricci {

// Axis k of what is meant is axis axes[k] of `n`. Sums are seen through, down to their terms; equal tensors have equal fingerprints here, in whatever
// order of axes they are stored: fingerprint(permuted n, axes) is fingerprint(n, both together).
uint64_t fingerprint_of_permuted(const Graph& g, NodeId n, const std::vector<size_t>& axes);

// What one axis looks like, whatever the others are called: equal for axes that a symmetry of the tensor exchanges, and told apart by most else.
uint64_t fingerprint_of_axis(const Graph& g, NodeId n, size_t axis);

}  // namespace ricci
