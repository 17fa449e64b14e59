#include "codegen/text.h"

namespace ricci {
namespace {

using mat::Expr;
using mat::Node;
using mat::Op;

// Products are read from the left, so s*u.*v is (s*u).*v: an entrywise factor needs no brackets after scalars, and scalars need none anywhere.
Pieces spell_product(const Node& n) {
  Pieces out;
  bool scalars_only = true;
  for (size_t i = 0; i < n.operands.size(); ++i) {
    const Expr& e = n.operands[i];
    bool last = i + 1 == n.operands.size();
    bool free = e->op == Op::Mul || (last && scalars_only && e->op != Op::Divide && e->op != Op::Number);
    if (i > 0) out.emplace_back("*");
    out.emplace_back(e, free ? Level::Product : Level::Power);
    scalars_only = scalars_only && e->shape.is_scalar();
  }
  return out;
}

// Factors of an entrywise product; a matrix product among them is bracketed on either side, for the reader.
Pieces spell_entrywise(const Node& n, const char* sign) {
  Pieces out;
  for (size_t i = 0; i < n.operands.size(); ++i) {
    bool chain = i == 0 && n.op == Op::ElementwiseDivide && n.operands[0]->op == Op::Hadamard;
    if (i > 0) out.emplace_back(sign);
    out.emplace_back(n.operands[i], chain ? Level::Product : Level::Power);
  }
  return out;
}

std::string braced(const std::string& letters, size_t count) { return letters.size() > count ? "{" + letters + "}" : letters; }

Pieces spell(const Node& n) {
  switch (n.op) {
    case Op::Number: return {spell_number(n.number)};
    case Op::Name: return {n.name};
    case Op::Add: return spell_sum(n);
    case Op::Mul: return spell_product(n);
    case Op::Hadamard: return spell_entrywise(n, ".*");
    case Op::ElementwiseDivide: return spell_entrywise(n, "./");
    case Op::Divide: return {{n.operands[0], Level::Product}, "/", {n.operands[1], Level::Power}};
    case Op::Power: return {{n.operands[0], Level::Postfix}, "^", {n.operands[1], Level::Atom}};
    case Op::ElementwisePower: return {{n.operands[0], Level::Postfix}, ".^", {n.operands[1], Level::Atom}};
    case Op::Transpose: return {{n.operands[0], Level::Postfix}, "'"};
    case Op::Slice: return spell_slice(n);
    case Op::Range: return spell_range(n);
    case Op::Block: return spell_block(n);
    case Op::Call:
      if (infix_level(n) == Level::Comparison) return {{n.operands[0], Level::Sum}, " " + n.name + " ", {n.operands[1], Level::Sum}};
      return fill(n.name + spell_indices(n.indices) + "({})", n.operands);
    case Op::Indexed:
      if (n.operands[0]->op == Op::Name) return {n.operands[0], spell_indices(n.indices)};
      return {"[", n.operands[0], "]", spell_indices(n.indices)};
    case Op::Derivative: return spell_derivative(n, "d", n.number == 1 ? "" : to_string(n.number));
  }
  return {};
}

}  // namespace

std::string spell_indices(const std::vector<mat::Index>& indices) {
  std::string out;
  size_t own = 0;
  while (own < indices.size() && indices[own].variable == 0) ++own;
  for (size_t k = 0; k < own;) {
    const Variance height = indices[k].height;
    std::string run;
    bool numbers = true;
    const size_t from = k;
    for (; k < own && indices[k].height == height; ++k) run += indices[k].letter, numbers = numbers && is_index_number(indices[k].letter);
    const bool high = height == Variance::Up && !(numbers && k == own);
    out += (high ? "^" : "_") + braced(run, k - from);
  }
  if (own < indices.size() && (own == 0 || indices[own - 1].height == Variance::Up)) out += "_";
  for (size_t k = own; k < indices.size(); ++k) {
    const bool opens = k == own || indices[k].variable != indices[k - 1].variable, closes = k + 1 == indices.size() || indices[k].variable != indices[k + 1].variable;
    out += (opens ? "(" : "") + indices[k].letter + (closes ? ")" : "");
  }
  return out;
}

std::string to_text(const Expr& e) { return render(e, {spell, text_level}); }

}  // namespace ricci
