// From a derivative as differentiation leaves it to the answer a textbook would print.
#pragma once
#include <set>
#include <string>
#include <vector>

#include "ir/graph.h"

namespace ricci {

struct SimplifyOptions {
  std::set<std::string, std::less<>> disabled = {};  // names of rules not to use
  bool rules = true;
  std::vector<std::string_view>* used = nullptr;      // collects the names of the rules that fired
};

// canonicalize, rewrite by the rules and factor, until nothing changes. Values are kept wherever the original is finite.
NodeId simplify(Graph& g, NodeId root, const SimplifyOptions& options = {});

}  // namespace ricci
