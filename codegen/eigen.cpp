#include "codegen/eigen.h"

#include <algorithm>

#include "codegen/chain_order.h"
#include "codegen/notation.h"
#include "ir/elementwise.h"
#include "ir/matrix_node.h"

namespace ricci {
namespace {

using mat::Expr;
using mat::Node;
using mat::Op;

// Members of Eigen's arrays by the names of the language.
constexpr std::string_view kArrayMethods[] = {"exp",  "expm1", "log",  "log1p", "sin",  "cos",   "tan",   "asin",  "acos",
                                              "atan", "sinh",  "cosh", "tanh",  "asinh", "acosh", "atanh", "abs"};

// Functions of the whole operand as what is called on it.
constexpr std::pair<std::string_view, std::string_view> kMembers[] = {
    {"sum", ".sum()"},      {"tr", ".trace()"},   {"norm2", ".norm()"},      {"norm1", ".lpNorm<1>()"}, {"inv", ".inverse()"},
    {"det", ".determinant()"}, {"logdet", ".householderQr().logAbsDeterminant()"}, {"prod", ".prod()"},
};

std::string type_of(const mat::Shape& s) {
  return s.is_column() ? "Eigen::VectorXd" : s.is_row() ? "Eigen::RowVectorXd" : "Eigen::MatrixXd";
}

bool is_diagonal(const Expr& e) { return e->calls("diag") && e->shape.is_matrix(); }

class Speller {
 public:
  explicit Speller(const std::set<std::string>& dimensions) : dimensions_(dimensions) {}

  Pieces spell(const Node& n) const {
    switch (n.op) {
      case Op::Number: {
        std::string top = n.number.get_num().get_str() + ".0";
        return {n.number.get_den() == 1 ? top : top + " / " + n.number.get_den().get_str() + ".0"};
      }
      case Op::Name:
        if (n.name == "pi" && n.shape.is_scalar()) return {"3.141592653589793"};
        if (dimensions_.contains(n.name)) return {"static_cast<double>(" + cpp_identifier(n.name) + ")"};
        return {cpp_identifier(n.name)};
      case Op::Add: return spell_terms(n);
      case Op::Mul: return spell_product(n);
      case Op::Hadamard: {
        Pieces out = {{n.operands[0], Level::Postfix}};
        for (size_t i = 1; i < n.operands.size(); ++i) append(out, {".cwiseProduct(", n.operands[i], ")"});
        return out;
      }
      case Op::ElementwiseDivide:
        if (n.operands[0]->calls("ones")) return {{n.operands[1], Level::Postfix}, ".cwiseInverse()"};
        return {{n.operands[0], Level::Postfix}, ".cwiseQuotient(", n.operands[1], ")"};
      case Op::Divide: return {{n.operands[0], Level::Product}, " / ", {ieee_divisor(n.operands[1]), Level::Power}};
      case Op::Power:
        if (n.shape.is_scalar()) return {"std::pow(", n.operands[0], ", ", n.operands[1], ")"};
        if (const auto e = mat::by_logarithm(n)) return {{*e, Level::Product}};
        return spell_matrix_power(n);
      case Op::ElementwisePower:
        if (n.operands[1]->is_number(2)) return {{n.operands[0], Level::Postfix}, ".cwiseAbs2()"};
        if (n.operands[1]->shape.is_scalar()) return {{n.operands[0], Level::Postfix}, ".array().pow(", n.operands[1], ").matrix()"};
        return {{n.operands[0], Level::Postfix}, ".array().pow((", n.operands[1], ").array()).matrix()"};
      case Op::Transpose: return {{n.operands[0], Level::Postfix}, ".transpose()"};
      case Op::Call: return spell_call(n);
      case Op::Slice: return spell_indices(n);
      case Op::Range: case Op::Indexed: case Op::Derivative: return {};
      case Op::Block: return spell_blocks(n);
    }
    return {};
  }

  Level level(const Node& n) const {
    switch (n.op) {
      case Op::Hadamard: case Op::ElementwiseDivide: case Op::ElementwisePower: case Op::Transpose: return Level::Atom;
      case Op::Power: return n.shape.is_scalar() ? Level::Atom : Level::Product;
      case Op::Mul:
        if (n.operands[0]->shape.is_scalar()) return Level::Product;
        return is_call(split_chain(n)) ? Level::Atom : Level::Product;
      case Op::Call: case Op::Slice: case Op::Block: return Level::Atom;
      case Op::Number: case Op::Name: case Op::Add: case Op::Divide: case Op::Range: case Op::Indexed: case Op::Derivative: break;
    }
    return infix_level(n);
  }

 private:
  static bool is_call(const std::pair<Expr, Expr>& pair) {
    return (pair.first->shape.is_row() && pair.second->shape.is_column()) || pair.first->calls("inv");
  }

  // v.asDiagonal(): a temporary is evaluated first, so that nothing refers to what is gone.
  static Pieces as_diagonal(const Expr& v) {
    return {{v, Level::Postfix}, v->op == Op::Name ? ".asDiagonal()" : ".eval().asDiagonal()"};
  }

  static Pieces factor(const Expr& e, Level demanded) {
    if (is_diagonal(e)) return as_diagonal(e->operands[0]);
    return {{e, demanded}};
  }

  static bool leads_with_diagonal(const Expr& e) {
    if (is_diagonal(e)) return true;
    return e->op == Op::Mul && split_scalars(*e).scalars.empty() && !is_call(split_chain(*e)) && leads_with_diagonal(split_chain(*e).first);
  }

  // Eigen's diagonal matrices have no minus, but products of them have: -(x.asDiagonal() * A).
  static Pieces spell_terms(const Node& n) {
    Pieces out = spell_sum(n);
    if (n.negative[0] && n.operands[0]->op == Op::Mul && leads_with_diagonal(n.operands[0])) out[1].demanded = Level::Power;
    return out;
  }

  static Pieces spell_product(const Node& n) {
    Scaled s = split_scalars(n);
    Pieces out;
    for (const Expr& e : s.scalars) {
      if (!out.empty()) out.emplace_back(" * ");
      out.emplace_back(e, Level::Power);
    }
    if (s.chain.empty()) return out;
    if (!s.scalars.empty()) {
      out.emplace_back(" * ");
      if (s.chain.size() == 1) out.emplace_back(s.chain[0], Level::Power);
      else out.emplace_back(mat::make(Op::Mul, n.shape, s.chain), Level::Power);
      return out;
    }
    auto [left, right] = split_chain(n);
    if (left->shape.is_row() && right->shape.is_column()) return {{transpose(left), Level::Postfix}, ".dot(", right, ")"};
    if (left->calls("inv")) return {{left->operands[0], Level::Postfix}, ".partialPivLu().solve(", right, ")"};
    out = factor(left, Level::Product);
    out.emplace_back(" * ");
    append(out, factor(right, Level::Power));
    return out;
  }

  static Pieces spell_matrix_power(const Node& n) {
    Pieces out = {{n.operands[0], Level::Power}};
    for (long k = as_long(n.operands[1]->number).value_or(1); k > 1; --k) append(out, {" * ", {n.operands[0], Level::Power}});
    return out;
  }

  // A size is written as it is where a size is wanted. Sizes are polynomials, a few operators deep.
  static std::string integer(const Expr& e) {
    std::string text;
    switch (e->op) {
      case Op::Name: return cpp_identifier(e->name);
      case Op::Number: return e->number.get_str();
      case Op::Power:
        for (long k = as_long(e->operands[1]->number).value_or(1); k > 0; --k) text += (text.empty() ? "" : " * ") + integer(e->operands[0]);
        return text;
      case Op::Mul:
        for (const Expr& f : e->operands) text += (text.empty() ? "" : " * ") + integer(f);
        return text;
      case Op::Add:
        for (size_t i = 0; i < e->operands.size(); ++i)
          text += (e->negative[i] ? (i > 0 ? " - " : "-") : (i > 0 ? " + " : "")) + integer(e->operands[i]);
        return text;
      default: return text;
    }
  }
  static std::string before(const Expr& index) { return integer(mat::add({{false, index}, {true, mat::number(1)}})); }

  Pieces sizes(const Node& n) const {
    Pieces out;
    for (const Expr& e : n.operands) out.emplace_back((out.empty() ? "" : ", ") + integer(e));
    return out;
  }

  // What is not there yet is evaluated, so that it has entries.
  static Pieces evaluated(const Expr& e) {
    Pieces out = {{e, Level::Postfix}};
    if (e->op != Op::Name && e->op != Op::Block) out.emplace_back(".eval()");
    return out;
  }

  // Positions count from 0.
  static Pieces spell_indices(const Node& n) {
    Pieces out = evaluated(n.operands[0]);
    for (size_t i = 1; i < n.operands.size(); ++i) {
      const Expr& index = n.operands[i];
      out.emplace_back(i == 1 ? "(" : ", ");
      if (index->op != Op::Range) out.emplace_back(before(index));
      else if (index->operands.empty()) out.emplace_back("Eigen::all");
      else out.emplace_back("Eigen::seq(" + before(index->operands[0]) + ", " + before(index->operands[1]) + ")");
    }
    out.emplace_back(")");
    return out;
  }

  // How high or wide a block is.
  static Pieces side(const std::optional<Expr>& known, bool rows) {
    if (!known) return {"1"};
    const Expr& block = *known;
    const mat::Shape& s = block->shape;
    if (s.is_scalar() || (rows ? s.is_row() : s.is_column())) return {"1"};
    if (block->calls("zeros") || block->calls("ones")) return {integer(block->operands[rows || s.is_row() ? 0 : block->operands.size() - 1])};
    if (block->calls("eye")) return {integer(block->operands[0])};
    return {{block, Level::Postfix}, rows ? ".rows()" : ".cols()"};
  }

  static Pieces spell_blocks(const Node& n) {
    Pieces rows, columns, out = {"(" + type_of(n.shape) + "("};
    for (size_t i = 0; i < n.operands.size(); i += n.columns) {
      if (i > 0) rows.emplace_back(" + ");
      append(rows, side(beside_block(n, i, true), true));
    }
    for (size_t j = 0; j < n.columns; ++j) {
      if (j > 0) columns.emplace_back(" + ");
      append(columns, side(beside_block(n, j, false), false));
    }
    if (!n.shape.is_row()) append(out, std::move(rows));
    if (n.shape.is_matrix()) out.emplace_back(", ");
    if (!n.shape.is_column()) append(out, std::move(columns));
    out.emplace_back(") << ");
    for (size_t i = 0; i < n.operands.size(); ++i) {
      if (i > 0) out.emplace_back(", ");
      if (!n.shape.is_matrix() || !is_zero_block(n.operands[i])) {
        out.emplace_back(n.operands[i], Level::Sum);
        continue;
      }
      out.emplace_back("Eigen::MatrixXd::Zero(");
      append(out, side(beside_block(n, i, true), true));
      out.emplace_back(", ");
      append(out, side(beside_block(n, i, false), false));
      out.emplace_back(")");
    }
    out.emplace_back(").finished()");
    return out;
  }

  static Pieces spell_kron(const Node& n) {
    Pieces out = {type_of(n.shape) + "("};
    for (size_t i = 0; i + 1 < n.operands.size(); ++i) out.emplace_back("Eigen::kroneckerProduct(");
    for (size_t i = 0; i < n.operands.size(); ++i) {
      if (i > 0) out.emplace_back(", ");
      append(out, evaluated(n.operands[i]));
      if (i > 0) out.emplace_back(i + 1 < n.operands.size() ? ").eval()" : ")");
    }
    out.emplace_back(")");
    return out;
  }

  Pieces spell_call(const Node& n) const {
    if (n.undeclared) return fill(cpp_identifier(n.name) + "({})", n.operands);
    if (n.name == "ones" || n.name == "zeros" || n.name == "eye") {
      Pieces out = {type_of(n.shape) + (n.name == "ones" ? "::Ones(" : n.name == "zeros" ? "::Zero(" : "::Identity(")};
      append(out, sizes(n));
      if (n.name == "eye") out.emplace_back(", "), append(out, sizes(n));
      out.emplace_back(")");
      return out;
    }
    if (n.name == "diag" && n.shape.is_column()) return {{n.operands[0], Level::Postfix}, ".diagonal()"};
    if (n.name == "diag") {
      Pieces out = {"Eigen::MatrixXd("};
      append(out, as_diagonal(n.operands[0]));
      out.emplace_back(")");
      return out;
    }
    if (n.name == "kron") return spell_kron(n);
    if (n.name == "vec" || n.name == "reshape") {
      Pieces out = evaluated(n.operands[0]);
      out.emplace_back(n.name == "vec" ? ".reshaped()" : ".reshaped(" + integer(n.operands[1]) + ", " + integer(n.operands[2]) + ")");
      return out;
    }
    if (n.name == "e") return {"Eigen::VectorXd::Unit(" + integer(n.operands[1]) + ", " + before(n.operands[0]) + ")"};
    if (n.name == "commut") return {"detail::commut(" + integer(n.operands[0]) + ", " + integer(n.operands[1]) + ")"};
    if (n.name == "cross") return {"Eigen::Vector3d(", n.operands[0], ").cross(Eigen::Vector3d(", n.operands[1], "))"};
    if (n.name == "where" || mat::is_comparison(n)) return spell_choice(n);
    if (n.operands.size() == 1)
      for (auto [name, member] : kMembers)
        if (name == n.name) return {{n.operands[0], Level::Postfix}, std::string(member)};
    if (n.operands.size() == 1 && n.name == "max") return fill("detail::largest({})", n.operands);
    if (n.operands.size() == 1 && n.name == "min") return fill("detail::smallest({})", n.operands);
    if (n.name == "sqrt" && !n.shape.is_scalar()) return {{n.operands[0], Level::Postfix}, ".cwiseSqrt()"};
    if (n.name == "sqrt") return fill("std::sqrt({})", n.operands);
    auto map = find_elementwise(n.name);
    if (!map) return fill("detail::" + n.name + "({})", n.operands);
    if (n.shape.is_scalar()) return fill(scalar_function(*map) + "({})", n.operands);
    if (std::ranges::find(kArrayMethods, n.name) != std::end(kArrayMethods)) return {{n.operands[0], Level::Postfix}, ".array()." + n.name + "().matrix()"};
    if (n.operands.size() == 1) return {{n.operands[0], Level::Postfix}, ".unaryExpr(&detail::" + n.name + "_)"};
    return spell_binary(n);
  }

  static std::string scalar_function(MapOp op) {
    std::string_view cpp = row(op).cpp;
    if (cpp.starts_with("std::") && (cpp.ends_with("(x)") || cpp.ends_with("(x, y)"))) return std::string(cpp.substr(0, cpp.find('(')));
    return "detail::" + std::string(row(op).name) + "_";
  }

  static Pieces spell_binary(const Node& n) {
    const Expr &a = n.operands[0], &b = n.operands[1];
    std::string f = "detail::" + n.name + "_";
    if (b->shape.is_scalar()) return {{a, Level::Postfix}, ".unaryExpr([s = ", b, "](double t) { return " + f + "(t, s); })"};
    if (a->shape.is_scalar()) return {{b, Level::Postfix}, ".unaryExpr([s = ", a, "](double t) { return " + f + "(s, t); })"};
    return {{a, Level::Postfix}, ".binaryExpr(", b, ", &" + f + ")"};
  }

  static Pieces spell_comparison(const Node& n) {
    auto side = [&](const Expr& e) {
      return n.shape.is_scalar() || e->shape.is_scalar() ? Pieces{{e, Level::Sum}} : Pieces{{e, Level::Postfix}, ".array()"};
    };
    Pieces out = side(n.operands[0]);
    out.emplace_back(" " + n.name + " ");
    append(out, side(n.operands[1]));
    return out;
  }

  // Whether the entries of `c` are not 0.
  static Pieces spell_condition(const Expr& c) {
    if (mat::is_comparison(*c)) return spell_comparison(*c);
    return c->shape.is_scalar() ? Pieces{{c, Level::Sum}, " != 0"} : Pieces{{c, Level::Postfix}, ".array() != 0"};
  }

  // where() is ?: for scalars and select() for tensors; a comparison anywhere else is a number.
  Pieces spell_choice(const Node& n) const {
    Pieces out = {"("};
    append(out, n.name == "where" ? spell_condition(n.operands[0]) : spell_comparison(n));
    if (n.name != "where") {
      append(out, {n.shape.is_scalar() ? " ? 1.0 : 0.0)" : ").cast<double>().matrix()"});
      return out;
    }
    const Expr &a = n.operands[1], &b = n.operands[2];
    if (n.operands[0]->shape.is_scalar()) append(out, {" ? ", {a, Level::Sum}, " : ", {b, Level::Sum}, ")"});
    else if (a->is_number(1) && b->is_number(0)) append(out, {").cast<double>().matrix()"});
    else if (a->shape.is_scalar() && b->shape.is_scalar())  // select() needs one tensor
      append(out, {").unaryExpr([s = ", a, ", t = ", b, "](bool hit) -> double { return hit ? s : t; }).matrix()"});
    else append(out, {").select(", a, ", ", b, ")"});
    return out;
  }

  const std::set<std::string>& dimensions_;
};

}  // namespace

std::string cpp_identifier(const std::string& name) {
  static const std::set<std::string, std::less<>> kReserved = {
      "alignas", "alignof", "and", "and_eq", "asm", "auto", "bitand", "bitor", "bool", "break", "case", "catch", "char", "class", "compl", "concept", "const",
      "constexpr", "consteval", "constinit", "continue", "co_await", "co_return", "co_yield", "decltype", "default", "delete", "do", "double", "else", "enum",
      "explicit", "export", "extern", "false", "float", "for", "friend", "goto", "if", "inline", "int", "long", "mutable", "namespace", "new", "noexcept",
      "not", "not_eq", "nullptr", "operator", "or", "or_eq", "private", "protected", "public", "register", "reinterpret_cast", "requires", "return", "short",
      "signed", "sizeof", "static", "static_assert", "static_cast", "struct", "switch", "template", "this", "thread_local", "throw", "true", "try", "typedef",
      "typeid", "typename", "union", "unsigned", "using", "virtual", "void", "volatile", "wchar_t", "while", "xor", "xor_eq",
      // names and macros of the headers an emitted file includes
      "Eigen", "std", "detail", "main", "assert", "errno", "NULL", "EOF", "INFINITY", "NAN", "HUGE_VAL", "M_PI", "M_E", "I", "linux", "unix", "i386", "s", "t"};
  bool reserved = kReserved.contains(name) || name.starts_with("EIGEN_") || name.starts_with("_") || name.find("__") != std::string::npos;
  if (!reserved) return name;
  std::string out = name.starts_with("_") ? "r" + name : name;
  for (size_t at; (at = out.find("__")) != out.npos;) out.replace(at, 2, "_0");
  return out + "_";
}

std::string to_eigen(const Expr& e, const std::set<std::string>& dimensions) {
  Speller speller(dimensions);
  return render(e, {[&](const mat::Node& n) { return speller.spell(n); }, [&](const mat::Node& n) { return speller.level(n); }});
}

}  // namespace ricci
