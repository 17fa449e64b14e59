// Places: entries, slices, blocks, vec, kron and reshape as address constraints inside products.
//
// P[a, i...] = 1 where a = offset + number(i...). Given its digits a place fixes its whole, so every factor that carries the whole label is
// replaced by its slice T[offset + number(i...)], and the whole survives only where it is an axis of the result. The normal form of a product is
// therefore: tensors and slices of tensors joined at digits, and one place per built axis of the result.
#pragma once
#include "ir/dimension.h"
#include "ir/graph.h"

namespace ricci {

enum class Placement {
  None,     // a true product, or a sum
  Partial,  // every entry of the result is one entry of the one tensor in it (or 1), or 0: diag(x), [x; 0], e(k)
  Total,    // and never 0: x', x*ones', x[2:3], vec(A), ones
};

// Whether an Ein only moves entries: at most one factor beside places, and output labels fix all others.
Placement placement(const Graph& g, NodeId ein);

// Whether an Ein really sums nothing, whatever number of factors it has. Inside a product it is opened, so that places meet.
bool only_moves(const Graph& g, NodeId ein);

// Whether a place is one to one between its whole and all values of its digits.
bool is_group(const Graph& g, NodeId place);

// How much longer its whole is than a place needs: negative if the place is outside.
Extent room_of(const Graph& g, NodeId place);

}  // namespace ricci
