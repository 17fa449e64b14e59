// Prints the results of all(a, X) row by row, as ricci run does.
#include HEADER
#include <cstdio>

void print(const Eigen::VectorXd& row) {
  for (Eigen::Index i = 0; i < row.size(); ++i) std::printf("%s%.10g", i == 0 ? "[" : ", ", row(i));
  std::printf("]\n");
}
template <int R>
void print(const Eigen::Tensor<double, R>& t) {
  if constexpr (R == 1) print(Eigen::VectorXd(Eigen::Map<const Eigen::VectorXd>(t.data(), t.size())));
  else
    for (Eigen::Index i = 0; i < t.dimension(0); ++i) print(Eigen::Tensor<double, R - 1>(t.chip(i, 0)));
}

int main() {
  const auto r = all((Eigen::MatrixXd(2, 3) << 1, 2.5, -1, 3, 0.5, 3).finished(), Eigen::Matrix2d{{1, 0.5}, {0.25, 2}});
  print(r.f), print(r.g), print(r.h), print(r.u), print(r.G), print(r.H), print(r.E), print(r.L), print(r.Q), print(r.S), print(r.C), print(r.T);
}
