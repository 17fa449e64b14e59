/* The host of gauss_newton.ricci: r(x) = (10*(x2 - x1^2), 1 - x1), whose squares add up to Rosenbrock's function. */
#ifdef STEP_HEADER
#include STEP_HEADER
#endif
#include <stdio.h>

static int r(void* context, const double* const* in, double* out, const int64_t* sizes) {
  const double* x = in[0];
  if (sizes[0] != 2 || sizes[1] != 2) return 1;
  ++*(int*)context;
  out[0] = 10 * (x[1] - x[0] * x[0]);
  out[1] = 1 - x[0];
  return 0;
}
static int Dr(void* context, const double* const* in, double* out, const int64_t* sizes) {
  if (sizes[1] != 2 || sizes[2] != 2) return 1;
  ++*(int*)context;
  out[0] = -20 * in[0][0], out[1] = 10;
  out[2] = -1, out[3] = 0;
  return 0;
}

int main(void) {
  double x[2] = {-1.2, 1}, next[2];
  _Alignas(64) static char work[1 << 22];
  int calls = 0;
  struct ricci_function functions[step_functions] = {0};
  functions[step_function_r].f64 = r;
  functions[step_function_Dr].f64 = Dr;
  functions[step_function_r].context = functions[step_function_Dr].context = &calls;
  const int64_t dims[] = {2, 2};
  if (step_work_bytes(dims) > sizeof work) return 1;
  for (int k = 0; k < 2; ++k) {
    const int status = step_call(x, next, 2, 2, work, functions);
    printf("status %d, x = %.12g %.12g\n", status, next[0], next[1]);
    x[0] = next[0], x[1] = next[1];
  }
  printf("%d calls of %s and %s\n", calls, step_meta.functions[0].name, step_meta.functions[1].name);
  return 0;
}
