#include "ir/canonical_order.h"

#include <algorithm>
#include <numeric>
#include <tuple>

#include "ir/flat_map.h"
#include "ir/mix.h"

namespace ricci {
namespace {

constexpr int kLeaves = 64;  // complete labellings tried: enough for every order of four alike factors

// Colours are 64-bit hashes of what is around a vertex: they depend on the structure only, never on the order of the input.
using Colour = uint64_t;
using Colours = std::vector<Colour>;

size_t distinct(Colours colours) {
  std::ranges::sort(colours);
  return size_t(std::ranges::unique(colours).begin() - colours.begin());
}

class Canonicalizer {
 public:
  Canonicalizer(const std::vector<Factor>& factors, const Labels& out, Label labels, const std::function<bool(NodeId)>& symmetric)
      : factors_(factors), out_(out), label_count_(labels) {
    for (const Factor& f : factors_) symmetric_.push_back(f.labels.size() == 2 && symmetric(f.tensor));
  }

  void run(std::vector<Factor>& factors, Labels& out, const std::function<uint64_t(NodeId)>& fingerprint) {
    Colours factor, label(label_count_, 0);
    for (const Factor& f : factors_) factor.push_back(mix(fingerprint(f.tensor)));  // not the age, which differs from graph to graph
    for (size_t k = 0; k < out_.size(); ++k) label[out_[k]] += mix(~Colour(k));
    search(std::move(factor), std::move(label));
    factors = std::move(best_factors_);
    out = std::move(best_out_);
  }

 private:
  // How axis k of factor i looks to its label, and the label to the factor: alike for both axes of a symmetric tensor.
  Colour axis(size_t i, size_t k) const { return symmetric_[i] ? 1 : Colour(k) + 2; }

  // Refines both colourings until no class splits. Sums of hashes stand for multisets.
  void refine(Colours& factor, Colours& label) const {
    for (size_t classes = distinct(factor) + distinct(label);;) {
      Colours next_factor = factor, next_label = label;
      for (size_t i = 0; i < factors_.size(); ++i)
        for (size_t k = 0; k < factors_[i].labels.size(); ++k) {
          Label l = factors_[i].labels[k];
          next_factor[i] += mix(label[l] ^ mix(axis(i, k)));
          next_label[l] += mix(factor[i] ^ mix(axis(i, k)));
        }
      for (Colour& c : next_factor) c = mix(c);
      for (Colour& c : next_label) c = mix(c);
      factor = std::move(next_factor);
      label = std::move(next_label);
      size_t now = distinct(factor) + distinct(label);
      if (now == classes) return;
      classes = now;
    }
  }

  void search(Colours factor, Colours label) {
    refine(factor, label);
    auto key = [&](uint32_t i) { return std::pair(factors_[i].tensor, factor[i]); };  // older tensors first, as people read them
    std::vector<uint32_t> order(factors_.size());
    std::iota(order.begin(), order.end(), 0u);
    std::ranges::sort(order, {}, [&](uint32_t i) { return std::pair(key(i), i); });
    size_t tie = 0;
    while (tie + 1 < order.size() && key(order[tie]) != key(order[tie + 1])) ++tie;
    if (tie + 1 >= order.size()) return leaf(order, label);
    for (size_t i = tie; i < order.size() && key(order[i]) == key(order[tie]) && leaves_ < kLeaves; ++i) {
      Colours split = factor;  // tells one of the first alike factors from its twins
      split[order[i]] = mix(~split[order[i]]);
      search(std::move(split), label);
    }
  }

  // Output labels in the order of the output, so that a symmetric matrix alone is itself; summed ones after them, by colour.
  std::pair<size_t, Colour> key(Label l, const Colours& label) const {
    return {size_t(std::ranges::find(out_, l) - out_.begin()), label[l]};
  }

  void leaf(const std::vector<uint32_t>& order, const Colours& label) {
    ++leaves_;
    std::vector<Label> name(label_count_, ~Label{0});
    Label next = 0;
    auto number = [&](Label l) { return name[l] == ~Label{0} ? name[l] = next++ : name[l]; };
    std::vector<Factor> factors;
    for (uint32_t i : order) {
      Factor f = factors_[i];
      const auto rank = [&](Label l) { return std::pair(key(l, label), name[l]); };  // of labels that look alike, as an earlier factor has them
      if (symmetric_[i] && rank(f.labels[1]) < rank(f.labels[0])) std::swap(f.labels[0], f.labels[1]);
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
  Label label_count_;
  std::vector<bool> symmetric_;
  int leaves_ = 0;
  std::vector<Factor> best_factors_;
  Labels best_out_;
};

}  // namespace

void canonical_order(std::vector<Factor>& factors, Labels& out, const std::function<bool(NodeId)>& symmetric, const std::function<uint64_t(NodeId)>& fingerprint) {
  FlatMap<Label, Label> dense;  // numbers labels by first appearance
  auto number = [&](Label& l) { l = dense.try_emplace(l, Label(dense.size())).first->second; };
  auto number_all = [&] {
    dense = {};
    for (Factor& f : factors) std::ranges::for_each(f.labels, number);
    std::ranges::for_each(out, number);
  };
  std::vector<NodeId> tensors;
  tensors.reserve(factors.size());
  for (const Factor& f : factors) tensors.push_back(f.tensor);
  std::ranges::sort(tensors);
  const bool alike = std::ranges::adjacent_find(tensors) != tensors.end();
  const bool settled = !alike && std::ranges::none_of(factors, [&](const Factor& f) { return f.labels.size() == 2 && symmetric(f.tensor); });
  if (!settled) number_all();
  std::ranges::sort(factors, {}, &Factor::tensor);
  if (settled) return number_all();
  std::vector<Factor> input = factors;
  Labels input_out = out;
  Canonicalizer(input, input_out, Label(dense.size()), symmetric).run(factors, out, fingerprint);
}

}  // namespace ricci
