// Differentiation of anything by anything, componentwise with Kronecker deltas, on the DAG.
//
// Reverse mode (Laue, Mitterreiter, Giesen, AAAI 2020): the pull-back of each node is one product per operand and products are never expanded over
// sums, so a derivative has O(nodes) nodes and costs what reverse mode costs. A pull-back is an Ein like any other: a delta, a lost
// axis (which broadcasts) or a diagonal needs no case of its own, because output labels may repeat or stand alone.
#pragma once
#include <span>
#include <vector>

#include "frontend/program.h"
#include "ir/graph.h"

namespace ricci {

// D f / D x. Axes of the result: those of f, then those of x. x may be any node; what x itself is made of counts as constant.
NodeId differentiate(Graph& g, NodeId f, NodeId x);

// The derivatives of a scalar (or any tensor: its axes first) by several nodes in one reverse sweep.
std::vector<NodeId> gradients(Graph& g, NodeId f, std::span<const NodeId> xs);

// The directional derivative (push-forward) of f at x along h, which has x's type. The result has f's type.
NodeId directional(Graph& g, NodeId f, NodeId x, NodeId h);

// The pull-back of `seed`, which has f's type: seed contracted with D f / D x. The result has x's type.
NodeId pullback(Graph& g, NodeId f, NodeId x, NodeId seed);

// f in the form whose derivatives are right at large arguments: log(1 + exp(x)) as softplus(x), log(sum(exp(x))) as lse(x).
NodeId stable(Graph& g, NodeId f);

// What the frontend's derivative operators call: the functions above on the stable form of f, by a symmetric variable projected (passes/constrain.h).
const Calculus& calculus();

}  // namespace ricci
