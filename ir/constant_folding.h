// What the constructors of Map and Fun nodes know without any doubt: values at constants, powers of powers, det(A') = det(A).
#pragma once
#include <optional>

#include "ir/graph.h"

namespace ricci {

// The node that op(operands) is equal to by an exact identity, if there is one.
std::optional<NodeId> fold_map(Graph& g, MapOp op, const std::vector<NodeId>& operands);
std::optional<NodeId> fold_fun(Graph& g, FunOp op, NodeId operand);

// k with f(c*x) = k*f(x) for a positive c: steps and signs forget it. Nothing for other functions.
std::optional<Rational> homogeneous(MapOp op, const Rational& c);

// Whether the node is a root that has slope 0 at 0, norm2(x) or hypot(x, y), or a power of one: what is divided by it is 0 where it is.
bool is_norm(const Graph& g, NodeId n);

// r^e if it is rational: (9/4)^(1/2) = 3/2.
std::optional<Rational> exact_power(const Rational& r, const Rational& e);

}  // namespace ricci
