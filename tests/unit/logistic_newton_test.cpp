// The example's fit against a Newton iteration written by hand with Eigen, in long double.
#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <array>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace {

using Real = long double;
using Matrix = Eigen::Matrix<Real, Eigen::Dynamic, Eigen::Dynamic>;
using Vector = Eigen::Matrix<Real, Eigen::Dynamic, 1>;

// The minimum over w of sum log(1 + exp(-y x'w)) + w'w/2 with standardised features and a constant.
Real minimum(const std::string& path) {
  std::ifstream file(path);
  std::string line, field;
  std::getline(file, line);
  std::vector<std::vector<Real>> rows;
  while (std::getline(file, line)) {
    rows.emplace_back();
    for (std::istringstream fields(line); std::getline(fields, field, ',');) rows.back().push_back(std::stold(field));
  }
  const Eigen::Index m = Eigen::Index(rows.size()), n = Eigen::Index(rows[0].size());
  Matrix X = Matrix::Ones(m, n);
  Vector y(m);
  for (Eigen::Index j = 0; j < n - 1; ++j) {
    Real mean = 0, variance = 0;
    for (const auto& r : rows) mean += r[size_t(j)] / Real(m);
    for (const auto& r : rows) variance += (r[size_t(j)] - mean) * (r[size_t(j)] - mean) / Real(m);
    for (Eigen::Index i = 0; i < m; ++i) X(i, j) = (rows[size_t(i)][size_t(j)] - mean) / std::sqrt(variance);
  }
  for (Eigen::Index i = 0; i < m; ++i) y[i] = rows[size_t(i)].back() == 1 ? 1 : -1;

  Vector w = Vector::Zero(n);
  for (int step = 0; step < 30; ++step) {
    Vector g = w;
    Matrix H = Matrix::Identity(n, n);
    for (Eigen::Index i = 0; i < m; ++i) {
      const Vector x = X.row(i);
      const Real p = 1 / (1 + std::exp(y[i] * x.dot(w)));
      g -= p * y[i] * x;
      H += p * (1 - p) * x * x.transpose();
    }
    w -= H.ldlt().solve(g);
  }
  Real f = w.squaredNorm() / 2;
  for (Eigen::Index i = 0; i < m; ++i) f += std::log1p(std::exp(-y[i] * X.row(i).dot(w)));
  return f;
}

std::string output_of(const std::string& command) {
  std::string text;
  std::array<char, 4096> buffer;
  FILE* pipe = popen(command.c_str(), "r");
  while (pipe && std::fgets(buffer.data(), int(buffer.size()), pipe)) text += buffer.data();
  EXPECT_TRUE(pipe && pclose(pipe) == 0) << command;
  return text;
}

TEST(LogisticNewton, FindsTheMinimumOfTheHandWrittenMethod) {
  const std::string data = RICCI_SOURCE_DIR "/examples/data/breast_cancer.csv";
  const std::string text = output_of(RICCI_BINARY_DIR "/bin/logistic_newton " RICCI_SOURCE_DIR "/examples/logistic.ricci " + data);
  const size_t at = text.find("objective ");
  ASSERT_NE(at, std::string::npos) << text;
  const double found = std::stod(text.substr(at + 10)), expected = double(minimum(data));
  EXPECT_NEAR(found, expected, 1e-10 * expected);
  EXPECT_NE(text.find("accuracy  98"), std::string::npos) << text;
}

}  // namespace
