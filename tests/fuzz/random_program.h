// Random typed tensor programs: one generator behind the property tests and the fuzzers.
//
// A program is a list of steps, each on earlier ones, as a user might have written them: before any normal form. It can be built into a
// graph, printed as source text, and shrunk. While it is made it is evaluated, so that every function is applied inside its domain and
// away from its kinks. Repeated and shared indices, traces, diagonals, broadcasts, deltas, every table row, and dimensions of size 0 and
// 1 occur; the others have sizes that differ from each other, so that a swapped axis cannot hide.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "ir/interpret.h"

namespace ricci::fuzz {

struct Step {
  enum class Kind : uint8_t { Input, Constant, Size, Sum, Product, Map, Fun };
  Kind kind;
  std::vector<size_t> type = {};           // numbers of dimensions
  std::vector<size_t> operands = {};       // numbers of earlier steps
  std::vector<Labels> labels = {};         // Product: per operand
  Labels out = {};                         // Product
  std::vector<Rational> coefficients = {}; // Sum; Constant: the value
  uint32_t row = 0;                        // Map, Fun; Size: number of the dimension
  bool symmetric = false;                  // Input
  std::vector<double> data = {};           // Input

  friend bool operator==(const Step&, const Step&) = default;
};

struct RandomProgram {
  uint64_t seed = 0;
  size_t size = 0;                // operations asked for
  std::vector<int64_t> extents;   // of the dimensions
  std::vector<Step> steps;        // the last one is the result

  Dims dims() const;
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
};

// The same seed, size and options give the same program on every machine.
RandomProgram random_program(uint64_t seed, size_t size, Options options = {});

// A smaller program for which `fails` still holds, by dropping steps, terms, factors and functions and shrinking dimensions, to a fixed
// point. `fails` is called on valid programs only.
RandomProgram shrink(RandomProgram program, const std::function<bool(const RandomProgram&)>& fails);

}  // namespace ricci::fuzz
