#include "codegen/latex.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>

#include "codegen/notation.h"
#include "frontend/spelling.h"
#include "ir/elementwise.h"
#include "ir/functions.h"

namespace ricci {
namespace {

using mat::Expr;
using mat::Node;
using mat::Op;

// What neither table knows, with {} for each argument in turn.
constexpr std::pair<std::string_view, std::string_view> kFunctions[] = {
    {"inv", "{}^{-1}"},   {"norm2", "\\left\\|{}\\right\\|_2"}, {"norm1", "\\left\\|{}\\right\\|_1"}, {"tr", "\\operatorname{tr}"},
    {"sqrt", "\\sqrt{{}}"}, {"eye", "I_{{}}"},                  {"ones", "\\mathbf{1}_{{}}"},        {"zeros", "\\mathbf{0}_{{}}"},
    {"<", "{} < {}"},     {"<=", "{} \\le {}"},                 {"==", "{} = {}"},                       {"where", "\\operatorname{where}"},
    {"=", "{} = {}"},     {">", "{} > {}"},                     {">=", "{} \\ge {}"},                      {"!=", "{} \\ne {}"},
    {"sum", "\\operatorname{sum}"}, {"e", "e_{{}}"},
};

std::string template_of(std::string_view function) {
  for (auto [name, text] : kFunctions)
    if (name == function) return std::string(text);
  if (auto op = find_elementwise(function)) return std::string(row(*op).latex);
  if (auto op = find_function(function)) return std::string(row(*op).latex);
  if (function.size() == 1) return latex_name(function);
  std::string escaped;
  for (char c : function) escaped += c == '_' ? std::string("\\_") : std::string(1, c);
  return "\\operatorname{" + escaped + "}";
}

// A template with {} for the arguments, or the name of a function before a bracket.
Pieces spell_call(const Node& n) {
  if (n.name == "kron") return spell_kron(n, " \\otimes ");
  std::string text = template_of(n.name);
  if (text.find("{}") == text.npos) return fill(text + "\\left({}\\right)", n.operands);
  bool one_each = n.operands.size() > 1 && !n.calls("ones") && !n.calls("zeros");
  if (!one_each) return fill(text, n.operands, text.starts_with("{}") ? Level::Atom : Level::Comparison);
  Pieces out;
  size_t next = 0, at = 0;
  for (size_t hole; next < n.operands.size() && (hole = text.find("{}", at)) != text.npos; at = hole + 2) {
    out.emplace_back(text.substr(at, hole - at));
    out.emplace_back(n.operands[next++], hole == 0 ? Level::Sum : Level::Comparison);
  }
  out.emplace_back(text.substr(at));
  return out;
}

// \sum_{i} x_{i}, \max_{k}\left(...\right).
Pieces spell_reduction(const Node& n) {
  std::string sign = template_of(n.name), letters;
  if (sign.find("{}") != sign.npos) sign = "\\operatorname{" + n.name + "}";
  for (const mat::Index& i : n.indices) letters += (letters.empty() ? "" : " ") + latex_letter(i.letter);
  if (n.name == "sum") return {latex_sum(letters), {n.operands[0], Level::Product}};
  if (n.name == "prod") return {sign + "_{" + letters + "} ", {n.operands[0], Level::Product}};
  return fill(sign + "_{" + letters + "}\\left({}\\right)", n.operands);
}

// "alpha" for alpha and for α; empty for what is no Greek letter.
std::string_view greek_word(std::string_view name) {
  if (!greek_letter(name).empty()) return name;
  if (name == "δ") return "delta";  // the only one that is no twin of its letter in programs
  return name.empty() || static_cast<unsigned char>(name[0]) < 0x80 ? std::string_view() : greek_twin(name);
}

Pieces spell_indexed(const Node& n) {
  const std::string scripts = latex_scripts(spell_scripts(n.indices, latex_letter, [](std::span<const std::string> letters) {
    return "(" + fmt::format("{}", fmt::join(letters, " ")) + ")";
  }));
  if (n.operands[0]->op == Op::Name) return {latex_base(latex_name(n.operands[0]->name)) + scripts};
  return {"\\left[", n.operands[0], "\\right]" + scripts};
}

// \frac{\partial^{2} f}{\partial x \partial y}, \mathrm{d}^{2} f.
Pieces spell_derivative(const Node& n) {
  const std::string order = n.number == 1 ? "" : "^{" + to_string(n.number) + "}";
  if (n.operands.size() == 1) return {"\\mathrm{d}" + order, {n.operands[0], Level::Atom}};
  Pieces out = {"\\frac{\\partial" + order + " ", n.operands[0], "}{"};
  if (const size_t times = times_by_one(n); times > 1) append(out, {"\\partial ", n.operands[1], "^{" + std::to_string(times) + "}"});
  else for (size_t k = 1; k < n.operands.size(); ++k) append(out, {k > 1 ? " \\partial " : "\\partial ", n.operands[k]});
  out.emplace_back("}");
  return out;
}

std::string spell_name(const Node& n) {
  if (!n.added) return latex_name(n.name);
  const auto [is_unit, of] = parts_of_added(n);
  return is_unit ? "e_{" + latex_letter(std::string(of)) + "}" : "\\mathrm{d}" + latex_name(of);
}

bool begins_with_name(const Expr& e) { return e->op != Op::Number; }

Pieces spell(const Node& n) {
  Pieces out;
  auto infix = [&](const char* sign) {
    for (size_t i = 0; i < n.operands.size(); ++i) {
      const Expr& e = n.operands[i];
      bool numbers = i > 0 && !begins_with_name(e) && !begins_with_name(n.operands[i - 1]);
      const bool open = n.op == Op::Mul && (e->op == Op::Mul || (i + 1 == n.operands.size() && is_big_operator(*e)));
      const bool beside_differential = n.op == Op::Mul && i > 0 && (is_differential(*e) || is_differential(*n.operands[i - 1]));
      if (i > 0) out.emplace_back(numbers ? " \\cdot " : beside_differential ? " \\, " : sign);
      out.emplace_back(e, open ? Level::Product : Level::Power);
    }
    return out;
  };
  switch (n.op) {
    case Op::Number:
      if (n.number.get_den() == 1) return {n.number.get_str()};
      return {"\\frac{" + n.number.get_num().get_str() + "}{" + n.number.get_den().get_str() + "}"};
    case Op::Name: return {spell_name(n)};
    case Op::Add: return spell_sum(n);
    case Op::Mul: return infix(" ");
    case Op::Hadamard: return infix(" \\odot ");
    case Op::ElementwiseDivide: return infix(" \\oslash ");
    case Op::Divide: return {"\\frac{", n.operands[0], "}{", n.operands[1], "}"};
    case Op::Power: return {{n.operands[0], Level::Atom}, "^{", n.operands[1], "}"};
    case Op::ElementwisePower: return {{n.operands[0], Level::Atom}, "^{\\circ ", {n.operands[1], Level::Atom}, "}"};
    case Op::Transpose:  // (X^{-1})^T is X^{-T}
      if (n.operands[0]->calls("inv")) return {{n.operands[0]->operands[0], Level::Atom}, "^{-\\top}"};
      return {{n.operands[0], Level::Atom}, "^{\\top}"};
    case Op::Call: return n.indices.empty() ? spell_call(n) : spell_reduction(n);
    case Op::Slice: return spell_slice(n);
    case Op::Range: return spell_range(n);
    case Op::Block: return spell_block(n, "\\begin{bmatrix}", " & ", " \\\\ ", "\\end{bmatrix}");
    case Op::Indexed: return spell_indexed(n);
    case Op::Derivative: return spell_derivative(n);
  }
  return out;
}

// A name with a superscript cannot bear another; a fraction is a factor like any other.
Level level(const Node& n) {
  if (n.op == Op::Number) return is_integer(n.number) ? Level::Atom : Level::Power;
  if (n.op == Op::Divide || n.op == Op::Derivative || is_differential(n)) return Level::Power;
  if (is_big_operator(n)) return Level::Product;
  if (n.op == Op::Transpose || n.calls("inv")) return Level::Power;
  if (n.calls("kron")) return Level::Product;
  if (n.op == Op::Call && (template_of(n.name).starts_with("{}^") || template_of(n.name).starts_with("e^"))) return Level::Power;
  return infix_level(n);
}

}  // namespace

std::string latex_letter(const std::string& letter) { return is_index_number(letter) ? letter : latex_name(letter); }

std::string latex_base(const std::string& name) { return name.find_first_of("_^") == name.npos ? name : "{" + name + "}"; }

std::string latex_scripts(std::span<const Script> scripts) {
  std::string out;
  for (size_t k = 0; k < scripts.size();) {
    const Variance height = scripts[k].height;
    out += std::string(k > 0 ? "{}" : "") + (height == Variance::Up ? "^{" : "_{");
    for (bool first = true; k < scripts.size() && scripts[k].height == height; ++k, first = false) out += (first ? "" : " ") + scripts[k].text;
    out += "}";
  }
  return out;
}

std::string latex_sum(const std::string& letters) { return "\\sum_{" + letters + "} "; }

std::string latex_name(std::string_view name) {
  if (name == "eps" || name == "ε") return "\\varepsilon";
  if (name.find_first_of(" *") != name.npos) {  // a size that is built: 2*n, n + 1
    std::string out, word;
    for (char c : std::string(name) + '\0') {
      if (std::isalnum(static_cast<unsigned char>(c)) || c == '_' || static_cast<unsigned char>(c) >= 0x80) {
        word += c;
        continue;
      }
      if (!word.empty()) out += std::isdigit(static_cast<unsigned char>(word[0])) ? word : latex_name(word);
      word.clear();
      if (c != '\0') out += c == '*' ? ' ' : c;
    }
    return out;
  }
  if (std::string_view word = greek_word(name); !word.empty()) return "\\" + std::string(word);
  size_t digits = name.size();
  while (digits > 0 && std::isdigit(static_cast<unsigned char>(name[digits - 1]))) --digits;
  std::string_view stem = name.substr(0, digits), number = name.substr(digits);
  if (!number.empty() && !stem.empty() && (stem.size() == 1 || !greek_word(stem).empty())) return latex_name(stem) + "_{" + std::string(number) + "}";
  std::string escaped;
  for (char c : name) {
    if (std::string_view("_#$%&{}").find(c) != std::string_view::npos) escaped += '\\';
    escaped += c;
  }
  bool letter = name.size() == 1 || static_cast<unsigned char>(name[0]) >= 0x80;
  return letter ? escaped : "\\mathrm{" + escaped + "}";
}

std::string to_latex(const Expr& e) { return render(e, {spell, level, "\\left(", "\\right)"}); }

}  // namespace ricci
