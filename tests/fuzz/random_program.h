// Random typed tensor programs: one generator behind the property tests and the fuzzers.
//
// A program is a list of steps, each on earlier ones, as a user might have written them: before any normal form. It can be built into a
// graph, printed as source text, and shrunk. While it is made it is evaluated, so that every function is applied inside its domain and
// away from its kinks. The whole language occurs: repeated and shared indices, traces, diagonals, broadcasts, deltas, every table row, entries,
// slices, blocks, vec, kron and reshape, the permutation symbol, functions of which nothing is known, and dimensions of size 0 and 1; the
// others have sizes that differ from each other, so that a swapped axis cannot hide.
//
//   random_program.cpp    what a program means: its graph, its inputs
//   random_generator.*    making one; random_places.cpp its steps that move entries, random_branches.cpp those that choose, random_domains.* where functions may be applied
//   random_source.cpp     its text
//   random_shrink.cpp     making it smaller
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "ir/interpret.h"

namespace ricci::fuzz {

// A symbol, a number, or built from earlier dimensions: a product by vec and kron, a sum by blocks.
struct Dimension {
  Dim::Kind kind = Dim::Kind::Symbol;
  int64_t extent = 0;
  std::vector<size_t> parts = {};

  friend bool operator==(const Dimension&, const Dimension&) = default;
};

struct Step {
  enum class Kind : uint8_t { Input, Constant, Size, Sum, Product, Map, Fun, Call, Place, Epsilon };
  Kind kind;
  std::vector<size_t> type = {};           // numbers of dimensions
  std::vector<size_t> operands = {};       // numbers of earlier steps
  std::vector<Labels> labels = {};         // Product: per operand
  Labels out = {};                         // Product
  std::vector<Rational> coefficients = {}; // Sum; Constant: the value
  uint32_t row = 0;                        // Map, Fun; Size: number of the dimension; Input, Call: number in its name; Place: its offset is this number
  std::vector<size_t> before = {};         // Place: and the extents of these dimensions
  bool symmetric = false;                  // Input
  std::vector<double> data = {};           // Input
  // Product: how one writes it in matrix notation, `kron({0}, {1})` of its first operands; empty: in index notation.
  std::string notation = {};

  friend bool operator==(const Step&, const Step&) = default;
};

// What one writes down once, and shrinking may give another form: no operation.
inline bool is_constant(const Step& s) {
  return s.kind == Step::Kind::Constant || s.kind == Step::Kind::Size || s.kind == Step::Kind::Place || s.kind == Step::Kind::Epsilon;
}

struct RandomProgram {
  uint64_t seed = 0;
  size_t size = 0;                    // operations asked for
  std::vector<Dimension> dimensions;
  std::vector<Step> steps;            // the last one is the result

  int64_t extent(size_t dimension) const { return dimensions[dimension].extent; }
  std::vector<int64_t> shape(const std::vector<size_t>& type) const;
  // The sizes of the symbols.
  Dims dims() const;
  // "m", "3", "m*n", "m + 1"
  std::string spell(size_t dimension) const;
  DimId dim(Graph& g, size_t dimension) const;
  // "v3" of an input, which keeps its name when steps move; "t5" of anything else.
  std::string name(size_t k) const;
  // The declarations and nothing else.
  std::string declarations() const;
  // The node of step k, given those of the steps before it.
  NodeId build(Graph& g, size_t k, const std::vector<NodeId>& nodes) const;
  // The node of every step, through the constructors of `g`.
  std::vector<NodeId> build(Graph& g) const;
  // The program in the language, in index notation: `t3_ij = sum_k(v0_ik*v1_kj)`; the result is the last definition.
  std::string source() const;
  // The steps as text, for the report of a failure; works for every program.
  std::string listing() const;
  // The values of the Input steps, exactly.
  std::map<NodeId, Array<Quad>> inputs(const std::vector<NodeId>& nodes) const;
};

struct Options {
  bool small = false;      // sizes up to 3: for derivatives of high order
  bool language = false;   // only what the language can say
  bool calls = true;       // undeclared functions
  size_t places = 12;      // percent of the operations that only move entries
  size_t branches = 0;     // percent of them that are a `where` whose other branch may have no value
};

// The same seed, size and options give the same program on every machine.
RandomProgram random_program(uint64_t seed, size_t size, Options options = {});

// A smaller program for which `fails` still holds, by dropping steps, terms, factors and functions and shrinking dimensions, to a fixed
// point. `fails` is called on valid programs only.
RandomProgram shrink(RandomProgram program, const std::function<bool(const RandomProgram&)>& fails);

}  // namespace ricci::fuzz
