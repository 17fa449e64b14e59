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
  // Entries without bounds lie around 0, up to `scale` in scalars and vectors and up to 1 in matrices.
  explicit Sampler(uint64_t seed, double scale = 1) : bits_(seed), scale_(scale) {}

  // In [low, high).
  double uniform(double low, double high);
  size_t below(size_t n) { return size_t(uniform(0, 1) * double(n)); }
  // An instance of what `symbol` declares. A matrix property on a tensor of another shape is ignored.
  Array<double> draw(const Graph& g, const Symbol& symbol, const Dims& dims);

 private:
  Array<double> matrix(int64_t rows, int64_t columns, Properties p);
  double entry(Properties p, double scale = 1);
  std::mt19937_64 bits_;
  double scale_;
};

// A drawn tensor in quadruple precision, its promises kept to that precision: the columns of an orthogonal matrix are orthonormal, shares add up to 1.
// An orthogonal matrix is drawn as a rotation; reflected, its determinant is -1.
Array<Quad> with_exact_promises(const Array<double>& drawn, Properties p, bool reflected = false);

// Sizes for the symbolic dimensions of `g` that `dims` does not name: small and all different (3, 4, 5, 2, 6, 7, ...), so that a swapped
// axis cannot hide.
Dims distinct_sizes(const Graph& g, std::span<const NodeId> roots, Dims dims = {});

// `sizes`, of which the `given` ones stay, all one larger and all one smaller: what holds of 3 columns need not hold of 2.
std::vector<Dims> other_sizes(const Graph& g, std::span<const NodeId> roots, const Dims& sizes, const Dims& given);

// `sizes`, of which the `given` ones stay, in other orders, the reverse first: X'*X is singular at all sizes for which X is wide. Last, all of
// one size: only there X'*X and X*X' are both nonsingular.
std::vector<Dims> size_orders(const Graph& g, std::span<const NodeId> roots, const Dims& sizes, const Dims& given);

// The sizes, larger where a place would be outside its axis (x[9]), but for those that are `given`.
Dims with_room_for_places(const Graph& g, std::span<const NodeId> roots, Dims dims, const Dims& given);

}  // namespace ricci
