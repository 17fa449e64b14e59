#include "passes/exchanges.h"

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <tuple>

#include "ir/labels.h"

namespace ricci {
namespace {

constexpr size_t kMostExchanged = 72;  // products reached: all orders of two symbols on three indices, twice

bool is_symbol(const Graph& g, NodeId n) {
  return g[n].kind == Kind::Epsilon || (g[n].kind == Kind::Var && g.symbol(n).properties.has(Property::skew));
}

// The pairs of axes that are worth a sign when they are exchanged: neighbours of a symbol, and of a product those that are axes of one symbol in it
// and of nothing else, as of a slice of eps.
std::vector<std::pair<size_t, size_t>> exchanged_axes(const Graph& g, NodeId n) {
  std::vector<std::pair<size_t, size_t>> pairs;
  if (is_symbol(g, n))
    for (size_t k = 0; k + 1 < g[n].rank(); ++k) pairs.emplace_back(k, k + 1);
  if (g[n].kind != Kind::Ein || std::ranges::none_of(g[n].operands, [&](NodeId o) { return is_symbol(g, o); })) return pairs;
  const Labels out = g.out(n);
  const std::vector<Factor> factors = g.factors(n);
  const auto stands_alone = [&](Label l) {
    size_t uses = 0;
    for (const Factor& f : factors) uses += size_t(std::ranges::count(f.labels, l));
    return uses == 1 && std::ranges::count(out, l) == 1;
  };
  for (const Factor& f : factors) {
    if (!is_symbol(g, f.tensor)) continue;
    std::optional<size_t> before;
    for (Label l : f.labels) {
      if (!stands_alone(l)) continue;
      const size_t axis = size_t(std::ranges::find(out, l) - out.begin());
      if (before) pairs.emplace_back(*before, axis);
      before = axis;
    }
  }
  return pairs;
}

bool is_antisymmetric(const Graph& g, NodeId n) { return !exchanged_axes(g, n).empty(); }

// Two labels of a product that can change places, and the sign that this is worth: of one antisymmetric factor, or the outer ones of X*pinv(X) and
// pinv(X)*X, which are symmetric (Penrose, A generalized inverse for matrices, 1955, eq. 3 and 4).
struct Exchange {
  size_t first_factor, first_axis, second_factor, second_axis;
  int sign;
};

std::vector<Exchange> projections(const Graph& g, const std::vector<Factor>& factors, const Labels& out) {
  std::vector<Exchange> pairs;
  for (size_t p = 0; p < factors.size(); ++p) {
    const Node& pinv = g[factors[p].tensor];
    if (pinv.kind != Kind::Fun || pinv.fun_op() != FunOp::pinv || pinv.rank() != 2 || has_repeats(factors[p].labels)) continue;
    for (size_t x = 0; x < factors.size(); ++x) {
      if (factors[x].tensor != pinv.operands[0] || has_repeats(factors[x].labels)) continue;  // diag(X)'*pinv(X) is no projection
      for (size_t side : {0, 1}) {  // X*pinv(X) meets at the columns of X, pinv(X)*X at its rows
        const Label inner = factors[x].labels[1 - side];
        const auto meets = std::ranges::count_if(factors, [&](const Factor& f) { return contains(f.labels, inner); });
        if (inner != factors[p].labels[side] || meets != 2 || contains(out, inner)) continue;
        if (side == 0) pairs.push_back({x, 0, p, 1, 1});
        else pairs.push_back({p, 0, x, 1, 1});
      }
    }
  }
  return pairs;
}

std::vector<Exchange> exchanges_of(const Graph& g, NodeId id) {
  const auto may_exchange = [&](NodeId n) {
    const Node& factor = g[n];
    return is_symbol(g, n) || (factor.kind == Kind::Fun && factor.fun_op() == FunOp::pinv) ||
           (factor.kind == Kind::Ein && std::ranges::any_of(factor.operands, [&](NodeId o) { return is_symbol(g, o); }));
  };
  if (g[id].kind != Kind::Ein || std::ranges::none_of(g[id].operands, may_exchange)) return {};
  const std::vector<Factor> factors = g.factors(id);
  std::vector<Exchange> all = projections(g, factors, g.out(id));
  for (size_t f = 0; f < factors.size(); ++f)
    for (const auto& [k, l] : exchanged_axes(g, factors[f].tensor)) all.push_back({f, k, f, l, -1});
  return all;
}

// A product reached by exchanges.
struct Exchanged {
  NodeId product;
  int sign;
};

// All products that exchanges make of one, itself first. Nothing if the product is its own negative: then it is zero.
std::optional<std::vector<Exchanged>> exchanges(Graph& g, NodeId id) {
  std::vector<Exchanged> reached{{id, 1}};
  for (size_t at = 0; at < reached.size() && reached.size() < kMostExchanged; ++at) {
    const Exchanged from = reached[at];
    for (const Exchange& e : exchanges_of(g, from.product)) {
      std::vector<Factor> other = g.factors(from.product);
      std::swap(other[e.first_factor].labels[e.first_axis], other[e.second_factor].labels[e.second_axis]);
      const NodeId product = g.ein(std::move(other), g.out(from.product), Type(g[id].type));
      const int sign = from.sign * e.sign;
      const auto known = std::ranges::find(reached, product, &Exchanged::product);
      if (known == reached.end()) reached.push_back({product, sign});
      else if (known->sign != sign) return std::nullopt;
    }
  }
  return reached;
}

// How many of the projections X*pinv(X) and pinv(X)*X are read from their end, as pinv(X)'*X' is, on the way from the first axis of the result.
size_t turned_projections(const Graph& g, NodeId product) {
  if (g[product].kind != Kind::Ein || g[product].rank() == 0) return 0;
  const std::vector<Factor> factors = g.factors(product);
  Labels met = {g.out(product)[0]};  // in the order in which they are met
  for (size_t at = 0; at < met.size(); ++at)
    for (const Factor& f : factors)
      if (contains(f.labels, met[at]))
        for (Label l : f.labels)
          if (!contains(met, l)) met.push_back(l);
  const auto place = [&](size_t factor, size_t axis) { return std::ranges::find(met, factors[factor].labels[axis]); };
  return size_t(std::ranges::count_if(projections(g, factors, g.out(product)), [&](const Exchange& e) {
    return place(e.second_factor, e.second_axis) < place(e.first_factor, e.first_axis);
  }));
}

// Where the labels of the antisymmetric factors of a product stand: on which axis of the result, else on which axis of which other factor.
std::vector<std::array<size_t, 3>> labels_seen(const Graph& g, NodeId product) {
  if (g[product].kind != Kind::Ein) return {};
  const Labels out = g.out(product);
  const std::vector<Factor> factors = g.factors(product);
  std::vector<std::array<size_t, 3>> seen;
  for (const Factor& f : factors) {
    if (!is_antisymmetric(g, f.tensor)) continue;
    for (Label l : f.labels) {
      const auto other = std::ranges::find_if(factors, [&](const Factor& o) { return !is_antisymmetric(g, o.tensor) && contains(o.labels, l); });
      const size_t axis = other == factors.end() ? 0 : size_t(std::ranges::find(other->labels, l) - other->labels.begin());
      seen.push_back({size_t(std::ranges::find(out, l) - out.begin()), size_t(other - factors.begin()), axis});
    }
  }
  return seen;
}

int sign_of(const std::vector<size_t>& permutation) {
  int sign = 1;
  for (size_t i = 0; i < permutation.size(); ++i)
    for (size_t j = 0; j < i; ++j)
      if (permutation[j] > permutation[i]) sign = -sign;
  return sign;
}

// What a symbol times itself is collected to.
bool is_square_of_epsilon(const Graph& g, NodeId n) {
  return g[n].kind == Kind::Map && g[n].map_op() == MapOp::pow_ && g[g[n].operands[0]].kind == Kind::Epsilon && g[g[n].operands[1]].kind == Kind::Const &&
         g[g[n].operands[1]].value() == 2;
}

// How two permutation symbols meet: the labels that both share and that nothing else has come first, in one order; `sign` is that of the moves.
struct Pair {
  Labels shared, left, right;
  int sign = 1;
};

Pair meet(const Labels& left, const Labels& right, const std::function<bool(Label)>& elsewhere) {
  Pair p;
  std::vector<size_t> left_order, right_order;
  for (size_t i = 0; i < left.size(); ++i) {
    const auto j = std::ranges::find(right, left[i]);
    if (j == right.end() || elsewhere(left[i]) || std::ranges::count(left, left[i]) > 1) continue;
    p.shared.push_back(left[i]);
    left_order.push_back(i);
    right_order.push_back(size_t(j - right.begin()));
  }
  const auto rest = [](const Labels& labels, std::vector<size_t>& order) {
    Labels free;
    const std::vector<size_t> shared = order;
    for (size_t i = 0; i < labels.size(); ++i)
      if (!std::ranges::count(shared, i)) free.push_back(labels[i]), order.push_back(i);
    return free;
  };
  p.left = rest(left, left_order);
  p.right = rest(right, right_order);
  p.sign = sign_of(left_order) * sign_of(right_order);
  return p;
}

}  // namespace

NodeId settle_exchanges(Graph& g, NodeId product) {
  const auto all = exchanges(g, product);
  if (!all) return g.zero(Type(g[product].type));
  if (all->size() == 1) return product;
  const auto least = std::ranges::min_element(*all, {}, [&](const Exchanged& e) { return std::tuple(turned_projections(g, e.product), labels_seen(g, e.product), g.fingerprint(e.product)); });
  return g.scale(least->sign, least->product);
}

NodeId contract_epsilons(Graph& g, NodeId id, size_t most_free) {
  if (g[id].kind != Kind::Ein) return id;
  std::vector<Factor> factors;
  for (const Factor& f : g.factors(id)) {
    const bool square = is_square_of_epsilon(g, f.tensor);
    if (square) factors.push_back({g[f.tensor].operands[0], f.labels});
    factors.push_back({square ? g[f.tensor].operands[0] : f.tensor, f.labels});
  }
  const Labels out = g.out(id);
  for (size_t a = 0; a < factors.size(); ++a)
    for (size_t b = 0; b < a; ++b) {
      if (g[factors[a].tensor].kind != Kind::Epsilon || factors[a].tensor != factors[b].tensor) continue;
      std::vector<Factor> others = factors;
      others.erase(others.begin() + std::ptrdiff_t(a));
      others.erase(others.begin() + std::ptrdiff_t(b));
      const Pair p = meet(factors[a].labels, factors[b].labels, [&](Label l) {
        return std::ranges::count(out, l) || std::ranges::any_of(others, [&](const Factor& f) { return std::ranges::count(f.labels, l); });
      });
      if (p.left.size() > most_free) continue;
      Rational factorial = p.sign;
      for (size_t k = 2; k <= p.shared.size(); ++k) factorial *= Rational(long(k));
      const NodeId delta = g.delta(g[factors[a].tensor].type[0]);
      std::vector<size_t> order(p.left.size());
      for (size_t k = 0; k < order.size(); ++k) order[k] = k;
      std::vector<Term> terms;
      do {
        std::vector<Factor> product = others;
        for (size_t k = 0; k < order.size(); ++k) product.push_back({delta, {p.left[k], p.right[order[k]]}});
        terms.push_back({factorial * sign_of(order), g.ein(std::move(product), out, Type(g[id].type))});
      } while (std::ranges::next_permutation(order).found);
      return g.sum(std::move(terms), Type(g[id].type));
    }
  return id;
}

}  // namespace ricci
