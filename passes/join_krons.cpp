#include "passes/join_krons.h"

#include <algorithm>
#include <optional>

#include "ir/matrix_node.h"

namespace ricci {
namespace {

using mat::Expr;
using mat::Op;
using Chain = std::vector<Expr>;

constexpr size_t kMostTerms = 6;  // each may be spelled in two ways

// A term as scalars before a chain of matrices.
struct Summand {
  bool negative;
  Chain scalars, chain;

  Expr expr() const {
    Chain all = scalars;
    all.insert(all.end(), chain.begin(), chain.end());
    return mat::mul(all);
  }
};

Summand summand(bool negative, const Expr& e) {
  if (e->op == Op::Divide) {
    Summand t = summand(negative, e->operands[0]);
    t.scalars.push_back(mat::divide(mat::number(1), e->operands[1]));
    return t;
  }
  Summand t{negative, {}, {}};
  for (const Expr& f : e->op == Op::Mul ? e->operands : Chain{e}) (f->shape.is_scalar() ? t.scalars : t.chain).push_back(f);
  return t;
}

bool is_kron(const Expr& e) { return e->calls("kron") && e->operands.size() == 2; }

Expr commutation(const Graph& g, DimId rows, DimId columns, DimId size) {
  return mat::call("commut", {mat::dimension(g, rows), mat::dimension(g, columns)}, mat::Shape::matrix(size, size));
}

// The chain with a commutation beside a Kronecker product moved to the product's other side.
std::optional<Chain> other_side(const Graph& g, const Chain& chain) {
  for (size_t k = 0; k + 1 < chain.size(); ++k) {
    const bool right = is_kron(chain[k]) && chain[k + 1]->calls("commut"), left = chain[k]->calls("commut") && is_kron(chain[k + 1]);
    if (!right && !left) continue;
    const Expr& product = right ? chain[k] : chain[k + 1];
    const Expr &P = product->operands[0], &Q = product->operands[1];
    if (!P->shape.is_matrix() || !Q->shape.is_matrix()) return std::nullopt;
    const mat::Shape whole = product->shape;
    Chain turned = chain;
    const Expr exchanged = mat::make_call("kron", {Q, P}, whole);
    if (right) turned[k] = commutation(g, P->shape.rows, Q->shape.rows, whole.rows), turned[k + 1] = exchanged;
    else turned[k] = exchanged, turned[k + 1] = commutation(g, Q->shape.columns, P->shape.columns, whole.columns);
    return turned;
  }
  return std::nullopt;
}

// What is left of a term without its first or last matrix: the identity, if that was all.
Expr rest(const Graph& g, Summand t, bool first) {
  const Expr taken = first ? t.chain.front() : t.chain.back();
  t.chain.erase(first ? t.chain.begin() : t.chain.end() - 1);
  if (t.chain.empty()) t.chain.push_back(mat::eye(g, first ? taken->shape.columns : taken->shape.rows));
  return t.expr();
}

// All terms with their common first or last matrix outside.
std::optional<Expr> common_matrix(const Graph& g, const std::vector<Summand>& terms, bool first) {
  const auto end = [&](const Summand& t) { return first ? t.chain.front() : t.chain.back(); };
  for (const Summand& t : terms)
    if (t.chain.empty() || mat::is_eye(end(t)) || !(end(t) == end(terms[0]))) return std::nullopt;
  std::vector<mat::Signed> rests;
  for (const Summand& t : terms) rests.push_back({t.negative, rest(g, t, first)});
  const Expr sum = join_krons(g, mat::add(std::move(rests)));
  return first ? mat::mul({end(terms[0]), sum}) : mat::mul({sum, end(terms[0])});
}

// kron(A, B) + s*kron(A, C) = kron(A, B + s*C), and the same on the other side; an identity of the whole size is kron(eye, eye).
std::optional<Expr> common_slot(const Graph& g, const std::vector<Summand>& terms, size_t slot) {
  std::optional<Expr> shared;
  for (const Summand& t : terms) {
    if (t.chain.size() != 1 || !(is_kron(t.chain[0]) || mat::is_eye(t.chain[0]))) return std::nullopt;
    if (!is_kron(t.chain[0])) continue;
    if (!shared) shared = t.chain[0]->operands[slot];
    if (!(*shared == t.chain[0]->operands[slot])) return std::nullopt;
  }
  if (!shared) return std::nullopt;
  std::vector<mat::Signed> others;
  mat::Shape shape;
  for (const Summand& t : terms) {
    if (is_kron(t.chain[0])) shape = t.chain[0]->operands[1 - slot]->shape;
  }
  for (Summand t : terms) {
    if (!is_kron(t.chain[0]) && (!mat::is_eye(*shared) || shape.rows != shape.columns)) return std::nullopt;
    t.chain = {is_kron(t.chain[0]) ? t.chain[0]->operands[1 - slot] : mat::eye(g, shape.rows)};
    others.push_back({t.negative, t.expr()});
  }
  const Expr sum = mat::add(std::move(others));
  return mat::kron(slot == 0 ? Chain{*shared, sum} : Chain{sum, *shared}, g, terms[0].chain[0]->shape);
}

}  // namespace

Expr join_krons(const Graph& g, const Expr& e) {
  if (e->op == Op::Mul && e->operands.back()->op == Op::Add) {  // 2*(... + ...)
    Chain factors = e->operands;
    factors.back() = join_krons(g, factors.back());
    return mat::mul(factors);
  }
  if (e->op == Op::Transpose) return mat::transpose(join_krons(g, e->operands[0]));
  if (e->op == Op::Divide) return mat::divide(join_krons(g, e->operands[0]), e->operands[1]);
  if (e->op != Op::Add || !e->shape.is_matrix() || e->operands.size() < 2 || e->operands.size() > kMostTerms) return e;
  std::vector<Summand> spelled;
  for (size_t k = 0; k < e->operands.size(); ++k) spelled.push_back(summand(e->negative[k], e->operands[k]));
  Expr best = e;
  const auto consider = [&](const std::optional<Expr>& other) {
    if (other && (*other)->size < best->size) best = *other;
  };
  for (size_t choice = 0; choice < (size_t{1} << spelled.size()); ++choice) {
    std::vector<Summand> terms = spelled;
    bool possible = true;
    for (size_t k = 0; k < terms.size(); ++k) {
      if ((choice >> k & 1) == 0) continue;
      const auto turned = other_side(g, terms[k].chain);
      possible = possible && turned;
      if (turned) terms[k].chain = *turned;
    }
    if (!possible) continue;
    for (bool first : {true, false}) consider(common_matrix(g, terms, first));
    for (size_t slot : {0, 1}) consider(common_slot(g, terms, slot));
  }
  return best;
}

}  // namespace ricci
