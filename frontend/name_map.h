// Tables by name. A program may have a hundred thousand names, and a look into a balanced tree of them compares a dozen strings all over memory.
// Their order is the hash's: what is reported in the order of names is sorted first.
#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

namespace ricci {

struct NameHash {
  using is_transparent = void;  // no string is made to look for a view
  size_t operator()(std::string_view name) const { return std::hash<std::string_view>{}(name); }
};

template <class T> using NameMap = std::unordered_map<std::string, T, NameHash, std::equal_to<>>;
using NameSet = std::unordered_set<std::string, NameHash, std::equal_to<>>;

}  // namespace ricci
