#include "passes/guard.h"

#include <algorithm>
#include <map>

#include "passes/canonicalize.h"

namespace ricci {
namespace {

bool has(const Labels& labels, Label l) { return std::ranges::count(labels, l) > 0; }

void add_new(Labels& to, const Labels& from) {
  for (Label l : from)
    if (!has(to, l)) to.push_back(l);
}

class GuardedProduct {
 public:
  GuardedProduct(Graph& g, Finiteness& finite, Guard guard, std::vector<Factor> factors, Labels out, Type type)
      : g_(g), finite_(finite), guard_(std::move(guard)), factors_(std::move(factors)), out_(std::move(out)), type_(std::move(type)) {
    for (const Factor& f : factors_)
      for (Label l : f.labels) next_ = std::max(next_, l + 1);
    for (const Labels& labels : {guard_.labels, out_})
      for (Label l : labels) next_ = std::max(next_, l + 1);
  }

  NodeId operator()() {
    for (size_t k = 0; k < factors_.size();) {
      const NodeId factor = factors_[k].tensor;
      if (!finite_(factor) && opens(factor)) return by_terms(k);
      if (!finite_(factor) && g_[factor].kind == Kind::Ein) open(k);
      else ++k;
    }
    return g_.ein(chosen(), out_, type_);
  }

 private:
  // Sums stay together unless their coefficient, or a diagonal that its terms lie on, can leave the choice.
  bool opens(NodeId n) const {
    if (g_[n].kind != Kind::Sum) return false;
    return g_[n].operands.size() == 1 || std::ranges::any_of(g_[n].operands, [&](NodeId t) {
      if (g_[t].kind != Kind::Ein) return false;
      Labels out = g_.out(t);
      std::ranges::sort(out);
      return std::ranges::adjacent_find(out) != out.end();
    });
  }

  NodeId by_terms(size_t k) {
    std::vector<Term> result;
    for (const Term& t : g_.terms(factors_[k].tensor)) {
      std::vector<Factor> factors = factors_;
      factors[k].tensor = t.tensor;
      result.push_back({t.coefficient, GuardedProduct(g_, finite_, guard_, std::move(factors), out_, type_)()});
    }
    return g_.sum(std::move(result), type_);
  }

  // The factors of a product for the product. Axes that it has on its diagonal become one; those that no factor has, a factor of ones.
  void open(size_t k) {
    const Factor product = factors_[k];
    factors_.erase(factors_.begin() + std::ptrdiff_t(k));
    std::map<Label, Label> outside;
    const Labels own = g_.out(product.tensor);
    for (size_t axis = 0; axis < own.size(); ++axis) {
      const auto [known, is_new] = outside.try_emplace(own[axis], renamed(product.labels[axis]));
      if (!is_new) rename(renamed(product.labels[axis]), renamed(known->second));
    }
    const std::vector<Factor> inner = g_.factors(product.tensor);
    for (size_t axis = 0; axis < own.size(); ++axis) {  // an axis that is only repeated is summed all the same
      if (std::ranges::none_of(inner, [&](const Factor& f) { return has(f.labels, own[axis]); }))
        factors_.push_back({g_.ones({g_[product.tensor].type[axis]}), {renamed(product.labels[axis])}});
    }
    for (Factor f : inner) {
      for (Label& l : f.labels) {
        if (!outside.contains(l)) outside[l] = next_++;
        l = renamed(outside[l]);
      }
      factors_.push_back(std::move(f));
    }
  }

  Label renamed(Label l) const {
    const auto it = names_.find(l);
    return it == names_.end() ? l : it->second;
  }

  void rename(Label from, Label to) {
    if (from == to) return;
    for (auto& [old, name] : names_)
      if (name == from) name = to;
    names_[from] = to;
    for (Factor& f : factors_) std::ranges::replace(f.labels, from, to);
    std::ranges::replace(guard_.labels, from, to);
    std::ranges::replace(out_, from, to);
  }

  std::vector<Factor> chosen() {
    const NodeId one = g_.constant(1), zero = g_.constant(0);
    std::vector<Factor> inside, outside;
    for (Factor& f : factors_) (finite_(f.tensor) ? outside : inside).push_back(std::move(f));
    if (inside.empty()) {
      if (!guard_.share) outside.push_back({choice(guard_.condition, one, zero), guard_.labels});
      return outside;
    }
    // What is summed and no matter of the guard is summed under it.
    for (bool moved = true; moved;) {
      moved = false;
      for (size_t k = 0; k < outside.size() && !moved; ++k)
        if (std::ranges::any_of(outside[k].labels, [&](Label l) { return is_inner(l) && std::ranges::any_of(inside, [&](const Factor& f) { return has(f.labels, l); }); })) {
          inside.push_back(std::move(outside[k]));
          outside.erase(outside.begin() + std::ptrdiff_t(k));
          moved = true;
        }
    }
    std::map<Label, DimId> dims;
    const auto note = [&](NodeId tensor, const Labels& labels) {
      for (size_t axis = 0; axis < labels.size(); ++axis) dims.emplace(labels[axis], g_[tensor].type[axis]);
    };
    note(guard_.condition, guard_.labels);
    Labels condition_axes, value_axes;
    add_new(condition_axes, guard_.labels);
    for (const Factor& f : inside) {
      note(f.tensor, f.labels);
      for (Label l : f.labels)
        if (!is_inner(l)) add_new(value_axes, {l});
    }
    Labels axes = condition_axes;
    add_new(axes, value_axes);
    const auto type_of = [&](const Labels& labels) {
      Type type;
      for (Label l : labels) type.push_back(dims.at(l));
      return type;
    };
    // A number is broadcast by the choice itself.
    const Labels c = condition_axes.empty() ? Labels{} : axes, v = value_axes.empty() ? Labels{} : axes;
    const NodeId condition = g_.ein({{guard_.condition, guard_.labels}}, c, type_of(c)), value = g_.ein(std::move(inside), v, type_of(v));
    outside.push_back({choice(condition, value, zero), axes});
    return outside;
  }

  bool is_inner(Label l) const { return !has(out_, l) && !has(guard_.labels, l); }

  NodeId choice(NodeId condition, NodeId value, NodeId zero) {
    return guard_.holds ? g_.map(MapOp::select_, {condition, value, zero}) : g_.map(MapOp::select_, {condition, zero, value});
  }

  Graph& g_;
  Finiteness& finite_;
  Guard guard_;
  std::vector<Factor> factors_;
  Labels out_;
  Type type_;
  Label next_ = 0;
  std::map<Label, Label> names_;  // of labels that became another
};

}  // namespace

NodeId guarded(Graph& g, Finiteness& finite, Guard guard, std::vector<Factor> factors, Labels out, const Type& type) {
  if (guard.share) factors.push_back(*guard.share);
  for (Factor& f : factors)
    if (!finite(f.tensor)) f.tensor = canonicalize(g, f.tensor);
  return GuardedProduct(g, finite, std::move(guard), std::move(factors), std::move(out), type)();
}

}  // namespace ricci
