// Choices by one condition: where(c, 1, 0)*a + where(c, 0, 1)*b is where(c, a, b), as Huber's slope is written.
#pragma once
#include "ir/graph.h"

namespace ricci {

// Every sum below `root` in which several terms are choices by one condition, or products with a choice that is 0 on one side, with one choice for
// them, and without choices by whether a power is 0 that never is: (1 + x^2)^y. Values are kept where the terms are finite.
NodeId join_choices(Graph& g, NodeId root);

}  // namespace ricci
