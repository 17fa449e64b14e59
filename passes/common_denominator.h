// Fractions brought together: 1/u - x^2/u^2 is (u - x^2)/u^2, and k*x^(k - 1) - x^k is x^(k - 1)*(k - x).
#pragma once
#include "ir/graph.h"

namespace ricci {

// Every sum below `root` whose terms are divided by different powers of one base, entry by entry or as scalars, over the lowest of these powers. The
// numerators are left to be flattened and to cancel. Values are kept where the terms are finite.
NodeId over_common_denominators(Graph& g, NodeId root);

// Every sum below `root` with what several terms are divided by taken out of them, A/u - b/u^2 as (A - b/u)/u.
NodeId with_shared_denominators_outside(Graph& g, NodeId root);

}  // namespace ricci
