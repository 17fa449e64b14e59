#include "ir/calls.h"

#include <map>
#include <tuple>

namespace ricci {

size_t batch_rank(const Graph& g, NodeId call) { return g[call].rank() - g.symbol(call).type.size(); }

std::vector<CalledFunction> called_functions(const Graph& g, std::span<const NodeId> roots) {
  std::map<std::tuple<size_t, std::string, std::string>, CalledFunction> called;
  for (NodeId n : g.reachable(roots)) {
    if (g[n].kind != Kind::Call) continue;
    const Symbol& s = g.symbol(n);
    CalledFunction f{{g[n].row}, {}, s.type};
    for (NodeId o : g[n].operands) f.arguments.emplace_back(g[o].type.begin() + std::ptrdiff_t(batch_rank(g, n)), g[o].type.end());
    called.emplace(std::tuple(s.by.size(), s.by.empty() ? s.name : s.function, s.name), std::move(f));
  }
  std::vector<CalledFunction> list;
  for (auto& [key, f] : called) list.push_back(std::move(f));
  return list;
}

double made_up(std::string_view name, uint64_t i, uint64_t j) {
  uint64_t h = 0xcbf29ce484222325u ^ (i * 0x9e3779b97f4a7c15u) ^ (j * 0xd6e8feb86659fd93u);
  for (char c : name) h = (h ^ uint8_t(c)) * 0x100000001b3u;
  h = (h ^ (h >> 31)) * 0x94d049bb133111ebu;
  return double((h ^ (h >> 29)) >> 11) / double(1ull << 52) - 1;
}

}  // namespace ricci
