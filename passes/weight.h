// How long an expression is when written down: what simplification makes smaller.
#pragma once
#include <cstdint>
#include <vector>

#include "ir/graph.h"

namespace ricci {

// Operators and names, functions by the weight column of their table row, shared parts counted as often as they are printed; saturates instead
// of overflowing on a deep DAG.
class Weight {
 public:
  explicit Weight(const Graph& g) : g_(g) {}
  uint64_t operator()(NodeId n);

 private:
  uint64_t own(NodeId n) const;
  const Graph& g_;
  std::vector<uint64_t> known_;  // per node
};

}  // namespace ricci
