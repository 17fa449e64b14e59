// Products under a condition: where(c, u, 0) for a product u, and never where(c, 1, 0)*u where u may be inf or NaN.
//
// The derivative of where(c, a, b) is where(c, da, db). As numbers da may be anything where c does not hold, sqrt(x) and its slope at x < 0, so the
// condition has to choose, around all factors that are not known to be finite (passes/finite.h). Those that are stay outside, for the sake of print and
// cost: a choice around a matrix has as many entries as it.
#pragma once
#include "passes/finite.h"

namespace ricci {

// The entries for which `condition` (an axis per label; or one number for all, no labels) is not 0, or those for which it is 0 if not `holds`.
struct Guard {
  NodeId condition;
  Labels labels;
  bool holds;
  // A factor that is 0 at the other entries and not only 1 at these: step(x - y) is 1/2 at a tie.
  std::optional<Factor> share = {};
};

// The product of `factors` as Graph::ein has it, of the guarded entries: the others are 0 before they are summed.
NodeId guarded(Graph& g, Finiteness& finite, Guard guard, std::vector<Factor> factors, Labels out, const Type& type);

}  // namespace ricci
