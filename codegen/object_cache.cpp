// An entry is the magic line, the BLAKE3 digest of key and object, the object. Only names made of a key are ever removed: the user may have
// named a folder with other things in it.
#include "codegen/object_cache.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <llvm/ADT/StringExtras.h>
#include <llvm/Support/BLAKE3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <tuple>
#include <utility>
#include <vector>

namespace ricci {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kMagic = "ricci object 1\n", kSuffix = ".ricci";
constexpr size_t kDigest = 32, kKey = 2 * kDigest, kHeader = kMagic.size() + kDigest;

std::string digest(std::span<const std::string_view> texts) {
  llvm::BLAKE3 hash;
  for (std::string_view text : texts) {
    const uint64_t size = text.size();  // so that "ab", "c" is not "a", "bc"
    hash.update(llvm::ArrayRef(reinterpret_cast<const uint8_t*>(&size), sizeof size));
    hash.update(llvm::StringRef(text.data(), text.size()));
  }
  const auto bytes = hash.final<kDigest>();
  return {reinterpret_cast<const char*>(bytes.data()), kDigest};
}

std::string checksum(std::string_view key, std::string_view object) {
  const std::string_view texts[] = {key, object};
  return digest(texts);
}

// A file descriptor that closes itself.
class File {
 public:
  explicit File(int fd) : fd_(fd) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  explicit operator bool() const { return fd_ >= 0; }
  int get() const { return fd_; }
  bool close() { return ::close(std::exchange(fd_, -1)) == 0; }

  std::string read_all() const {
    std::string text;
    char block[1 << 16];
    for (ssize_t n; (n = ::read(fd_, block, sizeof block)) != 0;) {
      if (n < 0 && errno != EINTR) return "";
      if (n > 0) text.append(block, size_t(n));
    }
    return text;
  }
  bool write_all(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t n = ::write(fd_, bytes.data(), bytes.size());
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return false;
      bytes.remove_prefix(size_t(n));
    }
    return true;
  }

 private:
  int fd_;
};

// KEY.ricci, or KEY.ricci.XXXXXX while it is written.
bool is_entry(std::string_view name) {
  const auto is_digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  return name.size() >= kKey + kSuffix.size() && std::ranges::all_of(name.substr(0, kKey), is_digit) &&
         name.substr(kKey).starts_with(kSuffix);
}

std::string reason(const std::string& folder) { return fmt::format("{}: {}", folder, std::strerror(errno)); }

std::string make_folder(const std::string& folder) {
  if (folder.empty()) return "there is no home folder for it";
  std::error_code error;
  if (const fs::path parent = fs::path(folder).parent_path(); !parent.empty()) fs::create_directories(parent, error);
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return reason(folder);
  struct stat status;
  if (::stat(folder.c_str(), &status) != 0) return reason(folder);
  if (!S_ISDIR(status.st_mode)) return folder + " is not a folder";
  if (status.st_uid != ::geteuid()) return folder + " is somebody else's";
  if (status.st_mode & (S_IWGRP | S_IWOTH)) return folder + " can be written to by others";
  if (::access(folder.c_str(), R_OK | W_OK | X_OK) != 0) return reason(folder);
  return "";
}

}  // namespace

ObjectCache::ObjectCache(std::string folder, uint64_t most_bytes) : folder_(std::move(folder)), most_bytes_(most_bytes) {
  while (folder_.size() > 1 && folder_.ends_with('/')) folder_.pop_back();
  problem_ = make_folder(folder_);
}

std::string ObjectCache::default_folder() {
  const auto variable = [](const char* name) {
    const char* v = std::getenv(name);
    return std::string(v ? v : "");
  };
  if (const std::string base = variable("XDG_CACHE_HOME"); base.starts_with('/')) return base + "/ricci";
  const std::string home = variable("HOME");
  return home.empty() ? "" : home + "/.cache/ricci";
}

std::string ObjectCache::key(std::span<const std::string_view> texts) { return llvm::toHex(digest(texts), true); }

std::string ObjectCache::path(const std::string& key) const { return fmt::format("{}/{}{}", folder_, key, kSuffix); }

std::optional<std::string> ObjectCache::find(const std::string& key) {
  if (!problem_.empty()) return std::nullopt;
  const File file(::open(path(key).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file) return ++misses_, std::nullopt;
  const std::string entry = file.read_all();
  const std::string_view header = std::string_view(entry).substr(0, std::min(entry.size(), kHeader));
  const std::string_view object = std::string_view(entry).substr(header.size());
  if (header != std::string(kMagic) + checksum(key, object)) {
    ::unlink(path(key).c_str());
    return ++damaged_, std::nullopt;
  }
  ::futimens(file.get(), nullptr);  // used now: goes last
  return ++hits_, std::string(object);
}

// A cache that cannot be written to is no error: the next process compiles again.
void ObjectCache::store(const std::string& key, std::string_view object) {
  if (!problem_.empty()) return;
  std::string name = path(key) + ".XXXXXX";
  File file(::mkostemp(name.data(), O_CLOEXEC));
  if (!file) return;
  const bool written = file.write_all(kMagic) && file.write_all(checksum(key, object)) && file.write_all(object);
  if (!file.close() || !written || ::rename(name.c_str(), path(key).c_str()) != 0) ::unlink(name.c_str());
  evict();
}

// Down to three quarters, so that not every store has to look for the oldest.
void ObjectCache::evict() {
  struct Entry {
    fs::file_time_type used;
    uint64_t size;
    fs::path path;
  };
  std::vector<Entry> entries;
  uint64_t total = 0;
  std::error_code error;
  for (fs::directory_iterator at(folder_, error), end; !error && at != end; at.increment(error)) {
    if (!is_entry(at->path().filename().native())) continue;
    std::error_code gone;  // another process may be evicting, too
    const uint64_t size = at->file_size(gone);
    if (gone) continue;
    entries.push_back({at->last_write_time(gone), size, at->path()});
    total += size;
  }
  if (total <= most_bytes_) return;
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return std::tie(a.used, a.path) < std::tie(b.used, b.path); });
  for (const Entry& e : entries) {
    if (total <= most_bytes_ / 4 * 3) break;
    fs::remove(e.path, error);
    total -= e.size;
  }
}

}  // namespace ricci
