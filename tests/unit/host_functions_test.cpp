// Functions that a program declares and its host supplies, from C++: with known functions in their place the chain rules give known
// numbers.
#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <cmath>
#include <stdexcept>
#include <thread>

#include "ricci/eigen.h"
#include "ricci/ricci.h"

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

// A curve x(t) = (cos t, sin t, t) and a function f(x) = x1*x2 + exp(x3) + x1*x3^2 of which the program knows nothing.
constexpr const char* kCurve = R"(
fun x(scalar) -> vector(n)
fun f(vector(n)) -> scalar
t: scalar
g = f(x(t))
g1 = D(g, t)
g2 = D(g, t, t)
export curve(t) -> g, g1, g2
)";
VectorXd x0(double t) { return Eigen::Vector3d(std::cos(t), std::sin(t), t); }
const ricci::HostFunctions kHelix = {
    {"x", [](double t) { return x0(t); }},
    {"Dx", [](double t) -> Eigen::VectorXd { return Eigen::Vector3d(-std::sin(t), std::cos(t), 1); }},
    {"DDx", [](double t) -> Eigen::VectorXd { return Eigen::Vector3d(-std::cos(t), -std::sin(t), 0); }},
    {"f", [](std::span<const double> x) { return x[0] * x[1] + std::exp(x[2]) + x[0] * x[2] * x[2]; }},
    {"Df", [](std::span<const double> x,
              std::span<double> out) { out[0] = x[1] + x[2] * x[2], out[1] = x[0], out[2] = std::exp(x[2]) + 2 * x[0] * x[2]; }},
    {"DDf",
     [](const VectorXd& x) {
       MatrixXd H(3, 3);
       H << 0, 1, 2 * x[2], 1, 0, 0, 2 * x[2], 0, std::exp(x[2]) + 2 * x[0];
       return H;
     }},
};
// g(t) = cos t sin t + exp t + t^2 cos t, by hand.
double g0(double t) { return std::cos(t) * std::sin(t) + std::exp(t) + t * t * std::cos(t); }
double g1(double t) { return std::cos(2 * t) + std::exp(t) + 2 * t * std::cos(t) - t * t * std::sin(t); }
double g2(double t) { return -2 * std::sin(2 * t) + std::exp(t) + 2 * std::cos(t) - 4 * t * std::sin(t) - t * t * std::cos(t); }

ricci::CompileOptions in_space() {
  ricci::CompileOptions o;
  o.dims = {{"n", 3}};  // no argument says it
  return o;
}

template <class F>
std::string message_of(F&& f, int status = RICCI_OK) {
  try {
    f();
  } catch (const ricci::Error& e) {
    EXPECT_EQ(e.status(), status) << e.what();
    return e.what();
  }
  return "no error";
}
bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

TEST(HostFunctions, ChainRuleOfATextbook) {
  const ricci::Function curve = ricci::Program::parse(kCurve).compile("curve", in_space()).with(kHelix);
  for (double t : {-1.5, 0.0, 0.3, 2.0}) {
    double g, d, dd;
    curve({t}, {g, d, dd});
    EXPECT_NEAR(g, g0(t), 1e-14 * (1 + std::abs(g0(t))));
    EXPECT_NEAR(d, g1(t), 1e-14 * (1 + std::abs(g1(t))));
    EXPECT_NEAR(dd, g2(t), 1e-13);
  }
}

TEST(HostFunctions, FloatFunctionsAreGivenDoubles) {
  ricci::CompileOptions single = in_space();
  single.single = true;
  const ricci::Function curve = ricci::Program::parse(kCurve).compile("curve", single).with(kHelix);
  float g, d, dd;
  curve({0.75}, {g, d, dd});
  EXPECT_NEAR(g, g0(0.75), 1e-5);
  EXPECT_NEAR(d, g1(0.75), 1e-5);
  EXPECT_NEAR(dd, g2(0.75), 1e-5);
}

// h(x, M) = M*x*(x'*x): the Jacobian by x is M*(x'*x) + 2*M*x*x', the derivative by M has the axes of h, then the two of M.
TEST(HostFunctions, SeveralArgumentsAndTensors) {
  const ricci::Function f =
      ricci::Program::parse(R"(
fun h(vector(n), matrix(m, n)) -> vector(m)
x: vector(n)
M: matrix(m, n)
y: vector(m)
J = jac(h(x, 2*M), x)
G = grad(y'*h(x, 2*M), M)
H = hess(y'*h(x, M), x)
export all(x, M, y) -> J, G, H
)")
          .compile("all")
          .with({
              {"h", [](const VectorXd&, const MatrixXd&) -> VectorXd { throw std::logic_error("no result needs h itself"); }},
              {"D1h", [](const VectorXd& x, const MatrixXd& M) -> MatrixXd { return M * x.squaredNorm() + 2 * M * x * x.transpose(); }},
              {"D2h",
               [](std::span<const ricci::View<const double>> in, ricci::View<double> out) {
                 const auto& [x, M] = std::pair(in[0], in[1]);
                 ASSERT_EQ(out.shape.size(), 3u);
                 EXPECT_EQ(out.shape[1], M.shape[0]);
                 double square = 0;
                 for (int64_t j = 0; j < x.shape[0]; ++j) square += x.data[j] * x.data[j];
                 for (int64_t i = 0, at = 0; i < out.shape[0]; ++i)
                   for (int64_t k = 0; k < out.shape[1]; ++k)
                     for (int64_t j = 0; j < out.shape[2]; ++j, ++at) out.data[at] = i == k ? x.data[j] * square : 0;
               }},
              {"D11h",
               [](std::span<const double> x, std::span<const double> M, std::span<double> out) {
                 const size_t n = x.size(), m = M.size() / n;
                 for (size_t i = 0; i < m; ++i)
                   for (size_t j = 0; j < n; ++j)
                     for (size_t k = 0; k < n; ++k) {
                       double row = 0;
                       for (size_t l = 0; l < n; ++l) row += M[i * n + l] * x[l];
                       out[(i * n + j) * n + k] = 2 * (M[i * n + j] * x[k] + M[i * n + k] * x[j] + (j == k ? row : 0));
                     }
               }},
          });
  const VectorXd x = VectorXd::Random(4), y = VectorXd::Random(3);
  const MatrixXd M = MatrixXd::Random(3, 4);
  MatrixXd J(3, 4), G(3, 4), H(4, 4);
  f({x, M, y}, {J, G, H});
  EXPECT_LT((J - (2 * M * x.squaredNorm() + 4 * M * x * x.transpose())).norm(), 1e-13);
  EXPECT_LT((G - 2 * y * x.transpose() * x.squaredNorm()).norm(), 1e-13);
  const VectorXd a = M.transpose() * y;  // h'y = (a'x)(x'x)
  const MatrixXd expected = 2 * (a * x.transpose() + x * a.transpose() + a.dot(x) * MatrixXd::Identity(4, 4));
  EXPECT_LT((H - expected).norm(), 1e-13);
}

TEST(HostFunctions, MissingOnesAreNamed) {
  const ricci::Function bare = ricci::Program::parse(kCurve).compile("curve", in_space());
  double g, d, dd;
  EXPECT_TRUE(has(message_of([&] { bare({0.5}, {g, d, dd}); }, RICCI_NULL), "curve calls f, which the host has not supplied"));
  ricci::HostFunctions some = kHelix;
  some.erase("DDf");
  some["DDDf"] = [](double) { return 0.0; };  // not called: left aside
  const ricci::Function partial = bare.with(some);
  EXPECT_TRUE(has(message_of([&] { partial({0.5}, {g, d, dd}); }, RICCI_NULL), "curve calls DDf, which the host has not supplied"));
  const auto with = [&](const char* name, ricci::HostFunction f) { return bare.with({{name, f}}); };
  EXPECT_TRUE(has(message_of([&] { with("f", [](double, double) { return 0.0; }); }, RICCI_COUNT),
                  "f takes 1 argument, the function supplied for it 2"));
  const ricci::HostFunctions wrong = {{"x", [](double) { return VectorXd(VectorXd::Zero(2)); }}, {"f", [](double x) { return x; }}};
  ricci::HostFunctions all = kHelix;
  all["x"] = wrong.at("x");
  EXPECT_TRUE(has(message_of([&] { bare.with(all)({0.5}, {g, d, dd}); }, RICCI_SHAPE), "2 entries where the program has 3"));
  all["x"] = kHelix.at("x"), all["f"] = wrong.at("f");
  EXPECT_TRUE(has(message_of([&] { bare.with(all)({0.5}, {g, d, dd}); }, RICCI_RANK), "0 axes where the program has 1"));
}

TEST(HostFunctions, ResultsThatAreNotWantedCallNothing) {
  int calls = 0;
  ricci::HostFunctions counted = kHelix;
  counted["DDf"] = [&calls](const VectorXd&) { return ++calls, MatrixXd(MatrixXd::Zero(3, 3)); };
  const ricci::Function curve = ricci::Program::parse(kCurve).compile("curve", in_space()).with(counted);
  double g, d, dd;
  curve({1.0}, {g, d, nullptr});
  EXPECT_EQ(calls, 0);
  curve({1.0}, {nullptr, nullptr, dd});
  EXPECT_EQ(calls, 1);
}

TEST(HostFunctions, ExceptionsComeThroughAndResultsAreNaN) {
  ricci::HostFunctions failing = kHelix;
  failing["Df"] = [](std::span<const double>, std::span<double>) { throw std::domain_error("outside"); };
  const ricci::Function curve = ricci::Program::parse(kCurve).compile("curve", in_space()).with(failing);
  double g = 7, d = 7, dd = 7;
  EXPECT_THROW(curve({0.5}, {g, d, dd}), std::domain_error);
  EXPECT_TRUE(std::isnan(d) && std::isnan(dd));
  EXPECT_NO_THROW(curve({0.5}, {g, nullptr, nullptr}));
  EXPECT_NEAR(g, g0(0.5), 1e-14);
}

// By the C interface: a status other than 0 fills with NaN what was to be written, whatever is there.
TEST(HostFunctions, FailureAtTheCInterface) {
  const ricci::Function code =
      ricci::Program::parse("fun h(vector(n)) -> vector(n)\nx: vector(n)\ny = h(x)\nz = 2*x\nexport f(x) -> y, z\n").compile("f");
  const ricci_meta& m = code.meta();
  ASSERT_EQ(m.function_count, 1);
  EXPECT_STREQ(m.functions[0].name, "h");
  EXPECT_EQ(m.functions[0].ranks[0], 1);
  EXPECT_EQ(m.functions[0].ranks[1], 1);
  ASSERT_TRUE(m.f64_calling && !m.f64 && !m.f32_calling);
  const ricci_function fails = {[](void* context, const double* const* in, double* out, const int64_t* sizes) {
                                  EXPECT_EQ(sizes[0], 3);
                                  EXPECT_EQ(sizes[1], 3);
                                  out[0] = in[0][0];
                                  return *static_cast<int*>(context);
                                },
                                nullptr, nullptr};
  for (int status : {0, 1, -1}) {
    ricci_function f = fails;
    f.context = &status;
    double x[] = {1, 2, 3}, y[] = {7, 7, 7}, z[3];
    const int64_t shape[] = {3};
    const ricci_array in[] = {{x, RICCI_F64, 1, shape, nullptr}},
                      out[] = {{y, RICCI_F64, 1, shape, nullptr}, {z, RICCI_F64, 1, shape, nullptr}};
    alignas(64) char work[4096];
    ricci_report report;
    EXPECT_EQ(ricci_call_with(&m, &f, 1, in, 1, out, 2, work, sizeof work, &report), status ? RICCI_FUNCTION : RICCI_OK);
    for (double e : y) EXPECT_EQ(std::isnan(e), status != 0);
    EXPECT_EQ(z[2], 6);
    EXPECT_EQ(has(report.message, "a function that f calls failed"), status != 0) << report.message;
    EXPECT_EQ(ricci_call(&m, in, 1, out, 2, work, sizeof work, &report), RICCI_NULL);
    EXPECT_TRUE(has(report.message, "f calls h, which the host has not supplied")) << report.message;
  }
}

// A function of yours may call compiled functions, and the same one; threads share all.
TEST(HostFunctions, AreReentrant) {
  const ricci::Program program = ricci::Program::parse("fun h(vector(n)) -> scalar\nx: vector(n)\ny = 2*h(3*x)\nexport outer(x) -> y\n");
  const ricci::Function code = program.compile("outer");
  const ricci::Function inner = code.with({{"h", [](std::span<const double> x) { return x[0]; }}});
  const ricci::Function outer = code.with({{"h", [&](std::span<const double> x) {
                                              const std::vector<double> longer(100 * x.size(), x[0]);
                                              double y;
                                              inner({longer}, {y});  // 6*x
                                              return y + x[x.size() - 1];
                                            }}});
  const auto work = [&] {
    for (int k = 0; k < 200; ++k) {
      const std::vector<double> x = {1.0 + k, 2, 3};
      double y;
      outer({x}, {y});
      ASSERT_EQ(y, 2 * (6 * 3 * (1.0 + k) + 9));
    }
  };
  std::vector<std::thread> threads;
  for (int k = 0; k < 4; ++k) threads.emplace_back(work);
  for (std::thread& t : threads) t.join();
}

}  // namespace
