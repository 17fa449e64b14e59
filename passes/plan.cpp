#include "passes/plan.h"

#include <algorithm>
#include <numeric>
#include <queue>
#include <set>
#include <stdexcept>

#include "passes/infer_properties.h"
#include "passes/plan_nests.h"
#include "passes/shares.h"

namespace ricci {
namespace {

bool is_number(const Graph& g, NodeId n) {
  const Node& node = g[n];
  return node.kind == Kind::Const || node.kind == Kind::Size || (node.kind == Kind::Sum && node.operands.empty());
}

bool is_factored(FunOp op) { return op == FunOp::inv || op == FunOp::det || op == FunOp::logdet; }

// Whether a kernel can read it through strides: every axis of a view is the base's, none repeated.
bool is_strided(const Graph& g, NodeId n) {
  const std::optional<View> v = find_view(g, n);
  if (!v) return !is_number(g, n);
  if (!v->base || is_number(g, *v->base) || !v->total || !v->is_readable()) return false;
  return std::ranges::all_of(v->to, [&](const Address& axis) {
    return std::ranges::any_of(v->from, [&](const Address& a) {
      return std::ranges::any_of(a.terms, [&](const Address::Term& t) { return t.digit == axis.label(); });
    });
  });
}

// Whether a view shows every entry of its base, each once.
bool shows_all(const Graph& g, const View& v) {
  Labels labels;
  for (size_t k = 0; k < v.from.size(); ++k) {
    const std::optional<Label> l = v.from[k].label();
    if (!l || std::ranges::find(labels, *l) != labels.end()) return false;
    labels.push_back(*l);
    const size_t at = size_t(std::ranges::find(v.counted, *l) - v.counted.begin());
    if (v.space[at] != g[*v.base].type[k]) return false;
  }
  return !v.sums && labels.size() == v.counted.size();
}

class Planner {
 public:
  Planner(Graph& g, const Sizes& sizes, Plan& plan) : g_(g), sizes_(sizes), plan_(plan), properties_(g) {}

  void run() {
    nodes_ = g_.reachable(plan_.outputs);
    const size_t n = nodes_.empty() ? 0 : nodes_.back().value + 1;
    users_.resize(n);
    is_output_.assign(n, false);
    for (NodeId u : nodes_) {
      for (NodeId o : g_[u].operands) users_[o.value].push_back(u);
    }
    for (NodeId o : plan_.outputs) is_output_[o.value] = true;
    plan_.roles.assign(n, Role::Absent);
    plan_.cholesky.assign(n, false);
    for (uint32_t i = 0; i < n; ++i) plan_.alias.push_back({i});
    for (NodeId u : nodes_) plan_.roles[u.value] = role(u);
    store_scattered_views();
    imply_inverses();
    leave_lone_determinants();
    store_operands_of_functions();
    absorb_terms();
    add_steps();
    order_steps();
    mark_wanted();
  }

 private:
  size_t uses(NodeId n) const { return users_[n.value].size() + (is_output_[n.value] ? 1 : 0); }

  Role role(NodeId n) const {
    const Node& node = g_[n];
    switch (node.kind) {
      case Kind::Const:
      case Kind::Size:
      case Kind::Var: return Role::Leaf;
      case Kind::Map: return Role::Entry;
      case Kind::Fun: return is_factored(node.fun_op()) && g_[node.operands[0]].rank() == 2 ? Role::Inverse : Role::Function;
      case Kind::Call: return Role::Call;
      case Kind::Place: return Role::View;
      case Kind::Epsilon: return Role::Assemble;
      case Kind::Sum:
        if (node.operands.empty()) return Role::Leaf;
        return std::ranges::any_of(node.operands, [&](NodeId t) { return is_scattered(g_, t) || accumulates(t); }) ? Role::Assemble
                                                                                                                   : Role::Entry;
      case Kind::Ein: {
        if (is_view(g_, n)) return Role::View;
        if (is_diagonal_structure(g_, n)) return Role::Assemble;
        if (matrix_product(g_, n, sizes_)) return Role::Contract;
        return reduction_labels(g_, n).size() > node.rank() ? Role::Reduce : Role::Entry;
      }
    }
    return Role::Absent;
  }
  bool accumulates(NodeId term) const { return plan_.role(term) == Role::Contract && uses(term) == 1; }

  // A view whose entries are not found from their position is written: into sums of such, or into an array. A place that only says where the
  // entries of others are is nothing at all.
  void store_scattered_views() {
    for (NodeId n : nodes_) {
      if (plan_.role(n) != Role::View) continue;
      const bool readable = is_readable_view(g_, n);
      bool read = is_output_[n.value] && !readable, written = readable;
      for (NodeId u : users_[n.value]) {
        const std::optional<View> v = find_view(g_, u);
        if (v ? v->base != n : readable) continue;
        const bool sum = g_[u].kind == Kind::Sum && plan_.role(u) == Role::Assemble;
        (sum ? written : read) = true;
      }
      plan_.roles[n.value] = read ? Role::Assemble : written ? Role::View : Role::Absent;
    }
  }

  // inv(A) of which only products with it are wanted is never computed.
  void imply_inverses() {
    for (NodeId n : nodes_) {
      if (g_[n].kind != Kind::Fun || g_[n].fun_op() != FunOp::inv || plan_.role(n) != Role::Inverse || is_output_[n.value]) continue;
      const bool solves = !users_[n.value].empty() && std::ranges::all_of(users_[n.value], [&](NodeId u) {
        std::optional<size_t> k = solved_factor(g_, u);
        return k && g_[u].operands[*k] == n && g_[u].operands[1 - *k] != n;
      });
      if (!solves) continue;
      plan_.roles[n.value] = Role::Implied;
      for (NodeId u : users_[n.value]) plan_.roles[u.value] = Role::Solve;
    }
  }

  // A determinant has a value at singular matrices too: alone, it asks for no factorisation that would call them an error.
  void leave_lone_determinants() {
    for (NodeId n : nodes_) {
      if (plan_.role(n) != Role::Inverse || g_[n].fun_op() != FunOp::det) continue;
      const bool lone = std::ranges::none_of(users_[g_[n].operands[0].value], [&](NodeId u) {
        return g_[u].kind == Kind::Fun && g_[u].fun_op() != FunOp::det &&
               (plan_.role(u) == Role::Inverse || plan_.role(u) == Role::Implied);
      });
      if (lone) plan_.roles[n.value] = Role::Function;
    }
  }

  // Kernels, and what calls the host, read arrays through strides; what is no array with strides becomes one.
  void store_operands_of_functions() {
    for (NodeId n : nodes_) {
      if (g_[n].kind != Kind::Fun && g_[n].kind != Kind::Call) continue;
      for (NodeId o : g_[n].operands)
        if (!is_strided(g_, o)) plan_.roles[o.value] = Role::Assemble;
    }
  }

  // Whether a node is computed by a step that may as well write into another's array.
  bool is_computed(NodeId n) const {
    const Role r = plan_.role(n);
    return uses(n) == 1 &&
           (r == Role::Entry || r == Role::Reduce || r == Role::Solve || r == Role::Function || r == Role::Call || r == Role::Inverse);
  }

  // What an Assemble accumulates: its own matrix products straight into its array, in which its first dense term was computed, if it may
  // be; or blocks, which are computed where they belong.
  void absorb_terms() {
    for (NodeId n : nodes_) {
      if (plan_.role(n) != Role::Assemble || g_[n].kind == Kind::Epsilon) continue;
      if (const Blocks blocks = blocks_of(g_, n); blocks != Blocks::Mixed) {
        if (place_blocks(n) && blocks == Blocks::Apart) plan_.steps.push_back({.kind = Step::Kind::Clear, .node = n});
        continue;
      }
      if (g_[n].kind != Kind::Sum) continue;
      bool has_base = false;
      for (const Term& t : g_.terms(n)) {
        if (accumulates(t.tensor)) {
          plan_.roles[t.tensor.value] = Role::Absorbed;
          continue;
        }
        if (!has_base && is_computed(t.tensor) && t.coefficient == 1) {
          plan_.alias[t.tensor.value] = n;
          has_base = true;
        }
      }
    }
  }

  // Whether some of the blocks are computed in place.
  bool place_blocks(NodeId n) {
    bool any = false;
    for (const Term& t : g_.terms(n)) {
      if (t.coefficient != 1 || (t.tensor != n && (plan_.role(t.tensor) != Role::View || uses(t.tensor) != 1))) continue;
      const View v = view_of(g_, t.tensor);
      if (!v.base || !(is_computed(*v.base) || accumulates(*v.base)) || !shows_all(g_, v)) continue;
      plan_.alias[v.base->value] = n;
      plan_.block.emplace(*v.base, t.tensor);
      any = true;
    }
    return any;
  }

  bool has_array(NodeId n) const {
    switch (plan_.role(n)) {
      case Role::Leaf: return g_[n].kind == Kind::Var;
      case Role::Entry:
      case Role::Reduce:
      case Role::Contract:
      case Role::Solve:
      case Role::Inverse:
      case Role::Function:
      case Role::Call:
      case Role::Assemble: return true;
      case Role::Absent:
      case Role::View:
      case Role::Implied:
      case Role::Absorbed: return false;
    }
    return false;
  }
  void read(Step& s, NodeId operand) const {
    const NodeId b = source_of(g_, plan_, operand);
    if (has_array(b)) s.reads.push_back(b);
  }

  void add_steps() {
    for (Nest& nest : form_nests(g_, plan_, nodes_, users_, is_output_)) {
      Step s{.kind = Step::Kind::Nest,
             .node = nest.members.back(),
             .space = nest.space,
             .members = nest.members,
             .axes = nest.axes,
             .stored = nest.stored};
      const std::set<NodeId> inside(nest.members.begin(), nest.members.end());
      for (NodeId m : nest.members) {
        for (NodeId o : g_[m].operands) {
          if (!inside.contains(source_of(g_, plan_, o))) read(s, o);
        }
      }
      push(std::move(s));
    }
    std::set<NodeId> factored;  // one factorisation a matrix, whatever is made of it
    for (NodeId n : nodes_) {
      const Role r = plan_.role(n);
      if (r == Role::Contract) {
        push_kernel(Step::Kind::Contract, n, g_[n].operands);
      } else if (r == Role::Function) {
        push_kernel(Step::Kind::Function, n, g_[n].operands);
      } else if (r == Role::Call) {
        push_kernel(Step::Kind::Call, n, g_[n].operands);
      } else if (r == Role::Inverse) {
        push_with_factor(Step::Kind::Inverse, n, {}, g_[n].operands[0], factored);
      } else if (r == Role::Solve) {
        const size_t k = *solved_factor(g_, n);
        push_with_factor(Step::Kind::Solve, n, {g_[n].operands[1 - k]}, g_[g_[n].operands[k]].operands[0], factored);
      } else if (r == Role::Assemble) {
        std::vector<NodeId> operands;
        for (const Term& t : g_.terms(n)) {
          const bool open = plan_.role(t.tensor) == Role::Absorbed || t.tensor == n;
          if (open) operands.insert(operands.end(), g_[t.tensor].operands.begin(), g_[t.tensor].operands.end());
          else operands.push_back(is_scattered(g_, t.tensor) ? view_of(g_, t.tensor).base.value_or(t.tensor) : t.tensor);
        }
        push_kernel(Step::Kind::Assemble, n, operands);
      }
    }
    write_outputs();
  }

  // An output that nothing else reads is computed in place; others are copied there.
  void write_outputs() {
    for (uint32_t k = 0; k < plan_.outputs.size(); ++k) {
      const NodeId o = plan_.outputs[k];
      const Role r = plan_.role(o);
      const bool alone =
          r != Role::Leaf && r != Role::View && users_[o.value].empty() && std::ranges::count(plan_.outputs, o) == 1 && !shares_nest(o);
      plan_.in_place.push_back(alone);
      if (alone) continue;
      Step s{.kind = Step::Kind::Write, .node = o, .output = k};
      read(s, o);
      push(std::move(s));
    }
  }
  // An array that is an output may be touched by no step that also does other work.
  bool shares_nest(NodeId o) const {
    return std::ranges::any_of(plan_.steps, [&](const Step& s) {
      const auto inside = std::ranges::count_if(s.stored, [&](NodeId n) { return plan_.alias[n.value] == o; });
      return inside > 0 && size_t(inside) < s.stored.size();
    });
  }

  void push(Step s) {
    std::ranges::sort(s.reads);
    s.reads.erase(std::ranges::unique(s.reads).begin(), s.reads.end());
    plan_.steps.push_back(std::move(s));
  }
  void push_kernel(Step::Kind kind, NodeId n, const std::vector<NodeId>& operands) {
    Step s{.kind = kind, .node = n, .stored = {n}};
    for (NodeId o : operands) read(s, o);
    push(std::move(s));
  }
  void push_with_factor(Step::Kind kind, NodeId n, const std::vector<NodeId>& operands, NodeId matrix, std::set<NodeId>& factored) {
    if (factored.insert(matrix).second) {
      plan_.cholesky[matrix.value] = properties_(matrix).has(Property::spd);
      Step f{.kind = Step::Kind::Factor, .node = matrix};
      read(f, matrix);
      push(std::move(f));
    }
    Step s{.kind = kind, .node = n, .stored = {n}, .factors = {matrix}};
    for (NodeId o : operands) read(s, o);
    push(std::move(s));
  }

  // The step that makes what each step reads.
  std::vector<std::vector<size_t>> dependencies() const {
    std::vector<int> writer(plan_.roles.size(), -1), factoriser(plan_.roles.size(), -1), clearer(plan_.roles.size(), -1);
    for (size_t i = 0; i < plan_.steps.size(); ++i) {
      for (NodeId n : plan_.steps[i].stored) writer[n.value] = int(i);
      if (plan_.steps[i].kind == Step::Kind::Factor) factoriser[plan_.steps[i].node.value] = int(i);
      if (plan_.steps[i].kind == Step::Kind::Clear) clearer[plan_.steps[i].node.value] = int(i);
    }
    std::vector<std::vector<size_t>> needs(plan_.steps.size());
    for (size_t i = 0; i < plan_.steps.size(); ++i) {
      for (NodeId n : plan_.steps[i].reads) {
        if (writer[n.value] >= 0) needs[i].push_back(size_t(writer[n.value]));
      }
      for (NodeId n : plan_.steps[i].factors) needs[i].push_back(size_t(factoriser[n.value]));
      for (NodeId n : plan_.steps[i].stored) {
        if (const int clear = clearer[plan_.alias[n.value].value]; clear >= 0) needs[i].push_back(size_t(clear));
      }
    }
    return needs;
  }

  // Steps in the order of what they compute, as far as their operands allow.
  void order_steps() {
    const std::vector<std::vector<size_t>> needs = dependencies();
    std::vector<std::vector<size_t>> feeds(needs.size());
    std::vector<size_t> missing(needs.size());
    using Entry = std::tuple<uint32_t, size_t>;
    std::priority_queue<Entry, std::vector<Entry>, std::greater<>> ready;
    for (size_t i = 0; i < needs.size(); ++i) {
      missing[i] = needs[i].size();
      for (size_t d : needs[i]) feeds[d].push_back(i);
      if (missing[i] == 0) ready.emplace(plan_.steps[i].node.value, i);
    }
    std::vector<Step> ordered;
    while (!ready.empty()) {
      const size_t i = std::get<1>(ready.top());
      ready.pop();
      ordered.push_back(std::move(plan_.steps[i]));
      for (size_t f : feeds[i]) {
        if (--missing[f] == 0) ready.emplace(plan_.steps[f].node.value, f);
      }
    }
    if (ordered.size() != needs.size()) throw std::logic_error("the plan waits for itself");
    plan_.steps = std::move(ordered);
  }

  void mark_wanted() {
    const std::vector<std::vector<size_t>> needs = dependencies();
    for (size_t i = plan_.steps.size(); i-- > 0;) {
      Step& s = plan_.steps[i];
      if (s.kind == Step::Kind::Write) s.wanted.push_back(s.output);
      for (uint32_t k = 0; k < plan_.outputs.size(); ++k) {
        if (plan_.in_place[k] && std::ranges::find(s.stored, plan_.outputs[k]) != s.stored.end()) s.wanted.push_back(k);
      }
      std::ranges::sort(s.wanted);
      s.wanted.erase(std::ranges::unique(s.wanted).begin(), s.wanted.end());
      for (size_t d : needs[i]) plan_.steps[d].wanted.insert(plan_.steps[d].wanted.end(), s.wanted.begin(), s.wanted.end());
    }
  }

  Graph& g_;
  const Sizes& sizes_;
  Plan& plan_;
  PropertyInference properties_;
  std::vector<NodeId> nodes_;
  std::vector<std::vector<NodeId>> users_;
  std::vector<bool> is_output_;
};

}  // namespace

NodeId source_of(const Graph& g, const Plan& plan, NodeId n) {
  while (plan.role(n) == Role::View) {
    const std::optional<View> v = find_view(g, n);
    if (!v || !v->base) break;
    n = *v->base;
  }
  return n;
}

Plan make_plan(Graph& g, std::span<const NodeId> outputs, const Sizes& sizes) {
  Plan plan;
  plan.outputs = split_places(g, plan_products(g, plan_places(g, expand_elementwise(g, with_exact_shares(g, outputs))), sizes));
  Planner(g, sizes, plan).run();
  return plan;
}

std::optional<size_t> solved_factor(const Graph& g, NodeId n) {
  const std::optional<MatrixProduct> m = product_shape(g, n);
  if (!m || !m->batch.empty() || m->inner.size() != 1) return {};
  const std::vector<Factor> factors = g.factors(n);
  for (size_t k = 0; k < 2; ++k) {
    const Node& inverse = g[factors[k].tensor];
    const bool is_inverse = inverse.kind == Kind::Fun && inverse.fun_op() == FunOp::inv && inverse.rank() == 2;
    Labels own = factors[k].labels, other = factors[1 - k].labels;
    std::ranges::sort(other);
    if (is_inverse && own[0] != own[1] && std::ranges::adjacent_find(other) == other.end()) return k;
  }
  return {};
}

}  // namespace ricci
