// The rewrite rules: lines of mathematics with a name, in passes/rules/*.rules, compiled in.
#pragma once
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "frontend/formula.h"
#include "ir/graph.h"

namespace ricci {

struct RuleCondition {
  std::string variable;
  Property property;
};

struct Rule {
  std::string name, left, right;
  FormulaMode mode;
  double low = -2, high = 2;  // entrywise rules: where x, y, z are drawn by the test
  std::vector<RuleCondition> where = {};
  bool stable = false;  // the right side is right where the left overflows: used before compiling whatever it costs
};

// Every rule, in the order of the files.
std::span<const Rule> rules();

// The variables a rule may use: x, y, z scalars (entrywise); A, B, Q square matrices, u, v columns, s a scalar and I the
// identity of one dimension n, X a matrix of m rows and n columns (matrix).
Bindings rule_variables(Graph& g, FormulaMode mode);

// Rewriting by some of the rules. It remembers which nodes no rule fits, so one for many runs is faster than one for each.
class Rewriting {
 public:
  Rewriting(Graph& g, const std::vector<const Rule*>& enabled);
  ~Rewriting();
  Rewriting(const Rewriting&) = delete;
  Rewriting& operator=(const Rewriting&) = delete;

  // Rewrites `roots` bottom-up until no rule applies. `used`, if given, collects the names of the rules that fired.
  std::vector<NodeId> operator()(std::vector<NodeId> roots, std::vector<std::string_view>* used = nullptr);

 private:
  class Rewriter;
  std::unique_ptr<Rewriter> rewriter_;
};

// One run of Rewriting.
std::vector<NodeId> apply_rules(Graph& g, std::vector<NodeId> roots, const std::vector<const Rule*>& enabled, std::vector<std::string_view>* used = nullptr);

}  // namespace ricci
