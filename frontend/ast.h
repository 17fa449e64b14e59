// The syntax tree of a program: a flat arena in which children precede their parents.
//
// A node's subtree is the contiguous run of ids [first, id]; ascending ids visit operands before operators and descending ids visit scopes
// before what they enclose. Nothing that walks a tree needs a stack of its own.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "frontend/diagnostics.h"
#include "ir/graph.h"

namespace ricci {

struct AstId {
  uint32_t value;
  friend auto operator<=>(AstId, AstId) = default;
};

enum class AstKind : uint8_t {
  Number,      // `number`
  Name,        // `name`
  Indexed,     // children: base; `indices`: a^i_j, [A*B]_ij
  Negate,      // -a
  Comparison,  // a < b: one op
  Sum,         // a + b - c: children, an op before each but the first
  Product,     // a*b.*c/d, a^i_j x^j: children, an op before each but the first
  Power,       // a^b
  EntryPower,  // a.^b
  Transpose,   // a'
  Call,        // name(a, b); with `indices` sum_i(a)
  Apply,       // base[a, b]: a direction of d(F, X), an entry
  Block,       // [a, b; c, d]: children, an op between each two
  Range,       // a:b, or : alone, in the brackets of a slice
  List,        // {W, b}
  Partial,     // d(f^i)/d(x^k): children f, x
  Poison,      // what could not be read; its error is reported
};

enum class AstOp : uint8_t { Plus, Minus, Times, Juxtaposed, Over, EntryTimes, EntryOver, Solve, Outer, Less, LessEqual, Greater, GreaterEqual, Equal, Unequal, Beside, Below };

// An index as written: its letter, whether it stands high, and the place of the variable it belongs to on the left of `f^i_(j)(k)`.
struct IndexUse {
  std::string letter;
  Variance variance;
  SourceRange where = {};
  int variable = 0;
  bool either = false;  // of a divisor: y^i/x^i and y^i/x_i are the same
};

struct Ast {
  AstKind kind;
  SourceRange where;               // with the brackets around it, if any
  std::vector<AstId> children = {};
  std::vector<AstOp> ops = {};
  std::vector<IndexUse> indices = {};
  std::string_view name = {};      // Name, Call; Number: as written
  SourceRange name_at = {};
  uint32_t first = 0;              // the lowest id of the subtree
};

struct WrittenName {
  std::string text;
  SourceRange where = {};
};

// A dimension as written in a kind: a sum of products of names and integers, and for tensors a variance.
struct WrittenDim {
  SourceRange where = {};
  Variance variance = Variance::Up;
  std::vector<std::vector<WrittenName>> terms = {};
};

struct Statement {
  enum class Kind : uint8_t { Dim, Declaration, Function, Definition, Expression, Export, Poison };
  Kind kind;
  SourceRange where = {};
  std::vector<WrittenName> names = {};      // declared or defined names; Export: the function's name
  std::vector<WrittenDim> dims = {};        // Declaration: the axes; Dim: the size
  std::vector<WrittenName> properties = {};
  std::vector<IndexUse> indices = {};       // Definition: the left side's
  bool indexed = false;                     // Definition: the left side has indices
  AstId body = {};
  std::vector<WrittenName> arguments = {}, results = {};  // Export
  std::vector<std::vector<WrittenDim>> kinds = {};  // Function: the axes of its arguments, then of its value
};

// The statements of one text. It views the text it was parsed from.
struct Syntax {
  std::vector<Ast> nodes;
  std::vector<Statement> statements;
  const Ast& operator[](AstId id) const { return nodes[id.value]; }
};

}  // namespace ricci
