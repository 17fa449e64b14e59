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
    {StepKind::Adjoint, "by the adjoint of the derivative"},
    {StepKind::Linear, "the derivative is linear in its direction"},
    {StepKind::Raise, "in matrix notation"},
    {StepKind::Collect, "collect"},
    {StepKind::Resolve, "insert the named quantities"},
    {StepKind::Simplify, "simplify"},
    {StepKind::Project, "project on the space of the variable"},
    {StepKind::Layout, "in the layout asked for"},
    {StepKind::Expand, "multiply out"},
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

namespace {

// pow(x, y - 1) as x^(y - 1).
std::string with_powers(std::string text) {
  constexpr std::string_view kHead = "pow(";
  for (size_t from; (from = text.find(kHead)) != text.npos;) {
    const size_t comma = text.find(", ", from), to = text.find(')', comma);
    if (comma == text.npos || to == text.npos) break;
    const std::string base = text.substr(from + kHead.size(), comma - from - kHead.size()),
                      exponent = text.substr(comma + 2, to - comma - 2);
    text = text.substr(0, from) + base + "^" + (exponent.size() > 1 ? "(" + exponent + ")" : exponent) + text.substr(to + 1);
  }
  return text;
}

}  // namespace

std::string table_derivative(MapOp op, size_t argument) {
  const ElementwiseRow& r = row(op);
  std::string value(written_name(op));
  if (is_comparison(op)) value = "x " + value + " y";
  for (int k = 0; k < r.arity && !is_comparison(op); ++k) value += std::string(k == 0 ? "(" : ", ") + "xyz"[k];
  if (!is_comparison(op)) value += ")";
  std::string text;
  const std::string_view column = r.derivative[argument];
  auto part_of_name = [&](size_t at) { return at < column.size() && std::isalnum(static_cast<unsigned char>(column[at])); };
  for (size_t k = 0; k < column.size(); ++k) {
    const bool whole = column[k] == 'f' && !part_of_name(k + 1) && (k == 0 || !part_of_name(k - 1));
    text += whole ? value : std::string(1, column[k]);
  }
  if (r.arity == 1) return value + "' = " + text;
  return "d(" + with_powers(value) + ")/d" + "xyz"[argument] + " = " + with_powers(text);
}

std::string along_name(const FunctionRow& r) { return "L_" + std::string(r.name); }

std::string table_differential(const FunctionRow& r) {
  const std::string name(r.name), head = "F = " + name + "(X) has dF = ";
  return head + (r.is_primary() ? along_name(r) + "(X, dX)" : std::string(r.differential));
}

std::string table_commuting(const FunctionRow& r) {
  const std::string name(r.name), slope = r.derivative.starts_with('-') ? "(" + std::string(r.derivative) + ")" : std::string(r.derivative);
  return "F = " + name + "(X) has dF = dX*" + slope + " where dX*X = X*dX";
}

std::string table_adjoint(const FunctionRow& r) {
  const std::string map = r.is_primary() ? along_name(r) + "(X, H)" : std::string(r.name) + "(H)",
                    adjoint = r.is_primary() ? along_name(r) + "(X', G)" : std::string(r.adjoint);
  return "tr(G'*" + map + ") = tr(" + adjoint + "'*H)";
}

}  // namespace ricci
