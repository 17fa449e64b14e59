#include "frontend/token_reader.h"

namespace ricci {
namespace {

bool is_index_letter(char32_t c) { return (c >= 'a' && c <= 'z') || (c >= 0x3b1 && c <= 0x3c9); }

// Digits, or digits and letters that look like a number: the indices 2e3.
bool is_index_number(std::string_view text) { return text.find_first_of(".+-") == text.npos; }

}  // namespace

TokenKind closer(TokenKind opener) {
  switch (opener) {
    case TokenKind::LeftParen: return TokenKind::RightParen;
    case TokenKind::LeftBracket: return TokenKind::RightBracket;
    case TokenKind::LeftBrace: return TokenKind::RightBrace;
    default: return TokenKind::Norm;
  }
}

std::string TokenReader::spelled(const Token& t) {
  return t.kind == TokenKind::Newline || t.kind == TokenKind::End ? "the end of the line" : fmt::format("`{}`", shorten(t.text));
}

std::string_view TokenReader::first_spelling(std::string_view name) {
  const std::string_view twin = greek_twin(name);
  if (twin.empty() || known_.variables.contains(name)) return name;
  if (known_.variables.contains(twin) || greek_.contains(twin)) return twin;
  greek_.insert(name);
  return name;
}

bool TokenReader::expect(TokenKind kind, std::string_view what) {
  if (eat(kind)) return true;
  fail(Message::expected, peek().where, what, spelled(peek()));
  return false;
}

void TokenReader::index_letters(std::string_view text, SourceRange at, Variance variance, std::vector<IndexUse>& out) {
  for (size_t i = 0; i < text.size();) {
    const CodePoint p = decode(text.substr(i));
    const SourceRange here = {at.source, at.begin + uint32_t(i), at.begin + uint32_t(i + p.length)};
    if (p.value == '_') variance = Variance::Down;
    else out.push_back({std::string(text.substr(i, p.length)), variance, here});
    i += p.length;
  }
}

void TokenReader::index_group(Variance variance, std::vector<IndexUse>& out) {
  if (is(TokenKind::Name) || (is(TokenKind::Number) && is_index_number(peek().text))) {
    const bool joined = is(TokenKind::Number) && adjacent(TokenKind::Name, 1);  // 2j: an entry, then a letter
    for (int tokens = joined ? 2 : 1; tokens > 0; --tokens) {
      const Token& t = next();
      index_letters(t.text, t.where, variance, out);
    }
    return;
  }
  if (!is(TokenKind::LeftBrace) && !is(TokenKind::LeftParen)) { fail(Message::expected, peek().where, "an index", spelled(peek())); return; }
  const Token& open = next();
  while (!failed_ && (is(TokenKind::Name) || is(TokenKind::Comma) || is(TokenKind::Number))) {
    if (is(TokenKind::Comma)) { ++pos_; continue; }
    if (is(TokenKind::Number) && !is_index_number(peek().text)) { fail(Message::expected, peek().where, "an index", spelled(peek())); return; }
    const Token& t = next();
    index_letters(t.text, t.where, variance, out);
  }
  expect(closer(open.kind), open.kind == TokenKind::LeftBrace ? "`}`" : "`)`");
}

void TokenReader::find_index_letters(bool has_left_side) {
  statement_letters_.clear();
  bool left = has_left_side, inside = false;  // inside: x_{i}, x_(i)
  for (size_t i = pos_; tokens_[i].kind != TokenKind::Newline && tokens_[i].kind != TokenKind::End; ++i) {
    const Token& t = tokens_[i];
    const size_t start = i > pos_ && tokens_[i - 1].kind == TokenKind::Number && !t.space_before ? i - 1 : i;  // _2j
    const bool low = start > pos_ && tokens_[start - 1].kind == TokenKind::Underscore;
    if (t.kind == TokenKind::Equal) left = false;
    if (t.kind == TokenKind::LeftBrace || t.kind == TokenKind::LeftParen) inside = inside || low;
    if (t.kind == TokenKind::RightBrace || t.kind == TokenKind::RightParen) inside = false;
    if (t.kind != TokenKind::Name) continue;
    const size_t cut = t.text.find('_');
    if (low || inside || (left && i > pos_)) note_letters(t.text);
    else if (cut != t.text.npos && !known(t.text)) note_letters(t.text.substr(cut + 1));
  }
}

void TokenReader::note_letters(std::string_view text) {
  for (CodePoint p = decode(text); p.length > 0; text.remove_prefix(p.length), p = decode(text)) statement_letters_.insert(p.value);
}

// Whether the `^` at hand begins indices and not an exponent: letters that stand as indices elsewhere in the statement, or that no declared
// name claims. Beside numbers only the former do: x^{2n} is an exponent, if a wrong one. Before a bracket x^sin(y) is a power and h^i(x) is
// none: a letter that no function has for its name, or letters with low ones after them, or behind a function.
bool TokenReader::caret_begins_indices(bool of_function) const {
  if (!adjacent(TokenKind::Caret)) return false;
  const bool braced = is(TokenKind::LeftBrace, 1);
  bool numbers = false, letters = false, no_function = of_function;
  size_t i = braced ? 2 : 1;
  for (; is(TokenKind::Name, i) || is(TokenKind::Number, i); ++i) {
    if (i > 1 && !braced && peek(i).space_before) break;
    const bool number = is(TokenKind::Number, i);
    if (number ? !is_index_number(peek(i).text) : !is_index_text(peek(i).text, numbers)) return false;
    (number ? numbers : letters) = true;
    const std::string_view text = peek(i).text;
    no_function = no_function || text.find('_') != text.npos || decode(text).length == text.size();
  }
  if (!letters) return numbers && !braced && adjacent(TokenKind::Underscore, i);
  return braced ? is(TokenKind::RightBrace, i) : no_function || !adjacent(TokenKind::LeftParen, i);
}
bool TokenReader::is_index_text(std::string_view text, bool beside_number) const {
  const std::string_view high = text.substr(0, text.find('_'));
  bool all_indices = true, all_letters = !beside_number, digits = false;
  for (size_t i = 0; i < high.size();) {
    const CodePoint p = decode(high.substr(i));
    const bool digit = p.value >= '0' && p.value <= '9';
    digits = digits || digit;
    all_indices = all_indices && (digit || statement_letters_.contains(p.value));
    all_letters = all_letters && is_index_letter(p.value);
    i += p.length;
  }
  // alpha^beta: a Greek name that nobody declares is a scalar of a one-liner, if its letters are no indices elsewhere.
  const bool claimed = known(text) || known(high) || known_function(text) || !greek_letter(text).empty();
  return (all_indices && !(digits && claimed)) || (all_letters && !claimed);
}

void TokenReader::trailing_indices(std::vector<IndexUse>& out, bool of_function) {
  while (!failed_ && (caret_begins_indices(of_function) || adjacent(TokenKind::Underscore))) {
    const Variance v = next().kind == TokenKind::Caret ? Variance::Up : Variance::Down;
    index_group(v, out);
  }
}

}  // namespace ricci
