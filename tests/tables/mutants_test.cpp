// What "every table test passes" is worth: each text of mathematics that the compiler is made of is changed in every single place, and the checks
// of the table tests must refute the change. What they let pass must mean the same, for the reason given below.
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>

#include "passes/canonicalize.h"
#include "tests/tables/derivative_check.h"
#include "tests/tables/function_check.h"
#include "tests/tables/mutate.h"
#include "tests/tables/rule_check.h"

namespace ricci {
namespace {

// Mutants that mean the same by what the particular formula says; what is true of any is a law of the mutator.
struct Equivalent {
  std::string_view why;
  std::vector<std::string_view> mutants;
};
const Equivalent kEquivalent[] = {
    {"functions of one matrix commute",
     {"inv_left: (A*inv(A))", "inv_right: (inv(A)*A)", "adj_left: (A*adj(A))", "adj_right: (adj(A)*A)", "orthogonal_left: (Q*Q')", "orthogonal_right: (Q'*Q)",
      "expm_inverse: (expm(-A)*expm(A))", "power_product: (expm(t*logm(A))*expm(s*logm(A)))", "sqrtm_left: (A*inv(sqrtm(A)))",
      "sqrtm_right: (inv(sqrtm(A))*A)", "sqrtm_of_square: sqrtm((A'*A))"}},
    {"a multiple of the identity is symmetric",
     {"inv_left: ((inv(A)*A)')", "inv_right: ((A*inv(A))')", "adj_left: ((adj(A)*A)')", "adj_right: ((A*adj(A))')", "expm_inverse: ((expm(A)*expm(-A))')",
      "sinm_cosm: ((sinm(A)*sinm(A) + cosm(A)*cosm(A))')"}},
    {"hypot(x, y) is even and symmetric in its arguments", {"hypot_square: hypot((-(x)), y)^2", "hypot_square: hypot(x, (-(y)))^2", "hypot_square: hypot(y, x)^2"}},
    {"a diagonal matrix is symmetric", {"tril_upper: ((tril(A))')", "triu_lower: ((triu(A))')", "triu_tril: ((triu(tril(A)))')", "tril_triu: ((tril(triu(A)))')"}},
    {"any condition will do", {"where_alike: where((y), y, y)", "where_alike: where((z), y, y)"}},
    {"the identity is orthogonal", {"orthogonal_det: det((I))^2", "orthogonal_size: abs(det((I)))", "orthogonal_logdet: logdet((I))"}},
    {"a multiple of zero is zero", {"orthogonal_logdet: (-(logdet(Q)))", "orthogonal_logdet: (2*(logdet(Q)))"}},
    {"any even power of a sign is 1", {"sign_squared: x^(-(2))", "sign_squared: x^(2*(2))", "sign_squared_abs: sign(x)^(2*(2))*abs(x)"}},
    {"relu(x) is x where step(x) is not 0", {"relu_step: (x)*step(x)"}},
    {"equality is symmetric", {"pow: where(isequal(0, f), 0, f*log(x))", "pow0: where(isequal(0, f), 0, f*log(x))"}},
    {"the guard matters where the slope is infinite", {"pow: y*pow0(x, y - 1)"}},
    {"a finite power is 0 where its base is", {"pow: where(isequal((x), 0), 0, f*log(x))", "pow0: where(isequal((x), 0), 0, f*log(x))"}},
    {"X*F and F*X are orthogonal projections, hence symmetric",
     {"pinv: -F*dX*F + F*F'*dX'*(eye(m) - ((X*F)')) + (eye(n) - F*X)*dX'*F'*F", "pinv: -F*dX*F + F*F'*dX'*(((eye(m) - X*F))') + (eye(n) - F*X)*dX'*F'*F",
      "pinv: -F*dX*F + F*F'*dX'*(eye(m) - X*F) + (eye(n) - ((F*X)'))*dX'*F'*F", "pinv: -F*dX*F + F*F'*dX'*(eye(m) - X*F) + (((eye(n) - F*X))')*dX'*F'*F"}},
    {"the inverse is applied to what is orthogonal to F, where F*F' does nothing",
     {"eigvecmax: inv(eigmax(X)*eye(n) - (X + X')/2 + (-(F*F')))*((dX + dX')*F/2 - (F'*dX*F)*F)",
      "eigvecmax: inv(eigmax(X)*eye(n) - (X + X')/2 + (2*(F*F')))*((dX + dX')*F/2 - (F'*dX*F)*F)",
      "eigvecmax: inv(eigmax(X)*eye(n) - (X + X')/2 + (n*(F*F')))*((dX + dX')*F/2 - (F'*dX*F)*F)"}},
};

// What functions of one symmetric matrix are.
std::string_view law_of_rule(const Rule& rule, const Mutant& m) {
  const bool symmetric = std::ranges::any_of(rule.where, [](const RuleCondition& c) { return Properties{c.property}.has(Property::symmetric); });
  return symmetric && m.kind == "transpose" ? "the rule is about symmetric matrices" : "";
}

std::string_view why_equivalent(const Mutant& m, const std::string& name) {
  if (!m.law.empty()) return m.law;
  for (const Equivalent& e : kEquivalent)
    if (std::ranges::count(e.mutants, name)) return e.why;
  return {};
}

class Tally {
 public:
  // The mutants of a text that are of its type and not the same expression already. `refuted` takes a mutant's text and node; of a rule, its own laws count.
  template <class Refuted>
  void count(std::string_view where, std::string_view text, Graph& g, const Bindings& names, FormulaMode mode, Refuted refuted, const Rule* rule = nullptr) {
    const NodeId original = build_formula(g, text, names, mode);
    ASSERT_FALSE(refuted(std::string(text), original)) << where << ": " << text;
    for (const Mutant& m : Mutator(text, names, mode).mutants) {
      Diagnostics diagnostics;
      const std::optional<NodeId> built = build_formula(g, m.text, names, mode, diagnostics);
      if (!built || g[*built].type != g[original].type || canonicalize(g, *built) == canonicalize(g, original)) continue;
      ++mutants_;
      auto& [of, killed] = kinds_[m.kind];
      ++of;
      if (refuted(m.text, *built)) {
        ++killed, ++killed_;
        continue;
      }
      const std::string name = std::string(where) + ": " + m.text;
      const std::string_view law = rule ? law_of_rule(*rule, m) : "", why = law.empty() ? why_equivalent(m, name) : law;
      std::cout << "survived: " << name << " (" << m.kind << " of " << text << ")" << (why.empty() ? "" : ", equivalent: ") << why << '\n';
      unexplained_ += why.empty();
    }
  }

  void report(std::string_view what) const {
    std::cout << what << ": " << mutants_ << " mutants, " << killed_ << " killed (" << fmt::format("{:.1f}", 100. * killed_ / mutants_) << " %):";
    for (const auto& [kind, counts] : kinds_) std::cout << ' ' << kind << ' ' << counts.second << '/' << counts.first;
    std::cout << '\n';
    EXPECT_EQ(unexplained_, 0) << "a table test is too weak, or a mutant means the same";
    EXPECT_GE(killed_, 0.95 * mutants_);
  }

 private:
  int mutants_ = 0, killed_ = 0, unexplained_ = 0;
  std::map<std::string_view, std::pair<int, int>> kinds_;
};

TEST(Mutants, OfRules) {
  Tally tally;
  for (const Rule& rule : rules())
    for (std::string Rule::*side : {&Rule::left, &Rule::right}) {
      Graph g;
      tally.count(rule.name, rule.*side, g, rule_variables(g, rule.mode), rule.mode, [&](const std::string& text, NodeId) {
        Rule mutant = rule;
        mutant.*side = text;
        return refutation(mutant).has_value();
      }, &rule);
    }
  tally.report("rewrite rules");
}

TEST(Mutants, OfElementwiseDerivatives) {
  Tally tally;
  for (const ElementwiseRow& row : elementwise_table()) {
    ElementwiseCheck check(row);
    for (size_t k = 0; k < size_t(row.arity); ++k)
      if (!row.derivative[k].empty())
        tally.count(row.name, row.derivative[k], check.g, check.names, FormulaMode::Entrywise,
                    [&](const std::string&, NodeId formula) { return check.refutation(k, formula).has_value(); });
  }
  tally.report("derivatives of elementwise functions");
}

TEST(Mutants, OfDifferentials) {
  Tally tally;
  for (const FunctionRow& row : function_table()) {
    FunctionCheck check(row);
    for (const FunctionColumn& column : function_columns())
      if (const std::string_view text = row.*column.text; !text.empty())
        tally.count(row.name, text, check.g, check.names(column), FormulaMode::Matrix,
                    [&](const std::string&, NodeId formula) { return check.refutation(column, formula).has_value(); });
  }
  tally.report("differentials, adjoints and derivatives of functions");
}

}  // namespace
}  // namespace ricci
