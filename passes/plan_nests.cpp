#include "passes/plan_nests.h"

#include <algorithm>
#include <map>
#include <numeric>

namespace ricci {
namespace {

constexpr size_t kMostMembers = 200;  // of one nest: LLVM's time is worse than linear in the length of a block

class NestFormer {
 public:
  NestFormer(const Graph& g, const Plan& plan, std::span<const NodeId> nodes, const std::vector<std::vector<NodeId>>& users,
             const std::vector<bool>& is_output)
      : g_(g),
        plan_(plan),
        nodes_(nodes),
        users_(users),
        is_output_(is_output),
        level_(users.size(), 0),
        group_(users.size()),
        axes_(users.size()) {}

  std::vector<Nest> run() {
    for (NodeId n : nodes_) level_[n.value] = level(n);
    for (size_t i = nodes_.size(); i-- > 0;) {
      if (in_nest(nodes_[i])) assign(nodes_[i]);
    }
    std::map<Group, std::vector<NodeId>> groups;
    for (NodeId n : nodes_) {
      if (in_nest(n)) groups[group_[n.value]].push_back(n);
    }
    std::vector<Nest> nests;
    for (const auto& [group, members] : groups) {
      for (std::vector<NodeId>& part : connected(members)) {
        for (size_t k = 0; k < part.size(); k += kMostMembers) {
          const auto begin = part.begin() + std::ptrdiff_t(k), end = part.begin() + std::ptrdiff_t(std::min(part.size(), k + kMostMembers));
          nests.push_back({group.first, std::vector<NodeId>(begin, end)});
          for (NodeId m : nests.back().members) nests.back().axes.push_back(axes_[m.value]);
        }
      }
    }
    mark_stored(nests);
    return nests;
  }

 private:
  using Group = std::pair<Type, int>;  // iteration space, level

  bool in_nest(NodeId n) const { return plan_.role(n) == Role::Entry || plan_.role(n) == Role::Reduce; }

  Type space(NodeId n) const {
    if (plan_.role(n) == Role::Entry) return g_[n].type;
    std::map<Label, DimId> dims;
    for (const Factor& f : g_.factors(n)) {
      for (size_t k = 0; k < f.labels.size(); ++k) dims.emplace(f.labels[k], g_[f.tensor].type[k]);
    }
    Type t;
    for (Label l : reduction_labels(g_, n)) t.push_back(dims.at(l));
    return t;
  }

  // Whether member u reads operand o at its own point of the iteration space, wherever it stands among its operands.
  bool reads_pointwise(NodeId u, NodeId o) const {
    if (g_[u].kind != Kind::Ein) return g_[o].rank() == g_[u].rank();
    const Labels point = plan_.role(u) == Role::Reduce ? reduction_labels(g_, u) : g_.out(u);
    return std::ranges::all_of(g_.factors(u), [&](const Factor& f) { return f.tensor != o || f.labels == point; });
  }

  int level(NodeId n) const {
    int r = 0;
    for (NodeId operand : g_[n].operands) {
      const NodeId o = source_of(g_, plan_, operand);
      if (plan_.role(o) == Role::Leaf) continue;
      const int below = level_[o.value];
      if (!in_nest(n)) {
        r = std::max(r, plan_.role(n) == Role::View ? below : below + 1);
      } else if (plan_.role(o) == Role::Reduce) {
        r = std::max(r, below + 1);
      } else if (plan_.role(o) == Role::Entry) {
        const bool broadcast = g_[o].rank() < space(n).size();
        const bool pointwise = o == operand && reads_pointwise(n, o);
        r = std::max(r, broadcast || pointwise ? below : below + 1);
      } else {
        r = std::max(r, below);
      }
    }
    return r;
  }

  // Where a nest reads a node: the nest and the axes at which it does.
  struct Point {
    Group group;
    Axes axes;
    friend bool operator==(const Point&, const Point&) = default;
  };

  // The points at which members read n, directly or through a view; false if something else reads it too.
  bool collect_points(NodeId n, std::vector<Point>& points) const {
    for (NodeId u : users_[n.value]) {
      if (in_nest(u)) {
        for (Axes& axes : axes_in(u, n)) points.push_back({group_[u.value], std::move(axes)});
        continue;
      }
      if (plan_.role(u) != Role::View || is_output_[u.value] || is_scattered(g_, u)) return false;
      const View view = view_of(g_, u);
      if (!view.moves_axes()) return false;
      for (NodeId w : users_[u.value]) {
        if (!in_nest(w)) return false;
        for (const Axes& axes : axes_in(w, u)) {
          Axes base;
          for (const Address& a : view.from) base.push_back(axes[size_t(std::ranges::find(view.to, a) - view.to.begin())]);
          points.push_back({group_[w.value], std::move(base)});
        }
      }
    }
    return !points.empty();
  }

  // The axes that operand o of member u has in u's nest, for every time it occurs.
  std::vector<Axes> axes_in(NodeId u, NodeId o) const {
    std::vector<Axes> r;
    if (g_[u].kind != Kind::Ein) return {g_[o].rank() == 0 ? Axes{} : axes_[u.value]};
    const Labels point = plan_.role(u) == Role::Reduce ? reduction_labels(g_, u) : g_.out(u);
    for (const Factor& f : g_.factors(u)) {
      if (f.tensor != o) continue;
      r.emplace_back();
      for (Label l : f.labels) r.back().push_back(axes_[u.value][size_t(std::ranges::find(point, l) - point.begin())]);
    }
    return r;
  }

  // Its own space at its own level, or the nest that reads it if it is read at one point and costs no more there.
  void assign(NodeId n) {
    group_[n.value] = {space(n), level_[n.value]};
    axes_[n.value].resize(group_[n.value].first.size());
    std::iota(axes_[n.value].begin(), axes_[n.value].end(), size_t(0));
    std::vector<Point> points;
    if (plan_.role(n) != Role::Entry || is_output_[n.value] || plan_.alias[n.value] != n || !collect_points(n, points)) return;
    const Point& first = points[0];
    auto same = [&](const Point& p) { return p == first; };
    bool covers = true;
    for (size_t a = 0; a < first.group.first.size(); ++a) covers = covers && std::ranges::find(first.axes, a) != first.axes.end();
    if (!std::ranges::all_of(points, same) || !(covers || g_[n].rank() == 0)) return;
    group_[n.value] = first.group;
    axes_[n.value] = first.axes;
  }

  // Members of a group that use each other or read the same array belong together.
  std::vector<std::vector<NodeId>> connected(const std::vector<NodeId>& members) const {
    std::map<NodeId, size_t> number;
    std::vector<size_t> parent(members.size());
    std::iota(parent.begin(), parent.end(), size_t(0));
    auto find = [&](size_t x) {
      while (parent[x] != x) x = parent[x] = parent[parent[x]];
      return x;
    };
    auto unite = [&](size_t a, size_t b) {
      a = find(a), b = find(b);
      parent[std::max(a, b)] = std::min(a, b);
    };
    for (size_t k = 0; k < members.size(); ++k) number[members[k]] = k;
    for (size_t k = 0; k < members.size(); ++k) {
      for (NodeId operand : g_[members[k]].operands) {
        const NodeId base = source_of(g_, plan_, operand);
        const NodeId o = in_group(base, members[k]) ? base : operand;
        auto [it, fresh] = number.try_emplace(o, k);
        if (!fresh && (g_[o].rank() > 0 || g_[members[k]].rank() == 0 || in_group(o, members[k]))) unite(it->second, k);
      }
    }
    std::map<size_t, std::vector<NodeId>> parts;
    for (size_t k = 0; k < members.size(); ++k) parts[find(k)].push_back(members[k]);
    std::vector<std::vector<NodeId>> r;
    for (auto& [root, part] : parts) r.push_back(std::move(part));
    return r;
  }
  bool in_group(NodeId n, NodeId member) const { return in_nest(n) && group_[n.value] == group_[member.value]; }

  void mark_stored(std::vector<Nest>& nests) const {
    std::vector<int> nest_of(users_.size(), -1);
    for (size_t k = 0; k < nests.size(); ++k) {
      for (NodeId m : nests[k].members) nest_of[m.value] = int(k);
    }
    for (size_t k = 0; k < nests.size(); ++k) {
      for (NodeId m : nests[k].members) {
        const bool leaves =
            plan_.role(m) == Role::Reduce || is_output_[m.value] || std::ranges::any_of(users_[m.value], [&](NodeId u) {
              if (plan_.role(u) != Role::View) return nest_of[u.value] != int(k);
              return is_output_[u.value] || std::ranges::any_of(users_[u.value], [&](NodeId w) { return nest_of[w.value] != int(k); });
            });
        if (leaves) nests[k].stored.push_back(m);
      }
    }
  }

  const Graph& g_;
  const Plan& plan_;
  std::span<const NodeId> nodes_;
  const std::vector<std::vector<NodeId>>& users_;
  const std::vector<bool>& is_output_;
  std::vector<int> level_;
  std::vector<Group> group_;
  std::vector<Axes> axes_;
};

}  // namespace

std::vector<Nest> form_nests(const Graph& g, const Plan& plan, std::span<const NodeId> nodes, const std::vector<std::vector<NodeId>>& users,
                             const std::vector<bool>& is_output) {
  return NestFormer(g, plan, nodes, users, is_output).run();
}

Labels reduction_labels(const Graph& g, NodeId n) {
  const std::vector<Factor> factors = g.factors(n);
  Labels all;
  for (const Factor& f : factors) {
    for (Label l : f.labels) {
      if (std::ranges::find(all, l) == all.end()) all.push_back(l);
    }
  }
  // The axes of a factor that has them all, so that it is read, or computed, as it stands; of a computed one before an input.
  const Factor* best = nullptr;
  for (const Factor& f : factors) {
    Labels sorted = f.labels;
    std::ranges::sort(sorted);
    if (f.labels.size() != all.size() || std::ranges::adjacent_find(sorted) != sorted.end()) continue;
    if (!best || (g[best->tensor].kind == Kind::Var && g[f.tensor].kind != Kind::Var)) best = &f;
  }
  return best ? best->labels : all;
}

}  // namespace ricci
