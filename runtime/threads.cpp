// One job at a time: whoever holds `running_` owns the workers. They sleep on the number of the job, take parts by counting up, and the
// last to leave wakes the caller.
#include "runtime/threads.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cfenv>
#include <condition_variable>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>
#include <vector>

#include "ricci/abi.h"
#include "runtime/kernels.h"

namespace ricci::rt {
namespace {

int available_cpus() {
  cpu_set_t set;
  return ::sched_getaffinity(0, sizeof set, &set) == 0 ? std::max(1, CPU_COUNT(&set)) : 1;
}

struct Free {
  void operator()(void* p) const { std::free(p); }
};
using Scratch = std::unique_ptr<void, Free>;

class Pool {
 public:
  int count() const { return count_.load(std::memory_order_relaxed); }

  void resize(int count) {
    const std::lock_guard owner(running_);
    end_workers();
    for (int k = 1; k < count; ++k) {
      Scratch scratch(std::aligned_alloc(64, RICCI_GEMM_WORK * sizeof(double)));
      if (!scratch) break;
      try {
        workers_.emplace_back([this, last = job_, own = std::move(scratch)] { work(last, own.get()); });
      } catch (const std::system_error&) {
        break;
      }
    }
    process_ = ::getpid();
    count_ = int(workers_.size()) + 1;
  }

  void run(int64_t parts, Task task, void* context, void* scratch) {
    static thread_local bool inside = false;  // of a task that is run by this function
    if (parts < 2 || count() == 1 || inside) return run_alone(parts, task, context, scratch);
    const std::unique_lock owner(running_, std::try_to_lock);
    // After fork() the child has no workers.
    if (!owner || workers_.empty() || process_ != ::getpid()) return run_alone(parts, task, context, scratch);
    inside = true;
    {
      const std::lock_guard guard(lock_);
      task_ = task;
      context_ = context;
      parts_ = parts;
      next_ = 0;
      busy_ = int(workers_.size());
      std::fegetenv(&environment_);
      ++job_;
    }
    start_.notify_all();
    take_parts(scratch);
    inside = false;
    std::unique_lock guard(lock_);
    done_.wait(guard, [&] { return busy_ == 0; });
  }

 private:
  static void run_alone(int64_t parts, Task task, void* context, void* scratch) {
    for (int64_t part = 0; part < parts; ++part) task(context, part, scratch);
  }

  void take_parts(void* scratch) {
    for (int64_t part; (part = next_.fetch_add(1, std::memory_order_relaxed)) < parts_;) task_(context_, part, scratch);
  }

  void work(uint64_t last, void* scratch) {
    std::unique_lock guard(lock_);
    for (;;) {
      start_.wait(guard, [&] { return job_ != last || ending_; });
      if (ending_) return;
      last = job_;
      std::fesetenv(&environment_);
      guard.unlock();
      take_parts(scratch);
      guard.lock();
      if (--busy_ == 0) done_.notify_one();
    }
  }

  void end_workers() {
    {
      const std::lock_guard guard(lock_);
      ending_ = true;
    }
    start_.notify_all();
    for (std::thread& t : workers_) t.join();
    workers_.clear();
    ending_ = false;
  }

  std::mutex running_, lock_;
  std::condition_variable start_, done_;
  std::vector<std::thread> workers_;
  std::atomic<int> count_ = 1;
  pid_t process_ = 0;
  uint64_t job_ = 0;
  bool ending_ = false;
  int busy_ = 0;
  Task task_ = nullptr;
  void* context_ = nullptr;
  int64_t parts_ = 0;
  std::atomic<int64_t> next_ = 0;
  std::fenv_t environment_ = {};
};

// Never taken down: compiled functions may be called while the process ends.
Pool& pool() {
  static Pool& only = *new Pool;
  return only;
}

}  // namespace

void set_threads(int count) { pool().resize(count > 0 ? count : available_cpus()); }
int threads() { return pool().count(); }
void run_parts(int64_t parts, Task task, void* context, void* scratch) { pool().run(parts, task, context, scratch); }

}  // namespace ricci::rt

extern "C" void ricci_set_threads(int32_t count) { ricci::rt::set_threads(count); }
