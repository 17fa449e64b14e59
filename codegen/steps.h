// What an emitted NumPy or Eigen function computes, statement by statement.
//
// A result with a matrix form is one statement. One without is a statement for each operation on a tensor of higher order, whose operands are
// statements or variables; matrix expressions inside it stay whole. A call of an undeclared function that is needed twice is a statement too: it may be dear.
#pragma once
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "frontend/program.h"
#include "ir/calls.h"
#include "ir/dimension.h"
#include "ir/matrix_expr.h"

namespace ricci {

// Not the Step of a plan: one namespace, so two names.
struct EmittedStep {
  NodeId node;
  std::string name;
  std::optional<mat::Expr> expr;  // otherwise the node's own operation on the steps of its operands
  std::vector<Variance> variance = {};
};

struct EmittedFunction {
  std::string name;
  std::vector<const Declaration*> arguments;
  std::vector<EmittedStep> steps;
  std::vector<size_t> results;           // which steps are returned, in the order of the export
  std::vector<std::string> result_names;
  std::map<NodeId, std::string> names;   // of variables and of steps
  std::vector<std::string> functions;    // that the program only declares: arguments behind the others
};

// The functions a program exports.
std::vector<EmittedFunction> emitted_functions(const Program& program);

// The symbolic dimensions of the arguments, each with the first argument and axis that has it; or, if none has, one whose size says it:
// coefficient*dimension + rest, the rest over dimensions before it in the list.
struct DimensionSource {
  std::string dimension;
  const Declaration* argument;
  size_t axis;
  int64_t coefficient = 1;
  Extent rest = {};
};
std::vector<DimensionSource> dimension_sources(const Graph& graph, const std::vector<const Declaration*>& arguments);

// The dimension in terms of the size of that axis: "(size - m) / 2".
std::string dimension_text(const DimensionSource& source, std::string size, std::string_view divided_by,
                           const std::function<std::string(const std::string&)>& name);

// The symbolic dimensions among the sizes of what the function computes that no argument has: they become arguments.
std::vector<std::string> unsourced_dimensions(const Graph& graph, const EmittedFunction& function);

// Whether `word` stands in `text` as a name of its own.
bool mentions(std::string_view text, std::string_view word);

}  // namespace ricci
