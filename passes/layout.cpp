// Variance is assigned and axes are permuted; no number changes but by the projection on symmetric matrices.
#include "passes/layout.h"

#include <algorithm>

#include "passes/differentiate.h"

namespace ricci {
namespace {

Variance opposite(Variance v) { return v == Variance::Up ? Variance::Down : Variance::Up; }

}  // namespace

std::optional<DerivativeLayout> find_layout(std::string_view name) {
  if (name == "mixed") return DerivativeLayout::Mixed;
  if (name == "numerator") return DerivativeLayout::Numerator;
  if (name == "denominator") return DerivativeLayout::Denominator;
  return {};
}

Value derivative(Graph& g, const Value& f, const Declaration& x, int order, SymmetricConvention symmetric) {
  const Symbol symbol = g.symbol(x.node);
  Value d = f;
  d.variable.resize(d.variance.size(), 0);
  for (int k = 1; k <= order; ++k) {
    const bool gradient = d.variance.empty();
    d.node = constrain(g, differentiate(g, stable(g, d.node), x.node), symbol, symmetric);
    for (Variance v : symbol.variance) {
      d.variance.push_back(gradient ? v : opposite(v));
      d.variable.push_back(k);
    }
  }
  return d;
}

NodeId derivative_along(Graph& g, NodeId f, std::span<const NodeId> variables, std::span<const NodeId> directions, SymmetricConvention symmetric) {
  for (size_t k = 0; k < variables.size(); ++k) {
    // Each convention is its own transpose: that of the derivative, along a direction, is the derivative along that of the direction.
    const NodeId x = variables[k], direction = constrain(g, directions[k], g.symbol(x), symmetric);
    f = directional(g, stable(g, f), x, direction);
  }
  return f;
}

bool is_transposed(DerivativeLayout layout, bool function_has_axes, bool variable_has_axes) {
  switch (layout) {
    case DerivativeLayout::Mixed: return false;
    case DerivativeLayout::Numerator: return !function_has_axes && variable_has_axes;
    case DerivativeLayout::Denominator: return function_has_axes;
  }
  return false;
}

Value laid_out(Graph& g, Value d, size_t f_rank, DerivativeLayout layout) {
  const size_t rank = d.variance.size();
  const bool hessian = std::ranges::count(d.variable, 2) > 0 && f_rank == 0;
  if (rank > 2 || hessian || !is_transposed(layout, f_rank > 0, rank > f_rank)) return d;
  if (rank == 1) d.variance[0] = opposite(d.variance[0]);
  if (rank == 2) d.node = g.permute(d.node, {1, 0});
  if (rank == 2) std::swap(d.variable[0], d.variable[1]);
  return d;
}

}  // namespace ricci
