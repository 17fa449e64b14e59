#include "passes/rules.h"

#include <algorithm>
#include <cassert>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <unordered_set>

#include "passes/canonicalize.h"
#include "passes/infer_properties.h"
#include "passes/match.h"
#include "passes/rewrite.h"
#include "passes/substitute.h"
#include "passes/vectorize.h"

namespace ricci {
namespace {

constexpr std::string_view kEntrywise =
#include "rules/entrywise.rules.inc"
    ;
constexpr std::string_view kMatrix =
#include "rules/matrix.rules.inc"
    ;

constexpr int kMostRounds = 64;  // every rule makes the expression lighter, so this is never reached; it bounds a wrong weight

std::string trim(std::string_view s) {
  size_t begin = s.find_first_not_of(' '), end = s.find_last_not_of(' ');
  return begin == std::string_view::npos ? "" : std::string(s.substr(begin, end - begin + 1));
}

[[noreturn]] void broken(std::string_view line) {
  std::fprintf(stderr, "passes/rules: cannot read the rule `%.*s`\n", int(line.size()), line.data());
  std::abort();
}

// name : left = right [for (low, high)] [where A PROPERTY, ...] [stable]
Rule parse_rule(std::string_view line, FormulaMode mode) {
  Rule r{.name = {}, .left = {}, .right = {}, .mode = mode};
  if (constexpr std::string_view kStable = " stable"; line.ends_with(kStable)) {
    r.stable = true;
    line.remove_suffix(kStable.size());
  }
  size_t colon = line.find(" :"), equals = line.find(" = "), interval = line.find(" for ("), where = line.find(" where ");
  if (colon == std::string_view::npos || equals == std::string_view::npos) broken(line);
  r.name = trim(line.substr(0, colon));
  r.left = trim(line.substr(colon + 2, equals - colon - 2));
  r.right = trim(line.substr(equals + 3, std::min(interval, where) - equals - 3));
  if (interval != std::string_view::npos) {
    std::istringstream in(std::string(line.substr(interval + 6)));
    char comma;
    if (!(in >> r.low >> comma >> r.high)) broken(line);
  }
  if (where != std::string_view::npos) {
    std::istringstream in(std::string(line.substr(where + 7)));
    for (std::string variable, property; in >> variable >> property;) {
      if (property.back() == ',') property.pop_back();
      auto p = find_property(property);
      if (!p) broken(line);
      r.where.push_back({variable, *p});
    }
  }
  return r;
}

void read(std::string_view text, FormulaMode mode, std::vector<Rule>& rules) {
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (!trim(line).empty() && line[0] != '#') rules.push_back(parse_rule(line, mode));
  }
}

// What a pattern needs of a node, seen without matching: the function it is, or the kind it has and the functions among its operands. A part of
// a pattern that is a function fits nothing but the same function.
struct Need {
  Kind kind;
  uint32_t function;                                  // Map, Fun: the row of the table
  std::vector<std::pair<Kind, uint32_t>> parts = {};  // Sum, Ein: the functions among the operands

  Need(const Graph& g, NodeId root) : kind(g[root].kind), function(g[root].row) {
    if (is_function(kind)) return;
    for (NodeId p : g[root].operands)
      if (is_function(g[p].kind)) parts.emplace_back(g[p].kind, g[p].row);
  }
  static bool is_function(Kind k) { return k == Kind::Map || k == Kind::Fun; }

  bool is_met(const Graph& g, const Node& n) const {
    if (n.kind != kind) return false;
    if (is_function(kind)) return n.row == function;
    return std::ranges::all_of(parts, [&](const auto& part) {
      return std::ranges::any_of(n.operands, [&](NodeId p) { return g[p].kind == part.first && g[p].row == part.second; });
    });
  }
};

// The left sides of all rules as patterns over placeholder variables, in a graph that no program's nodes enter: built once.
class LeftSides {
 public:
  struct Side {
    Pattern pattern;
    Need need;
  };

  static const LeftSides& all() {
    static const LeftSides sides;
    return sides;
  }
  const Side& operator[](const Rule& r) const { return sides_.at(r.name); }
  const Bindings& variables(FormulaMode mode) const { return variables_.at(mode); }

 private:
  LeftSides() {
    for (FormulaMode mode : {FormulaMode::Entrywise, FormulaMode::Matrix}) variables_[mode] = rule_variables(g_, mode);
    for (const Rule& r : rules()) {
      NodeId left = build_formula(g_, r.left, variables_[r.mode], r.mode);
      if (r.mode == FormulaMode::Matrix) left = canonicalize(g_, left);  // products flat, as they are where rules are applied
      sides_.emplace(r.name, Side{{&g_, left, r.mode == FormulaMode::Entrywise}, Need(g_, left)});
    }
  }

  Graph g_;
  std::map<FormulaMode, Bindings> variables_;
  std::map<std::string, Side, std::less<>> sides_;
};

}  // namespace

class Rewriting::Rewriter {
 public:
  Rewriter(Graph& g, const std::vector<const Rule*>& enabled) : g_(g), properties_(g) {
    for (const Rule* r : enabled) rules_.push_back({r, &LeftSides::all()[*r], &LeftSides::all().variables(r->mode), {}});
  }

  // The node after the first rule that fits, or the node itself.
  NodeId step(NodeId n, std::vector<std::string_view>* used) {
    if (settled_.contains(n)) return n;
    for (Enabled& c : rules_) {
      if (!c.left->need.is_met(g_, g_[n])) continue;
      auto m = match(g_, c.left->pattern, n, [&](const Match& m) { return holds(c, m); });
      if (!m) continue;
      NodeId next = replace(c, *m, n);
      if (next == n) continue;
      if (used) used->push_back(c.rule->name);
      return next;
    }
    settled_.insert(n);
    return n;
  }

  Graph& graph() { return g_; }

 private:
  struct Enabled {
    const Rule* rule;
    const LeftSides::Side* left;
    const Bindings* variables;    // of the left side
    std::optional<NodeId> right;  // over placeholders(), built when the rule first fires
  };

  bool holds(const Enabled& c, const Match& m) {
    return std::ranges::all_of(c.rule->where, [&](const RuleCondition& w) {
      auto it = m.nodes.find(c.variables->at(w.variable));
      return it != m.nodes.end() && properties_(it->second).has(w.property);
    });
  }

  NodeId replace(Enabled& c, const Match& m, NodeId n) {
    const Type type = g_[n].type;
    switch (g_[n].kind) {
      case Kind::Sum: {
        std::vector<Term> terms = g_.terms(n);
        drop(terms, m.used);
        terms.push_back({m.ratio, instantiate(c, m, type)});
        return g_.sum(std::move(terms), type);
      }
      case Kind::Ein: {
        std::vector<Factor> factors = g_.factors(n);
        Type entry_type = g_[factors[m.used[0]].tensor].type;
        drop(factors, m.used);
        Labels labels = m.entry;
        if (const Pattern& left = c.left->pattern; !left.entrywise) {
          labels.clear();
          for (Label l : left.graph->out(left.root)) {
            const auto at = m.labels.find(l);
            if (at == m.labels.end()) return n;  // X is ones, which no factor shows: pinv(X)*X
            labels.push_back(at->second);
          }
        }
        factors.push_back({instantiate(c, m, entry_type), std::move(labels)});
        return g_.ein(std::move(factors), g_.out(n), type);
      }
      case Kind::Map:
      case Kind::Fun: return instantiate(c, m, type);
      case Kind::Const:
      case Kind::Size:
      case Kind::Var:
      case Kind::Call:
      case Kind::Place:
      case Kind::Epsilon: break;
    }
    return n;
  }

  // The placeholders of right sides in the program's graph.
  const Bindings& placeholders(FormulaMode mode) {
    auto [it, first] = placeholders_.try_emplace(mode);
    if (first) it->second = rule_variables(g_, mode);
    return it->second;
  }

  // The right side with the match's nodes in it; for entrywise rules a tensor of `type`.
  NodeId instantiate(Enabled& c, const Match& m, const Type& type) {
    const Bindings& own = placeholders(c.rule->mode);
    if (!c.right) c.right = build_formula(g_, c.rule->right, own, c.rule->mode);
    std::map<NodeId, NodeId> nodes;
    for (const auto& [name, placeholder] : own)
      if (auto it = m.nodes.find(c.variables->at(name)); it != m.nodes.end()) nodes[placeholder] = it->second;
    if (c.rule->mode == FormulaMode::Matrix) {
      std::map<DimId, DimId> dims;  // those of rules are symbols
      for (auto [pattern, dim] : m.dims) dims[g_.dim((*c.left->pattern.graph)[pattern])] = dim;
      return substitute(g_, *c.right, nodes, dims);
    }
    Labels all = Graph::iota(type.size());
    std::map<NodeId, Lifted> lifted;
    for (auto [variable, node] : nodes) lifted[variable] = {node, all};
    return vectorize(g_, *c.right, lifted, all, type);
  }

  template <class T>
  static void drop(std::vector<T>& from, const std::vector<size_t>& positions) {
    for (auto it = positions.rbegin(); it != positions.rend(); ++it) from.erase(from.begin() + std::ptrdiff_t(*it));
  }

  Graph& g_;
  PropertyInference properties_;
  std::vector<Enabled> rules_;
  std::map<FormulaMode, Bindings> placeholders_;
  std::unordered_set<NodeId> settled_;  // no rule fits these
};

std::span<const Rule> rules() {
  static const std::vector<Rule> all = [] {
    std::vector<Rule> result;
    read(kEntrywise, FormulaMode::Entrywise, result);
    read(kMatrix, FormulaMode::Matrix, result);
    return result;
  }();
  return all;
}

Bindings rule_variables(Graph& g, FormulaMode mode) {
  Bindings b;
  DimId m = g.dim("m"), n = g.dim("n");
  auto add = [&](const char* name, Type type) {
    std::vector<Variance> variance(type.size(), Variance::Up);
    b.emplace(name, g.variable(g.declare({name, std::move(type), std::move(variance), {}, {}, {}, true})));
  };
  if (mode == FormulaMode::Entrywise) {
    for (const char* name : {"x", "y", "z"}) add(name, {});
  } else {
    for (const char* name : {"A", "B", "Q"}) add(name, {n, n});
    add("X", {m, n});
    for (const char* name : {"u", "v"}) add(name, {n});
    for (const char* name : {"s", "t"}) add(name, {});
    b.emplace("I", g.delta(n));
  }
  return b;
}

Rewriting::Rewriting(Graph& g, const std::vector<const Rule*>& enabled) : rewriter_(std::make_unique<Rewriter>(g, enabled)) {}
Rewriting::~Rewriting() = default;

std::vector<NodeId> Rewriting::operator()(std::vector<NodeId> roots, std::vector<std::string_view>* used) {
  for (int round = 0; round < kMostRounds; ++round) {
    std::vector<NodeId> next = rewrite_bottom_up(rewriter_->graph(), roots, [&](NodeId n) { return rewriter_->step(n, used); });
    if (next == roots) break;
    roots = std::move(next);
  }
  return roots;
}

std::vector<NodeId> apply_rules(Graph& g, std::vector<NodeId> roots, const std::vector<const Rule*>& enabled, std::vector<std::string_view>* used) {
  return enabled.empty() ? roots : Rewriting(g, enabled)(std::move(roots), used);
}

}  // namespace ricci
