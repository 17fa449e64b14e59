// Where a function of one number is increasing, decreasing, convex or concave.
#pragma once
#include <optional>

#include "ir/graph.h"
#include "passes/range.h"

namespace ricci {

struct ScalarShape {
  bool convex = false, concave = false, increasing = false, decreasing = false;
  bool strictly_monotone = false;
  std::optional<Range> domain = {};  // the part of the interval where the function has a value, if it is not all of it
};

// The shape on `interval` of an elementwise function of its first operand: a row of ir/elementwise.def of one argument, or a power with a constant exponent.
// Nothing is said of a function with poles or jumps on the interval.
ScalarShape scalar_shape(Graph& g, NodeId map, const Range& interval);

// Whether the function of one argument tends to 0 at one end of the real line and is the integral of a log-concave density from there, so that it
// is log-concave itself (Prekopa).
bool integrates_log_concave(Graph& g, NodeId map);

}  // namespace ricci
