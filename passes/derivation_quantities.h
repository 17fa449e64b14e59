// A function taken apart: named intermediate quantities, each with a right side that fits on a line.
//
// Named is what a product, a function or a sum would otherwise hold as a bracket: u in u'*u with u = A*x - b, z and s in W*s with
// s = sigmoid(z). So every right side is a sum of products of variables, names, and functions of one of these.
#pragma once
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "ir/graph.h"

namespace ricci {

struct Quantity {
  std::string name;
  NodeId node;       // in the function's graph
  NodeId variable;   // the stand-in; for the function itself, too
  NodeId body;       // `node` over variables and older stand-ins
  bool active;       // depends on the variable of differentiation
};

struct QuantityNames {
  std::string function;
  std::map<NodeId, std::string> given = {};    // what the program calls them
  std::vector<std::string> taken = {};
};

// X*V*X' rather than X*V'*X' where V is symmetric: of two ways to write a factor of a product, that with the shorter matrix form.
NodeId read_straight(Graph& g, NodeId body, const std::set<NodeId>& symmetric);

// The quantities of f, operands first; the last one is f itself. Nothing if there are more than `most`.
std::optional<std::vector<Quantity>> take_apart(Graph& g, NodeId f, NodeId x, const QuantityNames& names, size_t most);

}  // namespace ricci
