#include "tests/fuzz/random_domains.h"

#include <algorithm>
#include <cmath>

#include "ir/matrix_meaning.h"

namespace ricci::fuzz {
namespace {

// The cores along the last axes, each of n entries.
bool each_core(const Array<double>& v, size_t axes, const std::function<bool(std::span<const double>)>& holds) {
  size_t core = 1;
  for (size_t a = 0; a < axes; ++a) core *= size_t(v.shape[v.shape.size() - 1 - a]);
  for (size_t at = 0; core > 0 && at + core <= v.data.size(); at += core)
    if (!holds(std::span(v.data).subspan(at, core))) return false;
  return true;
}

bool each_matrix(const Array<double>& v, const std::function<bool(const scalar::Matrix<double>&)>& holds) {
  const size_t rows = size_t(v.shape[v.shape.size() - 2]), columns = size_t(v.shape.back());
  return each_core(v, 2, [&](std::span<const double> x) { return holds({rows, columns, {x.begin(), x.end()}}); });
}

// The eigenvalues of the symmetric part, ascending, and the top eigenvector.
std::pair<std::vector<double>, std::vector<double>> spectrum(const scalar::Matrix<double>& a) {
  scalar::Matrix<double> s = scalar::symmetric_part(a);
  scalar::diagonalise(s);
  std::vector<double> values;
  for (size_t i = 0; i < s.rows; ++i) values.push_back(s(i, i));
  std::ranges::sort(values);
  return {values, scalar::eigvecmax(a)};
}

}  // namespace

bool tame(const Array<double>& a) {
  return all_entries(a, [](double v) { return std::fabs(v) < kLargest; });
}

bool entries_apart(const Array<double>& x, const Array<double>& y) {
  const auto &a = x.data, &b = y.data;
  for (size_t i = 0; i < std::max(a.size(), b.size()); ++i) {
    if ((i >= a.size() && a.size() != 1) || (i >= b.size() && b.size() != 1)) return true;  // one of them is empty
    if (std::fabs(a[a.size() == 1 ? 0 : i] - b[b.size() == 1 ? 0 : i]) < kFromKink) return false;
  }
  return true;
}

bool in_domain(FunOp op, const Array<double>& x) {
  switch (op) {
    case FunOp::expm:
    case FunOp::sinm:
    case FunOp::cosm: return each_matrix(x, [](const auto& a) { return scalar::row_sum_norm(a) < 4; });
    case FunOp::logm:
    case FunOp::sqrtm:  // all eigenvalues well right of the imaginary axis
      return each_matrix(x, [](const auto& a) { return a.rows == 0 || (spectrum(a).first.front() > 0.3 && scalar::row_sum_norm(a) < 20); });
    case FunOp::pinv:  // of full rank
      return each_matrix(x, [](const auto& a) {
        const auto f = scalar::pinv(a), one = a.rows < a.columns ? a * f : f * a;
        return scalar::row_sum_norm(f) < 10 && scalar::row_sum_norm(one - scalar::identity<double>(one.rows)) < 1e-9;
      });
    case FunOp::eigmax:
    case FunOp::eigvecmax:  // a simple eigenvalue, and a vector with one largest entry
      return x.shape.back() > 0 && each_matrix(x, [](const auto& a) {
        const auto [values, v] = spectrum(a);
        const double largest = std::fabs(*std::ranges::max_element(v, {}, [](double e) { return std::fabs(e); }));
        const auto near = std::ranges::count_if(v, [&](double e) { return std::fabs(e) > 0.95 * largest; });
        return near == 1 && (values.size() == 1 || values.back() - values[values.size() - 2] > 0.2);
      });
    case FunOp::triu:
    case FunOp::tril: return true;
    case FunOp::inv:
    case FunOp::det:
    case FunOp::logdet:
    case FunOp::adj:  // well conditioned: the inverse is tame and the determinant is not small
      return each_matrix(x, [](const auto& a) {
        const scalar::Square<double> s{a.rows, a.entries};
        const double det = std::fabs(scalar::det(s));
        return det > 0.05 && det < kLargest && std::ranges::all_of(scalar::inv(s).entries, [](double v) { return std::fabs(v) < 10; });
      });
    case FunOp::prod:
    case FunOp::coprod: return all_entries(x, [](double v) { return std::fabs(v) > kFromKink; });
    case FunOp::lse: return true;
    case FunOp::max_of:
    case FunOp::min_of:
    case FunOp::argmax:
      if (x.shape.back() == 0) return false;
      return each_core(x, 1, [](std::span<const double> v) {
        for (size_t i = 0; i < v.size(); ++i)
          for (size_t j = 0; j < i; ++j)
            if (std::fabs(v[i] - v[j]) < kFromKink) return false;
        return true;
      });
  }
  return false;
}

}  // namespace ricci::fuzz
