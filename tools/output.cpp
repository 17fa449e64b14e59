// A reader of the destination sees the old file or the new one, never half of either: rename(2) is atomic.
#include "tools/output.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <vector>

#include "tools/tensor_file.h"

namespace ricci {
namespace {

char partial[4096];  // the temporary file in being, for the signal handler

[[noreturn]] void fail(const std::string& path) { throw FileError(fmt::format("{}: {}", path, std::strerror(errno))); }

bool write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t n = ::write(file, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes.remove_prefix(size_t(n));
  }
  return true;
}

bool is_special(const std::string& path) {  // /dev/null, a pipe: nothing to rename
  struct stat status;
  return ::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode);
}

}  // namespace

void discard_partial_output() noexcept {
  if (partial[0]) ::unlink(partial);
}

void write_output(const std::string& path, std::string_view bytes) {
  if (path.empty() || path == "-") {
    if (std::fflush(stdout) != 0 || !write_all(STDOUT_FILENO, bytes)) fail("stdout");
    return;
  }
  if (is_special(path)) {
    int file = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (file < 0) fail(path);
    bool written = write_all(file, bytes);
    if (::close(file) != 0 || !written) fail(path);
    return;
  }
  std::string name = path + ".XXXXXX";
  std::vector<char> temporary(name.c_str(), name.c_str() + name.size() + 1);
  int file = ::mkostemp(temporary.data(), O_CLOEXEC);
  if (file < 0) fail(path);
  std::snprintf(partial, sizeof partial, "%s", temporary.data());
  mode_t mask = ::umask(0);
  ::umask(mask);
  bool written = write_all(file, bytes) && ::fchmod(file, 0666 & ~mask) == 0;
  if (::close(file) != 0 || !written || ::rename(temporary.data(), path.c_str()) != 0) {
    int reason = errno;
    discard_partial_output();
    partial[0] = 0;
    errno = reason;
    fail(path);
  }
  partial[0] = 0;
}

}  // namespace ricci
