#include "codegen/numpy.h"

#include <algorithm>

#include "codegen/chain_order.h"
#include "codegen/notation.h"
#include "ir/elementwise.h"
#include "ir/functions.h"
#include "ir/matrix_node.h"

namespace ricci {
namespace {

using mat::Expr;
using mat::Node;
using mat::Op;

constexpr std::pair<std::string_view, std::string_view> kFunctions[] = {
    {"sqrt", "np.sqrt({})"},     {"sum", "np.sum({})"},           {"tr", "np.trace({})"},
    {"diag", "np.diag({})"},     {"norm2", "np.linalg.norm({})"}, {"norm1", "np.sum(np.abs({}))"},
    {"eye", "np.eye({})"},       {"softmax", "ricci_softmax({})"},
    {"vec", "np.ravel({}, \"F\")"}, {"cross", "np.cross({})"},         {"skew", "np.cross(np.eye(3), {})"},
    {"commut", "ricci_commut({})"}, {"nonzero", "ricci_nonzero({})"},
};

std::string_view template_of(const Node& n) {
  for (auto [name, text] : kFunctions)
    if (name == n.name) return text;
  if (n.name == "ones") return n.operands.size() == 1 ? "np.ones({})" : "np.ones(({}))";
  if (n.name == "zeros") return n.operands.size() == 1 ? "np.zeros({})" : "np.zeros(({}))";
  auto fun = find_function(n.name);
  if (auto op = find_elementwise(n.name); op && (!fun || n.operands.size() > 1)) return row(*op).numpy;
  return fun ? row(*fun).numpy : std::string_view();
}

bool is_vector(const Expr& e) { return e->shape.is_column() || e->shape.is_row(); }

// Two factors of a chain.
Pieces spell_pair(const Expr& left, const Expr& right) {
  if (left->shape.is_column() && right->shape.is_row()) return {"np.outer(", left, ", ", right, ")"};
  if (left->calls("inv") && !is_vector(left)) return {"np.linalg.solve(", left->operands[0], ", ", right, ")"};
  const char* sign = left->shape.is_scalar() || right->shape.is_scalar() ? " * " : " @ ";
  return {{left, Level::Product}, sign, {right, Level::Power}};
}

Pieces spell_product(const Node& n) {
  Scaled s = split_scalars(n);
  Pieces out;
  for (const Expr& e : s.scalars) {
    if (!out.empty()) out.emplace_back(" * ");
    out.emplace_back(e, Level::Power);
  }
  if (s.chain.empty()) return out;
  if (s.scalars.empty()) {
    auto [left, right] = split_chain(n);
    return spell_pair(left, right);
  }
  out.emplace_back(" * ");
  Expr chain = s.chain.size() == 1 ? s.chain[0] : mat::make(Op::Mul, n.shape, s.chain);
  out.emplace_back(chain, Level::Power);
  return out;
}

// An operand where NumPy has to see two axes.
Pieces two_axes(const Expr& e) {
  if (e->shape.is_column()) return {{e, Level::Postfix}, "[:, None]"};
  if (e->shape.is_row()) return {{e, Level::Postfix}, "[None, :]"};
  return {e};
}

// Positions count from 0, and the last one of a range is not part of it.
Pieces spell_indices(const Node& n) {
  Pieces out = {{n.operands[0], Level::Postfix}, "["};
  for (size_t i = 1; i < n.operands.size(); ++i) {
    const Expr& index = n.operands[i];
    if (i > 1) out.emplace_back(", ");
    if (index->op != Op::Range) out.emplace_back(mat::add({{false, index}, {true, mat::number(1)}}));
    else if (index->operands.empty()) out.emplace_back(":");
    else append(out, {mat::add({{false, index->operands[0]}, {true, mat::number(1)}}), ":", index->operands[1]});
  }
  out.emplace_back("]");
  return out;
}

// The number of rows or columns of a block.
Pieces side(const std::optional<Expr>& block, bool rows) {
  if (!block || (*block)->shape.is_scalar() || (rows ? (*block)->shape.is_row() : (*block)->shape.is_column())) return {"1"};
  return {{*block, Level::Postfix}, rows || is_vector(*block) ? ".shape[0]" : ".shape[1]"};
}

// Blocks of a vector stand in a row of 1-D arrays.
Pieces spell_blocks(const Node& n) {
  const bool vector = !n.shape.is_matrix();
  Pieces out = {vector ? "np.hstack([" : "np.block([["};
  for (size_t i = 0; i < n.operands.size(); ++i) {
    if (i > 0) out.emplace_back(!vector && i % n.columns == 0 ? "], [" : ", ");
    if (vector) {
      out.emplace_back(n.operands[i]);
    } else if (is_zero_block(n.operands[i])) {
      append(out, {"np.zeros(("});
      append(out, side(beside_block(n, i, true), true));
      append(out, {", "});
      append(out, side(beside_block(n, i, false), false));
      append(out, {"))"});
    } else {
      append(out, two_axes(n.operands[i]));
    }
  }
  out.emplace_back(vector ? "])" : "]])");
  return out;
}

Pieces spell_kron(const Node& n) {
  Pieces out;
  for (size_t i = 0; i + 1 < n.operands.size(); ++i) out.emplace_back("np.kron(");
  for (size_t i = 0; i < n.operands.size(); ++i) {
    if (i > 0) out.emplace_back(", ");
    if (n.shape.is_matrix()) append(out, two_axes(n.operands[i]));
    else out.emplace_back(n.operands[i]);
    if (i > 0) out.emplace_back(")");
  }
  return out;
}

Pieces spell(const Node& n) {
  Pieces out;
  auto infix = [&](const char* sign) {
    for (size_t i = 0; i < n.operands.size(); ++i) {
      if (i > 0) out.emplace_back(sign);
      out.emplace_back(n.operands[i], i == 0 ? Level::Product : Level::Power);
    }
    return out;
  };
  switch (n.op) {
    case Op::Number: return {python_number(n.number)};
    case Op::Name: return {n.name == "pi" ? "np.pi" : python_name(n.name)};
    case Op::Add: return spell_sum(n);
    case Op::Mul: return spell_product(n);
    case Op::Hadamard: return infix(" * ");
    case Op::Divide: return {{n.operands[0], Level::Product}, " / ", {ieee_divisor(n.operands[1]), Level::Power}};
    case Op::ElementwiseDivide: return infix(" / ");
    case Op::Power:
      if (const auto e = mat::by_logarithm(n)) return {{*e, Level::Atom}};
      if (!n.shape.is_scalar()) return {"np.linalg.matrix_power(", n.operands[0], ", ", n.operands[1], ")"};
      [[fallthrough]];
    case Op::ElementwisePower: return {{n.operands[0], Level::Postfix}, "**", {n.operands[1], Level::Postfix}};
    case Op::Transpose:
      if (is_vector(n.operands[0])) return {n.operands[0]};
      return {{n.operands[0], Level::Postfix}, ".T"};
    case Op::Slice: return spell_indices(n);
    case Op::Range: return spell_range(n);
    case Op::Indexed: case Op::Derivative: return {};
    case Op::Block: return spell_blocks(n);
    case Op::Call: {
      if (n.undeclared) return fill(python_name(n.name) + "({})", n.operands);
      if (n.name == "kron") return spell_kron(n);
      if (n.name == "reshape") return {"np.reshape(", n.operands[0], ", (", n.operands[1], ", ", n.operands[2], "), \"F\")"};
      if (n.name == "e") return {"np.eye(", n.operands[1], ")[", mat::add({{false, n.operands[0]}, {true, mat::number(1)}}), "]"};
      if (infix_level(n) == Level::Comparison) return {{n.operands[0], Level::Sum}, " " + n.name + " ", {n.operands[1], Level::Sum}};
      std::string text(template_of(n));
      constexpr std::string_view kLastAxis = ", axis=-1";  // a reduction of a matrix to a number is over both
      if (n.shape.is_scalar() && n.operands[0]->shape.is_matrix() && text.find(kLastAxis) != text.npos) text.erase(text.find(kLastAxis), kLastAxis.size());
      return text.empty() ? fill(n.name + "({})", n.operands) : fill(text, n.operands);
    }
  }
  return out;
}

Level level(const Node& n) {
  const Node* m = &n;
  while (m->op == Op::Transpose && is_vector(m->operands[0])) m = &*m->operands[0];  // the transpose of a 1-D array is itself
  if (m->op == Op::Power && !m->shape.is_scalar()) return Level::Atom;
  if (m->op == Op::Mul && !m->operands[0]->shape.is_scalar()) {
    auto [left, right] = split_chain(*m);
    bool call = (left->shape.is_column() && right->shape.is_row()) || left->calls("inv");
    return call ? Level::Atom : Level::Product;
  }
  return infix_level(*m);
}

}  // namespace

std::string python_name(const std::string& name) {
  constexpr std::string_view kReserved[] = {"False", "None",   "True",  "and",    "as",     "assert", "async",    "await", "break", "class",  "continue", "def",
                                            "del",   "elif",   "else",  "except", "finally", "for",   "from",     "global", "if",   "import", "in",       "is",
                                            "lambda", "nonlocal", "not", "or",    "pass",   "raise",  "return",   "try",   "while", "with",   "yield",    "np",
                                            "scipy", "pi",     "print", "range",  "len"};
  return std::ranges::find(kReserved, name) == std::end(kReserved) ? name : name + "_";
}

std::string python_number(const Rational& r) {
  if (std::string wide = wide_literal(r); !wide.empty()) return wide;
  return is_integer(r) ? r.get_str() : r.get_num().get_str() + " / " + r.get_den().get_str();
}

std::string to_numpy(const Expr& e) { return render(e, {spell, level}); }

}  // namespace ricci
