#include "codegen/notation.h"

#include <algorithm>

#include "ir/matrix_node.h"

namespace ricci {

std::string render(const mat::Expr& e, const Dialect& dialect) {
  std::string out;
  Pieces stack = {Piece(e)};  // what is still to be written, last first
  while (!stack.empty()) {
    Piece piece = std::move(stack.back());
    stack.pop_back();
    out += piece.text;
    if (!piece.operand) continue;
    bool bracket = dialect.level(**piece.operand) < piece.demanded;
    if (bracket) out += dialect.open, stack.emplace_back(dialect.close);
    Pieces inner = dialect.spell(**piece.operand);
    std::ranges::move(inner.rbegin(), inner.rend(), std::back_inserter(stack));
  }
  return out;
}

void append(Pieces& pieces, Pieces more) { std::ranges::move(more, std::back_inserter(pieces)); }

Pieces fill(std::string_view format, const std::vector<mat::Expr>& operands, Level demanded) {
  Pieces out;
  for (size_t at; (at = format.find("{}")) != format.npos; format.remove_prefix(at + 2)) {
    out.emplace_back(std::string(format.substr(0, at)));
    for (size_t i = 0; i < operands.size(); ++i) {
      if (i > 0) out.emplace_back(", ");
      out.emplace_back(operands[i], demanded);
    }
  }
  out.emplace_back(std::string(format));
  return out;
}

Level infix_level(const mat::Node& n) {
  using mat::Op;
  switch (n.op) {
    case Op::Number: return n.number.get_den() == 1 ? Level::Atom : Level::Product;
    case Op::Name: return Level::Atom;
    case Op::Add: return Level::Sum;
    case Op::Mul: case Op::Hadamard: case Op::Divide: case Op::ElementwiseDivide: return Level::Product;
    case Op::Power: case Op::ElementwisePower: return Level::Power;
    case Op::Transpose: return Level::Postfix;
    case Op::Slice: case Op::Block: return Level::Atom;
    case Op::Indexed: return Level::Power;  // (x_i)^2
    case Op::Derivative: return n.operands.size() > 1 ? Level::Product : Level::Power;
    case Op::Range: return Level::Comparison;
    case Op::Call: return mat::is_comparison(n) ? Level::Comparison : Level::Atom;
  }
  return Level::Atom;
}

std::string spell_number(const Rational& r) {
  const std::string decimal = short_decimal(r);
  return decimal.empty() ? r.get_str() : decimal;
}

std::string wide_literal(const Rational& r) {
  const mpz_class whole = r.get_num() / r.get_den();
  if (mpz_sizeinbase(whole.get_mpz_t(), 2) < 64) return "";
  std::string digits = whole.get_str();
  if (!is_integer(r)) return digits + ".5";  // doubles this wide are integers, so where between two of them it lies does not matter
  const size_t zeros = digits.size() - 1 - digits.find_last_not_of('0');
  if (zeros == 0) return digits + ".0";
  return digits.substr(0, digits.size() - zeros) + "e" + std::to_string(zeros);
}

Level text_level(const mat::Node& n) {
  return n.op == mat::Op::Number && !short_decimal(n.number).empty() ? Level::Atom : infix_level(n);
}

mat::Expr ieee_divisor(const mat::Expr& e) {
  if (e->calls("norm2") || (e->calls("hypot") && e->shape.is_scalar())) return mat::make_call("nonzero", {e}, mat::Shape::scalar());
  if (e->calls("sqrt")) return mat::make_call("sqrt", {ieee_divisor(e->operands[0])}, e->shape);
  const bool power = e->op == mat::Op::Power;
  if (e->op != mat::Op::Mul && !power) return e;
  std::vector<mat::Expr> operands = e->operands;  // a divisor is a product of a few powers
  for (size_t k = 0; k < (power ? 1 : operands.size()); ++k) operands[k] = ieee_divisor(operands[k]);
  return mat::make(e->op, e->shape, std::move(operands));
}

Pieces spell_slice(const mat::Node& n) {
  Pieces out = {{n.operands[0], Level::Postfix}, "["};
  for (size_t i = 1; i < n.operands.size(); ++i) {
    if (i > 1) out.emplace_back(", ");
    out.emplace_back(n.operands[i]);
  }
  out.emplace_back("]");
  return out;
}

Pieces spell_range(const mat::Node& n) {
  if (n.operands.empty()) return {":"};
  return {n.operands[0], ":", n.operands[1]};
}

Pieces spell_block(const mat::Node& n, std::string open, std::string beside, std::string below, std::string close) {
  Pieces out = {std::move(open)};
  for (size_t i = 0; i < n.operands.size(); ++i) {
    if (i > 0) out.emplace_back(i % n.columns == 0 ? below : beside);
    out.emplace_back(n.operands[i]);
  }
  out.emplace_back(std::move(close));
  return out;
}

bool is_zero_block(const mat::Expr& e) { return e->is_number(0); }

std::optional<mat::Expr> beside_block(const mat::Node& n, size_t at, bool in_row) {
  std::optional<mat::Expr> best;
  for (size_t i = 0; i < n.operands.size(); ++i) {
    const bool same = in_row ? i / n.columns == at / n.columns : i % n.columns == at % n.columns;
    if (same && !is_zero_block(n.operands[i]) && (!best || n.operands[i]->size < (*best)->size)) best = n.operands[i];
  }
  return best;
}

Pieces spell_derivative(const mat::Node& n, const std::string& sign, const std::string& order) {
  Pieces out = {sign + order, {n.operands[0], Level::Postfix}};
  for (size_t k = 1; k < n.operands.size(); ++k) append(out, {(k == 1 ? "/" : "") + sign, {n.operands[k], Level::Power}});
  return out;
}

size_t times_by_one(const mat::Node& derivative) {
  const auto& all = derivative.operands;
  const bool one = std::all_of(all.begin() + 1, all.end(), [&](const mat::Expr& e) { return e == all[1] && e->op == mat::Op::Name; });
  return one ? all.size() - 1 : 0;
}

Pieces spell_kron(const mat::Node& n, const std::string& sign) {
  Pieces out;
  for (const mat::Expr& e : n.operands) {
    if (!out.empty()) out.emplace_back(sign);
    out.emplace_back(e, Level::Power);
  }
  return out;
}

std::vector<Script> spell_scripts(const std::vector<mat::Index>& indices, const std::function<std::string(const std::string&)>& letter,
                                  const std::function<std::string(std::span<const std::string>)>& group) {
  std::vector<Script> out;
  for (size_t k = 0; k < indices.size();) {
    const int variable = indices[k].variable;
    if (variable == 0) {
      out.push_back({letter(indices[k].letter), indices[k].height});
      ++k;
      continue;
    }
    std::vector<std::string> letters;
    for (; k < indices.size() && indices[k].variable == variable; ++k) letters.push_back(letter(indices[k].letter));
    out.push_back({group(letters), Variance::Down});
  }
  return out;
}

bool is_index_number(std::string_view letter) { return letter[0] >= '0' && letter[0] <= '9'; }

AddedName parts_of_added(const mat::Node& name) {
  const std::string_view text = name.name;
  if (text.ends_with(')')) return {true, text.substr(2, text.size() - 3)};
  return {false, text.substr(1)};
}

bool is_big_operator(const mat::Node& n) { return !n.indices.empty() && (n.calls("sum") || n.calls("prod")); }

bool is_differential(const mat::Node& n) {
  return (n.op == mat::Op::Derivative && n.operands.size() == 1) || (n.added && !parts_of_added(n).is_unit);
}

Pieces spell_sum(const mat::Node& n, const char* minus) {
  Pieces out;
  for (size_t i = 0; i < n.operands.size(); ++i) {
    std::string sign = n.negative[i] ? minus : "+";
    if (i > 0) out.emplace_back(" " + sign + " ");
    else if (n.negative[0]) out.emplace_back(sign);
    out.emplace_back(n.operands[i], Level::Product);
  }
  return out;
}

}  // namespace ricci
