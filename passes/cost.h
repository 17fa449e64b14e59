// What a computation costs, as a polynomial in the dimensions.
//
// Costs are compared at sizes: known ones where they are fixed, and an assumed size, large and the same, for every other symbol. So the
// degree decides first, and 2*m*n beats n^2 + m*n*p whatever the symbols are called.
#pragma once
#include <map>
#include <span>
#include <string>
#include <vector>

#include "ir/graph.h"

namespace ricci {

// The size a dimension is taken to have while planning.
struct Sizes {
  std::map<DimId, int64_t> known = {};
  double assumed = 1000;
  double operator()(const Graph& g, DimId d) const;
};

// A polynomial in the symbolic dimensions with real coefficients.
class Polynomial {
 public:
  Polynomial() = default;
  Polynomial(double constant) { add({}, constant); }  // NOLINT: a number is a polynomial
  // The number of elements of a tensor of this type; groups are products of their parts, concatenations sums.
  static Polynomial size(const Graph& g, std::span<const DimId> type);

  Polynomial& operator+=(const Polynomial& other);
  friend Polynomial operator+(Polynomial a, const Polynomial& b) { return a += b; }
  friend Polynomial operator*(const Polynomial& a, const Polynomial& b);
  friend bool operator==(const Polynomial&, const Polynomial&) = default;

  double at(const Graph& g, const Sizes& sizes) const;
  // "2*m*n^2 + 3*n", the highest degree first, dimensions in the order they were first used.
  std::string spell(const Graph& g) const;

 private:
  void add(std::vector<DimId> monomial, double coefficient);
  std::map<std::vector<DimId>, double> terms_ = {};  // a monomial is the sorted list of its factors
};

// Floating-point operations and memory traffic of a computation, and how many arrays it makes.
struct Cost {
  Polynomial flops = {};
  Polynomial bytes = {};
  int arrays = 0;
  Cost& operator+=(const Cost& other);
};

// Operations of the factorisation-based functions on an n x n matrix: the leading terms of the classical counts.
Polynomial factorisation_flops(const Graph& g, DimId n, bool cholesky);      // 2/3 n^3 or 1/3 n^3
Polynomial solve_flops(const Graph& g, DimId n, const Polynomial& columns);  // 2 n^2 a column
Polynomial inversion_flops(const Graph& g, DimId n);                         // 4/3 n^3, once factorised

// Operations that a Sum, a Map or an entrywise product takes, computed entry by entry over `space`: an elementwise function its weight, a power its
// multiplications.
Polynomial entry_flops(const Graph& g, NodeId n, std::span<const DimId> space, const Sizes& sizes);

// Operations of the coefficients of a Sum alone.
Polynomial scaling_flops(const Graph& g, NodeId n, const Sizes& sizes);

// Operations that node n alone takes when its operands are there: an Ein in the best pairwise order of its own factors, a function of an
// elementwise row its weight, a Sum one operation a term and element.
Polynomial node_flops(const Graph& g, NodeId n, const Sizes& sizes);

// The cost of evaluating `outputs` node by node as grouped, every node once: what reverse mode on the user's own grouping takes.
Cost cost_as_grouped(const Graph& g, std::span<const NodeId> outputs, const Sizes& sizes);

}  // namespace ricci
