// Derivations: every step is true, each begins where the one before ended, and the last one is the answer.
#include "codegen/derivation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "frontend/program.h"
#include "ir/interpret.h"
#include "ir/oracle.h"
#include "ir/sample.h"
#include "passes/compare.h"
#include "passes/derivation.h"
#include "passes/differentiate.h"
#include "passes/raise.h"
#include "passes/simplify.h"
#include "passes/weight.h"
#include "tests/fuzz/campaign.h"
#include "tests/fuzz/interpreter_work.h"
#include "tests/fuzz/random_program.h"
#include "tests/well_formed.h"

namespace ricci {
namespace {

struct Explained {
  Program program;
  Derivation derivation;
};

Explained explain(const std::string& text, const std::string& by, const DerivativeStyle& style = {}) {
  Diagnostics diagnostics;
  auto program = parse_expression(text, {}, calculus(), diagnostics);
  EXPECT_TRUE(program) << text;
  Graph& g = *program->graph;
  const Declaration x = *program->find_declaration(by);
  DerivationRequest request{.f = program->find_definition("f")->value, .x = x.node, .style = style};
  request.answer = ricci::derivative(g, request.f, x, 1, style.symmetric);
  request.answer.node = simplify(g, request.answer.node);
  for (const Declaration& d : program->declarations) request.taken.push_back(d.name);
  auto d = derive(g, request);
  EXPECT_TRUE(d) << text;
  return {std::move(*program), std::move(*d)};
}

// What breaks the chain of steps; empty if nothing does.
std::string broken_chain(const Derivation& d) {
  const DerivationStep* last = nullptr;
  for (const DerivationSection& s : d.sections)
    for (size_t k = 0; k < s.steps.size(); ++k) {
      const DerivationStep& step = s.steps[k];
      if (k == 0 && !step.opens) return "a section begins in the middle of a chain";
      if (!step.opens && (step.before.node != last->after.node || step.before.line != last->after.line))
        return "a step begins where none ended";
      last = &step;
    }
  return last ? "" : "nothing is derived";
}

TEST(Derivation, OfTheQuadraticFormIsTheLectureNotes) {
  Explained e = explain("x'*A*x", "x");
  EXPECT_EQ(derivation_text(*e.program.graph, e.derivation), R"(In components
  (1)   f = x_i*A_ij*x_j    by definition: f = x'*A*x

The derivative of f by x
  (2)   df/dx_k = (dx_i/dx_k)*A_ij*x_j + x_i*A_ij*(dx_j/dx_k)    product rule
  (3)           = delta_ik*A_ij*x_j + x_i*A_ij*delta_jk          derivatives of the factors: dx_i/dx_k = delta_ik;
                                                                 dx_j/dx_k = delta_jk
  (4)           = A_kj*x_j + x_i*A_ik                            sum over the deltas: delta_ik renames i to k;
                                                                 delta_jk renames j to k
  (5)     df/dx = A'*x + A*x                                     in matrix notation: A_kj*x_j is the product A*x;
                                                                 x_i*A_ik is the product A'*x
  (6)           = (A + A')*x                                     collect
)");
}

TEST(Derivation, IsTrueStepByStep) {
  const std::pair<const char*, const char*> cases[] = {
      {"norm2(A*x - b)^2", "x"},
      {"norm2(A*x - b)", "x"},
      {"tr(A*X'*X)", "X"},
      {"logdet(X)", "X"},
      {"logdet(X'*X)", "X"},
      {"det(X)", "X"},
      {"sum(log1p(exp(-y.*(X*w))))", "w"},
      {"-y'*log(softmax(z))", "z"},
      {"x*x'*x", "x"},
      {"a'*x/(x'*A*x)", "x"},
      {"inv(X)", "X"},
      {"tanh(A*x)", "x"},
      {"norm2(sigmoid(W3*sigmoid(W2*sigmoid(W1*x))) - y)^2", "W1"},
      {"norm2(sigmoid(W3*sigmoid(W2*sigmoid(W1*x))) - y)^2", "W2"},
      {"norm2(sigmoid(W3*sigmoid(W2*sigmoid(W1*x))) - y)^2", "W3"},
      {"x.*exp(x)/sum(exp(x))", "x"},
      {"diag(x)*A*diag(x)", "x"},
      {"softmax(A*x)", "x"},
      {"tr(diag(x)*A*diag(x))", "x"},
      {"prod(x)", "x"},
      {"max(x)", "x"},
      {"adj(X)", "X"},
      {"a'*b", "a"},
      {"diag(X)[1]*a", "X"},
      {"expm(alpha*A)*a", "alpha"},
      {"h + tanh(W*(h + tanh(W*h)))", "h"},
      {"tr(A*expm(X))", "X"},
      {"expm(X)*b", "X"},
      {"c'*sqrtm(X)*c", "X"},
      {"tr(A*logm(inv(X)))", "X"},
      {"tr(A*X^(1/3))", "X"},
      {"tr(A*expm(-X)*B*cosm(X)) + tr(X'*X)", "X"},
      {"tr(sinm(X)*cosm(X))", "X"},
      {"expm(alpha*A + B)*b", "alpha"},
      {"tr(B*expm(alpha*A))", "A"},
      {"tr(A*sqrtm(X*X'))", "X"},
      {"tr(A*expm([X, B; 0*X, X']))", "X"},
      {"tr(A*triu(X*X'))", "X"},
      {"tril(X)*b", "X"},
      {"b'*eigvecmax(X + X')", "X"},
      {"tr(A*kron(X, B))", "X"},
      {"vec(X)'*A*vec(X)", "X"},
      {"[x; y]'*A*[x; y]", "x"},
  };
  for (const auto& [text, by] : cases) {
    Explained e = explain(text, by);
    const DerivationCheck c = check(*e.program.graph, e.derivation);
    EXPECT_FALSE(c.wrong) << text << ": " << step_title(c.wrong->kind) << "\n" << derivation_text(*e.program.graph, e.derivation);
    EXPECT_GT(c.points, 0) << text;
    EXPECT_EQ(broken_chain(e.derivation), "") << text;
  }
}

TEST(Derivation, IsWellFormedInEveryNotation) {
  for (const auto& [text, by] : {std::pair("norm2(A*x - b)", "x"),
                                 {"x.*exp(x)/sum(exp(x))", "x"},
                                 {"-y'*log(softmax(W*x))", "W"},
                                 {"tr(inv(X)^2*A)", "X"},
                                 {"sum(where(x < y, x.^2, sqrt(y)))", "y"},
                                 {"tr(A*expm([X, B; 0*X, X]))", "X"},
                                 {"tr(A*kron(X, triu(B)))", "B"},
                                 {"norm2(sigmoid(W2*sigmoid(W1*x)) - y)^2", "W1"}}) {
    Explained e = explain(text, by);
    const std::string latex = derivation_latex(*e.program.graph, e.derivation), mathml = derivation_mathml(*e.program.graph, e.derivation);
    EXPECT_EQ(count(latex, "{"), count(latex, "}")) << latex;
    EXPECT_EQ(count(latex, "\\left"), count(latex, "\\right")) << latex;
    EXPECT_EQ(count(latex, "$") % 2, 0u) << latex;
    EXPECT_EQ(mistake_in_mathml(mathml), "") << mathml;
    EXPECT_EQ(count(mathml, "<li>"), count(latex, "\\tag{")) << "a step is missing";
  }
}

// The right sides of the numbered lines of a text, in order.
std::vector<std::string> right_sides(const std::string& text) {
  std::vector<std::string> result;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("  (" + std::to_string(result.size() + 1) + ")")) continue;
    const size_t from = line.find(" = ") + 3;
    result.push_back(line.substr(from, line.find("    ", from) - from));
  }
  return result;
}

std::string declaration(const Graph& g, NodeId variable) {
  constexpr const char* kKinds[] = {"scalar", "vector", "matrix", "tensor"};
  const Type& type = g[variable].type;
  std::string dims;
  for (DimId d : type) dims += (dims.empty() ? "" : ", ") + std::string(type.size() > 2 ? "_" : "") + g.spell(d);
  return g.symbol(variable).name + ": " + kKinds[std::min<size_t>(type.size(), 3)] + (dims.empty() ? "" : "(" + dims + ")") + "\n";
}

Array<Quad> value_of(const Graph& g, NodeId n, const Dims& dims, const std::map<NodeId, Array<Quad>>& at) {
  return interpret<Quad>(g, std::span(&n, 1), dims, at)[0];
}

// What is checked is the node of a line; that its letters say the same, by reading them back. Lines with derivatives in them are not of the
// language.
TEST(Derivation, LinesReadBackAsWhatIsChecked) {
  int read = 0, broadcast = 0;
  for (const auto& [text, by] : {std::pair("x'*A*x", "x"),
                                 {"norm2(A*x - b)", "x"},
                                 {"X*A*X", "X"},
                                 {"x[1]^2*x[2]*(A*x)", "x"},
                                 {"tr(diag(x)*A*diag(x))", "x"},
                                 {"softmax(A*x)", "x"},
                                 {"tr(B*pinv(A))", "A"},
                                 {"tr(A*inv(X))/det(X)", "X"},
                                 {"diag(X)'*X*ones(n)", "X"},
                                 {"norm2(sigmoid(W2*sigmoid(W1*x)) - y)^2", "W1"}}) {
    Explained e = explain(text, by);
    Graph& g = *e.program.graph;
    const std::vector<std::string> rights = right_sides(derivation_text(g, e.derivation));
    size_t k = 0;
    for (const DerivationSection& s : e.derivation.sections)
      for (const DerivationStep& step : s.steps) {
        ASSERT_LT(k, rights.size());
        const std::string& right = rights[k++];
        if (step.after.notation != Formula::Notation::Index) continue;
        std::string program;
        std::map<std::string, NodeId> variables;
        std::map<NodeId, Array<Quad>> at;
        const Dims dims = distinct_sizes(g, std::span(&step.after.node, 1), {});
        bool in_language = true;
        for (NodeId n : g.reachable(std::span(&step.after.node, 1))) {
          const bool identity = g[n].kind == Kind::Ein && g[n].operands.empty() && g.out(n) == Labels{0, 0};
          EXPECT_TRUE(!identity || right.find("delta") != right.npos) << "a unit matrix without a delta: " << right;
          if (g[n].kind != Kind::Var) continue;
          auto meaning = e.derivation.stand_ins.find(n);
          const bool delta = meaning != e.derivation.stand_ins.end() && meaning->second.kind == StandIn::Kind::Delta;
          in_language &= meaning == e.derivation.stand_ins.end() || meaning->second.kind != StandIn::Kind::Derivative;
          if (delta) {
            at[n] = value_of(g, g.delta(g[n].type[0]), dims, {});
            continue;
          }
          at[n] = random_point(g, std::span(&n, 1), dims, 7 + n.value).at(n);
          variables[g.symbol(n).name] = n;
          program += declaration(g, n);
        }
        if (!in_language) continue;
        std::string letters;
        for (Label l : step.after.line.out) letters += index_letter(l);
        std::string ones;  // 1 is a line of its own for every free letter
        for (size_t a = 0; a < letters.size(); ++a) ones += "[ones(" + g.spell(step.after.line.type[a]) + ")]_" + letters[a] + "*";
        program += "r" + (letters.empty() ? "" : "_" + letters) + " = " + ones + "(" + right + ")\n";
        Diagnostics diagnostics;
        auto p = parse_program(program, "line", calculus(), diagnostics);
        if (!p) {  // u_j - lse(u): the language broadcasts no numbers
          EXPECT_NE(diagnostics.to_text().find("the free indices of this term are"), std::string::npos) << program << diagnostics.to_text();
          ++broadcast;
          continue;
        }
        std::map<NodeId, Array<Quad>> there;
        for (const Declaration& d : p->declarations) there[d.node] = at.at(variables.at(d.name));
        const Array<Quad> is = value_of(*p->graph, p->find_definition("r")->value.node, dims, there),
                          should = value_of(g, step.after.node, dims, at);
        EXPECT_LE(relative_difference(is, should), 1e-18) << program << derivation_text(g, e.derivation);
        ++read;
      }
  }
  EXPECT_GT(read, 60);
  EXPECT_LT(broadcast, 30);
}

TEST(Derivation, OfAWrongStepIsRefuted) {
  for (const auto& [text, by] : {std::pair("norm2(A*x - b)^2", "x"), {"tr(A*expm(X))", "X"}, {"tr(A*triu(X))", "X"}}) {
    Explained e = explain(text, by);
    Graph& g = *e.program.graph;
    for (DerivationSection& s : e.derivation.sections)
      for (DerivationStep& step : s.steps) {
        const NodeId right = step.after.node;
        step.after.node = g.scale(-1, right);
        EXPECT_EQ(check(g, e.derivation).wrong, &step);
        step.after.node = right;
      }
    EXPECT_EQ(check(g, e.derivation).wrong, nullptr);
  }
}

TEST(Derivation, UsesTheNamesOfTheProgram) {
  Diagnostics diagnostics;
  auto p = parse_program("W: matrix(m, n)\nx: vector(n)\nhidden = tanh(W*x)\nL = hidden'*hidden\n", "p", calculus(), diagnostics);
  ASSERT_TRUE(p);
  Graph& g = *p->graph;
  const Declaration x = *p->find_declaration("x");
  DerivationRequest request{.function = "L", .f = p->find_definition("L")->value, .x = x.node};
  request.answer = ricci::derivative(g, request.f, x, 1);
  request.names = {{p->find_definition("hidden")->value.node, "hidden"}};
  auto d = derive(g, request);
  ASSERT_TRUE(d);
  EXPECT_NE(derivation_text(g, *d).find("hidden_i = tanh(u_i)"), std::string::npos) << derivation_text(g, *d);
}

TEST(Derivation, OfAThousandLayersIsRefused) {
  Graph g;
  const DimId n = g.dim("n");
  const NodeId A = g.variable(g.declare({"A", {n, n}, {Variance::Up, Variance::Down}, {}})),
               x = g.variable(g.declare({"x", {n}, {Variance::Up}, {}}));
  NodeId h = x;
  for (int k = 0; k < 1000; ++k) h = g.map(MapOp::tanh_, {g.ein({{A, {0, 1}}, {h, {1}}}, {0}, {n})});
  const NodeId f = g.ein({{h, {0}}}, {}, {});
  DerivationRequest request{.f = {f}, .x = x, .answer = {differentiate(g, f, x)}};
  EXPECT_FALSE(derive(g, request));
}

// Not the words: that each line is an equality, whatever the program.
TEST(Derivation, OfRandomProgramsIsTrueStepByStep) {
  fuzz::campaign(200, 10, {.small = true}, [](const fuzz::RandomProgram& p) -> fuzz::Outcome {
    Graph g;
    const std::vector<NodeId> nodes = p.build(g);
    const NodeId f = nodes.back();
    std::vector<NodeId> variables;
    for (NodeId n : g.reachable(std::span(&f, 1)))
      if (g[n].kind == Kind::Var) variables.push_back(n);
    if (variables.empty()) return {fuzz::Outcome::Kind::Skipped};
    const NodeId x = variables[p.seed % variables.size()];
    const Declaration by{.name = g.symbol(x).name, .node = x};
    DerivationRequest request{.f = {f, std::vector<Variance>(g[f].rank(), Variance::Up)}, .x = x};
    request.answer = ricci::derivative(g, request.f, by, 1);
    if (fuzz::interpreter_work(g, std::span(&request.answer.node, 1), p.dims()) > 1e4) return {fuzz::Outcome::Kind::Skipped};
    request.answer.node = simplify(g, request.answer.node);
    auto d = derive(g, request);
    if (!d) return {fuzz::Outcome::Kind::Skipped};
    if (std::string wrong = broken_chain(*d); !wrong.empty()) return fuzz::different(wrong);
    const std::string text = derivation_text(g, *d);
    const DerivationCheck c = check(g, *d, p.dims());
    if (c.wrong) return fuzz::different("a step is wrong: " + std::string(step_title(c.wrong->kind)) + "\n" + text);
    return c.points > 0 ? fuzz::Outcome{} : fuzz::Outcome{fuzz::Outcome::Kind::Kink};
  });
}

}  // namespace
}  // namespace ricci
