// Compiled objects kept on disk: the same function for the same machine is compiled once. No LLVM in this header.
//
// An entry is a file named by its key, written under another name and then renamed, so that any number of processes may share a folder: a
// reader sees a whole entry or none. Each carries a checksum; what does not match it is removed and reported as damaged, never loaded.
// Loaded code is trusted code, so a folder of somebody else's, or one that others can write to, is refused.
#pragma once
#include <atomic>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace ricci {

class ObjectCache {
 public:
  static constexpr uint64_t kMostBytes = uint64_t(256) << 20;

  // Makes the folder if need be. Beyond `most_bytes` the entries used longest ago go.
  explicit ObjectCache(std::string folder, uint64_t most_bytes = kMostBytes);

  // $XDG_CACHE_HOME/ricci, or ~/.cache/ricci; "" if the environment says neither.
  static std::string default_folder();
  // A key for what these texts say together: 64 hexadecimal digits of BLAKE3.
  static std::string key(std::span<const std::string_view> texts);

  // Why nothing is kept: the folder cannot be made, or is not to be trusted. Empty if all is well.
  const std::string& problem() const { return problem_; }

  std::optional<std::string> find(const std::string& key);
  void store(const std::string& key, std::string_view object);

  struct Counts {
    uint64_t hits, misses, damaged;
  };
  Counts counts() const { return {hits_, misses_, damaged_}; }

 private:
  std::string path(const std::string& key) const;
  void evict();

  std::string folder_, problem_;
  uint64_t most_bytes_;
  std::atomic<uint64_t> hits_ = 0, misses_ = 0, damaged_ = 0;
};

}  // namespace ricci
