// Which way the axes of every node stand, high or low, as far as variables decide it, and whether they can stand so.
#pragma once
#include <map>
#include <optional>
#include <vector>

#include "ir/graph.h"

namespace ricci {

class VarianceCheck {
 public:
  using Axes = std::vector<std::optional<Variance>>;  // nothing: either

  explicit VarianceCheck(const Graph& g) : g_(g) {}

  // Whether the axes of `root` can stand as `wanted` and every summed index once high and once low.
  bool agrees(NodeId root, const std::vector<Variance>& wanted);

  // How the axes of a node below that root stand.
  const Axes* find(NodeId n) const;

 private:
  std::optional<Axes> infer(NodeId id) const;
  std::optional<Axes> product(NodeId id) const;

  const Graph& g_;
  std::map<NodeId, Axes> known_;
};

}  // namespace ricci
