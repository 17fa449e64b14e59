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

// Where the entries of a node are.
struct Stored {
  loops::ArrayId array;
  std::vector<Address> at;  // per axis of the array; labels are the node's axes
};

// What a nest leaves in memory: a member, or the entries of a view.
struct NestResult {
  NodeId node;  // a member
  Stored to;
  bool add = false;  // to what is there
  Rational coefficient = 1;
  std::optional<View> view = {};  // of no member: its counted labels are the nest's axes, in order
};

struct NestContext {
  const Graph& graph;
  const Plan& plan;
  loops::Program& program;
  const std::map<NodeId, Stored>& arrays;  // of every stored node
  const std::map<DimId, uint32_t>& dims;   // positions of the symbolic dimensions that have one
  const Sizes& sizes;                      // the others' sizes are known
  uint32_t vector_bytes;

  loops::IndexId extent(DimId d) const;
  // The product of the dimensions.
  loops::IndexId extent(std::span<const DimId> dims) const;
  // An address, given what its digits are.
  loops::IndexId position(const Address& a, std::span<const loops::IndexId> digits) const;
};

// Zeroes what a node of this type occupies.
void lower_zero(const NestContext& context, const Stored& to, const Type& type);

// `members` are computed here, ascending, each at its axes.
void lower_nest(const NestContext& context, const Type& space, std::span<const NodeId> members, std::span<const Axes> axes,
                std::span<const NestResult> results);

}  // namespace ricci
