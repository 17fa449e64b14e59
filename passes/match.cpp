#include "passes/match.h"

#include <algorithm>

namespace ricci {
namespace {

using Next = std::function<bool()>;  // what must succeed after this; a matcher that fails undoes its bindings

class Matcher {
 public:
  Matcher(Graph& g, const Pattern& p, Match& m) : g_(g), pg_(*p.graph), p_(p), m_(m) {}

  bool root(NodeId subject, const Next& accept) {
    const Node &p = pg_[p_.root], &s = g_[subject];
    if (p.kind == Kind::Sum && s.kind == Kind::Sum) return sum(p_.root, subject, true, accept);
    if (p.kind == Kind::Ein && s.kind == Kind::Ein) return p_.entrywise ? entry_product(p_.root, subject, true, accept) : product(p_.root, subject, accept);
    if (p.kind == Kind::Map || p.kind == Kind::Fun) return node(p_.root, subject, accept);
    return false;
  }

 private:
  bool is_variable(NodeId p) const { return pg_[p].kind == Kind::Var; }

  // Parts that are more than a variable are matched first: they bind, a bare variable then only has to agree.
  template <class T, class Tensor>
  void variables_last(std::vector<T>& parts, Tensor tensor) const {
    std::vector<T> ordered;
    for (bool variables : {false, true})
      for (const T& part : parts)
        if (is_variable(tensor(part)) == variables) ordered.push_back(part);
    parts = std::move(ordered);
  }

  bool bind(NodeId variable, NodeId s, const Next& next) {
    auto [it, fresh] = m_.nodes.try_emplace(variable, s);
    if (!fresh) return it->second == s && next();
    std::map<DimId, DimId> saved = m_.dims;
    bool fits = p_.entrywise ? same_type(s) : same_dims(pg_[variable].type, g_[s].type);
    if (fits && next()) return true;
    m_.dims = saved;
    m_.nodes.erase(variable);
    return false;
  }

  // Entrywise variables stand for tensors of one type.
  bool same_type(NodeId s) const {
    return std::ranges::all_of(m_.nodes, [&](const auto& entry) { return g_[entry.second].type == g_[s].type; });
  }

  bool same_dims(const Type& p, const Type& s) {
    if (p.size() != s.size()) return false;
    for (size_t k = 0; k < p.size(); ++k)
      if (m_.dims.try_emplace(p[k], s[k]).first->second != s[k]) return false;
    return true;
  }

  bool is_number(NodeId s, const Rational& c) const {
    if (g_[s].kind == Kind::Const) return g_[s].value() == c;
    if (!p_.entrywise) return false;
    Term t = g_[s].kind == Kind::Sum && g_[s].operands.size() == 1 ? g_.terms(s)[0] : Term{1, s};
    return t.coefficient == c && is_ones(t.tensor);
  }

  bool is_ones(NodeId s) const {
    if (g_[s].kind != Kind::Ein || !g_[s].operands.empty()) return false;
    Labels out = g_.out(s);
    return out == Graph::iota(out.size());
  }

  // The whole of `s` is `p`.
  bool node(NodeId p, NodeId s, const Next& next) {
    if (is_variable(p)) return bind(p, s, next);
    const Node &pn = pg_[p], &sn = g_[s];
    if (pn.kind == Kind::Const) return is_number(s, pn.value()) && next();
    if (pn.kind == Kind::Sum && pn.operands.size() == 1) return scaled(pn, s, next);
    if (pn.kind != sn.kind) return false;
    switch (pn.kind) {
      case Kind::Const:
      case Kind::Var:
      case Kind::Call:
      case Kind::Place:
      case Kind::Epsilon: return false;  // in no pattern
      case Kind::Size: return m_.dims.try_emplace({pn.row}, DimId{sn.row}).first->second == DimId{sn.row} && next();
      case Kind::Sum: return pn.operands.size() == sn.operands.size() && sum(p, s, false, next);
      case Kind::Ein: return p_.entrywise ? entry_product(p, s, false, next) : same_product(pn, sn, next);
      case Kind::Map:
      case Kind::Fun: return pn.row == sn.row && operands(pn, sn, 0, next);
    }
    return false;
  }

  bool operands(const Node& p, const Node& s, size_t k, const Next& next) {
    if (k == p.operands.size()) return next();
    return node(p.operands[k], s.operands[k], [&, k] { return operands(p, s, k + 1, next); });
  }

  // c*t. For a variable t: one that is bound already must be the subject up to c; -x binds x to a subject with a minus sign of its own.
  bool scaled(const Node& p, NodeId s, const Next& next) {
    const Rational& c = p.coefficients[0];
    NodeId t = p.operands[0];
    bool single = g_[s].kind == Kind::Sum && g_[s].operands.size() == 1;
    if (is_variable(t)) {
      if (m_.nodes.contains(t)) return g_.scale(c, m_.nodes.at(t)) == s && next();
      bool negative = single ? g_[s].coefficients[0] < 0 : g_[s].kind == Kind::Const && g_[s].value() < 0;
      return c == -1 && negative && bind(t, g_.scale(-1, s), next);
    }
    return single && g_[s].coefficients[0] == c && node(t, g_[s].operands[0], next);
  }

  // --- sums: every pattern term is some other subject term with coefficient ratio * its own ---

  bool sum(NodeId p, NodeId s, bool partial, const Next& next) {
    std::vector<Term> ps = pg_.terms(p), ss = g_.terms(s);
    variables_last(ps, [](const Term& t) { return t.tensor; });
    std::vector<bool> taken(ss.size(), false);
    return sum_terms(ps, ss, taken, 0, partial, next);
  }

  bool sum_terms(const std::vector<Term>& ps, const std::vector<Term>& ss, std::vector<bool>& taken, size_t k, bool partial, const Next& next) {
    if (k == ps.size()) {
      if (!partial) return next();
      m_.used.clear();
      for (size_t i = 0; i < ss.size(); ++i)
        if (taken[i]) m_.used.push_back(i);
      return next();
    }
    for (size_t i = 0; i < ss.size(); ++i) {
      if (taken[i]) continue;
      Rational ratio = ss[i].coefficient / ps[k].coefficient;
      if (!partial && ratio != 1) continue;
      if (partial && k > 0 && ratio != m_.ratio) continue;
      if (partial && k == 0) m_.ratio = ratio;
      taken[i] = true;
      if (node(ps[k].tensor, ss[i].tensor, [&] { return sum_terms(ps, ss, taken, k + 1, partial, next); })) return true;
      taken[i] = false;
    }
    return false;
  }

  // --- entrywise products: factors that all carry the same labels ---

  bool entry_product(NodeId p, NodeId s, bool partial, const Next& next) {
    std::vector<Factor> ss = g_.factors(s);
    std::vector<NodeId> ps = pg_[p].operands;
    if (!partial && ps.size() != ss.size()) return false;
    variables_last(ps, [](NodeId n) { return n; });
    std::vector<bool> taken(ss.size(), false);
    Labels labels = g_.out(s);
    return entry_factors(ps, ss, taken, labels, 0, partial, next);
  }

  bool entry_factors(const std::vector<NodeId>& ps, const std::vector<Factor>& ss, std::vector<bool>& taken, Labels& labels, size_t k, bool partial,
                     const Next& next) {
    if (k == ps.size()) {
      if (!partial) return next();
      m_.used.clear();
      for (size_t i = 0; i < ss.size(); ++i)
        if (taken[i]) m_.used.push_back(i);
      m_.entry = labels;
      return next();
    }
    for (size_t i = 0; i < ss.size(); ++i) {
      if (taken[i]) continue;
      if (partial && k == 0) labels = ss[i].labels;
      if (ss[i].labels != labels) continue;
      taken[i] = true;
      if (node(ps[k], ss[i].tensor, [&] { return entry_factors(ps, ss, taken, labels, k + 1, partial, next); })) return true;
      taken[i] = false;
    }
    return false;
  }

  // --- contractions ---

  // Exactly the same labels, factor by factor in some order.
  bool same_product(const Node& p, const Node& s, const Next& next) {
    if (p.operands.size() != s.operands.size() || p.labels != s.labels) return false;
    return same_dims(p.type, s.type) && operands(p, s, 0, next);
  }

  struct Item {
    NodeId tensor;
    Labels labels;
    bool exact;  // a node of the subject: a part of one that is bound already
  };

  bool product(NodeId p, NodeId s, const Next& next) {
    std::vector<Item> items;
    for (const Factor& f : pg_.factors(p)) items.push_back({f.tensor, f.labels, false});
    variables_last(items, [](const Item& i) { return i.tensor; });
    pattern_out_ = pg_.out(p);
    subject_ = g_.factors(s);
    subject_out_ = g_.out(s);
    std::vector<bool> taken(subject_.size(), false);
    return product_items(items, taken, next);
  }

  // Matches the first item, then the others. A variable bound to a product stands for all factors of that product.
  bool product_items(std::vector<Item> items, std::vector<bool>& taken, const Next& next) {
    if (++steps_ > kMostSteps) return false;
    if (items.empty()) return product_complete(taken, next);
    Item item = items.front();
    items.erase(items.begin());
    if (!item.exact && is_variable(item.tensor) && m_.nodes.contains(item.tensor)) {
      NodeId bound = m_.nodes.at(item.tensor);
      if (g_[bound].kind == Kind::Ein) {
        std::map<Label, Label> name;
        Labels out = g_.out(bound);
        for (size_t k = 0; k < out.size(); ++k)
          if (!name.try_emplace(out[k], item.labels[k]).second) return false;
        std::vector<Item> opened;
        for (const Factor& f : g_.factors(bound)) {
          Labels ls;
          for (Label l : f.labels) ls.push_back(name.try_emplace(l, kFresh + next_fresh_++).first->second);
          opened.push_back({f.tensor, ls, true});
        }
        items.insert(items.begin(), opened.begin(), opened.end());
        return product_items(std::move(items), taken, next);
      }
      item = {bound, item.labels, true};
    }
    for (size_t i = 0; i < subject_.size(); ++i) {
      if (taken[i] || subject_[i].labels.size() != item.labels.size()) continue;
      int orders = g_.is_symmetric(subject_[i].tensor) ? 2 : 1;
      for (int o = 0; o < orders; ++o) {
        Labels ls = subject_[i].labels;
        if (o == 1) std::swap(ls[0], ls[1]);
        std::map<Label, Label> saved = m_.labels;
        bool fits = true;
        for (size_t k = 0; k < ls.size(); ++k) fits &= m_.labels.try_emplace(item.labels[k], ls[k]).first->second == ls[k];
        if (fits) {
          taken[i] = true;
          auto rest = [&] { return product_items(items, taken, next); };
          if (item.exact ? item.tensor == subject_[i].tensor && rest() : node(item.tensor, subject_[i].tensor, rest)) return true;
          taken[i] = false;
        }
        m_.labels = saved;
      }
    }
    return false;
  }

  // Labels the pattern sums must be summed in the subject and touch nothing outside the match, each for itself.
  bool product_complete(const std::vector<bool>& taken, const Next& next) {
    Labels inner;
    for (auto [p, s] : m_.labels) {
      if (std::ranges::count(pattern_out_, p)) continue;
      if (std::ranges::count(subject_out_, s) || std::ranges::count(inner, s)) return false;
      for (size_t i = 0; i < subject_.size(); ++i)
        if (!taken[i] && std::ranges::count(subject_[i].labels, s)) return false;
      inner.push_back(s);
    }
    for (Label o : pattern_out_)
      if (m_.labels.contains(o) && std::ranges::count(inner, m_.labels.at(o))) return false;
    m_.used.clear();
    for (size_t i = 0; i < taken.size(); ++i)
      if (taken[i]) m_.used.push_back(i);
    return next();
  }

  static constexpr Label kFresh = 1u << 24;
  static constexpr size_t kMostSteps = 4'000;  // of a search among factors: where many are alike it would not end, and finds nothing that fewer do not
  Graph& g_;
  const Graph& pg_;
  const Pattern& p_;
  Match& m_;
  Labels pattern_out_, subject_out_;
  std::vector<Factor> subject_;
  Label next_fresh_ = 0;
  size_t steps_ = 0;
};

}  // namespace

std::optional<Match> match(Graph& g, const Pattern& pattern, NodeId subject, const std::function<bool(const Match&)>& accept) {
  Match m;
  if (Matcher(g, pattern, m).root(subject, [&] { return accept(m); })) return m;
  return std::nullopt;
}

}  // namespace ricci
