// Calling compiled code where every array ends, or begins, at a page that may not be touched: what is out of bounds is caught and reported.
#pragma once
#include <csetjmp>
#include <csignal>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <sys/mman.h>
#include <unistd.h>

namespace ricci::fuzz {

// Memory right before an inaccessible page, or right behind one.
class GuardedMemory {
 public:
  GuardedMemory(size_t bytes, size_t alignment, bool guard_behind) : bytes_(bytes) {
    const size_t page = size_t(sysconf(_SC_PAGESIZE)), rounded = (bytes + alignment - 1) / alignment * alignment;
    mapped_ = (rounded + page - 1) / page * page + 2 * page;
    base_ = static_cast<char*>(mmap(nullptr, mapped_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    if (base_ == MAP_FAILED) throw std::bad_alloc();
    if (rounded > 0) mprotect(base_ + page, mapped_ - 2 * page, PROT_READ | PROT_WRITE);
    data_ = guard_behind ? base_ + mapped_ - page - rounded : base_ + page;
    std::memset(data_, 0x7f, bytes);  // large numbers: what is read before it is written shows
  }
  ~GuardedMemory() { munmap(base_, mapped_); }
  GuardedMemory(const GuardedMemory&) = delete;
  GuardedMemory& operator=(const GuardedMemory&) = delete;
  void* data() const { return data_; }

 private:
  size_t bytes_, mapped_;
  char *base_, *data_;
};

namespace detail {
inline thread_local sigjmp_buf before_call;
inline void leave_call(int) { siglongjmp(before_call, 1); }
}  // namespace detail

// The results and the status of one call of the raw ABI. `wanted[o]` false passes NULL for result o and leaves it empty. Throws
// std::runtime_error if memory beyond the arrays is touched.
template <class T>
struct GuardedCall {
  std::vector<std::vector<T>> out;
  int status = 0;

  template <class Function>
  GuardedCall(const Function& f, const std::vector<std::vector<T>>& in, const std::vector<size_t>& sizes, const std::vector<bool>& wanted,
              const std::vector<int64_t>& dims, bool guard_behind) {
    std::vector<std::unique_ptr<GuardedMemory>> memory;
    auto take = [&](size_t bytes, size_t alignment) {
      return static_cast<T*>(memory.emplace_back(std::make_unique<GuardedMemory>(bytes, alignment, guard_behind))->data());
    };
    std::vector<const T*> ins;
    std::vector<T*> outs;
    for (const std::vector<T>& a : in) {
      T* p = take(a.size() * sizeof(T), sizeof(T));
      std::copy(a.begin(), a.end(), p);
      ins.push_back(p);
    }
    for (size_t o = 0; o < sizes.size(); ++o) outs.push_back(wanted[o] ? take(sizes[o] * sizeof(T), sizeof(T)) : nullptr);
    void* work = take(f.work_bytes(dims.data()), 64);

    struct sigaction catching = {}, was = {};
    catching.sa_handler = detail::leave_call;
    sigaction(SIGSEGV, &catching, &was);
    const bool outside = sigsetjmp(detail::before_call, 1) != 0;
    if (!outside) status = f(ins.data(), outs.data(), dims.empty() ? nullptr : dims.data(), work);
    sigaction(SIGSEGV, &was, nullptr);
    if (outside) throw std::runtime_error("memory outside the arrays was touched");
    for (size_t o = 0; o < sizes.size(); ++o) wanted[o] ? out.emplace_back(outs[o], outs[o] + sizes[o]) : out.emplace_back();
  }
};

}  // namespace ricci::fuzz
