#include "passes/rules.h"

#include <algorithm>
#include <cassert>
#include <cstdio>
#include <cstdlib>
#include <sstream>

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

// A rule with its sides built over placeholder variables.
struct Compiled {
  const Rule* rule;
  Pattern left;
  NodeId right;
  std::map<std::string, NodeId, std::less<>> variables;
};

class Rewriter {
 public:
  Rewriter(Graph& g, const std::vector<const Rule*>& enabled, std::vector<std::string_view>* used) : g_(g), properties_(g), used_(used) {
    std::map<FormulaMode, Bindings> variables;
    for (FormulaMode mode : {FormulaMode::Entrywise, FormulaMode::Matrix}) variables[mode] = rule_variables(g, mode);
    for (const Rule* r : enabled) {
      const Bindings& v = variables[r->mode];
      const NodeId left = build_formula(g, r->left, v, r->mode);  // products flat, as they are where rules are applied
      Compiled c{r, {r->mode == FormulaMode::Matrix ? canonicalize(g, left) : left, {}, r->mode == FormulaMode::Entrywise}, build_formula(g, r->right, v, r->mode), v};
      for (const auto& [name, node] : v)
        if (g[node].kind == Kind::Var) c.left.variables.emplace(node, c.left.entrywise);
      compiled_.push_back(std::move(c));
    }
  }

  // The node after the first rule that fits, or the node itself.
  NodeId step(NodeId n) {
    for (const Compiled& c : compiled_) {
      auto m = match(g_, c.left, n, [&](const Match& m) { return holds(c, m); });
      if (!m) continue;
      NodeId next = replace(c, *m, n);
      if (next == n) continue;
      if (used_) used_->push_back(c.rule->name);
      return next;
    }
    return n;
  }

 private:
  bool holds(const Compiled& c, const Match& m) {
    return std::ranges::all_of(c.rule->where, [&](const RuleCondition& w) {
      auto it = m.nodes.find(c.variables.at(w.variable));
      return it != m.nodes.end() && properties_(it->second).has(w.property);
    });
  }

  NodeId replace(const Compiled& c, const Match& m, NodeId n) {
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
        if (!c.left.entrywise) {
          labels.clear();
          for (Label l : g_.out(c.left.root)) labels.push_back(m.labels.at(l));
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

  // The right side with the match's nodes in it; for entrywise rules a tensor of `type`.
  NodeId instantiate(const Compiled& c, const Match& m, const Type& type) {
    if (!c.left.entrywise) return substitute(g_, c.right, m.nodes, m.dims);
    Labels all = Graph::iota(type.size());
    std::map<NodeId, Lifted> lifted;
    for (auto [variable, node] : m.nodes) lifted[variable] = {node, all};
    return vectorize(g_, c.right, lifted, all, type);
  }

  template <class T>
  static void drop(std::vector<T>& from, const std::vector<size_t>& positions) {
    for (auto it = positions.rbegin(); it != positions.rend(); ++it) from.erase(from.begin() + std::ptrdiff_t(*it));
  }

  Graph& g_;
  PropertyInference properties_;
  std::vector<Compiled> compiled_;
  std::vector<std::string_view>* used_;
};

}  // namespace

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
  DimId n = g.dim("n");
  auto add = [&](const char* name, Type type) {
    std::vector<Variance> variance(type.size(), Variance::Up);
    b.emplace(name, g.variable(g.declare({name, std::move(type), std::move(variance), {}, {}, {}, true})));
  };
  if (mode == FormulaMode::Entrywise) {
    for (const char* name : {"x", "y", "z"}) add(name, {});
  } else {
    for (const char* name : {"A", "B", "Q"}) add(name, {n, n});
    for (const char* name : {"u", "v"}) add(name, {n});
    add("s", {});
    b.emplace("I", g.delta(n));
  }
  return b;
}

std::vector<NodeId> apply_rules(Graph& g, std::vector<NodeId> roots, const std::vector<const Rule*>& enabled, std::vector<std::string_view>* used) {
  if (enabled.empty()) return roots;
  Rewriter rewriter(g, enabled, used);
  for (int round = 0; round < kMostRounds; ++round) {
    std::vector<NodeId> next = rewrite_bottom_up(g, roots, [&](NodeId n) { return rewriter.step(n); });
    if (next == roots) break;
    roots = std::move(next);
  }
  return roots;
}

}  // namespace ricci
