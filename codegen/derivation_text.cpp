// Derivations as plain text, in the language's own spelling.
#include <algorithm>

#include "codegen/derivation.h"
#include "codegen/derivation_notation.h"
#include "codegen/text.h"

namespace ricci {
namespace {

constexpr size_t kWidest = 54;  // of a line of mathematics that has its reason beside it
constexpr size_t kReasons = 60;

class TextSpelling final : public Spelling {
 public:
  std::string words(const std::string& text) const override { return text; }
  std::string inline_formula(const std::string& formula) const override { return formula; }
  std::string matrix(const mat::Expr& e) const override { return to_text(e); }
  std::string name(const std::string& name) const override { return name; }
  std::string indexed(const std::string& base, const std::vector<IndexLetter>& letters) const override {
    std::string out = base;
    for (size_t k = 0; k < letters.size();) {
      const Variance height = letters[k].height;
      std::string run;
      size_t count = 0;
      for (; k < letters.size() && letters[k].height == height; ++k, ++count) {
        if (letters[k].kind != IndexLetter::Kind::Sum) {
          run += letters[k].letter;
          continue;
        }
        std::string sum = bracket(letters[k].letter);
        std::erase(sum, ' ');
        run += sum;
        count += sum.size() - 1;
      }
      out += (height == Variance::Up ? "^" : "_") + (run.size() > count ? "{" + run + "}" : run);
    }
    return out;
  }
  std::string number(const Rational& value) const override { return to_string(value); }
  std::string sum(const std::vector<SignedText>& terms) const override {
    std::string out;
    for (const SignedText& t : terms) out += (out.empty() ? (t.negative ? "-" : "") : t.negative ? " - " : " + ") + t.text;
    return out;
  }
  std::string product(const std::vector<std::string>& factors) const override {
    std::string out;
    for (const std::string& f : factors) out += (out.empty() ? "" : "*") + f;
    return out;
  }
  std::string quotient(const std::string& a, const std::string& b) const override { return a + "/" + b; }
  std::string power(const std::string& base, const std::string& exponent) const override { return base + "^" + exponent; }
  std::string root(const std::string& of) const override { return "sqrt(" + of + ")"; }
  std::string function(const std::string& name, const std::vector<std::string>& arguments) const override {
    return applied(name, arguments);
  }
  std::string applied(const std::string& function, const std::vector<std::string>& arguments) const override {
    std::string out = function + "(";
    for (size_t k = 0; k < arguments.size(); ++k) out += (k > 0 ? ", " : "") + arguments[k];
    return out + ")";
  }
  std::string comparison(const std::string& a, const std::string& sign, const std::string& b) const override { return a + " " + sign + " " + b; }
  std::string sum_over(const std::string& letter, const std::string& body) const override { return "sum_" + letter + "(" + body + ")"; }
  std::string bracket(const std::string& inner) const override { return "(" + inner + ")"; }
  std::string square_bracket(const std::string& inner) const override { return "[" + inner + "]"; }
  std::string derivative(const std::string& of, const std::string& by, const std::vector<std::string>& held) const override {
    std::string out = "d" + of + "/d" + by;
    for (size_t k = 0; k < held.size(); ++k) out += (k == 0 ? "|" : ",") + held[k];
    return out;
  }
  std::string unit_matrix(const std::string& k, const std::string& l) const override { return "e(" + k + ")*e(" + l + ")'"; }
  bool derivative_is_atom() const override { return false; }
  bool is_language() const override { return true; }
};

std::string wrapped(const std::vector<std::string>& reasons, const std::string& indent) {
  std::string out;
  size_t column = 0;
  for (size_t k = 0; k < reasons.size(); ++k) {
    const std::string part = (k == 0 ? "" : k == 1 ? ": " : "; ") + reasons[k];
    if (column > 0 && column + part.size() > kReasons) out += (k == 1 ? ":\n" : ";\n") + indent + reasons[k], column = reasons[k].size();
    else out += part, column += part.size();
  }
  return out;
}

}  // namespace

std::string derivation_text(const Graph& g, const Derivation& d) {
  std::string out;
  for (const DocumentSection& s : document(g, d, TextSpelling())) {
    out += (out.empty() ? "" : "\n") + s.heading + "\n";
    size_t left = 0, widest = 0;
    for (const DocumentLine& l : s.lines) left = std::max(left, l.left.size());
    for (const DocumentLine& l : s.lines)
      if (left + l.right.size() <= kWidest) widest = std::max(widest, left + l.right.size());
    for (const DocumentLine& l : s.lines) {
      const std::string number = "(" + std::to_string(l.number) + ")";
      std::string text = "  " + number + std::string(number.size() < 6 ? 6 - number.size() : 1, ' ') +
                         std::string(left - l.left.size(), ' ') + l.left + " = " + l.right;
      const size_t column = 8 + 3 + widest + 4;
      if (left + l.right.size() <= kWidest) text.resize(std::max(text.size(), column), ' ');
      else text += "\n" + std::string(12, ' ');
      const size_t indent = left + l.right.size() <= kWidest ? column : 12;
      out += text + wrapped(l.reasons, std::string(indent, ' ')) + "\n";
    }
  }
  return out;
}

}  // namespace ricci
