// Smooth functions in the place of those that the host of a compiled function should supply (ir/calls.h): for measuring and for tests.
#pragma once
#include <ricci/abi.h>

#include <deque>
#include <span>
#include <vector>

#include "ir/calls.h"

namespace ricci {

class StandIns {
 public:
  StandIns(const Graph& g, std::span<const CalledFunction> functions);
  StandIns(const StandIns&) = delete;
  StandIns& operator=(const StandIns&) = delete;
  // In the order given; nullptr if there are none.
  const ricci_function* table() const { return table_.empty() ? nullptr : table_.data(); }
  int32_t count() const { return int32_t(table_.size()); }

 private:
  struct Context {
    Symbol symbol;
    std::vector<size_t> ranks;  // of the arguments
  };
  template <class T>
  static int call(void* context, const T* const* in, T* out, const int64_t* sizes);
  std::deque<Context> contexts_;
  std::vector<ricci_function> table_;
};

}  // namespace ricci
