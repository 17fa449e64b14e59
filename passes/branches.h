// The branches of where, max, min and relu: what chooses them, and whether what is below them is finite (docs/decisions/0013-branches-that-have-no-value.md).
#pragma once
#include <unordered_map>
#include <vector>

#include "passes/guard.h"
#include "passes/slopes.h"

namespace ricci {

// What a choice is: where(c, a, b) is a where c holds and b where it does not; max(a, b) has nothing of a where a < b; relu(a) is max(a, 0).
bool is_choice(const Node& n);

// The first operand that is a branch and no condition.
size_t first_branch(const Node& choice);

// When the choice takes its branch, operand k; `all` are the labels of its axes.
Guard guard_of(Graph& g, Slopes& slope, NodeId choice, size_t k, const Labels& all);

// What is known of the ways from a node down to the variables; `active` tells the nodes on them, and outlives this.
class Ways {
 public:
  Ways(Graph& g, Slopes& slope, Finiteness& finite, const std::vector<bool>& active) : g_(g), slope_(slope), finite_(finite), active_(active) {}
  bool active(NodeId n) const { return active_[n.value]; }

  // Whether every local derivative on the ways is finite: then an adjoint that is 0 stays 0 all the way.
  bool finite(NodeId root);

  // Whether the slopes that are met before anything is summed are finite: entry by entry they belong to one choice.
  bool finite_near(NodeId root);

  // Whether the local derivative of this node is.
  bool finite_here(NodeId n);

 private:
  bool is_near(NodeId n);

  Graph& g_;
  Slopes& slope_;
  Finiteness& finite_;
  const std::vector<bool>& active_;
  std::unordered_map<NodeId, bool> known_, near_;
};

}  // namespace ricci
