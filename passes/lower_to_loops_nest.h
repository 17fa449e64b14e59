// One nest of loops: elementwise work and reductions over one iteration space.
//
// Every value is computed in the outermost loop that has all its axes; a reduction is an accumulator if the axes it sums are the innermost
// loops, and adds to memory otherwise. The innermost loop is the axis along which most arrays are contiguous.
#pragma once
#include <map>
#include <set>
#include <span>
#include <vector>

#include "ir/graph.h"
#include "ir/loops.h"
#include "passes/plan.h"

namespace ricci {

// What a nest leaves in memory.
struct NestResult {
  NodeId node;  // a member, or any operand
  Axes axes;    // the node's axes in the nest
  loops::ArrayId array;
  Axes subscripts;   // the array's axes in the nest
  bool add = false;  // to what is there
  Rational coefficient = 1;
};

struct NestContext {
  const Graph& graph;
  const Plan& plan;
  loops::Program& program;
  const std::map<NodeId, loops::ArrayId>& arrays;  // of every stored node
  const std::map<DimId, uint32_t>& dims;           // positions of the symbolic dimensions that have one
  const Sizes& sizes;                              // the others' sizes are known
  uint32_t vector_bytes;

  loops::IndexId extent(DimId d) const;
};

// `members` are computed here, ascending, each at its axes.
void lower_nest(const NestContext& context, const Type& space, std::span<const NodeId> members, std::span<const Axes> axes,
                std::span<const NestResult> results);

}  // namespace ricci
