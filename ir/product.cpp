#include "ir/product.h"

#include <algorithm>
#include <cassert>
#include <tuple>

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
  std::map<Label, Label> parent_;
};

}  // namespace

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
  Label fresh = dim.empty() ? 0 : dim.rbegin()->first + 1;
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
      std::map<Label, Label> outer;  // an inner output label and the label it meets here
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
  std::map<Label, DimId> merged;
  for (auto [l, d] : dim) merged.try_emplace(same.find(l), d);
  dim = std::move(merged);
}

void Product::sum_lone_labels() {
  std::map<Label, DimId> lone = dim;
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
  // A factor as base^exponent; `guarded` powers (pow0) are 0 at 0 whatever the exponent, and stay guarded when they meet plain ones.
  struct Power {
    Rational exponent;
    bool guarded = false;
    int count = 0;
    NodeId whole{};
  };
  std::map<std::pair<NodeId, Labels>, Power> powers;
  for (Factor& f : factors) {
    const Node& n = graph[f.tensor];
    bool is_power = n.kind == Kind::Map && (n.map_op() == MapOp::pow_ || n.map_op() == MapOp::pow0_) && graph[n.operands[1]].kind == Kind::Const &&
                    graph[n.operands[0]].rank() == n.rank();
    NodeId base = is_power ? n.operands[0] : f.tensor;
    Labels key = f.labels;
    if (graph.is_symmetric(base)) std::ranges::sort(key);
    Power& p = powers[{base, key}];
    p.exponent += is_power ? graph[n.operands[1]].value() : Rational(1);
    p.guarded |= is_power && n.map_op() == MapOp::pow0_;
    p.whole = f.tensor;
    ++p.count;
  }
  if (std::ranges::all_of(powers, [](const auto& entry) { return entry.second.count == 1; })) return;
  factors.clear();
  std::vector<Factor> reopened;
  for (auto& [key, p] : powers) {
    const auto& [base, labels] = key;
    if (p.count == 1) {
      factors.push_back({p.whole, labels});
    } else if (p.exponent != 0) {
      NodeId exponent = graph.constant(p.exponent);
      bool plain = !p.guarded || (is_integer(p.exponent) && p.exponent > 0);
      factors.push_back({graph.map(plain ? MapOp::pow_ : MapOp::pow0_, {base, exponent}), labels});
    }
  }
  // The power of a constant, of a permuted tensor ... may have become structure again; labels that lost their factor are summed now.
  dissolve_structure();
  settle_places();
  sum_lone_labels();
}

}  // namespace ricci
