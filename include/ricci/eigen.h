// Eigen objects as arguments and results of compiled functions: Matrix, Array, Map, Ref, Block, and Tensor and TensorMap.
//
// Vectors known as such at compile time have one axis, other matrices two, tensors theirs. Results must have their size already.
#pragma once
#include <Eigen/Core>
#include <unsupported/Eigen/CXX11/Tensor>

#include "ricci/ricci.h"

namespace ricci::host {

// Anything that Eigen gives direct access to; an expression must be evaluated first.
template <class X>
concept EigenDense = std::is_base_of_v<Eigen::DenseBase<X>, X> && bool(X::Flags& Eigen::DirectAccessBit);

template <EigenDense X>
struct ViewOf<X> {
  using T = typename X::Scalar;
  static View<const T> input(const X& x) { return layout<const T>(x, x.data()); }
  static View<T> output(X& x) requires(!std::is_const_v<std::remove_pointer_t<decltype(x.data())>>) { return layout<T>(x, x.data()); }

 private:
  template <class S>
  static View<S> layout(const X& x, S* data) {
    if constexpr (X::IsVectorAtCompileTime) return {data, {int64_t(x.size())}, {int64_t(x.innerStride())}};
    else return {data, {int64_t(x.rows()), int64_t(x.cols())}, {int64_t(x.rowStride()), int64_t(x.colStride())}};
  }
};

// The strides of a dense Eigen tensor.
template <class X>
Extents tensor_strides(const X& x) {
  Extents strides;
  for (int k = 0; k < X::NumDimensions; ++k) strides.push_back(1);
  constexpr int rank = X::NumDimensions;
  if constexpr (int(X::Layout) == int(Eigen::ColMajor))
    for (int k = 1; k < rank; ++k) strides[size_t(k)] = strides[size_t(k - 1)] * int64_t(x.dimension(k - 1));
  else
    for (int k = rank - 1; k > 0; --k) strides[size_t(k - 1)] = strides[size_t(k)] * int64_t(x.dimension(k));
  return strides;
}
template <class X>
Extents tensor_shape(const X& x) {
  Extents shape;
  for (int k = 0; k < X::NumDimensions; ++k) shape.push_back(int64_t(x.dimension(k)));
  return shape;
}

template <class T, int Rank, int Options, class Index>
struct ViewOf<Eigen::Tensor<T, Rank, Options, Index>> {
  using X = Eigen::Tensor<T, Rank, Options, Index>;
  static View<const T> input(const X& x) { return {x.data(), tensor_shape(x), tensor_strides(x)}; }
  static View<T> output(X& x) { return {x.data(), tensor_shape(x), tensor_strides(x)}; }
};
template <class Plain, int Options, template <class> class Pointer>
struct ViewOf<Eigen::TensorMap<Plain, Options, Pointer>> {
  using X = Eigen::TensorMap<Plain, Options, Pointer>;
  using T = std::remove_const_t<typename X::Scalar>;
  static View<const T> input(const X& x) { return {x.data(), tensor_shape(x), tensor_strides(x)}; }
  static View<T> output(X& x) requires(!std::is_const_v<Plain>) { return {x.data(), tensor_shape(x), tensor_strides(x)}; }
};

// Vectors and matrices in functions of yours: by value or reference, as maps of the arrays themselves, and as results.
template <class T, int Rows, int Columns, int Options, int MostRows, int MostColumns>
struct HostType<Eigen::Matrix<T, Rows, Columns, Options, MostRows, MostColumns>> {
  using X = Eigen::Matrix<T, Rows, Columns, Options, MostRows, MostColumns>;
  using ByRows = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  static constexpr bool is_vector = X::IsVectorAtCompileTime;
  static X from(View<const double> v) {
    check_rank(v.shape, is_vector ? 1 : 2);
    if constexpr (X::SizeAtCompileTime != Eigen::Dynamic) check_entries(v.shape, X::SizeAtCompileTime);
    if constexpr (is_vector) return Eigen::Map<const X>(v.data, v.shape[0]);
    else return Eigen::Map<const ByRows>(v.data, v.shape[0], v.shape[1]);
  }
  static void write(const X& x, View<double> out) {
    check_rank(out.shape, is_vector ? 1 : 2);
    check_entries(out.shape, size_t(x.size()));
    if constexpr (is_vector) Eigen::Map<X>(out.data, x.rows(), x.cols()) = x;
    else if (x.rows() == out.shape[0]) Eigen::Map<ByRows>(out.data, x.rows(), x.cols()) = x;
    else check_entries(out.shape, 0);
  }
};
template <class X, int Options, class Stride>
struct HostType<Eigen::Map<X, Options, Stride>> {
  static_assert(X::IsVectorAtCompileTime || bool(X::IsRowMajor), "the arrays are row-major");
  using T = std::conditional_t<std::is_const_v<X>, const double, double>;
  static Eigen::Map<X, Options, Stride> from(View<T> v) {
    check_rank(v.shape, X::IsVectorAtCompileTime ? 1 : 2);
    if constexpr (X::IsVectorAtCompileTime) return {v.data, v.shape[0]};
    else return {v.data, v.shape[0], v.shape[1]};
  }
};

}  // namespace ricci::host
