#include "passes/canonicalize.h"

#include <algorithm>
#include <set>

#include "ir/labels.h"
#include "passes/commuting.h"
#include "passes/exchanges.h"
#include "passes/infer_properties.h"
#include "passes/join_places.h"
#include "passes/monomial.h"
#include "passes/rewrite.h"
#include "passes/structure.h"
#include "passes/symbolic_powers.h"

namespace ricci {
namespace {

constexpr size_t kMostFactors = 32;
constexpr size_t kMostTerms = 64;
constexpr size_t kMostOpened = 32;  // terms that sums of higher order multiply out to
constexpr int kMostRounds = 100;
constexpr size_t kMostProducts = 4;  // that an expansion makes, in multiples of its budget

// (A + B)' = A' + B': a sum whose axes only change places.
NodeId distribute_permutation(Graph& g, NodeId id) {
  const Factor f = g.factors(id)[0];
  std::vector<Term> terms = g.terms(f.tensor);
  for (Term& t : terms) t.tensor = g.ein({{t.tensor, f.labels}}, g.out(id), Type(g[id].type));
  return g.sum(std::move(terms), Type(g[id].type));
}

// Multiplies the power with a symbolic exponent that `whole` is the root of, if there is one, by `whole`^k.
bool joins_symbolic_power(Graph& g, std::vector<Factor>& factors, const Factor& whole, long k) {
  for (Factor& f : factors) {
    const auto symbolic = symbolic_power(g, f.tensor);
    if (!symbolic || symbolic->root != whole.tensor || f.labels != whole.labels) continue;
    const auto power = times_power_of_root(g, f.tensor, k);
    if (power) f.tensor = *power;
    return power.has_value();
  }
  return false;
}

// tr(A)*tr(A)*x = tr(A)^2*x, (A*x).*(A*x) = (A*x).^2: parts of a product that are sums of their own, equal and on equal labels, are a power, whether
// or not one of them is written as a power already. Parts are what is left together when the labels of the result, and one more, are cut.
NodeId collect_parts(Graph& g, NodeId id) {
  const std::vector<Factor> factors = g.factors(id);
  const Labels out = g.out(id);
  const auto exponent_of = [&](const Factor& f) { return g[g[f.tensor].operands[1]].value(); };
  const auto power_of = [&](const Factor& f) {
    const Node& n = g[f.tensor];
    const bool is_power = n.kind == Kind::Map && (n.map_op() == MapOp::pow_ || n.map_op() == MapOp::pow0_) && g[n.operands[1]].kind == Kind::Const;
    return is_power ? std::optional(n.operands[0]) : std::nullopt;
  };
  std::set<NodeId> seen;
  const auto may_be_alike = [&](const Factor& f) {
    const auto base = power_of(f);
    const auto symbolic = symbolic_power(g, f.tensor);
    return !seen.insert(f.tensor).second || (base && g[*base].kind == Kind::Ein) || (symbolic && g[symbolic->root].kind == Kind::Ein);
  };
  if (std::ranges::none_of(factors, may_be_alike)) return id;
  Labels cuts = {~Label{0}};  // none
  for (const Factor& f : factors)
    for (Label l : f.labels)
      if (!std::ranges::count(out, l) && !std::ranges::count(cuts, l)) cuts.push_back(l);
  for (Label cut : cuts) {
    const auto is_cut = [&](Label l) { return l == cut || std::ranges::count(out, l) > 0; };
    std::map<Factor, std::vector<std::vector<Factor>>> alike;  // parts, by the tensor they are and its labels
    std::vector<Factor> kept;
    for (std::vector<Factor>& part : connected_parts(factors, [&](Label l) { return !is_cut(l); })) {
      std::map<Label, DimId> met;
      bool sums = false;
      for (const Factor& f : part)
        for (size_t k = 0; k < f.labels.size(); ++k) {
          sums |= !is_cut(f.labels[k]);
          if (is_cut(f.labels[k])) met.emplace(f.labels[k], g[f.tensor].type[k]);
        }
      Labels boundary;
      Type type;
      for (const auto& [l, d] : met) boundary.push_back(l), type.push_back(d);
      if (!sums || part.size() == factors.size()) std::ranges::move(part, std::back_inserter(kept));
      else alike[{g.ein(part, boundary, type), boundary}].push_back(std::move(part));
    }
    bool collected = false;
    for (auto& [whole, parts] : alike) {
      const auto power = std::ranges::find_if(kept, [&](const Factor& f) { return power_of(f) == whole.tensor && f.labels == whole.labels; });
      const bool has_power = power != kept.end();
      if (!has_power && joins_symbolic_power(g, kept, whole, long(parts.size()))) {
        collected = true;
        continue;
      }
      const Rational exponent = (has_power ? exponent_of(*power) : Rational(0)) + long(parts.size());
      if (has_power && exponent == 0) {
        if (whole.labels.empty()) kept.erase(power);
        else kept.insert(kept.end(), parts.size(), whole);  // the constructor sums what they alone were joined by
      } else if (has_power) {
        power->tensor = g.map(g[power->tensor].map_op(), {whole.tensor, g.constant(exponent)});
      } else if (parts.size() > 1) {
        kept.push_back({g.power(whole.tensor, exponent), whole.labels});
      } else {
        std::ranges::move(parts[0], std::back_inserter(kept));
      }
      collected |= has_power || parts.size() > 1;
    }
    if (collected) return g.ein(std::move(kept), out, Type(g[id].type));
  }
  return id;
}

// diag(diag(X)) is X for a diagonal X: the second of two equal labels of the result is one of its own.
NodeId open_diagonal(Graph& g, NodeId id) {
  Labels out = g.out(id);
  std::vector<Factor> factors = g.factors(id);
  for (Factor& f : factors) {
    if (f.labels.size() != 2 || f.labels[0] != f.labels[1] || std::ranges::count(out, f.labels[0]) != 2) continue;
    if (!PropertyInference(g)(f.tensor).has(Property::diagonal)) continue;
    const Label fresh = std::ranges::max(g[id].labels) + 1;
    *std::ranges::find(out.rbegin(), out.rend(), f.labels[1]) = fresh;
    f.labels[1] = fresh;
    return g.ein(std::move(factors), std::move(out), Type(g[id].type));
  }
  return id;
}

// The product with each factor that is itself a product opened, inner summed labels renamed apart.
NodeId flatten_product(Graph& g, NodeId id) {
  if (const NodeId opened = open_diagonal(g, id); opened != id) {
    if (g[opened].kind != Kind::Ein) return opened;
    id = opened;
  }
  std::vector<Factor> factors = g.factors(id), flat;
  if (factors.size() == 1 && g[factors[0].tensor].kind == Kind::Sum && g.is_structure(id)) {
    Labels distinct = g.out(id);
    std::ranges::sort(distinct);
    if (distinct == factors[0].labels) return distribute_permutation(g, id);
  }
  if (const NodeId next = settle_factors(g, id); next != id) {
    if (g[next].kind != Kind::Ein) return next;
    id = next;
    factors = g.factors(id);
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
  if (!nested) return collect_parts(g, order_commuting(g, id));
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
  return g[opened].kind == Kind::Ein ? collect_parts(g, opened) : opened;
}

// diag(u) + diag(v) = diag(u + v), delta_ik*A_jl + delta_ik*B_jl = delta_ik*(A + B)_jl, u*ones(n)' + v*ones(n)' = (u + v)*ones(n)': terms whose output
// labels repeat, or are no factor's, in the same pattern are one such structure around their sum.
std::vector<Term> join_structures(Graph& g, std::vector<Term> terms, const Type& type) {
  struct Around {
    Labels pattern;             // the output labels, numbered by first appearance
    std::vector<bool> carried;  // whether a factor has them
    auto operator<=>(const Around&) const = default;
  };
  std::map<Around, std::vector<Term>> alike;
  std::vector<Term> joined;
  for (Term& t : terms) {
    const bool product = g[t.tensor].kind == Kind::Ein;
    const Labels out = product ? g.out(t.tensor) : Labels{};
    const std::vector<Factor> factors = product ? g.factors(t.tensor) : std::vector<Factor>{};
    Around around;
    Labels once;
    for (Label l : out) {
      const auto seen = std::ranges::find(once, l);
      around.pattern.push_back(Label(seen - once.begin()));
      if (seen == once.end()) once.push_back(l);
    }
    const auto carries = [](Label l) { return [l](const Factor& f) { return std::ranges::count(f.labels, l) > 0; }; };
    for (Label l : once) around.carried.push_back(std::ranges::any_of(factors, carries(l)));
    const auto is_placed_again = [&](const Factor& f) {  // an entry of a block matrix, and no diagonal
      return g[f.tensor].kind == Kind::Place && std::ranges::any_of(f.labels, [&](Label l) { return std::ranges::count(out, l) > 1; });
    };
    const size_t carried = size_t(std::ranges::count(around.carried, true));
    if ((once.size() < out.size() ? carried > 0 : carried < once.size()) && std::ranges::none_of(factors, is_placed_again)) alike[std::move(around)].push_back(std::move(t));
    else joined.push_back(std::move(t));
  }
  for (auto& [around, group] : alike) {
    if (group.size() == 1) {
      joined.push_back(std::move(group[0]));
      continue;
    }
    Labels core;  // the output labels of what stands inside
    Type inner;
    for (Label l = 0; l < around.carried.size(); ++l)
      if (around.carried[l]) core.push_back(l), inner.push_back(type[size_t(std::ranges::find(around.pattern, l) - around.pattern.begin())]);
    for (Term& t : group) {
      const Labels out = g.out(t.tensor);
      Labels own;
      for (Label l : core) own.push_back(out[size_t(std::ranges::find(around.pattern, l) - around.pattern.begin())]);
      t.tensor = g.ein(g.factors(t.tensor), std::move(own), inner);
    }
    joined.push_back({1, g.ein({{g.sum(std::move(group), inner), core}}, around.pattern, type)});
  }
  return joined;
}

// diag(A + B*C) = diag(A) + diag(B*C): of a product less than all of it is computed when the entries are picked first.
NodeId open_pick(Graph& g, NodeId id) {
  std::vector<Term> terms = picks_of_terms(g, id);
  if (terms.empty()) return id;
  for (Term& t : terms)
    if (g[t.tensor].kind == Kind::Ein) t.tensor = flatten_product(g, t.tensor);
  return g.sum(join_picks(g, std::move(terms)), Type(g[id].type));
}

// Into how many terms a product or a sum falls when the sums of order 3 and more in it are multiplied out; more than kMostOpened is as good as any.
size_t terms_opened(const Graph& g, NodeId id, std::map<NodeId, size_t>& known) {
  if (const auto before = known.find(id); before != known.end()) return before->second;
  size_t count = g[id].kind == Kind::Sum ? 0 : 1;
  for (NodeId o : g[id].operands) {
    if (count > kMostOpened) break;
    const bool opens = g[o].rank() > 2 && (g[o].kind == Kind::Sum || g[o].kind == Kind::Ein);
    const size_t inner = g[id].kind == Kind::Sum || opens ? terms_opened(g, o, known) : 1;
    count = g[id].kind == Kind::Sum ? count + inner : count * inner;
  }
  return known[id] = g[id].kind == Kind::Sum || g[id].kind == Kind::Ein ? count : 1;
}

// (S_abc + T_abc)*x_b = S_abc*x_b + T_abc*x_b: in a product of order 2 and less no matrix form shows a sum of order 3, but for one whose axes places
// join again, as in sums of Kronecker products.
NodeId open_hidden_sum(Graph& g, NodeId id) {
  if (g[id].kind != Kind::Ein || g[id].rank() > 2) return id;
  const std::vector<Factor> factors = g.factors(id);
  const auto is_placed = [&](Label l) {
    return std::ranges::any_of(factors, [&](const Factor& f) { return g[f.tensor].kind == Kind::Place && contains(f.labels, l); });
  };
  const auto hidden = std::ranges::find_if(factors, [&](const Factor& f) {
    return g[f.tensor].kind == Kind::Sum && g[f.tensor].rank() > 2 && std::ranges::none_of(f.labels, is_placed);
  });
  std::map<NodeId, size_t> known;
  if (hidden == factors.end() || terms_opened(g, id, known) > kMostOpened) return id;
  std::vector<Term> terms = g.terms(hidden->tensor);
  for (Term& t : terms) {
    std::vector<Factor> product = factors;
    product[size_t(hidden - factors.begin())].tensor = t.tensor;
    t.tensor = g.ein(std::move(product), g.out(id), Type(g[id].type));
  }
  return g.sum(std::move(terms), Type(g[id].type));
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
  return g.sum(join_structures(g, join_places(g, join_picks(g, nested ? std::move(flat) : g.terms(id))), type), type);
}

// (a.*b)^k = a^k .* b^k for an integer k: of what no summed label joins, if nothing is a diagonal.
NodeId distribute_power(Graph& g, NodeId id) {
  const Node& n = g[id];
  if (n.map_op() != MapOp::pow_ || g[n.operands[1]].kind != Kind::Const || !is_integer(g[n.operands[1]].value())) return id;
  NodeId base = n.operands[0];
  if (g[base].kind != Kind::Ein) return id;
  const Labels out = g.out(base);
  Labels distinct = out;
  std::ranges::sort(distinct);
  if (std::ranges::adjacent_find(distinct) != distinct.end()) return id;
  const auto is_summed = [&](Label l) { return std::ranges::find(out, l) == out.end(); };
  std::vector<std::vector<Factor>> parts = connected_parts(g.factors(base), is_summed);
  if (parts.size() < 2) return id;  // one sum, or a picked entry, which stays inside
  std::vector<Factor> powers;
  for (std::vector<Factor>& part : parts) {
    Labels labels;
    Type type;
    for (size_t k = 0; k < out.size(); ++k)
      if (std::ranges::any_of(part, [&](const Factor& f) { return std::ranges::count(f.labels, out[k]) > 0; })) labels.push_back(out[k]), type.push_back(n.type[k]);
    const NodeId factor = g.ein(std::move(part), labels, std::move(type));
    powers.push_back({g.map(MapOp::pow_, {factor, n.operands[1]}), std::move(labels)});
  }
  return g.ein(std::move(powers), out, Type(n.type));
}

NodeId flatten_node(Graph& g, NodeId id) {
  switch (g[id].kind) {
    case Kind::Ein: {
      const NodeId flat = collect_symbolic_powers(g, open_hidden_sum(g, flatten_product(g, id)));
      return g[flat].kind == Kind::Ein ? settle_exchanges(g, contract_epsilons(g, open_pick(g, push_in_places(g, flat)), 1)) : flat;
    }
    case Kind::Sum: return flatten_sum(g, pull_out_added_axes(g, id));
    case Kind::Map: {
      if (const NodeId opened = open_power_of_power(g, id); opened != id) return opened;
      const NodeId placed = power_of_placed(g, id);
      if (placed != id) return placed;
      const NodeId bare = settle_sign(g, settle_scale(g, settle_base(g, pull_out_added_axes(g, distribute_power(g, id)))));
      return g[bare].kind == Kind::Map ? order_axes(g, bare) : bare;
    }
    case Kind::Fun: {
      const NodeId settled = settle_argument(g, id);
      const NodeId ordered = settled == id ? order_mapped_axes(g, id) : settled;
      return ordered == id ? transpose_inside(g, id) : ordered;
    }
    case Kind::Const:
    case Kind::Size:
    case Kind::Var:
    case Kind::Call:
    case Kind::Place:
    case Kind::Epsilon: return id;
  }
  return id;
}

NodeId flatten(Graph& g, NodeId id, Flattened& known) {
  if (const auto before = known.find(id); before != known.end()) return before->second;
  const NodeId flat = flatten_node(g, id);
  known.emplace(id, flat);
  return flat;
}

// Products over sums, written out. What is inside is written out first, so that a sum of many terms may meet one again at every level above: each
// product has at most `budget` terms, and all of them together kMostProducts times as many.
class Expansion {
 public:
  Expansion(Graph& g, size_t budget, const std::function<bool(NodeId)>& open, Flattened& known)
      : g_(g), budget_(budget), left_(kMostProducts * budget), open_(open), known_(known) {}

  NodeId operator()(NodeId id) { return open_power(distribute(flatten(g_, id, known_))); }

 private:
  bool opened(NodeId n) const { return g_[n].kind == Kind::Sum && open_(n); }

  // Whether this many products may still be made; they are then counted as made.
  bool affords(size_t products) {
    if (products > budget_ || products > left_) return false;
    left_ -= products;
    return true;
  }

  NodeId distribute(NodeId id) {
    if (g_[id].kind != Kind::Ein) return id;
    const std::vector<Factor> factors = g_.factors(id);
    size_t count = 1;
    for (const Factor& f : factors) {
      if (opened(f.tensor)) count *= g_[f.tensor].operands.size();
      if (count > budget_) return id;
    }
    if (count == 1 || !affords(count)) return id;
    std::vector<Term> result;
    for (size_t i = 0; i < count; ++i) {  // counts through every choice of one term per factor
      std::vector<Factor> product = factors;
      Rational c = 1;
      size_t rest = i;
      for (Factor& f : product) {
        if (!opened(f.tensor)) continue;
        const size_t terms = g_[f.tensor].operands.size(), k = rest % terms;
        rest /= terms;
        c *= g_[f.tensor].coefficients[k];
        f.tensor = g_[f.tensor].operands[k];
      }
      result.push_back({c, flatten(g_, g_.ein(std::move(product), g_.out(id), Type(g_[id].type)), known_)});
    }
    return flatten(g_, g_.sum(std::move(result), Type(g_[id].type)), known_);
  }

  // Small integer powers of sums are products.
  NodeId open_power(NodeId id) {
    const Node& n = g_[id];
    if (n.kind != Kind::Map || n.map_op() != MapOp::pow_ || g_[n.operands[1]].kind != Kind::Const || !opened(n.operands[0])) return id;
    const auto k = as_long(g_[n.operands[1]].value());
    const NodeId base = n.operands[0];
    const Type type = n.type;
    size_t count = 1;
    if (!k || *k < 2) return id;
    for (long i = 0; i < *k; ++i)
      if ((count *= g_[base].operands.size()) > budget_) return id;
    if (!affords(count)) return id;
    NodeId power = base;
    for (long i = 1; i < *k; ++i) {
      std::vector<Term> product;
      for (const Term& a : g_.terms(power))
        for (const Term& b : g_.terms(base)) product.push_back({a.coefficient * b.coefficient, flatten(g_, g_.hadamard(a.tensor, b.tensor), known_)});
      power = g_.sum(std::move(product), Type(type));
    }
    return power;
  }

  Graph& g_;
  const size_t budget_;
  size_t left_;  // products that may still be made
  const std::function<bool(NodeId)>& open_;
  Flattened& known_;
};

}  // namespace

NodeId canonicalize(Graph& g, NodeId root, Flattened* memory) {
  Flattened own, &known = memory ? *memory : own;
  // What moves inside or outside may expose a product inside a product: about once per nesting. Every round keeps the value, so an end is safe.
  for (int round = 0; round < kMostRounds; ++round) {
    NodeId next = rewrite_bottom_up(g, root, [&](NodeId n) { return flatten(g, n, known); });
    if (next == root) break;
    root = next;
  }
  return root;
}

NodeId expand(Graph& g, NodeId root, size_t budget, const std::function<bool(NodeId)>& open, Flattened* memory) {
  Flattened own;
  Expansion expansion(g, budget, open, memory ? *memory : own);
  for (int round = 0; round < kMostRounds; ++round) {
    const NodeId next = rewrite_bottom_up(g, root, std::ref(expansion));
    if (next == root) break;
    root = next;
  }
  return root;
}

}  // namespace ricci
