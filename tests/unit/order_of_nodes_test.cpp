// An answer depends on what it means and not on the order in which its nodes were made: pairs that once told another story (order_of_nodes.txt).
#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "codegen/index_form.h"
#include "codegen/text.h"
#include "ir/text.h"
#include "passes/raise.h"
#include "passes/simplify.h"

using namespace ricci;

namespace {

struct Pair {
  std::string why;
  std::string ir[2];
};

std::vector<Pair> pairs() {
  std::ifstream file(RICCI_SOURCE_DIR "/tests/unit/order_of_nodes.txt");
  std::vector<Pair> result;
  size_t which = 0;
  std::string line;
  std::getline(file, line);  // what the file is
  while (std::getline(file, line)) {
    if (line.starts_with("== ")) result.emplace_back().why = line.substr(3), which = 0;
    else if (line == "--") which = 1;
    else result.back().ir[which] += line + "\n";
  }
  return result;
}

std::string answer(const std::string& ir) {
  Graph g;
  IrError error{};
  const auto roots = parse_ir(g, ir, error);
  if (!roots) return "unreadable: " + error.message;
  const NodeId simple = simplify(g, (*roots)[0]);
  const Raised raised = raise(g, simple, {});
  const std::vector<Variance> down(g[simple].rank(), Variance::Down);
  return raised.expr ? to_text(*raised.expr) : index_expression(g, {simple, down}, true);
}

TEST(OrderOfNodes, IsNotSeenInAnswers) {
  ASSERT_FALSE(pairs().empty());
  for (const Pair& p : pairs()) EXPECT_EQ(answer(p.ir[0]), answer(p.ir[1])) << p.why;
}

}  // namespace
