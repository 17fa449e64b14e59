#include "passes/schedule.h"

#include <algorithm>
#include <numeric>

namespace ricci {
namespace {

struct Place {
  loops::IndexId elements;
  double size;
  size_t busy_until;
};

// The free place that fits best: the same expression, else the smallest that is long enough, else the longest.
size_t choose(const std::vector<Place>& places, const Life& life) {
  auto rank = [&](const Place& p) {
    if (p.elements == life.elements) return std::pair{0, 0.0};
    return p.size >= life.size ? std::pair{1, p.size} : std::pair{2, -p.size};
  };
  size_t best = places.size();
  for (size_t k = 0; k < places.size(); ++k) {
    if (places[k].busy_until >= life.first) continue;
    if (best == places.size() || rank(places[k]) < rank(places[best])) best = k;
  }
  return best;
}

}  // namespace

Workspace place(loops::Program& p, std::span<const Life> lives) {
  const int64_t alignment = 64 / int64_t(loops::size_of(p.scalar));
  std::vector<size_t> order(lives.size());
  std::iota(order.begin(), order.end(), size_t(0));
  std::ranges::sort(order, {}, [&](size_t k) { return std::pair(lives[k].first, k); });
  std::vector<Place> places;
  std::vector<size_t> place_of(lives.size());
  for (size_t k : order) {
    const Life& life = lives[k];
    const size_t at = choose(places, life);
    if (at == places.size()) {
      places.push_back({life.elements, life.size, life.last});
    } else {
      Place& q = places[at];
      q = {p.max(q.elements, life.elements), std::max(q.size, life.size), life.last};
    }
    place_of[k] = at;
  }
  std::vector<loops::IndexId> starts;
  loops::IndexId end = p.index(0);
  for (const Place& q : places) {
    starts.push_back(end);
    end = p.add(end, p.round_up(q.elements, alignment));
  }
  Workspace r{.end = end};
  for (size_t at : place_of) r.offsets.push_back(starts[at]);
  return r;
}

}  // namespace ricci
