// Ridge logistic regression by Newton's method: the formula is examples/logistic.ricci, and its value, gradient and Hessian come from one
// compiled function, which this program calls through the public C++ interface.
//
//   logistic_newton logistic.ricci breast_cancer.csv
#include <ricci/eigen.h>

#include <Eigen/Dense>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <exception>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace {

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Vector = Eigen::VectorXd;

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// The samples of a table whose first line is a header and whose last column is a label 0 or 1: features standardised to mean 0 and variance
// 1 with a column of ones behind them, labels as -1 and 1.
struct Samples {
  Matrix X;
  Vector y;
};
Samples read_samples(const std::string& path) {
  std::ifstream file(path);
  std::string line, field;
  std::vector<double> numbers;
  Eigen::Index rows = 0;
  for (std::getline(file, line); std::getline(file, line); ++rows)
    for (std::istringstream fields(line); std::getline(fields, field, ',');) numbers.push_back(std::stod(field));
  if (rows == 0) throw ricci::Error("no samples in " + path);
  const Eigen::Index columns = Eigen::Index(numbers.size()) / rows;
  const Eigen::Map<const Matrix> table(numbers.data(), rows, columns);
  Samples s{table, 2 * table.col(columns - 1).array() - 1};
  for (Eigen::Index j = 0; j + 1 < columns; ++j) {
    const Vector centred = s.X.col(j).array() - s.X.col(j).mean();
    s.X.col(j) = centred / std::sqrt(centred.squaredNorm() / double(rows));
  }
  s.X.col(columns - 1).setOnes();
  return s;
}

void fit(const std::string& formula, const std::string& table) {
  const double start = now();
  const ricci::Function loss = ricci::Program::read(formula).compile("loss");
  std::printf("compiled in %.0f ms\n", 1e3 * (now() - start));

  const Samples s = read_samples(table);
  const Eigen::Index n = s.X.cols();
  const double lambda = 1;
  Vector w = Vector::Zero(n), g(n);
  Matrix H(n, n);
  double f;
  std::printf("%4s %22s %12s %10s\n", "step", "value", "|gradient|", "time");
  for (int step = 0; step <= 50; ++step) {
    const double begin = now();
    loss({w, s.X, s.y, lambda}, {f, g, H});
    const double seconds = now() - begin;
    std::printf("%4d %22.15g %12.3e %7.1f us\n", step, f, g.norm(), 1e6 * seconds);
    if (g.norm() < 1e-12 * std::max(1.0, f)) break;
    const Vector direction = -H.llt().solve(g);
    double length = 1, trial = 0;  // halved until the value falls enough (Armijo)
    for (; length > 1e-10; length /= 2) {
      loss({Vector(w + length * direction), s.X, s.y, lambda}, {trial, nullptr, nullptr});
      if (trial <= f + 1e-4 * length * g.dot(direction) + 1e-14 * std::abs(f)) break;
    }
    w += length * direction;
  }

  const auto right = ((s.X * w).array() * s.y.array() > 0).count();
  std::printf("objective %.17g\naccuracy  %.1f %% (%td of %td samples)\n", f, 100.0 * double(right) / double(s.y.size()), right,
              s.y.size());

  std::vector<double> times(201);
  for (double& t : times) {
    const double begin = now();
    loss({w, s.X, s.y, lambda}, {f, g, H});
    t = now() - begin;
  }
  std::nth_element(times.begin(), times.begin() + 100, times.end());
  std::printf("time      %.1f us for value, gradient and Hessian (median of 201 calls)\n", 1e6 * times[100]);
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 3) {
    std::fprintf(stderr, "usage: logistic_newton FORMULA.ricci TABLE.csv\n");
    return 2;
  }
  try {
    fit(arguments[1], arguments[2]);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
}
