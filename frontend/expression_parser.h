// Expressions: one loop over tokens with a stack of operands, of pending operators and of open brackets.
//
// A product waits for its next factor, so that a run of sums or products of equal rank becomes one node with many children.
#pragma once
#include <optional>

#include "frontend/token_reader.h"

namespace ricci {

class ExpressionParser : protected TokenReader {
 public:
  using TokenReader::TokenReader;

 protected:
  // The expression at hand, up to what ends a statement or to an `=`.
  AstId expression();

  Syntax syntax_;

 private:
  // How tightly operators bind. A minus sign binds less than the product after it, unless an operator stands before it.
  enum Precedence : uint8_t { kComparison = 1, kSum, kSign, kProduct, kFactorSign, kPower };

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
    AstKind kind;                  // Call, Apply, Block, List; Indexed for h^i(x); Sum for a plain parenthesis; Power for ‖x‖
    size_t operand_base, operator_base;
    std::string_view name = {};    // Call
    SourceRange name_at = {};
    std::vector<IndexUse> indices = {};
    std::vector<AstOp> separators = {};  // Block: commas and semicolons
    std::optional<SourceRange> partial = {};  // the ∂ before h(x)
  };

  AstId add(Ast node);
  SourceRange range(AstId id) const { return syntax_.nodes[id.value].where; }
  void push(AstId id) { operands_.push_back(id); want_operand_ = false; }
  AstId pop();
  void missing_operand();
  void unclosed();
  void open(AstKind kind, std::string_view name = {}, SourceRange name_at = {}, std::vector<IndexUse> indices = {});
  void operand();
  void name();
  bool is_applied(std::string_view name) const;
  AstId indexed(AstId base, std::vector<IndexUse> indices);
  void sign();
  void sum_sign();
  void partial();
  AstId partial_of(AstId of, SourceRange sign);
  void nabla();
  void operation();
  void binary(Precedence p, AstKind kind, AstOp op);
  void compare();
  void juxtapose();
  void caret();
  void quote();
  void superscript();
  void comma();
  bool in_slice() const;
  void bracket();
  void close();
  void finish(const Frame& frame, std::vector<AstId> items, SourceRange end);
  void reduce(int limit, bool equal = false);
  void apply(size_t base);
  void apply_prefix();
  bool is_partial(AstId id) const;
  bool quotient_of_partials(const Ast& node) const;
  AstId partial_derivative(Ast node);

  bool want_operand_ = true;
  std::vector<AstId> operands_;
  std::vector<PendingOp> operators_;
  std::vector<Frame> frames_;
};

// Whether `name` can bear indices without being declared: one letter, also with a number behind it (W1), or the unit tensors.
bool is_symbol(std::string_view name);

}  // namespace ricci
