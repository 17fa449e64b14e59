#include "codegen/unicode.h"

#include "codegen/notation.h"
#include "codegen/text.h"
#include "frontend/spelling.h"
#include "ir/superscript.h"

namespace ricci {
namespace {

using mat::Expr;
using mat::Node;
using mat::Op;

bool is_whole(const Expr& e) { return e->op == Op::Number && is_integer(e->number); }

Pieces spell(const Node& n) {
  Pieces out;
  switch (n.op) {
    case Op::Number: return {spell_number(n.number)};
    case Op::Name: {
      std::string_view greek = greek_letter(n.name);
      return {greek.empty() || greek == "δ" ? n.name : std::string(greek)};  // δ alone is the Kronecker delta
    }
    case Op::Add: return spell_sum(n, "−");
    case Op::Mul:
      for (size_t i = 0; i < n.operands.size(); ++i) {
        const Expr& e = n.operands[i];
        bool scaled = i + 1 == n.operands.size() && n.operands[0]->shape.is_scalar() && e->op == Op::Hadamard && n.operands[i - (i > 0)]->shape.is_scalar();
        if (i > 0) out.emplace_back("·");
        out.emplace_back(e, e->op == Op::Mul || scaled ? Level::Product : Level::Power);
      }
      return out;
    case Op::Hadamard: case Op::ElementwiseDivide:
      for (size_t i = 0; i < n.operands.size(); ++i) {
        if (i > 0) out.emplace_back(n.op == Op::Hadamard ? "⊙" : "⊘");
        out.emplace_back(n.operands[i], i == 0 && n.op == Op::ElementwiseDivide && n.operands[0]->op == Op::Hadamard ? Level::Product : Level::Power);
      }
      return out;
    case Op::Divide: return {{n.operands[0], Level::Product}, "/", {n.operands[1], Level::Power}};
    case Op::Power:
      if (is_whole(n.operands[1])) return {{n.operands[0], Level::Postfix}, superscript(n.operands[1]->number.get_str())};
      return {{n.operands[0], Level::Postfix}, "^", {n.operands[1], Level::Atom}};
    case Op::ElementwisePower: return {{n.operands[0], Level::Postfix}, ".^", {n.operands[1], Level::Atom}};
    case Op::Transpose: return {{n.operands[0], Level::Postfix}, "ᵀ"};
    case Op::Slice: return spell_slice(n);
    case Op::Range: return spell_range(n);
    case Op::Block: return spell_block(n);
    case Op::Call:
      if (n.name == "kron") return spell_kron(n, "⊗");
      if (infix_level(n) == Level::Comparison) return {{n.operands[0], Level::Sum}, (n.name == "<=" ? std::string(" ≤ ") : " " + n.name + " "), {n.operands[1], Level::Sum}};
      if (n.name == "inv") return {{n.operands[0], Level::Atom}, "⁻¹"};
      if (!n.indices.empty()) return fill((n.name == "sum" ? "∑" : n.name) + spell_indices(n.indices) + "({})", n.operands);
      if (n.name == "norm2") return fill("‖{}‖", n.operands);
      return fill(n.name + "({})", n.operands);
    case Op::Indexed:
      if (n.operands[0]->op == Op::Name) return {n.operands[0], spell_indices(n.indices)};
      return {"[", n.operands[0], "]", spell_indices(n.indices)};
    case Op::Derivative: return spell_derivative(n, n.operands.size() > 1 ? "∂" : "d", n.number == 1 ? "" : superscript(to_string(n.number)));
  }
  return out;
}

Level level(const Node& n) { return n.calls("inv") ? Level::Postfix : n.calls("kron") ? Level::Product : text_level(n); }

}  // namespace

std::string to_unicode(const Expr& e) { return render(e, {spell, level}); }

}  // namespace ricci
