#include "passes/constrain.h"

#include "ir/functions.h"

namespace ricci {
namespace {

// `t` with its last two axes swapped.
NodeId transpose_last(Graph& g, NodeId t) {
  std::vector<size_t> axes(g[t].rank());
  for (size_t k = 0; k < axes.size(); ++k) axes[k] = k;
  std::swap(axes[axes.size() - 1], axes[axes.size() - 2]);
  return g.permute(t, axes);
}

// `t` with zeros off the diagonal of its last two axes.
NodeId diagonal_part(Graph& g, NodeId t) {
  const Type type = g[t].type;
  Labels labels = Graph::iota(type.size());
  labels.back() = labels[labels.size() - 2];
  return g.ein({{t, labels}}, labels, type);
}

}  // namespace

NodeId constrain(Graph& g, NodeId t, const Symbol& x, SymmetricConvention convention) {
  const Rational half(1, 2);
  const Properties p = x.properties;
  if (convention == SymmetricConvention::Unconstrained || x.type.size() != 2) return t;
  if (p.has(Property::diagonal)) return diagonal_part(g, t);
  if (p.has(Property::lower)) return g.fun(FunOp::tril, t);
  if (p.has(Property::upper)) return g.fun(FunOp::triu, t);
  if (p.has(Property::skew)) {
    const NodeId both = g.subtract(t, transpose_last(g, t));
    return convention == SymmetricConvention::Projected ? g.scale(half, both) : both;
  }
  if (!p.has(Property::symmetric)) return t;
  NodeId both = g.add(t, transpose_last(g, t));
  return convention == SymmetricConvention::Projected ? g.scale(half, both) : g.subtract(both, diagonal_part(g, t));
}

NodeId from_independent(Graph& g, NodeId t, const Symbol& x) {
  const Properties p = x.properties;
  if (x.type.size() == 2 && p.has(Property::skew) && !p.has(Property::diagonal)) return g.scale(Rational(1, 2), t);
  if (!p.has(Property::symmetric) || p.has(Property::diagonal) || x.type.size() != 2) return constrain(g, t, x);
  return g.scale(Rational(1, 2), g.add(t, diagonal_part(g, t)));
}

std::optional<SymmetricConvention> find_symmetric_convention(std::string_view name) {
  if (name == "projected") return SymmetricConvention::Projected;
  if (name == "unconstrained") return SymmetricConvention::Unconstrained;
  if (name == "independent") return SymmetricConvention::Independent;
  return {};
}

}  // namespace ricci
