// What is asked of the labels of a product again and again.
#pragma once
#include <algorithm>

#include "ir/graph.h"

namespace ricci {

inline bool contains(const Labels& labels, Label l) { return std::ranges::find(labels, l) != labels.end(); }

inline bool has_repeats(Labels labels) {
  std::ranges::sort(labels);
  return std::ranges::adjacent_find(labels) != labels.end();
}

}  // namespace ricci
