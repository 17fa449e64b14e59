// Whether two tensors are equal, judged by numbers: in quadruple precision, at random points that keep the declarations' promises.
//
// Equal analytic functions agree everywhere and different ones almost nowhere, so a few points decide; a refutation is certain and comes
// with its point. What holds at one size need not hold at another, and what holds near 0 need not hold far from it, where functions of many branches and
// maxima of constants differ: sides that agree are compared there as well. What is compared is spoken of where some function has a value, and there a number on one side and none on the other differ: the branch
// of a `where` that is not taken may be sqrt(-1).
#pragma once
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ir/oracle.h"

namespace ricci {

struct Points {
  Dims dims = {};  // what is not given is small and all different, in the first order (ir/sample.h) that has a point where both sides mean something
  uint64_t seed = 1;
  int count = 10;
  std::map<NodeId, Properties> promises = {};  // what a variable is drawn as, if it is not as declared
};

struct Comparison {
  enum class Verdict : uint8_t { Equal, Transposed, Layout, Different, Undecided } verdict;  // Undecided: no point was usable
  std::string layout = {};                                                           // Transposed, Layout: what makes `a` into `b`
  int points = 0;                                                                    // where it was compared
  int skipped = 0;                                                                   // at a kink, without a value, or ill-conditioned
  double largest = 0;                                                                // relative difference
  // Not Equal: where, at the first entry that differs. Indices count from one, and are empty for scalars. If the shapes differ, entries are taken in
  // row-major order: the right one has another index, and a side that has ended is NaN.
  std::map<NodeId, Array<Quad>> point = {};
  std::vector<int64_t> index = {}, right_index = {}, left_shape = {}, right_shape = {};
  double left = 0, right = 0, difference = 0;
  Dims sizes = {};                 // the first at which there was a usable point
  std::vector<Dims> without = {};  // sizes at which no point was usable
};

// What is made of a value at a point before it is compared.
using Meaning = std::function<Array<Quad>(Array<Quad>, const std::map<NodeId, Array<Quad>>& point)>;

// Compares `a` and `b`, also at other sizes and far from 0, derivatives of `function` or what else is spoken of where it has a value: `a` itself if not said. Transposed if a' agrees with b and
// a does not, Layout if another arrangement of a does (passes/arrangement.h). With a meaning: what that makes of a.
Comparison compare(const Graph& g, NodeId a, NodeId b, const Points& points, std::optional<NodeId> function = {}, const Meaning& meaning = {});

// Compares `derivative`, the claimed derivative of f by xs in turn (axes of f, of xs[0], ...), with dual numbers on f.
Comparison compare_with_oracle(const Graph& g, NodeId f, std::span<const NodeId> xs, NodeId derivative, const Points& points);

// A value for every variable below `roots`; scale: how far from 0 (ir/sample.h).
std::map<NodeId, Array<Quad>> random_point(const Graph& g, std::span<const NodeId> roots, const Dims& dims, uint64_t seed,
                                           const std::map<NodeId, Properties>& promises = {}, double scale = 1);

}  // namespace ricci
