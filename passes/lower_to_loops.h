// From the tensor DAG to the loop IR: plans the outputs, places intermediate arrays and writes every step as loops and kernel calls.
//
// The program computes all outputs from the inputs, each intermediate once. What only some outputs need is skipped when they are not asked
// for. Nothing is allocated: intermediates and the kernels' scratch are in the workspace.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "ir/loops.h"
#include "passes/plan.h"

namespace ricci {

enum class Layout : uint8_t { RowMajor, ColumnMajor };

struct CompileRequest {
  struct Argument {
    std::string name;
    NodeId node;  // an input is a Var
    Layout layout = Layout::RowMajor;
  };
  std::string name = "f";
  std::vector<Argument> inputs = {}, outputs = {};
  std::map<DimId, int64_t> fixed = {};  // symbolic dimensions whose sizes are known now
  loops::Scalar scalar = loops::Scalar::Double;
  uint32_t vector_bytes = 64;  // of the target's vector registers
};

// The symbolic dimensions that are not fixed, in the order of the raw ABI's `dims`: as the inputs and then the outputs name them.
std::vector<DimId> symbolic_dims(const Graph& g, const CompileRequest& request);

// The sizes to plan with.
Sizes sizes_of(const CompileRequest& request);

// Throws std::invalid_argument if an output needs a variable that is no input.
loops::Program lower_to_loops(Graph& g, const CompileRequest& request);

}  // namespace ricci
