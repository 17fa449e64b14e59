// Products with places in the form that is executed: every place stands with at most one tensor, in a view (plan_views.h).
//
// A whole that the constructors left in a product is an axis of its result, so sum_r T U P.. = P.. (sum_r T U): the product over the digits is
// computed first and written where its entries belong. In the other direction a slice of an elementwise function, a sum or a product that nothing
// else reads is that of its operands' slices, (A*B)[i,:] = A[i,:]*B, and only what is looked at is computed.
#include <algorithm>
#include <map>
#include <numeric>

#include "ir/places.h"
#include "ir/labels.h"
#include "passes/plan_products.h"
#include "passes/plan_views.h"

namespace ricci {
namespace {

constexpr size_t kMostOfEpsilon = 4;  // 24 terms

size_t distinct(Labels labels) {
  std::ranges::sort(labels);
  return size_t(std::ranges::unique(labels).begin() - labels.begin());
}
bool is_place(const Graph& g, NodeId n) { return g[n].kind == Kind::Place; }

bool has_places(const Graph& g, std::span<const NodeId> roots) {
  return std::ranges::any_of(g.reachable(roots), [&](NodeId n) { return g[n].kind == Kind::Place || g[n].kind == Kind::Epsilon; });
}

// A tensor with places on some of its axes.
struct Slice {
  NodeId tensor;
  Labels labels;
  std::vector<Factor> places;
  Labels out;
};

class Places {
 public:
  explicit Places(Graph& g) : g_(g) {}

  // Slices go down through the nodes that only they read.
  std::vector<NodeId> push_slices(std::span<const NodeId> outputs) {
    const std::vector<NodeId> old = g_.reachable(outputs);
    uses_.assign(old.back().value + 1, 0);
    fresh_.assign(old.back().value + 1, NodeId{0});
    for (NodeId o : outputs) ++uses_[o.value];
    for (NodeId n : old)
      for (NodeId o : g_[n].operands) ++uses_[o.value];
    for (NodeId n : old) {
      const std::optional<Slice> s = slice(n);
      fresh_[n.value] = s && opens(s->tensor) ? push(*s) : rebuild(n);
    }
    return renewed(outputs);
  }

  // One sweep over products; `changed` if there was one to split.
  std::vector<NodeId> split_products(std::span<const NodeId> outputs, bool& changed) {
    const std::vector<NodeId> old = g_.reachable(outputs);
    fresh_.assign(old.back().value + 1, NodeId{0});
    for (NodeId n : old) {
      const NodeId same = rebuild(n);
      fresh_[n.value] = g_[same].kind == Kind::Ein ? split(same) : same;
      changed = changed || fresh_[n.value] != same;
    }
    return renewed(outputs);
  }

 private:
  std::vector<NodeId> renewed(std::span<const NodeId> outputs) const {
    std::vector<NodeId> r;
    for (NodeId o : outputs) r.push_back(fresh_[o.value]);
    return r;
  }
  NodeId rebuild(NodeId n) {
    std::vector<NodeId> operands = g_[n].operands;
    for (NodeId& o : operands) o = fresh_[o.value];
    return g_.rebuild(n, std::move(operands));
  }

  // --- slices -----------------------------------------------------------------------------------------------------------------------

  // A node that is a tensor with places on its axes, no part of it repeated or broadcast.
  std::optional<Slice> slice(NodeId n) const {
    if (g_[n].kind != Kind::Ein || !is_readable_view(g_, n) || is_scattered(g_, n)) return {};
    Slice s{.tensor = {}, .labels = {}, .places = {}, .out = g_.out(n)};
    bool tensor = false;
    for (Factor& f : g_.factors(n)) {
      if (is_place(g_, f.tensor)) s.places.push_back(std::move(f));
      else s.tensor = f.tensor, s.labels = std::move(f.labels), tensor = true;
    }
    if (!tensor || s.places.empty()) return {};
    const bool carried = std::ranges::all_of(s.out, [&](Label l) {
      return contains(s.labels, l) || std::ranges::any_of(s.places, [&](const Factor& p) { return contains(p.labels, l); });
    });
    return carried ? std::optional(std::move(s)) : std::nullopt;
  }

  bool opens(NodeId n) const {
    const Node& node = g_[n];
    if (n.value >= uses_.size() || uses_[n.value] != 1) return false;
    return node.kind == Kind::Map || (node.kind == Kind::Sum && !node.operands.empty()) ||
           (node.kind == Kind::Ein && !is_view(g_, n) && !is_diagonal_structure(g_, n));  // each axis has a label of its own
  }

  // A node that waits for the slices of its operands: which of them are slices, and which stand for themselves.
  struct Frame {
    Slice slice;
    std::vector<Factor> operands;  // with their labels; replaced one by one
    size_t next = 0;
  };

  NodeId push(const Slice& s) {
    std::vector<Frame> stack{open(s)};
    while (true) {
      Frame& f = stack.back();
      if (f.next == f.operands.size()) {
        const Factor done = close(f);
        stack.pop_back();
        if (stack.empty()) return g_.ein({done}, s.out, type_of(done, s.out));
        Frame& above = stack.back();
        above.operands[above.next++] = done;
        continue;
      }
      Slice part{.tensor = f.operands[f.next].tensor, .labels = f.operands[f.next].labels, .places = {}, .out = {}};
      for (const Factor& p : f.slice.places)
        if (contains(part.labels, p.labels[0])) part.places.push_back(p);
      part = with_digits_of_digits(std::move(part), f.slice.places);
      if (!part.places.empty() && opens(part.tensor)) {
        stack.push_back(open(std::move(part)));
      } else {
        f.operands[f.next++] = cut(part);
      }
    }
  }

  // A digit may be placed itself.
  static Slice with_digits_of_digits(Slice s, const std::vector<Factor>& places) {
    for (size_t k = 0; k < s.places.size(); ++k)
      for (const Factor& p : places)
        if (contains(s.places[k].labels, p.labels[0]) && std::ranges::find(s.places, p) == s.places.end()) s.places.push_back(p);
    return s;
  }

  // The labels that are left of a slice, in the order of its axes.
  static Labels kept(const Slice& s) {
    Labels r;
    std::vector<Label> open(s.labels.rbegin(), s.labels.rend());
    while (!open.empty()) {
      const Label l = open.back();
      open.pop_back();
      const auto place = std::ranges::find_if(s.places, [&](const Factor& p) { return p.labels[0] == l; });
      if (place != s.places.end()) open.insert(open.end(), place->labels.rbegin(), place->labels.rend() - 1);
      else if (!contains(r, l)) r.push_back(l);
    }
    return r;
  }

  Type type_of(const Factor& f, const Labels& out) const {
    Type t;
    for (Label l : out) t.push_back(g_[f.tensor].type[size_t(std::ranges::find(f.labels, l) - f.labels.begin())]);
    return t;
  }

  // The dimensions of what is left.
  Type type_of(const Slice& s) const {
    Type t;
    const auto dim = [&](const Factor& f, Label l) -> std::optional<DimId> {
      const auto at = std::ranges::find(f.labels, l);
      return at == f.labels.end() ? std::nullopt : std::optional(g_[f.tensor].type[size_t(at - f.labels.begin())]);
    };
    for (Label l : kept(s)) {
      std::optional<DimId> d = dim({s.tensor, s.labels}, l);
      for (size_t k = 0; !d; ++k) d = dim(s.places[k], l);
      t.push_back(*d);
    }
    return t;
  }

  // The slice of a tensor as it stands.
  Factor cut(const Slice& s) {
    std::vector<Factor> factors = s.places;
    factors.push_back({fresh_[s.tensor.value], s.labels});
    return {g_.ein(std::move(factors), kept(s), type_of(s)), kept(s)};
  }

  // The operands of the sliced node, their labels in terms of the slice's.
  Frame open(Slice s) {
    Frame f{.slice = std::move(s), .operands = {}};
    const Slice& slice = f.slice;
    const NodeId n = slice.tensor;
    if (g_[n].kind != Kind::Ein) {
      for (NodeId o : g_[n].operands) f.operands.push_back({o, g_[o].rank() == 0 ? Labels{} : slice.labels});
      return f;
    }
    Label next = 0;
    for (Label l : slice.labels) next = std::max(next, l + 1);
    for (const Factor& p : slice.places)
      for (Label l : p.labels) next = std::max(next, l + 1);
    std::map<Label, Label> outer;
    const Labels out = g_.out(n);
    for (size_t k = 0; k < out.size(); ++k) outer.emplace(out[k], slice.labels[k]);
    for (Factor& factor : g_.factors(n)) {
      for (Label& l : factor.labels) {
        const auto [it, inner] = outer.try_emplace(l, next);
        if (inner) ++next;
        l = it->second;
      }
      f.operands.push_back(std::move(factor));
    }
    return f;
  }

  Factor close(const Frame& f) {
    const NodeId n = f.slice.tensor;
    const Labels out = kept(f.slice);
    if (g_[n].kind == Kind::Ein) return {g_.ein(f.operands, out, type_of(f.slice)), out};
    std::vector<NodeId> operands;
    for (const Factor& o : f.operands) operands.push_back(o.tensor);
    if (g_[n].kind == Kind::Map) return {g_.map(g_[n].map_op(), std::move(operands)), out};
    std::vector<Term> terms;
    for (size_t k = 0; k < operands.size(); ++k) terms.push_back({g_[n].coefficients[k], operands[k]});
    return {g_.sum(std::move(terms), type_of(f.slice)), out};
  }

  // --- products ---------------------------------------------------------------------------------------------------------------------

  NodeId split(NodeId n) {
    const std::vector<Factor> factors = g_.factors(n);
    const bool expands = std::ranges::any_of(factors, [&](const Factor& f) { return is_small_epsilon(f); });
    const bool places = std::ranges::any_of(factors, [&](const Factor& f) { return is_place(g_, f.tensor); });
    const bool computes = std::ranges::any_of(factors, [&](const Factor& f) { return !is_place(g_, f.tensor) && !is_small_epsilon(f); });
    if (expands && factors.size() > 1 && !(places && computes)) return expand_epsilons(n);
    if (!places) return n;
    const Labels out = g_.out(n);
    std::vector<Factor> tensors, around;
    for (const Factor& f : factors) (is_place(g_, f.tensor) ? around : tensors).push_back(f);
    Labels core;
    Type core_type;
    for (const Factor& f : tensors)
      for (size_t k = 0; k < f.labels.size(); ++k) {
        const Label l = f.labels[k];
        const bool outside = contains(out, l) || std::ranges::any_of(around, [&](const Factor& p) { return contains(p.labels, l); });
        if (outside && !contains(core, l)) core.push_back(l), core_type.push_back(g_[f.tensor].type[k]);
      }
    if (tensors.empty() || (tensors.size() == 1 && core.size() == distinct(tensors[0].labels))) return n;
    const NodeId inner = g_.ein(std::move(tensors), core, std::move(core_type));
    around.push_back({inner, std::move(core)});
    return g_.ein(std::move(around), out, Type(g_[n].type));
  }

  bool is_small_epsilon(const Factor& f) const { return g_[f.tensor].kind == Kind::Epsilon && f.labels.size() <= kMostOfEpsilon; }

  // eps_ijk = sum over permutations p of sign(p) e_p1(i) e_p2(j) e_p3(k); terms that share what the output says are one block.
  NodeId expand_epsilons(NodeId n) {
    std::vector<Factor> rest, epsilons;
    for (const Factor& f : g_.factors(n)) (is_small_epsilon(f) ? epsilons : rest).push_back(f);
    const Labels out = g_.out(n);
    struct Choice {
      int sign = 1;
      std::map<Label, int64_t> value = {};
    };
    std::vector<Choice> choices{{}};
    for (const Factor& f : epsilons) {
      std::vector<Choice> more;
      for (const Choice& c : choices) {
        std::vector<int64_t> p(f.labels.size());
        std::iota(p.begin(), p.end(), int64_t(1));
        do {
          Choice d = c;
          bool fits = true;
          for (size_t k = 0; k < p.size(); ++k) {
            fits = fits && d.value.try_emplace(f.labels[k], p[k]).first->second == p[k];
            for (size_t j = 0; j < k; ++j) d.sign *= p[j] > p[k] ? -1 : 1;
          }
          if (fits) more.push_back(std::move(d));
        } while (std::ranges::next_permutation(p).found);
      }
      choices = std::move(more);
    }
    Labels inner_out;  // what is left of the output once its fixed labels are
    Type inner_type;
    for (size_t k = 0; k < out.size(); ++k) {
      const bool carried = std::ranges::any_of(rest, [&](const Factor& f) { return contains(f.labels, out[k]); });  // else it is added outside
      if (choices.empty() || choices[0].value.contains(out[k]) || contains(inner_out, out[k]) || !carried) continue;
      inner_out.push_back(out[k]);
      inner_type.push_back(g_[n].type[k]);
    }
    std::map<std::map<Label, int64_t>, std::vector<Term>> blocks;
    for (const Choice& c : choices) {
      std::vector<Factor> factors = rest;
      std::map<Label, int64_t> fixed;
      for (const auto& [l, value] : c.value) {
        if (contains(out, l)) fixed.emplace(l, value);
        if (std::ranges::any_of(rest, [&](const Factor& f) { return contains(f.labels, l); }))
          factors.push_back({g_.unit_vector(epsilon_dim(epsilons, l), value), {l}});
      }
      blocks[fixed].push_back({c.sign, g_.ein(std::move(factors), inner_out, inner_type)});
    }
    std::vector<Term> terms;
    for (auto& [fixed, block] : blocks) {
      std::vector<Factor> factors{{g_.sum(std::move(block), Type(inner_type)), inner_out}};
      for (const auto& [l, value] : fixed) factors.push_back({g_.unit_vector(epsilon_dim(epsilons, l), value), {l}});
      terms.push_back({1, g_.ein(std::move(factors), out, Type(g_[n].type))});
    }
    return g_.sum(std::move(terms), Type(g_[n].type));
  }
  DimId epsilon_dim(const std::vector<Factor>& epsilons, Label l) const {
    for (const Factor& f : epsilons)
      if (contains(f.labels, l)) return g_[f.tensor].type[0];
    return {};
  }

  Graph& g_;
  std::vector<int> uses_;
  std::vector<NodeId> fresh_;  // by old id
};

}  // namespace

std::vector<NodeId> split_places(Graph& g, std::span<const NodeId> outputs) {
  std::vector<NodeId> r(outputs.begin(), outputs.end());
  if (!has_places(g, r)) return r;
  for (bool changed = true; changed;) {  // a slice of a sum of blocks may open once more
    changed = false;
    r = Places(g).split_products(r, changed);
  }
  return r;
}

std::vector<NodeId> plan_places(Graph& g, std::span<const NodeId> outputs) {
  if (!has_places(g, outputs)) return {outputs.begin(), outputs.end()};
  const std::vector<NodeId> split = split_places(g, outputs);  // first, so that what is shared is so below its places
  return split_places(g, Places(g).push_slices(split));
}

}  // namespace ricci
