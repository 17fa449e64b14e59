// The addresses of the kernels: what the JIT may resolve.
#include "runtime/kernels.h"

namespace ricci::rt {

std::span<const KernelSymbol> kernel_symbols() {
  static const KernelSymbol symbols[] = {
#define RICCI_KERNEL(name, ...) \
  {"ricci_" #name, reinterpret_cast<void*>(&f64::ricci_##name)}, {"ricci_" #name "f", reinterpret_cast<void*>(&f32::ricci_##name##f)},
#include "runtime/kernels.def"
#undef RICCI_KERNEL
  };
  return symbols;
}

}  // namespace ricci::rt
