// Dense products and factorisations: compiled once per instruction set and chosen by the CPU at the first call.
#include <algorithm>
#include <cstdint>
#include <limits>

#include "runtime/kernels.h"
#include "runtime/threads.h"

namespace ricci::rt {
namespace {

#define RICCI_KERNEL(...)
#include "runtime/kernels.def"
#undef RICCI_KERNEL

enum class Part { All, Lower, Upper };

template <class T>
constexpr T epsilon = std::numeric_limits<T>::epsilon();

// Below these a thread takes longer to wake than to do its share: multiply-adds of a product, entries that are read or written once.
constexpr int64_t kWorthComputing = int64_t(1) << 20, kWorthStreaming = int64_t(1) << 17;
constexpr int64_t kLongSum = 4096;  // entries of a vector of which each thread may have one of its own

// f(begin, end, scratch) on pieces of [0, size), `pieces` for each thread, that begin at multiples of `unit`. It must not matter for the
// result where the range is cut.
template <class T, class F>
void divided(int64_t size, int64_t unit, bool worthwhile, int64_t pieces, T* scratch, F f) {
  const int64_t units = (size + unit - 1) / unit, parts = worthwhile ? std::min(units, pieces * threads()) : 1;
  if (parts < 2) return f(0, size, scratch);
  run_parts(parts, scratch, [&](int64_t part, T* own) {
    f(units * part / parts * unit, std::min(size, units * (part + 1) / parts * unit), own);
  });
}

// The kernels of one instruction set.
template <class T>
struct Dense {
  int (*gemm)(int64_t, int64_t, int64_t, T, const T*, int64_t, int64_t, const T*, int64_t, int64_t, T, T*, int64_t, int64_t, T*);
  int (*lu)(int64_t, const T*, int64_t, int64_t, T*, T*);
  int (*chol)(int64_t, const T*, int64_t, int64_t, T*, T*);
  int (*lu_solve)(int64_t, int64_t, int64_t, const T*, const T*, int64_t, int64_t, T*, int64_t, int64_t, T*);
  int (*chol_solve)(int64_t, int64_t, const T*, const T*, int64_t, int64_t, T*, int64_t, int64_t, T*);
  int (*lu_inv)(int64_t, const T*, T*, int64_t, int64_t, T*);
  int (*chol_inv)(int64_t, const T*, T*, int64_t, int64_t, T*);
};

namespace baseline {
#define RICCI_TARGET
#define RICCI_VECTOR_BYTES 16
#define RICCI_TILE_VECTORS 2
#define RICCI_TILE_COLUMNS 4
#include "runtime/gemm.inc"
// needs gemm.inc
#include "runtime/factorize.inc"
#undef RICCI_TARGET
#undef RICCI_VECTOR_BYTES
#undef RICCI_TILE_VECTORS
#undef RICCI_TILE_COLUMNS
template <class T>
constexpr Dense<T> kernels = {gemm<T>, lu<T>, chol<T>, lu_solve<T>, chol_solve<T>, lu_inv<T>, chol_inv<T>};
}  // namespace baseline

#ifdef __x86_64__
namespace avx2 {
#define RICCI_TARGET __attribute__((target("avx2,fma")))
#define RICCI_VECTOR_BYTES 32
#define RICCI_TILE_VECTORS 2
#define RICCI_TILE_COLUMNS 6
#include "runtime/gemm.inc"
// needs gemm.inc
#include "runtime/factorize.inc"
#undef RICCI_TARGET
#undef RICCI_VECTOR_BYTES
#undef RICCI_TILE_VECTORS
#undef RICCI_TILE_COLUMNS
template <class T>
constexpr Dense<T> kernels = {gemm<T>, lu<T>, chol<T>, lu_solve<T>, chol_solve<T>, lu_inv<T>, chol_inv<T>};
}  // namespace avx2

namespace avx512 {
#define RICCI_TARGET __attribute__((target("avx512f,avx512vl,avx512dq,avx2,fma")))
#define RICCI_VECTOR_BYTES 64
#define RICCI_TILE_VECTORS 3
#define RICCI_TILE_COLUMNS 8
#include "runtime/gemm.inc"
// needs gemm.inc
#include "runtime/factorize.inc"
#undef RICCI_TARGET
#undef RICCI_VECTOR_BYTES
#undef RICCI_TILE_VECTORS
#undef RICCI_TILE_COLUMNS
template <class T>
constexpr Dense<T> kernels = {gemm<T>, lu<T>, chol<T>, lu_solve<T>, chol_solve<T>, lu_inv<T>, chol_inv<T>};
}  // namespace avx512
#endif

template <class T>
const Dense<T>& select() {
#ifdef __x86_64__
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq"))
    return avx512::kernels<T>;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return avx2::kernels<T>;
#endif
  return baseline::kernels<T>;
}

template <class T>
const Dense<T>& dense() {
  static const Dense<T>& chosen = select<T>();
  return chosen;
}

}  // namespace

// Rounded up to the largest tile of any instruction set.
int64_t gemm_work(int64_t m, int64_t n, int64_t k) {
  const auto padded = [](int64_t size, int64_t tile) { return (size + tile - 1) / tile * tile; };
  if (m == 1 || n == 1) return std::min<int64_t>(RICCI_GEMM_WORK, padded(std::max({m, n, k}), 8));
  if (baseline::is_long_sum(m, n, k)) return RICCI_GEMM_WORK;
  const int64_t rows = padded(std::max(m, n), 48);  // a row-major C exchanges the sides
  return std::min<int64_t>(RICCI_GEMM_WORK, 2 * rows * std::min<int64_t>(k, 256));
}

#define RICCI_TWINS(T, f)                                                                                                                 \
  int ricci_gemm##f(int64_t m, int64_t n, int64_t k, T alpha, const T* a, int64_t ars, int64_t acs, const T* b, int64_t brs, int64_t bcs, \
                    T beta, T* c, int64_t crs, int64_t ccs, T* work) {                                                                    \
    return dense<T>().gemm(m, n, k, alpha, a, ars, acs, b, brs, bcs, beta, c, crs, ccs, work);                                            \
  }                                                                                                                                       \
  int ricci_lu##f(int64_t n, const T* a, int64_t ars, int64_t acs, T* factor, T* work) {                                                  \
    return dense<T>().lu(n, a, ars, acs, factor, work);                                                                                   \
  }                                                                                                                                       \
  int ricci_chol##f(int64_t n, const T* a, int64_t ars, int64_t acs, T* factor, T* work) {                                                \
    return dense<T>().chol(n, a, ars, acs, factor, work);                                                                                 \
  }                                                                                                                                       \
  int ricci_lu_solve##f(int64_t n, int64_t k, int64_t transposed, const T* factor, const T* b, int64_t brs, int64_t bcs, T* x,            \
                        int64_t xrs, int64_t xcs, T* work) {                                                                              \
    return dense<T>().lu_solve(n, k, transposed, factor, b, brs, bcs, x, xrs, xcs, work);                                                 \
  }                                                                                                                                       \
  int ricci_chol_solve##f(int64_t n, int64_t k, const T* factor, const T* b, int64_t brs, int64_t bcs, T* x, int64_t xrs, int64_t xcs,    \
                          T* work) {                                                                                                      \
    return dense<T>().chol_solve(n, k, factor, b, brs, bcs, x, xrs, xcs, work);                                                           \
  }                                                                                                                                       \
  int ricci_lu_inv##f(int64_t n, const T* factor, T* x, int64_t xrs, int64_t xcs, T* work) {                                              \
    return dense<T>().lu_inv(n, factor, x, xrs, xcs, work);                                                                               \
  }                                                                                                                                       \
  int ricci_chol_inv##f(int64_t n, const T* factor, T* x, int64_t xrs, int64_t xcs, T* work) {                                            \
    return dense<T>().chol_inv(n, factor, x, xrs, xcs, work);                                                                             \
  }

extern "C" {
namespace f64 {
RICCI_TWINS(double, )
}
namespace f32 {
RICCI_TWINS(float, f)
}
}

}  // namespace ricci::rt
