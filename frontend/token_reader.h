// A text's tokens from left to right, the first mistake of a statement, and the indices that both sides of `=` may bear.
#pragma once
#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "frontend/ast.h"
#include "frontend/parser.h"
#include "frontend/spelling.h"

namespace ricci {

class TokenReader {
 public:
  TokenReader(const std::vector<Token>& tokens, KnownNames& known, Diagnostics& diagnostics)
      : tokens_(tokens), known_(known), diagnostics_(diagnostics) {}

 protected:
  const Token& peek(size_t ahead = 0) const { return tokens_[std::min(pos_ + ahead, tokens_.size() - 1)]; }
  bool is(TokenKind kind, size_t ahead = 0) const { return peek(ahead).kind == kind; }
  bool adjacent(TokenKind kind, size_t ahead = 0) const { return is(kind, ahead) && !peek(ahead).space_before; }
  bool at_newline() const { return is(TokenKind::Newline) || is(TokenKind::End); }
  bool at_end_of_statement() const { return at_newline() || is(TokenKind::Semicolon); }
  const Token& next() { return tokens_[std::min(pos_++, tokens_.size() - 1)]; }
  bool eat(TokenKind kind) { return is(kind) && (++pos_, true); }
  void skip_separators() { while (is(TokenKind::Newline) || is(TokenKind::Semicolon)) ++pos_; }
  // Whether a name, in either spelling if it is Greek, is declared or defined.
  bool known(std::string_view name) const { return known_.variables.contains(name) || known_.variables.contains(greek_twin(name)); }
  // Whether it names a function that `fun` declares, or a derivative of one.
  bool known_function(std::string_view name) const {
    return derived_function(name, [&](std::string_view f) { return known_.functions.contains(f); }).has_value();
  }
  // The spelling under which a name is kept: of lambda and λ the one that came first.
  std::string_view first_spelling(std::string_view name);

  static std::string spelled(const Token& t);
  // Reports the first mistake of a statement; nothing for those that follow from it.
  template <class... Args>
  Diagnostic* fail(Message m, SourceRange where, const Args&... args) {
    if (failed_) return nullptr;
    failed_ = true;
    if (peek().kind == TokenKind::Unknown) return nullptr;  // the lexer has said it
    return &diagnostics_.report(m, where, args...);
  }
  bool expect(TokenKind kind, std::string_view what);

  // "i", "ij", "i_jk": one index a letter; what follows an underscore stands low.
  void index_letters(std::string_view text, SourceRange at, Variance variance, std::vector<IndexUse>& out);
  // One group after `^` or `_`: ij, {i j}, (k).
  void index_group(Variance variance, std::vector<IndexUse>& out);
  // Indices directly behind an operand, or behind the name of a function: h^i(x).
  void trailing_indices(std::vector<IndexUse>& out, bool of_function = false);
  // Learns which letters stand as indices in the statement that begins here: low ones, and those on the left of its `=`.
  void find_index_letters(bool has_left_side);
  // The range of a token from the offset-th byte on.
  static SourceRange inside(const Token& t, size_t offset) { return {t.where.source, t.where.begin + uint32_t(offset), t.where.end}; }

  const std::vector<Token>& tokens_;
  KnownNames& known_;
  Diagnostics& diagnostics_;
  size_t pos_ = 0;
  bool failed_ = false;

 private:
  void note_letters(std::string_view text);

  std::set<std::string_view> greek_;          // spellings met so far
  std::set<char32_t> statement_letters_;

  bool caret_begins_indices(bool of_function) const;
  bool is_index_text(std::string_view text, bool beside_number) const;
};

// The bracket that closes `opener`.
TokenKind closer(TokenKind opener);

}  // namespace ricci
