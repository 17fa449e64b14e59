// Derivations in LaTeX (with amsmath): a heading for each section, its lines aligned at their equality signs, and before each line why it
// holds.
#include <fmt/format.h>

#include <cctype>

#include "codegen/derivation.h"
#include "codegen/derivation_notation.h"
#include "codegen/latex.h"
#include "ir/elementwise.h"

namespace ricci {
namespace {

class LatexSpelling final : public Spelling {
 public:
  std::string words(const std::string& text) const override {
    std::string out;
    for (char c : text) {
      if (std::string_view("_#$%&{}").find(c) != std::string_view::npos) out += '\\';
      if (c == '^') out += "\\textasciicircum{}";
      else if (c == '~') out += "\\textasciitilde{}";
      else if (c == '\\') out += "\\textbackslash{}";
      else if (c == '<') out += "\\textless{}";
      else if (c == '>') out += "\\textgreater{}";
      else out += c;
    }
    return out;
  }
  std::string code(const std::string& text) const override { return "\\texttt{" + words(text) + "}"; }
  std::string inline_formula(const std::string& formula) const override { return "$" + formula + "$"; }
  std::string matrix(const mat::Expr& e) const override { return to_latex(e); }
  std::string name(const std::string& name) const override { return latex_name(name); }
  std::string indexed(const std::string& base, const std::vector<IndexLetter>& letters) const override {
    std::vector<Script> scripts;
    for (const IndexLetter& l : letters) scripts.push_back({script(l), l.height});
    return latex_base(base) + latex_scripts(scripts);
  }
  std::string number(const Rational& value) const override {
    if (is_integer(value)) return to_string(value);
    return "\\frac{" + value.get_num().get_str() + "}{" + value.get_den().get_str() + "}";
  }
  std::string sum(const std::vector<SignedText>& terms) const override {
    std::string out;
    for (const SignedText& t : terms) out += (out.empty() ? (t.negative ? "-" : "") : t.negative ? " - " : " + ") + t.text;
    return out;
  }
  std::string product(const std::vector<std::string>& factors) const override {
    std::string out;
    for (const std::string& f : factors) out += (out.empty() ? "" : " ") + f;
    return out;
  }
  std::string quotient(const std::string& a, const std::string& b) const override { return "\\frac{" + a + "}{" + b + "}"; }
  std::string power(const std::string& base, const std::string& exponent) const override { return "{" + base + "}^{" + exponent + "}"; }
  std::string root(const std::string& of) const override { return "\\sqrt{" + of + "}"; }
  std::string function(const std::string& name, const std::vector<std::string>& arguments) const override {
    std::string text = "\\operatorname{" + name + "}";
    if (auto op = find_elementwise(name)) text = row(*op).latex;
    if (size_t hole = text.find("{}"); hole != text.npos && arguments.size() == 1) return text.replace(hole, 2, arguments[0]);
    return applied(text.find("{}") == text.npos ? text : "\\operatorname{" + name + "}", arguments);
  }
  std::string applied(const std::string& function, const std::vector<std::string>& arguments) const override {
    return function + bracket(fmt::format("{}", fmt::join(arguments, ", ")));
  }
  std::string comparison(const std::string& a, const std::string& sign, const std::string& b) const override {
    return a + (sign == "<" ? " < " : " = ") + b;
  }
  std::string sum_over(const std::string& letter, const std::string& body) const override { return latex_sum(letter) + body; }
  std::string bracket(const std::string& inner) const override { return "\\left(" + inner + "\\right)"; }
  std::string square_bracket(const std::string& inner) const override { return "\\left[" + inner + "\\right]"; }
  std::string derivative(const std::string& of, const std::string& by, const std::vector<std::string>& held) const override {
    const std::string fraction = "\\frac{\\partial " + of + "}{\\partial " + by + "}";
    return held.empty() ? fraction : "\\left." + fraction + "\\right|_{" + fmt::format("{}", fmt::join(held, ", ")) + "}";
  }
  std::string unit_matrix(const std::string& k, const std::string& l) const override { return "e_{" + k + "} e_{" + l + "}^{\\top}"; }
  bool derivative_is_atom() const override { return true; }

 private:
  static std::string script(const IndexLetter& l) {
    if (l.kind == IndexLetter::Kind::Letter) return latex_name(l.letter);
    return l.kind == IndexLetter::Kind::Digit ? l.letter : "(" + l.letter + ")";
  }
};

// "Chain rule: through $u$", to stand before its line.
std::string sentence(const std::vector<std::string>& reasons) {
  std::string out;
  for (size_t k = 0; k < reasons.size(); ++k) out += (k == 0 ? "" : k == 1 ? ": " : "; ") + reasons[k];
  if (!out.empty()) out[0] = char(std::toupper(static_cast<unsigned char>(out[0])));
  return out + ".";
}

}  // namespace

std::string derivation_latex(const Graph& g, const Derivation& d) {
  std::string out;
  for (const DocumentSection& s : document(g, d, LatexSpelling())) {
    out += "\\paragraph{" + s.heading + "}\n";
    for (const DocumentLine& l : s.lines) {
      const bool first = &l == &s.lines.front(), last = &l == &s.lines.back();
      if (first) out += sentence(l.reasons) + "\n\\begin{align*}\n";
      else out += "\\intertext{" + sentence(l.reasons) + "}\n";
      out += fmt::format("  {} &= {} \\tag{{{}}}{}\n", l.left, l.right, l.number, last ? "" : " \\\\");
      if (last) out += "\\end{align*}\n";
    }
  }
  return out;
}

}  // namespace ricci
