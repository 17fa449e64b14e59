// A good 64-bit hash of a 64-bit number.
#pragma once
#include <cstdint>

namespace ricci {

// The finalizer of splitmix64 (Steele, Lea and Flood, 2014): one to one, and every bit of the result depends on every bit of x.
inline uint64_t mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15ull;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  return x ^ (x >> 31);
}

}  // namespace ricci
