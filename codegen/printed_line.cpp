#include "codegen/printed_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <ranges>

#include "ir/text.h"
#include "passes/arrangement.h"
#include "passes/differentiate.h"

namespace ricci {
namespace {

// "tensor(^m, _n)": matrices and vectors are tensors too.
std::string kind_text(const Graph& g, const Type& type, const std::vector<Variance>& variance) {
  if (type.empty()) return "scalar";
  std::string axes;
  for (size_t k = 0; k < type.size(); ++k)
    axes += (k ? ", " : "") + std::string(k < variance.size() && variance[k] == Variance::Down ? "_" : "^") + g.spell(type[k]);
  return "tensor(" + axes + ")";
}

std::string declaration(const Graph& g, const std::string& name, const Symbol& s) {
  std::string text = name + ": " + kind_text(g, s.type, s.variance);
  for (Property p : s.properties.minimal()) text += " " + std::string(row(p).name);
  return text + "\n";
}

// The undeclared functions of the program, each as one of its calls shows it.
std::string functions(const Graph& g) {
  std::map<std::string, std::string> found;
  for (NodeId n{0}; n.value < g.size(); ++n.value) {
    if (g[n].kind != Kind::Call) continue;
    const Symbol& s = g.symbol(n);
    std::string arguments;
    for (NodeId a : g[n].operands) arguments += (arguments.empty() ? "" : ", ") + kind_text(g, g[a].type, {});
    if (s.function.empty()) found[s.name] = fmt::format("fun {}({}) -> {}\n", s.name, arguments, kind_text(g, s.type, s.variance));
  }
  std::string text;
  for (const auto& [name, line] : found) text += line;
  return text;
}

void replace_all(std::string& text, const std::string& what, const std::string& by) {
  for (size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size()) text.replace(at, what.size(), by);
}

// The line as a program that defines one tensor. A direction e(k) is a name there.
struct Reading {
  Program program;
  Value said;
  std::vector<NodeId> directions;
};
Reading read(const Program& p, const std::string& function, const PrintedLine& line) {
  const Graph& g = *p.graph;
  std::string source = functions(g), text = line.text;
  std::vector<std::string> names;
  for (const Declaration& d : p.declarations) {
    const auto promised = p.promised.find(d.node);
    source += declaration(g, d.name, g.symbol(promised == p.promised.end() ? d.node : promised->second));
  }
  const size_t equals = text.find(" = ");
  if (line.form == PrintedLine::Form::Matrix) text = function + " = " + text;
  else if (line.form != PrintedLine::Form::Index) text = function + text.substr(equals);
  size_t letter = 0;
  for (NodeId n : line.directions) {
    const std::string& spelled = g.symbol(n).name;
    if (line.form == PrintedLine::Form::Slices) {  // e(k); the left side has the letters in the same order
      letter = line.text.substr(0, equals).find(spelled.substr(2, spelled.size() - 3), letter + 1);
      if (letter == std::string::npos) throw NotReadable("the indices on the left are in another order");
      names.push_back(fmt::format("direction_{}", names.size() + 1));
      replace_all(text, spelled, names.back());
    } else {
      names.push_back(spelled);
    }
    source += declaration(g, names.back(), g.symbol(n));
  }
  Diagnostics diagnostics;
  auto program = parse_program(source + text + "\n", "<answer>", calculus(), diagnostics);
  if (!program) throw NotReadable(diagnostics.all().front().text);
  Reading r{std::move(*program), {{}}, {}};
  r.said = r.program.definitions.back().value;
  for (const std::string& name : names) r.directions.push_back(*r.program.find(name));
  return r;
}

// What is left of `t` when its last axes are summed with those of `direction`.
Array<Quad> along(const Array<Quad>& t, const Array<Quad>& direction) {
  const size_t entries = direction.data.size();
  Array<Quad> sum({t.shape.begin(), t.shape.end() - long(direction.shape.size())});
  for (size_t k = 0; k < t.data.size(); ++k) sum.data[k / entries] += t.data[k] * direction.data[k % entries];
  return sum;
}

// How many of the first axes are rows, where the entries of two tensors are numbered.
size_t row_axes(const Graph& g, const Derivative& d, size_t own) {
  if (own > 0) return own;
  const auto first = std::ranges::find_if(d.variables, [&](NodeId x) { return g[x].rank() > 0; });
  return first == d.variables.end() ? 0 : g[*first].rank();
}

// A tensor stacked with no axis on one side is a column or a row.
Array<Quad> as_matrix(const Array<Quad>& t, size_t rows) {
  Array<Quad> m = stacked(t, rows);
  if (t.shape.size() == 0) m.shape = {};
  else if (rows == t.shape.size()) m.shape.pop_back();
  else if (rows == 0) m.shape.erase(m.shape.begin());
  return m;
}

// Whether a matrix is the transpose of the derivative, whose rows are the function's, and a result with one axis is a row.
struct Stand {
  bool transposed = false, row = false;
};

// The left side of a Jacobian says how it stands: df/dx' has a row per component of f, df'/dx is its transpose; df/dx is a column by x or
// of f.
Stand by_left_side(std::string_view text) {
  const std::string_view left = text.substr(0, text.find(" = "));
  const bool function_is_row = left.substr(0, left.find('/')).ends_with('\''), variable_is_row = left.ends_with('\'');
  return {function_is_row && !variable_is_row, function_is_row || variable_is_row};
}

// As the layout has what is written without a left side.
Stand by_layout(const Derivative& d, size_t own, DerivativeLayout layout) {
  const size_t rank = d.value.variance.size();
  const bool hessian = own == 0 && d.variables.size() > 1;
  const bool transposed = !hessian && is_transposed(layout, own > 0, rank > own);
  return {transposed, rank == 1 && (d.value.variance[0] == Variance::Down) != transposed};
}

}  // namespace

Comparison compare_with_line(const Program& program, const Derivative& d, DerivativeLayout layout, const PrintedLine& line,
                             const Points& points) {
  using Form = PrintedLine::Form;
  const Graph& g = *program.graph;
  const Reading reading = read(program, d.function, line);
  IrError error;
  const auto there = parse_ir(*reading.program.graph, print_ir(g, std::span(&d.value.node, 1)), error);
  if (!there) throw std::logic_error("IR does not read back: " + error.message);

  size_t own = g[d.value.node].rank();
  for (NodeId x : d.variables) own -= g[x].rank();
  Stand stand;
  if (line.form == Form::Matrix) stand = by_layout(d, own, layout);
  else if (line.form == Form::Vec) stand = by_left_side(line.text);
  else if (own == 1) stand.row = d.value.variance[0] == Variance::Down;
  const auto meaning = [&](Array<Quad> t, const std::map<NodeId, Array<Quad>>& point) {
    for (NodeId n : reading.directions | std::views::reverse) {
      const auto at = point.find(n);  // none if the line does not depend on it, as 0 does not
      const size_t rank = (*reading.program.graph)[n].rank();
      t = along(t, at != point.end() ? at->second : Array<Quad>({t.shape.end() - long(rank), t.shape.end()}, Quad(1)));
    }
    if (line.form == Form::Vec) t = as_matrix(t, row_axes(g, d, own));
    return stand.transposed && t.shape.size() == 2 ? permuted(t, {1, 0}) : t;
  };
  Comparison c = compare(*reading.program.graph, (*there)[0], reading.said.node, points, {}, meaning);
  // Nothing but the variance tells a row from a column.
  const bool turned =
      line.form != Form::Index && reading.said.variance.size() == 1 && (reading.said.variance[0] == Variance::Down) != stand.row;
  if (turned && c.verdict == Comparison::Verdict::Equal) c.verdict = Comparison::Verdict::Transposed;
  return c;
}

}  // namespace ricci
