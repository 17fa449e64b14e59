#include "passes/derivation_writer.h"

#include <algorithm>

#include "passes/derivation_words.h"
#include "passes/rewrite.h"
#include "passes/rules.h"

namespace ricci {

Formula DerivationWriter::matrix(NodeId n) {
  return in_matrix(rewrite_bottom_up(g_, lines_.dissolved(n), [&](NodeId m) {
    const Node& node = g_[m];
    const bool power = node.kind == Kind::Map && node.map_op() == MapOp::pow0_ && d_.stand_ins.contains(node.operands[0]);
    return power ? g_.map(MapOp::pow_, node.operands) : m;
  }));
}

NodeId DerivationWriter::stand_in(Type type, StandIn meaning) {
  std::vector<Variance> variance(type.size(), Variance::Up);
  const NodeId v = g_.variable(g_.declare({private_name(++private_names_), std::move(type), std::move(variance), {}}));
  d_.stand_ins.emplace(v, std::move(meaning));
  return v;
}

NodeId DerivationWriter::symbol_of(const std::string& name, NodeId value) {
  const NodeId v =
      g_.variable(g_.declare({.name = name, .type = g_[value].type, .variance = std::vector<Variance>(g_[value].rank(), Variance::Up)}));
  d_.stand_ins.emplace(v, StandIn{.kind = StandIn::Kind::Quantity, .value = value});
  return v;
}

void DerivationWriter::open(Formula left, Formula current) {
  left_ = std::move(left);
  current_ = std::move(current);
  opens_ = true;
}

size_t DerivationWriter::step(StepKind kind, Formula after, std::vector<Reason> reasons) {
  if (d_.sections.back().steps.empty()) opens_ = true;
  d_.sections.back().steps.push_back({kind, left_, current_, after, std::move(reasons), opens_});
  current_ = std::move(after);
  opens_ = false;
  return ++steps_;
}

void DerivationWriter::line(StepKind kind, IndexLine& from, IndexLine to, std::vector<Reason> reasons) {
  if (to != from || opens_) step(kind, index(to), std::move(reasons));
  from = std::move(to);
}

std::vector<Reason> DerivationWriter::reasons_on(std::vector<std::string_view> used) {
  std::ranges::sort(used);
  used.erase(std::unique(used.begin(), used.end()), used.end());
  std::vector<Reason> reasons;
  for (const Rule& r : rules())
    if (std::ranges::binary_search(used, r.name)) reasons.push_back({r.name + ": ", Code{r.left + " = " + r.right}});
  return reasons;
}

std::vector<Reason> DerivationWriter::reasons_on(const std::vector<Renaming>& renamed) {
  std::vector<Reason> reasons;
  for (const Renaming& r : renamed) {
    const NodeId delta = lines_.delta(r.dim);
    if (r.a == r.b) {
      reasons.push_back({"the sum of the deltas ", index({{}, {}, {{1, {{delta, {r.a, r.b}}}}}})});
      continue;
    }
    const IndexLine shown{{r.a, r.b}, {r.dim, r.dim}, {{1, {{delta, {r.a, r.b}}}}}};
    reasons.push_back({index(shown), " renames ", r.from, " to ", r.to});
  }
  return reasons;
}

}  // namespace ricci
