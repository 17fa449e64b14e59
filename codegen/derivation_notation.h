// What the documents of a derivation share: the walk over lines of index notation, and the order of a document. A Spelling says how its parts look.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "codegen/notation.h"
#include "passes/derivation.h"

namespace ricci {

// An index: its letter and where it stands; or a number, spelled already: 2, n + k.
struct IndexLetter {
  enum class Kind : uint8_t { Letter, Digit, Sum };
  std::string letter;
  Variance height = Variance::Down;
  Kind kind = Kind::Letter;
};

class Spelling {
 public:
  struct SignedText {
    bool negative;
    std::string text;
  };
  virtual ~Spelling() = default;
  virtual std::string words(const std::string& text) const = 0;
  virtual std::string code(const std::string& text) const { return words(text); }  // in the language
  virtual std::string inline_formula(const std::string& formula) const = 0;  // between words
  virtual std::string equals() const { return " = "; }
  virtual std::string matrix(const mat::Expr& e) const = 0;
  virtual std::string name(const std::string& name) const = 0;
  virtual std::string indexed(const std::string& base, const std::vector<IndexLetter>& letters) const = 0;
  virtual std::string number(const Rational& value) const = 0;  // not negative
  virtual std::string sum(const std::vector<SignedText>& terms) const = 0;
  virtual std::string product(const std::vector<std::string>& factors) const = 0;
  virtual std::string quotient(const std::string& a, const std::string& b) const = 0;
  virtual std::string power(const std::string& base, const std::string& exponent) const = 0;
  virtual std::string root(const std::string& of) const = 0;
  virtual std::string function(const std::string& name, const std::vector<std::string>& arguments) const = 0;
  // The same of a function that is spelled already.
  virtual std::string applied(const std::string& function, const std::vector<std::string>& arguments) const = 0;
  virtual std::string comparison(const std::string& a, const std::string& sign, const std::string& b) const = 0;  // "<" or "=="
  virtual std::string sum_over(const std::string& letter, const std::string& body) const = 0;
  virtual std::string bracket(const std::string& inner) const = 0;
  virtual std::string square_bracket(const std::string& inner) const = 0;
  // d of / d by, with `held` fixed.
  virtual std::string derivative(const std::string& of, const std::string& by, const std::vector<std::string>& held) const = 0;
  // 1 at row k of column l, and else 0: e(k)*e(l)'.
  virtual std::string unit_matrix(const std::string& k, const std::string& l) const = 0;
  virtual bool is_language() const { return false; }  // text that reads back: answers stand as `ricci diff` prints them
  virtual bool derivative_is_atom() const = 0;  // a fraction that needs no brackets in a product
};

// A line of the document.
struct DocumentLine {
  size_t number;
  std::string left;  // empty: the same as that of the line before
  std::string right;
  std::vector<std::string> reasons;
};
struct DocumentSection {
  std::string heading;
  std::vector<DocumentLine> lines;
};
std::vector<DocumentSection> document(const Graph& g, const Derivation& d, const Spelling& spelling);

}  // namespace ricci
