#include "passes/index_line.h"

#include <algorithm>

#include "ir/labels.h"
#include "passes/substitute.h"

namespace ricci {
namespace {

size_t uses(const IndexTerm& term, Label l) {
  size_t count = 0;
  for (const Factor& f : term.factors) count += size_t(std::ranges::count(f.labels, l));
  return count;
}

// The new letter for `l`: the one it has been given, else the next.
Label given(std::map<Label, Label>& letters, Label l, Label& next) {
  auto [it, first] = letters.try_emplace(l, next);
  if (first) ++next;
  return it->second;
}

// x if n is x^2.
std::optional<NodeId> squared(const Graph& g, NodeId id) {
  const Node& n = g[id];
  if (n.kind != Kind::Map || n.map_op() != MapOp::pow_ || g[n.operands[1]].kind != Kind::Const || g[n.operands[1]].value() != 2)
    return std::nullopt;
  return n.operands[0];
}

// Factors as a matrix product is read: from the first letter of the result along what is summed, x_i*A_ij*x_j and X_ik*A_kl*X_lj. What
// scales a letter stands before what leads on from it.
std::vector<Factor> in_chains(std::vector<Factor> left, const Labels& out) {
  std::vector<Factor> result;
  auto has = [](const Factor& f, Label l) { return contains(f.labels, l); };
  auto is_vector = [](const Factor& f) { return f.labels.size() == 1; };
  auto take = [&](auto it) {
    Factor f = *it;
    left.erase(it);
    result.push_back(f);
    return f;
  };
  auto from = [&](Label l) {
    auto it = std::ranges::find_if(left, [&](const Factor& f) { return is_vector(f) && has(f, l); });
    if (it == left.end()) it = std::ranges::find_if(left, [&](const Factor& f) { return has(f, l) && f.labels[0] == l; });
    return it == left.end() ? std::ranges::find_if(left, [&](const Factor& f) { return has(f, l); }) : it;
  };
  auto begin = [&] {
    for (Label l : out)
      if (auto it = from(l); it != left.end()) return it;
    for (auto it = left.begin(); it != left.end(); ++it)  // a row: a matrix leads on from its letter
      if (is_vector(*it) && std::ranges::any_of(left, [&](const Factor& f) { return f.labels.size() > 1 && f.labels[0] == it->labels[0]; }))
        return it;
    auto it = std::ranges::find_if(left, is_vector);
    return it == left.end() ? left.begin() : it;
  };
  while (!left.empty()) {
    Factor f = take(begin());
    for (;;) {
      auto next = left.end();
      for (auto l = f.labels.rbegin(); l != f.labels.rend() && next == left.end(); ++l) next = from(*l);
      if (next == left.end()) break;
      f = take(next);
    }
  }
  return result;
}

}  // namespace

Label beyond(const IndexLine& line) {
  Label next = 0;
  for (Label l : line.out) next = std::max(next, l + 1);
  for (const IndexTerm& t : line.terms)
    for (const Factor& f : t.factors)
      for (Label l : f.labels) next = std::max(next, l + 1);
  return next;
}

NodeId IndexLines::delta(DimId d) {
  auto [it, first] = stand_ins_.try_emplace(d);
  if (first) {
    it->second = g_.variable(g_.declare({.name = "delta", .type = {d, d}, .variance = {Variance::Up, Variance::Down}}));
    dims_.emplace(it->second, d);
  }
  return it->second;
}

IndexLine IndexLines::lower(NodeId n, const Labels& out, Label fresh) {
  IndexLine line{out, g_[n].type, {}};
  for (const Term& t : g_.terms(n)) line.terms.push_back(lower_term(t, out, fresh));
  std::stable_partition(line.terms.begin(), line.terms.end(), [](const IndexTerm& t) { return t.coefficient > 0; });
  return line;
}

IndexTerm IndexLines::lower_term(const Term& term, const Labels& out, Label fresh) {
  const Node& n = g_[term.tensor];
  if (n.kind == Kind::Const) return {term.coefficient * n.value(), {}};
  if (n.kind != Kind::Ein) return {term.coefficient, {{term.tensor, out}}};
  IndexTerm result{term.coefficient, g_.factors(term.tensor)};
  const Labels inner = g_.out(term.tensor);
  std::map<Label, Label> letter;
  std::vector<Factor> deltas;
  for (size_t k = 0; k < inner.size(); ++k) {
    auto [it, first] = letter.try_emplace(inner[k], out[k]);
    if (!first) deltas.push_back({delta(n.type[k]), {it->second, out[k]}});
    else if (uses(result, inner[k]) == 0 && std::ranges::count(inner, inner[k]) == 1) deltas.push_back({g_.ones({n.type[k]}), {out[k]}});
  }
  for (size_t k = 0; k < result.factors.size(); ++k) {  // sum_j x_j^2 = x_j*x_j
    const Factor f = result.factors[k];
    auto x = squared(g_, f.tensor);
    if (!x || std::ranges::none_of(f.labels, [&](Label l) { return !letter.contains(l) && uses(result, l) == 1; })) continue;
    result.factors[k].tensor = *x;
    result.factors.push_back(result.factors[k]);
  }
  result.factors = in_chains(std::move(result.factors), inner);
  for (Factor& f : result.factors)
    for (Label& l : f.labels) l = given(letter, l, fresh);
  result.factors.insert(result.factors.begin(), deltas.begin(), deltas.end());
  return result;
}

NodeId IndexLines::node(const IndexTerm& term, const IndexLine& line) { return g_.ein(term.factors, line.out, line.type); }

NodeId IndexLines::node(const IndexLine& line) {
  std::vector<Term> terms;
  for (const IndexTerm& t : line.terms) terms.push_back({t.coefficient, node(t, line)});
  return g_.sum(std::move(terms), line.type);
}

NodeId IndexLines::dissolved(NodeId n) {
  std::map<NodeId, NodeId> identity;
  for (auto [stand_in, dim] : dims_) identity[stand_in] = g_.delta(dim);
  return substitute(g_, n, identity);
}

IndexLine IndexLines::replaced(const IndexLine& line, size_t t, size_t p, const IndexLine& value) {
  IndexLine result = line;
  const IndexTerm whole = line.terms[t];
  result.terms.erase(result.terms.begin() + long(t));
  std::vector<IndexTerm> expanded;
  for (const IndexTerm& inner : value.terms) {
    IndexTerm& term = expanded.emplace_back(whole);
    term.coefficient *= inner.coefficient;
    term.factors.erase(term.factors.begin() + long(p));
    term.factors.insert(term.factors.begin() + long(p), inner.factors.begin(), inner.factors.end());
  }
  result.terms.insert(result.terms.begin() + long(t), expanded.begin(), expanded.end());
  return result;
}

// sum_a delta_ab T_a = T_b. The letter that is summed gives way; of two that are, the second.
bool IndexLines::eliminate_one(IndexTerm& term, const Labels& out, std::vector<Renaming>& done) {
  for (size_t k = 0; k < term.factors.size(); ++k) {
    const Factor f = term.factors[k];
    if (!is_delta(f.tensor)) continue;
    const Label a = f.labels[0], b = f.labels[1];
    const DimId dim = dims_.at(f.tensor);
    if (a != b && contains(out, a) && contains(out, b)) continue;
    const Label from = contains(out, b) || contains(out, a) ? (contains(out, a) ? b : a) : b, to = from == a ? b : a;
    term.factors.erase(term.factors.begin() + long(k));
    for (Factor& other : term.factors) std::ranges::replace(other.labels, from, to);
    if (uses(term, to) == 0) {  // delta_aa is the size of its dimension; sum_a delta_ab is one for every b
      if (contains(out, to)) term.factors.insert(term.factors.begin() + long(k), {g_.ones({dim}), {to}});
      else term.factors.insert(term.factors.begin() + long(k), {g_.size(dim), {}});
    }
    done.push_back({dim, a, b, from, to});
    return true;
  }
  return false;
}

IndexLine IndexLines::without_deltas(const IndexLine& line, std::vector<Renaming>& done) {
  IndexLine result = line;
  for (IndexTerm& t : result.terms)
    while (eliminate_one(t, result.out, done)) {
    }
  std::ranges::sort(done);
  done.erase(std::unique(done.begin(), done.end()), done.end());
  return result;
}

bool IndexLines::join_entry(IndexTerm& term, const Labels& out) const {
  for (const Factor& e : term.factors) {
    if (!is_entry(e) || contains(out, e.labels[0])) continue;
    const Label l = e.labels[0];
    auto d =
        std::ranges::find_if(term.factors, [&](const Factor& f) { return is_delta(f.tensor) && (f.labels[0] == l) != (f.labels[1] == l); });
    if (d == term.factors.end()) continue;
    const Label to = d->labels[0] == l ? d->labels[1] : d->labels[0];
    term.factors.erase(d);
    for (Factor& f : term.factors) std::ranges::replace(f.labels, l, to);
    return true;
  }
  return false;
}

IndexLine IndexLines::with_entries(IndexLine line) const {
  for (IndexTerm& t : line.terms)
    while (join_entry(t, line.out)) {
    }
  return line;
}

IndexLine IndexLines::like_terms(const IndexLine& line) {
  IndexLine result{line.out, line.type, {}};
  std::map<NodeId, size_t> seen;
  for (const IndexTerm& t : line.terms) {
    auto [it, first] = seen.try_emplace(node(t, line), result.terms.size());
    if (first) result.terms.push_back(t);
    else result.terms[it->second].coefficient += t.coefficient;
  }
  std::erase_if(result.terms, [](const IndexTerm& t) { return t.coefficient == 0; });
  return result;
}

IndexLine IndexLines::relabelled(const IndexLine& line, const Labels& out, Label fresh) {
  IndexLine result = line;
  std::map<Label, Label> letter;
  for (size_t k = 0; k < out.size(); ++k) letter[line.out[k]] = out[k];
  result.out = out;
  for (IndexTerm& t : result.terms)
    for (Factor& f : t.factors)
      for (Label& l : f.labels) l = given(letter, l, fresh);
  return result;
}

IndexLine IndexLines::tidy(const IndexLine& line) {
  IndexLine result = line;
  for (IndexTerm& t : result.terms) {
    std::map<Label, Label> letter;
    for (Label l : line.out) letter[l] = l;
    Label next = 0;
    for (Factor& f : t.factors)
      for (Label& l : f.labels) {
        while (contains(line.out, next)) ++next;
        l = given(letter, l, next);
      }
  }
  return result;
}

}  // namespace ricci
