#include "codegen/mathml.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "codegen/notation.h"
#include "frontend/spelling.h"

namespace ricci {
namespace {

using mat::Expr;
using mat::Node;
using mat::Op;

constexpr const char* kDifferential = "<mi mathvariant=\"normal\">d</mi>";

std::string escape(std::string_view text) {
  std::string out;
  for (char c : text) out += c == '&' ? std::string("&amp;") : c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '"' ? "&quot;" : std::string(1, c);
  return out;
}
std::string sign(std::string_view s) { return "<mo>" + escape(s) + "</mo>"; }
std::string identifier(std::string_view name) { return mathml_name(name); }
std::string letter(const std::string& l) { return is_index_number(l) ? "<mn>" + l + "</mn>" : identifier(l); }

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

std::string_view comparison(std::string_view name) {
  constexpr std::pair<std::string_view, std::string_view> kSigns[] = {{"==", "="}, {"<=", "≤"}, {">=", "≥"}, {"!=", "≠"}};
  const auto row = std::ranges::find(kSigns, name, &std::pair<std::string_view, std::string_view>::first);
  return row == std::end(kSigns) ? name : row->second;
}

Pieces spell_indexed(const Node& n) {
  const std::string scripts = mathml_scripts(spell_scripts(n.indices, letter, [](std::span<const std::string> letters) {
    return "<mrow>" + sign("(") + fmt::format("{}", fmt::join(letters, "")) + sign(")") + "</mrow>";
  }));
  const bool is_name = n.operands[0]->op == Op::Name;
  return {is_name ? "<mmultiscripts><mrow>" : "<mmultiscripts><mrow><mo>[</mo>", n.operands[0], (is_name ? "</mrow>" : "<mo>]</mo></mrow>") + scripts + "</mmultiscripts>"};
}

Pieces spell_derivative(const Node& n) {
  const auto signed_by = [&](std::string s) { return n.number == 1 ? s : "<msup>" + s + "<mn>" + to_string(n.number) + "</mn></msup>"; };
  if (n.operands.size() == 1) return row_of({signed_by(kDifferential), {n.operands[0], Level::Atom}});
  Pieces below;
  if (const size_t times = times_by_one(n); times > 1) below = {sign("∂") + "<msup>", n.operands[1], "<mn>" + std::to_string(times) + "</mn></msup>"};
  else for (size_t k = 1; k < n.operands.size(); ++k) append(below, {sign("∂"), n.operands[k]});
  Pieces out = {"<mfrac>"};
  append(out, row_of({signed_by(sign("∂")), n.operands[0]}));
  append(out, row_of(std::move(below)));
  out.emplace_back("</mfrac>");
  return out;
}

std::string spell_name(const Node& n) {
  if (!n.added) return identifier(n.name);
  const auto [is_unit, of] = parts_of_added(n);
  return is_unit ? "<msub><mi>e</mi>" + letter(std::string(of)) + "</msub>" : "<mrow>" + std::string(kDifferential) + identifier(of) + "</mrow>";
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
  if (n.name == "kron") return row_of(spell_kron(n, sign("⊗")));
  if (n.name == "e") return {"<msub><mi>e</mi>", n.operands[0], "</msub>"};
  if (infix_level(n) == Level::Comparison) return row_of({{n.operands[0], Level::Sum}, sign(comparison(n.name)), {n.operands[1], Level::Sum}});
  std::string name = identifier(n.name);
  if (!n.indices.empty()) {
    std::string letters;
    for (const mat::Index& i : n.indices) letters += letter(i.letter);
    if (is_big_operator(n)) return row_of({mathml_big_operator(n.name == "sum" ? "∑" : "∏", letters), {n.operands[0], Level::Product}});
    name = "<msub>" + name + "<mrow>" + letters + "</mrow></msub>";
  }
  Pieces inner = {name + "<mo>&#x2061;</mo><mo>(</mo>"};
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
      const bool open = n.op == Op::Mul && (n.operands[i]->op == Op::Mul || (i + 1 == n.operands.size() && is_big_operator(*n.operands[i])));
      inner.emplace_back(n.operands[i], open ? Level::Product : Level::Power);
    }
    return row_of(std::move(inner));
  };
  switch (n.op) {
    case Op::Number:
      if (n.number.get_den() == 1) return {"<mn>" + n.number.get_str() + "</mn>"};
      return {"<mfrac><mn>" + n.number.get_num().get_str() + "</mn><mn>" + n.number.get_den().get_str() + "</mn></mfrac>"};
    case Op::Name: return {spell_name(n)};
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
    case Op::Indexed: return spell_indexed(n);
    case Op::Derivative: return spell_derivative(n);
  }
  return inner;
}

Level level(const Node& n) {
  if (n.op == Op::Divide || n.op == Op::Number || n.op == Op::Derivative || is_differential(n)) return Level::Power;
  if (is_big_operator(n) || n.calls("kron")) return Level::Product;
  for (const char* script : {"inv", "pinv", "sqrtm", "expm"})
    if (n.calls(script)) return Level::Power;
  return infix_level(n);
}

}  // namespace

std::string mathml_name(std::string_view name) {
  const std::string_view greek = greek_letter(name);
  return "<mi>" + escape(greek.empty() ? name : greek) + "</mi>";
}

std::string mathml_scripts(std::span<const Script> scripts) {
  std::string out;
  for (const Script& s : scripts) out += s.height == Variance::Up ? "<mrow></mrow>" + s.text : s.text + "<mrow></mrow>";
  return out;
}

std::string mathml_big_operator(std::string_view s, const std::string& letters) { return "<munder>" + sign(s) + "<mrow>" + letters + "</mrow></munder>"; }

std::string to_mathml(const Expr& e) {
  return "<math xmlns=\"http://www.w3.org/1998/Math/MathML\">" + render(e, {spell, level, "<mrow><mo>(</mo>", "<mo>)</mo></mrow>"}) + "</math>";
}

}  // namespace ricci
