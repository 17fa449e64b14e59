#include "ir/dot.h"

#include <algorithm>

#include "ir/text.h"

namespace ricci {
namespace {

std::string escaped(std::string_view s) {
  std::string r;
  for (char c : s) {
    if (c == '"' || c == '\\') r += '\\';
    r += c;
  }
  return r;
}

}  // namespace

std::string to_dot(const Graph& g, std::span<const NodeId> roots) {
  const std::vector<NodeId> ids = g.reachable(roots);
  std::string text = print_ir(g, roots), dot = "digraph ricci {\n  rankdir=BT;\n  node [shape=box, fontname=monospace];\n";
  std::string_view rest = text;
  for (NodeId id : ids) {  // print_ir writes one line a node, in this order
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(line.size() + 1);
    dot += "  n" + std::to_string(id.value) + " [label=\"" + escaped(line) + "\"" +
           (std::ranges::find(roots, id) == roots.end() ? "" : ", peripheries=2") + "];\n";
    for (NodeId operand : g[id].operands) dot += "  n" + std::to_string(operand.value) + " -> n" + std::to_string(id.value) + ";\n";
  }
  return dot + "}\n";
}

}  // namespace ricci
