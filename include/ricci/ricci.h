// Ricci from C++: parse formulas, differentiate them, compile them for this machine, call them.
//
//   auto program = ricci::Program::parse("X: matrix(m, n)\n y: vector(m)\n w: vector(n)\n f = norm2(X*w - y)^2");
//   program.define("g", program["f"].grad("w"));          // program["g"].text() is "2*X'*(X*w - y)"
//   ricci::Function loss = program.compile({"loss", {"w", "X", "y"}, {"f", "g"}});
//   double f;  std::vector<double> g(n);
//   loss({w, {X, {m, n}}, y}, {f, g});                     // spans, vectors, numbers, strided views; Eigen with <ricci/eigen.h>
//
// Everything is thread-safe: programs may be shared and compiled from several threads, functions called from several threads. Errors are
// exceptions of type ricci::Error that carry the diagnostic. The names live in ricci::host and are used as ricci::Program and so on.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "ricci/abi.h"

namespace ricci::host {

// What went wrong: what() is the whole diagnostic, with places and hints, as the command line prints it.
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& message, int status = RICCI_OK, int argument = -1)
      : std::runtime_error(message), status_(status), argument_(argument) {}
  // For a refused or failed call: enum ricci_status, and the array at fault (inputs first, then outputs) or -1.
  int status() const { return status_; }
  int argument() const { return argument_; }

 private:
  int status_, argument_;
};

// --- arrays -------------------------------------------------------------------------------------------------------------------------

// Sizes or strides, one per axis, at most eight.
class Extents {
 public:
  static constexpr size_t most = 8;
  Extents() = default;
  Extents(std::initializer_list<int64_t> values) {
    for (int64_t v : values) push_back(v);
  }
  void push_back(int64_t v);  // throws Error for a ninth
  size_t size() const { return size_; }
  const int64_t* data() const { return values_.data(); }
  int64_t operator[](size_t k) const { return values_[k]; }
  int64_t& operator[](size_t k) { return values_[k]; }

 private:
  std::array<int64_t, most> values_ = {};
  size_t size_ = 0;
};

// A strided array of the caller's: where it is and how it is laid out, never its owner. Strides count elements and may be negative.
template <class T>
struct View {
  T* data = nullptr;
  Extents shape = {}, strides = {};  // no strides: dense, row-major
};

// A specialisation makes a type an argument: `static View<const T> input(const X&)` and, for results, `static View<T> output(X&)`.
// <ricci/eigen.h> has those for Eigen.
template <class X>
struct ViewOf;

template <class X>
concept Viewable = requires(const X& x) {
  ViewOf<X>::input(x);
};
template <class T>
concept Real = std::is_same_v<T, double> || std::is_same_v<T, float>;
// A contiguous sequence of numbers: std::vector, std::array, std::span. (What has rows needs a ViewOf.)
template <class R>
concept Sequence = !Viewable<std::remove_cvref_t<R>> && !requires(const std::remove_reference_t<R>& x) {
  x.rows();
}
&&requires(std::remove_reference_t<R>& x) {
  requires Real<std::remove_cvref_t<decltype(*x.data())>>;
  x.size();
};
template <class R>
concept Writable = Sequence<R> && !std::is_const_v<std::remove_reference_t<decltype(*std::declval<std::remove_reference_t<R>&>().data())>>;

// An argument of a call, made implicitly from a number, a vector or span, {data, shape}, a View or an Eigen object. It refers to the
// caller's memory, except for a number.
class Input {
 public:
  template <class N>
  requires std::is_arithmetic_v<N> Input(N number) : number_(double(number)), is_number_(true) {}
  template <Real T>
  Input(View<const T> v) : Input(v.data, v.shape, v.strides) {}
  template <Real T>
  Input(View<T> v) : Input(static_cast<const T*>(v.data), v.shape, v.strides) {}
  template <Sequence R>
  Input(const R& range) : Input(range.data(), {int64_t(range.size())}) {}
  // A dense row-major array: {X, {m, n}}.
  template <Sequence R>
  Input(const R& range, const Extents& shape) : Input(range.data(), shape, {}, int64_t(range.size())) {}
  template <Viewable X>
  Input(const X& x) : Input(ViewOf<X>::input(x)) {}
  template <Real T>
  Input(const T* data, const Extents& shape, const Extents& strides = {}, int64_t available = -1);

 private:
  friend class Function;
  const void* data_ = nullptr;
  int32_t dtype_ = RICCI_F64;
  Extents shape_ = {}, strides_ = {};
  double number_ = 0;
  bool is_number_ = false;
};

// A result of a call: where to write it. Skip what is not needed with nullptr.
class Output {
 public:
  Output(std::nullptr_t) {}
  template <Real T>
  Output(T& number) : Output(&number, Extents()) {}
  template <Real T>
  Output(View<T> v) : Output(v.data, v.shape, v.strides) {}
  template <Writable R>
  Output(R&& range) : Output(range.data(), {int64_t(range.size())}) {}
  template <Writable R>
  Output(R&& range, const Extents& shape) : Output(range.data(), shape, {}, int64_t(range.size())) {}
  template <class X>
  requires requires(X& x) { ViewOf<std::remove_cvref_t<X>>::output(x); }
  Output(X&& x) : Output(ViewOf<std::remove_cvref_t<X>>::output(x)) {}
  template <Real T>
  Output(T* data, const Extents& shape, const Extents& strides = {}, int64_t available = -1);

 private:
  friend class Function;
  void* data_ = nullptr;
  int32_t dtype_ = RICCI_F64;
  Extents shape_ = {}, strides_ = {};
};

// A dense row-major array with its memory.
struct Tensor {
  std::vector<int64_t> shape = {};
  std::vector<double> data = {};
};

// --- functions of yours ---------------------------------------------------------------------------------------------------------------

// A specialisation makes a type one that your functions take or give: `static T from(View<const double>)` for a parameter, the same of View<double>
// for a result that is written to, `static void write(const T&, View<double>)` for one that is returned. All views are dense and row-major.
// <ricci/eigen.h> has those for Eigen.
template <class T>
struct HostType;

// A function that a program declares and does not define (`fun h(vector(n)) -> vector(m)`), or a derivative of one: made implicitly from a function
// or a lambda with a parameter per argument that returns its value, or whose last parameter is where to write it:
//
//   [](std::span<const double> x) { return x[0]*x[1]; }
//   [](std::span<const double> x, std::span<double> out) { out[0] = x[1], out[1] = x[0]; }
//   [](std::span<const ricci::View<const double>> in, ricci::View<double> out) { ... }        for any function
//
// The axes of a derivative are those of the function, then those of each argument it is taken by: Dh of the h above is m x n. The same arguments
// must always give the same value. What it throws comes out of the call of the compiled function; other results of that call are NaN.
class HostFunction {
 public:
  using Any = std::function<void(std::span<const View<const double>> in, View<double> out)>;
  HostFunction() = default;
  template <class F>
  requires(!std::is_same_v<std::remove_cvref_t<F>, HostFunction>) HostFunction(F&& f) { set(std::function(std::forward<F>(f))); }
  explicit operator bool() const { return bool(call_); }
  void operator()(std::span<const View<const double>> in, View<double> out) const { call_(in, out); }
  // How many arguments it takes; -1: any number.
  int arity() const { return arity_; }

 private:
  void set(Any f) { call_ = std::move(f); }
  template <class R, class... A>
  void set(std::function<R(A...)> f) {
    constexpr size_t arity = sizeof...(A) - (std::is_void_v<R> ? 1 : 0);
    arity_ = int(arity);
    call_ = [f = std::move(f)](std::span<const View<const double>> in, View<double> out) {
      [&]<size_t... k>(std::index_sequence<k...>) {
        using Parameters = std::tuple<std::remove_cvref_t<A>...>;
        if constexpr (std::is_void_v<R>)
          f(HostType<std::tuple_element_t<k, Parameters>>::from(in[k])..., HostType<std::tuple_element_t<arity, Parameters>>::from(out));
        else HostType<std::remove_cvref_t<R>>::write(f(HostType<std::tuple_element_t<k, Parameters>>::from(in[k])...), out);
      }(std::make_index_sequence<arity>());
    };
  }
  Any call_;
  int arity_ = -1;
};

// By name: h, Dh, DDh; D1h, D12h ... of a function of several arguments.
using HostFunctions = std::map<std::string, HostFunction, std::less<>>;

// --- functions ----------------------------------------------------------------------------------------------------------------------

// A compiled function. Copies share the code, which lives as long as any of them.
class Function {
 public:
  // Checks everything (types, ranks, sizes, overlap), packs what is not in the function's layout, calls. Throws Error for a refused call,
  // with nothing written. The scratch is the calling thread's and is kept for the next call. If a matrix was singular the results that
  // depend on it are inf or NaN: the call throws after writing them, `try_call` gives RICCI_SINGULAR instead.
  void operator()(std::initializer_list<Input> in, std::initializer_list<Output> out) const;
  int try_call(std::initializer_list<Input> in, std::initializer_list<Output> out) const {
    return try_call(std::span(in.begin(), in.size()), std::span(out.begin(), out.size()));
  }
  int try_call(std::span<const Input> in, std::span<const Output> out) const;

  // The same code with functions of yours in the place of those that the program declares and does not define; what it does not call is left
  // aside. Throws Error for one with another number of arguments. A call throws Error with the name of one that is missing.
  Function with(const HostFunctions& functions) const;

  // All results, allocated. Throws as a call does.
  std::vector<Tensor> evaluate(std::initializer_list<Input> in) const;

  const std::string& name() const;
  // The C interface: raw entry, work_bytes, shapes, names. Valid as long as the function.
  const ricci_meta& meta() const;

 private:
  friend class Program;
  struct State;
  explicit Function(std::shared_ptr<const State> s) : state_(std::move(s)) {}
  std::shared_ptr<const State> state_;
};

// --- programs -----------------------------------------------------------------------------------------------------------------------

// How many threads compiled functions compute with, for the whole process; 0 is one per CPU, 1 (as at the start) only the caller's. The same
// inputs give the same bits for any number.
void set_threads(int count);

// What to compile: a name, variables in order, definitions in order.
struct Signature {
  std::string name;
  std::vector<std::string> arguments = {}, results = {};
};

struct CompileOptions {
  std::map<std::string, int64_t, std::less<>> dims = {};  // sizes known now: faster code for small ones
  std::set<std::string, std::less<>> column_major = {};   // arguments and results compiled for Fortran order (others are packed if need be)
  bool single = false;                                    // float instead of double
  int optimization = 2;                                   // of LLVM, 0..3
  bool fast_math = false;                                 // leave IEEE semantics
  std::string cache_dir = {};                             // a folder that keeps compiled code between processes; empty: none
};

// A value of a program: a definition, a variable, or a derivative.
class Expression {
 public:
  // The gradient of a scalar, which has the shape of x.
  Expression grad(std::string_view x) const;
  // The Jacobian: a row per component of this value, a column per component of x.
  Expression jac(std::string_view x) const;
  // The second derivative of a scalar.
  Expression hess(std::string_view x) const;

  // The shortest matrix form found, in the language. Throws Error with the reason if there is none.
  std::string text() const;
  // "m x n", "" for a scalar.
  std::string shape() const;

 private:
  friend class Program;
  struct State;
  explicit Expression(std::shared_ptr<const State> s) : state_(std::move(s)) {}
  Expression derivative(std::string_view x, int order, bool scalar) const;
  std::shared_ptr<const State> state_;
};

// A parsed program. Copies are the same program.
class Program {
 public:
  // Throws Error with every diagnostic.
  static Program parse(std::string_view text, std::string_view file = "<text>");
  static Program read(const std::string& path);

  // A definition or a variable by name.
  Expression operator[](std::string_view name) const;
  // Adds a definition.
  void define(std::string_view name, const Expression& value);
  std::string text(std::string_view name) const { return (*this)[name].text(); }
  Expression grad(std::string_view f, std::string_view x) const { return (*this)[f].grad(x); }
  Expression jac(std::string_view f, std::string_view x) const { return (*this)[f].jac(x); }
  Expression hess(std::string_view f, std::string_view x) const { return (*this)[f].hess(x); }

  // The functions that the text exports (every definition, if it exports none).
  std::vector<Signature> exports() const;
  Function compile(std::string_view name, const CompileOptions& options = {}) const;
  Function compile(const Signature& signature, const CompileOptions& options = {}) const;

 private:
  friend class Expression;
  friend class Function;
  struct State;
  explicit Program(std::shared_ptr<State> s) : state_(std::move(s)) {}
  std::shared_ptr<State> state_;
};

// --- details ------------------------------------------------------------------------------------------------------------------------

// Throws Error if `shape` has more entries than `available` (unless that is -1).
void check_extent(const Extents& shape, int64_t available);

// Throws Error unless the array has so many axes, or entries.
void check_rank(const Extents& shape, size_t rank);
void check_entries(const Extents& shape, size_t count);
size_t entries(const Extents& shape);

template <>
struct HostType<double> {
  static double from(View<const double> v) { return check_rank(v.shape, 0), *v.data; }
  static void write(double x, View<double> out) { check_rank(out.shape, 0), *out.data = x; }
};
template <class T>
struct HostType<View<T>> {
  static View<T> from(View<T> v) { return v; }
};
template <class T>
struct HostType<std::span<T>> {
  static std::span<T> from(View<T> v) { return {v.data, entries(v.shape)}; }
};
template <>
struct HostType<std::vector<double>> {
  static std::vector<double> from(View<const double> v) { return {v.data, v.data + entries(v.shape)}; }
  static void write(const std::vector<double>& x, View<double> out) {
    check_entries(out.shape, x.size());
    for (size_t i = 0; i < x.size(); ++i) out.data[i] = x[i];
  }
};

template <Real T>
Input::Input(const T* data, const Extents& shape, const Extents& strides, int64_t available)
    : data_(data), dtype_(std::is_same_v<T, float> ? RICCI_F32 : RICCI_F64), shape_(shape), strides_(strides) {
  check_extent(shape_, available);
}
template <Real T>
Output::Output(T* data, const Extents& shape, const Extents& strides, int64_t available)
    : data_(data), dtype_(std::is_same_v<T, float> ? RICCI_F32 : RICCI_F64), shape_(shape), strides_(strides) {
  check_extent(shape_, available);
}

}  // namespace ricci::host

#ifndef RICCI_COMPILER  // the compiler itself has a Program of its own
namespace ricci {
using host::CompileOptions;
using host::Error;
using host::Expression;
using host::Function;
using host::HostFunction;
using host::HostFunctions;
using host::Input;
using host::Output;
using host::Program;
using host::set_threads;
using host::Signature;
using host::Tensor;
using host::View;
}  // namespace ricci
#endif
