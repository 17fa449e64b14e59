// What has a finite number in every entry whatever the variables are, so that it may be multiplied by a 0 that means "not this one".
//
// 0*inf and 0*NaN are NaN: where(c, 1, 0)*u is where(c, u, 0) only for a finite u. The answer is conservative. What grows without a pole (variables, their
// sums, products and powers) counts as finite; an exponential of what is not bounded does not, as it overflows at common arguments, unless overflows are
// to be ignored.
#pragma once
#include <unordered_map>

#include "passes/signs.h"

namespace ricci {

class Finiteness {
 public:
  enum class Overflow : uint8_t { Counts, Ignored };
  explicit Finiteness(Graph& g, Overflow overflow = Overflow::Counts) : g_(g), signs_(g), overflow_(overflow) {}
  // From now on `f` has a value, and so have the terms and factors that it consists of. Before any question.
  void suppose(NodeId f);
  bool operator()(NodeId n);

 private:
  bool infer(NodeId n);
  bool of_map(NodeId n);
  bool of_power(NodeId n);
  bool is_positive_power(NodeId n) const;

  Graph& g_;
  Signs signs_;
  Overflow overflow_;
  std::unordered_map<NodeId, bool> known_;
};

}  // namespace ricci
