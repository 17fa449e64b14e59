// What changes its sign when two of its indices are exchanged: the permutation symbol, and matrices declared skew.
//
// eps_ijk a_j a_k = 0, x'*A*x = 0 and tr(A) = 0 for a skew A: a product that an exchange of two such indices takes to itself is its own negative. In a
// sum, terms that differ by exchanges are one: a x b + b x a = 0. Two permutation symbols contract to deltas.
#pragma once
#include <vector>

#include "ir/graph.h"

namespace ricci {

// The product, or zero if it is its own negative.
NodeId without_antisymmetric(Graph& g, NodeId product);

// The terms with those that differ only by exchanges of antisymmetric indices together.
std::vector<Term> join_exchanged(Graph& g, std::vector<Term> terms);

// eps_{i..a..} eps_{i..b..} = k! * sum_p sign(p) delta(a, p(b)) over the k indices i, which are summed and stand nowhere else, as long as at most
// `most_free` indices a remain on each: a sum of most_free! terms. Whatever else `id` is, itself.
NodeId contract_epsilons(Graph& g, NodeId id, size_t most_free);

}  // namespace ricci
