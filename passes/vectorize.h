// Lifts a formula over extra leading axes, as vmap does: the same expression with variables replaced by tensors that carry more axes in front.
#pragma once
#include <map>
#include <span>

#include "ir/graph.h"

namespace ricci {

// A replacement for a variable of rank r: `tensor` has labels.size() leading axes before the variable's own. Leading axes with the same label
// are the same axis wherever they occur.
struct Lifted {
  NodeId tensor;
  Labels labels;
};

// `expression` with every variable in `replacements` exchanged. The result's leading axes are `leading` (each with its dimension), in this
// order, before the expression's own; an axis no replacement brings is broadcast.
NodeId vectorize(Graph& g, NodeId expression, const std::map<NodeId, Lifted>& replacements, const Labels& leading, const Type& dims);
// The same for one that is lifted often: `expression` is g.reachable of it, the last its root.
NodeId vectorize(Graph& g, std::span<const NodeId> expression, const std::map<NodeId, Lifted>& replacements, const Labels& leading, const Type& dims);

}  // namespace ricci
