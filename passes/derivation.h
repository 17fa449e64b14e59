// A derivative with its derivation: the lines a student would write, each an equality that is checked by numbers.
//
// The function is taken apart into named intermediate quantities whose right sides are short (u = A*x - b; f = u_i u_i), each is
// differentiated in components by the product rule, and the chain rule puts them together from the function back to the variable, as reverse
// mode does. Derivatives of factors come from the tables that differentiation uses (the derivative columns of ir/elementwise.def, the
// differentials of ir/functions.def): there is no second calculus here. What stands in a line and is no variable of the program, a delta, a
// named quantity, a derivative such as du_i/dx_k, is a stand-in variable; its value comes from the identity matrix, the interpreter and dual numbers.
#pragma once
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "frontend/program.h"
#include "passes/index_line.h"
#include "passes/layout.h"

namespace ricci {

// The kinds of steps; their names and reasons are rows of a table (step_title).
enum class StepKind : uint8_t {
  Rewrite, Define, ProductRule, TermByTerm, ConstantFactors, Factors, Delta, LikeTerms, ChainRule, Insert, Adjoint, Linear, Raise, Collect, Resolve, Simplify, Project, Layout,
  Expand, Letters, NoMatrixForm, Zero,
};
std::string_view step_title(StepKind kind);

// One side of an equation.
struct Formula {
  enum class Notation : uint8_t { Index, Matrix, Answer } notation = Notation::Index;
  NodeId node = {};                     // what it stands for, over variables and stand-ins
  IndexLine line = {};                  // Index
  std::vector<Variance> variance = {};  // Matrix, Answer: {Down} is a row
};

// What is quoted from the program, the tables and the rules, in the language.
struct Code {
  std::string text;
};

// Words, quotations, formulas and the letters of indices.
using Reason = std::vector<std::variant<std::string, Code, Formula, Label>>;

struct DerivationStep {
  StepKind kind;
  Formula left;           // what the lines of this chain are equal to: df/dx_k
  Formula before, after;  // before = after, and before is the previous step's `after` unless the step opens a chain
  std::vector<Reason> reasons = {};
  bool opens = false;
  bool shown = true;  // or only checked: an answer that nobody would write
};

struct DerivationSection {
  Reason heading;
  std::vector<DerivationStep> steps = {};
};

// A variable of the derivation that is none of the program's.
struct StandIn {
  // LinearMap: the derivative of a function f of a matrix at V, written as L_f(V, e(k)*e(l)'). Along: the same along a matrix, L_f(V, H).
  enum class Kind : uint8_t { Delta, Quantity, Derivative, LinearMap, Along } kind;
  NodeId value = {};              // Quantity, Along: its right side. Derivative, LinearMap: what is differentiated by `by`
  NodeId of = {}, by = {};        // Derivative, as it is written: d of / d by. LinearMap: V and a stand-in for it. Along: V and H
  std::vector<NodeId> held = {};  // Derivative: what else depends on `by` and is held fixed
  FunOp function = {};            // LinearMap, Along: f
};

struct Derivation {
  std::string function, variable;
  std::vector<DerivationSection> sections = {};
  std::map<NodeId, StandIn> stand_ins = {};  // ascending: a quantity's right side has older stand-ins only
  NodeId x = {};                             // the variable, all of whose entries are free
  NodeId original = {};                      // the variable as declared
  std::vector<Variance> variance = {};       // of the function
  std::string answer_name = {};              // as `ricci diff` has it in index form
  Value answer = {{}};
  bool indexed = false, all_low = false;     // as the definition
};

struct DerivationRequest {
  std::string function = "f";
  Value f = {{}};
  NodeId x = {};
  Reason title = {};                      // what is said first
  std::string source = {};                // what the user wrote: functions that are named there are introduced
  std::string answer_name = "f";
  Value answer = {{}};                    // what `ricci diff` prints, before it is laid out
  int order = 1;                          // of the answer, where f is the derivative before
  bool indexed = false, all_low = false;  // as the definition
  DerivativeStyle style = {};
  std::map<NodeId, std::string> names = {};     // of definitions
  std::vector<std::string> taken = {};          // names that intermediate quantities cannot have
};

// The derivation that ends in `answer`. Nothing if it would have more than kMostQuantities intermediate quantities: nobody reads that.
constexpr size_t kMostQuantities = 100;
std::optional<Derivation> derive(Graph& g, const DerivationRequest& request);

// Evaluates both sides of every step in quadruple precision at random points.
struct DerivationCheck {
  int points = 0, steps = 0;
  double largest = 0;                            // relative difference
  const DerivationStep* wrong = nullptr;  // the first step whose sides differ
};
DerivationCheck check(const Graph& g, const Derivation& d, const std::map<std::string, int64_t, std::less<>>& dims = {}, uint64_t seed = 1);

}  // namespace ricci
