// Finds what a numbered list already has: a hash table of numbers alone. Robin Hood, chains and deletion are not needed where nothing is ever removed;
// the hash is kept beside the number, so that neither a miss nor growing looks at what is listed.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace ricci {

class InternTable {
 public:
  // The number of the entry with this hash that `same(number)` says is the one sought; if there is none, `next` is entered for it and returned.
  template <class Same>
  uint32_t find_or_enter(size_t hash, uint32_t next, Same same) {
    if (2 * (used_ + 1) > slots_.size()) grow();
    const auto kept = uint32_t(hash);
    size_t at = kept & (slots_.size() - 1);
    for (; slots_[at].number != kFree; at = (at + 1) & (slots_.size() - 1))
      if (slots_[at].hash == kept && same(slots_[at].number)) return slots_[at].number;
    slots_[at] = {kept, next};
    ++used_;
    return next;
  }

 private:
  static constexpr uint32_t kFree = ~uint32_t{0};
  struct Slot {
    uint32_t hash = 0, number = kFree;
  };

  void grow() {
    constexpr size_t kFirst = 64;
    std::vector<Slot> old(slots_.empty() ? kFirst : 2 * slots_.size());
    old.swap(slots_);
    for (const Slot& s : old) {
      if (s.number == kFree) continue;
      size_t at = s.hash & (slots_.size() - 1);
      while (slots_[at].number != kFree) at = (at + 1) & (slots_.size() - 1);
      slots_[at] = s;
    }
  }

  std::vector<Slot> slots_;  // a power of two, at most half of them used
  size_t used_ = 0;
};

}  // namespace ricci
