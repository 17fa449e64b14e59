// Rows of the table of emitters; each only calls the library that does the work.
#include "tools/ricci/emit.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "codegen/cpp.h"
#include "codegen/eigen.h"
#include "codegen/equation.h"
#include "codegen/header.h"
#include "codegen/numpy.h"
#include "frontend/spelling.h"
#include "ir/dot.h"
#include "ir/json.h"
#include "ir/text.h"
#include "passes/plan.h"
#include "passes/raise.h"
#include "tools/guard.h"
#include "tools/ricci/answer.h"
#include "tools/ricci/function.h"
#include "tools/tensor_file.h"

namespace ricci::driver {
namespace {

std::string numpy_expression(const Program& p, const Value& value, const std::string& name) {
  Raised raised = raise(*p.graph, value.node, value.variance);
  if (!raised.expr) throw NotSupported(fmt::format("{} has no matrix form ({}): an expression of NumPy", name, raised.reason));
  return to_numpy(*raised.expr) + "\n";
}

std::string eigen_expression(const Program& p, const Value& value, const std::string& name) {
  std::set<std::string> dimensions;
  for (const Declaration& d : p.declarations)
    for (DimId dim : (*p.graph)[d.node].type) dimensions.insert(p.graph->spell(dim));
  Raised raised = raise(*p.graph, value.node, value.variance);
  if (!raised.expr) throw NotSupported(fmt::format("{} has no matrix form ({}): an expression of Eigen", name, raised.reason));
  return to_eigen(*raised.expr, dimensions) + "\n";
}

template <std::string (*print)(const Graph&, std::span<const NodeId>)>
std::string from_graph(const Program& p, const Value& value, const std::string&) {
  return print(*p.graph, std::span(&value.node, 1));
}

constexpr AnswerEmitter kAnswerEmitters[] = {
    {"numpy", numpy_expression},  {"eigen", eigen_expression},  {"ir", from_graph<print_ir>},
    {"dot", from_graph<to_dot>}, {"json", from_graph<to_json>},
};

std::vector<NodeId> results_of(const Program& p, std::span<const Export> functions) {
  std::vector<NodeId> nodes;
  for (const Export& e : functions)
    for (const std::string& name : e.results) nodes.push_back(*p.find(name));
  return nodes;
}

template <std::string (*print)(const Graph&, std::span<const NodeId>)>
std::string from_results(Program& p, std::span<const Export> functions, const Options&) {
  return print(*p.graph, results_of(p, functions));
}

// Emitters of whole programs in matrix notation: definitions as the answers should stand, the chosen functions alone.
template <std::string (*emit)(const Program&)>
std::string from_formulas(Program& p, std::span<const Export> functions, const Options&) {
  for (Definition& d : p.definitions) d.value = simplified(p, d.value);
  p.exports.assign(functions.begin(), functions.end());
  return emit(p);
}

std::string eigen(Program& p, std::span<const Export> functions, const Options& options) {
  if (options.use_float) throw NotSupported("--emit eigen with --float (its code computes in double; that of --emit cpp in either)");
  return from_formulas<eigen_header>(p, functions, options);
}

// Where nothing is exported each definition of a chain is a function that computes all those before it: code of quadratic size.
void limit_size(const Program& p, std::span<const Export> functions) {
  constexpr size_t kMostNodes = 1'000'000;
  size_t nodes = 0;
  for (const Export& e : functions) {
    nodes += p.graph->reachable(results_of(p, std::span(&e, 1))).size();
    if (nodes > kMostNodes && functions.size() > 1)
      throw TooLarge(fmt::format("{} functions with more than {} operations together; `export` those that are wanted", functions.size(), kMostNodes));
  }
}

std::vector<Unit> units_of(Program& p, std::span<const Export> functions, const Options& options) {
  limit_size(p, functions);
  std::vector<Unit> units;
  for (const Export& e : functions) units.push_back(unit_for(p, e, options, true));
  return units;
}

template <CodeForm form>
std::string from_units(Program& p, std::span<const Export> functions, const Options& options) {
  return ricci::compile(units_of(p, functions, options), target_of(options), form);
}

// The kernels that compiled code calls: beside this program where it was built, or where it was installed.
std::string runtime_library() {
  const std::filesystem::path here = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  for (const char* folder : {"..", "../lib"})
    if (const auto path = here / folder / "libricci_runtime.a"; std::filesystem::exists(path)) return path.string();
  throw std::runtime_error("a shared library needs libricci_runtime.a, which is neither above nor in lib beside the folder of this program");
}

std::string shared_library(Program& p, std::span<const Export> functions, const Options& options) {
  require_host(target_of(options));
  const std::string object = from_units<CodeForm::Object>(p, functions, options);
  const std::filesystem::path path = std::filesystem::temp_directory_path() / fmt::format("ricci-{}.so", std::hash<std::string>()(object));
  link_shared(object, path.string(), {runtime_library(), "-Wl,--exclude-libs,ALL", "-lstdc++", "-lpthread"});
  std::string bytes = read_file(path.string());
  std::filesystem::remove(path);
  return bytes;
}

std::string header(Program& p, std::span<const Export> functions, const Options& options) {
  std::string guard = std::filesystem::path(options.output.empty() ? p.file : options.output).stem().string();
  return emit_header(units_of(p, functions, options), guard);
}

std::string cpp(Program& p, std::span<const Export> functions, const Options& options) {
  const std::vector<std::string> notes = {"Ricci " RICCI_PROJECT_VERSION};
  return to_cpp(units_of(p, functions, options), notes);
}

std::string loop_text(Program& p, std::span<const Export> functions, const Options& options) {
  std::string text;
  for (const Unit& u : units_of(p, functions, options)) text += loops::to_text(u.program);
  return text;
}

std::string plan_text(Program& p, std::span<const Export> functions, const Options& options) {
  Sizes sizes;
  for (const auto& [name, size] : dimension_sizes(options)) sizes.known[p.graph->dim(name)] = size;
  std::string text;
  for (const Export& e : functions) {
    const Plan plan = make_plan(*p.graph, results_of(p, std::span(&e, 1)), sizes);
    text +=
        fmt::format("# {}({}) -> {}\n{}", e.name, fmt::join(e.arguments, ", "), fmt::join(e.results, ", "), to_text(*p.graph, plan, sizes));
  }
  return text;
}

constexpr ProgramEmitter kProgramEmitters[] = {
    {"eigen", eigen},
    {"numpy", from_formulas<numpy_module>},
    {"cpp", cpp},
    {"header", header},
    {"llvm", from_units<CodeForm::Llvm>},
    {"bc", from_units<CodeForm::Bitcode>},
    {"asm", from_units<CodeForm::Assembly>},
    {"obj", from_units<CodeForm::Object>},
    {"so", shared_library},
    {"dot", from_results<to_dot>},
    {"json", from_results<to_json>},
    {"ir", from_results<print_ir>},
    {"plan", plan_text},
    {"loops", loop_text},
};

template <class Table>
auto find_kind(const Table& table, std::string_view kind) {
  auto found = std::ranges::find(table, kind, [](const auto& row) { return row.kind; });
  return found == std::end(table) ? nullptr : &*found;
}

}  // namespace

std::span<const AnswerEmitter> answer_emitters() { return kAnswerEmitters; }
std::span<const ProgramEmitter> program_emitters() { return kProgramEmitters; }
const AnswerEmitter* find_answer_emitter(std::string_view kind) { return find_kind(kAnswerEmitters, kind); }
const ProgramEmitter* find_program_emitter(std::string_view kind) { return find_kind(kProgramEmitters, kind); }

bool is_formula(std::string_view kind) { return kind.empty() || kind == "text" || find_notation(kind); }

std::string unknown_kind(std::string_view kind) {
  std::vector<std::string> names = {"text"};
  for (const Notation& n : notations()) names.emplace_back(n.kind);
  for (const AnswerEmitter& e : kAnswerEmitters) names.emplace_back(e.kind);
  for (const ProgramEmitter& e : kProgramEmitters)
    if (!find_answer_emitter(e.kind)) names.emplace_back(e.kind);
  auto near = nearest(kind, names);
  return near ? fmt::format("nothing called `{}` is emitted; did you mean `{}`?", kind, *near)
              : fmt::format("nothing called `{}` is emitted; there are {}", kind, fmt::join(names, ", "));
}

}  // namespace ricci::driver
