#include "passes/plan_order.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <queue>
#include <tuple>

namespace ricci {
namespace {

constexpr size_t kExact = 8;       // 3^8 splits, each a few instructions
constexpr size_t kNeighbours = 8;  // partners a factor is offered per label by the greedy search

// The state of a product under contraction: which tensors are left, and how many of them carry each label.
class Contractor {
 public:
  explicit Contractor(const TensorNetwork& p) : product_(p) {
    for (const Labels& f : p.factors) push(f);
    for (Label l : p.out) ++uses_[l];
    // A label of one factor alone is summed before that factor meets others.
    const int given = int(tensors_.size());
    for (int i = 0; i < given; ++i) {
      Labels kept = kept_labels(tensors_[size_t(i)]);
      if (kept.size() < tensors_[size_t(i)].size()) contract(i, -1, given == 1 ? p.out : kept);
    }
  }

  std::vector<int> live() const {
    std::vector<int> r;
    for (size_t i = 0; i < tensors_.size(); ++i) {
      if (alive_[i]) r.push_back(int(i));
    }
    return r;
  }
  bool alive(int i) const { return alive_[size_t(i)]; }
  const Labels& labels(int i) const { return tensors_[size_t(i)]; }
  double size(const Labels& labels) const {
    double r = 1;
    for (Label l : labels) r *= product_.sizes.at(l);
    return r;
  }

  // The labels that a contraction of a and b leaves.
  Labels meet(int a, int b) const {
    Labels r;
    for (Label l : union_of(a, b)) {
      const int here = carries(a, l) + carries(b, l);
      if (uses_.at(l) > here) r.push_back(l);
    }
    return r;
  }
  double flops(int a, int b) const {
    Labels all = union_of(a, b);
    return size(all) * (meet(a, b).size() < all.size() ? 2 : 1);
  }

  int contract(int a, int b, Labels out) {
    order_.flops += b < 0 ? size(tensors_[size_t(a)]) : flops(a, b);
    remove(a);
    if (b >= 0) remove(b);
    push(out);
    order_.contractions.push_back({a, b, std::move(out)});
    return int(tensors_.size()) - 1;
  }
  // The contraction of a and b; the last of all is given the order of the product's own axes.
  int contract(int a, int b) {
    Labels out = left_ == 2 ? product_.out : meet(a, b);
    return contract(a, b, std::move(out));
  }
  ContractionOrder take() { return std::move(order_); }

 private:
  void push(const Labels& labels) {
    Labels distinct;
    for (Label l : labels) {
      if (std::ranges::find(distinct, l) == distinct.end()) distinct.push_back(l), ++uses_[l];
    }
    tensors_.push_back(std::move(distinct));
    alive_.push_back(true);
    ++left_;
  }
  void remove(int i) {
    alive_[size_t(i)] = false;
    --left_;
    for (Label l : tensors_[size_t(i)]) --uses_[l];
  }
  bool carries(int i, Label l) const { return std::ranges::find(tensors_[size_t(i)], l) != tensors_[size_t(i)].end(); }
  Labels kept_labels(const Labels& of) const {
    Labels r;
    std::ranges::copy_if(of, std::back_inserter(r), [&](Label l) { return uses_.at(l) > 1; });
    return r;
  }
  Labels union_of(int a, int b) const {
    Labels r = tensors_[size_t(a)];
    for (Label l : tensors_[size_t(b)]) {
      if (!carries(a, l)) r.push_back(l);
    }
    return r;
  }

  const TensorNetwork& product_;
  std::vector<Labels> tensors_;
  std::vector<bool> alive_;
  int left_ = 0;
  std::map<Label, int> uses_;
  ContractionOrder order_;
};

// The cheapest tree over every subset of the tensors left, from its cheapest split. Ties go to the smaller result and then to the first
// split, so the order depends on nothing but the product.
void contract_exactly(Contractor& c, const TensorNetwork& p) {
  const std::vector<int> leaves = c.live();
  const unsigned full = (1u << leaves.size()) - 1;
  std::map<Label, unsigned> number;
  std::vector<uint64_t> carried(leaves.size());
  std::vector<double> sizes;
  uint64_t out = 0;
  for (size_t i = 0; i < leaves.size(); ++i) {
    for (Label l : c.labels(leaves[i])) {
      auto [it, fresh] = number.try_emplace(l, unsigned(number.size()));
      if (fresh) sizes.push_back(p.sizes.at(l));
      carried[i] |= uint64_t(1) << it->second;
    }
  }
  for (Label l : p.out) out |= uint64_t(1) << number.at(l);
  auto size = [&](uint64_t labels) {
    double r = 1;
    for (; labels; labels &= labels - 1) r *= sizes[size_t(std::countr_zero(labels))];
    return r;
  };

  std::vector<uint64_t> inside(full + 1), kept(full + 1);
  for (unsigned s = 1; s <= full; ++s) inside[s] = inside[s & (s - 1)] | carried[size_t(std::countr_zero(s))];
  for (unsigned s = 1; s <= full; ++s) kept[s] = inside[s] & (inside[full & ~s] | out);
  std::vector<double> best(full + 1, std::numeric_limits<double>::infinity());
  std::vector<double> traffic(full + 1, 0);
  std::vector<unsigned> split(full + 1, 0);
  for (unsigned s = 1; s <= full; ++s) {
    if (std::has_single_bit(s)) {
      best[s] = 0;
      continue;
    }
    for (unsigned a = (s - 1) & s; a > (s & ~a); a = (a - 1) & s) {
      const unsigned b = s & ~a;
      const uint64_t all = kept[a] | kept[b];
      const double flops = best[a] + best[b] + size(all) * (all == kept[s] ? 1 : 2);
      const double moved = traffic[a] + traffic[b] + size(kept[s]);
      if (std::tie(flops, moved) < std::tie(best[s], traffic[s])) best[s] = flops, traffic[s] = moved, split[s] = a;
    }
  }

  std::vector<int> result(full + 1, -1);
  for (size_t i = 0; i < leaves.size(); ++i) result[1u << i] = leaves[i];
  std::vector<unsigned> stack{full};
  while (!stack.empty()) {
    const unsigned s = stack.back(), a = split[s], b = s & ~a;
    if (result[s] >= 0) {
      stack.pop_back();
    } else if (result[a] < 0 || result[b] < 0) {
      if (result[a] < 0) stack.push_back(a);
      if (result[b] < 0) stack.push_back(b);
    } else {
      result[s] = c.contract(std::min(result[a], result[b]), std::max(result[a], result[b]));
    }
  }
}

// opt_einsum's greedy search: contract the pair that frees most elements (size of the result minus sizes of the operands).
void contract_greedily(Contractor& c) {
  using Candidate = std::tuple<double, double, int, int>;  // elements made less elements freed, flops, the pair
  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> queue;
  std::map<Label, std::vector<int>> carriers;
  auto offer = [&](int a, int b) {
    const double freed = c.size(c.meet(a, b)) - c.size(c.labels(a)) - c.size(c.labels(b));
    queue.emplace(freed, c.flops(a, b), std::min(a, b), std::max(a, b));
  };
  auto enter = [&](int t) {
    std::vector<int> offered;
    for (Label l : c.labels(t)) {
      std::vector<int>& others = carriers[l];
      std::erase_if(others, [&](int o) { return !c.alive(o); });
      for (size_t k = 0; k < std::min(others.size(), kNeighbours); ++k) offered.push_back(others[others.size() - 1 - k]);
      others.push_back(t);
    }
    std::ranges::sort(offered);
    offered.erase(std::ranges::unique(offered).begin(), offered.end());
    for (int o : offered) offer(o, t);
  };
  for (int t : c.live()) enter(t);
  while (!queue.empty()) {
    auto [freed, flops, a, b] = queue.top();
    queue.pop();
    if (c.alive(a) && c.alive(b)) enter(c.contract(a, b));
  }
  // What shares no label is multiplied together, the smallest first.
  using Piece = std::pair<double, int>;
  std::priority_queue<Piece, std::vector<Piece>, std::greater<>> pieces;
  for (int t : c.live()) pieces.emplace(c.size(c.labels(t)), t);
  while (pieces.size() > 1) {
    const int a = pieces.top().second;
    pieces.pop();
    const int b = pieces.top().second;
    pieces.pop();
    const int t = c.contract(a, b);
    pieces.emplace(c.size(c.labels(t)), t);
  }
}

}  // namespace

ContractionOrder contraction_order(const TensorNetwork& p) {
  Contractor c(p);
  const size_t left = c.live().size();
  if (left >= 2 && left <= kExact && p.sizes.size() <= 64) {
    contract_exactly(c, p);
  } else if (left >= 2) {
    contract_greedily(c);
  }
  return c.take();
}

}  // namespace ricci
