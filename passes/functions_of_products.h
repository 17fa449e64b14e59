// inv(A*B) = inv(B)*inv(A), det(A*B) = det(A)*det(B): functions of products as products of functions.
#pragma once
#include "ir/graph.h"

namespace ricci {

// Every inv, adj, det and logdet below `root` of a product of square matrices and scalars, taken apart into those of its factors. The value is
// kept where the parts are finite. Nothing gets shorter by that alone, so it is a step of `expand`.
NodeId open_functions_of_products(Graph& g, NodeId root);

}  // namespace ricci
