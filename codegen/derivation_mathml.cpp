// Derivations for web pages: one <section> of XHTML, every formula a <math> element, nothing loaded from elsewhere.
#include <fmt/format.h>

#include "codegen/derivation.h"
#include "codegen/derivation_notation.h"
#include "codegen/mathml.h"

namespace ricci {
namespace {

constexpr std::string_view kOpen = "<math xmlns=\"http://www.w3.org/1998/Math/MathML\">", kClose = "</math>";

std::string escaped(std::string_view text) {
  std::string out;
  for (char c : text) out += c == '&' ? std::string("&amp;") : c == '<' ? "&lt;" : c == '>' ? "&gt;" : std::string(1, c);
  return out;
}
std::string grouped(const std::string& inner) { return "<mrow>" + inner + "</mrow>"; }
std::string sign(std::string_view s) { return "<mo>" + escaped(s) + "</mo>"; }
std::string identifier(std::string_view name) { return mathml_name(name); }

class MathmlSpelling final : public Spelling {
 public:
  std::string words(const std::string& text) const override { return escaped(text); }
  std::string code(const std::string& text) const override { return "<code>" + escaped(text) + "</code>"; }
  std::string inline_formula(const std::string& formula) const override { return std::string(kOpen) + formula + std::string(kClose); }
  std::string equals() const override { return sign("="); }
  std::string matrix(const mat::Expr& e) const override {
    const std::string whole = to_mathml(e);
    const size_t from = whole.find('>') + 1;
    return grouped(whole.substr(from, whole.size() - from - kClose.size()));
  }
  std::string name(const std::string& name) const override { return identifier(name); }
  std::string indexed(const std::string& base, const std::vector<IndexLetter>& letters) const override {
    if (letters.empty()) return base;
    std::vector<Script> scripts;
    for (const IndexLetter& l : letters) scripts.push_back({script(l), l.height});
    return "<mmultiscripts>" + grouped(base) + mathml_scripts(scripts) + "</mmultiscripts>";
  }
  std::string number(const Rational& value) const override {
    if (is_integer(value)) return "<mn>" + to_string(value) + "</mn>";
    return "<mfrac><mn>" + value.get_num().get_str() + "</mn><mn>" + value.get_den().get_str() + "</mn></mfrac>";
  }
  std::string sum(const std::vector<SignedText>& terms) const override {
    std::string out;
    for (const SignedText& t : terms) out += (out.empty() && !t.negative ? "" : sign(t.negative ? "−" : "+")) + t.text;
    return grouped(out);
  }
  std::string product(const std::vector<std::string>& factors) const override {
    std::string out;
    for (const std::string& f : factors) out += (out.empty() ? "" : sign("\u2062")) + f;
    return grouped(out);
  }
  std::string quotient(const std::string& a, const std::string& b) const override {
    return "<mfrac>" + grouped(a) + grouped(b) + "</mfrac>";
  }
  std::string power(const std::string& base, const std::string& exponent) const override {
    return "<msup>" + grouped(base) + grouped(exponent) + "</msup>";
  }
  std::string root(const std::string& of) const override { return "<msqrt>" + of + "</msqrt>"; }
  std::string function(const std::string& name, const std::vector<std::string>& arguments) const override {
    return applied(identifier(name), arguments);
  }
  std::string applied(const std::string& function, const std::vector<std::string>& arguments) const override {
    return grouped(function + sign("\u2061") + bracket(fmt::format("{}", fmt::join(arguments, "<mo>,</mo>"))));
  }
  std::string comparison(const std::string& a, const std::string& relation, const std::string& b) const override {
    return grouped(a + sign(relation == "<" ? "<" : "=") + b);
  }
  std::string sum_over(const std::string& letter, const std::string& body) const override {
    return grouped(mathml_big_operator("∑", identifier(letter)) + body);
  }
  std::string bracket(const std::string& inner) const override { return grouped(sign("(") + inner + sign(")")); }
  std::string square_bracket(const std::string& inner) const override { return grouped(sign("[") + inner + sign("]")); }
  std::string derivative(const std::string& of, const std::string& by, const std::vector<std::string>& held) const override {
    const std::string fraction = "<mfrac>" + grouped(sign("∂") + of) + grouped(sign("∂") + by) + "</mfrac>";
    if (held.empty()) return fraction;
    return "<msub>" + grouped(fraction + sign("|")) + grouped(fmt::format("{}", fmt::join(held, "<mo>,</mo>"))) + "</msub>";
  }
  std::string unit_matrix(const std::string& k, const std::string& l) const override {
    return product({"<msub><mi>e</mi>" + grouped(k) + "</msub>", "<msubsup><mi>e</mi>" + grouped(l) + sign("⊤") + "</msubsup>"});
  }
  bool derivative_is_atom() const override { return true; }

 private:
  std::string script(const IndexLetter& l) const {
    if (l.kind == IndexLetter::Kind::Letter) return identifier(l.letter);
    return l.kind == IndexLetter::Kind::Digit ? l.letter : bracket(l.letter);
  }
};

}  // namespace

std::string derivation_mathml(const Graph& g, const Derivation& d) {
  const MathmlSpelling spelling;
  std::string out = "<section xmlns=\"http://www.w3.org/1999/xhtml\">\n", left;
  for (const DocumentSection& s : document(g, d, spelling)) {
    out += "<h3>" + s.heading + "</h3>\n";
    if (s.lines.empty()) continue;
    out += fmt::format("<ol start=\"{}\">\n", s.lines.front().number);
    for (const DocumentLine& l : s.lines) {
      if (!l.left.empty()) left = l.left;
      out += "<li>" + spelling.inline_formula(left + sign("=") + l.right) + " <span>";
      for (size_t k = 0; k < l.reasons.size(); ++k) out += (k == 0 ? "" : k == 1 ? ": " : "; ") + l.reasons[k];
      out += "</span></li>\n";
    }
    out += "</ol>\n";
  }
  return out + "</section>\n";
}

}  // namespace ricci
