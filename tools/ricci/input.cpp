// Reading, complaining and choosing.
#include "tools/ricci/input.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>

#include "frontend/spelling.h"
#include "passes/differentiate.h"
#include "tools/guard.h"
#include "tools/tensor_file.h"

namespace ricci::driver {

bool coloured_errors() {
  const char* none = std::getenv("NO_COLOR");
  return ::isatty(STDERR_FILENO) && !(none && *none);
}

void print_diagnostics(const Diagnostics& diagnostics, const Options& options) {
  if (diagnostics.all().empty()) return;
  std::string text = options.json_diagnostics ? diagnostics.to_json() : diagnostics.to_text(coloured_errors());
  std::fputs(text.c_str(), stderr);
  if (!text.ends_with('\n')) std::fputc('\n', stderr);
}

namespace {

struct Statements {
  bool declarations = false, definitions = false;
};
Statements statements_in(std::string_view text) {
  Statements s{.declarations = text.find("∈") != text.npos};
  int depth = 0;
  for (size_t k = 0; k < text.size(); ++k) {
    char c = text[k];
    if (c == '#') k = std::min(text.find('\n', k), text.size() - 1);
    depth += (c == '(' || c == '[' || c == '{') - (c == ')' || c == ']' || c == '}');
    bool comparison = c == '=' && ((k + 1 < text.size() && text[k + 1] == '=') ||
                                   (k > 0 && std::string_view("<>=!").find(text[k - 1]) != std::string_view::npos));
    if (depth > 0) continue;
    s.declarations = s.declarations || c == ':';
    s.definitions = s.definitions || (c == '=' && !comparison);
  }
  return s;
}

}  // namespace

Input read_input(const Options& options) {
  Input input;
  std::error_code ignored;
  const std::string& named = options.input;
  std::string_view bare = named;
  while (bare.starts_with(' ')) bare.remove_prefix(1);
  if (named == "-") {
    input = {.text = read_file("-"), .name = "<stdin>"};
  } else if (bare.size() < 4096 && (bare.ends_with(".ricci") || std::filesystem::is_regular_file(bare, ignored))) {
    input = {.text = read_file(std::string(bare)), .name = std::string(bare), .file = true};
  } else {
    input = {.text = std::string(bare), .name = "<expression>"};
  }
  while (input.text.ends_with('\n')) input.text.pop_back();
  const Statements s = statements_in(input.text);
  input.expression = !s.declarations && !s.definitions;
  input.inferred = !s.declarations && !(s.definitions && input.file);
  remember_input(input.name, input.text);
  return input;
}

Program parse_input(const Input& input, const Options& options) {
  Diagnostics diagnostics;
  std::optional<Program> program;
  ParseOptions how{.declarations = options.declare, .name = input.name};
  how.sizes_apart = options.emit == "numpy" || options.emit == "eigen";
  if (options.symmetric == "unconstrained")
    for (const std::string& x : split_names(options.wrt)) how.free.insert(x);
  if (input.inferred) program = parse_expression(input.text, how, calculus(), diagnostics);
  else program = parse_program(input.text, input.name, calculus(), diagnostics, how);
  print_diagnostics(diagnostics, options);
  if (!program) throw InputError{};
  check_size(*program->graph, options);
  if (!program->assumptions.empty()) std::fputs(fmt::format("assuming {}\n", fmt::join(program->assumptions, "; ")).c_str(), stderr);
  return std::move(*program);
}

namespace {

template <class List>
std::string unknown(std::string_view what, std::string_view name, const List& known) {
  std::vector<std::string> names;
  for (const auto& k : known) names.push_back(k.name);
  auto near = nearest(name, names);
  if (near) return fmt::format("no {} `{}`; did you mean `{}`?", what, name, *near);
  return fmt::format("no {} `{}`; there {} {}", what, name, names.size() == 1 ? "is" : "are",
                     names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", ")));
}

}  // namespace

std::vector<Definition> chosen_definitions(const Program& program, const Options& options) {
  if (program.definitions.empty()) throw UsageError(fmt::format("{} defines nothing", program.file));
  // The parts of `G = grad(f, {W, b})` have one place, that of the name G.
  const auto parts = [&](const Definition& one) {
    std::vector<Definition> all;
    for (const Definition& d : program.definitions)
      if (d.where.source == one.where.source && d.where.begin == one.where.begin) all.push_back(d);
    return all;
  };
  if (options.fn.empty()) return parts(program.definitions.back());
  if (const Definition* d = program.find_definition(options.fn)) return {*d};
  for (const Definition& d : program.definitions)
    if (d.where.end - d.where.begin == options.fn.size() && d.name.starts_with(options.fn + "_")) return parts(d);
  for (const Export& e : program.exports)
    if (e.name == options.fn && e.results.size() == 1) return {*program.find_definition(e.results[0])};
  throw UsageError(unknown("definition", options.fn, program.definitions));
}

Definition chosen_definition(const Program& program, const Options& options) {
  std::vector<Definition> chosen = chosen_definitions(program, options);
  if (chosen.size() == 1) return std::move(chosen[0]);
  std::vector<std::string> names;
  for (const Definition& d : chosen) names.push_back(d.name);
  throw UsageError(fmt::format("there are several, {}: say which by --fn {}", fmt::join(names, ", "), names[0]));
}

const Export& chosen_export(const Program& program, const Options& options) {
  if (program.exports.empty()) throw UsageError(fmt::format("{} exports nothing", program.file));
  if (options.fn.empty()) return program.exports.front();
  auto found = std::ranges::find(program.exports, options.fn, &Export::name);
  if (found == program.exports.end()) throw UsageError(unknown("exported function", options.fn, program.exports));
  return *found;
}

const Declaration& declared(const Program& program, std::string_view name) {
  if (const Declaration* d = program.find_declaration(name)) return *d;
  if (name.size() > 1 && program.source.find("^" + std::string(name)) != std::string::npos)
    throw UsageError(fmt::format("no variable `{0}`: the letters of `^{0}` are indices; the power is written `^({0})`", name));
  throw UsageError(unknown("variable", name, program.declarations));
}

const Declaration& differentiation_variable(const Program& program, std::string_view name) {
  const Declaration& d = declared(program, name);
  if (!program.graph->symbol(d.node).properties.has(Property::constant)) return d;
  throw UsageError(fmt::format("`{}` is declared constant; nothing is differentiated by it", d.name));
}

std::vector<std::string> split_names(std::string_view list) {
  std::vector<std::string> names(1);
  for (char c : list) {
    if (c == ',') names.emplace_back();
    else if (c != ' ') names.back() += c;
  }
  std::erase(names, "");
  return names;
}

std::vector<std::string> variable_names(const Options& options) {
  std::vector<std::string> names = split_names(options.wrt);
  if (names.empty()) throw UsageError("by which variable? --wrt x");
  return names;
}

std::map<std::string, int64_t, std::less<>> dimension_sizes(const Options& options) {
  std::map<std::string, int64_t, std::less<>> sizes;
  for (const std::string& text : options.dims) {
    size_t equals = text.find('=');
    int64_t size = -1;
    const char* end = text.data() + text.size();
    bool read = equals != std::string::npos && equals > 0 && std::from_chars(text.data() + equals + 1, end, size).ptr == end;
    if (!read || size < 0) throw UsageError(fmt::format("--dim is written n=1000, not `{}`", text));
    sizes[text.substr(0, equals)] = size;
  }
  return sizes;
}

void check_size(const Graph& graph, const Options& options) {
  if (options.max_nodes > 0 && graph.size() > options.max_nodes)
    throw TooLarge(fmt::format("the graph has {} nodes (--max-nodes {})", graph.size(), options.max_nodes));
}

}  // namespace ricci::driver
