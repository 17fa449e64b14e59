// How the terms of a sum lie in its array. Blocks that are pairwise apart and have together as many entries as the whole tile it: nothing is
// zeroed and nothing added.
#include <algorithm>

#include "ir/dimension.h"
#include "passes/plan.h"

namespace ricci {
namespace {

constexpr size_t kMostBlocks = 64;  // that are compared pair by pair

// The entries of a block: how many, and between which along each axis.
struct Box {
  struct Range {
    Extent begin, end;
  };
  std::vector<Range> axes = {};
  Extent entries = Extent::number(1);
};

Box box_of(const Graph& g, const View& v) {
  Box box;
  for (DimId d : v.space) box.entries = box.entries * Extent::of(g, d);
  for (const Address& a : v.to) {
    Extent begin, last;
    for (const Address::Term& t : a.terms) {
      Extent step = Extent::number(1);
      for (DimId d : t.strides) step = step * Extent::of(g, d);
      if (!t.digit) begin = begin + step;
      else last = last + step * (Extent::of(g, v.space[size_t(std::ranges::find(v.counted, *t.digit) - v.counted.begin())]) - Extent::number(1));
    }
    box.axes.push_back({begin, begin + last + Extent::number(1)});
  }
  return box;
}

bool are_apart(const Box& a, const Box& b) {
  for (size_t k = 0; k < a.axes.size(); ++k)
    if ((b.axes[k].begin - a.axes[k].end).is_size() || (a.axes[k].begin - b.axes[k].end).is_size()) return true;
  return false;
}

// Every counted label moves in the block, so that no entry is written twice.
bool is_block(const View& v) {
  return !v.sums && std::ranges::all_of(v.counted, [&](Label l) {
           return std::ranges::any_of(v.to, [&](const Address& a) {
             return std::ranges::any_of(a.terms, [&](const Address::Term& t) { return t.digit == l; });
           });
         });
}

}  // namespace

Blocks blocks_of(const Graph& g, NodeId n) {
  const std::vector<Term> terms = g.terms(n);
  if (terms.size() > kMostBlocks) return Blocks::Mixed;
  std::vector<Box> boxes;
  Extent missing = Extent::number(1);
  for (DimId d : g[n].type) missing = missing * Extent::of(g, d);
  for (const Term& t : terms) {
    const std::optional<View> v = find_view(g, t.tensor);
    if (!v || !is_block(*v)) return Blocks::Mixed;
    Box box = box_of(g, *v);
    if (std::ranges::any_of(boxes, [&](const Box& other) { return !are_apart(box, other); })) return Blocks::Mixed;
    missing = missing - box.entries;
    boxes.push_back(std::move(box));
  }
  return missing == Extent() ? Blocks::Tiling : Blocks::Apart;
}

}  // namespace ricci
