// The canonical form of an answer: nested products and nested sums are flattened, so that associativity no longer hides that two are equal.
#pragma once
#include <functional>

#include "ir/graph.h"

namespace ricci {

// The same tensor with products of products and sums of sums flattened and integer powers distributed over entrywise products. Products are never
// expanded over sums. Not for evaluation: flattening gives up the sharing that makes reverse mode cheap. A product of more than kMostFactors factors
// (sum: terms) stays nested, so that repeated squaring of a shared product cannot explode.
NodeId canonicalize(Graph& g, NodeId root);

// `root` with products expanded over sums as well, up to `budget` terms in all; what exceeds it stays factored. For equality, not for print.
NodeId expand(Graph& g, NodeId root, size_t budget = 4096);

// The same, opening only the sums for which `open` holds: the others stay factors.
NodeId expand(Graph& g, NodeId root, size_t budget, const std::function<bool(NodeId)>& open);

}  // namespace ricci
