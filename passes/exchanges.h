// Indices that can be exchanged: those of the permutation symbol and of matrices declared skew for a change of sign, and the outer ones of X*pinv(X) and
// pinv(X)*X, which are symmetric, for none.
//
// eps_ijk a_j a_k = 0, x'*A*x = 0 and tr(A) = 0 for a skew A: a product that an exchange of two such indices takes to itself is its own negative. What exchanges
// make of one product is one up to its sign: b x a = -(a x b), pinv(X)'*X' = X*pinv(X). Two permutation symbols contract to deltas.
#pragma once
#include <vector>

#include "ir/graph.h"

namespace ricci {

// The product, of all that exchanges make of it the one that is canonical, with its sign: indices of the result stand first, then those of the factors in
// their order. Zero if it is its own negative.
NodeId settle_exchanges(Graph& g, NodeId product);

// eps_{i..a..} eps_{i..b..} = k! * sum_p sign(p) delta(a, p(b)) over the k indices i, which are summed and stand nowhere else, as long as at most
// `most_free` indices a remain on each: a sum of most_free! terms. Whatever else `id` is, itself.
NodeId contract_epsilons(Graph& g, NodeId id, size_t most_free);

}  // namespace ricci
