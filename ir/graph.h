// The index-notation IR: an append-only arena of immutable, hash-consed tensor nodes.
//
// The axes of a node are ordered and unnamed. Index letters exist only in source text and in print; inside, an Ein node says how
// its operands' axes meet with labels numbered by first appearance. Renamed dummies, swapped factors, (A*B)' and B'*A',
// tr(A*B) and tr(B*A) are therefore the same NodeId, and `a == b` on ids is the equality every pass uses.
// Operands are older than their users: ascending ids are a topological order and every walk is a loop.
//
// There is no Delta, Transpose, Trace, Diag, Hadamard, Outer or Broadcast: all are Ein with other labels. A label may stand twice in the
// *output*: the Kronecker delta is the empty product `->aa`, diag(x) is `a->aa` of x, ones(n) is `->a`, A' is `ab->ba` of A.
// An Ein that only moves, repeats or adds output labels is `structure`; constructors dissolve it into the products around it (that is all
// delta elimination is: labels are unified), so it remains visible only at the top of a term.
//
// Entries, slices, block matrices, vec, kron and reshape are products too, with a 0/1 tensor that says where the entries of one axis lie in
// another (Kind::Place). It is an address constraint like the delta and is never stored; ir/places.h has its rules.
#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ir/elementwise.h"
#include "ir/functions.h"
#include "ir/intern_table.h"
#include "ir/properties.h"
#include "ir/rational.h"
#include "ir/stable_list.h"

namespace ricci {

struct Extent;  // ir/dimension.h

struct NodeId {
  uint32_t value;
  friend auto operator<=>(NodeId, NodeId) = default;
};
struct DimId {
  uint32_t value;
  friend auto operator<=>(DimId, DimId) = default;
};
struct SymbolId {
  uint32_t value;
  friend auto operator<=>(SymbolId, SymbolId) = default;
};

// A dimension: a symbol ("n"), a fixed size, or built from others: a product (kron, vec) or a sum (block matrices). Built dimensions are kept as
// polynomials in the symbols (ir/dimension.h), so equal sizes are one id: m*n and n*m, n + n and 2*n. Which part is the slower one, or comes
// first, is known to the Place nodes that join them.
struct Dim {
  enum class Kind : uint8_t { Symbol, Fixed, Product, Sum };
  Kind kind;
  std::string name = {};           // Symbol
  int64_t size = 0;                // Fixed
  std::vector<DimId> parts = {};   // Product: a number first, then symbols in order; Sum: products in order, a number last
  friend auto operator<=>(const Dim&, const Dim&) = default;
};

using Type = std::vector<DimId>;
using Label = uint32_t;
using Labels = std::vector<Label>;

// Variance belongs to symbols and answers, not to nodes: with the Euclidean metric x and x' are one tensor (docs/decisions/).
enum class Variance : uint8_t { Up, Down };

enum class Kind : uint8_t {
  Const,  // a rank-0 exact number
  Size,   // the rank-0 number of a dimension: sum_i delta_ii = n
  Var,    // a declared tensor
  Sum,    // sum of equally typed terms with exact coefficients; no terms: the zero tensor
  Ein,    // product of operands, summed over every label absent from the output
  Map,    // an elementwise function; each operand has the node's type or rank 0
  Fun,    // a function without index form, on the last axes of its operands (ir/functions.h)
  Call,   // an undeclared function of the user's, or a derivative of one
  Place,    // the 0/1 tensor of type [whole part...] that is 1 where whole = offset + the number with the digits part..., the first slowest
  Epsilon,  // the Levi-Civita symbol of type [n ... n], n times: the sign of a permutation, else 0
};

struct Node {
  Kind kind;
  uint32_t row = 0;                        // Var, Call: symbol; Size: dimension; Map, Fun: row of the table; Place: the offset, a dimension
  Type type = {};
  std::vector<NodeId> operands = {};
  Labels labels = {};                      // Ein: the operands' axes in order, then the output's
  std::vector<Rational> coefficients = {}; // Sum: one per operand; Const: the value
  friend bool operator==(const Node&, const Node&) = default;

  size_t rank() const { return type.size(); }
  MapOp map_op() const { return MapOp(row); }
  FunOp fun_op() const { return FunOp(row); }
  const Rational& value() const { return coefficients[0]; }  // Const
};

// One factor of a product: a tensor and a label per axis.
struct Factor {
  NodeId tensor;
  Labels labels;
  friend auto operator<=>(const Factor&, const Factor&) = default;
};

// One term of a sum.
struct Term {
  Rational coefficient;
  NodeId tensor;
};

// Orders of the axes in which a tensor is the same: axis k is exchanged for axis order[k]. They are found by fingerprints.
struct Symmetries {
  std::vector<std::vector<size_t>> orders;  // the identity first; none if there are too many
  std::vector<size_t> orbit;                // per axis: the first that a symmetry exchanges it for
};

// A declared name. For a function (Call), `type` is the type of its value.
struct Symbol {
  std::string name;
  Type type;
  std::vector<Variance> variance = {};  // one per axis
  Properties properties = {};
  // A derivative of an undeclared function: of which, and by which of its arguments in ascending order (they commute: Schwarz). Its axes are
  // those of the function, then those of each argument.
  std::string function = {};
  std::vector<uint8_t> by = {};
  bool placeholder = false;  // a variable of a rule or of a formula of our own, of no program
};

class Graph {
 public:
  Graph();
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  // --- dimensions and symbols -------------------------------------------------------------------------------------------------
  DimId dim(std::string_view name);
  DimId dim(int64_t size);
  DimId dim(Dim d);
  const Dim& operator[](DimId d) const { return dims_[d.value]; }
  DimId product(std::span<const DimId> parts);  // of no parts: 1
  DimId sum(std::span<const DimId> parts);      // of no parts: 0
  // a - b if that is known to be a size whatever the symbols are.
  std::optional<DimId> difference(DimId a, DimId b);
  std::string spell(DimId d) const;        // "n", "3", "m*n", "n + 1"
  std::string spell_number(DimId d) const; // the same as an expression; where a variable has the name of a dimension, "sum(ones(n))"
  SymbolId declare(Symbol s);              // a new symbol; names are the caller's to keep apart
  const Symbol& operator[](SymbolId s) const { return symbols_[s.value]; }
  const Symbol& symbol(NodeId var) const { return symbols_[(*this)[var].row]; }
  size_t symbol_count() const { return symbols_.size(); }

  // --- constructors -----------------------------------------------------------------------------------------------------------
  // They keep the normal form nobody regrets: constants folded, zeros and ones dropped, deltas and other structure dissolved, like terms
  // and equal factors collected, commuting factors ordered. They never flatten nested products or sums (that is `canonicalize`).
  NodeId constant(Rational value);
  NodeId size(DimId d);                                   // folds to a constant for a fixed dimension
  NodeId variable(SymbolId s);
  NodeId zero(Type type);
  NodeId ones(Type type) { return ein({}, iota(type.size()), type); }
  NodeId delta(DimId d) { return ein({}, {0, 0}, {d, d}); }  // the identity matrix
  NodeId sum(std::vector<Term> terms, Type type);
  // The product of `factors` summed over every label that is not in `out`. Labels are any numbers; `type` gives a dimension per out label.
  NodeId ein(std::vector<Factor> factors, Labels out, Type type);
  NodeId map(MapOp op, std::vector<NodeId> operands);     // operands of one type, or rank 0
  NodeId fun(FunOp op, NodeId operand);
  NodeId call(SymbolId f, std::vector<NodeId> operands, Type type);
  // The derivative of a call by its k-th operand: the axes of the call, then those of the operand without the batch they share.
  NodeId call_derivative(NodeId call, size_t k);
  // Where the digits `parts` (the first slowest) lie in an axis of dimension `whole`. No parts: the unit vector e(offset + 1). One part: a
  // piece of the axis. Several: the axis is a group, as in vec and kron.
  NodeId place(DimId whole, Type parts, DimId offset);
  NodeId unit_vector(DimId d, int64_t index) { return place(d, {}, dim(index - 1)); }  // index counts from 1
  NodeId epsilon(size_t n);

  // Conveniences over the constructors above.
  NodeId add(NodeId a, NodeId b) { return sum({{1, a}, {1, b}}, (*this)[a].type); }
  NodeId subtract(NodeId a, NodeId b) { return sum({{1, a}, {-1, b}}, (*this)[a].type); }
  NodeId scale(Rational c, NodeId n) { return sum({{std::move(c), n}}, Type((*this)[n].type)); }
  NodeId times(NodeId scalar, NodeId n);                   // a rank-0 node times a tensor
  NodeId hadamard(NodeId a, NodeId b);                     // entrywise product of equal types
  NodeId power(NodeId base, Rational exponent) { return map(MapOp::pow_, {base, constant(std::move(exponent))}); }
  NodeId permute(NodeId n, const std::vector<size_t>& axes);  // result axis k is axis axes[k] of n
  NodeId rebuild(NodeId n, std::vector<NodeId> operands);  // the same operation on other operands of the same types

  // --- queries ----------------------------------------------------------------------------------------------------------------
  const Node& operator[](NodeId n) const { return nodes_[n.value]; }
  size_t size() const { return nodes_.size(); }
  bool is_zero(NodeId n) const;
  bool is_one(NodeId n) const;
  std::vector<Factor> factors(NodeId ein) const;           // the operands of an Ein with their labels
  Labels out(NodeId ein) const;                            // the output labels of an Ein
  // Whether an Ein is mere structure: at most one factor, nothing summed.
  bool is_structure(NodeId n) const;
  // Whether a square matrix is known to be its own transpose: S, inv(S), A'*A, A + A' ...
  bool is_symmetric(NodeId n) const { return symmetric_[n.value]; }
  // A hash of what a node means to a reader: names, sizes, operations, and how axes meet. Unlike ids it depends neither on the graph nor on the
  // order in which nodes were made, so it orders what has no other order. Different nodes may share it.
  uint64_t fingerprint(NodeId n) const { return fingerprints_[n.value]; }
  // What each axis looks like by itself, whatever the others are called: equal for axes that a symmetry exchanges, and told apart by most else.
  const std::vector<uint64_t>& axis_fingerprints(NodeId n) const;
  // The symmetries of a sum, a function or a permutation symbol of rank 3 and more; null if it has none.
  const Symmetries* symmetries(NodeId n) const;
  std::vector<Term> terms(NodeId n) const;                 // the terms of a Sum; {1, n} for anything else
  // Nodes reachable from `roots`, ascending (operands first).
  std::vector<NodeId> reachable(std::span<const NodeId> roots) const;

  static Labels iota(size_t n, Label from = 0);

 private:
  Dim normal_form(const Extent& e);
  DimId intern(Dim d);
  NodeId intern(Node node);
  NodeId one();
  std::optional<NodeId> product_of_numbers(const std::vector<Factor>& factors);
  bool equals_own_transpose(NodeId n);
  uint64_t fingerprint_of(NodeId n) const;
  StableList<Node> nodes_;
  InternTable ids_;
  std::optional<NodeId> one_;                                    // once it is there: every sum asks for it
  std::vector<bool> symmetric_;                                  // per node
  std::vector<uint64_t> fingerprints_;                           // per node
  // What is found when it is asked for, and kept: so two threads may not share a graph, even a const one.
  mutable std::unordered_map<uint32_t, std::vector<uint64_t>> axis_fingerprints_;
  mutable std::unordered_map<uint32_t, std::optional<Symmetries>> symmetries_;
  std::deque<Dim> dims_;
  std::map<Dim, uint32_t> dim_ids_;
  std::deque<Symbol> symbols_;
};

}  // namespace ricci

template <>
struct std::hash<ricci::NodeId> {
  size_t operator()(ricci::NodeId n) const { return n.value; }
};
