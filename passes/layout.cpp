// Axes are permuted and variance assigned; no number changes but by the projection on symmetric matrices.
#include "passes/layout.h"

#include "passes/differentiate.h"

namespace ricci {
namespace {

Variance opposite(Variance v) { return v == Variance::Up ? Variance::Down : Variance::Up; }

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

// What the convention makes of the last two axes, those of a variable with these properties.
NodeId constrained(Graph& g, NodeId t, Properties p, SymmetricConvention convention) {
  const Rational half(1, 2);
  if (convention == SymmetricConvention::Unconstrained) return t;
  if (p.has(Property::diagonal)) return diagonal_part(g, t);
  if (p.has(Property::skew)) return g.scale(half, g.subtract(t, transpose_last(g, t)));
  if (!p.has(Property::symmetric)) return t;
  NodeId both = g.add(t, transpose_last(g, t));
  return convention == SymmetricConvention::Projected ? g.scale(half, both) : g.subtract(both, diagonal_part(g, t));
}

void arrange(Graph& g, Value& d, size_t f_rank, size_t x_rank, DerivativeLayout layout) {
  auto transpose = [&] {
    if (d.variance.size() == 1) d.variance[0] = opposite(d.variance[0]);
    if (d.variance.size() != 2) return;
    d.node = transpose_last(g, d.node);
    if (!d.variable.empty()) std::swap(d.variable[0], d.variable[1]);
  };
  if (layout == DerivativeLayout::Numerator && f_rank == 0 && x_rank > 0) transpose();
  if (layout == DerivativeLayout::Denominator && f_rank > 0) transpose();
}

}  // namespace

std::optional<DerivativeLayout> find_layout(std::string_view name) {
  if (name == "mixed") return DerivativeLayout::Mixed;
  if (name == "numerator") return DerivativeLayout::Numerator;
  if (name == "denominator") return DerivativeLayout::Denominator;
  return {};
}

std::optional<SymmetricConvention> find_symmetric_convention(std::string_view name) {
  if (name == "projected") return SymmetricConvention::Projected;
  if (name == "unconstrained") return SymmetricConvention::Unconstrained;
  if (name == "independent") return SymmetricConvention::Independent;
  return {};
}

Value derivative(Graph& g, const Value& f, const Declaration& x, int order, const DerivativeStyle& style) {
  const Symbol symbol = g.symbol(x.node);
  const size_t x_rank = symbol.type.size(), f_rank = g[f.node].rank();
  Value d = f;
  d.variable.resize(d.variance.size(), 0);
  for (int k = 1; k <= order; ++k) {
    const bool gradient = d.variance.empty();
    d.node = differentiate(g, d.node, x.node);
    if (x_rank == 2) d.node = constrained(g, d.node, symbol.properties, style.symmetric);
    for (Variance v : symbol.variance) {
      d.variance.push_back(gradient ? v : opposite(v));
      d.variable.push_back(k);
    }
  }
  if (order == 1) arrange(g, d, f_rank, x_rank, style.layout);
  return d;
}

}  // namespace ricci
