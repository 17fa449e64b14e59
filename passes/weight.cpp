#include "passes/weight.h"

#include <algorithm>

namespace ricci {
namespace {
constexpr uint64_t kMost = uint64_t{1} << 40, kUnknown = ~uint64_t{0};
}

// The operators this node adds to its operands.
uint64_t Weight::own(NodeId id) const {
  const Node& n = g_[id];
  switch (n.kind) {
    case Kind::Const:
    case Kind::Size:
    case Kind::Var:
    case Kind::Place: return 1;
    case Kind::Epsilon: return n.rank();  // more than a delta, so that two of them are better contracted
    case Kind::Sum: {
      uint64_t w = n.operands.empty() ? 1 : n.operands.size() - 1;
      for (const Rational& c : n.coefficients) w += c == 1 ? 0 : c == -1 ? (n.operands.size() == 1) : 2;
      return w;
    }
    case Kind::Ein: {
      // A product sign between factors, and one for a function such as diag, tr or sum where labels repeat or disappear.
      size_t joints = n.operands.empty() ? 1 : n.operands.size() - 1;
      return std::max<uint64_t>(1, joints);
    }
    case Kind::Map: {
      bool integer_power = n.map_op() == MapOp::pow_ && g_[n.operands[1]].kind == Kind::Const && is_integer(g_[n.operands[1]].value());
      return integer_power ? 1 : uint64_t(row(n.map_op()).weight);
    }
    case Kind::Fun: return uint64_t(row(n.fun_op()).weight);
    case Kind::Call: return 2;
  }
  return 1;
}

uint64_t Weight::operator()(NodeId root) {
  if (root.value >= known_.size()) known_.resize(root.value + 1, kUnknown);
  if (known_[root.value] != kUnknown) return known_[root.value];
  NodeId roots[] = {root};
  for (NodeId n : g_.reachable(roots)) {
    if (known_[n.value] != kUnknown) continue;
    uint64_t w = own(n);
    for (NodeId op : g_[n].operands) w = std::min(kMost, w + known_[op.value]);
    known_[n.value] = w;
  }
  return known_[root.value];
}

}  // namespace ricci
