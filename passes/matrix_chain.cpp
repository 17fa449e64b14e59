#include "passes/matrix_chain.h"

#include <algorithm>

namespace ricci {

std::optional<MatrixChain> matrix_chain(Graph& g, NodeId matrix) {
  MatrixChain c;
  if (g[matrix].kind == Kind::Sum) {
    if (g[matrix].operands.size() != 1) return std::nullopt;
    c.coefficient = g[matrix].coefficients[0];
    matrix = g[matrix].operands[0];
  }
  const DimId n = g[matrix].type[0];
  if (g[matrix].kind != Kind::Ein) {
    c.matrices = {matrix};
    return c;
  }
  std::vector<Factor> rest = g.factors(matrix);
  for (auto f = rest.begin(); f != rest.end();) {
    if (!f->labels.empty()) ++f;
    else c.scalars.push_back(f->tensor), f = rest.erase(f);
  }
  const Labels out = g.out(matrix);
  for (Label at = out[0]; at != out[1];) {  // each label of the chain joins two factors, so there is one way on
    if (std::ranges::count_if(rest, [&](const Factor& f) { return std::ranges::count(f.labels, at) > 0; }) != 1) return std::nullopt;
    const auto f = std::ranges::find_if(rest, [&](const Factor& f) { return std::ranges::count(f.labels, at) > 0; });
    if (f->labels.size() != 2 || f->labels[0] == f->labels[1] || g[f->tensor].type != Type{n, n}) return std::nullopt;
    const bool turned = f->labels[1] == at;
    c.matrices.push_back(turned ? g.permute(f->tensor, {1, 0}) : f->tensor);
    at = f->labels[turned ? 0 : 1];
    rest.erase(f);
  }
  return rest.empty() && !c.matrices.empty() ? std::optional(c) : std::nullopt;
}

}  // namespace ricci
