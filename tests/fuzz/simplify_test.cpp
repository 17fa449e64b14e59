// Is an answer still the value that was asked for, and settled? Simplification with all rules, without one of them, and without any.
#include "passes/simplify.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "passes/canonicalize.h"
#include "passes/differentiate.h"
#include "passes/rules.h"
#include "tests/fuzz/derivative_case.h"

using namespace ricci;
using namespace ricci::fuzz;

namespace {

// A rewriting pass keeps the value, and has nothing left to do the second time.
template <class Rewrite>
Outcome check_rewrite(const RandomProgram& p, Rewrite rewrite) {
  DerivativeCase c(p, 1);
  if (c.xs.empty()) return {Outcome::Kind::Skipped};
  for (NodeId before : {c.f, differentiate(c.g, c.f, c.xs[0])}) {
    const NodeId after = rewrite(c.g, before);
    if (c.g[after].type != c.g[before].type) return different("the type changed");
    if (std::string m = malformed(c.g, after); !m.empty()) return different(m);
    if (NodeId again = rewrite(c.g, after); again != after)
      return different("not idempotent:\n" + print_ir(c.g, std::span(&after, 1)) + "becomes\n" + print_ir(c.g, std::span(&again, 1)));
    if (c.work(before) > kMostWork || c.work(after) > kMostWork) return {Outcome::Kind::Skipped};
    if (std::string wrong = c.disagreement(c.value(after), c.value(before), {before, after}); !wrong.empty())
      return different(wrong + "\n" + print_ir(c.g, std::span(&before, 1)) + "becomes\n" + print_ir(c.g, std::span(&after, 1)));
  }
  return {};
}

TEST(Rewrite, CanonicalizeKeepsTheValue) {
  campaign(300, 16, {}, [](const RandomProgram& p) { return check_rewrite(p, [](Graph& g, NodeId n) { return canonicalize(g, n); }); });
}
TEST(Rewrite, SimplifyKeepsTheValue) {
  campaign(200, 8, {}, [](const RandomProgram& p) { return check_rewrite(p, [](Graph& g, NodeId n) { return simplify(g, n); }); });
}

// One rule off, another for every program: no rule needs the company of another to be right.
TEST(Rewrite, SimplifyWithoutARuleKeepsTheValue) {
  campaign(150, 8, {}, [](const RandomProgram& p) {
    const SimplifyOptions options{.disabled = {rules()[p.seed % rules().size()].name}};
    return check_rewrite(p, [&](Graph& g, NodeId n) { return simplify(g, n, options); });
  });
}
TEST(Rewrite, SimplifyWithoutRulesKeepsTheValue) {
  campaign(100, 8, {}, [](const RandomProgram& p) {
    return check_rewrite(p, [](Graph& g, NodeId n) { return simplify(g, n, {.rules = false}); });
  });
}

}  // namespace
