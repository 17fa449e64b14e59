// The half of the square form is found in the linear form by a guided search from the direction; what is left over is R.
#include "passes/cauchy_schwarz.h"

#include <algorithm>
#include <set>

namespace ricci {
namespace {

constexpr size_t kMostSteps = 5'000;
constexpr size_t kNone = size_t(-1);

// An embedding of the left half, the kernels and, where possible, the weights of a mirrored product into a linear form.
class Embedding {
 public:
  Embedding(const Graph& g, const std::vector<Factor>& square, const Mirror& mirror, const LinearForm& linear)
      : g_(g), square_(square), mirror_(mirror), linear_(linear), used_(linear.factors.size(), false) {}

  bool find(const std::function<bool(NodeId)>& is_direction) {
    for (size_t k = 0; k < square_.size(); ++k)
      if (mirror_.side[k] == Mirror::Side::Left && is_direction(square_[k].tensor)) order_.push_back(k);
    for (size_t k = 0; k < square_.size(); ++k)
      if (mirror_.side[k] == Mirror::Side::Left && !is_direction(square_[k].tensor)) order_.push_back(k);
    for (size_t k = 0; k < square_.size(); ++k)
      if (mirror_.side[k] == Mirror::Side::Fixed && mirror_.is_kernel(square_[k])) order_.push_back(k);
    must_ = order_.size();
    for (size_t k = 0; k < square_.size(); ++k)
      if (mirror_.side[k] == Mirror::Side::Fixed && !mirror_.is_kernel(square_[k])) order_.push_back(k);
    image_.assign(square_.size(), kNone);
    return extend(0);
  }

  const std::vector<size_t>& image() const { return image_; }       // of the factors of the square form, kNone for a weight not found
  const std::map<Label, Label>& labels() const { return labels_; }  // of the labels of the square form
  const std::vector<bool>& used() const { return used_; }           // of the factors of the linear form

 private:
  // Labels inside the half must meet nothing else; those on the mirror may.
  bool sound() const {
    std::set<Label> inner;
    for (const auto& [from, to] : labels_) {
      if (mirror_.is_fixed(from)) continue;
      if (on_left(from)) inner.insert(to);
    }
    for (Label l : linear_.out)
      if (inner.contains(l)) return false;
    for (size_t k = 0; k < used_.size(); ++k)
      if (!used_[k])
        for (Label l : linear_.factors[k].labels)
          if (inner.contains(l)) return false;
    return true;
  }
  bool on_left(Label l) const {
    for (size_t k = 0; k < square_.size(); ++k)
      if (mirror_.side[k] == Mirror::Side::Left && std::ranges::count(square_[k].labels, l)) return true;
    return false;
  }

  bool extend(size_t at) {
    if (++steps_ > kMostSteps) return false;
    if (at == order_.size()) return sound();
    const Factor& f = square_[order_[at]];
    for (size_t k = 0; k < used_.size(); ++k) {
      if (used_[k] || linear_.factors[k].tensor != f.tensor) continue;
      const bool symmetric = f.labels.size() == 2 && g_.is_symmetric(f.tensor);
      for (bool swapped : {false, true}) {
        if (swapped && !symmetric) break;
        std::map<Label, Label> before = labels_;
        bool fits = true;
        for (size_t a = 0; a < f.labels.size() && fits; ++a) {
          const Label to = linear_.factors[k].labels[swapped ? 1 - a : a];
          auto [it, is_new] = labels_.try_emplace(f.labels[a], to);
          fits = it->second == to;
        }
        if (fits && injective()) {
          used_[k] = true, image_[order_[at]] = k;
          if (extend(at + 1)) return true;
          used_[k] = false, image_[order_[at]] = kNone;
        }
        labels_ = std::move(before);
      }
    }
    return at >= must_ && extend(at + 1);
  }
  bool injective() const {
    std::set<Label> seen;
    return std::ranges::all_of(labels_, [&](const auto& e) { return seen.insert(e.second).second; });
  }

  const Graph& g_;
  const std::vector<Factor>& square_;
  const Mirror& mirror_;
  const LinearForm& linear_;
  std::vector<bool> used_;
  std::vector<size_t> order_, image_;
  std::map<Label, Label> labels_;
  size_t must_ = 0, steps_ = 0;
};

}  // namespace

std::optional<Domination> dominate(Graph& g, const std::vector<Factor>& square, const Mirror& mirror, const LinearForm& linear,
                                   const std::function<bool(NodeId)>& is_direction, const std::function<bool(NodeId)>& positive) {
  Embedding e(g, square, mirror, linear);
  if (!e.find(is_direction)) return std::nullopt;
  const std::vector<bool>& used = e.used();
  auto is_out = [&](Label l) { return std::ranges::count(linear.out, l) > 0; };

  std::set<Label> shared(linear.out.begin(), linear.out.end());  // labels that both copies of R carry
  if (linear.kernel) shared.erase(*linear.kernel);
  std::map<Label, DimId> dims;
  Label fresh = 0;
  auto see = [&](const Factor& f) {
    for (size_t a = 0; a < f.labels.size(); ++a) dims[f.labels[a]] = g[f.tensor].type[a], fresh = std::max(fresh, f.labels[a] + 1);
  };
  for (const Factor& f : linear.factors) see(f);
  for (const auto& [from, to] : e.labels())
    if (mirror.is_fixed(from)) shared.insert(to);
  std::map<Label, Label> primed;
  auto prime = [&](Factor f) {
    for (Label& l : f.labels)
      if (!shared.contains(l)) {
        auto [it, is_new] = primed.try_emplace(l, fresh);
        if (is_new) dims[fresh] = dims.at(l), ++fresh;
        l = it->second;
      }
    return f;
  };

  Domination d;
  std::vector<Factor> product;
  std::set<Label> alive;  // summed in the constant
  for (size_t k = 0; k < linear.factors.size(); ++k)
    if (!used[k]) product.push_back(linear.factors[k]), product.push_back(prime(linear.factors[k]));
  for (size_t k = 0; k < square.size(); ++k) {
    if (mirror.side[k] != Mirror::Side::Fixed) continue;
    const Factor& f = square[k];
    if (mirror.is_kernel(f)) {  // P(a, a') with a on the left became P(a, b) with b in R: now P(b, b')
      const bool first_left = [&] {
        for (size_t j = 0; j < square.size(); ++j)
          if (mirror.side[j] == Mirror::Side::Left && std::ranges::count(square[j].labels, f.labels[0])) return true;
        return false;
      }();
      const Label b = e.labels().at(f.labels[first_left ? 1 : 0]);
      if (shared.contains(b)) return std::nullopt;
      product.push_back({f.tensor, {b, prime({f.tensor, {b, b}}).labels[0]}});
      alive.insert(b);
      continue;
    }
    Factor mapped{f.tensor, {}};
    for (Label l : f.labels) {
      auto to = e.labels().find(l);
      if (to == e.labels().end()) return std::nullopt;  // a label that the half does not reach
      mapped.labels.push_back(to->second);
    }
    const bool outside = std::ranges::all_of(mapped.labels, is_out);
    if (e.image()[k] != kNone) product.push_back(mapped);
    else if (outside) d.common.push_back(mapped);
    else if (positive(f.tensor)) product.push_back({g.power(f.tensor, -1), mapped.labels});  // r = R/w
    else return std::nullopt;
  }
  for (const auto& [from, to] : e.labels())
    if (mirror.is_fixed(from) && !is_out(to)) alive.insert(to);
  for (Label l : alive) product.push_back({g.ones({dims.at(l)}), {l}});  // each is summed, even where nothing else carries it
  Labels out = linear.out;
  if (linear.kernel) {  // the matrix must be the same for all that else is shared
    const auto foreign = [&](Label l) { return l != *linear.kernel && is_out(l); };
    if (!d.common.empty() || std::ranges::any_of(product, [&](const Factor& f) { return std::ranges::any_of(f.labels, foreign); })) return std::nullopt;
    const Factor axis{linear.factors[0].tensor, {*linear.kernel}};
    out = {*linear.kernel, prime(axis).labels[0]};
  }
  Type type;
  for (Label l : out) {
    type.push_back(dims.at(l));
    product.push_back({g.ones({dims.at(l)}), {l}});
  }
  for (Label l : linear.out)
    if (std::ranges::any_of(e.labels(), [&](const auto& m) { return m.second == l; })) d.shared.push_back(l);
  d.constant = g.ein(std::move(product), out, std::move(type));
  return d;
}

}  // namespace ricci
