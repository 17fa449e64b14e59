// inv(A*B) = inv(B)*inv(A), det(A*B) = det(A)*det(B), inv(kron(A, B)) = kron(inv(A), inv(B)), det([a, b; c, d]) = a*d - b*c,
// sigmoid(-x) = 1 - sigmoid(x): functions taken apart, so that their parts may cancel.
#pragma once
#include "ir/graph.h"

namespace ricci {

// Every inv, adj, det and logdet below `root` of a product or a Kronecker product of square matrices as those of its factors, those of a 2 x 2 matrix by
// its entries, and every sigmoid of a negative as that of the positive. The value is kept where the parts are finite. Nothing gets shorter by that
// alone, so it is a step of `expand`.
NodeId open_functions(Graph& g, NodeId root);

// Every product of two permutation symbols that share an index as deltas, eps_ijk eps_ilm = delta_jl delta_km - delta_jm delta_kl: of one product only,
// so it follows on products over sums that are multiplied out.
NodeId open_epsilons(Graph& g, NodeId root);

}  // namespace ricci
