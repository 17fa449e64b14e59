// The reference interpreter: the slow, obvious meaning of the IR.
//
// What a node *is* is what this computes; the JIT, emitted code, rewrite rules and derivatives are all compared with it. It is a template
// over the scalar: double and float, __float128 (the judge), dual numbers nested up to third order (the oracle for derivatives), and
// numbers that carry their condition (the tolerance). Sizes of symbolic dimensions are given by name.
#pragma once
#include <cstdint>
#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "ir/condition.h"
#include "ir/dual.h"
#include "ir/graph.h"
#include "ir/scalar.h"

namespace ricci {

using scalar::Conditioned;
using scalar::Dual;
using scalar::Quad;

// A dense tensor, row-major: the last axis is contiguous.
template <class T>
struct Array {
  std::vector<int64_t> shape = {};
  std::vector<T> data = {};

  Array() = default;
  explicit Array(std::vector<int64_t> s, T fill = T{}) : shape(std::move(s)), data(static_cast<size_t>(count(shape)), fill) {}
  static int64_t count(const std::vector<int64_t>& shape) {
    int64_t n = 1;
    for (int64_t s : shape) n *= s;
    return n;
  }
};

using Dims = std::map<std::string, int64_t, std::less<>>;

// The size of a dimension: a group is the product of its parts, a concatenation their sum. Throws std::invalid_argument for a name that
// `dims` lacks.
int64_t size_of(const Graph& g, DimId d, const Dims& dims);
std::vector<int64_t> shape_of(const Graph& g, const Type& type, const Dims& dims);

// An entry or a slice that does not exist at the given sizes.
struct OutsideAxis : std::invalid_argument {
  using std::invalid_argument::invalid_argument;
};

// The values of `roots`. `inputs` has an array for every Var among their ancestors; it may also give the value of any other node, which
// is then not computed from its operands. Throws std::invalid_argument for a missing or misshapen input and the maximum of nothing. An undeclared
// function (Call) without a value is some smooth function, with derivatives that are its own.
template <class T>
std::vector<Array<T>> interpret(const Graph& g, std::span<const NodeId> roots, const Dims& dims, const std::map<NodeId, Array<T>>& inputs);
template <class T>
Array<T> interpret(const Graph& g, NodeId root, const Dims& dims, const std::map<NodeId, Array<T>>& inputs) {
  return std::move(interpret<T>(g, std::span(&root, 1), dims, inputs)[0]);
}

// An exact number as a scalar, correctly rounded to Quad first.
Quad to_quad(const Rational& r);

// The same numbers over another scalar.
template <class To, class From>
Array<To> convert(const Array<From>& a) {
  Array<To> r(a.shape);
  for (size_t i = 0; i < a.data.size(); ++i) r.data[i] = To(a.data[i]);
  return r;
}

// Values in __float128 and, entry by entry, how far a computation in arithmetic of unit `eps` may honestly be from them: `error[i]*eps`.
struct ConditionedArray {
  Array<Quad> value, error;
};
std::vector<ConditionedArray> interpret_with_condition(const Graph& g, std::span<const NodeId> roots, const Dims& dims,
                                                       const std::map<NodeId, Array<Quad>>& inputs);

using Dual1 = Dual<Quad>;
using Dual2 = Dual<Dual1>;
using Dual3 = Dual<Dual2>;

}  // namespace ricci
