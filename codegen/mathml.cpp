#include "codegen/mathml.h"

#include "codegen/notation.h"
#include "frontend/spelling.h"

namespace ricci {
namespace {

using mat::Expr;
using mat::Node;
using mat::Op;

std::string escape(std::string_view text) {
  std::string out;
  for (char c : text) out += c == '&' ? std::string("&amp;") : c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '"' ? "&quot;" : std::string(1, c);
  return out;
}
std::string identifier(std::string_view name) {
  std::string_view greek = greek_letter(name);
  return "<mi>" + escape(greek.empty() ? name : greek) + "</mi>";
}
std::string sign(std::string_view s) { return "<mo>" + escape(s) + "</mo>"; }

// Every operand is one element: an <mrow> of its own.
Pieces row_of(Pieces inner) {
  Pieces out = {"<mrow>"};
  append(out, std::move(inner));
  out.emplace_back("</mrow>");
  return out;
}
Pieces script(const Expr& base, Pieces above) {
  Pieces out = {"<msup><mrow>", {base, Level::Atom}, "</mrow><mrow>"};
  append(out, std::move(above));
  out.emplace_back("</mrow></msup>");
  return out;
}

Pieces spell_call(const Node& n) {
  if (n.name == "inv") return script(n.operands[0], {"<mo>-</mo><mn>1</mn>"});
  if (n.name == "pinv") return script(n.operands[0], {"<mo>+</mo>"});
  if (n.name == "sqrtm") return script(n.operands[0], {"<mn>1</mn><mo>/</mo><mn>2</mn>"});
  if (n.name == "expm") return {"<msup><mi>e</mi><mrow>", n.operands[0], "</mrow></msup>"};
  if (n.name == "sqrt") return {"<msqrt>", n.operands[0], "</msqrt>"};
  if (n.name == "norm2" || n.name == "norm1")
    return {"<msub><mrow><mo>‖</mo>", n.operands[0], "<mo>‖</mo></mrow><mn>" + n.name.substr(4) + "</mn></msub>"};
  if (n.name == "eye") return {"<msub><mi>I</mi>", n.operands[0], "</msub>"};
  if (infix_level(n) == Level::Comparison) return row_of({{n.operands[0], Level::Sum}, sign(n.name == "==" ? "=" : n.name == "<=" ? "≤" : n.name), {n.operands[1], Level::Sum}});
  Pieces inner = {identifier(n.name) + "<mo>&#x2061;</mo><mo>(</mo>"};
  for (size_t i = 0; i < n.operands.size(); ++i) {
    if (i > 0) inner.emplace_back("<mo>,</mo>");
    inner.emplace_back(n.operands[i]);
  }
  inner.emplace_back("<mo>)</mo>");
  return row_of(std::move(inner));
}

Pieces spell(const Node& n) {
  Pieces inner;
  auto infix = [&](std::string_view s) {
    for (size_t i = 0; i < n.operands.size(); ++i) {
      if (i > 0) inner.emplace_back(sign(s));
      inner.emplace_back(n.operands[i], n.operands[i]->op == Op::Mul && n.op == Op::Mul ? Level::Product : Level::Power);
    }
    return row_of(std::move(inner));
  };
  switch (n.op) {
    case Op::Number:
      if (n.number.get_den() == 1) return {"<mn>" + n.number.get_str() + "</mn>"};
      return {"<mfrac><mn>" + n.number.get_num().get_str() + "</mn><mn>" + n.number.get_den().get_str() + "</mn></mfrac>"};
    case Op::Name: return {identifier(n.name)};
    case Op::Add:
      for (size_t i = 0; i < n.operands.size(); ++i) {
        if (i > 0 || n.negative[i]) inner.emplace_back(sign(n.negative[i] ? "−" : "+"));
        inner.emplace_back(n.operands[i], Level::Product);
      }
      return row_of(std::move(inner));
    case Op::Mul: return infix("\u2062");  // invisible times
    case Op::Hadamard: return infix("⊙");
    case Op::ElementwiseDivide: return infix("⊘");
    case Op::Divide: return {"<mfrac>", n.operands[0], n.operands[1], "</mfrac>"};
    case Op::Power: return script(n.operands[0], {n.operands[1]});
    case Op::ElementwisePower: return script(n.operands[0], {"<mo>∘</mo>", n.operands[1]});
    case Op::Transpose: return script(n.operands[0], {"<mo>⊤</mo>"});
    case Op::Call: return spell_call(n);
    case Op::Slice:
      inner = {n.operands[0], "<mo>[</mo>"};
      for (size_t i = 1; i < n.operands.size(); ++i) {
        if (i > 1) inner.emplace_back("<mo>,</mo>");
        inner.emplace_back(n.operands[i]);
      }
      inner.emplace_back("<mo>]</mo>");
      return row_of(std::move(inner));
    case Op::Range:
      if (n.operands.empty()) return {"<mo>:</mo>"};
      return row_of({n.operands[0], "<mo>:</mo>", n.operands[1]});
    case Op::Block:
      return spell_block(n, "<mrow><mo>[</mo><mtable><mtr><mtd>", "</mtd><mtd>", "</mtd></mtr><mtr><mtd>", "</mtd></mtr></mtable><mo>]</mo></mrow>");
  }
  return inner;
}

Level level(const Node& n) {
  if (n.op == Op::Divide || n.op == Op::Number) return Level::Power;
  for (const char* script : {"inv", "pinv", "sqrtm", "expm"})
    if (n.calls(script)) return Level::Power;
  return infix_level(n);
}

}  // namespace

std::string to_mathml(const Expr& e) {
  return "<math xmlns=\"http://www.w3.org/1998/Math/MathML\">" + render(e, {spell, level, "<mrow><mo>(</mo>", "<mo>)</mo></mrow>"}) + "</math>";
}

}  // namespace ricci
