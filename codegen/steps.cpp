#include "codegen/steps.h"

#include <algorithm>
#include <cctype>
#include <set>

#include "passes/raise.h"
#include "passes/substitute.h"

namespace ricci {
namespace {

using Names = std::set<std::string, std::less<>>;

// Every name of the program, so that a statement's own is none of them.
Names names_of(const Program& p) {
  Names names;
  for (const Declaration& d : p.declarations) {
    names.insert(d.name);
    for (DimId dim : (*p.graph)[d.node].type) names.insert(p.graph->spell(dim));
  }
  for (const Definition& d : p.definitions) names.insert(d.name);
  for (const Export& e : p.exports) names.insert(e.name);
  return names;
}

// Operands that are written where they are used.
bool is_spelled(Kind k) { return k == Kind::Var || k == Kind::Const || k == Kind::Place || k == Kind::Epsilon; }

// t1, t2, ... by the statement's position, as far as these are not `taken`.
std::string fresh(const EmittedFunction& f, Names& taken) {
  for (size_t next = f.steps.size() + 1;; ++next)
    if (std::string t = "t" + std::to_string(next); taken.insert(t).second) return t;
}

// Adds the statements that `root` needs, and its own under `name`.
void add_steps(const Graph& g, NodeId root, const std::vector<Variance>& variance, const std::string& name, Names& taken,
               EmittedFunction& f) {
  std::vector<NodeId> whole = {root};  // nodes that need a statement, users before operands
  std::map<NodeId, std::optional<mat::Expr>> needed;
  for (size_t k = 0; k < whole.size(); ++k) {
    NodeId n = whole[k];
    if (needed.contains(n)) continue;
    std::vector<Variance> v = n == root ? variance : std::vector<Variance>(g[n].rank(), Variance::Up);
    auto& expr = needed[n];
    expr = raise(g, n, v).expr;
    if (expr) continue;
    for (NodeId o : g[n].operands)
      if (!is_spelled(g[o].kind) && !f.names.contains(o)) whole.push_back(o);
  }
  for (auto& [n, expr] : needed) {  // ascending: operands first
    EmittedStep step{n, n == root ? name : fresh(f, taken), expr, n == root ? variance : std::vector<Variance>(g[n].rank(), Variance::Up)};
    if (n != root) f.names.emplace(n, step.name);
    f.steps.push_back(std::move(step));
  }
}

// Calls of undeclared functions that lie on more than one way down from the roots, ascending: an expression would write them twice.
std::vector<NodeId> repeated_calls(const Graph& g, std::span<const NodeId> roots) {
  std::map<NodeId, int> ways;  // 2: or more
  for (NodeId r : roots) ways[r] = std::min(2, ways[r] + 1);
  std::vector<NodeId> nodes = g.reachable(roots), calls;
  for (size_t k = nodes.size(); k-- > 0;)
    for (NodeId o : g[nodes[k]].operands) ways[o] = std::min(2, ways[o] + ways[nodes[k]]);
  std::ranges::copy_if(nodes, std::back_inserter(calls), [&](NodeId n) { return g[n].kind == Kind::Call && ways[n] > 1; });
  return calls;
}

// Gives each repeated call a statement. The variables that stand for them in what follows.
std::map<NodeId, NodeId> add_calls(Graph& g, std::span<const NodeId> roots, Names& taken, EmittedFunction& f) {
  std::map<NodeId, NodeId> variables;
  for (NodeId call : repeated_calls(g, roots)) {
    std::vector<NodeId> operands;
    for (NodeId o : g[call].operands) operands.push_back(substitute(g, o, variables));
    Symbol s{.name = fresh(f, taken), .type = g[call].type, .variance = std::vector<Variance>(g[call].rank(), Variance::Up)};
    if (g.is_symmetric(call)) s.properties.add(Property::symmetric);
    add_steps(g, g.call({g[call].row}, std::move(operands), Type(g[call].type)), s.variance, s.name, taken, f);
    variables.emplace(call, g.variable(g.declare(std::move(s))));
  }
  return variables;
}

}  // namespace

std::vector<EmittedFunction> emitted_functions(const Program& program) {
  std::vector<EmittedFunction> functions;
  Graph& g = *program.graph;
  for (const Export& e : program.exports) {
    EmittedFunction f{.name = e.name, .arguments = {}, .steps = {}, .results = {}, .result_names = e.results, .names = {}, .functions = {}};
    Names taken = names_of(program);
    for (const std::string& a : e.arguments)
      if (const Declaration* d = program.find_declaration(a)) f.arguments.push_back(d), f.names.emplace(d->node, d->name);
    std::vector<NodeId> roots;
    for (const std::string& r : e.results)
      if (const Definition* d = program.find_definition(r)) roots.push_back(d->value.node);
    for (const CalledFunction& c : called_functions(g, roots)) taken.insert(f.functions.emplace_back(g[c.symbol].name));
    const std::map<NodeId, NodeId> calls = add_calls(g, roots, taken, f);
    for (const std::string& r : e.results) {
      const Definition* d = program.find_definition(r);
      if (!d) continue;
      add_steps(g, substitute(g, d->value.node, calls), d->value.variance, d->name, taken, f);
      f.results.push_back(f.steps.size() - 1);
    }
    functions.push_back(std::move(f));
  }
  return functions;
}

std::vector<DimensionSource> dimension_sources(const Graph& graph, const std::vector<const Declaration*>& arguments) {
  std::vector<DimensionSource> sources;
  for (const Declaration* a : arguments)
    for (size_t axis = 0; axis < graph[a->node].rank(); ++axis) {
      const Dim& d = graph[graph[a->node].type[axis]];
      bool known = std::ranges::find(sources, d.name, &DimensionSource::dimension) != sources.end();
      if (d.kind == Dim::Kind::Symbol && !known) sources.push_back({d.name, a, axis});
    }
  const auto is_known = [&](const std::string& name) { return std::ranges::find(sources, name, &DimensionSource::dimension) != sources.end(); };
  for (bool found = true; found;) {
    found = false;
    for (const Declaration* a : arguments)
      for (size_t axis = 0; axis < graph[a->node].rank() && !found; ++axis) {
        DimensionSource s{.dimension = "", .argument = a, .axis = axis, .coefficient = 0};
        bool linear = true;
        for (const auto& [symbols, c] : Extent::of(graph, graph[a->node].type[axis]).terms) {
          if (std::ranges::all_of(symbols, is_known)) {
            s.rest.terms[symbols] = c;
            continue;
          }
          linear = linear && s.dimension.empty() && symbols.size() == 1;
          s.dimension = symbols[0], s.coefficient = c;
        }
        found = linear && !s.dimension.empty();
        if (found) sources.push_back(std::move(s));
      }
  }
  return sources;
}

std::vector<std::string> unsourced_dimensions(const Graph& graph, const EmittedFunction& function) {
  std::set<std::string> names;
  const auto add = [&](DimId d) {
    for (const auto& [symbols, c] : Extent::of(graph, d).terms) names.insert(symbols.begin(), symbols.end());
  };
  std::vector<NodeId> roots;
  for (const EmittedStep& s : function.steps) roots.push_back(s.node);
  for (NodeId n : graph.reachable(roots)) {
    std::ranges::for_each(graph[n].type, add);
    if (graph[n].kind == Kind::Size || graph[n].kind == Kind::Place) add({graph[n].row});
  }
  for (const DimensionSource& s : dimension_sources(graph, function.arguments)) names.erase(s.dimension);
  return {names.begin(), names.end()};
}

std::string dimension_text(const DimensionSource& source, std::string size, std::string_view divided_by,
                           const std::function<std::string(const std::string&)>& name) {
  for (const auto& [symbols, c] : source.rest.terms) {
    size += " - " + (c != 1 || symbols.empty() ? std::to_string(c) + (symbols.empty() ? "" : " * ") : "");
    for (size_t k = 0; k < symbols.size(); ++k) size += (k > 0 ? " * " : "") + name(symbols[k]);
  }
  if (source.coefficient == 1) return size;
  return (source.rest.terms.empty() ? size : "(" + size + ")") + std::string(divided_by) + std::to_string(source.coefficient);
}

bool mentions(std::string_view text, std::string_view word) {
  auto part = [&](size_t at) { return at < text.size() && (std::isalnum(static_cast<unsigned char>(text[at])) || text[at] == '_'); };
  for (size_t at = 0; (at = text.find(word, at)) != text.npos; ++at)
    if (!(at > 0 && part(at - 1)) && !part(at + word.size())) return true;
  return false;
}

}  // namespace ricci
