#include "passes/kronecker.h"

#include <algorithm>

#include "ir/places.h"
#include "passes/monomial.h"

namespace ricci {
namespace {

// The place that groups the axis, if it is the only one there and a group.
std::optional<Factor> take_group(const Graph& g, std::vector<Factor>& factors, Label axis) {
  const auto carries = [&](const Factor& f) { return std::ranges::count(f.labels, axis) > 0; };
  const auto f = std::ranges::find_if(factors, carries);
  if (f == factors.end() || g[f->tensor].kind != Kind::Place || f->labels[0] != axis || !is_group(g, f->tensor)) return std::nullopt;
  const Factor place = *f;
  factors.erase(f);
  return std::ranges::any_of(factors, carries) ? std::nullopt : std::optional(place);
}

}  // namespace

std::optional<Kronecker> kronecker(Graph& g, NodeId matrix) {
  if (g[matrix].kind != Kind::Ein || g[matrix].rank() != 2) return std::nullopt;
  const Labels out = g.out(matrix);
  std::vector<Factor> rest = g.factors(matrix);
  const auto rows = take_group(g, rest, out[0]), columns = out[0] == out[1] ? std::nullopt : take_group(g, rest, out[1]);
  if (!rows || !columns || rows->tensor != columns->tensor) return std::nullopt;  // the same parts: every factor is square
  const size_t count = rows->labels.size() - 1;
  Kronecker k{g.constant(1), {}};
  std::vector<std::vector<Factor>> parts(count);
  for (std::vector<Factor>& part : connected_parts(std::move(rest))) {
    std::optional<size_t> slot;
    for (size_t digit = 0; digit < count; ++digit) {
      const auto reaches = [&](const Factor& f) { return std::ranges::count(f.labels, rows->labels[digit + 1]) + std::ranges::count(f.labels, columns->labels[digit + 1]) > 0; };
      if (std::ranges::none_of(part, reaches)) continue;
      if (slot) return std::nullopt;
      slot = digit;
    }
    if (slot) std::ranges::move(part, std::back_inserter(parts[*slot]));
    else k.scalar = g.times(k.scalar, g.ein(std::move(part), {}, {}));
  }
  for (size_t digit = 0; digit < count; ++digit) {
    const DimId n = g[rows->tensor].type[digit + 1];
    const Label row = rows->labels[digit + 1], column = columns->labels[digit + 1];
    for (size_t other = 0; other < count; ++other)  // a label of two slots ties them
      if (other != digit && (row == rows->labels[other + 1] || row == columns->labels[other + 1] || column == columns->labels[other + 1])) return std::nullopt;
    k.factors.push_back(g.ein(std::move(parts[digit]), {row, column}, {n, n}));
  }
  return k;
}

NodeId kron(Graph& g, const std::vector<NodeId>& factors) {
  std::vector<Factor> product;
  Type parts;
  Labels rows{0}, columns{1};
  for (NodeId f : factors) {
    const Label next = Label(2 + 2 * parts.size());
    parts.push_back(g[f].type[0]);
    rows.push_back(next);
    columns.push_back(next + 1);
    product.push_back({f, {next, next + 1}});
  }
  const DimId whole = g.product(parts);
  const NodeId place = g.place(whole, parts, g.dim(int64_t{0}));
  product.push_back({place, std::move(rows)});
  product.push_back({place, std::move(columns)});
  return g.ein(std::move(product), {0, 1}, {whole, whole});
}

}  // namespace ricci
