// The canonical order of the factors of a product: equal products, however written, become one node.
//
// A product is a multigraph: factors are vertices, labels the hyperedges, output labels are fixed points. Two products are equal when an
// isomorphism maps one to the other. Colour refinement (Weisfeiler and Leman, 1968) tells factors apart by their surroundings; those that
// still look alike are told apart one at a time, trying each, and the lexicographically least labelling wins.
#pragma once
#include <functional>
#include <vector>

#include "ir/graph.h"

namespace ricci {

// Sorts `factors` canonically and rewrites all labels (of `factors`, and `out`) as numbers of first appearance: operands' axes first, then the
// output's. `symmetric(t)` says whether the two axes of a rank-2 tensor may be exchanged, `fingerprint(t)` what it is in every graph. Trying alike factors is capped; past the cap two
// equal products may become two nodes, which costs an optimisation and never correctness.
void canonical_order(std::vector<Factor>& factors, Labels& out, const std::function<bool(NodeId)>& symmetric, const std::function<uint64_t(NodeId)>& fingerprint);

}  // namespace ricci
