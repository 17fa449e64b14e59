/* A C (and C++) program that calls an emitted object through its emitted header: raw, by name, and checked.
 * The function: least_squares(A, b, x) -> f, g with f = norm2(A*x - b)^2 and g its gradient; S = solve(A'*A, g). */
#include "least_squares.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures = 0;
static void expect(int condition, const char* what) {
  if (!condition) {
    printf("wrong: %s\n", what);
    ++failures;
  }
}

int main(void) {
  const double A[] = {1, 2, 3, 4, 5, 7}, b[] = {1, 0, -1}, x[] = {0.5, -1}; /* A*x - b = (-2.5, -2.5, -3.5) */
  const int64_t dims[] = {3, 2};
  const double* in[3];
  double f = 0, g[2], S[2];
  double* out[3];
  const size_t bytes = least_squares_work_bytes(dims);
  void* work = aligned_alloc(64, (bytes + 64) / 64 * 64);

  in[least_squares_in_A] = A;
  in[least_squares_in_b] = b;
  in[least_squares_in_x] = x;
  out[least_squares_out_f] = &f;
  out[least_squares_out_g] = g;
  out[least_squares_out_S] = S;
  expect(least_squares(in, out, dims, work) == RICCI_OK, "status of the raw call");
  expect(fabs(f - 24.75) < 1e-12, "f");
  expect(fabs(g[0] + 55) < 1e-12 && fabs(g[1] + 79) < 1e-12, "g");

  f = 0;
  expect(least_squares_call(A, b, x, &f, NULL, NULL, 3, 2, work) == RICCI_OK, "status of the typed call");
  expect(fabs(f - 24.75) < 1e-12, "f by the typed call");

  { /* checked: A is given in Fortran order */
    const double columns[] = {1, 3, 5, 2, 4, 7};
    const int64_t shape[] = {3, 2}, strides[] = {1, 3}, three[] = {3}, two[] = {2};
    struct ricci_array arrays[3], results[3];
    struct ricci_report report;
    size_t needed;
    void* room;
    memset(results, 0, sizeof results);
    arrays[0].data = (void*)columns, arrays[0].dtype = RICCI_F64, arrays[0].rank = 2, arrays[0].shape = shape, arrays[0].strides = strides;
    arrays[1].data = (void*)b, arrays[1].dtype = RICCI_F64, arrays[1].rank = 1, arrays[1].shape = three, arrays[1].strides = NULL;
    arrays[2].data = (void*)x, arrays[2].dtype = RICCI_F64, arrays[2].rank = 1, arrays[2].shape = two, arrays[2].strides = NULL;
    results[0].data = &f;
    needed = ricci_call_work_bytes(&least_squares_meta, arrays, results);
    room = aligned_alloc(64, (needed + 64) / 64 * 64);
    f = 0;
    expect(ricci_call(&least_squares_meta, arrays, 3, results, 3, room, needed, &report) == RICCI_OK, report.message);
    expect(fabs(f - 24.75) < 1e-12, "f by the checked call");
    arrays[2].shape = three;
    expect(ricci_call(&least_squares_meta, arrays, 3, results, 3, room, needed, &report) == RICCI_SHAPE, "a wrong shape");
    expect(report.argument == 2, "the array at fault");
    free(room);
  }
  expect(least_squares_meta.struct_size == sizeof(struct ricci_meta) && least_squares_meta.argument_count == 3, "metadata");
  expect(strcmp(least_squares_meta.dims[least_squares_dim_n], "n") == 0, "names of dimensions");
  free(work);
  return failures;
}
