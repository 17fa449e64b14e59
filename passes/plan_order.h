// In which order the factors of a product meet.
//
// An order is a list of pairwise contractions; its flops are the sum, over them, of the product of all sizes involved (twice where
// something is summed: a multiplication and an addition). Up to eight factors the best order is found exactly by dynamic programming over
// subsets, beyond that greedily. A label that only one factor carries and the output does not is summed out of that factor first: no order
// does better.
#pragma once
#include <vector>

#include "ir/graph.h"
#include "passes/cost.h"

namespace ricci {

// One contraction: operands are positions in the list of factors, continued by the results of earlier contractions. `right` is -1 when a
// factor alone is summed over.
struct Contraction {
  int left, right;
  Labels out;
};

struct ContractionOrder {
  std::vector<Contraction> contractions;  // the last one is the product; none for a single factor with nothing to sum
  double flops = 0;
};

// A product as a network: the labels of each factor, those of the result (distinct, each on some factor), and a size per label.
struct TensorNetwork {
  std::vector<Labels> factors;
  Labels out;
  std::map<Label, double> sizes;
};

ContractionOrder contraction_order(const TensorNetwork& p);

}  // namespace ricci
