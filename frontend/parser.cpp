#include "frontend/parser.h"

#include <algorithm>
#include <array>

#include "frontend/spelling.h"

namespace ricci {
namespace {

// How tightly operators bind. A minus sign binds less than the product after it, unless an operator stands before it.
enum Precedence : uint8_t { kSum = 1, kSign = 2, kProduct = 3, kFactorSign = 4, kPower = 5 };

struct PendingOp {
  Precedence precedence;
  AstKind kind;
  AstOp op;
  SourceRange where;
  std::vector<IndexUse> indices = {};  // of a prefix ∑_i
};

// An open bracket, and what is complete inside it.
struct Frame {
  Token opener;
  AstKind kind;                  // Call, Apply, Block, List; Sum for a plain parenthesis; Power for ‖x‖
  size_t operand_base, operator_base;
  std::string_view name = {};    // Call
  SourceRange name_at = {};
  std::vector<IndexUse> indices = {};
};

bool is_index_letter(char32_t c) { return (c >= 'a' && c <= 'z') || (c >= 0x3b1 && c <= 0x3c9); }

// Whether `name` can bear indices without being declared: one letter, or the unit tensors.
bool is_symbol(std::string_view name) {
  return name == "delta" || name == "eps" || decode(name).length == name.size() || is_greek_name(name);
}

TokenKind closer(TokenKind opener) {
  switch (opener) {
    case TokenKind::LeftParen: return TokenKind::RightParen;
    case TokenKind::LeftBracket: return TokenKind::RightBracket;
    case TokenKind::LeftBrace: return TokenKind::RightBrace;
    default: return TokenKind::Norm;
  }
}

class Parser {
 public:
  Parser(const std::vector<Token>& tokens, KnownNames& known, Diagnostics& diagnostics)
      : tokens_(tokens), known_(known), diagnostics_(diagnostics) {}

  Syntax run() {
    while (skip_separators(), peek().kind != TokenKind::End) {
      failed_ = false;
      const size_t start = pos_;
      Statement s = statement();
      if (!failed_ && !at_end_of_statement()) fail(Message::unexpected_token, peek().where, spelled(peek()));
      if (failed_) {
        s = poisoned(start);
        while (!at_newline()) ++pos_;
      }
      s.where = join(tokens_[start].where, tokens_[std::max(pos_, start + 1) - 1].where);
      syntax_.statements.push_back(std::move(s));
    }
    return std::move(syntax_);
  }

 private:
  // --- tokens -------------------------------------------------------------------------------------------------------------------
  const Token& peek(size_t ahead = 0) const { return tokens_[std::min(pos_ + ahead, tokens_.size() - 1)]; }
  bool is(TokenKind kind, size_t ahead = 0) const { return peek(ahead).kind == kind; }
  bool adjacent(TokenKind kind, size_t ahead = 0) const { return is(kind, ahead) && !peek(ahead).space_before; }
  bool at_newline() const { return is(TokenKind::Newline) || is(TokenKind::End); }
  bool at_end_of_statement() const { return at_newline() || is(TokenKind::Semicolon); }
  const Token& next() { return tokens_[std::min(pos_++, tokens_.size() - 1)]; }
  bool eat(TokenKind kind) { return is(kind) && (++pos_, true); }
  void skip_separators() { while (is(TokenKind::Newline) || is(TokenKind::Semicolon)) ++pos_; }
  bool known(std::string_view name) const { return known_.contains(name); }

  static std::string spelled(const Token& t) {
    return t.kind == TokenKind::Newline || t.kind == TokenKind::End ? "the end of the line" : fmt::format("`{}`", shorten(t.text));
  }

  template <class... Args>
  Diagnostic* fail(Message m, SourceRange where, const Args&... args) {
    if (failed_) return nullptr;
    failed_ = true;
    if (peek().kind == TokenKind::Unknown) return nullptr;  // the lexer has said it
    return &diagnostics_.report(m, where, args...);
  }
  bool expect(TokenKind kind, std::string_view what) {
    if (eat(kind)) return true;
    fail(Message::expected, peek().where, what, spelled(peek()));
    return false;
  }

  // --- statements ---------------------------------------------------------------------------------------------------------------
  Statement statement() {
    if (is(TokenKind::Name) && is(TokenKind::Name, 1)) {
      if (peek().text == "dim") return dim_statement();
      if (peek().text == "export") return export_statement();
      if (peek().text == "fun" && is(TokenKind::LeftParen, 2)) {
        fail(Message::not_supported, join(peek().where, peek(1).where), "an undefined function");
        return {};
      }
    }
    size_t names = 0;
    while (is(TokenKind::Name, names) && is(TokenKind::Comma, names + 1)) names += 2;
    if (is(TokenKind::Name, names) && (is(TokenKind::Colon, names + 1) || is(TokenKind::ElementOf, names + 1))) return declaration();
    if (has_equal_sign()) return definition();
    Statement s{.kind = Statement::Kind::Expression};
    s.body = expression();
    return s;
  }

  // What a broken statement would have defined stays known, so that its uses are not reported again.
  Statement poisoned(size_t start) {
    Statement s{.kind = Statement::Kind::Poison};
    for (size_t i = start; i < tokens_.size() && tokens_[i].kind == TokenKind::Name; i += 2) {
      std::string_view name = tokens_[i].text;
      if (i == start && (name == "dim" || name == "export" || name == "fun") && tokens_[i + 1].kind == TokenKind::Name) name = tokens_[i + 1].text;
      s.names.push_back({std::string(name), tokens_[i].where});
      s.names.push_back({std::string(name.substr(0, name.find('_'))), tokens_[i].where});
      if (tokens_[i + 1].kind != TokenKind::Comma) break;
    }
    for (const WrittenName& n : s.names) known_.insert(n.text);
    return s;
  }

  bool has_equal_sign() const {
    size_t depth = 0;
    for (size_t i = pos_;; ++i) {
      switch (tokens_[i].kind) {
        case TokenKind::LeftParen: case TokenKind::LeftBracket: case TokenKind::LeftBrace: ++depth; break;
        case TokenKind::RightParen: case TokenKind::RightBracket: case TokenKind::RightBrace: depth -= depth > 0; break;
        case TokenKind::Equal: if (depth == 0) return true; break;
        case TokenKind::Semicolon: if (depth == 0) return false; break;
        case TokenKind::Newline: case TokenKind::End: return false;
        default: break;
      }
    }
  }

  WrittenName written_name(std::string_view what) {
    if (!is(TokenKind::Name)) { fail(Message::expected, peek().where, what, spelled(peek())); return {}; }
    const Token& t = next();
    return {std::string(t.text), t.where};
  }

  WrittenDim written_dim() {
    WrittenDim d;
    if (is(TokenKind::Name) || is(TokenKind::Number)) {
      d = {std::string(peek().text), peek().where};
      if (is(TokenKind::Name)) known_.insert(d.text);
      ++pos_;
    } else {
      fail(Message::expected, peek().where, "a dimension", spelled(peek()));
    }
    return d;
  }

  Statement dim_statement() {  // dim n = 3
    Statement s{.kind = Statement::Kind::Dim};
    ++pos_;
    s.names.push_back(written_name("a dimension"));
    known_.insert(s.names[0].text);
    expect(TokenKind::Equal, "`=`");
    s.dims.push_back(written_dim());
    return s;
  }

  Statement export_statement() {  // export loss(w, X) -> f, g
    Statement s{.kind = Statement::Kind::Export};
    ++pos_;
    s.names.push_back(written_name("a name"));
    expect(TokenKind::LeftParen, "`(`");
    while (!failed_ && !is(TokenKind::RightParen)) {
      s.arguments.push_back(written_name("a variable"));
      if (!eat(TokenKind::Comma)) break;
    }
    expect(TokenKind::RightParen, "`)`");
    expect(TokenKind::Arrow, "`->`");
    do s.results.push_back(written_name("a definition"));
    while (!failed_ && eat(TokenKind::Comma));
    return s;
  }

  Statement declaration() {  // A, B: matrix(m, n) symmetric
    Statement s{.kind = Statement::Kind::Declaration};
    do s.names.push_back(written_name("a name"));
    while (eat(TokenKind::Comma));
    if (next().kind == TokenKind::ElementOf) real_space(s);
    else kind(s);
    while (!failed_ && is(TokenKind::Name)) s.properties.push_back(written_name("a property"));
    for (const WrittenName& n : s.names) known_.insert(n.text);
    return s;
  }

  void kind(Statement& s) {
    const WrittenName kind = written_name("a kind");
    if (failed_) return;
    struct Row { std::string_view name; size_t axes; std::array<Variance, 2> variance; };
    constexpr Row kKinds[] = {{"scalar", 0, {}}, {"vector", 1, {Variance::Up}}, {"covector", 1, {Variance::Down}},
                              {"matrix", 2, {Variance::Up, Variance::Down}}};
    if (kind.text == "tensor") return tensor(s);
    const Row* row = std::ranges::find(kKinds, kind.text, &Row::name);
    if (row == std::end(kKinds)) {
      if (Diagnostic* d = fail(Message::unknown_kind, kind.where, shorten(kind.text)))
        suggest(*d, kind.text, {"scalar", "vector", "covector", "matrix", "tensor"});
      return;
    }
    if (row->axes == 0 && !is(TokenKind::LeftParen)) return;
    const SourceRange open = peek().where;
    expect(TokenKind::LeftParen, fmt::format("the size of the {}, `(`", kind.text));
    while (!failed_ && !is(TokenKind::RightParen)) {
      s.dims.push_back(written_dim());
      if (!eat(TokenKind::Comma)) break;
    }
    const SourceRange close = peek().where;
    expect(TokenKind::RightParen, "`)`");
    if (!failed_ && s.dims.size() != row->axes) fail(Message::wrong_dimensions, join(open, close), kind.text, counted(row->axes, "dimension", "dimensions"), s.dims.size());
    for (size_t i = 0; i < std::min(s.dims.size(), row->axes); ++i) s.dims[i].variance = row->variance[i];
  }

  void tensor(Statement& s) {  // tensor(^m, _n, _p)
    expect(TokenKind::LeftParen, "`(`");
    while (!failed_ && !is(TokenKind::RightParen)) {
      const Variance v = is(TokenKind::Underscore) ? Variance::Down : Variance::Up;
      if (is(TokenKind::Underscore) || is(TokenKind::Caret)) ++pos_;
      s.dims.push_back(written_dim());
      s.dims.back().variance = v;
      if (!eat(TokenKind::Comma)) break;
    }
    expect(TokenKind::RightParen, "`)`");
  }

  void real_space(Statement& s) {  // ∈ ℝ, ∈ ℝ^n, ∈ ℝ^(m×n)
    const WrittenName space = written_name("`ℝ`");
    if (failed_) return;
    if (space.text != "ℝ" && space.text != "R") { fail(Message::expected, space.where, "`ℝ`", fmt::format("`{}`", shorten(space.text))); return; }
    if (!eat(TokenKind::Caret)) return;
    const bool open = is(TokenKind::LeftParen) || is(TokenKind::LeftBrace);
    const TokenKind close = open ? closer(next().kind) : TokenKind::End;
    do s.dims.push_back(written_dim());
    while (open && !failed_ && (eat(TokenKind::Times) || eat(TokenKind::Comma) || eat(TokenKind::Star)));
    if (open) expect(close, "`)`");
    for (size_t i = 1; i < s.dims.size(); ++i) s.dims[i].variance = Variance::Down;
  }

  Statement definition() {  // y = A*x, y^i = a^i_j x^j, J^i_(k) = d(f^i)/d(x^k)
    Statement s{.kind = Statement::Kind::Definition};
    const Token& head = peek();
    if (!is(TokenKind::Name)) {
      fail(Message::left_side, peek().where);
      return s;
    }
    WrittenName name = written_name("a name");
    std::vector<IndexUse> suffix;
    std::string base = name.text;
    if (const size_t cut = name.text.find('_'); cut != std::string::npos && !known(name.text)) {
      base = name.text.substr(0, cut);
      index_letters(head.text.substr(cut + 1), inside(head, cut + 1), Variance::Down, suffix);
      failed_ = false;  // a name such as step_2 is no index after all
    }
    left_indices(s.indices);
    if (failed_) return s;
    const bool more = !s.indices.empty();
    if (is(TokenKind::LeftParen)) { fail(Message::left_side_arguments, join(name.where, peek().where), name.text); return s; }
    if (!eat(TokenKind::Equal)) {
      fail(Message::left_side, join(name.where, peek().where));
      return s;
    }
    const uint32_t first = uint32_t(syntax_.nodes.size());
    s.body = expression();
    if (!suffix.empty() && (more || uses_letters(first, suffix, is_symbol(base)))) {
      name.text = base;
      s.indices.insert(s.indices.begin(), suffix.begin(), suffix.end());
    }
    s.indexed = !s.indices.empty();
    known_.insert(name.text);
    insert_parts(name.text, s.body);
    s.names.push_back(std::move(name));
    return s;
  }

  // `G = grad(f, {W, b})` defines G_W and G_b.
  void insert_parts(const std::string& name, AstId body) {
    const Ast& call = syntax_[body];
    if (call.kind != AstKind::Call || call.children.size() < 2 || syntax_[call.children[1]].kind != AstKind::List) return;
    for (AstId item : syntax_[call.children[1]].children) known_.insert(name + "_" + std::string(syntax_[item].name));
  }

  // The indices on the left of a definition: groups after ^ and _, then those of the variables in parentheses.
  void left_indices(std::vector<IndexUse>& out) {
    int variable = 0;
    while (!failed_) {
      if (is(TokenKind::Caret) || is(TokenKind::Underscore)) {
        const Variance v = next().kind == TokenKind::Caret ? Variance::Up : Variance::Down;
        if (!is(TokenKind::LeftParen)) { index_group(v, out); continue; }
      } else if (!is(TokenKind::LeftParen) || out.empty()) {
        return;
      }
      const size_t begin = out.size();
      index_group(Variance::Down, out);
      ++variable;
      for (size_t i = begin; i < out.size(); ++i) out[i].variable = variable;
    }
  }

  // Whether the nodes from `first` on use every one of `letters` as an index; `some`: at least one.
  bool uses_letters(uint32_t first, const std::vector<IndexUse>& letters, bool some) const {
    auto used = [&](const IndexUse& want) {
      for (uint32_t i = first; i < syntax_.nodes.size(); ++i)
        if (std::ranges::find(syntax_.nodes[i].indices, want.letter, &IndexUse::letter) != syntax_.nodes[i].indices.end()) return true;
      return false;
    };
    return some ? std::ranges::any_of(letters, used) : std::ranges::all_of(letters, used);
  }

  // --- indices ------------------------------------------------------------------------------------------------------------------
  static SourceRange inside(const Token& t, size_t offset) { return {t.where.source, t.where.begin + uint32_t(offset), t.where.end}; }

  // "i", "ij", "i_jk": one index a letter; what follows an underscore stands low.
  void index_letters(std::string_view text, SourceRange at, Variance variance, std::vector<IndexUse>& out) {
    for (size_t i = 0; i < text.size();) {
      const CodePoint p = decode(text.substr(i));
      const SourceRange here = {at.source, at.begin + uint32_t(i), at.begin + uint32_t(i + p.length)};
      if (p.value == '_') variance = Variance::Down;
      else if (p.value >= '0' && p.value <= '9') fail(Message::not_supported, here, "a number as an index");
      else out.push_back({std::string(text.substr(i, p.length)), variance, here});
      i += p.length;
    }
  }

  // One group after `^` or `_`: ij, {i j}, (k).
  void index_group(Variance variance, std::vector<IndexUse>& out) {
    if (is(TokenKind::Name)) {
      const Token& t = next();
      return index_letters(t.text, t.where, variance, out);
    }
    if (is(TokenKind::Number)) { fail(Message::not_supported, peek().where, "a number as an index"); return; }
    if (!is(TokenKind::LeftBrace) && !is(TokenKind::LeftParen)) { fail(Message::expected, peek().where, "an index", spelled(peek())); return; }
    const Token& open = next();
    while (!failed_ && (is(TokenKind::Name) || is(TokenKind::Comma) || is(TokenKind::Number))) {
      if (is(TokenKind::Comma)) { ++pos_; continue; }
      if (is(TokenKind::Number)) { fail(Message::not_supported, peek().where, "a number as an index"); return; }
      const Token& t = next();
      index_letters(t.text, t.where, variance, out);
    }
    expect(closer(open.kind), open.kind == TokenKind::LeftBrace ? "`}`" : "`)`");
  }

  // Whether the `^` at hand begins indices and not an exponent: letters that no declared name claims.
  bool caret_begins_indices() const {
    if (!adjacent(TokenKind::Caret)) return false;
    if (adjacent(TokenKind::Number, 1)) return adjacent(TokenKind::Underscore, 2);
    if (is(TokenKind::Name, 1)) return is_index_text(peek(1).text) && !adjacent(TokenKind::LeftParen, 2);
    if (!is(TokenKind::LeftBrace, 1)) return false;
    size_t i = 2;
    while (is(TokenKind::Name, i) && is_index_text(peek(i).text)) ++i;
    return i > 2 && is(TokenKind::RightBrace, i);
  }
  bool is_index_text(std::string_view text) const {
    const std::string_view high = text.substr(0, text.find('_'));
    if (known(text) || known(high)) return false;
    for (size_t i = 0; i < high.size();) {
      const CodePoint p = decode(high.substr(i));
      if (!is_index_letter(p.value)) return false;
      i += p.length;
    }
    return true;
  }

  // Indices directly behind an operand.
  void trailing_indices(std::vector<IndexUse>& out) {
    while (!failed_ && (caret_begins_indices() || adjacent(TokenKind::Underscore))) {
      const Variance v = next().kind == TokenKind::Caret ? Variance::Up : Variance::Down;
      index_group(v, out);
    }
  }

  // --- nodes --------------------------------------------------------------------------------------------------------------------
  AstId add(Ast node) {
    const AstId id{uint32_t(syntax_.nodes.size())};
    node.first = node.children.empty() ? id.value : syntax_.nodes[node.children[0].value].first;
    syntax_.nodes.push_back(std::move(node));
    return id;
  }
  SourceRange range(AstId id) const { return syntax_.nodes[id.value].where; }
  void push(AstId id) { operands_.push_back(id); want_operand_ = false; }
  AstId pop() {
    const AstId id = operands_.back();
    operands_.pop_back();
    return id;
  }

  // --- expressions --------------------------------------------------------------------------------------------------------------
  // One loop over tokens with a stack of operands, of pending operators and of open brackets.
  AstId expression() {
    operands_.clear();
    operators_.clear();
    frames_.clear();
    want_operand_ = true;
    while (!failed_) {
      const bool ends = at_newline() || (is(TokenKind::Semicolon) && frames_.empty()) || (is(TokenKind::Equal) && frames_.empty());
      if (ends) break;
      if (want_operand_) operand();
      else operation();
    }
    if (!failed_ && want_operand_) missing_operand();
    if (!failed_ && !frames_.empty()) unclosed();
    if (failed_) return add({AstKind::Poison, peek().where});
    reduce(0);
    return pop();
  }

  void missing_operand() {
    if (!frames_.empty() && at_newline()) return unclosed();
    const SourceRange after = pos_ > 0 ? tokens_[pos_ - 1].where : peek().where;
    if (at_newline() && pos_ > 0) fail(Message::missing_operand, after, shorten(tokens_[pos_ - 1].text));
    else fail(Message::expected, peek().where, "an expression", spelled(peek()));
  }

  void unclosed() { fail(Message::unclosed_bracket, frames_.back().opener.where, frames_.back().opener.text); }

  void open(AstKind kind, std::string_view name = {}, SourceRange name_at = {}, std::vector<IndexUse> indices = {}) {
    frames_.push_back({next(), kind, operands_.size(), operators_.size(), name, name_at, std::move(indices)});
    want_operand_ = true;
  }

  void operand() {
    const Token& t = peek();
    switch (t.kind) {
      case TokenKind::Number:
        ++pos_;
        return push(add({.kind = AstKind::Number, .where = t.where, .name = t.text}));
      case TokenKind::Name: return name();
      case TokenKind::LeftParen: return open(AstKind::Sum);
      case TokenKind::LeftBracket: return open(AstKind::Block);
      case TokenKind::LeftBrace: return open(AstKind::List);
      case TokenKind::Norm: return open(AstKind::Power);
      case TokenKind::Minus:
      case TokenKind::Plus: return sign();
      case TokenKind::SumSign: return sum_sign();
      case TokenKind::Partial: return partial();
      case TokenKind::Nabla: return nabla();
      case TokenKind::RightParen:
      case TokenKind::RightBracket:
      case TokenKind::RightBrace:
        if (!frames_.empty() && closer(frames_.back().opener.kind) == t.kind && frames_.back().operand_base == operands_.size() &&
            frames_.back().kind == AstKind::Call && frames_.back().operator_base == operators_.size())
          return close();  // f()
        if (frames_.empty()) { fail(Message::unopened_bracket, t.where, t.text); return; }
        [[fallthrough]];
      default: return missing_operand();
    }
  }

  void name() {
    const Token& t = next();
    const bool is_known = known(t.text);
    const size_t cut = t.text.find('_');
    const std::string_view base = t.text.substr(0, cut);
    if (!is_known && is_reduction(base) && (cut != t.text.npos || adjacent(TokenKind::Underscore))) {
      std::vector<IndexUse> indices;
      if (cut != t.text.npos) index_letters(t.text.substr(cut + 1), inside(t, cut + 1), Variance::Down, indices);
      trailing_indices(indices);
      if (!failed_ && !is(TokenKind::LeftParen)) { fail(Message::expected, peek().where, "`(`", spelled(peek())); return; }
      if (!failed_) open(AstKind::Call, base, t.where, std::move(indices));
      return;
    }
    const bool splits = !is_known && cut != t.text.npos && (known(base) || is_symbol(base));
    if (is(TokenKind::LeftParen) && !splits && (!is_known || !peek().space_before)) return open(AstKind::Call, t.text, t.where);
    std::vector<IndexUse> indices;
    if (splits) index_letters(t.text.substr(cut + 1), inside(t, cut + 1), Variance::Down, indices);
    const SourceRange base_at = {t.where.source, t.where.begin, t.where.begin + uint32_t(splits ? base.size() : t.text.size())};
    trailing_indices(indices);
    if (failed_) return;
    const AstId id = add({.kind = AstKind::Name, .where = base_at, .name = splits ? base : t.text, .name_at = base_at});
    push(indices.empty() ? id : indexed(id, std::move(indices)));
  }

  AstId indexed(AstId base, std::vector<IndexUse> indices) {
    const SourceRange where = join(range(base), tokens_[pos_ - 1].where);
    return add({.kind = AstKind::Indexed, .where = where, .children = {base}, .indices = std::move(indices)});
  }

  void sign() {
    const size_t base = frames_.empty() ? 0 : frames_.back().operator_base;
    const Precedence before = operators_.size() > base ? operators_.back().precedence : kSum;
    const Token& t = next();
    if (t.kind == TokenKind::Plus) return;
    operators_.push_back({before >= kPower ? kPower : before >= kProduct ? kFactorSign : kSign, AstKind::Negate, AstOp::Minus, t.where});
  }

  void sum_sign() {  // ∑_i(...), or ∑_i a_i b_i over the product that follows
    const Token& t = next();
    std::vector<IndexUse> indices;
    if (!adjacent(TokenKind::Underscore)) { fail(Message::expected, peek().where, "an index, `∑_i`,", spelled(peek())); return; }
    trailing_indices(indices);
    if (failed_) return;
    if (is(TokenKind::LeftParen)) return open(AstKind::Call, "sum", t.where, std::move(indices));
    operators_.push_back({kSign, AstKind::Call, AstOp::Plus, t.where, std::move(indices)});
  }

  void partial() {  // ∂y^i / ∂x^k
    const Token& t = next();
    if (is(TokenKind::LeftParen)) return open(AstKind::Call, "d", t.where);
    if (!is(TokenKind::Name)) return missing_operand();
    const size_t frames = frames_.size();
    name();
    if (failed_ || frames != frames_.size()) { if (!failed_) fail(Message::expected, t.where, "a name after `∂`", "a call"); return; }
    const AstId of = pop();
    push(add({.kind = AstKind::Call, .where = join(t.where, range(of)), .children = {of}, .name = "d", .name_at = t.where}));
  }

  void nabla() {  // ∇(f, x), ∇²(f, x)
    const Token& t = next();
    const bool second = is(TokenKind::Superscript) && peek().text == "2";
    if (second) ++pos_;
    if (!is(TokenKind::LeftParen)) { fail(Message::expected, peek().where, "`(f, x)` after `∇`", spelled(peek())); return; }
    open(AstKind::Call, second ? "hess" : "grad", t.where);
  }

  // --- after an operand ---------------------------------------------------------------------------------------------------------
  void operation() {
    const Token& t = peek();
    switch (t.kind) {
      case TokenKind::Plus: return binary(kSum, AstKind::Sum, AstOp::Plus);
      case TokenKind::Minus: return binary(kSum, AstKind::Sum, AstOp::Minus);
      case TokenKind::Star: return binary(kProduct, AstKind::Product, AstOp::Times);
      case TokenKind::Slash: return binary(kProduct, AstKind::Product, AstOp::Over);
      case TokenKind::DotStar: return binary(kProduct, AstKind::Product, AstOp::EntryTimes);
      case TokenKind::DotSlash: return binary(kProduct, AstKind::Product, AstOp::EntryOver);
      case TokenKind::Backslash: return binary(kProduct, AstKind::Product, AstOp::Solve);
      case TokenKind::Outer: return binary(kProduct, AstKind::Product, AstOp::Outer);
      case TokenKind::Caret: return caret();
      case TokenKind::DotCaret: return binary(kPower, AstKind::EntryPower, AstOp::Times);
      case TokenKind::Quote: return quote();
      case TokenKind::Superscript: return superscript();
      case TokenKind::Comma: return comma();
      case TokenKind::Semicolon:
        if (frames_.back().kind == AstKind::Block) return comma();
        fail(Message::unexpected_token, t.where, spelled(t));
        return;
      case TokenKind::Norm:
        if (!frames_.empty() && frames_.back().kind == AstKind::Power) return close();
        return juxtapose();
      case TokenKind::RightParen:
      case TokenKind::RightBracket:
      case TokenKind::RightBrace: return close();
      case TokenKind::LeftBracket: return bracket();
      case TokenKind::Name: case TokenKind::Number: case TokenKind::LeftParen: case TokenKind::SumSign: case TokenKind::Partial:
        return juxtapose();
      case TokenKind::Compare: fail(Message::not_supported, t.where, "a comparison"); return;
      case TokenKind::Colon: fail(Message::not_supported, t.where, "a slice"); return;
      default: fail(Message::unexpected_token, t.where, spelled(t)); return;
    }
  }

  void binary(Precedence p, AstKind kind, AstOp op) {
    reduce(p);
    operators_.push_back({p, kind, op, next().where});
    want_operand_ = true;
  }

  void juxtapose() {
    reduce(kProduct);
    const SourceRange at = peek().where;
    operators_.push_back({kProduct, AstKind::Product, AstOp::Juxtaposed, {at.source, at.begin, at.begin}});
    want_operand_ = true;
  }

  void caret() {
    if (is(TokenKind::Name, 1) && peek(1).text == "T" && !known("T")) {  // A^T
      ++pos_;
      return quote();
    }
    binary(kPower, AstKind::Power, AstOp::Times);
    if (!is(TokenKind::LeftBrace)) return;
    open(AstKind::Sum);  // x^{2}: LaTeX's braces are parentheses
  }

  void quote() {
    reduce(kPower, true);
    const Token& t = next();
    const AstId of = pop();
    push(add({.kind = AstKind::Transpose, .where = join(range(of), t.where), .children = {of}}));
  }

  void superscript() {  // x², A⁻¹
    reduce(kPower, true);
    const Token& t = next();
    const AstId base = pop();
    const AstId exponent = add({.kind = AstKind::Number, .where = t.where, .name = t.text});
    push(add({.kind = AstKind::Power, .where = join(range(base), t.where), .children = {base, exponent}}));
  }

  void comma() {
    if (frames_.empty() || frames_.back().kind == AstKind::Sum || frames_.back().kind == AstKind::Power) {
      fail(Message::unexpected_token, peek().where, spelled(peek()));
      return;
    }
    reduce(0);
    ++pos_;
    want_operand_ = true;
  }

  // `[` after an operand: a direction or an entry, or the next factor [A*B]^i_j.
  void bracket() {
    const Ast& left = syntax_.nodes[operands_.back().value];
    const bool direction = left.kind == AstKind::Apply || (left.kind == AstKind::Call && left.name == "d");
    if (!direction && (peek().space_before || left.kind == AstKind::Indexed)) return juxtapose();
    reduce(kPower, true);
    open(AstKind::Apply);
  }

  void close() {
    const Token& t = peek();
    if (frames_.empty()) { fail(Message::unopened_bracket, t.where, t.text); return; }
    if (closer(frames_.back().opener.kind) != t.kind) {
      const Token opener = frames_.back().opener;
      if (Diagnostic* d = fail(Message::mismatched_bracket, t.where, t.text, opener.text)) d->note(opener.where, Message::opened_here, opener.text);
      return;
    }
    reduce(0);
    ++pos_;
    const Frame frame = std::move(frames_.back());
    frames_.pop_back();
    std::vector<AstId> items(operands_.begin() + std::ptrdiff_t(frame.operand_base), operands_.end());
    operands_.resize(frame.operand_base);
    finish(frame, std::move(items), t.where);
  }

  void finish(const Frame& frame, std::vector<AstId> items, SourceRange end) {
    const SourceRange where = join(frame.opener.where, end);
    switch (frame.kind) {
      case AstKind::Sum:  // a parenthesis is only a wider place
        syntax_.nodes[items[0].value].where = where;
        return push(items[0]);
      case AstKind::Power:
        return push(add({.kind = AstKind::Call, .where = where, .children = std::move(items), .name = "norm2", .name_at = frame.opener.where}));
      case AstKind::Call:
        return push(add({.kind = AstKind::Call, .where = join(frame.name_at, end), .children = std::move(items), .indices = frame.indices,
                         .name = frame.name, .name_at = frame.name_at}));
      case AstKind::Apply: {
        items.insert(items.begin(), pop());
        const SourceRange all = join(range(items[0]), end);
        return push(add({.kind = AstKind::Apply, .where = all, .children = std::move(items)}));
      }
      case AstKind::Block: {
        std::vector<IndexUse> indices;
        trailing_indices(indices);
        if (failed_ || indices.empty() || items.size() != 1)
          return push(add({.kind = AstKind::Block, .where = where, .children = std::move(items)}));
        syntax_.nodes[items[0].value].where = where;
        return push(indexed(items[0], std::move(indices)));
      }
      default: return push(add({.kind = AstKind::List, .where = where, .children = std::move(items)}));
    }
  }

  // Applies the pending operators of the innermost bracket that bind tighter than `limit` (with `equal`, at least as tight). Sums and products
  // of equal rank wait and become one node with many children.
  void reduce(int limit, bool equal = false) {
    const size_t base = frames_.empty() ? 0 : frames_.back().operator_base;
    while (operators_.size() > base && (operators_.back().precedence > limit || (equal && operators_.back().precedence == limit))) apply(base);
  }

  void apply(size_t base) {
    const PendingOp& top = operators_.back();
    if (top.kind == AstKind::Negate || top.kind == AstKind::Call) return apply_prefix();
    Ast node{.kind = top.kind};
    size_t count = 1;
    if (top.kind == AstKind::Sum || top.kind == AstKind::Product)
      while (operators_.size() - count > base && operators_[operators_.size() - count - 1].kind == top.kind) ++count;
    const auto ops = operators_.end() - std::ptrdiff_t(count);
    for (auto op = ops; op != operators_.end(); ++op) node.ops.push_back(op->op);
    operators_.erase(ops, operators_.end());
    const auto children = operands_.end() - std::ptrdiff_t(count + 1);
    node.children.assign(children, operands_.end());
    operands_.erase(children, operands_.end());
    node.where = join(range(node.children.front()), range(node.children.back()));
    operands_.push_back(quotient_of_partials(node) ? partial_derivative(std::move(node)) : add(std::move(node)));
  }

  void apply_prefix() {
    const PendingOp op = std::move(operators_.back());
    operators_.pop_back();
    const AstId of = pop();
    Ast node{.kind = op.kind, .where = join(op.where, range(of)), .children = {of}, .indices = op.indices};
    if (op.kind == AstKind::Call) node.name = "sum";
    node.name_at = op.where;
    operands_.push_back(add(std::move(node)));
  }

  // d(f^i)/d(x^k) among the factors of a product.
  bool is_partial(AstId id) const {
    const Ast& a = syntax_.nodes[id.value];
    return a.kind == AstKind::Call && a.name == "d" && a.children.size() == 1;
  }
  bool quotient_of_partials(const Ast& node) const {
    if (node.kind != AstKind::Product) return false;
    for (size_t i = 0; i < node.ops.size(); ++i)
      if (node.ops[i] == AstOp::Over && is_partial(node.children[i]) && is_partial(node.children[i + 1])) return true;
    return false;
  }
  // Joins each quotient of partials into one factor. The new nodes follow the old children, so `first` is kept by hand.
  AstId partial_derivative(Ast node) {
    const uint32_t first = syntax_.nodes[node.children[0].value].first;
    std::vector<AstId> children;
    std::vector<AstOp> ops;
    for (size_t i = 0; i < node.children.size(); ++i) {
      if (i > 0) ops.push_back(node.ops[i - 1]);
      const AstId f = node.children[i];
      if (i < node.ops.size() && node.ops[i] == AstOp::Over && is_partial(f) && is_partial(node.children[i + 1])) {
        const AstId x = node.children[++i];
        children.push_back(add({.kind = AstKind::Partial, .where = join(range(f), range(x)),
                                .children = {syntax_[f].children[0], syntax_[x].children[0]}, .name_at = range(f)}));
        for (AstId part : {f, x}) syntax_.nodes[part.value] = {.kind = AstKind::Poison, .where = range(part), .first = syntax_[part].first};
      } else {
        children.push_back(f);
      }
    }
    if (children.size() == 1) return children[0];
    node.children = std::move(children);
    node.ops = std::move(ops);
    const AstId id = add(std::move(node));
    syntax_.nodes[id.value].first = first;
    return id;
  }

  const std::vector<Token>& tokens_;
  KnownNames& known_;
  Diagnostics& diagnostics_;
  Syntax syntax_;
  size_t pos_ = 0;
  bool failed_ = false;
  bool want_operand_ = true;
  std::vector<AstId> operands_;
  std::vector<PendingOp> operators_;
  std::vector<Frame> frames_;
};

}  // namespace

Syntax parse(const std::vector<Token>& tokens, KnownNames& known, Diagnostics& diagnostics) {
  return Parser(tokens, known, diagnostics).run();
}

}  // namespace ricci
