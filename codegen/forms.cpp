#include "codegen/forms.h"

#include <algorithm>
#include <set>

#include "codegen/text.h"
#include "ir/matrix_node.h"
#include "passes/join_krons.h"
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

// `value` contracted with one tensor per axis group of a variable.
Shown contract(Graph& g, const Derivative& d, const std::string& left, const std::vector<std::vector<NodeId>>& directions, bool traces) {
  std::set<std::string> names;
  const Type type = g[d.value.node].type;
  size_t variable_rank = 0;
  for (NodeId x : d.variables) variable_rank += g[x].rank();
  size_t own = type.size() - variable_rank;
  std::vector<Factor> factors = {{d.value.node, Graph::iota(type.size())}};
  Label next = Label(own);
  for (const auto& group : directions)
    for (NodeId direction : group) {
      names.insert(g.symbol(direction).name);
      factors.push_back({direction, Graph::iota(g[direction].rank(), next)});
      next += Label(g[direction].rank());
    }
  NodeId slice = g.ein(std::move(factors), Graph::iota(own), Type(type.begin(), type.begin() + long(own)));
  std::vector<Variance> variance(d.value.variance.begin(), d.value.variance.begin() + long(std::min(own, d.value.variance.size())));
  Raised r = raise(g, slice, variance);
  if (!r.expr) return {std::nullopt, r.reason};
  return {left + " = " + to_text(traces ? as_trace(*r.expr, names) : *r.expr), ""};
}

}  // namespace

Shown slice_form(Graph& g, const Derivative& d) {
  std::string left = "d" + (d.variables.size() > 1 ? std::to_string(d.variables.size()) : "") + d.function + "/";
  std::vector<std::vector<NodeId>> directions;
  size_t letter = 2;  // k, l, ...: i and j are the function's
  for (NodeId x : d.variables) {
    left += "d" + g.symbol(x).name + (g[x].rank() > 0 ? "_" : "");
    std::vector<NodeId>& group = directions.emplace_back();
    for (DimId dim : Type(g[x].type)) {
      std::string name = index_letter(letter++);
      left += name;
      group.push_back(g.variable(g.declare({.name = "e(" + name + ")", .type = {dim}, .variance = {Variance::Up}})));
    }
  }
  return contract(g, d, left, directions, false);
}

Shown differential_form(Graph& g, const Derivative& d) {
  std::string left = "d" + (d.variables.size() > 1 ? std::to_string(d.variables.size()) : "") + d.function;
  std::vector<std::vector<NodeId>> directions;
  for (size_t k = 0; k < d.variables.size(); ++k) {
    Symbol s = g.symbol(d.variables[k]);
    bool again = std::find(d.variables.begin(), d.variables.begin() + long(k), d.variables[k]) != d.variables.begin() + long(k);
    s.name = "d" + s.name + (again ? std::to_string(k + 1) : "");
    Properties kept;  // of all promises only symmetry is one of the differential's
    if (s.properties.has(Property::symmetric)) kept.add(Property::symmetric);
    s.properties = kept;
    directions.push_back({g.variable(g.declare(std::move(s)))});
  }
  return contract(g, d, left, directions, true);
}

Shown vec_form(Graph& g, const Derivative& d) {
  const Type type = g[d.value.node].type;
  size_t own = type.size();
  for (NodeId x : d.variables) own -= g[x].rank();
  const size_t sides = d.variables.size() + (own > 0 ? 1 : 0);
  if (sides > 2) return {std::nullopt, "a matrix numbers the entries of two tensors, and these are " + std::to_string(sides)};
  const auto stacked = [](const std::string& name, size_t rank) { return rank > 1 ? "vec(" + name + ")" : name; };
  std::string left = "d" + (d.variables.size() > 1 ? std::to_string(d.variables.size()) : "") + stacked(d.function, own) + "/";
  std::vector<size_t> ranks;
  if (own > 0) ranks.push_back(own);
  for (NodeId x : d.variables) {
    left += "d" + stacked(g.symbol(x).name, g[x].rank());
    ranks.push_back(g[x].rank());
  }
  if (g[d.variables.back()].rank() > 0) left += "'";

  std::vector<Factor> factors = {{d.value.node, Graph::iota(type.size())}};
  Labels out;
  Type out_type;
  std::vector<Variance> variance;
  Label first = 0, fresh = Label(type.size());
  for (size_t side = 0; side < ranks.size(); first += Label(ranks[side++])) {
    if (ranks[side] == 0) continue;
    variance.push_back(side + 1 == ranks.size() ? Variance::Down : Variance::Up);
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
  const Raised r = raise(g, simplify(g, g.ein(std::move(factors), std::move(out), std::move(out_type))), variance);
  if (!r.expr) return {std::nullopt, r.reason};
  return {left + " = " + to_text(join_krons(g, *r.expr)), ""};
}

}  // namespace ricci
