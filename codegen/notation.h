// What all emitters of matrix expressions share: a dialect says how one node is spelled in terms of its operands, the walk is here.
//
// A spelling is a row of pieces, text or an operand. An operand that binds weaker than its place demands is bracketed.
#pragma once
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ir/matrix_expr.h"

namespace ricci {

// How tightly an expression binds; shared by every dialect with infix notation.
enum class Level : uint8_t { Comparison, Sum, Product, Power, Postfix, Atom };

struct Piece {
  std::string text = {};
  std::optional<mat::Expr> operand = {};
  Level demanded = Level::Comparison;  // the weakest operand that needs no brackets here

  Piece(std::string t) : text(std::move(t)) {}
  Piece(const char* t) : text(t) {}
  Piece(const mat::Expr& e, Level demanded = Level::Comparison) : operand(e), demanded(demanded) {}
};
using Pieces = std::vector<Piece>;

struct Dialect {
  std::function<Pieces(const mat::Node&)> spell;
  std::function<Level(const mat::Node&)> level;  // of the text that spell gives
  std::string open = "(", close = ")";
};

// The whole expression, without recursion.
std::string render(const mat::Expr& e, const Dialect& dialect);

// `pieces` as text with the operands of `node` in place of {}: "np.exp({})" takes them all, separated by ", ".
Pieces fill(std::string_view format, const std::vector<mat::Expr>& operands, Level demanded = Level::Comparison);

// Appends `more` to `pieces`.
void append(Pieces& pieces, Pieces more);

// A number as the language writes it: 1.5, 2/3; and the level of an expression where numbers are spelled so.
std::string spell_number(const Rational& r);
Level text_level(const mat::Node& n);

// 10^20 as "1e20": a number beyond the 64-bit integers as a floating-point literal that rounds as the number does; empty for others.
std::string wide_literal(const Rational& r);

// The level of an expression where the infix operators of the language are infix operators of the dialect.
Level infix_level(const mat::Node& n);

// x[1, 2:3]; a block matrix with `beside` between blocks and `below` between rows.
Pieces spell_slice(const mat::Node& n);
Pieces spell_range(const mat::Node& n);
Pieces spell_block(const mat::Node& n, std::string open = "[", std::string beside = ", ", std::string below = "; ", std::string close = "]");

// d2f/dx_kdx_l and df, with `sign` for d and the order as it is spelled behind it.
Pieces spell_derivative(const mat::Node& n, const std::string& sign, const std::string& order);

// How often a derivative is by one scalar, and by nothing else; 0 otherwise: two axes of a variable bear different letters.
size_t times_by_one(const mat::Node& derivative);

// kron(A, B) with a sign between its operands.
Pieces spell_kron(const mat::Node& n, const std::string& sign);

// A block that is written 0 has the height of the shortest other block in its row and the width of the one in its column; nothing if all are 0.
bool is_zero_block(const mat::Expr& e);
std::optional<mat::Expr> beside_block(const mat::Node& n, size_t at, bool in_row);

// The divisor `e` where numbers divide as IEEE 754 says. In the language a quotient by a norm is 0 where the norm is (ir/elementwise.def: pow0):
// nonzero(norm2(x)) is the norm, and inf for 0.
mat::Expr ieee_divisor(const mat::Expr& e);

// The indices of one name, spelled one by one: those of a variable of differentiation together, in parentheses.
struct Script {
  std::string text;
  Variance height = Variance::Down;
};
std::vector<Script> spell_scripts(const std::vector<mat::Index>& indices, const std::function<std::string(const std::string&)>& letter,
                                  const std::function<std::string(std::span<const std::string>)>& group);
bool is_index_number(std::string_view letter);

// The name of what a form adds to the variables of a program, taken apart: e and k of e(k), d and X of dX.
struct AddedName {
  bool is_unit;      // a unit vector; else a differential
  std::string_view of;
};
AddedName parts_of_added(const mat::Node& name);
bool is_differential(const mat::Node& n);  // df, dX
bool is_big_operator(const mat::Node& n);  // ∑_i, ∏_i: extend as far as a product does

// A sum: signs with spaces around them, none after a leading minus.
Pieces spell_sum(const mat::Node& n, const char* minus = "-");

}  // namespace ricci
