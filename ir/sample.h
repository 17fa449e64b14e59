// Random tensors that are what their declarations promise: symmetric, positive definite, entries in (0, 1), one-hot ...
//
// Entries stay away from 0, where so many functions have kinks or poles, and everything is drawn from one seeded generator, so that a
// mismatch is a seed.
#pragma once
#include <cstdint>
#include <random>

#include "ir/interpret.h"

namespace ricci {

class Sampler {
 public:
  explicit Sampler(uint64_t seed) : bits_(seed) {}

  // In [low, high).
  double uniform(double low, double high);
  size_t below(size_t n) { return size_t(uniform(0, 1) * double(n)); }
  // An instance of what `symbol` declares. A matrix property on a tensor of another shape is ignored.
  Array<double> draw(const Graph& g, const Symbol& symbol, const Dims& dims);

 private:
  Array<double> matrix(int64_t rows, int64_t columns, Properties p);
  double entry(Properties p);
  std::mt19937_64 bits_;
};

// Sizes for the symbolic dimensions of `g` that `dims` does not name: small and all different (3, 4, 5, 2, 6, 7, ...), so that a swapped
// axis cannot hide.
Dims distinct_sizes(const Graph& g, std::span<const NodeId> roots, Dims dims = {});

// `sizes`, of which the `given` ones stay, in other orders, the reverse first: X'*X is singular at all sizes for which X is wide. Last, all of
// one size: only there X'*X and X*X' are both nonsingular.
std::vector<Dims> size_orders(const Graph& g, std::span<const NodeId> roots, const Dims& sizes, const Dims& given);

// The sizes, larger where a place would be outside its axis (x[9]), but for those that are `given`.
Dims with_room_for_places(const Graph& g, std::span<const NodeId> roots, Dims dims, const Dims& given);

}  // namespace ricci
