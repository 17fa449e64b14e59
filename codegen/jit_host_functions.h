// A call of a compiled function with the host's functions behind C entries: one object a call in being, kept for the next.
#pragma once
#include <exception>
#include <span>
#include <vector>

#include "ricci/ricci.h"

namespace ricci::host {

class HostCalls {
 public:
  // For one call; `functions` in the order of meta.functions, and alive until it is over.
  const ricci_function* bind(const ricci_meta& meta, std::span<const HostFunction> functions);
  // What a function threw, if one did.
  void rethrow();

 private:
  struct Slot {
    const HostFunction* function = nullptr;
    const ricci_function_meta* meta = nullptr;
    std::exception_ptr* failure = nullptr;
    std::vector<View<const double>> in = {};
    std::vector<double> doubles = {};  // of the arrays of a float function
  };
  template <class T>
  static int enter(void* slot, const T* const* in, T* out, const int64_t* sizes);
  std::vector<Slot> slots_;
  std::vector<ricci_function> table_;
  std::exception_ptr failure_;
};

}  // namespace ricci::host
