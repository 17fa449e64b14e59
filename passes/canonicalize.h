// The canonical form of an answer: nested products and nested sums are flattened, so that associativity no longer hides that two are equal.
#pragma once
#include <functional>
#include <unordered_map>

#include "ir/graph.h"

namespace ricci {

// What single nodes were flattened to. A node has one form, and the forms of a simplification have most of their nodes in common: one memory serves
// all passes over a graph.
using Flattened = std::unordered_map<NodeId, NodeId>;

// The same tensor with products of products and sums of sums flattened and integer powers distributed over entrywise products. Products are never
// expanded over sums. Not for evaluation: flattening gives up the sharing that makes reverse mode cheap. A product of more than kMostFactors factors
// (sum: terms) stays nested, so that repeated squaring of a shared product cannot explode.
NodeId canonicalize(Graph& g, NodeId root, Flattened* memory = nullptr);

// `root` with products expanded over the sums for which `open` holds as well, to at most `budget` terms each, as long as the work of all of them is
// within a multiple of that; what exceeds it stays factored. For equality, not for print.
inline bool any_sum(NodeId) { return true; }
NodeId expand(Graph& g, NodeId root, size_t budget = 4096, const std::function<bool(NodeId)>& open = any_sum, Flattened* memory = nullptr);

}  // namespace ricci
