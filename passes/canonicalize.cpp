#include "passes/canonicalize.h"

#include <algorithm>

#include "passes/monomial.h"
#include "passes/rewrite.h"

namespace ricci {
namespace {

constexpr size_t kMostFactors = 32;
constexpr size_t kMostTerms = 64;

// (A + B)' = A' + B': a sum whose axes only change places.
NodeId distribute_permutation(Graph& g, NodeId id) {
  const Factor f = g.factors(id)[0];
  std::vector<Term> terms = g.terms(f.tensor);
  for (Term& t : terms) t.tensor = g.ein({{t.tensor, f.labels}}, g.out(id), Type(g[id].type));
  return g.sum(std::move(terms), Type(g[id].type));
}

// tr(A)*tr(A)*x = tr(A)^2*x: parts of a product that share no label with the rest or the result are scalars, and equal ones a power, whether or
// not one of them is written as a power already.
NodeId collect_scalars(Graph& g, NodeId id) {
  const Labels out = g.out(id);
  std::map<NodeId, std::vector<std::vector<Factor>>> scalars;  // by their node
  std::vector<Factor> kept;
  for (std::vector<Factor>& part : connected_parts(g.factors(id))) {
    const bool closed = std::ranges::none_of(part, [&](const Factor& f) { return std::ranges::find_first_of(f.labels, out) != f.labels.end(); });
    if (closed && !part[0].labels.empty()) scalars[g.ein(part, {}, {})].push_back(std::move(part));
    else std::ranges::move(part, std::back_inserter(kept));
  }
  const auto is_power_of = [&](const Factor& f, NodeId base) { return g[f.tensor].kind == Kind::Map && g[f.tensor].map_op() == MapOp::pow_ && g[f.tensor].operands[0] == base; };
  bool collected = false;
  for (auto& [node, parts] : scalars) {
    const bool again = parts.size() > 1 || std::ranges::any_of(kept, [&](const Factor& f) { return is_power_of(f, node); });
    for (std::vector<Factor>& part : parts) {
      if (again) kept.push_back({node, {}});
      else std::ranges::move(part, std::back_inserter(kept));
    }
    collected |= again;
  }
  return collected ? g.ein(std::move(kept), out, Type(g[id].type)) : id;
}

// The product with each factor that is itself a product opened, inner summed labels renamed apart.
NodeId flatten_product(Graph& g, NodeId id) {
  std::vector<Factor> factors = g.factors(id), flat;
  if (factors.size() == 1 && g[factors[0].tensor].kind == Kind::Sum && g.is_structure(id)) {
    Labels distinct = g.out(id);
    std::ranges::sort(distinct);
    if (distinct == factors[0].labels) return distribute_permutation(g, id);
  }
  Label fresh = 0;
  for (Label l : g[id].labels) fresh = std::max(fresh, l + 1);
  size_t count = 0;
  bool nested = false;
  for (const Factor& f : factors) {
    nested |= g[f.tensor].kind == Kind::Ein;
    count += g[f.tensor].kind == Kind::Ein ? g[f.tensor].operands.size() : 1;
  }
  if (count > kMostFactors) return id;
  if (!nested) return collect_scalars(g, id);
  for (Factor& f : factors) {
    if (g[f.tensor].kind != Kind::Ein) {
      flat.push_back(std::move(f));
      continue;
    }
    Labels inner_out = g.out(f.tensor);
    std::map<Label, Label> name;
    for (size_t k = 0; k < inner_out.size(); ++k) name[inner_out[k]] = f.labels[k];
    for (Factor inner : g.factors(f.tensor)) {
      for (Label& l : inner.labels) {
        auto [it, is_new] = name.try_emplace(l, fresh);
        if (is_new) ++fresh;
        l = it->second;
      }
      flat.push_back(std::move(inner));
    }
  }
  const NodeId opened = g.ein(std::move(flat), g.out(id), Type(g[id].type));
  return g[opened].kind == Kind::Ein ? collect_scalars(g, opened) : opened;
}

// diag(u) + diag(v) = diag(u + v): terms whose output labels repeat in the same pattern are one such structure around their sum.
std::vector<Term> join_diagonals(Graph& g, std::vector<Term> terms, const Type& type) {
  std::map<Labels, std::vector<Term>> diagonals;  // by pattern: the output labels, numbered by first appearance
  std::vector<Term> joined;
  for (Term& t : terms) {
    const Labels out = g[t.tensor].kind == Kind::Ein ? g.out(t.tensor) : Labels{};
    Labels pattern, once;
    for (Label l : out) {
      const auto seen = std::ranges::find(once, l);
      pattern.push_back(Label(seen - once.begin()));
      if (seen == once.end()) once.push_back(l);
    }
    const auto carried = [&](Label l) { return std::ranges::any_of(g.factors(t.tensor), [&](const Factor& f) { return std::ranges::count(f.labels, l) > 0; }); };
    const auto is_place = [&](NodeId o) { return g[o].kind == Kind::Place; };  // an entry of a block matrix, and no diagonal
    if (once.size() < out.size() && std::ranges::all_of(once, carried) && std::ranges::none_of(g[t.tensor].operands, is_place)) diagonals[pattern].push_back(std::move(t));
    else joined.push_back(std::move(t));
  }
  for (auto& [pattern, group] : diagonals) {
    if (group.size() == 1) {
      joined.push_back(std::move(group[0]));
      continue;
    }
    const size_t rank = *std::ranges::max_element(pattern) + 1;
    Type inner(rank);
    for (size_t k = 0; k < pattern.size(); ++k) inner[pattern[k]] = type[k];
    for (Term& t : group) {
      const Labels out = g.out(t.tensor);
      Labels once(rank);
      for (size_t k = 0; k < pattern.size(); ++k) once[pattern[k]] = out[k];
      t.tensor = g.ein(g.factors(t.tensor), std::move(once), inner);
    }
    joined.push_back({1, g.ein({{g.sum(std::move(group), inner), Graph::iota(rank)}}, pattern, type)});
  }
  return joined;
}

NodeId flatten_sum(Graph& g, NodeId id) {
  std::vector<Term> flat;
  bool nested = false;
  for (const Term& t : g.terms(id)) {
    std::vector<Term> inner = g.terms(t.tensor);
    nested |= g[t.tensor].kind == Kind::Sum;
    for (Term& i : inner) flat.push_back({t.coefficient * i.coefficient, i.tensor});
  }
  const Type type = g[id].type;
  if (flat.size() > kMostTerms) return id;
  return g.sum(join_diagonals(g, nested ? std::move(flat) : g.terms(id), type), type);
}

// (a.*b)^k = a^k .* b^k for an integer k: every factor of the base carries output labels only, and nothing is a diagonal.
NodeId distribute_power(Graph& g, NodeId id) {
  const Node& n = g[id];
  if (n.map_op() != MapOp::pow_ || g[n.operands[1]].kind != Kind::Const || !is_integer(g[n.operands[1]].value())) return id;
  NodeId base = n.operands[0];
  if (g[base].kind != Kind::Ein) return id;
  Labels out = g.out(base), distinct = out;
  std::ranges::sort(distinct);
  if (std::ranges::adjacent_find(distinct) != distinct.end()) return id;
  std::vector<Factor> factors = g.factors(base);
  for (const Factor& f : factors)
    for (Label l : f.labels)
      if (!std::ranges::count(out, l)) return id;
  for (Factor& f : factors) f.tensor = g.map(MapOp::pow_, {f.tensor, n.operands[1]});
  return g.ein(std::move(factors), std::move(out), Type(n.type));
}

NodeId flatten(Graph& g, NodeId id) {
  switch (g[id].kind) {
    case Kind::Ein: return flatten_product(g, id);
    case Kind::Sum: return flatten_sum(g, id);
    case Kind::Map: return distribute_power(g, id);
    case Kind::Const:
    case Kind::Size:
    case Kind::Var:
    case Kind::Fun:
    case Kind::Call:
    case Kind::Place:
    case Kind::Epsilon: return id;
  }
  return id;
}

}  // namespace

NodeId canonicalize(Graph& g, NodeId root) {
  for (;;) {  // distributing a power may expose a product inside a product: at most once per nesting of powers
    NodeId next = rewrite_bottom_up(g, root, [&](NodeId n) { return flatten(g, n); });
    if (next == root) return root;
    root = next;
  }
}

NodeId expand(Graph& g, NodeId root, size_t budget) {
  return expand(g, root, budget, [](NodeId) { return true; });
}

NodeId expand(Graph& g, NodeId root, size_t budget, const std::function<bool(NodeId)>& open) {
  auto opened = [&](NodeId n) { return g[n].kind == Kind::Sum && open(n); };
  auto distribute = [&](NodeId id) {
    if (g[id].kind != Kind::Ein) return id;
    std::vector<Factor> factors = g.factors(id);
    size_t count = 1;
    for (const Factor& f : factors) {
      size_t terms = opened(f.tensor) ? g[f.tensor].operands.size() : 1;
      if (count * terms > budget) return id;
      count *= terms;
    }
    if (count == 1) return id;
    std::vector<Term> result;
    std::vector<size_t> choice(factors.size(), 0);  // counts through every choice of one term per factor
    for (size_t i = 0; i < count; ++i) {
      std::vector<Factor> product = factors;
      Rational c = 1;
      size_t rest = i;
      for (Factor& f : product) {
        if (!opened(f.tensor)) continue;
        size_t terms = g[f.tensor].operands.size(), k = rest % terms;
        rest /= terms;
        c *= g[f.tensor].coefficients[k];
        f.tensor = g[f.tensor].operands[k];
      }
      result.push_back({c, flatten(g, g.ein(std::move(product), g.out(id), Type(g[id].type)))});
    }
    return flatten(g, g.sum(std::move(result), Type(g[id].type)));
  };
  // Small integer powers of sums are products.
  auto open_power = [&](NodeId id) {
    const Node& n = g[id];
    if (n.kind != Kind::Map || n.map_op() != MapOp::pow_ || g[n.operands[1]].kind != Kind::Const || !opened(n.operands[0])) return id;
    auto k = as_long(g[n.operands[1]].value());
    size_t terms = g[n.operands[0]].operands.size(), count = 1;
    if (!k || *k < 2) return id;
    for (long i = 0; i < *k; ++i)
      if ((count *= terms) > budget) return id;
    NodeId base = n.operands[0], power = base;
    Labels all = Graph::iota(n.rank());
    for (long i = 1; i < *k; ++i) {
      std::vector<Term> product;
      for (const Term& a : g.terms(power))
        for (const Term& b : g.terms(base)) product.push_back({a.coefficient * b.coefficient, flatten(g, g.hadamard(a.tensor, b.tensor))});
      power = g.sum(std::move(product), Type(n.type));
    }
    return power;
  };
  for (int round = 0; round < 8; ++round) {
    NodeId next = rewrite_bottom_up(g, root, [&](NodeId n) { return open_power(distribute(flatten(g, n))); });
    if (next == root) break;
    root = next;
  }
  return root;
}

}  // namespace ricci
