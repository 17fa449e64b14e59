// Prints the results of all(x, y) as ricci run does.
#include HEADER
#include <cstdio>

void print(const Eigen::VectorXd& row) {
  for (Eigen::Index i = 0; i < row.size(); ++i)
    if (std::isnan(row(i))) std::printf("%snan", i == 0 ? "[" : ", ");
    else std::printf("%s%.10g", i == 0 ? "[" : ", ", row(i));
  std::printf("]\n");
}

int main() {
  const auto r = all(Eigen::Vector3d(-0.0, 5, NAN), Eigen::Vector3d(INFINITY, 0, 1));
  print(r.f), print(r.g), print(r.h), print(r.u);
}
