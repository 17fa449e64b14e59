// Compiled code is C: an exception is caught where the host's function ends, and goes on where the compiled one has returned.
#define RICCI_COMPILER
#include "codegen/jit_host_functions.h"

#include <algorithm>
#include <utility>

namespace ricci::host {

const ricci_function* HostCalls::bind(const ricci_meta& meta, std::span<const HostFunction> functions) {
  failure_ = nullptr;
  slots_.resize(std::max(slots_.size(), functions.size()));
  table_.clear();
  for (size_t k = 0; k < functions.size(); ++k) {
    slots_[k].function = &functions[k];
    slots_[k].meta = meta.functions + k;
    slots_[k].failure = &failure_;
    if (functions[k]) table_.push_back({enter<double>, enter<float>, &slots_[k]});
    else table_.push_back({nullptr, nullptr, nullptr});
  }
  return table_.empty() ? nullptr : table_.data();
}

void HostCalls::rethrow() {
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

template <class T>
int HostCalls::enter(void* slot, const T* const* in, T* out, const int64_t* sizes) {
  Slot& s = *static_cast<Slot*>(slot);
  if (*s.failure) return 1;  // the call has failed: nothing more is asked of the host
  try {
    const auto shape = [&](int32_t rank) {
      Extents e;
      for (; rank > 0; --rank) e.push_back(*sizes++);
      return e;
    };
    s.in.clear();
    for (int32_t k = 0; k < s.meta->argument_count; ++k) s.in.push_back({nullptr, shape(s.meta->ranks[k]), {}});
    View<double> result{nullptr, shape(s.meta->ranks[s.meta->argument_count]), {}};
    if constexpr (std::is_same_v<T, double>) {
      for (size_t k = 0; k < s.in.size(); ++k) s.in[k].data = in[k];
      result.data = out;
      (*s.function)(s.in, result);
    } else {
      size_t total = entries(result.shape);
      for (const View<const double>& v : s.in) total += entries(v.shape);
      s.doubles.assign(total, 0);
      double* next = result.data = s.doubles.data();
      next += entries(result.shape);
      for (size_t k = 0; k < s.in.size(); ++k) {
        s.in[k].data = next;
        next = std::copy_n(in[k], entries(s.in[k].shape), next);
      }
      (*s.function)(s.in, result);
      std::transform(result.data, result.data + entries(result.shape), out, [](double x) { return T(x); });
    }
    return 0;
  } catch (...) {
    *s.failure = std::current_exception();
    return 1;
  }
}

}  // namespace ricci::host
