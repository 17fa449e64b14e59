// Matrix expressions: the small tree every answer becomes before it is printed.
//
// Inside the compiler there is no transpose, trace or Hadamard product (ir/graph.h); here there is nothing else. Nodes are shared and
// immutable. The constructors below keep expressions short as they are built: a product is one flat list, its scalars first, its sign and its
// denominators pulled to the outside; transposes cancel or move to where fewer of them are needed. Emitters only spell.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ir/graph.h"

namespace ricci::mat {

enum class Op : uint8_t {
  Number,             // an exact number, not negative: signs belong to Add
  Name,               // a variable or the name of a dimension
  Add,                // terms with signs; -x is the sum of one negative term
  Mul,                // numbers and scalars first, then a chain of matrix products
  Hadamard,           // entrywise product of equal shapes
  Divide,             // anything by a scalar
  ElementwiseDivide,  // two equal shapes
  Power,              // a scalar, or a square matrix
  ElementwisePower,   // a tensor by a scalar exponent
  Transpose,
  Call,               // a function of the language: exp, inv, tr, diag, ones, ...
  Slice,              // x[2], A[1, :], A[2:3, :]: the tensor, then per axis a number or a Range
  Range,              // a:b inside a Slice; without operands all of the axis
  Block,              // [A, B; C, D], row by row
  // Only in lines that are typeset (codegen/equation.h):
  Indexed,            // [A*B]^i_j
  Derivative,         // d2f/dxdy: of the first operand, by the others; of one alone its differential, df
};

// An index of Indexed, its letter or number. On the left of F^i_(j)(kl) the indices of each variable stand together in parentheses.
struct Index {
  std::string letter;
  Variance height = Variance::Down;
  int variable = 0;  // from 1; 0: of the function
};

struct Shape {
  enum class Kind : uint8_t { Scalar, Column, Row, Matrix };
  Kind kind = Kind::Scalar;
  DimId rows = {}, columns = {};  // rows: of a column and a matrix; columns: of a row and a matrix

  static Shape scalar() { return {}; }
  static Shape column(DimId n) { return {Kind::Column, n, {}}; }
  static Shape row(DimId n) { return {Kind::Row, {}, n}; }
  static Shape matrix(DimId m, DimId n) { return {Kind::Matrix, m, n}; }
  Shape transposed() const;
  bool is_scalar() const { return kind == Kind::Scalar; }
  bool is_column() const { return kind == Kind::Column; }
  bool is_row() const { return kind == Kind::Row; }
  bool is_matrix() const { return kind == Kind::Matrix; }
  friend bool operator==(const Shape&, const Shape&) = default;
};

struct Node;

// A handle to an immutable node; cheap to copy.
class Expr {
 public:
  explicit Expr(std::shared_ptr<const Node> node) : node_(std::move(node)) {}
  const Node& operator*() const { return *node_; }
  const Node* operator->() const { return node_.get(); }
  bool unique() const { return node_.use_count() == 1; }
  friend bool operator==(const Expr& a, const Expr& b);  // same structure

 private:
  std::shared_ptr<const Node> node_;
};

struct Node {
  Op op;
  Shape shape = {};
  std::string name = {};             // Name, Call
  Rational number = {};              // Number
  std::vector<Expr> operands = {};
  std::vector<bool> negative = {};   // Add: the sign of each term
  bool symmetric = false;            // Name, Call: declared or known to be; is_symmetric() answers for any node
  bool entrywise = false;            // Call: acts entry by entry, so it commutes with the transpose
  bool undeclared = false;           // Call: of a function of the user's, whatever it is called
  bool added = false;                // Name: of a variable that a form adds to those of the program, e(k) or dX
  uint32_t columns = 0;              // Block: blocks in a row
  std::vector<Index> indices = {};   // Indexed; Call: of the letters that it reduces, sum_i(x_i)
  // Filled in by the constructors:
  uint32_t size = 0;                 // operators, names and numbers: the measure of "as short as the textbook"
  uint32_t transposed_size = 0;      // the size its transpose will have
  uint32_t height = 0;
  uint64_t hash = 0, transposed_hash = 0;  // of the meaning, and of the meaning of the transpose

  Node() = default;
  Node(Op op, Shape shape) : op(op), shape(shape) {}
  Node(Node&&) = default;
  ~Node();                           // iterative: a deep expression is released without recursion
  bool is_negated() const { return op == Op::Add && operands.size() == 1; }
  bool is_symmetric() const { return hash == transposed_hash; }
  bool calls(std::string_view function) const { return op == Op::Call && name == function; }
  bool is_number(long value) const { return op == Op::Number && number == value; }
};

struct Signed {
  bool negative;
  Expr term;
};

// --- constructors ---------------------------------------------------------------------------------------------------------------
Expr number(const Rational& value);
Expr name(std::string text, Shape shape, bool symmetric = false);
Expr added_name(std::string text, Shape shape, bool symmetric);
Expr add(std::vector<Signed> terms);                      // at least one term; the order of the print is chosen here
Expr negate(const Expr& e);
Expr mul(const std::vector<Expr>& factors);               // matrix products left to right; scalars may stand anywhere
Expr scale(const Rational& c, const Expr& e);
Expr hadamard(const std::vector<Expr>& factors);          // factors of one shape
Expr divide(const Expr& a, const Expr& scalar);
Expr elementwise_divide(const Expr& a, const Expr& b);
Expr power(const Expr& base, const Expr& exponent);       // of a scalar or a square matrix
Expr exponential(const Expr& matrix, Shape shape, bool symmetric);  // expm(A); the power A^k for expm(k*logm(A)) of any k but 1/2 and whole numbers
std::optional<Expr> by_logarithm(const Node& power);      // expm(k*logm(A)) for such a power; nothing for others
Expr elementwise_power(const Expr& base, const Expr& exponent);
Expr transpose(const Expr& e);
Expr call(std::string function, std::vector<Expr> arguments, Shape shape, bool symmetric = false);
Expr map_call(std::string function, std::vector<Expr> arguments, Shape shape);  // entrywise
Expr undeclared_call(std::string function, std::vector<Expr> arguments, Shape shape);

// Functions whose arguments have simpler forms.
Expr dimension(const Graph& g, DimId d);                  // its name or its number, as an argument of ones, eye, ...
Expr size(const Graph& g, DimId d);                       // the number it is: its name, or sum(ones(n)) where a variable has that name
Expr ones(const Graph& g, Shape shape);
Expr zeros(const Graph& g, Shape shape);
Expr eye(const Graph& g, DimId n);
Expr diag_matrix(const Expr& column);                     // diag(x)
Expr diagonal(const Expr& matrix);                        // diag(A), a column
Expr sum(const Expr& e);                                  // of all entries
Expr trace(const Expr& matrix);
Expr inner(const Expr& u, const Expr& v);                 // u'*v, or its transpose where that is shorter
Expr outer(const Expr& u, const Expr& w);                 // u*w'
Expr kron(const std::vector<Expr>& factors, const Graph& g, Shape shape);
Expr vec(const Expr& matrix, DimId size);                 // its columns below each other
Expr cross(const Expr& a, const Expr& b);                 // of columns of length 3

// Parts of tensors. An index is a number, a Range, or range() for all of an axis.
Expr range();
Expr range(const Expr& first, const Expr& last);
Expr slice(const Expr& tensor, const std::vector<Expr>& indices, Shape shape);
Expr block(std::vector<Expr> blocks, size_t columns, Shape shape);

// What only lines that are typeset have. Without indices `indexed` is its base.
Expr indexed(const Expr& base, std::vector<Index> indices);
Expr reduced(std::string function, std::vector<Expr> arguments, std::vector<Index> over);
Expr derivative(const Expr& of, const std::vector<Expr>& by, size_t order);
Expr equation(const Expr& left, const Expr& right);

// Whether a node is spelled between its two operands, as a < b.
bool is_comparison(const Node& n);

// Whether `e` is ones(...), eye(...).
bool is_ones(const Expr& e);
bool is_eye(const Expr& e);

// The order in which equals stand in sums and products: fewer names first, then alphabetically, an untransposed one before its transpose.
bool before(const Expr& a, const Expr& b);

}  // namespace ricci::mat
