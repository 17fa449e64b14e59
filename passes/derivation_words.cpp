#include "passes/derivation_words.h"

#include <algorithm>
#include <cctype>

#include "passes/derivation.h"

namespace ricci {
namespace {

struct Title {
  StepKind kind;
  std::string_view text;
};
constexpr Title kTitles[] = {
    {StepKind::Rewrite, "rewritten first"},
    {StepKind::Define, "by definition"},
    {StepKind::ProductRule, "product rule"},
    {StepKind::TermByTerm, "term by term"},
    {StepKind::ConstantFactors, "constant factors"},
    {StepKind::Factors, "derivatives of the factors"},
    {StepKind::Delta, "sum over the deltas"},
    {StepKind::LikeTerms, "like terms"},
    {StepKind::ChainRule, "chain rule"},
    {StepKind::Insert, "insert"},
    {StepKind::Raise, "in matrix notation"},
    {StepKind::Collect, "collect"},
    {StepKind::Resolve, "insert the named quantities"},
    {StepKind::Simplify, "simplify"},
    {StepKind::Project, "project on the space of the variable"},
    {StepKind::Layout, "in the layout asked for"},
    {StepKind::Letters, "with the letters of the answer"},
    {StepKind::NoMatrixForm, "no matrix form"},
    {StepKind::Zero, "nothing depends on the variable"},
};
constexpr bool complete() {
  for (size_t k = 0; k < std::size(kTitles); ++k)
    if (kTitles[k].kind != StepKind(k)) return false;
  return std::size(kTitles) == size_t(StepKind::Zero) + 1;
}
static_assert(complete(), "every kind of step needs its title, in order");

}  // namespace

std::string_view step_title(StepKind kind) { return kTitles[size_t(kind)].text; }

std::string private_name(size_t k) {
  const uint32_t code = 0xE000 + uint32_t(k % 0x1900);
  return {char(0xE0 | (code >> 12)), char(0x80 | ((code >> 6) & 0x3F)), char(0x80 | (code & 0x3F))};
}

std::string_view pattern_name(const mat::Expr& e) {
  using mat::Op;
  if (e->calls("tr")) return "the trace ";
  if (e->calls("diag")) return e->shape.is_matrix() ? "the diagonal matrix " : "the diagonal ";
  if (e->calls("sum")) return "the sum ";
  if (e->calls("norm2")) return "the norm ";
  if (e->op == Op::Hadamard) return "the entrywise product ";
  if (e->op == Op::Transpose) return "the transpose ";
  if (e->op != Op::Mul) return "";
  if (e->shape.is_scalar()) return "the inner product ";
  const bool outer = std::ranges::any_of(e->operands, [](const mat::Expr& f) { return f->shape.is_row(); });
  return e->shape.is_matrix() && outer ? "the outer product " : "the product ";
}

std::string table_derivative(MapOp op, size_t argument) {
  const ElementwiseRow& r = row(op);
  std::string value(r.name);
  for (int k = 0; k < r.arity; ++k) value += std::string(k == 0 ? "(" : ", ") + "xyz"[k];
  value += ")";
  std::string text;
  const std::string_view column = r.derivative[argument];
  auto part_of_name = [&](size_t at) { return at < column.size() && std::isalnum(static_cast<unsigned char>(column[at])); };
  for (size_t k = 0; k < column.size(); ++k) {
    const bool whole = column[k] == 'f' && !part_of_name(k + 1) && (k == 0 || !part_of_name(k - 1));
    text += whole ? value : std::string(1, column[k]);
  }
  return value + "'" + (r.arity > 1 ? std::string(" by ") + "xyz"[argument] : "") + " = " + text;
}

}  // namespace ricci
