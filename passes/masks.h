// Triangles as masks: tril(X) = tril(ones(m, n)).*X, where X is a tensor of more axes than matrix notation shows.
//
// A product with a 0/1 matrix has a place in every notation for tensors, a function of each of many matrices has none. The product is NaN where the
// function is 0 beside a triangle with an infinite entry, so that only what is finite everywhere is masked.
#pragma once
#include "ir/graph.h"

namespace ricci {

NodeId with_masks(Graph& g, NodeId expression);

}  // namespace ricci
