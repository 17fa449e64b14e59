// Every rewrite rule is tested because it exists: both sides agree at random points, the right side is lighter, and the rule fires on its own left side.
#include "tests/tables/rule_check.h"

#include <gtest/gtest.h>

namespace ricci {

void PrintTo(const Rule& r, std::ostream* os) { *os << r.name << ": " << r.left << " = " << r.right; }

namespace {

struct RuleTest : testing::TestWithParam<Rule> {};

TEST_P(RuleTest, AgreesGetsLighterAndFires) { EXPECT_EQ(refutation(GetParam()), std::nullopt); }

INSTANTIATE_TEST_SUITE_P(Rules, RuleTest, testing::ValuesIn(rules().begin(), rules().end()),
                         [](const testing::TestParamInfo<Rule>& i) { return i.param.name; });

}  // namespace
}  // namespace ricci
