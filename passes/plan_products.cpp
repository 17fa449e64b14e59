#include "passes/plan_products.h"

#include <algorithm>

#include "ir/labels.h"
#include "passes/plan_order.h"
#include "passes/plan_views.h"

namespace ricci {
namespace {

constexpr size_t kMostFactors = 4096;   // of one opened product
constexpr double kSmallProduct = 8192;  // multiplications below which a product of fixed sizes is straight loops

Labels distinct(Labels labels) {
  std::ranges::sort(labels);
  labels.erase(std::ranges::unique(labels).begin(), labels.end());
  return labels;
}
// A factor of an opened product: a tensor of the old DAG with labels of the product.
struct Leaf {
  NodeId tensor;
  Labels labels;
};

struct OpenedProduct {
  std::vector<Leaf> leaves;
  Labels out;  // as in the node: labels may repeat or stand on no leaf
  std::map<Label, DimId> dims;

  TensorNetwork network(const Graph& g, const Sizes& sizes) const {
    TensorNetwork n;
    for (const Leaf& leaf : leaves) n.factors.push_back(leaf.labels);
    n.out = core();
    for (const auto& [label, d] : dims) n.sizes[label] = sizes(g, d);
    return n;
  }
  // The output labels that a factor carries, once each: what is really computed.
  Labels core() const {
    Labels r;
    for (Label l : out) {
      const bool carried = std::ranges::any_of(leaves, [&](const Leaf& leaf) { return contains(leaf.labels, l); });
      if (carried && !contains(r, l)) r.push_back(l);
    }
    return r;
  }
  Type type(const Labels& labels) const {
    Type t;
    for (Label l : labels) t.push_back(dims.at(l));
    return t;
  }
};

class ProductPlanner {
 public:
  ProductPlanner(Graph& g, std::span<const NodeId> outputs, const Sizes& sizes) : g_(g), sizes_(sizes), old_(g.reachable(outputs)) {
    const size_t n = old_.empty() ? 0 : old_.back().value + 1;
    uses_.assign(n, 0);
    absorbed_.assign(n, false);
    planned_.assign(n, NodeId{0});
    for (NodeId o : outputs) ++uses_[o.value];
    for (NodeId u : old_) {
      for (NodeId o : g[u].operands) ++uses_[o.value];
    }
    mark_absorbed(n);
  }

  std::vector<NodeId> run(std::span<const NodeId> outputs) {
    for (NodeId n : old_) {
      if (!absorbed_[n.value]) planned_[n.value] = plan(n);
    }
    std::vector<NodeId> r;
    for (NodeId o : outputs) r.push_back(planned_[o.value]);
    return r;
  }

 private:
  bool is_product(NodeId n) const { return g_[n].kind == Kind::Ein && !is_view(g_, n); }

  // A product used once, by another product, may be opened there.
  void mark_absorbed(size_t n) {
    std::vector<size_t> factors(n, 1);
    for (NodeId u : old_) {
      if (!is_product(u)) continue;
      size_t total = 0;
      auto opens = [&](NodeId o) { return is_product(o) && uses_[o.value] == 1; };
      for (NodeId o : g_[u].operands) total += opens(o) ? factors[o.value] : 1;
      const bool open = total <= kMostFactors;
      factors[u.value] = open ? total : g_[u].operands.size();
      for (NodeId o : g_[u].operands) absorbed_[o.value] = absorbed_[o.value] || (open && opens(o));
    }
  }

  NodeId plan(NodeId n) {
    switch (g_[n].kind) {
      case Kind::Const:
      case Kind::Size:
      case Kind::Var:
      case Kind::Place:
      case Kind::Epsilon: return n;
      case Kind::Sum: return plan_sum(n);
      case Kind::Ein:
        if (is_product(n)) return plan_product(n);
        break;
      case Kind::Map:
      case Kind::Fun:
      case Kind::Call: break;
    }
    std::vector<NodeId> operands = g_[n].operands;
    for (NodeId& o : operands) o = planned_[o.value];
    return g_.rebuild(n, std::move(operands));
  }

  // The product `root`, with the products absorbed into it opened or not.
  OpenedProduct open(NodeId root, bool nested) const {
    OpenedProduct p;
    Label next = 0;
    struct Item {
      NodeId node;
      Labels out;
    };
    std::vector<Item> stack;
    for (Label l : g_.out(root)) next = std::max(next, l + 1);
    p.out = g_.out(root);
    for (size_t k = 0; k < p.out.size(); ++k) p.dims.emplace(p.out[k], g_[root].type[k]);
    stack.push_back({root, p.out});
    while (!stack.empty()) {
      Item item = std::move(stack.back());
      stack.pop_back();
      std::map<Label, Label> rename;
      const Labels out = g_.out(item.node);
      for (size_t k = 0; k < out.size(); ++k) rename.emplace(out[k], item.out[k]);
      for (const Factor& f : g_.factors(item.node)) {
        Labels labels;
        for (size_t k = 0; k < f.labels.size(); ++k) {
          auto [it, fresh] = rename.try_emplace(f.labels[k], next);
          if (fresh) p.dims.emplace(next++, g_[f.tensor].type[k]);
          labels.push_back(it->second);
        }
        if (nested && absorbed_[f.tensor.value]) stack.push_back({f.tensor, std::move(labels)});
        else p.leaves.push_back({f.tensor, std::move(labels)});
      }
    }
    return p;
  }

  // The products that are absorbed into `root`, operands first, and the root itself.
  std::vector<NodeId> nested_products(NodeId root) const {
    std::vector<NodeId> r{root};
    for (size_t k = 0; k < r.size(); ++k) {
      for (NodeId o : g_[r[k]].operands) {
        if (absorbed_[o.value]) r.push_back(o);
      }
    }
    std::ranges::sort(r);
    return r;
  }

  NodeId plan_product(NodeId root) {
    const std::vector<NodeId> nested = nested_products(root);
    std::vector<OpenedProduct> given;
    std::vector<ContractionOrder> orders;
    double given_flops = 0;
    for (NodeId n : nested) {
      given.push_back(open(n, false));
      orders.push_back(contraction_order(given.back().network(g_, sizes_)));
      given_flops += orders.back().flops;
    }
    if (nested.size() > 1) {
      OpenedProduct opened = open(root, true);
      ContractionOrder order = contraction_order(opened.network(g_, sizes_));
      if (order.flops < given_flops) return build(opened, order);
    }
    for (size_t k = 0; k < nested.size(); ++k) planned_[nested[k].value] = build(given[k], orders[k]);
    return planned_[root.value];
  }

  NodeId build(const OpenedProduct& p, const ContractionOrder& order) {
    std::vector<Factor> tensors;
    for (const Leaf& leaf : p.leaves) tensors.push_back({planned_[leaf.tensor.value], leaf.labels});
    const Labels core = p.core();
    for (size_t k = 0; k < order.contractions.size(); ++k) {
      const Contraction& c = order.contractions[k];
      std::vector<Factor> pair{tensors[size_t(c.left)]};
      if (c.right >= 0) pair.push_back(tensors[size_t(c.right)]);
      const bool last = k + 1 == order.contractions.size();
      tensors.push_back(last ? Factor{g_.ein(std::move(pair), core, p.type(core)), core} : intermediate(p, std::move(pair), c.out));
    }
    if (order.contractions.empty()) return g_.ein(std::move(tensors), p.out, p.type(p.out));
    return g_.ein({tensors.back()}, p.out, p.type(p.out));
  }

  // Two products that differ in the order of the result's axes are one node: its axes stand in the order in which its factors carry them.
  Factor intermediate(const OpenedProduct& p, std::vector<Factor> pair, const Labels& out) {
    const NodeId n = g_.ein(std::move(pair), out, p.type(out));
    if (!is_product(n) || g_.is_symmetric(n)) return {n, out};
    const Labels own = g_.out(n);
    std::vector<size_t> axes(out.size());
    for (size_t k = 0; k < axes.size(); ++k) axes[k] = k;
    std::ranges::sort(axes, {}, [&](size_t k) { return own[k]; });
    Labels sorted, labels;
    for (size_t k : axes) sorted.push_back(own[k]), labels.push_back(out[k]);
    return {g_.ein(g_.factors(n), sorted, p.type(labels)), labels};
  }

  NodeId plan_sum(NodeId n) {
    std::vector<Term> dense, special;
    for (Term t : g_.terms(n)) {
      const bool own = uses_[t.tensor.value] == 1;
      t.tensor = planned_[t.tensor.value];
      const bool accumulates = own && matrix_product(g_, t.tensor, sizes_).has_value();
      (accumulates || is_scattered(g_, t.tensor) ? special : dense).push_back(std::move(t));
    }
    const Type type = g_[n].type;
    if (!special.empty() && dense.size() > 1) dense = {{1, g_.sum(std::move(dense), type)}};
    dense.insert(dense.end(), special.begin(), special.end());
    return g_.sum(std::move(dense), type);
  }

  Graph& g_;
  const Sizes& sizes_;
  std::vector<NodeId> old_;
  std::vector<int> uses_;
  std::vector<bool> absorbed_;
  std::vector<NodeId> planned_;  // by old id
};

}  // namespace

std::vector<NodeId> plan_products(Graph& g, std::span<const NodeId> outputs, const Sizes& sizes) {
  return ProductPlanner(g, outputs, sizes).run(outputs);
}

bool is_diagonal_structure(const Graph& g, NodeId n) {
  if (g[n].kind != Kind::Ein) return false;
  const Labels out = g.out(n);
  return distinct(out).size() < out.size();
}

std::optional<MatrixProduct> product_shape(const Graph& g, NodeId n) {
  if (g[n].kind != Kind::Ein || g[n].operands.size() != 2 || is_diagonal_structure(g, n)) return {};
  if (std::ranges::any_of(g[n].operands, [&](NodeId o) { return g[o].kind == Kind::Place; })) return {};  // a column of inv(A) is a view
  const std::vector<Factor> factors = g.factors(n);
  const Labels out = g.out(n), left = distinct(factors[0].labels), right = distinct(factors[1].labels);
  MatrixProduct m;
  for (Label l : left) {
    const bool both = contains(right, l), kept = contains(out, l);
    if (!both && !kept) return {};
    (both ? (kept ? m.batch : m.inner) : m.rows).push_back(l);
  }
  for (Label l : right) {
    if (contains(left, l)) continue;
    if (!contains(out, l)) return {};
    m.columns.push_back(l);
  }
  if (m.inner.empty() || (m.rows.empty() && m.columns.empty())) return {};
  if (m.batch.size() + m.rows.size() + m.columns.size() != out.size()) return {};  // an axis that no factor carries
  return m;
}

std::optional<MatrixProduct> matrix_product(const Graph& g, NodeId n, const Sizes& sizes) {
  std::optional<MatrixProduct> m = product_shape(g, n);
  if (!m) return {};
  std::map<Label, DimId> dims;
  for (const Factor& f : g.factors(n)) {
    for (size_t k = 0; k < f.labels.size(); ++k) dims.emplace(f.labels[k], g[f.tensor].type[k]);
  }
  double volume = 1;
  bool fixed = true;
  for (const auto& [label, d] : dims) {
    volume *= sizes(g, d);
    fixed = fixed && (g[d].kind == Dim::Kind::Fixed || sizes.known.contains(d));
  }
  return fixed && volume <= kSmallProduct ? std::nullopt : m;
}

}  // namespace ricci
