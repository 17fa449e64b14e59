// The loop IR: what a compiled function does, statement by statement. The planner's last word and the input of the C++ and LLVM back ends.
//
// A program is one flat list of statements; `For` and `If` open a block that `End` closes. Everything a statement needs is an id: integers
// (sizes, extents, subscripts) are interned `Index` expressions over the dimensions and the open loops, scalars are values defined once
// and visible to the end of their block. The only mutable scalars are accumulators, so what is carried round a loop is always visible.
//
// A loop with width W > 1 is a *vector loop*: its body runs for W successive iterations at a time, whatever it contains. Values that depend
// on the loop's variable are W lanes, all others stay scalar; an accumulator of the body is W lanes; an accumulator declared outside is
// combined lane by lane and its lanes are added up after the loop, in a fixed order. No back end leans on an auto-vectoriser.
#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <variant>
#include <vector>

#include "runtime/kernels.h"

namespace ricci::loops {

#define RICCI_LOOPS_ID(Name)                             \
  struct Name {                                          \
    uint32_t value;                                      \
    friend auto operator<=>(const Name&, const Name&) = default; \
  }
RICCI_LOOPS_ID(IndexId);
RICCI_LOOPS_ID(ArrayId);
RICCI_LOOPS_ID(LoopId);
RICCI_LOOPS_ID(ValueId);
RICCI_LOOPS_ID(AccumulatorId);
#undef RICCI_LOOPS_ID

enum class Scalar : uint8_t { Double, Float };
constexpr size_t size_of(Scalar s) { return s == Scalar::Double ? 8 : 4; }

// A row of ir/primitives.def.
enum class Primitive : uint8_t {
#define RICCI_PRIMITIVE(id, ...) id,
#include "ir/primitives.def"
#undef RICCI_PRIMITIVE
};
struct PrimitiveRow {
  Primitive op;
  std::string_view name;
  size_t arity;
  std::string_view cpp, libm, vector;
};
std::span<const PrimitiveRow> primitive_table();
const PrimitiveRow& row(Primitive p);
// By the name in the table: "exp", "fabs", "max", "ricci_polygamma" ... (the `primitive` column of ir/elementwise.def).
std::optional<Primitive> find_primitive(std::string_view name);

// --- integers -----------------------------------------------------------------------------------------------------------------------

// An int64 expression over dimensions and loop variables. CeilDiv's right side is a positive constant.
struct Index {
  enum class Kind : uint8_t { Constant, Dim, Loop, Add, Mul, Min, Max, CeilDiv };
  Kind kind;
  int64_t value = 0;                 // Constant: the number; Dim: the dimension's position; Loop: the loop
  IndexId left = {0}, right = {0};   // the rest
  friend auto operator<=>(const Index&, const Index&) = default;
};

// --- arrays -------------------------------------------------------------------------------------------------------------------------

// Element (i, j, ...) stands at i*strides[0] + j*strides[1] + ... Inputs overlap no output and no workspace; outputs overlap nothing.
// Workspace arrays start `offset` elements into `work` and may overlap each other: the planner's live ranges.
struct Array {
  enum class Role : uint8_t { In, Out, Work };
  Role role;
  std::string name;
  std::vector<IndexId> shape, strides;   // in elements, over dimensions only
  IndexId offset = {0};                  // Work
};

// A function of the host's, undeclared in the program, or a derivative of one: the shapes of its arguments and of its value, over dimensions.
struct Function {
  std::string name;
  std::vector<std::vector<IndexId>> arguments;
  std::vector<IndexId> value;
};

// One element of an array: a subscript per axis.
struct Access {
  ArrayId array;
  std::vector<IndexId> subscripts;
};

// --- statements ---------------------------------------------------------------------------------------------------------------------

enum class Combine : uint8_t { Add, Mul, Max, Min };

// for loop = 0 .. extent-1. `interleave` copies of the body run side by side, each with accumulators of its own for what is carried out of the
// loop (combined in order after it): hides latency in reductions; only for loops without blocks inside. `parallel` is the planner's
// promise that iterations touch no common memory but what they read.
struct For {
  LoopId loop;
  IndexId extent;
  uint32_t width = 1, interleave = 1;
  bool parallel = false;
};
// Runs the block if at least one of these outputs was asked for (its pointer is not null). An output is touched only inside an If that
// names it and nothing else.
struct If {
  std::vector<ArrayId> outputs;
};
struct End {};
struct Constant {
  ValueId result;
  double value;
};
// An integer as a scalar.
struct Number {
  ValueId result;
  IndexId index;
};
// 1 where left < right (or left == right), else 0.
struct Compare {
  enum class Relation : uint8_t { Less, Equal };
  ValueId result;
  Relation relation;
  IndexId left, right;
};
struct Compute {
  ValueId result;
  Primitive op;
  std::array<ValueId, 3> operands;   // as many as the primitive takes
};
struct Load {
  ValueId result;
  Access from;
};
struct Store {
  Access to;
  ValueId value;
};
// to = to `combine` value; with a factor (Add only) to = muladd(value, factor, to).
struct Update {
  Access to;
  Combine combine;
  ValueId value;
  std::optional<ValueId> factor = {};
};
struct Accumulator {
  AccumulatorId result;
  ValueId initial;
};
// As Update, for an accumulator.
struct Accumulate {
  AccumulatorId to;
  Combine combine;
  ValueId value;
  std::optional<ValueId> factor = {};
};
struct Read {
  ValueId result;
  AccumulatorId from;
};
// Sets every element of a dense array to zero.
struct Zero {
  ArrayId array;
};
// Copies a dense array onto one of the same number of elements (and the same order of elements).
struct Copy {
  ArrayId to, from;
};
// A runtime kernel (a row of runtime/kernels.def) with an argument per parameter of its signature: an index for an integer, a value for a
// scalar, an element for a pointer. Its status, if not 0, becomes the function's (the largest wins); the function goes on.
using Argument = std::variant<IndexId, ValueId, Access>;
struct Call {
  const rt::KernelRow* kernel;
  std::vector<Argument> arguments;
};

// A function of the host's, by its position in the program: reads a dense row-major array per argument, each from an element on, and writes one. If
// it fails, what it was to write is NaN and the program's status kFunctionFailed, unless that is larger; the program goes on.
struct Invoke {
  uint32_t function;
  std::vector<Access> arguments;
  Access result;
};
constexpr int kFunctionFailed = 12;

using Statement =
    std::variant<For, If, End, Constant, Number, Compare, Compute, Load, Store, Update, Accumulator, Accumulate, Read, Zero, Copy, Call, Invoke>;

// --- programs -----------------------------------------------------------------------------------------------------------------------

// A program and, at the same time, its builder: statements are appended in order.
class Program {
 public:
  std::string name = "f";
  Scalar scalar = Scalar::Double;
  std::vector<std::string> dims;    // the symbolic dimensions, in the order of the raw ABI's `dims`
  std::vector<Array> arrays;        // inputs and outputs in the order of the raw ABI among themselves
  std::vector<Function> functions;  // of the host's, in the order of the raw ABI
  IndexId work_elements = {0};      // the workspace's size; Index {0} is the constant 0
  std::vector<IndexId> conditions;  // on the dimensions: at least 0, or an access is outside its array
  std::vector<Statement> body;
  uint32_t loop_count = 0, value_count = 0, accumulator_count = 0;

  Program();

  // Integers. Constants fold; x + 0, x*1, x*0 and the like vanish; equal expressions have equal ids. Overflow of a folded constant throws
  // std::overflow_error.
  IndexId index(int64_t value);
  IndexId dim(uint32_t position);
  IndexId loop(LoopId l);
  IndexId add(IndexId a, IndexId b);
  IndexId sub(IndexId a, IndexId b);
  IndexId mul(IndexId a, IndexId b);
  IndexId min(IndexId a, IndexId b);
  IndexId max(IndexId a, IndexId b);
  IndexId ceil_div(IndexId a, int64_t by);
  IndexId round_up(IndexId a, int64_t to) { return mul(ceil_div(a, to), index(to)); }
  IndexId product(std::span<const IndexId> factors);
  const Index& operator[](IndexId i) const { return indices_[i.value]; }
  size_t index_count() const { return indices_.size(); }

  const Array& operator[](ArrayId a) const { return arrays[a.value]; }
  ArrayId array(Array a);                                                    // appends it
  ArrayId dense(Array::Role role, std::string name, std::vector<IndexId> shape, IndexId offset = {0}, bool column_major = false);
  IndexId elements(ArrayId a) { return product(arrays[a.value].shape); }

  // Statements.
  LoopId begin_for(IndexId extent, uint32_t width = 1, uint32_t interleave = 1, bool parallel = false);
  void begin_if(std::vector<ArrayId> outputs) { body.push_back(If{std::move(outputs)}); }
  void end() { body.push_back(End{}); }
  ValueId constant(double value);
  ValueId number(IndexId i);
  ValueId compare(Compare::Relation r, IndexId a, IndexId b);
  ValueId compute(Primitive op, std::span<const ValueId> operands);
  ValueId compute(Primitive op, ValueId x) { return compute(op, std::array{x}); }
  ValueId compute(Primitive op, ValueId x, ValueId y) { return compute(op, std::array{x, y}); }
  ValueId compute(Primitive op, ValueId x, ValueId y, ValueId z) { return compute(op, std::array{x, y, z}); }
  ValueId load(ArrayId a, std::vector<IndexId> subscripts);
  void store(ArrayId a, std::vector<IndexId> subscripts, ValueId value) { body.push_back(Store{{a, std::move(subscripts)}, value}); }
  void update(ArrayId a, std::vector<IndexId> subscripts, Combine c, ValueId value, std::optional<ValueId> factor = {}) {
    body.push_back(Update{{a, std::move(subscripts)}, c, value, factor});
  }
  AccumulatorId accumulator(ValueId initial);
  void accumulate(AccumulatorId a, Combine c, ValueId value, std::optional<ValueId> factor = {}) {
    body.push_back(Accumulate{a, c, value, factor});
  }
  ValueId read(AccumulatorId a);
  void zero(ArrayId a) { body.push_back(Zero{a}); }
  void copy(ArrayId to, ArrayId from) { body.push_back(Copy{to, from}); }
  void call(std::string_view kernel, std::vector<Argument> arguments) {
    body.push_back(Call{rt::find_kernel(kernel), std::move(arguments)});
  }
  void invoke(uint32_t function, std::vector<Access> arguments, Access result) {
    body.push_back(Invoke{function, std::move(arguments), std::move(result)});
  }

 private:
  IndexId intern(Index i);
  std::vector<Index> indices_;
  std::map<Index, uint32_t> ids_;
};

// --- questions ----------------------------------------------------------------------------------------------------------------------

// The indices an index is made of and itself, ascending: operands first.
std::vector<IndexId> reachable(const Program& p, IndexId i);
// The value of an index at given dimensions and loop counters (by LoopId); nothing if it overflows int64.
std::optional<int64_t> evaluate(const Program& p, IndexId i, std::span<const int64_t> dims, std::span<const int64_t> loops = {});
// An index over dimensions as a polynomial: coefficients and the dimensions multiplied, sorted. Nothing if it has a min, max or ceil_div, or
// overflows.
struct Term {
  int64_t coefficient;
  std::vector<uint32_t> dims;
};
std::optional<std::vector<Term>> polynomial(const Program& p, IndexId i);
// "n >= 5", "m + n >= 2*k".
std::string condition_text(const Program& p, IndexId at_least_zero);
// The bytes of workspace at given dimensions; nothing if they overflow.
std::optional<int64_t> work_bytes(const Program& p, std::span<const int64_t> dims);
// Whether an index mentions the loop.
bool depends_on(const Program& p, IndexId i, LoopId loop);
// index = base + stride*loop with neither depending on the loop; nothing if it is not linear.
struct Linear {
  IndexId base, stride;
};
std::optional<Linear> linear_in(Program& p, IndexId i, LoopId loop);
// The element's position in its array: the sum of subscripts times strides.
IndexId position(Program& p, const Access& a);
// What a function of the host's is told of sizes: the axes of its arguments, one after the other, then those of its value.
std::vector<IndexId> sizes_of(const Function& f);
// The positions of the arrays with this role, in the order of the raw ABI.
std::vector<ArrayId> arrays_of(const Program& p, Array::Role role);

// --- text form and checks -----------------------------------------------------------------------------------------------------------

std::string to_text(const Program& p);
std::string to_text(const Program& p, IndexId i);
// Reads what to_text prints; `error` says line and reason if it returns nothing.
std::optional<Program> from_text(std::string_view text, std::string& error);

// The first broken invariant as a sentence with the statement's number, or nothing. ir/loops_verify.cpp lists the invariants.
std::optional<std::string> verify(const Program& p);

}  // namespace ricci::loops
