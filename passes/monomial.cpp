#include "passes/monomial.h"

#include <algorithm>
#include <set>

#include "passes/scalar_powers.h"

namespace ricci {
namespace {

// The base of a square, if the node is one.
std::optional<NodeId> base_of_square(const Graph& g, NodeId id) {
  const Node& n = g[id];
  if (n.kind != Kind::Map || n.map_op() != MapOp::pow_ || g[n.operands[1]].kind != Kind::Const || g[n.operands[1]].value() != 2)
    return std::nullopt;
  return n.operands[0];
}

bool carries(const Factor& f, Label l) { return std::ranges::count(f.labels, l) > 0; }

// Squares of what has a direction as two factors each; a product under a square is opened twice, its inner labels renamed apart.
void open_squares(Graph& g, Monomial& m, const std::function<bool(NodeId)>& has_direction) {
  Label fresh = 0;
  for (const Factor& f : m.factors)
    for (Label l : f.labels) fresh = std::max(fresh, l + 1);
  for (Label l : m.out) fresh = std::max(fresh, l + 1);
  std::vector<Factor> result, axes;
  for (const Factor& f : m.factors) {
    const auto base = base_of_square(g, f.tensor);
    if (!base || !has_direction(*base)) {
      result.push_back(f);
      continue;
    }
    for (size_t a = 0; a < f.labels.size(); ++a) axes.push_back({g.ones({g[*base].type[a]}), {f.labels[a]}});
    for (int copy = 0; copy < 2; ++copy) {
      if (g[*base].kind != Kind::Ein) {
        result.push_back({*base, f.labels});
        continue;
      }
      std::map<Label, Label> name;
      const Labels inner_out = g.out(*base);
      for (size_t a = 0; a < inner_out.size(); ++a) name[inner_out[a]] = f.labels[a];
      for (Factor inner : g.factors(*base)) {
        for (Label& l : inner.labels) {
          auto [it, is_new] = name.try_emplace(l, fresh);
          if (is_new) ++fresh;
          l = it->second;
        }
        result.push_back(std::move(inner));
      }
    }
  }
  for (const Factor& axis : axes)  // an axis of mere repetition must not be lost
    if (std::ranges::none_of(result, [&](const Factor& f) { return carries(f, axis.labels[0]); })) result.push_back(axis);
  m.factors = std::move(result);
}

// Takes out the connected parts that have neither a direction nor an axis of the result, as one scalar.
std::vector<Factor> loose_parts(Graph& g, Monomial& m, const std::function<bool(NodeId)>& has_direction) {
  std::vector<Factor> loose, bound;
  for (const std::vector<Factor>& part : connected_parts(m.factors)) {
    const bool stays = std::ranges::any_of(part, [&](const Factor& f) {
      return has_direction(f.tensor) || std::ranges::any_of(m.out, [&](Label l) { return carries(f, l); });
    });
    std::vector<Factor>& where = stays ? bound : loose;
    where.insert(where.end(), part.begin(), part.end());
  }
  m.factors = std::move(bound);
  if (loose.empty()) return {};
  return {{g.ein(std::move(loose), {}, {}), {}}};
}

}  // namespace

std::vector<std::vector<Factor>> connected_parts(std::vector<Factor> factors, const std::function<bool(Label)>& joins) {
  std::vector<std::vector<Factor>> parts;
  while (!factors.empty()) {
    std::vector<Factor> part{factors.front()};
    factors.erase(factors.begin());
    for (size_t k = 0; k < part.size(); ++k) {
      const Labels labels = part[k].labels;
      for (size_t j = 0; j < factors.size();) {
        if (std::ranges::any_of(labels, [&](Label l) { return joins(l) && carries(factors[j], l); })) {
          part.push_back(factors[j]);
          factors.erase(factors.begin() + std::ptrdiff_t(j));
        } else {
          ++j;
        }
      }
    }
    parts.push_back(std::move(part));
  }
  return parts;
}

void refresh(Graph& g, Monomial& m) { m.node = g.scale(m.coefficient, g.times(m.scalar, g.ein(m.factors, m.out, m.type))); }

Monomial monomial(Graph& g, const Term& t, bool open, const std::function<bool(NodeId)>& has_direction) {
  Monomial m{t.coefficient, g.constant(1), g.scale(t.coefficient, t.tensor), g[t.tensor].type, {}, {}};
  std::vector<Factor> scalars;
  const bool product = g[t.tensor].kind == Kind::Ein;
  m.out = product ? g.out(t.tensor) : Graph::iota(g[t.tensor].rank());
  for (const Factor& f : product ? g.factors(t.tensor) : std::vector<Factor>{{t.tensor, m.out}})
    (f.labels.empty() && !has_direction(f.tensor) ? scalars : m.factors).push_back(f);
  if (open) open_squares(g, m, has_direction);
  for (Factor& f : loose_parts(g, m, has_direction)) scalars.push_back(std::move(f));
  m.scalar = g.ein(std::move(scalars), {}, {});
  if (open) m.scalar = quotient(g, m.scalar, g.constant(1));
  return m;
}

}  // namespace ricci
