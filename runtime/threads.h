// The threads that kernels divide their work over.
//
// Results do not depend on how many there are: work is divided either so that no entry's sum is cut, or into parts fixed by the sizes
// alone, whose sums are added in order. A kernel allocates nothing: threads and their scratch are made when the host asks for them.
#pragma once
#include <atomic>
#include <cstdint>

namespace ricci::rt {

// From now on kernels use `count` threads, the caller's among them; 0 is one per CPU that this process may use, 1 (as at the start) only
// the caller's. Waits for calls in being. The fewer that can be had are had.
void set_threads(int count);
int threads();

// task(context, part, scratch) for every part in [0, parts), each once, started in this order; returns when all are done. The scratch is
// the thread's own, RICCI_GEMM_WORK doubles; on the calling thread it is `scratch`. If the threads are at work for another caller, or there
// are none, the caller does it all. Tasks see the caller's floating-point environment and throw nothing.
using Task = void (*)(void* context, int64_t part, void* scratch);
void run_parts(int64_t parts, Task task, void* context, void* scratch);

template <class T, class F>
void run_parts(int64_t parts, T* scratch, F&& f) {
  run_parts(
      parts, [](void* context, int64_t part, void* own) { (*static_cast<F*>(context))(part, static_cast<T*>(own)); }, &f, scratch);
}

// Lets parts that run at the same time end one after the other, in order.
class Turns {
 public:
  void await(int64_t part) const {
    for (int64_t now; (now = next_.load(std::memory_order_acquire)) != part;) next_.wait(now, std::memory_order_acquire);
  }
  void pass(int64_t part) {
    next_.store(part + 1, std::memory_order_release);
    next_.notify_all();
  }

 private:
  std::atomic<int64_t> next_ = 0;
};

}  // namespace ricci::rt
