// Printed answers are input: matrix form, index form and vec form of random programs and their derivatives, read after the same
// declarations, have the value of what was printed, and are the same node.
#include <gtest/gtest.h>

#include "codegen/forms.h"
#include "codegen/index_form.h"
#include "codegen/text.h"
#include "passes/canonicalize.h"
#include "passes/differentiate.h"
#include "passes/raise.h"
#include "passes/simplify.h"
#include "tests/fuzz/derivative_case.h"

using namespace ricci;
using namespace ricci::fuzz;

namespace {

constexpr Options kLanguage = {.small = true, .language = true};

// The program as text with a last definition F: itself, or its derivative by one or two inputs, as the seed says.
struct Printed {
  uint64_t seed;
  std::string declarations, F;
  std::optional<Program> program;
  std::vector<std::string> by;  // names of inputs
  Dims dims;
  std::map<std::string, Array<Quad>> inputs;

  explicit Printed(const RandomProgram& p, size_t order) : seed(p.seed), declarations(p.declarations()), dims(p.dims()) {
    std::vector<size_t> variables;
    for (size_t k = 0; k < p.steps.size(); ++k)
      if (p.steps[k].kind == Step::Kind::Input && !p.steps[k].symmetric) variables.push_back(k);
    std::string source = p.source(), name = p.name(p.steps.size() - 1);
    if (!variables.empty())
      for (size_t k = 0; k < order; ++k) by.push_back(p.name(variables[(p.seed / 4 + k * (p.seed / 8)) % variables.size()]));
    if (!by.empty()) {
      source += "F = D(" + name;
      for (const std::string& x : by) source += ", " + x;
      source += ")\n";
    }
    program = parse(source);
    for (size_t k = 0; k < p.steps.size(); ++k) {
      if (p.steps[k].kind != Step::Kind::Input) continue;
      Array<Quad> a(p.shape(p.steps[k].type));
      a.data.assign(p.steps[k].data.begin(), p.steps[k].data.end());
      inputs[p.name(k)] = std::move(a);
    }
  }

  std::optional<Program> parse(const std::string& source) {
    Diagnostics d;
    auto parsed = parse_program(source, "random", calculus(), d);
    diagnostics = parsed ? "" : d.to_text(false) + source;
    return parsed;
  }
  std::string diagnostics;

  Graph& g() { return *program->graph; }
  const Value& value() const { return program->definitions.back().value; }

  std::map<NodeId, Array<Quad>> given(const Program& p) const {
    std::map<NodeId, Array<Quad>> given;
    for (const Declaration& d : p.declarations) {
      const auto it = inputs.find(d.name);
      given[d.node] = it != inputs.end() ? it->second : Array<Quad>(shape_of(*p.graph, (*p.graph)[d.node].type, dims), Quad(1));
    }
    return given;
  }
  Array<Quad> value_of(const Program& p, NodeId n) const { return interpret<Quad>(*p.graph, n, dims, given(p)); }
  bool is_too_much_work() { return interpreter_work(g(), std::span(&value().node, 1), dims) > kMostWork; }
};

// How many of 1,000 forms may read back as another node of the same value: sums of high order that are printed multiplied out, and tensors of more alike
// axes than all orders of are tried.
constexpr size_t kMostMatrixForms = 1, kMostIndexForms = 2;

size_t same_node = 0, another_node = 0, without = 0;

// That `line` means `node` of the program printed, whose value is `expected`.
Outcome read_back(Printed& p, const std::string& line, NodeId node, const Array<Quad>& expected) {
  const std::optional<Program> read = p.parse(p.declarations + line + "\n");
  if (!read) return different(p.diagnostics);
  const Value& v = read->definitions.back().value;
  Array<Quad> found = p.value_of(*read, v.node);
  std::string wrong = disagreement(found, expected, *read->graph, std::span(&v.node, 1), p.dims, p.given(*read));
  if (!wrong.empty()) return different(wrong + "\n" + line);
  // The node in the graph that was printed: its text, read there.
  IrError error;
  const NodeId canonical[] = {canonicalize(*read->graph, v.node)};
  const auto there = parse_ir(p.g(), print_ir(*read->graph, canonical), error);
  if (!there) return different("the IR does not read back: " + error.message);
  const NodeId printed[] = {canonicalize(p.g(), node)}, as_read[] = {canonicalize(p.g(), (*there)[0])};
  const bool same = printed[0] == as_read[0];
  (same ? same_node : another_node) += 1;
  if (!same && from_environment("RICCI_FUZZ_LIST", 0))
    std::printf("RICCI_FUZZ_SEED=%llu\n%s%s\nprinted:\n%sread:\n%s\n", static_cast<unsigned long long>(p.seed), p.declarations.c_str(), line.c_str(), print_ir(p.g(), printed).c_str(), print_ir(p.g(), as_read).c_str());
  return {};
}

Outcome check_matrix(const RandomProgram& program) {
  Printed p(program, program.seed % 3);
  if (!p.program) return {Outcome::Kind::Skipped};  // shrunk to nothing but declarations
  if (p.is_too_much_work()) return {Outcome::Kind::Skipped};
  const NodeId node = simplify(p.g(), p.value().node);
  const Raised raised = raise(p.g(), node, p.value().variance);
  if (!raised.expr) return raised.reason.empty() ? different("no matrix form, and no reason") : (++without, Outcome{Outcome::Kind::Skipped});
  return read_back(p, "G = " + to_text(*raised.expr), node, p.value_of(*p.program, p.value().node));
}

// A function of matrices that have no matrix form, as those in a larger tensor, is printed as inv_kl(T_ijkl): no notation of the language.
bool has_function_of_slices(const Graph& g, NodeId root) {
  return std::ranges::any_of(g.reachable(std::span(&root, 1)), [&](NodeId n) {
    return g[n].kind == Kind::Fun && row(g[n].fun_op()).core.in == 2 && !raise(g, n, std::vector<Variance>(g[n].rank(), Variance::Up)).expr;
  });
}

template <class Spell>  // of the equations of an index form, as one line
Outcome check_index_form(const RandomProgram& program, Spell spell) {
  Printed p(program, program.seed % 3);
  if (!p.program) return {Outcome::Kind::Skipped};  // shrunk to nothing but declarations
  if (p.is_too_much_work() || !can_be_written(p.g(), p.value().node)) return {Outcome::Kind::Skipped};
  Value value = p.value();
  value.node = simplify(p.g(), value.node);
  if (has_function_of_slices(p.g(), value.node)) return ++without, Outcome{Outcome::Kind::Skipped};
  return read_back(p, spell(p.g(), index_equations(p.g(), "G", value, true)), value.node, p.value_of(*p.program, p.value().node));
}

Outcome check_index(const RandomProgram& program) {
  return check_index_form(program, [](const Graph&, const std::vector<Equation>& equations) { return to_text(equations); });
}

// The tree that other notations spell means the same: in the language, and in Unicode.
Outcome check_tree(const RandomProgram& program) {
  const Notation notation = program.seed % 2 ? Notation{"text", to_text, "; "} : *find_notation("unicode");
  return check_index_form(program, [&](const Graph& g, const std::vector<Equation>& equations) { return typeset(g, equations, notation); });
}

// Rows number the entries of the function, column by column, and columns those of the variable.
Array<Quad> stacked(const Array<Quad>& a, size_t own) {
  std::vector<int64_t> order, shape;
  const size_t rank = a.shape.size();
  int64_t rows = 1, columns = 1;
  for (size_t k = 0; k < rank; ++k) (k < own ? rows : columns) *= a.shape[k];
  if (own > 0) shape.push_back(rows);
  if (own < rank) shape.push_back(columns);
  Array<Quad> r(shape);
  std::vector<int64_t> at(rank, 0);
  for (Quad x : a.data) {
    int64_t row = 0, column = 0;
    for (size_t k = own; k-- > 0;) row = row * a.shape[k] + at[k];
    for (size_t k = rank; k-- > own;) column = column * a.shape[k] + at[k];
    r.data[size_t(row * columns + column)] = x;
    for (size_t k = rank; k-- > 0 && ++at[k] == a.shape[k];) at[k] = 0;
  }
  return r;
}

Outcome check_vec(const RandomProgram& program) {
  Printed p(program, 1);
  if (!p.program) return {Outcome::Kind::Skipped};  // shrunk to nothing but declarations
  if (p.by.empty() || p.is_too_much_work() || !can_be_written(p.g(), p.value().node)) return {Outcome::Kind::Skipped};
  const NodeId x = *p.program->find(p.by[0]);
  const size_t own = p.g()[p.value().node].rank() - p.g()[x].rank();
  const Array<Quad> expected = stacked(p.value_of(*p.program, p.value().node), own);
  const Shown shown = vec_form(p.g(), {"F", {x}, p.value()});
  if (!shown.equation) return shown.reason.empty() ? different("no vec form, and no reason") : (++without, Outcome{Outcome::Kind::Skipped});
  const std::string line = "G = " + shown.equation->text;
  const std::optional<Program> read = p.parse(p.declarations + line + "\n");
  if (!read) return different(p.diagnostics);
  std::string wrong = disagreement(p.value_of(*read, read->definitions.back().value.node), expected);
  return wrong.empty() ? Outcome{} : different(wrong + "\n" + *shown.text());
}

template <class Check>
void count_nodes(uint64_t count, size_t largest, size_t most_of_thousand, Check check) {
  same_node = another_node = without = 0;
  campaign(count, largest, kLanguage, check);
  EXPECT_LE(another_node, same_node * most_of_thousand / 1000 + 1);
  std::printf("%zu read as the same node, %zu as another of the same value; %zu without this form\n", same_node, another_node, without);
}

TEST(Answers, MatrixFormReadsBack) { count_nodes(200, 8, kMostMatrixForms, check_matrix); }
TEST(Answers, IndexFormReadsBack) { count_nodes(200, 8, kMostIndexForms, check_index); }
TEST(Answers, TreesOfIndexFormsReadBack) { count_nodes(200, 8, kMostIndexForms, check_tree); }
TEST(Answers, VecFormHasTheValue) { count_nodes(150, 8, 0, check_vec); }

}  // namespace
