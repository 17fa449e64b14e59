#include "frontend/expression_parser.h"

#include <algorithm>

#include "frontend/spelling.h"

namespace ricci {

bool is_symbol(std::string_view name) {
  const std::string_view digits = name.substr(std::min(name.size(), decode(name).length));
  return name == "delta" || name == "eps" || digits.find_first_not_of("0123456789") == digits.npos || is_greek_name(name);
}

AstId ExpressionParser::add(Ast node) {
  const AstId id{uint32_t(syntax_.nodes.size())};
  node.first = node.children.empty() ? id.value : syntax_.nodes[node.children[0].value].first;
  syntax_.nodes.push_back(std::move(node));
  return id;
}

AstId ExpressionParser::pop() {
  const AstId id = operands_.back();
  operands_.pop_back();
  return id;
}

// --- expressions --------------------------------------------------------------------------------------------------------------

AstId ExpressionParser::expression() {
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

void ExpressionParser::missing_operand() {
  if (!frames_.empty() && at_newline()) return unclosed();
  const SourceRange after = pos_ > 0 ? tokens_[pos_ - 1].where : peek().where;
  if (at_newline() && pos_ > 0) fail(Message::missing_operand, after, shorten(tokens_[pos_ - 1].text));
  else fail(Message::expected, peek().where, "an expression", spelled(peek()));
}

void ExpressionParser::unclosed() { fail(Message::unclosed_bracket, frames_.back().opener.where, frames_.back().opener.text); }

void ExpressionParser::open(AstKind kind, std::string_view name, SourceRange name_at, std::vector<IndexUse> indices) {
  frames_.push_back({next(), kind, operands_.size(), operators_.size(), name, name_at, std::move(indices)});
  want_operand_ = true;
}

void ExpressionParser::operand() {
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
    case TokenKind::Colon:
      if (!in_slice()) return missing_operand();
      ++pos_;
      return push(add({.kind = AstKind::Range, .where = t.where}));
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

void ExpressionParser::name() {
  const Token& t = next();
  const bool is_function = known_function(t.text), is_known = known(t.text);
  size_t cut = t.text.find('_');  // the longest name that is known wins: w_out_i is w_out with an index
  for (size_t at = t.text.rfind('_'); !is_known && at != t.text.npos && at > 0; at = t.text.rfind('_', at - 1))
    if (known(t.text.substr(0, at)) || known_function(t.text.substr(0, at))) { cut = at; break; }
  const std::string_view base = t.text.substr(0, cut);
  const bool bears_indices = cut != t.text.npos ? is_reduction(base) || is(TokenKind::LeftParen) : adjacent(TokenKind::Underscore);
  if (!is_known && !is_function && bears_indices && takes_indices(base)) {
    std::vector<IndexUse> indices;
    if (cut != t.text.npos) index_letters(t.text.substr(cut + 1), inside(t, cut + 1), Variance::Down, indices);
    trailing_indices(indices);
    if (!failed_ && !is(TokenKind::LeftParen)) { fail(Message::expected, peek().where, "`(`", spelled(peek())); return; }
    if (!failed_) open(AstKind::Call, base, t.where, std::move(indices));
    return;
  }
  const bool splits = !is_known && !is_function && cut != t.text.npos && (known(base) || known_function(base) || is_symbol(base));
  if (is(TokenKind::LeftParen) && !splits && (!is_known || !peek().space_before)) return open(AstKind::Call, t.text, t.where);
  std::vector<IndexUse> indices;
  if (splits) index_letters(t.text.substr(cut + 1), inside(t, cut + 1), Variance::Down, indices);
  const SourceRange base_at = {t.where.source, t.where.begin, t.where.begin + uint32_t(splits ? base.size() : t.text.size())};
  trailing_indices(indices, !is_known && known_function(splits ? base : t.text));
  if (failed_) return;
  if (!indices.empty() && is_applied(splits ? base : t.text)) return open(AstKind::Indexed, splits ? base : t.text, t.where, std::move(indices));
  const AstId id = add({.kind = AstKind::Name, .where = base_at, .name = first_spelling(splits ? base : t.text), .name_at = base_at});
  push(indices.empty() ? id : indexed(id, std::move(indices)));
}

// h^i(x): a function's value with indices, where h is known to be one; or where nothing is known of it, and it is given bare names, with which no
// component is multiplied.
bool ExpressionParser::is_applied(std::string_view name) const {
  if (!adjacent(TokenKind::LeftParen) || known(name)) return false;
  if (known_function(name)) return true;
  bool tensors = false;
  for (size_t at = 1; is(TokenKind::Name, at); at += 2) {
    const std::string_view argument = peek(at).text;
    tensors = tensors || !is_greek_name(argument);
    if (argument.find('_') != argument.npos && !known(argument)) return false;
    if (is(TokenKind::RightParen, at + 1)) return tensors;
    if (!is(TokenKind::Comma, at + 1)) return false;
  }
  return false;
}

AstId ExpressionParser::indexed(AstId base, std::vector<IndexUse> indices) {
  const SourceRange where = join(range(base), tokens_[pos_ - 1].where);
  return add({.kind = AstKind::Indexed, .where = where, .children = {base}, .indices = std::move(indices)});
}

void ExpressionParser::sign() {
  const size_t base = frames_.empty() ? 0 : frames_.back().operator_base;
  const Precedence before = operators_.size() > base ? operators_.back().precedence : kSum;
  const Token& t = next();
  if (t.kind == TokenKind::Plus) return;
  operators_.push_back({before >= kPower ? kPower : before >= kProduct ? kFactorSign : kSign, AstKind::Negate, AstOp::Minus, t.where});
}

void ExpressionParser::sum_sign() {  // ∑_i(...), or ∑_i a_i b_i over the product that follows
  const Token& t = next();
  std::vector<IndexUse> indices;
  if (!adjacent(TokenKind::Underscore)) { fail(Message::expected, peek().where, "an index, `∑_i`,", spelled(peek())); return; }
  trailing_indices(indices);
  if (failed_) return;
  if (is(TokenKind::LeftParen)) return open(AstKind::Call, "sum", t.where, std::move(indices));
  operators_.push_back({kSign, AstKind::Call, AstOp::Plus, t.where, std::move(indices)});
}

void ExpressionParser::partial() {  // ∂y^i / ∂x^k, ∂h^i(x) / ∂x^k
  const Token& t = next();
  if (is(TokenKind::LeftParen)) return open(AstKind::Call, "d", t.where);
  if (!is(TokenKind::Name)) return missing_operand();
  const size_t frames = frames_.size();
  name();
  if (failed_) return;
  if (frames == frames_.size()) push(partial_of(pop(), t.where));
  else frames_.back().partial = t.where;
}

AstId ExpressionParser::partial_of(AstId of, SourceRange sign) {
  return add({.kind = AstKind::Call, .where = join(sign, range(of)), .children = {of}, .name = "d", .name_at = sign});
}

void ExpressionParser::nabla() {  // ∇(f, x), ∇²(f, x)
  const Token& t = next();
  const bool second = is(TokenKind::Superscript) && peek().text == "²";
  if (second) ++pos_;
  if (!is(TokenKind::LeftParen)) { fail(Message::expected, peek().where, "`(f, x)` after `∇`", spelled(peek())); return; }
  open(AstKind::Call, second ? "hess" : "grad", t.where);
}

// --- after an operand ---------------------------------------------------------------------------------------------------------

void ExpressionParser::operation() {
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
    case TokenKind::Compare: return compare();
    case TokenKind::Equal:
      if (Diagnostic* d = fail(Message::unexpected_token, t.where, spelled(t))) d->fix(Message::did_you_mean, "==");
      return;
    case TokenKind::Colon:
      if (in_slice()) return binary(kComparison, AstKind::Range, AstOp::Beside);
      fail(Message::unexpected_token, t.where, spelled(t));
      return;
    default: fail(Message::unexpected_token, t.where, spelled(t)); return;
  }
}

void ExpressionParser::binary(Precedence p, AstKind kind, AstOp op) {
  reduce(p);
  operators_.push_back({p, kind, op, next().where});
  want_operand_ = true;
}

void ExpressionParser::compare() {
  constexpr std::pair<std::string_view, AstOp> kSigns[] = {
      {"<", AstOp::Less}, {"<=", AstOp::LessEqual}, {"≤", AstOp::LessEqual}, {">", AstOp::Greater}, {">=", AstOp::GreaterEqual},
      {"≥", AstOp::GreaterEqual}, {"==", AstOp::Equal}, {"!=", AstOp::Unequal}, {"≠", AstOp::Unequal},
  };
  const Token& t = peek();
  reduce(kComparison);
  const size_t base = frames_.empty() ? 0 : frames_.back().operator_base;
  if (operators_.size() > base) { fail(Message::unexpected_token, t.where, spelled(t)); return; }  // a < b < c
  const auto sign = std::ranges::find(kSigns, t.text, &std::pair<std::string_view, AstOp>::first);
  binary(kComparison, AstKind::Comparison, sign->second);
}

void ExpressionParser::juxtapose() {
  reduce(kProduct);
  const SourceRange at = peek().where;
  operators_.push_back({kProduct, AstKind::Product, AstOp::Juxtaposed, {at.source, at.begin, at.begin}});
  want_operand_ = true;
}

void ExpressionParser::caret() {
  if (is(TokenKind::Name, 1) && peek(1).text == "T" && !known("T")) {  // A^T
    ++pos_;
    return quote();
  }
  binary(kPower, AstKind::Power, AstOp::Times);
  if (!is(TokenKind::LeftBrace)) return;
  open(AstKind::Sum);  // x^{2}: LaTeX's braces are parentheses
}

void ExpressionParser::quote() {
  reduce(kPower, true);
  const Token& t = next();
  const AstId of = pop();
  push(add({.kind = AstKind::Transpose, .where = join(range(of), t.where), .children = {of}}));
}

void ExpressionParser::superscript() {  // x², A⁻¹
  reduce(kPower, true);
  const Token& t = next();
  const AstId base = pop();
  const AstId exponent = add({.kind = AstKind::Number, .where = t.where, .name = t.text});
  push(add({.kind = AstKind::Power, .where = join(range(base), t.where), .children = {base, exponent}}));
}

void ExpressionParser::comma() {
  if (frames_.empty() || frames_.back().kind == AstKind::Sum || frames_.back().kind == AstKind::Power) {
    fail(Message::unexpected_token, peek().where, spelled(peek()));
    return;
  }
  reduce(0);
  frames_.back().separators.push_back(is(TokenKind::Comma) ? AstOp::Beside : AstOp::Below);
  ++pos_;
  want_operand_ = true;
}

bool ExpressionParser::in_slice() const { return !frames_.empty() && frames_.back().kind == AstKind::Apply; }

// `[` after an operand: a direction or an entry, or the next factor [A*B]^i_j.
void ExpressionParser::bracket() {
  const Ast& left = syntax_.nodes[operands_.back().value];
  const bool direction = left.kind == AstKind::Apply || (left.kind == AstKind::Call && left.name == "d");
  if (!direction && (peek().space_before || left.kind == AstKind::Indexed)) return juxtapose();
  // x^v[1] is a power by an entry, x^2[1] an entry of a power: numbers have none.
  const bool of_exponent = !direction && left.kind != AstKind::Number && !operators_.empty() && operators_.back().precedence == kPower;
  if (!of_exponent) reduce(kPower, true);
  open(AstKind::Apply);
}

void ExpressionParser::close() {
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
  if (frame.partial && !failed_) push(partial_of(pop(), *frame.partial));
}

void ExpressionParser::finish(const Frame& frame, std::vector<AstId> items, SourceRange end) {
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
    case AstKind::Indexed: {
      const SourceRange all = join(frame.name_at, end);
      const AstId call = add({.kind = AstKind::Call, .where = all, .children = std::move(items), .name = frame.name, .name_at = frame.name_at});
      return push(add({.kind = AstKind::Indexed, .where = all, .children = {call}, .indices = frame.indices}));
    }
    case AstKind::Apply: {
      items.insert(items.begin(), pop());
      const SourceRange all = join(range(items[0]), end);
      return push(add({.kind = AstKind::Apply, .where = all, .children = std::move(items)}));
    }
    case AstKind::Block: {
      std::vector<IndexUse> indices;
      trailing_indices(indices);
      if (failed_ || indices.empty() || items.size() != 1)
        return push(add({.kind = AstKind::Block, .where = where, .children = std::move(items), .ops = frame.separators}));
      syntax_.nodes[items[0].value].where = where;
      return push(indexed(items[0], std::move(indices)));
    }
    default: return push(add({.kind = AstKind::List, .where = where, .children = std::move(items)}));
  }
}

// Applies the pending operators of the innermost bracket that bind tighter than `limit` (with `equal`, at least as tight). Sums and products
// of equal rank wait and become one node with many children.
void ExpressionParser::reduce(int limit, bool equal) {
  const size_t base = frames_.empty() ? 0 : frames_.back().operator_base;
  while (operators_.size() > base && (operators_.back().precedence > limit || (equal && operators_.back().precedence == limit))) apply(base);
}

void ExpressionParser::apply(size_t base) {
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

void ExpressionParser::apply_prefix() {
  const PendingOp op = std::move(operators_.back());
  operators_.pop_back();
  const AstId of = pop();
  Ast node{.kind = op.kind, .where = join(op.where, range(of)), .children = {of}, .indices = op.indices};
  if (op.kind == AstKind::Call) node.name = "sum";
  node.name_at = op.where;
  operands_.push_back(add(std::move(node)));
}

// d(f^i)/d(x^k) among the factors of a product.
bool ExpressionParser::is_partial(AstId id) const {
  const Ast& a = syntax_.nodes[id.value];
  return a.kind == AstKind::Call && a.name == "d" && a.children.size() == 1;
}
bool ExpressionParser::quotient_of_partials(const Ast& node) const {
  if (node.kind != AstKind::Product) return false;
  for (size_t i = 0; i < node.ops.size(); ++i)
    if (node.ops[i] == AstOp::Over && is_partial(node.children[i]) && is_partial(node.children[i + 1])) return true;
  return false;
}
// Joins each quotient of partials into one factor. The new nodes follow the old children, so `first` is kept by hand.
AstId ExpressionParser::partial_derivative(Ast node) {
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

}  // namespace ricci
