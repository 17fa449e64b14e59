// The meaning of matrix expressions, for tests: every value is a small dense matrix, a scalar is 1 by 1.
#pragma once
#include <cmath>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "ir/matrix_expr.h"

namespace ricci {

struct Dense {
  size_t rows = 1, columns = 1;
  std::vector<double> data = std::vector<double>(1);

  Dense() = default;
  Dense(size_t r, size_t c, double value = 0) : rows(r), columns(c), data(r * c, value) {}
  double& operator()(size_t i, size_t j) { return data[i * columns + j]; }
  double operator()(size_t i, size_t j) const { return data[i * columns + j]; }
  bool is_scalar() const { return rows == 1 && columns == 1; }
};

inline Dense entrywise(const Dense& a, const Dense& b, const std::function<double(double, double)>& f) {
  const Dense& big = a.is_scalar() ? b : a;
  if (!a.is_scalar() && !b.is_scalar() && (a.rows != b.rows || a.columns != b.columns)) throw std::logic_error("shapes differ");
  Dense r(big.rows, big.columns);
  for (size_t k = 0; k < r.data.size(); ++k) r.data[k] = f(a.data[a.is_scalar() ? 0 : k], b.data[b.is_scalar() ? 0 : k]);
  return r;
}

inline Dense product(const Dense& a, const Dense& b) {
  if (a.is_scalar() || b.is_scalar()) return entrywise(a, b, std::multiplies<>());
  if (a.columns != b.rows) throw std::logic_error("inner sizes differ");
  Dense r(a.rows, b.columns);
  for (size_t i = 0; i < a.rows; ++i)
    for (size_t k = 0; k < a.columns; ++k)
      for (size_t j = 0; j < b.columns; ++j) r(i, j) += a(i, k) * b(k, j);
  return r;
}

inline Dense transposed(const Dense& a) {
  Dense r(a.columns, a.rows);
  for (size_t i = 0; i < a.rows; ++i)
    for (size_t j = 0; j < a.columns; ++j) r(j, i) = a(i, j);
  return r;
}

// `names` binds variables (columns are n by 1) and the names of dimensions.
inline Dense evaluate(const mat::Expr& e, const std::map<std::string, Dense>& names) {
  using mat::Op;
  std::vector<Dense> v;
  for (const mat::Expr& o : e->operands) v.push_back(evaluate(o, names));
  auto size = [&](size_t k) { return size_t(v[k].data[0]); };
  switch (e->op) {
    case Op::Number: return Dense(1, 1, e->number.get_d());
    case Op::Name: return names.at(e->name);
    case Op::Add: {
      Dense r = e->negative[0] ? product(v[0], Dense(1, 1, -1)) : v[0];
      for (size_t k = 1; k < v.size(); ++k) {
        if (v[k].rows != r.rows || v[k].columns != r.columns) throw std::logic_error("terms differ in shape");
        r = entrywise(r, v[k], [&](double a, double b) { return e->negative[k] ? a - b : a + b; });
      }
      return r;
    }
    case Op::Mul: {
      Dense r = v[0];
      for (size_t k = 1; k < v.size(); ++k) r = product(r, v[k]);
      return r;
    }
    case Op::Hadamard: {
      Dense r = v[0];
      for (size_t k = 1; k < v.size(); ++k) r = entrywise(r, v[k], std::multiplies<>());
      return r;
    }
    case Op::Divide: case Op::ElementwiseDivide: return entrywise(v[0], v[1], std::divides<>());
    case Op::Power: {
      if (v[0].is_scalar()) return Dense(1, 1, std::pow(v[0].data[0], v[1].data[0]));
      Dense r = v[0];
      for (size_t k = 1; k < size(1); ++k) r = product(r, v[0]);
      return r;
    }
    case Op::ElementwisePower: return entrywise(v[0], v[1], [](double a, double b) { return std::pow(a, b); });
    case Op::Transpose: return transposed(v[0]);
    case Op::Call: case Op::Slice: case Op::Range: case Op::Block: case Op::Indexed: case Op::Derivative: break;
  }
  auto reduce = [&](auto f) {
    double s = 0;
    for (double x : v[0].data) s = f(s, x);
    return s;
  };
  if (e->name == "ones" || e->name == "zeros") return Dense(size(0), v.size() > 1 ? size(1) : 1, e->name == "ones");
  if (e->name == "eye") {
    Dense r(size(0), size(0));
    for (size_t i = 0; i < r.rows; ++i) r(i, i) = 1;
    return r;
  }
  if (e->name == "diag" && v[0].columns == 1) {
    Dense r(v[0].rows, v[0].rows);
    for (size_t i = 0; i < r.rows; ++i) r(i, i) = v[0].data[i];
    return r;
  }
  if (e->name == "diag" || e->name == "tr") {
    Dense r(v[0].rows, 1);
    for (size_t i = 0; i < r.rows; ++i) r(i, 0) = v[0](i, i);
    if (e->name == "diag") return r;
    v[0] = r;
  }
  if (e->name == "tr" || e->name == "sum") return Dense(1, 1, reduce([](double s, double x) { return s + x; }));
  if (e->name == "norm2") return Dense(1, 1, std::sqrt(reduce([](double s, double x) { return s + x * x; })));
  if (e->name == "sqrt") return entrywise(v[0], Dense(), [](double x, double) { return std::sqrt(x); });
  if (e->name == "exp") return entrywise(v[0], Dense(), [](double x, double) { return std::exp(x); });
  if (e->name == "softmax") {
    Dense r = entrywise(v[0], Dense(), [](double x, double) { return std::exp(x); });
    double total = 0;
    for (double x : r.data) total += x;
    return entrywise(r, Dense(1, 1, total), std::divides<>());
  }
  throw std::logic_error("no meaning for " + e->name);
}

}  // namespace ricci
