// A program of the language, parsed, typed and translated to the graph. Everything after the frontend starts from here.
//
// Kinds, shapes and variance are settled by now: a Value says which tensor a name means and where its axes stand.
#pragma once
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "frontend/diagnostics.h"
#include "ir/graph.h"

namespace ricci {

// A typed tensor.
struct Value {
  NodeId node;
  std::vector<Variance> variance = {};  // per axis: a column {Up}, a row {Down}, a matrix {Up, Down}
  std::vector<int> variable = {};       // per axis: 0 the function's own, k an index of the k-th variable of differentiation; empty: all 0
};

// A declared variable; `node` is a Kind::Var. `assumed`: the kind was inferred from the name (one-liners).
struct Declaration {
  std::string name;
  NodeId node;
  bool assumed = false;
  SourceRange where = {};
};

// A named value, in the order of the text. `G = grad(f, {W, b})` defines `G_W` and `G_b`.
struct Definition {
  std::string name;
  Value value;
  SourceRange where = {};
  bool indexed = false;  // written in index notation
  std::vector<std::string> letters = {};  // of its axes, if so
  bool all_low = false;  // written with low indices only (Cartesian tensors): print the answer so too
};

// A compiled function. With no `export` in the text every definition is one, its arguments the variables it depends on, as declared.
struct Export {
  std::string name;
  std::vector<std::string> arguments, results;
};

struct Program {
  std::unique_ptr<Graph> graph;
  std::string file, source;
  std::vector<Declaration> declarations;
  std::vector<Definition> definitions;
  std::vector<Export> exports;
  std::vector<std::string> assumptions;  // "A: matrix(n, n)": what was inferred for names nobody declared
  std::map<NodeId, NodeId> promised;     // of variables read as free (ParseOptions): the variable as it was declared

  const Declaration* find_declaration(std::string_view name) const;
  const Definition* find_definition(std::string_view name) const;
  // The node a name means, declared or defined.
  std::optional<NodeId> find(std::string_view name) const;
};

// How the language reaches passes, which are not known here (passes/differentiate.h fills one): its derivative operators, and the question whether two
// matrices are one. `x` is a declared variable.
struct Calculus {
  NodeId (*derivative)(Graph&, NodeId f, NodeId x);                 // the axes of f, then those of x
  NodeId (*directional)(Graph&, NodeId f, NodeId x, NodeId h);      // the axes of f; h has the type of x
  NodeId (*pullback)(Graph&, NodeId f, NodeId x, NodeId seed);      // the axes of x; seed has the type of f
  NodeId (*canonical)(Graph&, NodeId);                              // one form for all that are equal by how products and sums nest
};

struct ParseOptions {
  std::vector<std::string> declarations = {};  // each a text of declarations: "A: matrix(n, n) symmetric; x: vector(n)"
  std::string name = "<expression>";           // the name of the text in diagnostics
  // Variables read as if all their entries were free: a promise that ties entries (symmetric, skew, diagonal) is forgotten, so that a
  // derivative by them is the unconstrained one. (The graph of a symmetric matrix no longer tells S_ij from S_ji.)
  std::set<std::string, std::less<>> free = {};
  // A dimension with the name of a variable or a definition gets one of its own (m_size): for notations in which sizes are variables too.
  bool sizes_apart = false;
};

// A program text, read after the declarations of the options. Every error found is reported; nothing is returned if there was one.
std::optional<Program> parse_program(std::string source, std::string file, const Calculus& calculus, Diagnostics& diagnostics,
                                     const ParseOptions& options = {});

// A one-line expression: undeclared upper-case names are matrices, lower-case ones vectors, Greek ones scalars, a name with indices has an
// axis for each; sizes follow by unification. The expression itself is the definition `f`. Definitions may precede it, or stand alone.
std::optional<Program> parse_expression(std::string text, const ParseOptions& options, const Calculus& calculus, Diagnostics& diagnostics);

}  // namespace ricci
