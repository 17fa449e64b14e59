// The fingerprint (Graph::fingerprint) of a node whose axes change places, without making the node.
#pragma once
#include "ir/graph.h"

namespace ricci {

// Axis k of what is meant is axis axes[k] of `n`. Sums are seen through, down to their terms; equal tensors have equal fingerprints here, in whatever
// order of axes they are stored: fingerprint(permuted n, axes) is fingerprint(n, both together).
uint64_t fingerprint_of_permuted(const Graph& g, NodeId n, const std::vector<size_t>& axes);

// What Graph::axis_fingerprints and Graph::symmetries keep: use these.
std::vector<uint64_t> axis_fingerprints_of(const Graph& g, NodeId n);
std::optional<Symmetries> symmetries_of(const Graph& g, NodeId n);

// How many orders of the axes of a sum or a function are tried for what tells them apart together: no more than its size allows.
size_t most_orders(const Graph& g, NodeId n);

// The looks of the operands of a sum or a function whose axes change places: the same where the tensor is the same; of a sum perhaps that of its
// negative.
std::vector<uint64_t> looks_of_operands(const Graph& g, NodeId n, const std::vector<size_t>& axes, bool up_to_sign = false);

// How the labels and factors of a product look from what is marked on each label and from one another, whichever of the orders that their symmetries
// allow the factors are written in.
struct Looks {
  std::vector<uint64_t> labels, factors;
};
Looks looks_in_product(const Graph& g, const std::vector<Factor>& factors, std::vector<uint64_t> marks);
uint64_t mark_of_axis(size_t axis);  // of a result

}  // namespace ricci
