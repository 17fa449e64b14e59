// Answers in index notation: every tensor of the graph has one, whatever its order.
//
// Letters are given while printing: the axes of the answer take i, j, k, ... in order, each summed label the next free letter of its term.
// An argument of an undeclared function that has no matrix form is defined before: "t1_i = prod_j(A_ij); F = h(t1)".
// Indices stand up and down as declared where every summed index then meets once up and once down; otherwise all stand low (Cartesian).
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "codegen/equation.h"
#include "frontend/program.h"
#include "ir/graph.h"

namespace ricci {

// "F^i_j(k) = ..." with the indices of the function, then in parentheses those of each variable, in order; before it, what it mentions.
std::vector<Equation> index_equations(const Graph& graph, std::string_view name, const Value& value, bool all_low = false);
std::string index_form(const Graph& graph, std::string_view name, const Value& value, bool all_low = false);

// The right side alone: "delta_ik*x_j + x_i*delta_jk". The axes of `value` are i, j, k, ...
std::string index_expression(const Graph& graph, const Value& value, bool all_low = false);

}  // namespace ricci
