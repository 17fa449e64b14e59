#include "frontend/lexer.h"

#include <array>
#include <string>

#include "ir/superscript.h"

namespace ricci {
namespace {

constexpr size_t kLongestName = 1000;  // bytes
constexpr size_t kDeepest = 10'000;    // open brackets

bool is_digit(char c) { return c >= '0' && c <= '9'; }

struct Spelling {
  std::string_view text;
  TokenKind kind;
};

// Longer spellings first where one begins another.
constexpr Spelling kSpellings[] = {
    {".*", TokenKind::DotStar},     {"./", TokenKind::DotSlash},    {".^", TokenKind::DotCaret},  {"->", TokenKind::Arrow},
    {"<=", TokenKind::Compare},     {">=", TokenKind::Compare},     {"==", TokenKind::Compare},   {"!=", TokenKind::Compare},
    {"<", TokenKind::Compare},      {">", TokenKind::Compare},      {"=", TokenKind::Equal},      {"+", TokenKind::Plus},
    {"-", TokenKind::Minus},        {"*", TokenKind::Star},         {"/", TokenKind::Slash},      {"\\", TokenKind::Backslash},
    {"^", TokenKind::Caret},        {"'", TokenKind::Quote},        {"_", TokenKind::Underscore}, {":", TokenKind::Colon},
    {",", TokenKind::Comma},        {";", TokenKind::Semicolon},    {"(", TokenKind::LeftParen},  {")", TokenKind::RightParen},
    {"[", TokenKind::LeftBracket},  {"]", TokenKind::RightBracket}, {"{", TokenKind::LeftBrace},  {"}", TokenKind::RightBrace},
    {"·", TokenKind::Star},         {"⋅", TokenKind::Star},         {"−", TokenKind::Minus},      {"⊙", TokenKind::DotStar},
    {"∘", TokenKind::DotStar},      {"⊘", TokenKind::DotSlash},     {"⊗", TokenKind::Outer},      {"×", TokenKind::Times},
    {"ᵀ", TokenKind::Quote},        {"′", TokenKind::Quote},        {"’", TokenKind::Quote},      {"‖", TokenKind::Norm},
    {"∑", TokenKind::SumSign},      {"∂", TokenKind::Partial},    {"∇", TokenKind::Nabla},
    {"∈", TokenKind::ElementOf},    {"→", TokenKind::Arrow},        {"≤", TokenKind::Compare},    {"≥", TokenKind::Compare},
    {"≠", TokenKind::Compare},      {"@", TokenKind::Star},         {".T", TokenKind::Quote},     {"||", TokenKind::Norm},
};

class Lexer {
 public:
  Lexer(std::string_view text, uint32_t source, Diagnostics& diagnostics) : text_(text), source_(source), diagnostics_(diagnostics) {}

  std::vector<Token> run() {
    while (!failed_ && pos_ < text_.size()) step();
    if (failed_) return {};
    push(TokenKind::Newline, pos_);
    push(TokenKind::End, pos_);
    return std::move(tokens_);
  }

 private:
  std::string_view rest() const { return text_.substr(pos_); }
  SourceRange range(size_t begin, size_t end) const { return {source_, uint32_t(begin), uint32_t(end)}; }

  void push(TokenKind kind, size_t end) {
    tokens_.push_back({kind, range(pos_, end), text_.substr(pos_, end - pos_), space_});
    pos_ = end;
    space_ = false;
  }

  void step() {
    const char c = text_[pos_];
    if (c == '\n') return newline();
    if (c == ' ' || c == '\t' || c == '\r') { ++pos_; space_ = true; return; }
    if (c == '#') return comment();
    if (is_digit(c) || (c == '.' && pos_ + 1 < text_.size() && is_digit(text_[pos_ + 1]))) return number();
    const CodePoint p = decode(rest());
    if (p.length == 0) return fail(Message::not_utf8, range(pos_, pos_ + 1));
    if (p.value == 0) return fail(Message::nul_byte, range(pos_, pos_ + 1));
    if (is_letter(p.value)) return name();
    symbol(p);
  }

  void newline() {
    if (depth_ == 0 || starts_statement(pos_ + 1)) {
      depth_ = 0;
      push(TokenKind::Newline, pos_ + 1);
    } else {
      ++pos_;
    }
    space_ = true;
  }

  // Everything up to the end of the line, which is still checked to be text.
  void comment() {
    while (pos_ < text_.size() && text_[pos_] != '\n') {
      const CodePoint p = decode(rest());
      if (p.length == 0) return fail(Message::not_utf8, range(pos_, pos_ + 1));
      if (p.value == 0) return fail(Message::nul_byte, range(pos_, pos_ + 1));
      pos_ += p.length;
    }
    space_ = true;
  }

  void number() {
    size_t end = pos_;
    auto digits = [&] { while (end < text_.size() && is_digit(text_[end])) ++end; };
    auto at = [&](size_t i) { return i < text_.size() ? text_[i] : '\0'; };
    digits();
    if (at(end) == '.' && at(end + 1) != '*' && at(end + 1) != '/' && at(end + 1) != '^') { ++end; digits(); }
    if (at(end) == 'e' || at(end) == 'E') {
      const size_t sign = at(end + 1) == '+' || at(end + 1) == '-' ? 1 : 0;
      if (is_digit(at(end + 1 + sign))) {
        end += 1 + sign;
        digits();
      } else if (sign) {
        end += 2;
        diagnostics_.report(Message::bad_number, range(pos_, end), shorten(text_.substr(pos_, end - pos_)));
        return push(TokenKind::Unknown, end);
      }
    }
    if (at(end) == '.' && is_digit(at(end + 1))) {
      while (is_digit(at(end)) || at(end) == '.') ++end;
      diagnostics_.report(Message::bad_number, range(pos_, end), shorten(text_.substr(pos_, end - pos_)));
      return push(TokenKind::Unknown, end);
    }
    push(TokenKind::Number, end);
  }

  // Letters, digits, and an underscore that a letter or digit follows.
  void name() {
    const size_t end = name_end(pos_);
    if (end - pos_ > kLongestName)
      diagnostics_.report(Message::long_name, range(pos_, end), shorten(text_.substr(pos_, end - pos_)), end - pos_, kLongestName);
    push(end - pos_ > kLongestName ? TokenKind::Unknown : TokenKind::Name, end);
  }

  size_t name_end(size_t at) const {
    while (at < text_.size()) {
      const size_t underscore = text_[at] == '_' ? 1 : 0;
      if (at + underscore >= text_.size()) break;
      if (is_digit(text_[at + underscore])) { at += underscore + 1; continue; }
      const CodePoint p = decode(text_.substr(at + underscore));
      if (p.length == 0 || !is_letter(p.value)) break;
      at += underscore + p.length;
    }
    return at;
  }

  void symbol(CodePoint p) {
    if (superscript()) return;
    for (const Spelling& s : kSpellings)
      if (rest().starts_with(s.text)) {
        if (s.kind == TokenKind::LeftParen || s.kind == TokenKind::LeftBracket || s.kind == TokenKind::LeftBrace) {
          if (++depth_ > kDeepest) return fail(Message::nested_too_deep, range(pos_, pos_ + 1), kDeepest);
        }
        if (s.kind == TokenKind::RightParen || s.kind == TokenKind::RightBracket || s.kind == TokenKind::RightBrace) depth_ -= depth_ > 0;
        return push(s.kind, pos_ + s.text.size());
      }
    diagnostics_.report(Message::unexpected_character, range(pos_, pos_ + p.length), printable(p));
    push(TokenKind::Unknown, pos_ + p.length);
  }

  // An exponent written high: digits, with or without a minus.
  bool superscript() {
    const size_t length = superscript_length(rest());
    if (length == 0) return false;
    push(TokenKind::Superscript, pos_ + length);
    return true;
  }

  std::string printable(CodePoint p) const {
    return p.value < 0x20 || p.value == 0x7f ? fmt::format("\\x{:02x}", uint32_t(p.value)) : std::string(text_.substr(pos_, p.length));
  }

  // Whether the line at `at` reads `name:`, `name =`, `name_i =`, `dim` or `export`.
  bool starts_statement(size_t at) const {
    auto spaces = [&] { while (at < text_.size() && (text_[at] == ' ' || text_[at] == '\t')) ++at; };
    spaces();
    const CodePoint p = decode(text_.substr(at));
    if (p.length == 0 || !is_letter(p.value)) return false;
    const size_t end = name_end(at);
    const std::string_view word = text_.substr(at, end - at);
    at = end;
    spaces();
    if ((word == "dim" || word == "export") && at > end) return true;
    if (at >= text_.size()) return false;
    return text_[at] == ':' || (text_[at] == '=' && (at + 1 >= text_.size() || text_[at + 1] != '=')) || text_.substr(at).starts_with("∈");
  }

  template <class... Args>
  void fail(Message m, SourceRange where, const Args&... args) {
    diagnostics_.report(m, where, args...);
    failed_ = true;
  }

  std::string_view text_;
  uint32_t source_;
  Diagnostics& diagnostics_;
  std::vector<Token> tokens_;
  size_t pos_ = 0, depth_ = 0;
  bool space_ = true, failed_ = false;
};

}  // namespace

CodePoint decode(std::string_view text) {
  if (text.empty()) return {0, 0};
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return {1, first};
  const size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return {0, 0};
  char32_t value = first & (0xff >> (length + 1));
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {0, 0};
    value = value << 6 | (byte(i) & 0x3f);
  }
  constexpr std::array<char32_t, 5> kLeast = {0, 0, 0x80, 0x800, 0x10000};
  if (value < kLeast[length] || value > 0x10ffff || (value >= 0xd800 && value < 0xe000)) return {0, 0};
  return {length, value};
}

bool is_greek(char32_t c) { return c >= 0x370 && c <= 0x3ff; }

bool is_letter(char32_t c) {
  if (c < 0x80) return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  if (c >= 0xc0 && c <= 0x24f) return c != 0xd7 && c != 0xf7;  // Latin, without × and ÷
  return is_greek(c) || (c >= 0x400 && c <= 0x4ff) || c == 0x2113 || c == 0x211d;  // Cyrillic, ℓ, ℝ
}

std::string shorten(std::string_view text) {
  constexpr size_t kLimit = 40;
  if (text.size() <= kLimit) return std::string(text);
  size_t cut = kLimit - 3;
  while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xc0) == 0x80) --cut;
  return std::string(text.substr(0, cut)) + "...";
}

std::vector<Token> tokenize(std::string_view text, uint32_t source, Diagnostics& diagnostics) {
  return Lexer(text, source, diagnostics).run();
}

}  // namespace ricci
