// The same numbers in another layout: a derivative's axes transposed, in another order, or stacked by vec.
//
// That is all that textbooks' layouts of derivatives differ in; so two sides of a claim that differ are compared again under each.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "ir/interpret.h"

namespace ricci {

struct Arrangement {
  std::string name;                                       // "transposed", "as a matrix of vec, columns stacked"
  std::function<Array<Quad>(const Array<Quad>&)> apply;
  bool transposition = false;
};

// Axis k of the result is axis axes[k] of `a`.
Array<Quad> permuted(const Array<Quad>& a, const std::vector<size_t>& axes);

// The first `rows` axes stacked into one and the others into another; the first axis of each runs fastest, as vec stacks columns.
Array<Quad> stacked(const Array<Quad>& a, size_t rows);

// Every arrangement but the identity that takes a tensor of one shape to the other. Up to order four.
std::vector<Arrangement> arrangements(const std::vector<int64_t>& from, const std::vector<int64_t>& to);

}  // namespace ricci
