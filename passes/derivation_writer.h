// A derivation while it is written: sections, and steps that each begin where the last one ended.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "passes/derivation.h"

namespace ricci {

class DerivationWriter {
 protected:
  explicit DerivationWriter(Graph& g) : g_(g), lines_(g) {}

  Formula index(const IndexLine& line) { return {Formula::Notation::Index, lines_.node(line), line, {}}; }
  Formula in_matrix(NodeId n) { return {Formula::Notation::Matrix, n, {}, {}}; }
  // The same with deltas as unit matrices, and a power of a named number as a power, whatever its convention at 0.
  Formula matrix(NodeId n);
  IndexLine of_symbol(NodeId symbol, const Labels& labels) { return {labels, g_[symbol].type, {{1, {{symbol, labels}}}}}; }
  // A variable that is spelled as `meaning` says.
  NodeId stand_in(Type type, StandIn meaning);
  // A stand-in for `value` alone.
  NodeId symbol_of(const std::string& name, NodeId value);

  void section(Reason heading) { d_.sections.push_back({std::move(heading), {}}); }
  // A new chain: `current` is what `left` is equal to without more ado.
  void open(Formula left, Formula current);
  // The current formula equals `after`. Gives the number of the step.
  size_t step(StepKind kind, Formula after, std::vector<Reason> reasons);
  // A step only if the line changes.
  void line(StepKind kind, IndexLine& from, IndexLine to, std::vector<Reason> reasons);

  // Rules by name, each with its theorem.
  static std::vector<Reason> reasons_on(std::vector<std::string_view> rules);
  // "delta_ij renames i to j".
  std::vector<Reason> reasons_on(const std::vector<Renaming>& renamed);

  Graph& g_;
  IndexLines lines_;
  Derivation d_ = {};
  Formula left_, current_;
  bool opens_ = true;
  size_t steps_ = 0, private_names_ = 0;
};

}  // namespace ricci
