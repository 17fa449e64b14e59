// Axes are permuted and variance assigned; no number changes but by the projection on symmetric matrices.
#include "passes/layout.h"

#include "passes/differentiate.h"

namespace ricci {
namespace {

Variance opposite(Variance v) { return v == Variance::Up ? Variance::Down : Variance::Up; }

void arrange(Graph& g, Value& d, size_t f_rank, size_t x_rank, DerivativeLayout layout) {
  auto transpose = [&] {
    if (d.variance.size() == 1) d.variance[0] = opposite(d.variance[0]);
    if (d.variance.size() != 2) return;
    d.node = g.permute(d.node, {1, 0});
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

Value derivative(Graph& g, const Value& f, const Declaration& x, int order, const DerivativeStyle& style) {
  const Symbol symbol = g.symbol(x.node);
  const size_t x_rank = symbol.type.size(), f_rank = g[f.node].rank();
  Value d = f;
  d.variable.resize(d.variance.size(), 0);
  for (int k = 1; k <= order; ++k) {
    const bool gradient = d.variance.empty();
    d.node = constrain(g, differentiate(g, stable(g, d.node), x.node), symbol, style.symmetric);
    for (Variance v : symbol.variance) {
      d.variance.push_back(gradient ? v : opposite(v));
      d.variable.push_back(k);
    }
  }
  if (order == 1) arrange(g, d, f_rank, x_rank, style.layout);
  return d;
}

}  // namespace ricci
