// What functions mean that a derivation uses: norm2(x) = sqrt(sum_i(x_i^2)). A reader is told before they are differentiated.
#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "ir/graph.h"
#include "ir/matrix_expr.h"

namespace ricci {

// Both sides over a variable of its own: lse(x) and log(sum(exp(x))).
struct FunctionMeaning {
  std::string_view name;
  NodeId value, meaning;
  std::string_view remark;
};

// The functions that an expression calls, each with the largest rank of its operands, 0 for those that act entry by entry.
std::map<std::string, size_t, std::less<>> function_calls(const mat::Expr& e);

// Those of the functions in f, in their differentials, in the answer, and named in `source`; in the order of a table.
std::vector<FunctionMeaning> function_meanings(Graph& g, NodeId f, NodeId answer, std::string_view source);

}  // namespace ricci
