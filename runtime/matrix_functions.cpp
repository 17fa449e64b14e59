// The matrix functions against the tuned dense kernels: their text is runtime/portable_matrix_functions.h, once for each scalar.
#include <math.h>
#include <cstdint>

#include "runtime/kernels.h"

namespace ricci::rt {

#define RICCI_KERNEL(...)
#include "runtime/kernels.def"
#undef RICCI_KERNEL
static_assert(RICCI_GEMM_WORK == 163840, "behind_gemm() says the same");

namespace {

// What the text calls by other names than the C functions bear.
#define RICCI_DENSE(T, prefix, suffix)                                                                                                       \
  inline int prefix##gemm(int64_t m, int64_t n, int64_t k, T alpha, const T* a, int64_t ars, int64_t acs, const T* b, int64_t brs,         \
                          int64_t bcs, T beta, T* c, int64_t crs, int64_t ccs, T* work) {                                                   \
    return ricci_gemm##suffix(m, n, k, alpha, a, ars, acs, b, brs, bcs, beta, c, crs, ccs, work);                                           \
  }                                                                                                                                         \
  inline int prefix##lu(int64_t n, const T* a, int64_t ars, int64_t acs, T* factor, T* work) {                                              \
    return ricci_lu##suffix(n, a, ars, acs, factor, work);                                                                                  \
  }                                                                                                                                         \
  inline int prefix##lu_solve(int64_t n, int64_t k, int64_t transposed, const T* factor, const T* b, int64_t brs, int64_t bcs, T* x,       \
                              int64_t xrs, int64_t xcs, T* work) {                                                                          \
    return ricci_lu_solve##suffix(n, k, transposed, factor, b, brs, bcs, x, xrs, xcs, work);                                                \
  }
namespace f64_text {
using f64::ricci_gemm, f64::ricci_lu, f64::ricci_lu_solve;
RICCI_DENSE(double, text64_, )
#define REAL double
#define KERNEL(name) text64_##name
#include "runtime/portable_matrix_functions.h"
#undef REAL
#undef KERNEL
}  // namespace f64_text
namespace f32_text {
using f32::ricci_gemmf, f32::ricci_luf, f32::ricci_lu_solvef;
RICCI_DENSE(float, text32_, f)
#define REAL float
#define KERNEL(name) text32_##name
#include "runtime/portable_matrix_functions.h"
#undef REAL
#undef KERNEL
}  // namespace f32_text

}  // namespace

#define RICCI_MATRIX_TO_MATRIX(T, name, twin, text)                                                                        \
  int ricci_##twin(int64_t n, const T* a, int64_t ars, int64_t acs, T* x, int64_t xrs, int64_t xcs, T* work) {             \
    return text##name(n, a, ars, acs, x, xrs, xcs, work);                                                                  \
  }
#define RICCI_TRIANGLE(T, name, twin, text)                                                                                \
  int ricci_##twin(int64_t m, int64_t n, const T* a, int64_t ars, int64_t acs, T* x, int64_t xrs, int64_t xcs) {           \
    return text##name(m, n, a, ars, acs, x, xrs, xcs);                                                                     \
  }
#define RICCI_TWINS(T, text, f)                                                                                            \
  RICCI_MATRIX_TO_MATRIX(T, expm, expm##f, text)                                                                           \
  RICCI_MATRIX_TO_MATRIX(T, logm, logm##f, text)                                                                           \
  RICCI_MATRIX_TO_MATRIX(T, sqrtm, sqrtm##f, text)                                                                         \
  RICCI_MATRIX_TO_MATRIX(T, sinm, sinm##f, text)                                                                           \
  RICCI_MATRIX_TO_MATRIX(T, cosm, cosm##f, text)                                                                           \
  RICCI_TRIANGLE(T, triu, triu##f, text)                                                                                   \
  RICCI_TRIANGLE(T, tril, tril##f, text)                                                                                   \
  int ricci_pinv##f(int64_t m, int64_t n, const T* a, int64_t ars, int64_t acs, T* x, int64_t xrs, int64_t xcs, T* work) { \
    return text##pinv(m, n, a, ars, acs, x, xrs, xcs, work);                                                               \
  }                                                                                                                        \
  int ricci_eigmax##f(int64_t n, const T* a, int64_t ars, int64_t acs, T* value, T* work) {                                \
    return text##eigmax(n, a, ars, acs, value, work);                                                                      \
  }                                                                                                                        \
  int ricci_eigvecmax##f(int64_t n, const T* a, int64_t ars, int64_t acs, T* x, int64_t xs, T* work) {                     \
    return text##eigvecmax(n, a, ars, acs, x, xs, work);                                                                   \
  }

extern "C" {
namespace f64 {
RICCI_TWINS(double, f64_text::text64_, )
}
namespace f32 {
RICCI_TWINS(float, f32_text::text32_, f)
}
}

}  // namespace ricci::rt
