#include "passes/derivation_quantities.h"

#include <algorithm>
#include <set>
#include <unordered_map>

#include "passes/infer_properties.h"
#include "passes/raise.h"

namespace ricci {
namespace {

class Apart {
 public:
  Apart(Graph& g, NodeId f, NodeId x, const QuantityNames& names) : g_(g), f_(f), names_(names), order_(g.reachable(std::span(&f, 1))) {
    taken_.insert(names.taken.begin(), names.taken.end());
    taken_.insert(names.function);
    for (NodeId n : order_) {
      const std::vector<NodeId>& operands = g_[n].operands;
      if (g_[n].kind == Kind::Var) taken_.insert(g_.symbol(n).name);
      if (n == x || std::ranges::any_of(operands, [&](NodeId o) { return active_.contains(o); })) active_.insert(n);
      if (g_[n].kind == Kind::Var || std::ranges::any_of(operands, [&](NodeId o) { return variable_.contains(o); })) variable_.insert(n);
    }
  }

  std::optional<std::vector<Quantity>> operator()(size_t most) {
    choose();
    if (named_.size() > most) return std::nullopt;
    return build();
  }

 private:
  // What stands in a line as it is: a variable, or what contains none.
  bool is_leaf(NodeId n) const { return g_[n].kind == Kind::Var || !variable_.contains(n); }
  bool is_scaled_variable(NodeId id) const {
    const Node& n = g_[id];
    return n.kind == Kind::Sum && n.operands.size() == 1 && g_[n.operands[0]].kind == Kind::Var;
  }
  // t*A, which commutes with every t*A + dt*A: a function of it is differentiated by t as one of a number is.
  bool is_line(NodeId id) const {
    const Node& n = g_[id];
    auto number = [&](NodeId o) { return g_[o].rank() == 0 && is_leaf(o); };
    auto direction = [&](NodeId o) { return is_leaf(o) && !active_.contains(o); };
    return n.kind == Kind::Ein && std::ranges::all_of(n.operands, [&](NodeId o) { return number(o) || direction(o); }) &&
           std::ranges::count_if(n.operands, number) + 1 == std::ptrdiff_t(n.operands.size());
  }
  bool is_fixed_power(const Node& n) const {
    bool power = n.kind == Kind::Map && (n.map_op() == MapOp::pow_ || n.map_op() == MapOp::pow0_);
    return power && g_[n.operands[1]].kind == Kind::Const;
  }

  bool is_function_of_name(const Node& n) const {
    const bool function = n.kind == Kind::Map || n.kind == Kind::Fun;
    return function && !is_fixed_power(n) &&
           std::ranges::any_of(n.operands, [&](NodeId o) { return !is_leaf(o) && !is_scaled_variable(o); });
  }

  // Whether `user` shows n by a name.
  bool must_name(NodeId id, NodeId user) const {
    const Node &n = g_[id], &u = g_[user];
    switch (u.kind) {
      case Kind::Map: return !is_scaled_variable(id);
      case Kind::Sum: return n.kind == Kind::Sum || (u.operands.size() > 1 && is_function_of_name(n));
      case Kind::Fun: return !(row(u.fun_op()).is_primary() && (is_line(id) || is_scaled_variable(id)));
      case Kind::Ein: return n.kind == Kind::Sum || n.kind == Kind::Ein || (u.operands.size() > 1 && is_function_of_name(n));
      default: return true;
    }
  }

  // Users come before their operands, so that what uses a node is known when it is its turn.
  void choose() {
    std::unordered_map<NodeId, std::vector<NodeId>> users;
    users[f_];
    for (auto it = order_.rbegin(); it != order_.rend(); ++it) {
      const NodeId n = *it;
      auto used = users.find(n);
      if (used == users.end()) continue;
      const bool by_user = names_.given.contains(n) && !is_leaf(n);
      bool named = n == f_ || by_user || (!is_leaf(n) && std::ranges::any_of(used->second, [&](NodeId u) { return must_name(n, u); }));
      named |= !is_leaf(n) && used->second.size() > 1 && (g_[n].kind == Kind::Ein || g_[n].kind == Kind::Sum) && !is_scaled_variable(n);
      if (named) named_.insert(n);
      const bool closed = named && n != f_ && !active_.contains(n) && raise(g_, n, {}).expr;  // a constant is shown in matrix notation
      if (closed) continue;
      for (NodeId o : g_[n].operands)
        if (std::vector<NodeId>& us = users[o]; us.empty() || us.back() != n) us.push_back(n);
    }
  }

  std::vector<Quantity> build() {
    std::unordered_map<NodeId, NodeId> done;
    std::vector<Quantity> result;
    for (NodeId n : order_) {
      std::vector<NodeId> operands;
      for (NodeId o : g_[n].operands) operands.push_back(done.at(o));
      done[n] = g_.rebuild(n, std::move(operands));
      if (g_[n].kind == Kind::Ein) done[n] = read_straight(g_, done[n], symmetric_);
      if (!named_.contains(n)) continue;
      const std::string name = n == f_ ? names_.function : fresh(n);
      std::vector<Variance> variance(g_[n].rank(), Variance::Down);
      if (!variance.empty()) variance[0] = Variance::Up;
      const NodeId variable = g_.variable(g_.declare({.name = name, .type = g_[n].type, .variance = variance}));
      result.push_back({name, n, variable, done[n], active_.contains(n)});
      done[n] = variable;
      if (g_[n].rank() == 2 && properties_(n).has(Property::symmetric)) symmetric_.insert(variable);
    }
    return result;
  }

  // The program's own name, else a letter usual for a number, a column, a matrix; numbered when these run out.
  std::string fresh(NodeId n) {
    auto given = names_.given.find(n);
    if (given != names_.given.end() && !used_.contains(given->second)) return *used_.insert(given->second).first;
    constexpr const char* kLetters[] = {"strq", "uvwzpq", "UVWZPQ", "T"};
    const size_t rank = std::min<size_t>(g_[n].rank(), 3);
    const size_t alike = size_t(std::ranges::count_if(named_, [&](NodeId m) { return std::min<size_t>(g_[m].rank(), 3) == rank; }));
    auto take = [&](const std::string& name) { return !taken_.contains(name) && !names_contains(name) && used_.insert(name).second; };
    if (alike <= 4)
      for (const char* c = kLetters[rank]; *c; ++c)
        if (take(std::string(1, *c))) return std::string(1, *c);
    for (size_t k = 1;; ++k)
      if (std::string name = kLetters[rank][0] + std::to_string(k); take(name)) return name;
  }
  bool names_contains(const std::string& name) const {
    return std::ranges::any_of(names_.given, [&](const auto& g) { return g.second == name; });
  }

  Graph& g_;
  NodeId f_;
  const QuantityNames& names_;
  std::vector<NodeId> order_;
  std::set<NodeId> active_, variable_, named_;
  std::set<std::string> taken_, used_;
  PropertyInference properties_{g_};
  std::set<NodeId> symmetric_;  // names of symmetric matrices
};

}  // namespace

NodeId read_straight(Graph& g, NodeId body, const std::set<NodeId>& symmetric) {
  if (g[body].kind != Kind::Ein) return body;
  const size_t count = g[body].operands.size();
  for (size_t k = 0; k < count; ++k) {
    std::vector<Factor> turned = g.factors(body);
    if (!symmetric.contains(turned[k].tensor)) continue;
    std::ranges::reverse(turned[k].labels);
    const NodeId other = g.ein(std::move(turned), g.out(body), g[body].type);
    const Raised now = raise(g, body, {}), then = raise(g, other, {});
    const bool shorter = now.expr && then.expr && (*then.expr)->size < (*now.expr)->size;
    if (shorter && g[other].kind == Kind::Ein && g[other].operands.size() == count) return read_straight(g, other, symmetric);
  }
  return body;
}

std::optional<std::vector<Quantity>> take_apart(Graph& g, NodeId f, NodeId x, const QuantityNames& names, size_t most) {
  return Apart(g, f, x, names)(most);
}

}  // namespace ricci
