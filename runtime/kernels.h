// The kernels that compiled programs call: dense products, factorisations, and the functions without an index form.
//
// runtime/kernels.def is the only list of them. It declares the C functions below, and `kKernels` has the same rows as data, from which
// the JIT's symbol list, LLVM declarations and emitted prototypes are made. No kernel allocates: scratch is the caller's.
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace ricci::rt {

// The functions: ricci_gemm(...) and its float twin ricci_gemmf(...). `T` is a name inside each block only.
extern "C" {
#define RICCI_KERNEL(name, result, work2, work1, work0, ...) RICCI_DECLARE(name, result, __VA_ARGS__)
namespace f64 {
using T = double;
#define RICCI_DECLARE(name, result, ...) result ricci_##name(__VA_ARGS__);
#include "runtime/kernels.def"
#undef RICCI_DECLARE
}  // namespace f64
namespace f32 {
using T = float;
#define RICCI_DECLARE(name, result, ...) result ricci_##name##f(__VA_ARGS__);
#include "runtime/kernels.def"
#undef RICCI_DECLARE
}  // namespace f32
#undef RICCI_KERNEL
}

// What a parameter of a kernel is.
enum class Parameter : uint8_t {
  Int,     // int64_t: a size, a stride or a flag
  Scalar,  // T by value
  In,      // const T*
  Out,     // T*
  Work,    // T*, scratch
};

struct KernelRow {
  std::string_view name;        // "gemm"; the symbols are ricci_gemm and ricci_gemmf
  std::string_view result;      // "int" (a status) or "T"
  int64_t work2, work1, work0;  // scratch: work2*n^2 + work1*n + work0 elements
  std::string_view parameters;  // "int64_t n, const T* a, ..."
};

inline constexpr KernelRow kKernels[] = {
#define RICCI_KERNEL(name, result, work2, work1, work0, ...) {#name, #result, work2, work1, work0, #__VA_ARGS__},
#include "runtime/kernels.def"
#undef RICCI_KERNEL
};

constexpr const KernelRow* find_kernel(std::string_view name) {
  for (const KernelRow& row : kKernels)
    if (row.name == name) return &row;
  return nullptr;
}

// A kernel's symbol and address, for the JIT.
struct KernelSymbol {
  std::string_view symbol;  // "ricci_gemmf"
  void* address;
};
std::span<const KernelSymbol> kernel_symbols();

// The k-th parameter of a row is what its C type says; only the scratch is known by its name.
constexpr Parameter classify(std::string_view parameter) {
  if (parameter.starts_with("int64_t")) return Parameter::Int;
  if (parameter.starts_with("const T*")) return Parameter::In;
  if (parameter == "T* work") return Parameter::Work;
  return parameter.starts_with("T*") ? Parameter::Out : Parameter::Scalar;
}

// The parameters of a kernel in order, and how many there are.
struct Signature {
  std::array<Parameter, 20> parameters = {};
  std::array<std::string_view, 20> names = {};
  size_t count = 0;
};
constexpr Signature signature(std::string_view text) {
  Signature s;
  while (!text.empty()) {
    std::string_view one = text.substr(0, text.find(','));
    text.remove_prefix(one.size() == text.size() ? one.size() : one.size() + 2);
    s.parameters[s.count] = classify(one);
    s.names[s.count++] = one.substr(one.rfind(' ') + 1);
  }
  return s;
}

constexpr int64_t work_size(const KernelRow& row, int64_t n) { return row.work2 * n * n + row.work1 * n + row.work0; }

// Elements that a factorisation of an n x n matrix takes.
constexpr int64_t factor_size(int64_t n) { return n * n + n; }

// Scratch that gemm really uses for these sizes: at most its table entry.
int64_t gemm_work(int64_t m, int64_t n, int64_t k);

}  // namespace ricci::rt
