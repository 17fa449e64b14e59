// Sums over nothing, which are 0, or NaN where terms that are not finite would have been summed (docs/decisions/0008).
#pragma once
#include <cmath>
#include <map>
#include <span>
#include <vector>

#include "ir/interpret.h"

namespace ricci::fuzz {

// Whether some value below `roots` is not finite once empty dimensions have one entry: what would be summed over them then. Zeros are entries too,
// whose sums are those over nothing.
inline bool empty_sums_may_be_nan(const Graph& g, std::span<const NodeId> roots, Dims dims, const std::map<NodeId, Array<Quad>>& inputs) {
  bool any = false;
  for (auto& [name, size] : dims)
    if (size == 0) size = 1, any = true;
  if (!any) return false;
  const std::vector<NodeId> all = g.reachable(roots);
  for (const double entry : {0.5, 0.0}) {
    std::map<NodeId, Array<Quad>> filled = inputs;
    for (auto& [n, a] : filled) {
      const std::vector<int64_t> shape = shape_of(g, g[n].type, dims);
      if (shape != a.shape) a = Array<Quad>(shape, Quad(entry));
    }
    for (const Array<Quad>& a : interpret<Quad>(g, all, dims, filled))
      for (Quad x : a.data)
        if (!std::isfinite(double(x))) return true;
  }
  return false;
}

}  // namespace ricci::fuzz
