#include "codegen/written_tree.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "ir/functions.h"
#include "ir/matrix_node.h"

namespace ricci {
namespace {

using mat::Expr;
using mat::Op;
using mat::Shape;

constexpr std::pair<AstOp, const char*> kComparisons[] = {
    {AstOp::Less, "<"}, {AstOp::LessEqual, "<="}, {AstOp::Greater, ">"}, {AstOp::GreaterEqual, ">="}, {AstOp::Equal, "=="}, {AstOp::Unequal, "!="},
};

// Shapes are not known, and matter to no spelling but for brackets around s*x.*y: only numbers are scalars for sure.
const Shape kAny = Shape::matrix({}, {});

Expr make(Op op, std::vector<Expr> operands) { return mat::make(op, kAny, std::move(operands)); }

// `a` op `b` with the operands of `a` if that is such a row itself: a*b*c.
Expr join(Op op, const Expr& a, const Expr& b) {
  std::vector<Expr> operands = a->op == op ? a->operands : std::vector<Expr>{a};
  operands.push_back(b);
  return make(op, std::move(operands));
}

class Writer {
 public:
  Writer(const Syntax& syntax, const KnownNames& names) : syntax_(syntax), names_(names) {}

  Expr write(AstId root) {
    first_ = syntax_[root].first;
    for (uint32_t id = first_; id <= root.value; ++id) done_.push_back(node(syntax_[AstId{id}]));  // operands come first
    return done_.back();
  }

 private:
  const Expr& operand(const Ast& a, size_t k) const { return done_[a.children[k].value - first_]; }
  std::vector<Expr> operands(const Ast& a) const {
    std::vector<Expr> out;
    for (size_t k = 0; k < a.children.size(); ++k) out.push_back(operand(a, k));
    return out;
  }
  static std::vector<mat::Index> indices(const Ast& a) {
    std::vector<mat::Index> out;
    for (const IndexUse& i : a.indices) out.push_back({i.letter, i.variance});
    return out;
  }

  Expr node(const Ast& a) const {
    switch (a.kind) {
      case AstKind::Number: return mat::number(*parse_rational(a.name));
      case AstKind::Name: return mat::name(std::string(a.name), kAny);
      case AstKind::Indexed: return mat::indexed(base(operand(a, 0)), indices(a));
      case AstKind::Negate: return sum({operand(a, 0)}, {true});
      case AstKind::Comparison: return mat::make_call(std::ranges::find(kComparisons, a.ops[0], &std::pair<AstOp, const char*>::first)->second, operands(a), kAny);
      case AstKind::Sum: return sum(a);
      case AstKind::Product: return product(a);
      case AstKind::Power: return make(Op::Power, operands(a));
      case AstKind::EntryPower: return make(Op::ElementwisePower, operands(a));
      case AstKind::Transpose: return make(Op::Transpose, operands(a));
      case AstKind::Call: return call(a);
      case AstKind::Apply: return make(Op::Slice, operands(a));
      case AstKind::Block: return block(a);
      case AstKind::Range: return make(Op::Range, operands(a));
      case AstKind::List: case AstKind::Partial: case AstKind::Poison: break;  // no answer has them
    }
    throw std::logic_error("a printed line has what no answer has");
  }

  // The unit tensors are letters that no variable has.
  Expr base(const Expr& e) const {
    if (e->op != Op::Name || names_.variables.contains(e->name)) return e;
    if (e->name == "delta") return mat::name("δ", kAny);
    if (e->name == "eps" && !names_.variables.contains("epsilon") && !names_.variables.contains("ε")) return mat::name("ε", kAny);
    return e;
  }

  static Expr sum(std::vector<Expr> terms, std::vector<bool> negative) {
    mat::Node n(Op::Add, kAny);
    n.operands = std::move(terms);
    n.negative = std::move(negative);
    return mat::make(std::move(n));
  }
  Expr sum(const Ast& a) const {
    std::vector<Expr> terms = operands(a);
    std::vector<bool> negative = {false};
    for (AstOp op : a.ops) negative.push_back(op == AstOp::Minus);
    if (terms[0]->is_negated()) terms[0] = Expr(terms[0]->operands[0]), negative[0] = true;  // -a + b
    return sum(std::move(terms), std::move(negative));
  }

  // a/b/c is a/(b*c), and 1/2*a/b is a/(2*b).
  static Expr quotient(const Expr& a, const Expr& b) {
    if (a->op == Op::Divide) return make(Op::Divide, {a->operands[0], join(Op::Mul, a->operands[1], b)});
    const bool fraction = a->op == Op::Mul && a->operands[0]->op == Op::Divide && a->operands[0]->operands[0]->op == Op::Number;
    if (!fraction) return make(Op::Divide, {a, b});
    const Expr &first = a->operands[0]->operands[0], &divisor = a->operands[0]->operands[1];
    std::vector<Expr> factors(a->operands.begin() + 1, a->operands.end());
    if (!first->is_number(1)) factors.insert(factors.begin(), first);
    return make(Op::Divide, {factors.size() == 1 ? factors[0] : make(Op::Mul, factors), join(Op::Mul, divisor, b)});
  }

  // From the left, as it is read.
  Expr product(const Ast& a) const {
    Expr left = operand(a, 0);
    for (size_t k = 0; k < a.ops.size(); ++k) {
      const Expr& right = operand(a, k + 1);
      switch (a.ops[k]) {
        case AstOp::Over: left = quotient(left, right); break;
        case AstOp::EntryTimes: left = join(Op::Hadamard, left, right); break;
        case AstOp::EntryOver: left = make(Op::ElementwiseDivide, {left, right}); break;
        case AstOp::Outer: left = mat::make_call("kron", {left, right}, kAny); break;
        case AstOp::Solve: left = join(Op::Mul, mat::make_call("inv", {left}, kAny), right); break;
        default: left = join(Op::Mul, left, right);
      }
    }
    return left;
  }

  Expr call(const Ast& a) const {
    if (!a.indices.empty()) return mat::reduced(std::string(a.name), operands(a), indices(a));
    return mat::make_call(std::string(a.name), operands(a), kAny);
  }

  Expr block(const Ast& a) const {
    mat::Node n(Op::Block, kAny);
    n.operands = operands(a);
    n.columns = 1 + uint32_t(std::ranges::find(a.ops, AstOp::Below) - a.ops.begin());
    return mat::make(std::move(n));
  }

  const Syntax& syntax_;
  const KnownNames& names_;
  uint32_t first_ = 0;
  std::vector<Expr> done_;
};

}  // namespace

Expr written_tree(const Syntax& syntax, AstId root, const KnownNames& names) { return Writer(syntax, names).write(root); }

}  // namespace ricci
