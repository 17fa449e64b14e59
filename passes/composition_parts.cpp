// A function as an outer one of its parts: the outer function is asked of its second derivative, in fewer variables.
#include <algorithm>

#include "passes/composition.h"
#include "passes/composition_words.h"
#include "passes/differentiate.h"
#include "passes/fresh_name.h"
#include "passes/simplify.h"
#include "passes/spectrum.h"
#include "passes/substitute.h"

namespace ricci {
namespace {

// A variable for what has the range. `interior`: not for the end at 0, where the outer function is the limit of its values.
NodeId stand_in(Graph& g, NodeId n, Type type, const Range& range, bool interior, std::map<std::pair<NodeId, Type>, NodeId>& known) {
  if (g[n].kind == Kind::Var && type == g[n].type) return n;
  if (auto it = known.find({n, type}); it != known.end()) return it->second;
  Properties promised;
  if (range.nonnegative()) promised.add(interior || range.positive() ? Property::positive : Property::nonnegative);
  std::vector<Variance> variance(type.size(), Variance::Up);
  const std::string name = fresh_name(g, type.empty() ? "t" : type.size() == 1 ? "z" : "Z");
  return known[{n, type}] = g.variable(g.declare({name, type, std::move(variance), promised}));
}

// An outer function and what it is taken of.
struct Parts {
  NodeId outer;
  std::vector<NodeId> arguments, parts;  // the variables of `outer` and what they stand for
};

// One entry of a tensor whose entries are all one function of the entries of its parts in the same place, as a function of numbers.
class Entry {
 public:
  Entry(Graph& g, Signs& signs, const std::function<bool(NodeId)>& active, const std::function<bool(NodeId)>& is_part,
        std::map<std::pair<NodeId, Type>, NodeId>& stand_ins)
      : g_(g), signs_(signs), active_(active), is_part_(is_part), stand_ins_(stand_ins) {}

  Parts operator()(NodeId n) {
    Parts parts{};
    parts.outer = entry(n, true, parts);
    return parts;
  }

 private:
  NodeId entry(NodeId id, bool whole, Parts& parts) {
    const Node& n = g_[id];
    if (!active_(id)) {
      if (n.rank() == 0) return id;
      if (n.kind == Kind::Ein && n.operands.empty() && distinct(g_.out(id))) return g_.constant(1);
    } else if (whole || !is_part_(id)) {
      std::vector<NodeId> operands;
      if (n.kind == Kind::Map) {
        for (NodeId op : n.operands) operands.push_back(entry(op, false, parts));
        return g_.map(n.map_op(), std::move(operands));
      }
      if (n.kind == Kind::Sum) {
        std::vector<Term> terms = g_.terms(id);
        for (Term& t : terms) t.tensor = entry(t.tensor, false, parts);
        return g_.sum(std::move(terms), {});
      }
      if (n.kind == Kind::Ein && entrywise(id)) {
        std::vector<Factor> factors;
        for (NodeId op : n.operands) factors.push_back({entry(op, false, parts), {}});
        return g_.ein(std::move(factors), {}, {});
      }
    }
    for (size_t k = 0; k < parts.parts.size(); ++k)
      if (parts.parts[k] == id) return parts.arguments[k];
    const NodeId number = stand_in(g_, id, {}, signs_.range(id), active_(id) && (n.kind == Kind::Map || n.kind == Kind::Fun), stand_ins_);
    if (!active_(id)) return number;
    parts.parts.push_back(id);
    parts.arguments.push_back(number);
    return number;
  }

  bool entrywise(NodeId id) const {
    const Labels out = g_.out(id);
    return distinct(out) && std::ranges::all_of(g_.factors(id), [&](const Factor& f) { return f.labels.empty() || f.labels == out; });
  }
  static bool distinct(Labels l) {
    std::ranges::sort(l);
    return std::ranges::adjacent_find(l) == l.end();
  }

  Graph& g_;
  Signs& signs_;
  const std::function<bool(NodeId)>&active_, &is_part_;
  std::map<std::pair<NodeId, Type>, NodeId>& stand_ins_;
};

// The degree of positively homogeneous nodes in the variables.
class Degrees {
 public:
  Degrees(const Graph& g, const std::function<bool(NodeId)>& active) : g_(g), active_(active) {}

  std::optional<Rational> operator()(NodeId root) {
    for (NodeId n : g_.reachable(std::span(&root, 1)))
      if (auto d = of(n)) known_[n] = *d;
    auto it = known_.find(root);
    return it == known_.end() ? std::nullopt : std::optional(it->second);
  }

 private:
  std::optional<Rational> of(NodeId id) const {
    if (!active_(id)) return Rational(0);
    const Node& n = g_[id];
    if (n.kind == Kind::Var) return Rational(1);
    std::vector<Rational> degrees;
    for (NodeId op : n.operands) {
      auto it = known_.find(op);
      if (it == known_.end()) return std::nullopt;
      degrees.push_back(it->second);
    }
    auto all = [&](const Rational& d) { return std::ranges::all_of(degrees, [&](const Rational& e) { return e == d; }); };
    if (n.kind == Kind::Ein) {
      Rational sum = 0;
      for (const Rational& d : degrees) sum += d;
      return sum;
    }
    if (n.kind == Kind::Map && (n.map_op() == MapOp::pow_ || n.map_op() == MapOp::pow0_)) {
      const Node& e = g_[n.operands[1]];
      if (e.kind == Kind::Const) return Rational(degrees[0] * e.value());
    }
    const bool keeps = n.kind == Kind::Sum || (n.kind == Kind::Map && (n.map_op() == MapOp::max_ || n.map_op() == MapOp::min_ ||
                                                                       n.map_op() == MapOp::abs_ || n.map_op() == MapOp::relu_)) ||
                       (n.kind == Kind::Fun && (n.fun_op() == FunOp::max_of || n.fun_op() == FunOp::min_of));
    if (keeps && !degrees.empty() && all(degrees[0])) return degrees[0];
    return all(0) && n.kind != Kind::Call ? std::optional(Rational(0)) : std::nullopt;
  }

  const Graph& g_;
  const std::function<bool(NodeId)>& active_;
  std::map<NodeId, Rational> known_;
};

}  // namespace

// Where the second derivative of the whole is not all: roots are taken of sums of these.
bool Composition::kinked(NodeId id) const {
  const Node& n = g_[id];
  if (n.kind == Kind::Fun) return n.fun_op() == FunOp::max_of || n.fun_op() == FunOp::min_of || n.fun_op() == FunOp::eigmax;
  return n.kind == Kind::Map && (n.map_op() == MapOp::abs_ || n.map_op() == MapOp::relu_ || n.map_op() == MapOp::max_ || n.map_op() == MapOp::min_ ||
                                 n.map_op() == MapOp::hypot_ || n.map_op() == MapOp::pow0_);
}

// The outermost parts that are affine, or have kinks of their own; of a tensor, what its entries are functions of.
Composition::Proof Composition::of_parts(NodeId n, Curve curve) {
  const std::function<bool(NodeId)> active = [this](NodeId m) { return this->active(m); };
  const std::function<bool(NodeId)> is_part = [this](NodeId m) { return affine(m) || kinked(m); };
  Parts p{};
  if (g_[n].rank() > 0) {
    p = Entry(g_, signs_, active, is_part, stand_ins_)(n);
  } else {
    std::vector<NodeId> open{n};
    std::map<NodeId, NodeId> exchanged;
    while (!open.empty()) {
      const NodeId m = open.back();
      open.pop_back();
      if (!active(m) || exchanged.contains(m)) continue;
      if (m == n || !is_part(m)) {
        open.insert(open.end(), g_[m].operands.begin(), g_[m].operands.end());
        continue;
      }
      p.parts.push_back(m);
      p.arguments.push_back(exchanged[m] = stand_in(g_, m, g_[m].type, signs_.range(m), !affine(m), stand_ins_));
    }
    p.outer = substitute(g_, n, exchanged);
  }
  if (p.parts.empty() || p.outer == n || std::ranges::count(p.parts, n) > 0) return std::nullopt;

  std::vector<DomainCondition> where;
  auto outer = lemmas_.of_function(p.outer, p.arguments, curve, where);
  if (!outer) return std::nullopt;
  FormProof all{{n, says(kConvex, curve), "composition", {{p.outer, says(kConvex, curve), "second derivative", {std::move(outer->step)}}}}};
  // A convex increasing (concave decreasing ...) function has a limit at the end of its interval; only guarded powers do not attain it.
  const bool jumps = std::ranges::any_of(g_.reachable(std::span(&p.outer, 1)), [&](NodeId m) {
    const Node& e = g_[m];
    return e.kind == Kind::Map && e.map_op() == MapOp::pow0_ && (g_[e.operands[1]].kind != Kind::Const || g_[e.operands[1]].value() < 0);
  });
  bool affine_parts = true, one_to_one = false;
  for (size_t k = 0; k < p.parts.size(); ++k) {
    if (affine(p.parts[k])) {
      all.step.premises.push_back({p.parts[k], "is affine", "affine"});
      continue;
    }
    if (jumps) return std::nullopt;
    affine_parts = false;
    const Range slope = signs_.range(simplify(g_, differentiate(g_, p.outer, p.arguments[k])));
    if (!slope.nonnegative() && !slope.nonpositive()) return std::nullopt;
    auto inner = prove(p.parts[k], slope.nonnegative() ? curve : opposite(curve), Order::Entries);
    if (!inner) return std::nullopt;
    all.step.premises.push_back(std::move(inner->step));
  }
  if (!where.empty()) return std::nullopt;
  for (size_t k = 0; k < p.parts.size() && affine_parts && outer->definite && !one_to_one; ++k)
    if (auto proof = injective(p.parts[k])) one_to_one = proof->definite, take_conditions(all, std::move(*proof));
  return all;
}

// s*f(x/s) is jointly convex for s > 0 exactly if f is: a function that is homogeneous of degree 1, if it is where s = 1.
Composition::Proof Composition::perspective(NodeId n, Curve curve) {
  const std::function<bool(NodeId)> active = [this](NodeId m) { return this->active(m); };
  if (std::ranges::any_of(variables_, [&](NodeId x) { return !is_cone(g_.symbol(x).properties); })) return std::nullopt;
  if (variables_.size() < 2 || g_[n].rank() != 0 || Degrees(g_, active)(n) != Rational(1)) return std::nullopt;
  for (NodeId s : variables_) {
    if (g_[s].rank() != 0 || !signs_.positive(s)) continue;
    std::vector<NodeId> others;
    for (NodeId x : variables_)
      if (x != s) others.push_back(x);
    const NodeId section = substitute(g_, n, {{s, g_.constant(1)}});
    std::vector<DomainCondition> where;
    auto proof = lemmas_.of_function(section, others, curve, where);
    if (!proof || !where.empty()) continue;
    return FormProof{{n, says(kConvex, curve), "perspective", {{section, says(kConvex, curve), "second derivative", {std::move(proof->step)}}}}};
  }
  return std::nullopt;
}

}  // namespace ricci
