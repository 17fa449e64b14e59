// How a derivation comes about: quantities first (derivation.cpp), the derivative of each right side (derivation_factors.cpp), the chain
// rule over all of them (derivation.cpp), and the way from the last line to the answer (derivation_answer.cpp).
#pragma once
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "passes/derivation_quantities.h"
#include "passes/derivation_writer.h"
#include "passes/raise.h"

namespace ricci {

class Deriving : DerivationWriter {
 public:
  Deriving(Graph& g, const DerivationRequest& r) : DerivationWriter(g), r_(r) {}

  std::optional<Derivation> operator()();

 private:
  struct Part {
    Quantity q;
    IndexLine line = {};             // of its right side
    std::set<NodeId> operands = {};  // variables and stand-ins in it
  };
  struct Total {
    NodeId symbol;
    IndexLine line;
    size_t step;  // the number of its last line
  };

  // --- the function, before anything is differentiated ---------------------------------------------------------------------------
  NodeId free(NodeId n);
  // Flattened and rewritten by the rules; the function itself, and the value of each function in a line.
  NodeId prepared(NodeId n, std::vector<std::string_view>* used = nullptr);
  // What the functions in the formulas are, where that is more than their name says.
  void introduce(NodeId f);
  void rewrite(NodeId f, NodeId result, const std::vector<std::string_view>& used);
  std::vector<Reason> place_meanings(const IndexLine& line);
  void define();

  // --- the chain rule --------------------------------------------------------------------------------------------------------------
  void derivative_section(const Part& of, NodeId by, const std::vector<NodeId>& held = {});
  bool contains(NodeId n, NodeId u) const;
  // The stand-in for d value / d u, written as d of / d u with `held` fixed.
  NodeId derivative(NodeId value, NodeId of, NodeId u, const std::vector<NodeId>& held = {});
  std::set<size_t> dependent_on(NodeId u) const;
  // The function with everything that depends on u written out, so that u is its only way to change.
  NodeId composed(NodeId u);
  // d f / d u over all ways from u to f.
  const Total& total(NodeId u);
  // df/du_k = sum over the quantities v that u enters: df/dv_i dv_i/du_k.
  IndexLine chain(NodeId u, const std::vector<size_t>& users, NodeId symbol, const Labels& by);
  // Local derivatives are written out, sensitivities only where they are short.
  void insert(const std::vector<size_t>& users, const std::vector<IndexLine>& locals, IndexLine& now);
  // The deltas over summed letters, the terms that are then alike, and what derivatives along a matrix gather.
  void contract(IndexLine& now);
  void add_up(IndexLine& now);
  bool is_short(const IndexLine& line) const;
  static Reason list(const std::set<size_t>& lines, const std::string& before = "");

  // --- functions of matrices whose derivative is along a matrix (derivation_along.cpp) ---------------------------------------------
  // Whether d of/du is L_f(v, dv/du), and no product with dv/du.
  bool is_along(NodeId of, NodeId u);
  void define_along(const IndexLine& line, NodeId u);
  NodeId linear_map(NodeId of);
  NodeId along(FunOp f, NodeId at, NodeId direction);
  IndexLine moved_along(const Factor& f, NodeId u, Label fresh);
  struct Gathered {
    NodeId map;
    bool adjoint;
    std::vector<Factor> rest, beside;  // what is summed with the derivative, and the other factors
    Labels summed, left;
  };
  std::optional<Gathered> gathered(const IndexTerm& t, const Labels& out) const;
  std::optional<IndexLine> gathered_line(const Gathered& g, const std::vector<IndexTerm>& terms, const IndexLine& now,
                                         std::vector<Reason>& reasons);
  void gather(IndexLine& now);

  // --- derivatives of right sides ----------------------------------------------------------------------------------------------------
  // d v / d u of a right side that has u in it: product rule, derivatives of the factors, deltas, like terms.
  IndexLine partial(const Part& v, NodeId u, NodeId symbol, const Labels& by);
  void define_long(const IndexLine& line, NodeId u);
  std::string unused_name() const;
  void product_rule(const Part& v, NodeId u, const Labels& by, IndexLine& now);
  bool factors(NodeId u, const Labels& by, IndexLine& now);
  bool is_standing(const Factor& f) const;
  // What the derivative of a factor is, over letters from `fresh` on, and why.
  IndexLine derived(const Factor& f, NodeId u, Label fresh, bool alone, std::vector<Reason>& why);
  std::optional<IndexLine> moved_by_operand(const Factor& f, NodeId u, Label fresh, std::vector<std::string_view>& used,
                                            std::set<size_t>& from);
  void multiply_out(IndexLine& line, NodeId dv);
  NodeId in_values(NodeId n, std::set<size_t>& from);
  size_t position(const Node& n, NodeId u) const;
  std::string table_row(NodeId of, NodeId u);

  // --- back to matrices --------------------------------------------------------------------------------------------------------------
  std::optional<mat::Expr> expression(NodeId n, const std::vector<Variance>& variance = {}) const;
  std::vector<Reason> patterns(const IndexLine& line);
  bool show_in_matrix(NodeId symbol, const IndexLine& line);
  // Everything named replaced by what it is, in the variables of the program.
  NodeId resolved(NodeId n);
  NodeId resolved(NodeId stand_in, const StandIn& meaning);
  void conclude(const Total& t);
  // The lines that say what the names in `n` are, and the names in these.
  std::set<size_t> named_in(NodeId n);
  void resolve(NodeId whole);
  // Rule by rule, a line each, as far as that leads through matrix notation.
  NodeId simplify_by_rules(NodeId now, const std::vector<std::string_view>& used);
  // The lines that introduce functions which stand in `to` and not in `from`.
  std::set<size_t> recognised(NodeId from, NodeId to) const;
  bool differs(NodeId a, NodeId b) const;
  // What was promised of the variables in it; `of_entries` only what ties entries to each other.
  std::vector<Reason> promises(NodeId n, bool of_entries) const;
  static std::string promised(Properties p);
  // The same terms, collected or multiplied out.
  StepKind regrouped(NodeId from, NodeId to) const;
  // From the derivative in the program's variables to the answer as it is printed.
  void finish(const Total& t, NodeId whole, NodeId unconstrained);
  void reach_answer(const Total& t, NodeId whole, NodeId unconstrained, bool matrix_form);
  // Whether no derivative stands in it.
  bool is_closed(NodeId n) const;
  bool needs_addresses(NodeId n) const;
  // By a symmetric variable the derivative found is that by a free one, to be brought back (passes/constrain.h).
  NodeId project(NodeId whole, NodeId unconstrained);
  std::string projection(Properties p) const;
  void lay_out();

  const DerivationRequest& r_;
  bool tied_ = false;
  std::vector<Part> parts_;
  std::map<std::tuple<NodeId, NodeId, NodeId>, NodeId> symbols_;  // by value, name and variable
  std::map<NodeId, NodeId> linear_maps_;  // by f(V)
  std::map<FunOp, size_t> along_lines_;   // the numbers of the lines that say what L_f is
  std::map<NodeId, Total> totals_;
  std::map<NodeId, size_t> numbers_;             // of the line that says what a quantity or a local derivative is
  std::map<NodeId, NodeId> values_;              // sigmoid(u) is s, where s is so defined
  std::map<std::string_view, size_t> meanings_;  // of the lines that introduce functions
  std::set<size_t> inserted_;
  std::map<NodeId, NodeId> resolved_;
};

inline Labels concat(Labels a, const Labels& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}
inline Type concat(Type a, const Type& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

}  // namespace ricci
