// From a derivative as differentiation leaves it to the answer a textbook would print.
#pragma once
#include <set>
#include <string>
#include <vector>

#include "ir/graph.h"

namespace ricci {

struct SimplifyMemory;  // passes/pipeline.h

struct SimplifyOptions {
  std::set<std::string, std::less<>> disabled = {};  // names of rules not to use
  bool rules = true;
  std::vector<std::string_view>* used = nullptr;      // collects the names of the rules that fired
  SimplifyMemory* memory = nullptr;                   // simplify() supplies its own
};

// The shortest print of several forms (docs/decisions/0006): flattened and rewritten by the rules until nothing changes, that with common factors taken
// out, and both again from other starts: products multiplied out, functions opened, fractions brought together. Values are kept wherever the original is finite. The same input gives the same answer, and an answer
// is its own simplification. Nothing is done to what is too long to be written down.
NodeId simplify(Graph& g, NodeId root, const SimplifyOptions& options = {});

}  // namespace ricci
