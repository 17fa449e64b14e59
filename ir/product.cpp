#include "ir/product.h"

#include <algorithm>
#include <cassert>
#include <tuple>

#include "ir/labels.h"
#include "ir/places.h"

namespace ricci {
namespace {

class UnionFind {
 public:
  Label find(Label x) {
    for (auto it = parent_.find(x); it != parent_.end(); it = parent_.find(x)) x = it->second;
    return x;
  }
  void unite(Label a, Label b) {
    a = find(a), b = find(b);
    if (a != b) parent_[std::max(a, b)] = std::min(a, b);
  }

 private:
  FlatMap<Label, Label> parent_;
};

// Whether an Ein is the diagonal of a tensor, or its axes in another order.
bool picks_of_one(const Graph& g, NodeId n) {
  if (g[n].kind != Kind::Ein || g[n].operands.size() != 1 || !g.is_structure(n)) return false;
  const Labels out = g.out(n), own = g.factors(n)[0].labels;
  return !has_repeats(out) && std::ranges::all_of(out, [&](Label l) { return contains(own, l); });
}

// The tensor of which `base` is a diagonal or has the axes in another order, or itself.
NodeId picked_from(const Graph& g, NodeId base) { return picks_of_one(g, base) ? g[base].operands[0] : base; }

}  // namespace

NodeId power_base(const Graph& g, NodeId factor) {
  const Node& n = g[factor];
  const bool is_power = n.kind == Kind::Map && (n.map_op() == MapOp::pow_ || n.map_op() == MapOp::pow0_) && g[n.operands[1]].kind == Kind::Const &&
                        g[n.operands[0]].rank() == n.rank();
  return is_power ? n.operands[0] : factor;
}

Product::Product(Graph& g, std::vector<Factor> fs, Labels o, Type t) : graph(g), factors(std::move(fs)), out(std::move(o)), type(std::move(t)) {
  assert(out.size() == type.size());
  auto see = [&](Label l, DimId d) {
    [[maybe_unused]] auto it = dim.try_emplace(l, d).first;
    assert(it->second == d && "one dimension per label");
  };
  for (const Factor& f : factors) {
    const Type& ft = graph[f.tensor].type;
    assert(ft.size() == f.labels.size());
    for (size_t k = 0; k < ft.size(); ++k) see(f.labels[k], ft[k]);
  }
  for (size_t k = 0; k < out.size(); ++k) see(out[k], type[k]);
}

void Product::dissolve_structure() {
  UnionFind same;
  std::vector<Factor> work = std::move(factors);
  factors.clear();
  std::ranges::reverse(work);
  Label fresh = dim.empty() ? 0 : dim.back().first + 1;
  while (!work.empty()) {
    Factor f = std::move(work.back());
    work.pop_back();
    const Node& n = graph[f.tensor];
    if (n.kind == Kind::Const) {
      coefficient *= n.value();
    } else if (n.kind == Kind::Sum && n.operands.size() <= 1) {
      coefficient *= n.operands.empty() ? Rational(0) : n.coefficients[0];
      if (!n.operands.empty()) work.push_back({n.operands[0], f.labels});
    } else if (n.kind == Kind::Ein) {
      std::vector<Factor> inner = graph.factors(f.tensor);
      Labels inner_out = graph.out(f.tensor);
      FlatMap<Label, Label> outer;  // an inner output label and the label it meets here
      Labels kept;                   // inner output labels that some inner factor carries, once each
      Type kept_type;
      const bool moves = only_moves(graph, f.tensor);
      bool opened = moves;
      for (size_t k = 0; k < inner_out.size(); ++k) {
        auto [it, first] = outer.try_emplace(inner_out[k], f.labels[k]);
        bool carried = std::ranges::any_of(inner, [&](const Factor& g) { return std::ranges::count(g.labels, inner_out[k]) > 0; });
        if (!first) same.unite(it->second, f.labels[k]);
        if (!first || !carried) opened = true;
        if (first && carried) kept.push_back(inner_out[k]), kept_type.push_back(n.type[k]);
      }
      if (moves) {
        for (Factor& g : inner) {
          for (size_t k = 0; k < g.labels.size(); ++k) {
            auto [it, is_new] = outer.try_emplace(g.labels[k], fresh);
            if (is_new) dim[fresh++] = graph[g.tensor].type[k];
            g.labels[k] = it->second;
          }
          work.push_back(std::move(g));
        }
      } else if (opened) {  // a true product inside with a delta or a broadcast around it: keep the product, open the rest
        Labels meet;
        for (Label l : kept) meet.push_back(outer.at(l));
        work.push_back({graph.ein(std::move(inner), kept, std::move(kept_type)), std::move(meet)});
      } else {
        factors.push_back(std::move(f));
      }
    } else {
      factors.push_back(std::move(f));
    }
  }
  for (Factor& f : factors)
    for (Label& l : f.labels) l = same.find(l);
  for (Label& l : out) l = same.find(l);
  FlatMap<Label, DimId> merged;
  for (auto [l, d] : dim) merged.try_emplace(same.find(l), d);
  dim = std::move(merged);
}

void Product::sum_lone_labels() {
  FlatMap<Label, DimId> lone = dim;
  for (const Factor& f : factors)
    for (Label l : f.labels) lone.erase(l);
  for (Label l : out) lone.erase(l);
  for (auto [l, d] : lone) {
    dim.erase(l);  // summed now, and not again
    NodeId size = graph.size(d);
    if (graph[size].kind == Kind::Sum && graph[size].operands.size() == 1) {  // 3*n
      coefficient *= graph[size].coefficients[0];
      size = graph[size].operands[0];
    }
    if (graph[size].kind == Kind::Const) coefficient *= graph[size].value();
    else factors.push_back({size, {}});
  }
}

void Product::collect_powers() {
  std::vector<NodeId> bases;
  bases.reserve(factors.size());
  for (const Factor& f : factors) bases.push_back(picked_from(graph, power_base(graph, f.tensor)));
  std::ranges::sort(bases);
  if (std::ranges::adjacent_find(bases) == bases.end()) return;
  // A factor as base^exponent; `guarded` powers (pow0) are 0 at 0 whatever the exponent, and stay guarded when they meet plain ones.
  struct Power {
    Rational exponent;
    bool guarded = false;
    int count = 0;
    Factor whole{};
  };
  std::map<std::pair<NodeId, Labels>, Power> powers;
  for (Factor& f : factors) {
    const Node& n = graph[f.tensor];
    NodeId base = power_base(graph, f.tensor);
    const bool is_power = base != f.tensor;
    Labels key = f.labels;
    if (picks_of_one(graph, base)) {  // x_ii is a factor of x^2_ii as much as of (x_ii)^2
      FlatMap<Label, Label> outer;
      const Labels own = graph.out(base);
      for (size_t k = 0; k < own.size(); ++k) outer[own[k]] = key[k];
      const Factor inner = graph.factors(base)[0];
      key = inner.labels;
      for (Label& l : key) l = outer.at(l);
      base = inner.tensor;
    }
    if (graph.is_symmetric(base)) std::ranges::sort(key);
    Power& p = powers[{base, key}];
    p.exponent += is_power ? graph[n.operands[1]].value() : Rational(1);
    p.guarded |= is_power && n.map_op() == MapOp::pow0_;
    p.whole = f;
    ++p.count;
  }
  if (std::ranges::all_of(powers, [](const auto& entry) { return entry.second.count == 1; })) return;
  factors.clear();
  std::vector<Factor> reopened;
  for (auto& [key, p] : powers) {
    const auto& [base, labels] = key;
    if (p.count == 1) {
      factors.push_back(p.whole);
    } else if (p.exponent != 0) {
      NodeId exponent = graph.constant(p.exponent);
      bool plain = !p.guarded || (is_integer(p.exponent) && p.exponent > 0);
      Labels once;
      Type once_type;
      for (size_t k = 0; k < labels.size(); ++k)
        if (!contains(once, labels[k])) once.push_back(labels[k]), once_type.push_back(graph[base].type[k]);
      const NodeId picked = once.size() == labels.size() ? base : graph.ein({{base, labels}}, once, std::move(once_type));
      factors.push_back({graph.map(plain ? MapOp::pow_ : MapOp::pow0_, {picked, exponent}), std::move(once)});
    }
  }
  // The power of a constant, of a permuted tensor ... may have become structure again; labels that lost their factor are summed now.
  dissolve_structure();
  settle_places();
  sum_lone_labels();
  collect_powers();  // of fewer factors: (x^2)^(-1/2)*(x^2)^(-3/2)*x has become x^(-4)*x
}

}  // namespace ricci
