// A std::map in one piece of memory: its pairs in a vector, in the order of their keys. For the few labels of a product, which are asked for often
// and mostly come in order; entering before others moves them.
#pragma once
#include <algorithm>
#include <cassert>
#include <cstddef>
#include <utility>
#include <vector>

namespace ricci {

template <class Key, class Value>
class FlatMap {
 public:
  using Entries = std::vector<std::pair<Key, Value>>;
  auto begin() const { return entries_.begin(); }
  auto end() const { return entries_.end(); }
  bool empty() const { return entries_.empty(); }
  size_t size() const { return entries_.size(); }
  const std::pair<Key, Value>& back() const { return entries_.back(); }

  auto find(const Key& key) const {
    const auto at = place(key);
    return at != entries_.end() && at->first == key ? at : entries_.end();
  }
  const Value& at(const Key& key) const {
    assert(find(key) != end());
    return place(key)->second;
  }
  std::pair<typename Entries::iterator, bool> try_emplace(const Key& key, Value value) {
    const auto at = entries_.begin() + (place(key) - entries_.begin());
    if (at != entries_.end() && at->first == key) return {at, false};
    return {entries_.insert(at, {key, std::move(value)}), true};
  }
  Value& operator[](const Key& key) { return try_emplace(key, Value{}).first->second; }
  void erase(const Key& key) {
    if (const auto at = find(key); at != end()) entries_.erase(at);
  }

 private:
  auto place(const Key& key) const {
    if (entries_.empty() || entries_.back().first < key) return entries_.end();
    return std::ranges::lower_bound(entries_, key, {}, &std::pair<Key, Value>::first);
  }

  Entries entries_;
};

}  // namespace ricci
