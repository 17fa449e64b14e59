// The slow meaning of a loop program: one statement at a time, every subscript checked. What the back ends are tested against.
#pragma once
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ir/loops.h"

namespace ricci::loops {

struct Outcome {
  int status = 0;      // the largest status of a kernel
  std::string error;   // a subscript or an address out of bounds, an unknown kernel; empty if all is well
};

// A function of the host's: an array per argument, where to write its value, its sizes (sizes_of). Not 0: it failed.
template <class T>
using HostFunction = std::function<int(std::span<const T* const> in, T* out, std::span<const int64_t> sizes)>;

// `in` and `out` have a buffer per input and output in order, laid out as the strides say; outputs that are not `requested` are left alone.
// The workspace starts as NaN. `kernels` are the functions a call may reach, `functions` the host's, in the program's order.
template <class T>
Outcome interpret(const Program& p, std::span<const std::vector<T>> in, std::span<std::vector<T>> out, std::span<const int64_t> dims,
                  std::span<const rt::KernelSymbol> kernels, const std::vector<bool>& requested, std::span<const HostFunction<T>> functions = {});

// All outputs requested.
template <class T>
Outcome interpret(const Program& p, std::span<const std::vector<T>> in, std::span<std::vector<T>> out, std::span<const int64_t> dims,
                  std::span<const rt::KernelSymbol> kernels) {
  return interpret<T>(p, in, out, dims, kernels, std::vector<bool>(out.size(), true));
}

extern template Outcome interpret<double>(const Program&, std::span<const std::vector<double>>, std::span<std::vector<double>>,
                                          std::span<const int64_t>, std::span<const rt::KernelSymbol>, const std::vector<bool>&,
                                          std::span<const HostFunction<double>>);
extern template Outcome interpret<float>(const Program&, std::span<const std::vector<float>>, std::span<std::vector<float>>,
                                         std::span<const int64_t>, std::span<const rt::KernelSymbol>, const std::vector<bool>&,
                                         std::span<const HostFunction<float>>);

}  // namespace ricci::loops
