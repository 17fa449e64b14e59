#include <stdio.h>

#include POLY_HEADER

int main(void) {
  const double x = 3;
  double y = 0;
  const double* in[] = {&x};
  double* out[] = {&y};
  _Alignas(64) char work[4096];
  int status = poly(in, out, NULL, work);
  printf("status %d, y = %g\n", status, y);
  return status;
}
