// Calls a function of the emitted header with sizes that are zero, Eigen's assertions on.
#include <cstdio>

#include HEADER

int main() {
  const Eigen::MatrixXd a(0, 0), b(3, 0);
  const auto r = reductions(a, b, Eigen::VectorXd(0));
  std::printf("%g, %td x %td, %td, %td, %td\n", r.l, r.p.rows(), r.p.cols(), r.d.size(), r.q.size(), r.c.size());
}
