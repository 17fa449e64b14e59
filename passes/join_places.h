// Sums of terms that pick or place alike: equal sums are one node, whether they were added before or after.
#pragma once
#include "ir/graph.h"

namespace ricci {

// A[2, :] + B[2, :] = (A + B)[2, :], diag(A) + diag(B) = diag(A + B): terms that pick alike, as one.
std::vector<Term> join_picks(Graph& g, std::vector<Term> terms);

// diag(A + B*C) as diag(A) + diag(B*C): the terms of what is picked of a sum; none if `id` is something else.
std::vector<Term> picks_of_terms(Graph& g, NodeId id);

// [0; A] + [0; B] = [0; A + B], a*e(2) + e(2) = (a + 1)*e(2): terms placed alike in the result, as one.
std::vector<Term> join_places(Graph& g, std::vector<Term> terms);

// [x; 0].^2 = [x.^2; 0]: of a power with a positive exponent.
NodeId power_of_placed(Graph& g, NodeId power);

}  // namespace ricci
