#include "codegen/object_unit.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <stdexcept>

#include "passes/optimize.h"

namespace ricci {

namespace {

CompileRequest::Argument argument(const std::string& name, NodeId node, const BuildOptions& options) {
  return {name, node, options.column_major.contains(name) ? Layout::ColumnMajor : Layout::RowMajor};
}

// FNV-1a, 64 bits, as hexadecimal digits.
std::string fingerprint(std::string_view text) {
  uint64_t h = 14695981039346656037u;
  for (unsigned char c : text) h = (h ^ c) * 1099511628211u;
  return fmt::format("{:016x}", h);
}

std::string spell(const Export& e) {
  const auto list = [](const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& n : names) text += (text.empty() ? "" : ", ") + n;
    return text;
  };
  return "export " + e.name + "(" + list(e.arguments) + ") -> " + list(e.results);
}

}  // namespace

CompileRequest make_request(const Program& program, const Export& e, const BuildOptions& options, const Target& target) {
  CompileRequest request;
  request.name = e.name;
  for (const std::string& name : e.arguments) {
    const Declaration* d = program.find_declaration(name);
    if (!d) throw std::invalid_argument(fmt::format("no variable `{}` for {} to take", name, e.name));
    request.inputs.push_back(argument(name, d->node, options));
  }
  for (const std::string& name : e.results) {
    const std::optional<NodeId> node = program.find(name);
    if (!node) throw std::invalid_argument(fmt::format("no definition `{}` for {} to give", name, e.name));
    request.outputs.push_back(argument(name, *node, options));
  }
  std::set<std::string_view> taken;
  for (const auto& list : {std::cref(request.inputs), std::cref(request.outputs)})
    for (const CompileRequest::Argument& a : list.get())
      if (!taken.insert(a.name).second) throw std::invalid_argument(fmt::format("{} lists `{}` twice", e.name, a.name));
  for (const std::string& name : options.column_major)
    if (!std::ranges::count(e.arguments, name) && !std::ranges::count(e.results, name))
      throw std::invalid_argument(fmt::format("no argument or result `{}` of {} to be column-major", name, e.name));
  request.scalar = options.scalar;
  request.vector_bytes = std::max<uint32_t>(16, vector_lanes(target, options.scalar) * uint32_t(size_of(options.scalar)));
  const std::vector<DimId> dims = symbolic_dims(*program.graph, request);
  for (const auto& [name, size] : options.dims) {
    const auto found = std::ranges::find_if(dims, [&](DimId d) { return program.graph->spell(d) == name; });
    if (found == dims.end()) throw std::invalid_argument(fmt::format("no dimension `{}` in the arrays of {}", name, e.name));
    request.fixed[*found] = size;
  }
  return request;
}

Unit build(Program& program, const Export& e, const BuildOptions& options, const Target& target) {
  CompileRequest request = make_request(program, e, options, target);
  Graph& g = *program.graph;
  if (options.optimize) {
    std::vector<NodeId> outputs;
    for (const CompileRequest::Argument& a : request.outputs) outputs.push_back(a.node);
    outputs = optimize(g, std::move(outputs), sizes_of(request));
    for (size_t i = 0; i < outputs.size(); ++i) request.outputs[i].node = outputs[i];
  }
  Unit unit{lower_to_loops(g, request)};
  unit.source = program.source.ends_with('\n') ? program.source : program.source + "\n";
  if (program.source.find(spell(e)) == std::string::npos) unit.source += spell(e) + "\n";
  unit.hash = fingerprint(to_text(unit.program) + describe(target));
  return unit;
}

}  // namespace ricci
