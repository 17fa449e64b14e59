// The text form of the IR: one node a line, read as Einstein notation, and read back to the same nodes.
//
//   %0 = var S symmetric : [n^ n_]        a declared tensor: its properties, and per axis a dimension and a variance (^ up, _ down)
//   %1 = const -2/3
//   %2 = size n
//   %3 = ein ab,b->a %0 %5 : [n]          labels beyond z are a1, b1, ...
//   %4 = sum 2*%3 - 1/2*%6 : [n]          the zero tensor is `sum 0 : [n]`
//   %7 = tanh %4 : [n]                    an elementwise function
//   %8 = fun inv %0 : [n n]               a function without index form
//   %9 = call h[m^] %4 : [m]              a function of the user's, with the type of its value
//   return %7 %8
//
// Dimensions are names, sizes, groups `(m*n)` and concatenations `(m+n)`; a name that is no identifier stands in double quotes. `#` starts
// a comment. Numbers in the text are positions, not ids: printing counts the reachable nodes in ascending order.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ir/graph.h"

namespace ricci {

std::string print_ir(const Graph& g, std::span<const NodeId> roots);

// "ab", and "a1" for label 26.
std::string print_labels(const Labels& labels);

struct IrError {
  size_t line, column;  // from one
  std::string message;
};

// Reads IR text into `g`, through its constructors, and gives the returned nodes. A `var` that `g` has declared alike already is that
// variable. Text that breaks an invariant (unknown operand, ranks that differ, a label with two dimensions) is an error, never a crash.
std::optional<std::vector<NodeId>> parse_ir(Graph& g, std::string_view text, IrError& error);

}  // namespace ricci
