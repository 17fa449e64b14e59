// Text to tokens. Unicode spellings become the tokens of their ASCII twins here, so the parser never sees a code point.
//
// A newline ends a statement unless a bracket is open. An open bracket does not swallow the next statement: a line that clearly starts
// one (`name:`, `name =`, `dim`, `export`) ends the broken one, so that each is diagnosed by itself.
#pragma once
#include <string_view>
#include <vector>

#include "frontend/diagnostics.h"

namespace ricci {

enum class TokenKind : uint8_t {
  End, Newline, Semicolon, Number, Name,
  Plus, Minus, Star, Slash, Backslash, Caret, DotStar, DotSlash, DotCaret, Outer, Quote, Superscript, Underscore,
  Compare, Equal, Colon, Comma, Arrow, ElementOf, Times,
  LeftParen, RightParen, LeftBracket, RightBracket, LeftBrace, RightBrace, Norm,
  SumSign, Partial, Nabla, Unknown,
};

struct Token {
  TokenKind kind;
  SourceRange where;
  std::string_view text;      // as written
  bool space_before = false;
};

// The tokens of `text`, the last an End; none, with a report, if a byte of it is no text (not UTF-8, NUL)
// or brackets nest too deep. `text` must outlive them.
std::vector<Token> tokenize(std::string_view text, uint32_t source, Diagnostics& diagnostics);

// The byte length of the code point that starts `text` and its number; {0, 0} if it is not well-formed UTF-8.
struct CodePoint {
  size_t length;
  char32_t value;
};
CodePoint decode(std::string_view text);

bool is_letter(char32_t c);
bool is_greek(char32_t c);

// A name or excerpt for a message: at most 40 bytes, cut at a code point.
std::string shorten(std::string_view text);

}  // namespace ricci
