// Names for variables that a pass adds.
#pragma once
#include <string>

#include "ir/graph.h"

namespace ricci {

// `name`, with underscores after it until no symbol has it.
inline std::string fresh_name(const Graph& g, std::string name) {
  auto taken = [&] {
    for (size_t k = 0; k < g.symbol_count(); ++k)
      if (g[SymbolId{uint32_t(k)}].name == name) return true;
    return false;
  };
  while (taken()) name += "_";
  return name;
}

}  // namespace ricci
