#include HEADER
#include <cstdio>

int main() {
  const auto r = [](const Eigen::VectorXd& x) -> Eigen::VectorXd { return Eigen::Vector2d(10 * (x(1) - x(0) * x(0)), 1 - x(0)); };
  const auto Dr = [](const Eigen::VectorXd& x) { return Eigen::MatrixXd((Eigen::MatrixXd(2, 2) << -20 * x(0), 10, -1, 0).finished()); };
  const Eigen::VectorXd first = step(Eigen::Vector2d(-1.2, 1), r, Dr), second = step(first, r, Dr);
  std::printf("[ %.0f.   %.2f] [%.0f. %.0f.]\n", first(0), first(1), second(0), second(1));
}
