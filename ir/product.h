// A product on its way to becoming an Ein node: what the constructor Graph::ein does to it, step by step.
#pragma once
#include "ir/flat_map.h"
#include "ir/graph.h"

namespace ricci {

// What a factor is a power of with a number for its exponent: x of x^3, and of y, y itself.
NodeId power_base(const Graph& g, NodeId factor);

struct Product {
  Graph& graph;
  std::vector<Factor> factors;
  Labels out;
  Type type;
  Rational coefficient = 1;
  FlatMap<Label, DimId> dim = {};  // of every label seen

  Product(Graph& g, std::vector<Factor> factors, Labels out, Type type);

  // Takes constants out, and opens every factor that repeats, moves or adds axes (delta, ones, transpose, diag, ...) so that its labels are
  // unified with those around it. This is all of delta elimination: sum_j delta_ij x_j = x_i because i and j become one label.
  void dissolve_structure();
  // Joins places until each built axis has one, and replaces tensors that carry a placed axis by their slices (ir/places.h).
  void settle_places();
  // The whole product, if it is a slice of a block matrix.
  std::optional<NodeId> slice_of_blocks();
  // A label that is summed and touches no factor is a factor dim(label). Settling places does this too: the size is a tensor among them.
  void sum_lone_labels();
  // Equal tensors with equal labels are one power: x_i x_i = (x^2)_i, s * s^-1 = 1.
  void collect_powers();

 private:
  void rename(Label from, Label to);
  void set_place(size_t k, Label whole, const Labels& digits, Type parts, DimId offset);
  bool drop_unit_digit(size_t k);
  bool join_places();
  bool join(size_t p, size_t q);
  bool refine(size_t p, const Labels& digits, const Type& parts);
  std::vector<std::vector<std::pair<uint64_t, size_t>>> surroundings(const Factor& of) const;
  bool slice();
};

}  // namespace ricci
