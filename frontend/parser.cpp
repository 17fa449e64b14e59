#include "frontend/parser.h"

#include <algorithm>
#include <array>
#include <set>

#include "frontend/expression_parser.h"
#include "frontend/spelling.h"

namespace ricci {
namespace {

class StatementParser : ExpressionParser {
 public:
  using ExpressionParser::ExpressionParser;

  Syntax run() {
    syntax_.nodes.reserve(tokens_.size());
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
  Statement statement() {
    if (is(TokenKind::Name) && is(TokenKind::Name, 1)) {
      if (peek().text == "dim") return dim_statement();
      if (peek().text == "export") return export_statement();
      if (peek().text == "fun" && is(TokenKind::LeftParen, 2)) return function_statement();
    }
    size_t names = 0;
    while (is(TokenKind::Name, names) && is(TokenKind::Comma, names + 1)) names += 2;
    if (is(TokenKind::Name, names) && (is(TokenKind::Colon, names + 1) || is(TokenKind::ElementOf, names + 1))) return declaration();
    const bool defines = has_equal_sign();
    find_index_letters(defines);
    if (defines) return definition();
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
    for (const WrittenName& n : s.names) known_.variables.insert(n.text);
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
    return {std::string(first_spelling(t.text)), t.where};
  }

  // n, 3, m*n, 2*n + 1; after ℝ^ a product sign stands between two dimensions.
  WrittenDim written_dim(bool products = true) {
    WrittenDim d{.where = peek().where};
    do {
      d.terms.emplace_back();
      do {
        if (!is(TokenKind::Name) && !is(TokenKind::Number)) {
          fail(Message::expected, peek().where, "a dimension", spelled(peek()));
          return d;
        }
        const Token& t = next();
        if (t.kind == TokenKind::Name) known_.variables.insert(std::string(t.text));
        d.terms.back().push_back({std::string(t.text), t.where});
        d.where = join(d.where, t.where);
      } while (products && eat(TokenKind::Star));
    } while (eat(TokenKind::Plus));
    return d;
  }

  Statement dim_statement() {  // dim n = 3
    Statement s{.kind = Statement::Kind::Dim};
    ++pos_;
    s.names.push_back(written_name("a dimension"));
    known_.variables.insert(s.names[0].text);
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

  Statement function_statement() {  // fun h(vector(n), scalar) -> vector(m)
    Statement s{.kind = Statement::Kind::Function};
    ++pos_;
    s.names.push_back(written_name("a name"));
    known_.functions.insert(s.names[0].text);
    expect(TokenKind::LeftParen, "`(`");
    const auto one = [&] {
      Statement part{.kind = Statement::Kind::Declaration};
      kind(part);
      s.kinds.push_back(std::move(part.dims));
    };
    do one();
    while (!failed_ && eat(TokenKind::Comma));
    expect(TokenKind::RightParen, "`)`");
    expect(TokenKind::Arrow, "`->`");
    if (!failed_) one();
    return s;
  }

  Statement declaration() {  // A, B: matrix(m, n) symmetric
    Statement s{.kind = Statement::Kind::Declaration};
    do s.names.push_back(written_name("a name"));
    while (eat(TokenKind::Comma));
    if (next().kind == TokenKind::ElementOf) real_space(s);
    else kind(s);
    while (!failed_ && is(TokenKind::Name)) s.properties.push_back(written_name("a property"));
    for (const WrittenName& n : s.names) known_.variables.insert(n.text);
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
    do s.dims.push_back(written_dim(false));
    while (open && !failed_ && (eat(TokenKind::Times) || eat(TokenKind::Comma) || eat(TokenKind::Star)));
    if (open) expect(close, "`)`");
    for (size_t i = 1; i < s.dims.size(); ++i) s.dims[i].variance = Variance::Down;
  }

  // y = A*x, y^i = a^i_j x^j, J^i_(k) = d(f^i)/d(x^k), F_ij(kl) = ...
  Statement definition() {
    Statement s{.kind = Statement::Kind::Definition};
    const Token& head = peek();
    if (!is(TokenKind::Name)) {
      fail(Message::left_side, peek().where);
      return s;
    }
    WrittenName name = written_name("a name");
    const bool may_split = !known(name.text) && head.text.find('_') != std::string::npos;
    const SourceRange arguments = join(name.where, peek().where);
    const bool parenthesis = is(TokenKind::LeftParen);
    left_indices(s.indices, may_split);
    if (failed_) return s;
    if (is(TokenKind::LeftParen)) { fail(Message::left_side_arguments, arguments, name.text); return s; }
    if (!eat(TokenKind::Equal)) {
      fail(Message::left_side, join(name.where, peek().where));
      return s;
    }
    const uint32_t first = uint32_t(syntax_.nodes.size());
    s.body = expression();
    const bool split = may_split && split_indices(head, first, name, s.indices);
    if (parenthesis && !split) { fail(Message::left_side_arguments, arguments, name.text); return s; }
    s.indexed = !s.indices.empty();
    known_.variables.insert(name.text);
    insert_parts(name.text, s.body);
    s.names.push_back(std::move(name));
    return s;
  }

  // `G = grad(f, {W, b})` defines G_W and G_b.
  void insert_parts(const std::string& name, AstId body) {
    const Ast& call = syntax_[body];
    if (call.kind != AstKind::Call || call.children.size() < 2 || syntax_[call.children[1]].kind != AstKind::List) return;
    for (AstId item : syntax_[call.children[1]].children) known_.variables.insert(name + "_" + std::string(syntax_[item].name));
  }

  // The indices on the left of a definition: groups after ^ and _, then those of the variables in parentheses. With `inside_name` some stand
  // in the name already, as in F_ij(k).
  void left_indices(std::vector<IndexUse>& out, bool inside_name) {
    int variable = 0;
    while (!failed_) {
      if (is(TokenKind::Caret) || is(TokenKind::Underscore)) {
        const Variance v = next().kind == TokenKind::Caret ? Variance::Up : Variance::Down;
        if (is(TokenKind::LeftBrace)) { braced_indices(v, out, variable); continue; }
        if (!is(TokenKind::LeftParen)) { index_group(v, out); continue; }
      } else if (!is(TokenKind::LeftParen) || (out.empty() && !inside_name)) {
        return;
      }
      variable_indices(out, variable);
    }
  }

  void variable_indices(std::vector<IndexUse>& out, int& variable) {  // (k), (kl)
    const size_t begin = out.size();
    index_group(Variance::Down, out);
    ++variable;
    for (size_t i = begin; i < out.size(); ++i) out[i].variable = variable;
  }

  void braced_indices(Variance v, std::vector<IndexUse>& out, int& variable) {  // {ij}, {ij(k)}
    ++pos_;
    while (!failed_ && !eat(TokenKind::RightBrace)) {
      if (eat(TokenKind::Comma)) continue;
      if (is(TokenKind::LeftParen)) variable_indices(out, variable);
      else if (is(TokenKind::Name)) index_group(v, out);
      else expect(TokenKind::RightBrace, "`}`");
    }
  }

  // Moves the letters behind an underscore of the undeclared `name` to the indices after it, if they are some: the right side uses them all
  // (F_ij, and G_x_ij of G_x); or, of a one-letter name, some, so that the others can be reported; or there are more and the right side has none.
  bool split_indices(const Token& head, uint32_t first, WrittenName& name, std::vector<IndexUse>& indices) {
    const std::set<std::string_view> used = letters_used(first);
    const auto is_used = [&](const IndexUse& i) { return used.contains(i.letter); };
    for (bool every : {true, false})
      for (size_t cut = head.text.find('_'); cut != std::string_view::npos; cut = head.text.find('_', cut + 1)) {
        const std::string_view base = head.text.substr(0, cut), letters = head.text.substr(cut + 1);
        if (std::ranges::any_of(letters, [](char c) { return c >= '0' && c <= '9'; })) continue;
        std::vector<IndexUse> suffix;
        index_letters(letters, inside(head, cut + 1), Variance::Down, suffix);
        const bool taken = every ? std::ranges::all_of(suffix, is_used)
                                 : is_symbol(base) && (std::ranges::any_of(suffix, is_used) || (used.empty() && !indices.empty()));
        if (!taken) continue;
        name.text = first_spelling(base);
        indices.insert(indices.begin(), suffix.begin(), suffix.end());
        return true;
      }
    return false;
  }

  // The letters that stand as indices in the nodes from `first` on.
  std::set<std::string_view> letters_used(uint32_t first) const {
    std::set<std::string_view> letters;
    for (uint32_t i = first; i < syntax_.nodes.size(); ++i)
      for (const IndexUse& use : syntax_.nodes[i].indices) letters.insert(use.letter);
    return letters;
  }
};

}  // namespace

Syntax parse(const std::vector<Token>& tokens, KnownNames& known, Diagnostics& diagnostics) {
  return StatementParser(tokens, known, diagnostics).run();
}

}  // namespace ricci
