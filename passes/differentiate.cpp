#include "passes/differentiate.h"

#include <algorithm>
#include <cassert>
#include <numeric>
#include <optional>

#include "frontend/formula.h"
#include "ir/calls.h"
#include "ir/labels.h"
#include "passes/branches.h"
#include "passes/canonicalize.h"
#include "passes/constrain.h"
#include "passes/frechet.h"
#include "passes/rules.h"
#include "passes/vectorize.h"

namespace ricci {
namespace {

Type concat(Type a, const Type& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

Labels concat(Labels a, const Labels& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

Label fresh_label(const Node& n) { return n.labels.empty() ? 0 : *std::ranges::max_element(n.labels) + 1; }

// The differential of a function without index form, or its transposed map, as an expression over placeholders of its core: `moves` is dX or
// the cotangent G of F.
struct Differential {
  NodeId X, F, moves, value;
};

// Placeholders, `moves` shaped like the operand (dX) or the value (G).
Differential placeholders(Graph& g, NodeId fun, const char* moves, bool like_operand) {
  const Node& n = g[fun];
  const FunctionRow& r = row(n.fun_op());
  const Type operand = g[n.operands[0]].type;
  const Type core_in(operand.end() - std::ptrdiff_t(r.core.in), operand.end()), core_out(n.type.end() - std::ptrdiff_t(r.core.out), n.type.end());
  auto placeholder = [&](const char* name, const Type& type) {
    return g.variable(g.declare({name, type, std::vector<Variance>(type.size(), Variance::Up), {}, {}, {}, true}));
  };
  return {placeholder("X", core_in), placeholder("F", core_out), placeholder(moves, like_operand ? core_in : core_out), {}};
}

// A column of the table.
Differential formula(Graph& g, NodeId fun, std::string_view text, const char* moves, bool like_operand) {
  Differential d = placeholders(g, fun, moves, like_operand);
  d.value = build_formula(g, text, {{"X", d.X}, {"F", d.F}, {moves, d.moves}}, FormulaMode::Matrix);
  return d;
}

Differential differential(Graph& g, NodeId fun) {
  const FunctionRow& r = row(g[fun].fun_op());
  if (!r.is_primary()) return formula(g, fun, r.differential, "dX", true);
  Differential d = placeholders(g, fun, "dX", true);
  d.value = frechet_block(g, r.op, d.X, d.moves);
  return d;
}

// L is linear, so its transpose is its own pull-back; where that would not end, the table has it.
Differential adjoint(Graph& g, NodeId fun) {
  const FunctionRow& r = row(g[fun].fun_op());
  if (!r.adjoint.empty()) return formula(g, fun, r.adjoint, "G", false);
  if (r.is_primary()) {  // <G, L(X, E)> = <L(X', G), E>
    Differential d = placeholders(g, fun, "G", false);
    d.value = frechet_block(g, r.op, g.permute(d.X, {1, 0}), d.moves);
    return d;
  }
  Differential d = differential(g, fun);
  const Type core_out = g[d.F].type;
  const NodeId G = g.variable(g.declare({"G", core_out, std::vector<Variance>(core_out.size(), Variance::Up), {}, {}, {}, true}));
  return {d.X, d.F, G, pullback(g, d.value, d.moves, G)};
}

// L(X, E) = E*f'(X) for a primary function if E commutes with X, or with X' and transposed: G*f'(X)'. `moves` is E or G, with the axes `leading`
// before its own; those of X are `rows`.
std::optional<NodeId> commuting(Graph& g, NodeId fun, bool transposed, const Labels& rows, NodeId moves, const Labels& leading) {
  const FunctionRow& r = row(g[fun].fun_op());
  if (!r.is_primary()) return std::nullopt;
  const NodeId X = g[fun].operands[0];
  std::vector<size_t> axes(g[X].rank());
  std::iota(axes.begin(), axes.end(), size_t{0});
  if (transposed) std::swap(axes[axes.size() - 2], axes[axes.size() - 1]);
  if (!commute(g, g.permute(X, axes), rows, moves, leading)) return std::nullopt;
  const Differential d = formula(g, fun, r.derivative, "E", true);
  const Type type = g[moves].type, row_type(g[X].type.begin(), g[X].type.end() - 2);
  const NodeId slope = vectorize(g, d.value, {{d.X, {X, rows}}, {d.F, {fun, rows}}}, rows, row_type);
  const Label i = 1u << 20, k = i + 1, j = i + 2;
  return g.ein({{moves, concat(leading, {i, k})}, {slope, concat(rows, transposed ? Labels{j, k} : Labels{k, j})}}, concat(leading, {i, j}), type);
}

// Nodes on a way from x to f: only they have derivatives.
std::vector<bool> active_nodes(const Graph& g, std::span<const NodeId> order, std::span<const NodeId> xs) {
  std::vector<bool> active(order.empty() ? 0 : order.back().value + 1, false);
  for (NodeId n : order)
    active[n.value] = std::ranges::count(xs, n) > 0 || std::ranges::any_of(g[n].operands, [&](NodeId op) { return active[op.value]; });
  return active;
}

// d f[out] / d f[out'] = delta[out,out']...
NodeId identity(Graph& g, const Type& type) {
  Labels i = Graph::iota(type.size());
  return g.ein({}, concat(i, i), concat(type, type));
}

// --- reverse --------------------------------------------------------------------------------------------------------------------

// What the sweeps over f and over the branches of its choices share.
struct Sweeps {
  Sweeps(Graph& g, NodeId f, std::span<const NodeId> variables)
      : xs(variables.begin(), variables.end()), active(active_nodes(g, g.reachable(std::span(&f, 1)), variables)), slope(g), finite(g),
        without_poles(g, Finiteness::Overflow::Ignored), ways(g, slope, finite, active), ways_but_overflow(g, slope, without_poles, active) {
    finite.suppose(f);
    without_poles.suppose(f);
  }

  std::vector<NodeId> xs;
  std::vector<bool> active;
  Slopes slope;
  Finiteness finite, without_poles;
  Ways ways, ways_but_overflow;
  std::map<NodeId, std::vector<NodeId>> jacobians;  // of branches, by each x
};

// Pulls `seed` (axes: extra, then f's) back through the DAG of f. Adjoints have the extra axes first, then the node's.
class Reverse {
 public:
  Reverse(Graph& g, NodeId f, NodeId seed, Type extra, Sweeps& shared) : g_(g), f_(f), extra_(std::move(extra)), shared_(shared) {
    contributions_[f].push_back({1, seed});
  }

  std::vector<NodeId> operator()() {
    NodeId roots[] = {f_};
    std::vector<NodeId> order = g_.reachable(roots);
    std::map<NodeId, NodeId> result;
    for (auto it = order.rbegin(); it != order.rend(); ++it) {
      if (!active(*it)) continue;
      const Type type = concat(extra_, g_[*it].type);
      NodeId bar = g_.sum(std::move(contributions_[*it]), type);
      contributions_.erase(*it);
      if (std::ranges::count(shared_.xs, *it)) result[*it] = chosen_.contains(*it) ? g_.add(bar, g_.sum(std::move(chosen_[*it]), type)) : bar;
      if (!g_.is_zero(bar)) pull(*it, bar);
    }
    std::vector<NodeId> answers;
    for (NodeId x : shared_.xs) answers.push_back(result.contains(x) ? result[x] : g_.zero(concat(extra_, g_[x].type)));
    return answers;
  }

 private:
  static constexpr int kMostSteps = 32;  // below one branch: there may be as many ways as there are products of them

  void contribute(NodeId operand, Rational c, NodeId bar) { contributions_[operand].push_back({std::move(c), bar}); }
  bool active(NodeId n) const { return shared_.ways.active(n); }

  // d where(c, a, b) = where(c, da, db). Where everything on the way from a to x is finite, the adjoint of a may be 0 where c does not hold; else the
  // factors of its derivative are gathered on the way down until it is, and chosen together.
  void pull_choice(NodeId id, NodeId bar) {
    const Labels extra = Graph::iota(extra_.size()), all = Graph::iota(g_[id].rank(), Label(extra_.size()));
    for (size_t k = first_branch(g_[id]); k < g_[id].operands.size(); ++k) {
      const NodeId u = g_[id].operands[k];
      if (!active(u)) continue;
      int steps = kMostSteps;
      pull_guarded(u, guard_of(g_, shared_.slope, id, k, all), 1, {{bar, concat(extra, all)}}, g_[u].rank() == 0 ? Labels{} : all, steps);
    }
  }

  // Beyond the labels of an adjoint, whose first factor has those of the choice and so of its guard.
  static Label first_fresh(const std::vector<Factor>& adjoint, const Labels& own) {
    Label fresh = 0;
    for (const Factor& f : adjoint)
      for (Label l : f.labels) fresh = std::max(fresh, l + 1);
    for (Label l : own) fresh = std::max(fresh, l + 1);
    return fresh;
  }

  // What overflows only where it is summed into the rest of f overflows with f, whichever branch is taken.
  bool is_finite_below(NodeId u) { return shared_.ways.finite(u) || (shared_.ways.finite_near(u) && shared_.ways_but_overflow.finite(u)); }

  // The product of `adjoint` under the guard is the adjoint of u, whose axes have the labels `own`.
  void pull_guarded(NodeId u, const Guard& guard, Rational c, const std::vector<Factor>& adjoint, const Labels& own, int& steps) {
    const Labels extra = Graph::iota(extra_.size());
    const Node n = g_[u];
    const auto with = [&](std::vector<Factor> more) {
      more.insert(more.begin(), adjoint.begin(), adjoint.end());
      return more;
    };
    if (is_finite_below(u)) {
      const bool slopes_above = adjoint.size() == 1;  // of exp(relu(x)) that overflows nothing is left
      Finiteness& finite = guard.share && slopes_above ? shared_.without_poles : shared_.finite;
      return contribute(u, std::move(c), guarded(g_, finite, guard, adjoint, concat(extra, own), concat(extra_, n.type)));
    }
    const bool is_diagonal = n.kind == Kind::Ein && has_repeats(g_.out(u));
    if (--steps < 0 || is_choice(n) || is_diagonal || (n.kind != Kind::Map && n.kind != Kind::Sum && n.kind != Kind::Ein))
      return pull_jacobian(u, guard, c, adjoint, own);
    std::vector<Factor> factors;  // of a product, in labels of the adjoint
    if (n.kind == Kind::Ein) {
      Label fresh = first_fresh(adjoint, own);
      std::map<Label, Label> name;
      const Labels out = g_.out(u);
      for (size_t axis = 0; axis < out.size(); ++axis) name[out[axis]] = own[axis];
      factors = g_.factors(u);
      for (Factor& f : factors)
        for (Label& l : f.labels) {
          const auto [it, is_new] = name.try_emplace(l, fresh);
          fresh += is_new;
          l = it->second;
        }
    }
    for (size_t k = 0; k < n.operands.size(); ++k) {
      const NodeId v = n.operands[k];
      if (!active(v)) continue;
      if (n.kind == Kind::Sum) {
        pull_guarded(v, guard, c * n.coefficients[k], adjoint, own, steps);
      } else if (n.kind == Kind::Map) {
        const NodeId s = shared_.slope(u, k);
        pull_guarded(v, guard, c, with({{s, g_[s].rank() == 0 ? Labels{} : own}}), g_[v].rank() == 0 ? Labels{} : own, steps);
      } else {
        std::vector<Factor> others = factors;
        others.erase(others.begin() + std::ptrdiff_t(k));
        pull_guarded(v, guard, c, with(std::move(others)), factors[k].labels, steps);
      }
    }
  }

  // To the end at once: the derivative of u by each x.
  void pull_jacobian(NodeId u, const Guard& guard, const Rational& c, std::vector<Factor> adjoint, const Labels& own) {
    const Label fresh = first_fresh(adjoint, own);
    const Labels extra = Graph::iota(extra_.size());
    const std::vector<NodeId> jacobian = jacobian_of(u);
    for (size_t j = 0; j < jacobian.size(); ++j) {
      const NodeId x = shared_.xs[j];
      const Labels of_x = Graph::iota(g_[x].rank(), fresh);
      std::vector<Factor> product = adjoint;
      product.push_back({jacobian[j], concat(own, of_x)});
      chosen_[x].push_back({c, guarded(g_, shared_.finite, guard, std::move(product), concat(extra, of_x), concat(extra_, g_[x].type))});
    }
  }

  // Found once per node: choices inside of choices share their branches.
  const std::vector<NodeId>& jacobian_of(NodeId u) {
    const auto known = shared_.jacobians.find(u);
    if (known != shared_.jacobians.end()) return known->second;
    const Type type = g_[u].type;
    return shared_.jacobians[u] = Reverse(g_, u, identity(g_, type), type, shared_)();
  }

  void pull(NodeId id, NodeId bar) {
    const Node& n = g_[id];
    switch (n.kind) {
      case Kind::Const:
      case Kind::Size:
      case Kind::Var:
      case Kind::Place:
      case Kind::Epsilon: return;

      case Kind::Sum:  // f = sum c_k t_k:  t_k' += c_k f'
        for (size_t k = 0; k < n.operands.size(); ++k)
          if (active(n.operands[k])) contribute(n.operands[k], n.coefficients[k], bar);
        return;

      case Kind::Ein: {  // f[out] = a[p] b[q]:  a'[p] += f'[out] b[q]
        Labels extra = Graph::iota(extra_.size(), fresh_label(n)), out = g_.out(id);
        std::vector<Factor> factors = g_.factors(id);
        for (size_t p = 0; p < factors.size(); ++p) {
          if (!active(factors[p].tensor)) continue;
          std::vector<Factor> product = factors;
          product[p] = {bar, concat(extra, out)};
          NodeId operand = factors[p].tensor;
          contribute(operand, 1, g_.ein(std::move(product), concat(extra, factors[p].labels), concat(extra_, g_[operand].type)));
        }
        return;
      }

      case Kind::Map: {  // f = phi(u):  u' += f' .* phi'(u)
        if (is_choice(n)) return pull_choice(id, bar);
        Labels extra = Graph::iota(extra_.size()), all = Graph::iota(n.rank(), Label(extra_.size()));
        for (size_t k = 0; k < n.operands.size(); ++k) {
          NodeId u = n.operands[k];
          if (!active(u)) continue;
          NodeId s = shared_.slope(id, k);
          Labels own = g_[u].rank() == 0 ? Labels{} : all;  // a scalar operand was broadcast: its pull-back sums
          contribute(u, 1, g_.ein({{bar, concat(extra, all)}, {s, g_[s].rank() == 0 ? Labels{} : all}}, concat(extra, own), concat(extra_, g_[u].type)));
        }
        return;
      }

      case Kind::Fun: {  // dF = L(X) dX:  X' += L(X)^T F'
        NodeId operand = n.operands[0];
        const FunctionRow& r = row(n.fun_op());
        size_t batch = g_[operand].rank() - r.core.in;
        Labels extra = Graph::iota(extra_.size()), rows = Graph::iota(batch, Label(extra_.size()));
        if (auto known = commuting(g_, id, true, rows, bar, concat(extra, rows))) return contribute(operand, 1, *known);
        const Differential d = adjoint(g_, id);
        Type batch_type(g_[operand].type.begin(), g_[operand].type.begin() + std::ptrdiff_t(batch));
        contribute(operand, 1, vectorize(g_, d.value, {{d.X, {operand, rows}}, {d.F, {id, rows}}, {d.moves, {bar, concat(extra, rows)}}},
                                         concat(extra, rows), concat(extra_, batch_type)));
        return;
      }

      case Kind::Call: {  // f = h(u, v):  u' += f' Dh(u, v)
        const size_t batch = batch_rank(g_, id);
        for (size_t k = 0; k < n.operands.size(); ++k) {
          const NodeId u = n.operands[k];
          if (!active(u)) continue;
          const Labels all = Graph::iota(n.rank()), own = Graph::iota(g_[u].rank() - batch, Label(n.rank())), rows = Graph::iota(batch);
          const Labels extra = Graph::iota(extra_.size(), Label(n.rank() + own.size()));
          contribute(u, 1, g_.ein({{bar, concat(extra, all)}, {g_.call_derivative(id, k), concat(all, own)}}, concat(concat(extra, rows), own),
                                  concat(extra_, g_[u].type)));
        }
        return;
      }
    }
  }

  Graph& g_;
  NodeId f_;
  Type extra_;
  Sweeps& shared_;
  std::map<NodeId, std::vector<Term>> contributions_, chosen_;  // chosen: of an x, and complete; not to be pulled back further
};

// --- forward --------------------------------------------------------------------------------------------------------------------

// Pushes tangents forward; they have the extra axes first, then the node's.
class Forward {
 public:
  Forward(Graph& g, NodeId x, NodeId seed, Type extra) : g_(g), x_(x), extra_(std::move(extra)) { dot_[x] = seed; }

  NodeId operator()(NodeId f) {
    NodeId roots[] = {f}, xs[] = {x_};
    std::vector<NodeId> order = g_.reachable(roots);
    std::vector<bool> active = active_nodes(g_, order, xs);
    finite_.suppose(f);
    for (NodeId n : order)
      if (active[n.value] && n != x_) dot_[n] = push(n);
    return f == x_ || active[f.value] ? dot_.at(f) : g_.zero(concat(extra_, g_[f].type));
  }

 private:
  // d where(c, a, b) = where(c, da, db)
  NodeId push_choice(NodeId id, const Labels& extra, const Labels& all) {
    const Type type = concat(extra_, g_[id].type);
    std::vector<Term> terms;
    for (size_t k = first_branch(g_[id]); k < g_[id].operands.size(); ++k) {
      const NodeId u = g_[id].operands[k];
      const auto it = dot_.find(u);
      if (it == dot_.end()) continue;
      const Labels own = g_[u].rank() == 0 ? Labels{} : all;
      terms.push_back({1, guarded(g_, finite_, guard_of(g_, slope_, id, k, all), {{it->second, concat(extra, own)}}, concat(extra, all), type)});
    }
    return g_.sum(std::move(terms), type);
  }

  NodeId push(NodeId id) {
    const Node& n = g_[id];
    Type type = concat(extra_, n.type);
    std::vector<Term> terms;
    switch (n.kind) {
      case Kind::Const:
      case Kind::Size:
      case Kind::Var:
      case Kind::Place:
      case Kind::Epsilon: break;

      case Kind::Sum:  // d(sum c_k t_k) = sum c_k dt_k
        for (size_t k = 0; k < n.operands.size(); ++k)
          if (dot_.contains(n.operands[k])) terms.push_back({n.coefficients[k], dot_.at(n.operands[k])});
        break;

      case Kind::Ein: {  // d(a b c) = da b c + a db c + a b dc
        Labels extra = Graph::iota(extra_.size(), fresh_label(n)), out = concat(extra, g_.out(id));
        std::vector<Factor> factors = g_.factors(id);
        for (size_t p = 0; p < factors.size(); ++p) {
          auto it = dot_.find(factors[p].tensor);
          if (it == dot_.end()) continue;
          std::vector<Factor> product = factors;
          product[p] = {it->second, concat(extra, factors[p].labels)};
          terms.push_back({1, g_.ein(std::move(product), out, type)});
        }
        break;
      }

      case Kind::Map: {  // d phi(u) = phi'(u) .* du
        Labels extra = Graph::iota(extra_.size()), all = Graph::iota(n.rank(), Label(extra_.size()));
        if (is_choice(n)) return push_choice(id, extra, all);
        for (size_t k = 0; k < n.operands.size(); ++k) {
          auto it = dot_.find(n.operands[k]);
          if (it == dot_.end()) continue;
          NodeId s = slope_(id, k);
          Labels own = g_[n.operands[k]].rank() == 0 ? Labels{} : all;
          terms.push_back({1, g_.ein({{s, g_[s].rank() == 0 ? Labels{} : all}, {it->second, concat(extra, own)}}, concat(extra, all), type)});
        }
        break;
      }

      case Kind::Fun: {  // dF = L(X) dX, from the table
        NodeId operand = n.operands[0];
        size_t batch = g_[operand].rank() - row(n.fun_op()).core.in;
        Labels extra = Graph::iota(extra_.size()), rows = Graph::iota(batch, Label(extra_.size()));
        if (auto known = commuting(g_, id, false, rows, dot_.at(operand), concat(extra, rows))) return *known;
        Differential d = differential(g_, id);
        Type batch_type(g_[operand].type.begin(), g_[operand].type.begin() + std::ptrdiff_t(batch));
        return vectorize(g_, d.value, {{d.X, {operand, rows}}, {d.F, {id, rows}}, {d.moves, {dot_.at(operand), concat(extra, rows)}}},
                         concat(extra, rows), concat(extra_, batch_type));
      }

      case Kind::Call: {  // d h(u, v) = D1h(u, v) du + D2h(u, v) dv
        const size_t batch = batch_rank(g_, id);
        for (size_t k = 0; k < n.operands.size(); ++k) {
          auto it = dot_.find(n.operands[k]);
          if (it == dot_.end()) continue;
          const Labels all = Graph::iota(n.rank()), rows = Graph::iota(batch);
          const Labels own = Graph::iota(g_[n.operands[k]].rank() - batch, Label(n.rank())), extra = Graph::iota(extra_.size(), Label(n.rank() + own.size()));
          terms.push_back({1, g_.ein({{g_.call_derivative(id, k), concat(all, own)}, {it->second, concat(concat(extra, rows), own)}}, concat(extra, all), type)});
        }
        break;
      }
    }
    return g_.sum(std::move(terms), std::move(type));
  }

  Graph& g_;
  Slopes slope_{g_};
  Finiteness finite_{g_};
  NodeId x_;
  Type extra_;
  std::map<NodeId, NodeId> dot_;
};

}  // namespace

std::vector<NodeId> gradients(Graph& g, NodeId f, std::span<const NodeId> xs) {
  const Type type = g[f].type;
  Sweeps shared(g, f, xs);
  return Reverse(g, f, identity(g, type), type, shared)();
}

namespace {

// Whether a tangent that a choice made 0 meets a slope that may be infinite on its way up, as in sqrt(where(x > 0, x, 0)). Backwards that slope comes first, and
// is chosen with all else.
bool chooses_below_poles(Graph& g, NodeId f, NodeId x) {
  const std::vector<NodeId> order = g.reachable(std::span(&f, 1));
  if (std::ranges::none_of(order, [&](NodeId n) { return is_choice(g[n]); })) return false;
  Sweeps shared(g, f, std::span(&x, 1));
  std::set<NodeId> chosen;
  for (NodeId n : order) {
    if (!shared.ways.active(n)) continue;
    const bool below = std::ranges::any_of(Node(g[n]).operands, [&](NodeId o) { return chosen.contains(o); });
    if (below && !shared.ways.finite_here(n)) return true;
    if (below || is_choice(g[n])) chosen.insert(n);
  }
  return false;
}

bool has_primary_function(const Graph& g, NodeId f) {
  return std::ranges::any_of(g.reachable(std::span(&f, 1)), [&](NodeId n) { return g[n].kind == Kind::Fun && row(g[n].fun_op()).is_primary(); });
}

}  // namespace

NodeId differentiate(Graph& g, NodeId f, NodeId x) {
  // By a number both ways cost the same; forward, the direction of expm(t*A) is A, which commutes.
  const bool along_number = g[x].rank() == 0 && has_primary_function(g, f);
  if ((g[f].rank() <= g[x].rank() && !along_number) || chooses_below_poles(g, f, x)) {
    NodeId xs[] = {x};
    return gradients(g, f, xs)[0];
  }
  Type type = g[x].type;  // a tall Jacobian: fewer axes are carried forward than back
  NodeId dot = Forward(g, x, identity(g, type), type)(f);
  std::vector<size_t> axes;
  for (size_t k = 0; k < g[f].rank(); ++k) axes.push_back(type.size() + k);
  for (size_t k = 0; k < type.size(); ++k) axes.push_back(k);
  return g.permute(dot, axes);
}

NodeId directional(Graph& g, NodeId f, NodeId x, NodeId h) {
  if (!chooses_below_poles(g, f, x)) return Forward(g, x, h, {})(f);
  const Labels out = Graph::iota(g[f].rank()), in = Graph::iota(g[x].rank(), Label(out.size()));
  return g.ein({{gradients(g, f, std::span(&x, 1))[0], concat(out, in)}, {h, in}}, out, Type(g[f].type));
}

NodeId pullback(Graph& g, NodeId f, NodeId x, NodeId seed) {
  NodeId xs[] = {x};
  Sweeps shared(g, f, xs);
  return Reverse(g, f, seed, {}, shared)()[0];
}

NodeId stable(Graph& g, NodeId f) {
  std::vector<const Rule*> enabled;
  for (const Rule& r : rules())
    if (r.stable) enabled.push_back(&r);
  return apply_rules(g, {f}, enabled)[0];
}

namespace {

// A variable is never rewritten; an intermediate value could be, and then f would not contain it any more.
NodeId stable_for(Graph& g, NodeId f, NodeId x) { return g[x].kind == Kind::Var ? stable(g, f) : f; }

// The gradient of a scalar seldom needs the Frechet derivative, whose direction must commute: that of tr(expm(X)) is expm(X)', along H tr(expm(X)*H).
NodeId along(Graph& g, NodeId f, NodeId x, NodeId h) {
  if (g[f].rank() > 0 || g[x].rank() == 0 || !has_primary_function(g, f)) return directional(g, f, x, h);
  const Labels all = Graph::iota(g[x].rank());
  const NodeId xs[] = {x}, gradient = gradients(g, f, xs)[0];
  return g.ein({{gradient, all}, {h, all}}, {}, {});
}

// In the space of x: the projection on the symmetric matrices if x is one.
NodeId project(Graph& g, NodeId t, NodeId x) { return g[x].kind == Kind::Var ? constrain(g, t, g.symbol(x)) : t; }

}  // namespace

const Calculus& calculus() {
  static const Calculus table{
      .derivative = [](Graph& g, NodeId f, NodeId x) { return project(g, differentiate(g, stable_for(g, f, x), x), x); },
      .directional = [](Graph& g, NodeId f, NodeId x, NodeId h) { return along(g, stable_for(g, f, x), x, project(g, h, x)); },
      .pullback = [](Graph& g, NodeId f, NodeId x, NodeId seed) { return project(g, pullback(g, stable_for(g, f, x), x, seed), x); },
      .canonical = [](Graph& g, NodeId n) { return canonicalize(g, n); },
  };
  return table;
}

}  // namespace ricci
