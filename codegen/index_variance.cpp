#include "codegen/index_variance.h"

#include <algorithm>

#include "ir/functions.h"

namespace ricci {

bool VarianceCheck::agrees(NodeId root, const std::vector<Variance>& wanted) {
  const NodeId roots[] = {root};
  for (NodeId n : g_.reachable(roots)) {
    std::optional<Axes> axes = infer(n);
    if (!axes) return false;
    known_.emplace(n, std::move(*axes));
  }
  const Axes& found = known_.at(root);
  for (size_t k = 0; k < wanted.size(); ++k)
    if (found[k] && *found[k] != wanted[k]) return false;
  return true;
}

const VarianceCheck::Axes* VarianceCheck::find(NodeId n) const {
  auto it = known_.find(n);
  return it == known_.end() ? nullptr : &it->second;
}

std::optional<VarianceCheck::Axes> VarianceCheck::infer(NodeId id) const {
  const Node& n = g_[id];
  Axes axes(n.rank());
  switch (n.kind) {
    case Kind::Const: case Kind::Size: case Kind::Call: case Kind::Place: case Kind::Epsilon: return axes;
    case Kind::Var: {
      const std::vector<Variance>& v = g_.symbol(id).variance;
      for (size_t k = 0; k < v.size() && k < axes.size(); ++k) axes[k] = v[k];
      return axes;
    }
    case Kind::Sum: case Kind::Map:
      for (NodeId o : n.operands)
        for (size_t k = 0; k < g_[o].rank(); ++k) {
          const auto& v = known_.at(o)[k];
          if (axes[k] && v && *axes[k] != *v) return std::nullopt;
          if (v) axes[k] = v;
        }
      return axes;
    case Kind::Fun:
      axes = result_axes(row(n.fun_op()), known_.at(n.operands[0]));
      if (row(n.fun_op()).core.in == 2)
        for (size_t k = 0, own = row(n.fun_op()).core.out; k < own; ++k) axes[n.rank() - own + k] = k == 0 ? Variance::Up : Variance::Down;
      return axes;
    case Kind::Ein: return product(id);
  }
  return axes;
}

std::optional<VarianceCheck::Axes> VarianceCheck::product(NodeId id) const {
  std::map<Label, std::vector<std::optional<Variance>>> ends;
  for (const Factor& f : g_.factors(id))
    for (size_t k = 0; k < f.labels.size(); ++k) ends[f.labels[k]].push_back(known_.at(f.tensor)[k]);
  Labels out = g_.out(id);
  for (const auto& [l, vs] : ends) {
    if (std::ranges::find(out, l) != out.end()) continue;
    const bool meets = vs.size() == 2 && (vs[0] || vs[1]) && vs[0] != vs[1];  // one end is known, the other one stands against it
    if (!meets) return std::nullopt;
  }
  Axes axes(out.size());
  for (size_t k = 0; k < out.size(); ++k) {
    if (std::ranges::count(out, out[k]) > 2) return std::nullopt;
    for (const auto& v : ends[out[k]]) {
      if (axes[k] && v && *axes[k] != *v) return std::nullopt;
      if (v) axes[k] = v;
    }
  }
  for (size_t k = 0; k < out.size(); ++k)  // delta^i_j: the second end stands the other way
    for (size_t j = 0; j < k; ++j)
      if (out[j] == out[k] && axes[k]) axes[k] = *axes[k] == Variance::Up ? Variance::Down : Variance::Up;
  return axes;
}

}  // namespace ricci
