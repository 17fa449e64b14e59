// The public C++ interface: what a program that includes <ricci/ricci.h> can do, and how it is told what it did wrong.
#include <gtest/gtest.h>
#include <unistd.h>

#include <Eigen/Dense>
#include <array>
#include <atomic>
#include <cmath>
#include <filesystem>
#include <limits>
#include <thread>

#include "ricci/eigen.h"
#include "ricci/ricci.h"

namespace {

constexpr const char* kLeastSquares = R"(
A: matrix(m, n)
b: vector(m)
x: vector(n)
f = norm2(A*x - b)^2
g = grad(f, x)
H = hess(f, x)
export loss(x, A, b) -> f, g, H
)";

struct Host : testing::Test {
  ricci::Program program = ricci::Program::parse(kLeastSquares);
  Eigen::MatrixXd A = Eigen::MatrixXd::Random(5, 3);
  Eigen::VectorXd b = Eigen::VectorXd::Random(5), x = Eigen::VectorXd::Random(3);
  double f_expected = (A * x - b).squaredNorm();
  Eigen::VectorXd g_expected = 2 * A.transpose() * (A * x - b);
  Eigen::MatrixXd H_expected = 2 * A.transpose() * A;
};

template <class F>
std::string message_of(F&& f, int status = RICCI_OK, int argument = -1) {
  try {
    f();
  } catch (const ricci::Error& e) {
    EXPECT_EQ(e.status(), status);
    EXPECT_EQ(e.argument(), argument);
    return e.what();
  }
  return "no error";
}
bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

TEST_F(Host, PrintsDefinitionsAndDerivatives) {
  EXPECT_EQ(program.text("g"), "2*A'*(A*x - b)");
  EXPECT_EQ(program.grad("f", "x").text(), "2*A'*(A*x - b)");
  EXPECT_EQ(program.hess("f", "x").text(), "2*A'*A");
  EXPECT_EQ(program.grad("f", "x").jac("x").text(), "2*A'*A");
  EXPECT_EQ(program.grad("f", "A").shape(), "m x n");
  EXPECT_EQ(program["f"].shape(), "");
}

TEST_F(Host, CallsWithEigenObjects) {
  const ricci::Function loss = program.compile("loss");
  double f;
  Eigen::VectorXd g(3);
  Eigen::MatrixXd H(3, 3);
  loss({x, A, b}, {f, g, H});  // column-major matrices are packed
  EXPECT_NEAR(f, f_expected, 1e-13);
  EXPECT_LT((g - g_expected).norm(), 1e-13);
  EXPECT_LT((H - H_expected).norm(), 1e-13);
  // Row-major, maps, refs, blocks and reversed vectors.
  Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> R(A), big(8, 9);
  loss({Eigen::Map<const Eigen::VectorXd>(x.data(), 3), R, Eigen::Ref<const Eigen::VectorXd>(b)}, {nullptr, g, big.block(2, 3, 3, 3)});
  EXPECT_LT((Eigen::MatrixXd(big.block(2, 3, 3, 3)) - H_expected).norm(), 1e-13);
  const Eigen::VectorXd reversed = b.reverse();
  loss({x, A, ricci::View<const double>{reversed.data() + 4, {5}, {-1}}}, {f, g, nullptr});
  EXPECT_NEAR(f, f_expected, 1e-13);
}

TEST_F(Host, CallsWithStandardContainers) {
  const ricci::Function loss = program.compile("loss");
  std::vector<double> data(15), xs(x.begin(), x.end()), H(9);
  for (int i = 0; i < 5; ++i)
    for (int j = 0; j < 3; ++j) data[size_t(3 * i + j)] = A(i, j);
  const std::array<double, 5> bs{b[0], b[1], b[2], b[3], b[4]};
  double f, g[3];
  loss({xs, {data, {5, 3}}, bs}, {f, std::span(g), {H, {3, 3}}});
  EXPECT_NEAR(f, f_expected, 1e-13);
  EXPECT_NEAR(g[2], g_expected[2], 1e-13);
  EXPECT_NEAR(H[7], H_expected(2, 1), 1e-13);
  const std::vector<ricci::Tensor> all = loss.evaluate({xs, {data, {5, 3}}, bs});
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].shape, std::vector<int64_t>{});
  EXPECT_EQ(all[1].shape, std::vector<int64_t>{3});
  EXPECT_EQ(all[2].shape, (std::vector<int64_t>{3, 3}));
  EXPECT_EQ(all[2].data, H);
}

TEST_F(Host, CompilesForFixedSizesFloatsAndColumnMajor) {
  ricci::CompileOptions fixed;
  fixed.dims = {{"m", 5}, {"n", 3}};
  fixed.column_major = {"A", "H"};
  const ricci::Function loss = program.compile("loss", fixed);
  EXPECT_EQ(loss.meta().dim_count, 0);
  EXPECT_EQ(loss.meta().arguments[1].layout, RICCI_COLUMN_MAJOR);
  double f;
  Eigen::MatrixXd H(3, 3);
  loss({x, A, b}, {f, nullptr, H});
  EXPECT_LT((H - H_expected).norm(), 1e-13);

  ricci::CompileOptions single;
  single.single = true;
  const ricci::Function lossf = program.compile("loss", single);
  Eigen::VectorXf g(3);
  float ff;
  lossf({Eigen::VectorXf(x.cast<float>()), Eigen::MatrixXf(A.cast<float>()), Eigen::VectorXf(b.cast<float>())}, {ff, g, nullptr});
  EXPECT_NEAR(ff, f_expected, 1e-5);
  EXPECT_LT((g.cast<double>() - g_expected).norm(), 1e-5);
}

TEST_F(Host, KeepsCompiledCodeWhereItIsTold) {
  const std::filesystem::path folder = std::filesystem::path(testing::TempDir()) / ("ricci-host-cache-" + std::to_string(::getpid()));
  ricci::CompileOptions options;
  options.cache_dir = folder;
  for (int time = 0; time < 2; ++time) {
    EXPECT_NEAR(program.compile("loss", options).evaluate({x, A, b})[0].data[0], f_expected, 1e-13);
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 1);
  }
  std::filesystem::remove_all(folder);
  options.cache_dir = "/dev/null/cache";
  EXPECT_TRUE(has(message_of([&] { (void)program.compile("loss", options); }), "no cache of compiled code: /dev/null"));
}

TEST_F(Host, CompilesDerivativesDefinedByTheHost) {
  program.define("G", program.grad("f", "A"));
  const ricci::Function gradient = program.compile({"by_matrix", {"A", "x", "b"}, {"G"}});
  Eigen::MatrixXd G(5, 3);
  gradient({A, x, b}, {G});
  EXPECT_LT((G - 2 * (A * x - b) * x.transpose()).norm(), 1e-13);
}

TEST_F(Host, GivesThirdOrderResultsToTensors) {
  const ricci::Program p = ricci::Program::parse("x: vector(n)\nA: matrix(n, n)\nT = D(diag(x)*A*diag(x), x)\nexport third(x, A) -> T");
  const ricci::Function third = p.compile("third");
  const Eigen::MatrixXd M = Eigen::MatrixXd::Random(3, 3);
  Eigen::Tensor<double, 3> T(3, 3, 3);
  third({x, M}, {T});
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j)
      for (int k = 0; k < 3; ++k) EXPECT_NEAR(T(i, j, k), M(i, j) * ((i == k) * x[j] + (j == k) * x[i]), 1e-14);
  std::vector<double> dense(27);
  Eigen::TensorMap<Eigen::Tensor<double, 3, Eigen::RowMajor>> map(dense.data(), 3, 3, 3);
  third({x, M}, {map});
  EXPECT_EQ(dense[9 + 6 + 1], T(1, 2, 1));
}

TEST_F(Host, TakesNumbersByValue) {
  const ricci::Program p = ricci::Program::parse("x: vector(n)\nc: scalar\nf = c*sum(x)\nexport scaled(c, x) -> f");
  double f;
  p.compile("scaled")({2, x}, {f});
  EXPECT_NEAR(f, 2 * x.sum(), 1e-14);
  ricci::CompileOptions single;
  single.single = true;
  float ff;
  const std::vector<float> ones(4, 1.0f);
  p.compile("scaled", single)({0.5, ones}, {ff});
  EXPECT_EQ(ff, 2.0f);
}

TEST_F(Host, TellsWhatIsWrongWithTheText) {
  const std::string message = message_of([] { ricci::Program::parse("A: matrix(m, n)\nb: vector(m)\nf = A*b", "bad.ricci"); });
  EXPECT_TRUE(has(message, "bad.ricci:3:")) << message;
  EXPECT_TRUE(has(message, "error:")) << message;
  EXPECT_TRUE(has(message_of([&] { program.text("q"); }), "no definition or variable `q`"));
  EXPECT_TRUE(has(message_of([&] { program.grad("f", "q"); }), "no variable `q`"));
  EXPECT_TRUE(has(message_of([&] { program.grad("g", "x"); }), "`g` is n, not a scalar"));
  EXPECT_TRUE(has(message_of([&] { program.compile("q"); }), "no exported function `q`"));
  EXPECT_TRUE(has(message_of([&] { program.compile({"f", {"x"}, {"f"}}); }), "A"));
  EXPECT_TRUE(has(message_of([&] { program.compile({"f", {"x", "A", "b", "x"}, {"f"}}); }), "f lists `x` twice"));
  EXPECT_TRUE(has(message_of([&] { program.compile({"f", {"x", "A", "b"}, {"f", "f"}}); }), "f lists `f` twice"));
  ricci::CompileOptions wrong;
  wrong.dims = {{"k", 3}};
  EXPECT_TRUE(has(message_of([&] { program.compile("loss", wrong); }), "no dimension `k`"));
  EXPECT_TRUE(has(message_of([&] { program.define("f", program["g"]); }), "defined already"));
  EXPECT_TRUE(has(message_of([] { ricci::Program::read("/nowhere/x.ricci"); }), "cannot read"));
}

TEST_F(Host, TellsWhatIsWrongWithACall) {
  const ricci::Function loss = program.compile("loss");
  double f = 7;
  Eigen::VectorXd g(3), short_b(4);
  short_b.setZero();
  EXPECT_TRUE(has(message_of([&] { loss({x, A, short_b}, {f, g, nullptr}); }, RICCI_SHAPE, 2), "its dimension m is 5 by `A`"));
  EXPECT_TRUE(has(message_of([&] { loss({x, A}, {f, g, nullptr}); }, RICCI_COUNT), "takes 3 arguments"));
  EXPECT_TRUE(has(message_of([&] { loss({x, A, b}, {f, x, nullptr}); }, RICCI_OVERLAP, 4), "`g` overlaps `x`"));
  EXPECT_TRUE(has(message_of([&] { loss({x, x, b}, {f, g, nullptr}); }, RICCI_RANK, 1), "`A` has 1 axes"));
  EXPECT_TRUE(has(message_of([&] { loss({x, {std::vector<double>(5), {5, 3}}, b}, {f, g, nullptr}); }, RICCI_SHAPE), "15 entries over 5 numbers"));
  EXPECT_EQ(f, 7) << "a refused call writes nothing";
}

TEST_F(Host, ReportsSingularMatrices) {
  const ricci::Program p = ricci::Program::parse("A: matrix(n, n)\nb: vector(n)\nx = A\\b\nexport solve_it(A, b) -> x");
  const ricci::Function solve = p.compile("solve_it");
  Eigen::MatrixXd M = Eigen::MatrixXd::Random(3, 3);
  Eigen::VectorXd y(3);
  solve({M, x}, {y});
  EXPECT_LT((M * y - x).norm(), 1e-12);
  M.row(1).setZero();
  EXPECT_EQ(solve.try_call({M, x}, {y}), RICCI_SINGULAR);
  EXPECT_FALSE(y.allFinite());
  EXPECT_TRUE(has(message_of([&] { solve({M, x}, {y}); }, RICCI_SINGULAR), "singular"));
}

TEST_F(Host, IsThreadSafe) {
  const ricci::Function loss = program.compile("loss");
  std::vector<std::thread> threads;
  std::atomic<int> right = 0;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      const ricci::Function own = program.compile({"own" + std::to_string(t), {"x", "A", "b"}, {"f", "g"}});
      for (int k = 0; k < 200; ++k) {
        double f, f2;
        Eigen::VectorXd g(3);
        loss({x, A, b}, {f, g, nullptr});
        own({x, A, b}, {f2, nullptr});
        right += std::abs(f - f_expected) < 1e-12 && std::abs(f2 - f_expected) < 1e-12 && (g - g_expected).norm() < 1e-12;
      }
      EXPECT_EQ(program.text("g"), "2*A'*(A*x - b)");
    });
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(right, 800);
}

}  // namespace
