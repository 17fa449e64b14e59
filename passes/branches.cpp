#include "passes/branches.h"

#include <algorithm>

namespace ricci {

bool is_choice(const Node& n) {
  if (n.kind != Kind::Map) return false;
  return n.map_op() == MapOp::select_ || n.map_op() == MapOp::max_ || n.map_op() == MapOp::min_ || n.map_op() == MapOp::relu_;
}

size_t first_branch(const Node& choice) { return choice.map_op() == MapOp::select_ ? 1 : 0; }

Guard guard_of(Graph& g, Slopes& slope, NodeId id, size_t k, const Labels& all) {
  const Node& n = g[id];
  const auto axes = [&](NodeId m) { return g[m].rank() == 0 ? Labels{} : all; };
  if (n.map_op() == MapOp::select_) return {n.operands[0], axes(n.operands[0]), k == 1};
  const NodeId mine = n.operands[k], other = n.operands.size() == 1 ? g.constant(0) : n.operands[1 - k];
  const NodeId passed = n.map_op() == MapOp::min_ ? g.map(MapOp::isless_, {other, mine}) : g.map(MapOp::isless_, {mine, other});
  const NodeId share = slope(id, k);
  return {passed, axes(passed), false, Factor{share, axes(share)}};
}

bool Ways::finite(NodeId root) {
  if (const auto it = known_.find(root); it != known_.end()) return it->second;
  for (NodeId n : g_.reachable(std::span(&root, 1)))
    if (!known_.contains(n)) known_[n] = !active(n) || (std::ranges::all_of(Node(g_[n]).operands, [&](NodeId o) { return known_.at(o); }) && finite_here(n));
  return known_.at(root);
}

bool Ways::finite_near(NodeId root) {
  if (const auto it = near_.find(root); it != near_.end()) return it->second;
  for (NodeId n : g_.reachable(std::span(&root, 1)))
    if (!near_.contains(n)) near_[n] = !active(n) || is_near(n);
  return near_.at(root);
}

bool Ways::finite_here(NodeId id) {
  const Node& n = g_[id];
  if (is_choice(n)) return true;
  for (size_t k = 0; k < n.operands.size(); ++k) {
    if (!active(n.operands[k])) continue;
    if (n.kind == Kind::Map && !finite_(slope_(id, k))) return false;
    for (size_t other = 0; n.kind == Kind::Ein && other < n.operands.size(); ++other)
      if (other != k && !finite_(n.operands[other])) return false;
  }
  if (n.kind != Kind::Fun) return n.kind != Kind::Call;
  switch (n.fun_op()) {
    case FunOp::triu:
    case FunOp::tril:
    case FunOp::lse:
    case FunOp::prod:
    case FunOp::max_of:
    case FunOp::min_of:
    case FunOp::argmax: return true;
    default: return false;
  }
}

bool Ways::is_near(NodeId id) {
  const Node n = g_[id];
  if (n.kind == Kind::Ein) {
    const Labels out = g_.out(id);
    return std::ranges::all_of(g_.factors(id), [&](const Factor& f) {
      return near_.at(f.tensor) || std::ranges::any_of(f.labels, [&](Label l) { return std::ranges::count(out, l) == 0; });
    });
  }
  if (n.kind != Kind::Map && n.kind != Kind::Sum) return true;
  return std::ranges::all_of(n.operands, [&](NodeId o) { return near_.at(o); }) && (n.kind == Kind::Sum || finite_here(id));
}

}  // namespace ricci
