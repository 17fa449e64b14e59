// Prints the results of kinks(x, y) as ricci run does.
#include HEADER
#include <cstdio>

void print(const Eigen::VectorXd& row) {
  for (Eigen::Index i = 0; i < row.size(); ++i) std::printf("%s%.10g", i == 0 ? "[" : ", ", row(i));
  std::printf("]\n");
}

int main() {
  const auto r = kinks(Eigen::Vector3d(0, 0, 0), Eigen::Vector3d(2, 2, 1));
  print(r.a), print(r.b), print(r.c), print(r.d), print(r.h), print(r.q);
}
