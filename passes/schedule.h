// Where intermediate arrays live: one workspace, shared by arrays whose lives do not meet.
//
// A life is the range of steps from the first that writes an array to the last that reads it. Sizes are symbolic, so a place is given on
// to a later array of the same size expression if there is one, and else to one that is no larger at the assumed sizes; a place is as long
// as the longest of its arrays. The steps stand in the planner's order; a streamed index (one pass over blocks of a long dimension) would
// enter here as a third kind of life, block-sized and inside one loop.
#pragma once
#include <span>
#include <vector>

#include "ir/loops.h"
#include "passes/plan.h"

namespace ricci {

struct Life {
  size_t first, last;       // steps, inclusive
  loops::IndexId elements;  // its size as an expression
  double size;              // and at the assumed sizes
};

struct Workspace {
  std::vector<loops::IndexId> offsets;  // one a life, in elements, each a multiple of 64 bytes
  loops::IndexId end;                   // of the workspace
};

Workspace place(loops::Program& p, std::span<const Life> lives);

}  // namespace ricci
