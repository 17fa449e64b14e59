// A list that only grows and whose elements never move. std::deque is one too, but has blocks of 512 bytes, a handful of nodes: an allocation for
// every few of them, and a table of blocks too large for the cache.
#pragma once
#include <cstddef>
#include <utility>
#include <vector>

namespace ricci {

template <class T>
class StableList {
 public:
  const T& operator[](size_t i) const { return blocks_[i / kBlock][i % kBlock]; }
  size_t size() const { return blocks_.empty() ? 0 : (blocks_.size() - 1) * kBlock + blocks_.back().size(); }
  void push_back(T value) {
    if (blocks_.empty() || blocks_.back().size() == kBlock) blocks_.emplace_back().reserve(kBlock);
    blocks_.back().push_back(std::move(value));
  }

 private:
  static constexpr size_t kBlock = 128;
  std::vector<std::vector<T>> blocks_;  // each of kBlock elements, the last of at most so many
};

}  // namespace ricci
