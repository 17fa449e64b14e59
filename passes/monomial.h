// A term of a quadratic form in directions: a number, a scalar free of directions, and a product in which two directions stand.
#pragma once
#include <functional>
#include <vector>

#include "passes/mirror.h"

namespace ricci {

struct Monomial {
  Rational coefficient;
  NodeId scalar, node;  // node: the whole term
  Type type;            // of the term
  std::vector<Factor> factors;
  Labels out;
  std::vector<Mirror> mirrors = {};
  int sign = 0;  // of coefficient*scalar where it is known
};

// The parts without a direction and without an axis of the result join the scalar. `open`: squares of what has a direction become two
// factors, down to the directions, and the powers in the scalar are collected.
Monomial monomial(Graph& g, const Term& term, bool open, const std::function<bool(NodeId)>& has_direction);

// Sets `node` after another member has changed.
void refresh(Graph& g, Monomial& m);

// The factors, those joined by labels together.
std::vector<std::vector<Factor>> connected_parts(std::vector<Factor> factors, const std::function<bool(Label)>& joins = [](Label) { return true; });

}  // namespace ricci
