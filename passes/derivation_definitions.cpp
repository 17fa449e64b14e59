#include "passes/derivation_definitions.h"

#include <algorithm>
#include <cctype>
#include <set>
#include <string>

#include "frontend/formula.h"
#include "passes/raise.h"

namespace ricci {
namespace {

// A function by its name and the rank of its operand, x or X, and what it is, in the language.
struct Row {
  std::string_view name;
  size_t rank;
  std::string_view value, meaning, remark = "";
};
constexpr Row kRows[] = {
    {"norm2", 1, "norm2(x)", "sqrt(sum(x.^2))"},
    {"norm2", 2, "norm2(X)", "sqrt(sum(X.^2))"},
    {"lse", 1, "lse(x)", "log(sum(exp(x)))"},
    {"softmax", 1, "softmax(x)", "exp(x)/sum(exp(x))", "so that exp(x - lse(x)*ones(n)) is softmax(x)"},
    {"sigmoid", 0, "sigmoid(x)", "1/(1 + exp(-x))"},
    {"softplus", 0, "softplus(x)", "log(1 + exp(x))"},
    {"logdet", 2, "logdet(X)", "log(abs(det(X)))"},
    {"adj", 2, "adj(X)", "det(X)*inv(X)", "where X is nonsingular"},
};

using Names = std::set<std::pair<std::string, size_t>>;  // with the rank of the operand, kAny if that is not known
constexpr size_t kAny = size_t(-1);

void add_words(std::string_view text, Names& names) {
  std::string word;
  auto flush = [&] {
    if (!word.empty()) names.emplace(word == "normF" || word == "norm" ? "norm2" : word, kAny);
    word.clear();
  };
  for (char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) || c == '_') word += c;
    else flush();
  }
  flush();
}

void add_calls(const mat::Expr& e, std::map<std::string, size_t, std::less<>>& calls) {
  if (e->op == mat::Op::Call) {
    const mat::Shape& operand = e->operands.empty() ? e->shape : e->operands[0]->shape;
    size_t& rank = calls[e->name];
    rank = std::max<size_t>(rank, e->entrywise || operand.is_scalar() ? 0 : operand.is_matrix() ? 2 : 1);
  }
  for (const mat::Expr& o : e->operands) add_calls(o, calls);
}

void add_expression(const Graph& g, NodeId n, Names& names) {
  if (auto e = g[n].rank() > 2 ? std::nullopt : raise(g, n, {}).expr)
    for (const auto& [name, rank] : function_calls(*e)) names.emplace(name, rank);
}

// The user's own words, the functions in f and in what they move by, and what the answer is written with.
Names names_in(const Graph& g, NodeId f, NodeId answer, std::string_view source) {
  Names names;
  add_words(source, names);
  add_expression(g, answer, names);
  for (NodeId n : g.reachable(std::span(&f, 1))) {
    if (g[n].kind == Kind::Map) add_words(row(g[n].map_op()).name, names);
    if (g[n].kind == Kind::Fun) add_words(row(g[n].fun_op()).name, names), add_words(row(g[n].fun_op()).differential, names);
  }
  Names called;  // how f is written says of what a function is that the user names
  add_expression(g, f, called);
  for (const auto& [name, rank] : called)
    if (names.contains({name, kAny})) names.emplace(name, rank);
  return names;
}

}  // namespace

std::map<std::string, size_t, std::less<>> function_calls(const mat::Expr& e) {
  std::map<std::string, size_t, std::less<>> calls;
  add_calls(e, calls);
  return calls;
}

std::vector<FunctionMeaning> function_meanings(Graph& g, NodeId f, NodeId answer, std::string_view source) {
  const Names names = names_in(g, f, answer, source);
  std::vector<FunctionMeaning> result;
  for (const Row& r : kRows) {
    const std::string name(r.name);
    bool wanted = names.contains({name, r.rank});
    if (!wanted && names.contains({name, kAny})) {  // of unknown operands the first row, unless another is called
      wanted = &r == std::ranges::find(kRows, r.name, &Row::name);
      for (const Row& other : kRows) wanted &= other.name != r.name || !names.contains({name, other.rank});
    }
    if (!wanted) continue;
    const DimId n = g.dim("n");
    const char* x = r.rank == 2 ? "X" : "x";
    const Type type(r.rank, n);
    const Bindings bindings{{x, g.variable(g.declare({x, type, std::vector<Variance>(r.rank, Variance::Up), {}}))}};
    result.push_back({r.name, build_formula(g, r.value, bindings, FormulaMode::Matrix),
                      build_formula(g, r.meaning, bindings, FormulaMode::Matrix), r.remark});
  }
  return result;
}

}  // namespace ricci
