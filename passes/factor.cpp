#include "passes/factor.h"

#include <algorithm>

#include "passes/rewrite.h"
#include "passes/weight.h"

namespace ricci {
namespace {

// How one axis of a factor meets the rest of its term.
struct Meeting {
  std::vector<uint32_t> places;  // output positions with the same label
  bool rest = false;             // another factor carries the label, too
  uint32_t alike = 0;            // the first axis of this factor with the same label
  std::vector<uint32_t> reach = {};  // columns: the output positions the label leads to, so that the two x of A*x*x'*B are told apart
  friend auto operator<=>(const Meeting&, const Meeting&) = default;
};

// A factor and how it meets the rest: what terms must agree on to share it.
struct Signature {
  NodeId tensor;
  std::vector<Meeting> axes;
  friend auto operator<=>(const Signature&, const Signature&) = default;
};

// One occurrence of a signature.
struct Use {
  size_t term, factor;
  bool swapped;  // a symmetric factor, met with its axes exchanged
  std::optional<NodeId> left = {};  // of a scalar's power from which a lower one is taken: p of p^2
};

struct Product {
  Rational coefficient;
  std::vector<Factor> factors;
  Labels out;
};

class Factoring {
 public:
  explicit Factoring(Graph& g) : g_(g), weight_(g) {}

  NodeId operator()(NodeId sum) {
    for (;;) {
      NodeId next = take_out(sum);
      if (next == sum || g_[next].kind != Kind::Sum) return take_coefficient(next);
      sum = next;
    }
  }

 private:
  Product product(const Term& t) const {
    if (g_[t.tensor].kind == Kind::Ein) return {t.coefficient, g_.factors(t.tensor), g_.out(t.tensor)};
    Labels all = Graph::iota(g_[t.tensor].rank());
    return {t.coefficient, {{t.tensor, all}}, all};
  }

  // The output positions connected with `from` through the factors other than `without`.
  static std::vector<uint32_t> reach(const Product& p, size_t without, Label from) {
    std::vector<Label> seen{from};
    for (size_t next = 0; next < seen.size(); ++next)
      for (size_t i = 0; i < p.factors.size(); ++i) {
        const Labels& ls = p.factors[i].labels;
        if (i == without || !std::ranges::count(ls, seen[next])) continue;
        for (Label l : ls)
          if (!std::ranges::count(seen, l)) seen.push_back(l);
      }
    std::vector<uint32_t> places;
    for (uint32_t o = 0; o < p.out.size(); ++o)
      if (std::ranges::count(seen, p.out[o])) places.push_back(o);
    return places;
  }

  // The ways a factor can be seen to meet its term, each with whether the axes of a symmetric factor are exchanged. An output axis that the
  // rest carries as well (s_i A_ij) is also the axis of a diagonal matrix in the rest: diag(s)_ik A_kj. A unit vector of the result never meets the
  // rest, which may keep one of its own: e_i P_ij = e_i (sum_k e_k P_kj).
  std::vector<std::pair<Signature, bool>> signatures(const Product& p, size_t index) const {
    const Factor& f = p.factors[index];
    std::vector<std::vector<Meeting>> ways(1);
    for (size_t k = 0; k < f.labels.size(); ++k) {
      Meeting m;
      for (uint32_t o = 0; o < p.out.size(); ++o)
        if (p.out[o] == f.labels[k]) m.places.push_back(o);
      for (size_t other = 0; other < p.factors.size(); ++other) m.rest |= other != index && std::ranges::count(p.factors[other].labels, f.labels[k]) > 0;
      m.alike = uint32_t(std::ranges::find(f.labels, f.labels[k]) - f.labels.begin());
      if (is_unit(f.tensor) && !m.places.empty()) m.rest = false;
      if (f.labels.size() == 1 && m.places.empty()) m.reach = reach(p, index, f.labels[k]);
      bool diagonal = f.labels.size() > 1 && p.out.size() > 1 && !m.places.empty() && m.rest && std::ranges::count(f.labels, f.labels[k]) == 1;
      size_t count = ways.size();
      for (size_t w = 0; w < count; ++w) {
        if (diagonal && count < kMostWays) {
          ways.push_back(ways[w]);
          ways.back().push_back({{}, true, m.alike, {}});
        }
        ways[w].push_back(m);
      }
    }
    std::vector<std::pair<Signature, bool>> result;
    auto order = [](const Meeting& m) { return std::tie(m.places, m.rest); };
    for (std::vector<Meeting>& axes : ways) {
      bool swapped = g_.is_symmetric(f.tensor) && axes[1].alike == 1 && order(axes[1]) < order(axes[0]);
      if (swapped) {
        std::swap(axes[0], axes[1]);
        axes[0].alike = 0, axes[1].alike = 1;
      }
      result.push_back({{f.tensor, std::move(axes)}, swapped});
    }
    return result;
  }

  bool is_unit(NodeId n) const { return g_[n].kind == Kind::Place && g_[n].rank() == 1; }

  // A term that is nothing but the factor leaves a 1 behind: t + s*t = t*(s + 1). It joins the number in t + (s - 2)*t = t*(s - 1).
  uint64_t ones_left(const std::vector<Product>& products, const std::vector<Use>& uses) const {
    const auto takes_a_number = [&](const Use& u) {
      const std::vector<Factor>& factors = products[u.term].factors;
      if (factors.size() != 2 || abs(products[u.term].coefficient) != 1) return false;
      const Node& rest = g_[factors[1 - u.factor].tensor];
      return rest.kind == Kind::Sum && std::ranges::any_of(rest.operands, [&](NodeId t) { return g_[t].kind == Kind::Const; });
    };
    if (std::ranges::any_of(uses, takes_a_number)) return 0;
    return uint64_t(std::ranges::count_if(uses, [&](const Use& u) { return !u.left && products[u.term].factors.size() == 1 && abs(products[u.term].coefficient) == 1; }));
  }

  // A scalar factor as a base and a positive exponent.
  std::pair<NodeId, Rational> positive_power(const Factor& f) const {
    const Node& n = g_[f.tensor];
    const bool positive = n.kind == Kind::Map && n.map_op() == MapOp::pow_ && g_[n.operands[1]].kind == Kind::Const && g_[n.operands[1]].value() > 0;
    return positive ? std::pair(n.operands[0], g_[n.operands[1]].value()) : std::pair(f.tensor, Rational(1));
  }

  // Scalars that every term has, in powers that differ by whole numbers: the lowest of these is shared, p in p^2 + p*q. (Of a few terms among others that would be Horner's form
  // of a polynomial, which nobody prints.)
  void share_powers(const std::vector<Product>& products, std::map<Signature, std::vector<Use>>& shared) {
    std::map<NodeId, std::vector<std::pair<Use, Rational>>> powers;
    for (size_t t = 0; t < products.size(); ++t)
      for (size_t f = 0; f < products[t].factors.size(); ++f)
        if (products[t].factors[f].labels.empty()) {
          const auto [base, k] = positive_power(products[t].factors[f]);
          powers[base].push_back({{t, f, false}, k});
        }
    for (const auto& [base, uses] : powers) {
      const auto [lowest, highest] = std::ranges::minmax(uses, {}, &std::pair<Use, Rational>::second);
      const Rational least = lowest.second;
      const bool alike = std::ranges::all_of(uses, [&](const auto& u) { return is_integer(Rational(u.second - least)); });
      if (uses.size() < products.size() || !alike || least == highest.second) continue;
      std::vector<Use>& those = shared[{g_.power(base, least), {}}];
      those.clear();
      for (const auto& [use, k] : uses) {
        those.push_back(use);
        if (k > least) those.back().left = g_.power(base, k - least);
      }
    }
  }

  // How much shorter the terms get, less what the factor before them costs.
  uint64_t saved(const std::vector<Product>& products, const Signature& f, const std::vector<Use>& uses) {
    const uint64_t once = weight_(f.tensor) + 1;
    uint64_t all = 0;
    for (const Use& u : uses) all += u.left ? weight_(products[u.term].factors[u.factor].tensor) - weight_(*u.left) : once;
    return all > once ? all - once : 0;
  }

  // Which of equally rewarding factors is taken: what was declared first, then any order that is the same in every graph.
  std::pair<bool, uint64_t> reading(NodeId n) const {
    const bool variable = g_[n].kind == Kind::Var;
    return {!variable, variable ? g_[n].row : g_.fingerprint(n)};
  }

  // The order of the tensor beside the factor in a sum of order `rank`: the axes at which it meets the factor, and those the factor has not.
  static size_t order_of_rest(const Signature& f, size_t rank) {
    size_t order = rank;
    for (size_t k = 0; k < f.axes.size(); ++k) {
      if (f.axes[k].alike != k) continue;
      order += f.axes[k].rest;
      order -= f.axes[k].places.size();
    }
    return order;
  }

  // The sum with its most rewarding common factor taken out; the sum itself if its terms share none.
  NodeId take_out(NodeId sum) {
    std::vector<Product> products;
    for (const Term& t : g_.terms(sum)) products.push_back(product(t));
    std::map<Signature, std::vector<Use>> shared;
    for (size_t t = 0; t < products.size(); ++t)
      for (size_t f = 0; f < products[t].factors.size(); ++f)
        for (auto& [sig, swapped] : signatures(products[t], f)) {
          std::vector<Use>& uses = shared[std::move(sig)];
          if (uses.empty() || uses.back().term != t) uses.push_back({t, f, swapped});
        }
    share_powers(products, shared);
    const size_t rank = g_[sum].rank();
    const Signature* best = nullptr;
    uint64_t best_saving = 0;
    for (const auto& [sig, uses] : shared) {
      if (order_of_rest(sig, rank) > std::max(kMatrix, rank)) continue;  // tr(A*H)*B - C*H*D has no form with H outside
      const uint64_t saving = saved(products, sig, uses), cost = 2 * ones_left(products, uses);
      if (saving <= cost || saving - cost < best_saving) continue;
      if (best && saving - cost == best_saving && reading(best->tensor) <= reading(sig.tensor)) continue;
      best_saving = saving - cost, best = &sig;
    }
    return best ? take_out(sum, products, *best, shared.at(*best)) : sum;
  }

  // sum_k f[a,s] r_k[s,b] + others  ->  f[a,s] (sum_k r_k[s,b]) + others
  NodeId take_out(NodeId sum, const std::vector<Product>& products, const Signature& f, const std::vector<Use>& uses) {
    const Type type = g_[sum].type;
    const Type f_type = g_[f.tensor].type;
    Labels f_labels, rest_labels, out(type.size());
    Type rest_type;
    std::vector<size_t> meeting;   // axes of f the rest carries, once per label
    std::vector<uint32_t> kept;    // output positions f says nothing of
    std::vector<bool> settled(type.size(), false);
    for (size_t k = 0; k < f.axes.size(); ++k) {
      f_labels.push_back(f.axes[k].alike);
      for (uint32_t o : f.axes[k].places) out[o] = f_labels[k], settled[o] = true;
      if (!f.axes[k].rest || f.axes[k].alike != k) continue;
      meeting.push_back(k);
      rest_labels.push_back(f_labels[k]);
      rest_type.push_back(f_type[k]);
    }
    for (uint32_t o = 0; o < type.size(); ++o) {
      if (settled[o]) continue;
      kept.push_back(o);
      rest_labels.push_back(out[o] = Label(f.axes.size()) + o);
      rest_type.push_back(type[o]);
    }
    std::vector<Term> rests, result = g_.terms(sum);
    for (auto use = uses.rbegin(); use != uses.rend(); ++use) {
      const Product& p = products[use->term];
      std::vector<Factor> rest = p.factors;
      const bool kept_inside = is_unit(f.tensor) && meeting.empty() && std::ranges::any_of(rest, [&](const Factor& x) {
        return x != p.factors[use->factor] && std::ranges::count(x.labels, p.factors[use->factor].labels[0]) > 0;
      });
      if (use->left) rest[use->factor].tensor = *use->left;
      else if (!kept_inside) rest.erase(rest.begin() + std::ptrdiff_t(use->factor));
      Labels rest_out;
      for (size_t k : meeting) rest_out.push_back(p.factors[use->factor].labels[use->swapped ? 1 - k : k]);
      for (uint32_t o : kept) rest_out.push_back(p.out[o]);
      rests.push_back({p.coefficient, g_.ein(std::move(rest), std::move(rest_out), rest_type)});
      result.erase(result.begin() + std::ptrdiff_t(use->term));
    }
    NodeId inner = g_.sum(std::move(rests), rest_type);
    if (g_[inner].kind == Kind::Sum) inner = (*this)(inner);
    result.push_back({1, g_.ein({{f.tensor, f_labels}, {inner, rest_labels}}, std::move(out), type)});
    return g_.sum(std::move(result), type);
  }

  // 2*a + 2*b = 2*(a + b); also -a - b = -(a + b), so that a sum inside a product has a positive term.
  NodeId take_coefficient(NodeId id) {
    if (g_[id].kind != Kind::Sum || g_[id].operands.size() < 2) return id;
    std::vector<Term> terms = g_.terms(id);
    Rational c = abs(terms[0].coefficient);
    size_t negative = 0;
    for (const Term& t : terms) {
      if (abs(t.coefficient) != c) c = 1;
      negative += t.coefficient < 0;
    }
    if (negative == terms.size()) c = -c;
    if (c == 1) return id;
    for (Term& t : terms) t.coefficient /= c;
    const Type type = g_[id].type;
    return g_.scale(c, g_.sum(std::move(terms), type));
  }

  static constexpr size_t kMostWays = 8, kMatrix = 2;
  Graph& g_;
  Weight weight_;
};

}  // namespace

NodeId factor(Graph& g, NodeId root) {
  Factoring factoring(g);
  return rewrite_bottom_up(g, root, [&](NodeId n) { return g[n].kind == Kind::Sum && g[n].operands.size() > 1 ? factoring(n) : n; });
}

}  // namespace ricci
