#include "codegen/forms.h"

#include <algorithm>
#include <ranges>
#include <set>

#include "codegen/text.h"
#include "ir/matrix_node.h"
#include "passes/join_krons.h"
#include "passes/masks.h"
#include "passes/raise.h"
#include "passes/simplify.h"

namespace ricci {
namespace {

using mat::Expr;
using mat::Op;

// In differentials sum(G.*dX) is spelled tr(G'*dX), and dX stands last under a trace.
Expr as_trace(const Expr& e, const std::set<std::string>& differentials) {
  if (e->op == Op::Add) {
    std::vector<mat::Signed> terms;
    for (size_t i = 0; i < e->operands.size(); ++i) terms.push_back({e->negative[i], as_trace(e->operands[i], differentials)});
    return mat::add(std::move(terms));
  }
  if (e->op == Op::Divide) return mat::divide(as_trace(e->operands[0], differentials), e->operands[1]);
  if (e->op == Op::Mul) {
    std::vector<Expr> factors;
    for (const Expr& f : e->operands) factors.push_back(f->shape.is_scalar() ? as_trace(f, differentials) : f);
    return mat::mul(factors);
  }
  auto is_differential = [&](const Expr& x) { return x->op == Op::Name && differentials.contains(x->name); };
  if (e->calls("tr") && e->operands[0]->op == Op::Mul) {
    std::vector<Expr> chain = e->operands[0]->operands;
    if (auto last = std::ranges::find_if(chain, is_differential); last != chain.end()) std::ranges::rotate(chain, last + 1);
    return mat::make_call("tr", {mat::mul(chain)}, mat::Shape::scalar());
  }
  if (!e->calls("sum") || e->operands[0]->op != Op::Hadamard || e->operands[0]->operands.size() != 2) return e;
  const Expr &a = e->operands[0]->operands[0], &b = e->operands[0]->operands[1];
  bool first = is_differential(a);
  const Expr &direction = first ? a : b, &rest = first ? b : a;
  return mat::make_call("tr", {mat::mul({mat::transpose(rest), direction})}, mat::Shape::scalar());
}

bool names(const Graph& g, DimId dim, std::string_view name) {
  return g[dim].name == name || std::ranges::any_of(g[dim].parts, [&](DimId part) { return names(g, part, name); });
}

// Whether the program has a variable, a function or a dimension of that name.
bool is_taken(const Graph& g, std::string_view name) {
  for (uint32_t k = 0; k < g.symbol_count(); ++k) {
    const Symbol& s = g[SymbolId{k}];
    if (!s.placeholder && (s.name == name || std::ranges::any_of(s.type, [&](DimId d) { return names(g, d, name); }))) return true;
  }
  return false;
}

// A variable that a form adds to those of the program.
NodeId direction(Graph& g, Symbol s) {
  s.placeholder = true;
  return g.variable(g.declare(std::move(s)));
}

Expr plain_name(std::string_view name) { return mat::name(std::string(name), mat::Shape::scalar()); }

Shown shown(Expr left, const Expr& right, std::vector<NodeId> directions = {}) {
  return {Equation{std::move(left), to_text(right), right}, "", std::move(directions)};
}

// For each variable the tensors whose outer product is its direction: dX, or e(k) and e(l).
using Directions = std::vector<std::vector<NodeId>>;

// The finished derivative contracted with the directions.
NodeId contracted(Graph& g, const Derivative& d, const Directions& directions, size_t own) {
  const Type type = g[d.value.node].type;
  std::vector<Factor> factors = {{d.value.node, Graph::iota(type.size())}};
  Label next = Label(own);
  for (const std::vector<NodeId>& parts : directions)
    for (NodeId part : parts) {
      factors.push_back({part, Graph::iota(g[part].rank(), next)});
      next += Label(g[part].rank());
    }
  return g.ein(std::move(factors), Graph::iota(own), Type(type.begin(), type.begin() + long(own)));
}

// The function differentiated along the directions: where functions of matrices stand for all entries of a variable at once, only here is each
// the function of one matrix.
NodeId pushed_forward(Graph& g, const Derivative& d, const Directions& directions) {
  std::vector<NodeId> whole;
  for (size_t k = 0; k < directions.size(); ++k) {
    std::vector<Factor> factors;
    Label next = 0;
    for (NodeId part : directions[k]) {
      factors.push_back({part, Graph::iota(g[part].rank(), next)});
      next += Label(g[part].rank());
    }
    whole.push_back(g.ein(std::move(factors), Graph::iota(next), Type(g[d.variables[k]].type)));
  }
  return simplify(g, d.along(whole));
}

// The derivative along the directions in matrix notation.
Shown along(Graph& g, const Derivative& d, const Expr& left, const Directions& directions, bool traces) {
  size_t own = g[d.value.node].rank();
  for (NodeId x : d.variables) own -= g[x].rank();
  const std::vector<Variance> variance(d.value.variance.begin(), d.value.variance.begin() + long(std::min(own, d.value.variance.size())));
  const NodeId slice = contracted(g, d, directions, own);
  Raised r = raise(g, slice, variance);
  if (Raised shorter = raise(g, simplify(g, slice), variance); shorter.expr && (!r.expr || (*shorter.expr)->size < (*r.expr)->size)) r = std::move(shorter);
  if (!r.expr && d.along) r = raise(g, pushed_forward(g, d, directions), variance);
  if (!r.expr) return {std::nullopt, r.reason};
  std::vector<NodeId> parts;
  std::set<std::string> names;
  for (NodeId part : directions | std::views::join) {
    names.insert(g.symbol(part).name);
    parts.push_back(part);
  }
  return shown(left, traces ? as_trace(*r.expr, names) : *r.expr, std::move(parts));
}

}  // namespace

Shown slice_form(Graph& g, const Derivative& d) {
  std::vector<Expr> by;
  Directions directions;
  size_t letter = 2;  // k, l, ...: i and j are the function's
  for (NodeId x : d.variables) {
    std::vector<mat::Index> indices;
    directions.emplace_back();
    for (DimId dim : Type(g[x].type)) {
      std::string name = index_letter(letter++);
      while (is_taken(g, name)) name = index_letter(letter++);
      indices.push_back({name});
      directions.back().push_back(direction(g, {.name = "e(" + name + ")", .type = {dim}, .variance = {Variance::Up}}));
    }
    by.push_back(mat::indexed(plain_name(g.symbol(x).name), std::move(indices)));
  }
  return along(g, d, mat::derivative(plain_name(d.function), by, d.variables.size()), directions, false);
}

Shown differential_form(Graph& g, const Derivative& d) {
  Directions directions;
  for (size_t k = 0; k < d.variables.size(); ++k) {
    Symbol s = g.symbol(d.variables[k]);
    bool again = std::find(d.variables.begin(), d.variables.begin() + long(k), d.variables[k]) != d.variables.begin() + long(k);
    s.name = "d" + s.name + (again ? std::to_string(k + 1) : "");
    while (is_taken(g, s.name)) s.name += "0";
    Properties kept;  // of all promises only symmetry is one of the differential's
    if (s.properties.has(Property::symmetric)) kept.add(Property::symmetric);
    s.properties = kept;
    directions.push_back({direction(g, std::move(s))});
  }
  return along(g, d, mat::derivative(plain_name(d.function), {}, d.variables.size()), directions, true);
}

Shown vec_form(Graph& g, const Derivative& d, DerivativeLayout layout) {
  const Type type = g[d.value.node].type;
  size_t own = type.size();
  for (NodeId x : d.variables) own -= g[x].rank();
  std::vector<size_t> ranks;  // of the tensors whose entries are numbered: the rows, and the columns
  if (own > 0) ranks.push_back(own);
  for (NodeId x : d.variables)
    if (g[x].rank() > 0) ranks.push_back(g[x].rank());
  if (ranks.size() > 2) return {std::nullopt, "a matrix numbers the entries of two tensors, and these are " + std::to_string(ranks.size())};

  const bool variable_has_axes = own < type.size(), hessian = own == 0 && ranks.size() == 2;
  const bool transposed = !hessian && is_transposed(layout, own > 0, variable_has_axes);
  // The left side says which: of d/dx the column is x, and that of df is f; the other one of two is a row.
  const bool variable_is_row = ranks.size() == 2 ? !transposed : transposed && variable_has_axes;
  const auto stacked = [](const std::string& name, std::span<const Variance> axes) {  // vec of a row is the column
    const bool column = axes.empty() || (axes.size() == 1 && axes[0] == Variance::Up);
    return column ? plain_name(name) : mat::make_call("vec", {plain_name(name)}, mat::Shape::scalar());
  };
  const auto row = [](const Expr& e) { return mat::make(Op::Transpose, e->shape, {e}); };
  Expr of = stacked(d.function, std::span(d.value.variance).first(std::min(own, d.value.variance.size())));
  if (own > 0 && transposed) of = row(of);
  std::vector<Expr> by;
  for (NodeId x : d.variables) by.push_back(stacked(g.symbol(x).name, g.symbol(x).variance));
  if (variable_is_row) by.back() = row(by.back());

  std::vector<Factor> factors = {{with_masks(g, d.value.node), Graph::iota(type.size())}};
  Labels out;
  Type out_type;
  Label first = 0, fresh = Label(type.size());
  for (size_t side = 0; side < ranks.size(); first += Label(ranks[side++])) {
    Type parts(type.begin() + first, type.begin() + first + long(ranks[side]));
    Labels digits = Graph::iota(ranks[side], first);
    std::ranges::reverse(parts);  // the last axis is the slowest
    std::ranges::reverse(digits);
    out_type.push_back(g.product(parts));
    if (ranks[side] == 1) {
      out.push_back(digits[0]);
      continue;
    }
    out.push_back(fresh);
    digits.insert(digits.begin(), fresh++);
    factors.push_back({g.place(out_type.back(), std::move(parts), g.dim(0)), std::move(digits)});
  }
  std::vector<Variance> variance;
  if (ranks.size() == 1) variance = {transposed ? Variance::Down : Variance::Up};
  if (ranks.size() == 2) variance = {Variance::Up, Variance::Down};
  const NodeId matrix = simplify(g, g.ein(std::move(factors), std::move(out), std::move(out_type)));
  Raised r = raise(g, matrix, variance);
  if (r.expr && transposed && ranks.size() == 2) r = raise(g, simplify(g, g.permute(matrix, {1, 0})), variance);
  if (!r.expr) return {std::nullopt, r.reason};
  return shown(mat::derivative(of, by, d.variables.size()), join_krons(g, *r.expr));
}

}  // namespace ricci
