// Max Woodbury's identity from right to left: the inverse of a matrix and its correction as one inverse,
//
//     inv(A) - inv(A)*U*inv(inv(C) + V*inv(A)*U)*V*inv(A) = inv(A + U*C*V),
//
// with columns and a scalar instead of inv(C) + ... that of Sherman and Morrison.
#pragma once
#include "ir/graph.h"

namespace ricci {

// Every sum below `root` in which two terms are the left side with those two as the right side, if inv(C) is known to have an inverse. The determinant of the
// right side's operand is that of A, of C and of what was inverted on the left, multiplied: it is finite where the left side is.
NodeId with_corrections_inside(Graph& g, NodeId root);

}  // namespace ricci
