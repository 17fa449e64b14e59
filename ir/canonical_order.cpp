#include "ir/canonical_order.h"

#include <algorithm>
#include <numeric>

namespace ricci {
namespace {

constexpr int kLeaves = 64;  // complete labellings tried: enough for every order of four alike factors

using Colours = std::vector<uint32_t>;

// The product with labels numbered densely, and who touches which label.
struct Incidence {
  std::vector<std::vector<std::pair<uint32_t, uint32_t>>> touches;  // per label: (factor, axis; 0 for symmetric factors)
  std::vector<std::vector<uint32_t>> places;                        // per label: positions in the output
};

// Replaces signatures by their rank among the distinct ones: a colouring that does not depend on the input's order.
size_t rank(const std::vector<std::vector<uint32_t>>& signatures, Colours& colour) {
  std::vector<uint32_t> order(signatures.size());
  std::iota(order.begin(), order.end(), 0u);
  std::ranges::sort(order, [&](uint32_t a, uint32_t b) { return signatures[a] < signatures[b]; });
  uint32_t r = 0;
  for (size_t i = 0; i < order.size(); ++i) {
    if (i && signatures[order[i]] != signatures[order[i - 1]]) ++r;
    colour[order[i]] = r;
  }
  return order.empty() ? 0 : r + 1;
}

class Canonicalizer {
 public:
  Canonicalizer(const std::vector<Factor>& factors, const Labels& out, const std::function<bool(NodeId)>& symmetric)
      : factors_(factors), out_(out) {
    for (const Factor& f : factors_) symmetric_.push_back(f.labels.size() == 2 && symmetric(f.tensor));
    Label count = 0;
    for (const Factor& f : factors_)
      for (Label l : f.labels) count = std::max(count, l + 1);
    for (Label l : out_) count = std::max(count, l + 1);
    graph_.touches.resize(count);
    graph_.places.resize(count);
    for (uint32_t i = 0; i < factors_.size(); ++i)
      for (uint32_t k = 0; k < factors_[i].labels.size(); ++k)
        graph_.touches[factors_[i].labels[k]].push_back({i, symmetric_[i] ? 0 : k});
    for (uint32_t k = 0; k < out_.size(); ++k) graph_.places[out_[k]].push_back(k);
  }

  void run(std::vector<Factor>& factors, Labels& out) {
    Colours factor(factors_.size()), label(graph_.touches.size());
    std::vector<std::vector<uint32_t>> start(factors_.size());
    for (size_t i = 0; i < factors_.size(); ++i) start[i] = {factors_[i].tensor.value};
    rank(start, factor);
    rank(graph_.places, label);
    search(factor, label);
    factors = std::move(best_factors_);
    out = std::move(best_out_);
  }

 private:
  // Refines both colourings until stable.
  void refine(Colours& factor, Colours& label) const {
    for (size_t classes = 0;;) {
      std::vector<std::vector<uint32_t>> around(factors_.size());
      for (size_t i = 0; i < factors_.size(); ++i) {
        for (Label l : factors_[i].labels) around[i].push_back(label[l]);
        if (symmetric_[i]) std::ranges::sort(around[i]);
        around[i].insert(around[i].begin(), factor[i]);
      }
      size_t now = rank(around, factor);
      around.assign(label.size(), {});
      for (size_t l = 0; l < label.size(); ++l) {
        for (auto [i, k] : graph_.touches[l]) around[l].push_back(factor[i] * 64 + std::min(k, 63u));
        std::ranges::sort(around[l]);
        around[l].insert(around[l].begin(), label[l]);
      }
      now += rank(around, label);
      if (now == classes) return;
      classes = now;
    }
  }

  void search(Colours factor, Colours label) {
    refine(factor, label);
    std::vector<uint32_t> order(factors_.size());
    std::iota(order.begin(), order.end(), 0u);
    std::ranges::stable_sort(order, {}, [&](uint32_t i) { return factor[i]; });
    size_t tie = 0;
    while (tie + 1 < order.size() && factor[order[tie]] != factor[order[tie + 1]]) ++tie;
    if (tie + 1 >= order.size()) return leaf(order, label);
    // Tell one of the first alike factors from its twins: colours are spread to make room before it.
    for (size_t i = tie; i < order.size() && factor[order[i]] == factor[order[tie]] && leaves_ < kLeaves; ++i) {
      Colours split = factor;
      for (uint32_t& c : split) c = 2 * c + 1;
      --split[order[i]];
      search(std::move(split), label);
    }
  }

  void leaf(const std::vector<uint32_t>& order, const Colours& label) {
    ++leaves_;
    std::vector<Label> name(label.size(), ~Label{0});
    Label next = 0;
    auto number = [&](Label l) { return name[l] == ~Label{0} ? name[l] = next++ : name[l]; };
    std::vector<Factor> factors;
    for (uint32_t i : order) {
      Factor f = factors_[i];
      if (symmetric_[i] && label[f.labels[0]] > label[f.labels[1]]) std::swap(f.labels[0], f.labels[1]);
      for (Label& l : f.labels) l = number(l);
      factors.push_back(std::move(f));
    }
    Labels out = out_;
    for (Label& l : out) l = number(l);
    if (leaves_ > 1 && std::tie(factors, out) >= std::tie(best_factors_, best_out_)) return;
    best_factors_ = std::move(factors);
    best_out_ = std::move(out);
  }

  const std::vector<Factor>& factors_;
  const Labels& out_;
  std::vector<bool> symmetric_;
  Incidence graph_;
  int leaves_ = 0;
  std::vector<Factor> best_factors_;
  Labels best_out_;
};

}  // namespace

void canonical_order(std::vector<Factor>& factors, Labels& out, const std::function<bool(NodeId)>& symmetric) {
  // Dense labels first, so that arrays can be indexed by them.
  std::map<Label, Label> dense;
  auto number = [&](Label& l) { l = dense.try_emplace(l, Label(dense.size())).first->second; };
  for (Factor& f : factors) std::ranges::for_each(f.labels, number);
  std::ranges::for_each(out, number);
  std::vector<Factor> input = factors;
  Labels input_out = out;
  Canonicalizer(input, input_out, symmetric).run(factors, out);
}

}  // namespace ricci
