#include "passes/vectorize.h"

#include <algorithm>
#include <cassert>

namespace ricci {
namespace {

class Vectorizer {
 public:
  Vectorizer(Graph& g, const Labels& leading, const Type& dims) : g_(g) {
    for (size_t k = 0; k < leading.size(); ++k) dim_[leading[k]] = dims[k];
  }

  // `own` axes of `l` keep their place; leading ones become exactly `leading`.
  NodeId widen(const Lifted& l, const Labels& leading) {
    if (leading.empty() && g_[l.tensor].rank() == 0) return l.tensor;
    size_t own = g_[l.tensor].rank() - l.labels.size();
    const Type type = g_[l.tensor].type;
    Labels in = l.labels, out = leading;
    Type out_type;
    for (Label k : leading) out_type.push_back(dim_.at(k));
    for (Label k = 0; k < own; ++k) {
      in.push_back(kOwn + k);
      out.push_back(kOwn + k);
      out_type.push_back(type[l.labels.size() + k]);
    }
    return g_.ein({{l.tensor, in}}, std::move(out), std::move(out_type));
  }

  // `done(n)` is what an operand has become.
  Lifted lift(NodeId id, const auto& done) {
    const Node& n = g_[id];
    std::vector<Lifted> ops;
    Labels leading;  // the union of what the operands carry, in ascending order
    ops.reserve(n.operands.size());
    for (NodeId op : n.operands) {
      ops.push_back(done(op));
      leading.insert(leading.end(), ops.back().labels.begin(), ops.back().labels.end());
    }
    std::ranges::sort(leading);
    leading.erase(std::ranges::unique(leading).begin(), leading.end());
    if (leading.empty()) {
      std::vector<NodeId> plain;
      plain.reserve(ops.size());
      for (const Lifted& l : ops) plain.push_back(l.tensor);
      return {g_.rebuild(id, std::move(plain)), {}};
    }
    Type type;
    for (Label k : leading) type.push_back(dim_.at(k));
    type.insert(type.end(), n.type.begin(), n.type.end());
    switch (n.kind) {
      case Kind::Const:
      case Kind::Size:
      case Kind::Var:
      case Kind::Place:
      case Kind::Epsilon: return {id, {}};
      case Kind::Sum: {
        std::vector<Term> terms;
        for (size_t k = 0; k < ops.size(); ++k) terms.push_back({n.coefficients[k], widen(ops[k], leading)});
        return {g_.sum(std::move(terms), std::move(type)), leading};
      }
      case Kind::Ein: {
        std::vector<Factor> factors = g_.factors(id);
        auto own = [](Labels& ls) { for (Label& l : ls) l += kOwn; };
        for (size_t k = 0; k < factors.size(); ++k) {
          own(factors[k].labels);
          factors[k].tensor = ops[k].tensor;
          factors[k].labels.insert(factors[k].labels.begin(), ops[k].labels.begin(), ops[k].labels.end());
        }
        Labels out = g_.out(id);
        own(out);
        out.insert(out.begin(), leading.begin(), leading.end());
        return {g_.ein(std::move(factors), std::move(out), std::move(type)), leading};
      }
      case Kind::Map: {
        std::vector<NodeId> wide;
        for (size_t k = 0; k < ops.size(); ++k) {
          // A scalar operand that stays a scalar needs no axes; one that became a batch of scalars is spread over the node's own axes.
          if (ops[k].labels.empty() && g_[ops[k].tensor].rank() == 0) wide.push_back(ops[k].tensor);
          else wide.push_back(spread(ops[k], leading, n.type));
        }
        return {g_.map(n.map_op(), std::move(wide)), leading};
      }
      case Kind::Fun: return {g_.fun(n.fun_op(), widen(ops[0], leading)), leading};
      case Kind::Call: {
        for (Lifted& l : ops) l.tensor = widen(l, leading);
        std::vector<NodeId> wide;
        for (const Lifted& l : ops) wide.push_back(l.tensor);
        return {g_.call({n.row}, std::move(wide), std::move(type)), leading};
      }
    }
    return {id, {}};
  }

 private:
  static constexpr Label kOwn = 1u << 24;  // above every leading label

  NodeId spread(const Lifted& l, const Labels& leading, const Type& own) {
    if (g_[l.tensor].rank() - l.labels.size() == own.size()) return widen(l, leading);
    Labels out = leading;
    Type type;
    for (Label k : leading) type.push_back(dim_.at(k));
    for (Label k = 0; k < own.size(); ++k) out.push_back(kOwn + k);
    type.insert(type.end(), own.begin(), own.end());
    return g_.ein({{l.tensor, l.labels}}, std::move(out), std::move(type));
  }

  Graph& g_;
  std::map<Label, DimId> dim_;
};

}  // namespace

NodeId vectorize(Graph& g, NodeId expression, const std::map<NodeId, Lifted>& replacements, const Labels& leading, const Type& dims) {
  return vectorize(g, g.reachable(std::span(&expression, 1)), replacements, leading, dims);
}

NodeId vectorize(Graph& g, std::span<const NodeId> expression, const std::map<NodeId, Lifted>& replacements, const Labels& leading, const Type& dims) {
  Vectorizer v(g, leading, dims);
  std::vector<Lifted> done;  // of each node of the expression; they ascend
  done.reserve(expression.size());
  const auto lifted = [&](NodeId n) -> const Lifted& { return done[size_t(std::ranges::lower_bound(expression, n) - expression.begin())]; };
  for (NodeId n : expression) {
    const auto given = replacements.find(n);
    done.push_back(given != replacements.end() ? given->second : v.lift(n, lifted));
  }
  return v.widen(done.back(), leading);
}

}  // namespace ricci
