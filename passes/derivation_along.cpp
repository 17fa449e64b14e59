// Functions of matrices that are differentiated along a matrix: the derivative of F = expm(X) is no product with dX, but L_expm(X, dX), a
// block of expm([X, dX; 0, X]); that of triu(X) is triu(dX). In components L(X, e(k)*e(l)') stands for d[F]_ij/dX_kl, a stand-in of four
// axes whose value comes from dual numbers. Where it meets all that is summed with it, its adjoint or its linearity make a matrix of the
// two.
#include <algorithm>

#include "passes/derivation_words.h"
#include "passes/deriving.h"
#include "passes/differentiate.h"
#include "passes/frechet.h"
#include "passes/raise.h"
#include "passes/substitute.h"

namespace ricci {

bool Deriving::is_along(NodeId of, NodeId u) {
  const Node& n = g_[of];
  if (n.kind != Kind::Fun || n.rank() != 2 || !contains(of, u)) return false;
  const FunctionRow& r = row(n.fun_op());
  const NodeId v = n.operands[0];
  if (!r.is_primary()) return !r.adjoint.empty();
  return g_[u].rank() > 0 || !commute(g_, v, {}, differentiate(g_, v, u), {});
}

NodeId Deriving::linear_map(NodeId of) {
  auto [it, first] = linear_maps_.try_emplace(of);
  if (!first) return it->second;
  const Node n = g_[of];
  const NodeId v = n.operands[0], operand = stand_in(g_[v].type, {.kind = StandIn::Kind::Quantity, .value = v});
  return it->second = stand_in(
             concat(n.type, g_[v].type),
             {.kind = StandIn::Kind::LinearMap, .value = g_.rebuild(of, {operand}), .of = v, .by = operand, .function = n.fun_op()});
}

// Its value is made of what is written, so that the check sees a wrong operand or direction.
NodeId Deriving::along(FunOp f, NodeId at, NodeId direction) {
  const NodeId value = frechet_block(g_, f, at, direction);
  return stand_in(g_[value].type, {.kind = StandIn::Kind::Along, .value = value, .of = at, .by = direction, .function = f});
}

// d f(v)_ij/du = L_f(v, e(k)*e(l)')_ij dv_kl/du.
IndexLine Deriving::moved_along(const Factor& f, NodeId u, Label fresh) {
  const NodeId of = d_.stand_ins.at(f.tensor).of, v = g_[of].operands[0];
  const Labels own(f.labels.begin(), f.labels.begin() + 2), by(f.labels.begin() + 2, f.labels.end()), inner{fresh, fresh + 1};
  IndexLine line{f.labels, g_[f.tensor].type, {{1, {{linear_map(of), concat(own, v == u ? by : inner)}}}}};
  if (v != u) line.terms[0].factors.push_back({derivative(v, v, u), concat(inner, by)});
  return line;
}

// The two ways in which a term can be one matrix: G_ij L(X, e(k)*e(l)')_ij is L(X', G)_kl, and L(X, e(k)*e(l)')_ij H_kl is L(X, H)_ij.
std::optional<Deriving::Gathered> Deriving::gathered(const IndexTerm& t, const Labels& out) const {
  const auto is_map = [&](const Factor& f) {
    auto meaning = d_.stand_ins.find(f.tensor);
    return meaning != d_.stand_ins.end() && meaning->second.kind == StandIn::Kind::LinearMap;
  };
  const auto map = std::ranges::find_if(t.factors, is_map);
  if (map == t.factors.end()) return std::nullopt;
  const Labels value(map->labels.begin(), map->labels.begin() + 2), moves(map->labels.begin() + 2, map->labels.end());
  for (const bool adjoint : {true, false}) {
    Gathered g{map->tensor, adjoint, {}, {}, adjoint ? value : moves, adjoint ? moves : value};
    std::set<Label> reached(g.summed.begin(), g.summed.end());
    for (size_t before = 0; before != reached.size();) {  // what is summed with it, directly or not
      before = reached.size();
      for (const Factor& f : t.factors)
        if (&f != &*map && std::ranges::any_of(f.labels, [&](Label l) { return reached.contains(l); }))
          reached.insert(f.labels.begin(), f.labels.end());
    }
    const auto meets = [&](const Labels& ls) { return std::ranges::any_of(ls, [&](Label l) { return reached.contains(l); }); };
    for (const Factor& f : t.factors)
      if (&f != &*map) (meets(f.labels) ? g.rest : g.beside).push_back(f);
    if (g.left[0] != g.left[1] && !meets(g.left) && !meets(out) && (adjoint || !g.rest.empty())) return g;
  }
  return std::nullopt;
}

// Terms with one derivative and the same free letters go together: it is linear.
void Deriving::gather(IndexLine& now) {
  std::vector<Gathered> groups;
  IndexLine next{now.out, now.type, {}};
  std::vector<std::optional<size_t>> group(now.terms.size());
  for (size_t k = 0; k < now.terms.size(); ++k) {
    const auto g = gathered(now.terms[k], now.out);
    if (!g) continue;
    const auto alone = [](const Gathered& o) { return std::ranges::any_of(o.beside, [](const Factor& f) { return !f.labels.empty(); }); };
    const auto same = std::ranges::find_if(groups, [&](const Gathered& o) {
      return o.map == g->map && o.adjoint == g->adjoint && o.left == g->left && !alone(o) && !alone(*g);
    });
    group[k] = size_t(same - groups.begin());
    if (same == groups.end()) groups.push_back(*g);
  }
  bool adjoint = false;
  std::vector<Reason> reasons;
  for (size_t k = 0; k < now.terms.size(); ++k) {
    std::vector<IndexTerm> terms;
    for (size_t j = 0; j < now.terms.size(); ++j)
      if (j == k || (group[k] && group[j] == group[k])) terms.push_back(now.terms[j]);
    if (const size_t first = size_t(std::ranges::find(group, group[k]) - group.begin()); group[k] && first < k) continue;
    const auto together = group[k] ? gathered_line(groups[*group[k]], terms, now, reasons) : std::nullopt;
    std::ranges::copy(together ? together->terms : terms, std::back_inserter(next.terms));
    adjoint |= together && groups[*group[k]].adjoint;
  }
  if (!reasons.empty()) line(adjoint ? StepKind::Adjoint : StepKind::Linear, now, IndexLines::tidy(next), std::move(reasons));
}

// The sum of `terms` as one matrix, and why; nothing if what they are summed with has no matrix form.
std::optional<IndexLine> Deriving::gathered_line(const Gathered& g, const std::vector<IndexTerm>& terms, const IndexLine& now,
                                                 std::vector<Reason>& reasons) {
  const StandIn map = d_.stand_ins.at(g.map);
  const FunctionRow& r = row(map.function);
  const bool one = terms.size() == 1;
  std::vector<Term> sum;
  for (const IndexTerm& t : terms) {
    Gathered own = *gathered(t, now.out);
    if (!one) std::ranges::copy(own.beside, std::back_inserter(own.rest));  // numbers
    sum.push_back({one ? Rational(1) : t.coefficient, lines_.dissolved(g_.ein(own.rest, own.summed, g_[map.of].type))});
  }
  NodeId at = map.of, direction = g_.sum(std::move(sum), Type(g_[map.of].type));
  if (!expression(direction)) return std::nullopt;
  const auto turned = [&](NodeId n) { return g.adjoint ? g_.permute(n, {1, 0}) : n; };
  bool named = r.is_primary() && !commute(g_, turned(at), {}, direction, {});
  if (named && commute(g_, turned(resolved(at)), {}, resolved(direction), {}))
    at = resolved(at), direction = resolved(direction), named = false;
  const NodeId F = g_.fun(map.function, at), value = g.adjoint ? pullback(g_, F, at, direction) : directional(g_, F, at, direction);
  IndexLine line{now.out, now.type, {{one ? terms[0].coefficient : Rational(1), one ? g.beside : std::vector<Factor>{}}}};
  const size_t place = line.terms[0].factors.size();
  line.terms[0].factors.push_back({named ? along(r.op, turned(at), direction) : value, g.left});
  if (!named) line = IndexLines::replaced(line, 0, place, lines_.lower(value, g.left, beyond(now)));
  Reason& reason = reasons.emplace_back(Reason{index({now.out, now.type, terms}), " = ", index(line)});
  if (g.adjoint) reason.insert(reason.end(), {", since ", Code{table_adjoint(r)}});
  if (r.is_primary() && !named) reason.insert(reason.end(), {", and ", Code{table_commuting(r)}});
  return line;
}

}  // namespace ricci
