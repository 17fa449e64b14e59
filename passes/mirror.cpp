// A search that extends sigma factor by factor, always at the factor most bound by the labels already mapped.
#include "passes/mirror.h"

#include <algorithm>
#include <numeric>

namespace ricci {
namespace {

constexpr size_t kMostFactors = 24;
constexpr size_t kMostSteps = 20'000;
constexpr size_t kNone = size_t(-1);

class Search {
 public:
  Search(const Graph& g, std::span<const Factor> factors, const MirrorFacts& facts, size_t most)
      : g_(g), factors_(factors), facts_(facts), most_(most), image_(factors.size(), kNone) {}

  std::vector<Mirror> operator()(const Labels& out, OutLabels how) {
    bool possible = true;
    if (how == OutLabels::Swapped) possible = bind(out[0], out[1]);
    else
      for (Label l : out) possible = possible && bind(l, l);
    if (possible) extend();
    return std::move(found_);
  }

 private:
  // Sets sigma(a) = b and sigma(b) = a, unless they are mapped elsewhere.
  bool bind(Label a, Label b) {
    auto put = [&](Label from, Label to) {
      auto [it, is_new] = labels_.try_emplace(from, to);
      if (is_new) trail_.push_back(from);
      return it->second == to;
    };
    return put(a, b) && put(b, a);
  }
  void undo(size_t mark) {
    for (; trail_.size() > mark; trail_.pop_back()) labels_.erase(trail_.back());
  }

  size_t most_bound() const {
    size_t best = kNone;
    long best_score = -1;
    for (size_t k = 0; k < factors_.size(); ++k) {
      if (image_[k] != kNone) continue;
      long score = std::ranges::count_if(factors_[k].labels, [&](Label l) { return labels_.contains(l); });
      if (score > best_score) best = k, best_score = score;
    }
    return best;
  }

  void extend() {
    if (++steps_ > kMostSteps || found_.size() >= most_) return;
    const size_t at = most_bound();
    if (at == kNone) return accept();
    const Factor& f = factors_[at];
    for (size_t other = at + 1; other < factors_.size(); ++other) {
      if (image_[other] != kNone || factors_[other].tensor != f.tensor) continue;
      try_pair(at, other, false);
      if (f.labels.size() == 2 && g_.is_symmetric(f.tensor)) try_pair(at, other, true);
    }
    for (size_t other = 0; other < at; ++other) {
      if (image_[other] != kNone || factors_[other].tensor != f.tensor) continue;
      try_pair(at, other, false);
      if (f.labels.size() == 2 && g_.is_symmetric(f.tensor)) try_pair(at, other, true);
    }
    try_fixed(at);
  }

  void try_pair(size_t a, size_t b, bool swapped) {
    const size_t mark = trail_.size();
    const Labels &from = factors_[a].labels, &to = factors_[b].labels;
    bool possible = true;
    for (size_t k = 0; k < from.size() && possible; ++k) possible = bind(from[k], to[swapped ? 1 - k : k]);
    if (possible) {
      image_[a] = b, image_[b] = a;
      extend();
      image_[a] = image_[b] = kNone;
    }
    undo(mark);
  }

  void try_fixed(size_t at) {
    const Factor& f = factors_[at];
    const size_t mark = trail_.size();
    auto with = [&](bool possible) {
      if (possible) {
        image_[at] = at;
        extend();
        image_[at] = kNone;
      }
      undo(mark);
    };
    const bool matrix = f.labels.size() == 2, diagonal = matrix && f.labels[0] == f.labels[1];
    const bool psd = matrix && facts_.psd(f.tensor);
    if (psd && !diagonal) with(bind(f.labels[0], f.labels[1]));
    if ((psd && diagonal) || facts_.nonnegative(f.tensor)) with(std::ranges::all_of(f.labels, [&](Label l) { return bind(l, l); }));
  }

  // Halves: factors joined by labels that move. No half may be its own image.
  void accept() {
    std::vector<size_t> half(factors_.size());
    std::iota(half.begin(), half.end(), size_t(0));
    auto root = [&](size_t k) {
      while (half[k] != k) k = half[k];
      return k;
    };
    std::map<Label, size_t> first;
    for (size_t k = 0; k < factors_.size(); ++k) {
      if (image_[k] == k) continue;
      for (Label l : factors_[k].labels)
        if (labels_.at(l) != l) half[root(k)] = root(first.try_emplace(l, k).first->second);
    }
    Mirror m{image_, std::vector(factors_.size(), Mirror::Side::Fixed), labels_};
    for (size_t k = 0; k < factors_.size(); ++k) {
      if (image_[k] == k || m.side[k] != Mirror::Side::Fixed) continue;
      const size_t left = root(k), right = root(image_[k]);
      if (left == right) return;
      for (size_t j = 0; j < factors_.size(); ++j) {
        if (image_[j] == j) continue;
        if (root(j) == left) m.side[j] = Mirror::Side::Left;
        if (root(j) == right) m.side[j] = Mirror::Side::Right;
      }
    }
    found_.push_back(std::move(m));
  }

  const Graph& g_;
  std::span<const Factor> factors_;
  const MirrorFacts& facts_;
  size_t most_, steps_ = 0;
  std::vector<size_t> image_;
  std::map<Label, Label> labels_;
  std::vector<Label> trail_;
  std::vector<Mirror> found_;
};

}  // namespace

std::vector<Mirror> find_mirrors(const Graph& g, std::span<const Factor> factors, const Labels& out, OutLabels how,
                                 const MirrorFacts& facts, size_t most) {
  if (factors.size() > kMostFactors) return {};
  return Search(g, factors, facts, most)(out, how);
}

}  // namespace ricci
