#include "ir/json.h"

#include <nlohmann/json.hpp>
#include <unordered_map>

#include "ir/text.h"

namespace ricci {
namespace {

using Json = nlohmann::ordered_json;

Json variances(const Symbol& s) {
  Json list = Json::array();
  for (Variance v : s.variance) list.push_back(v == Variance::Up ? "up" : "down");
  return list;
}

void describe(const Graph& g, NodeId id, Json& j) {
  const Node& n = g[id];
  auto coefficients = [&] {
    Json list = Json::array();
    for (const Rational& c : n.coefficients) list.push_back(to_string(c));
    return list;
  };
  switch (n.kind) {
    case Kind::Const:
      j["kind"] = "const";
      j["value"] = to_string(n.value());
      break;
    case Kind::Size:
      j["kind"] = "size";
      j["dimension"] = g.spell(DimId{n.row});
      break;
    case Kind::Var:
      j["kind"] = "var";
      j["name"] = g.symbol(id).name;
      j["variance"] = variances(g.symbol(id));
      j["properties"] = Json::array();
      for (Property p : g.symbol(id).properties.minimal()) j["properties"].push_back(row(p).name);
      break;
    case Kind::Sum:
      j["kind"] = "sum";
      j["coefficients"] = coefficients();
      break;
    case Kind::Ein:
      j["kind"] = "ein";
      j["labels"] = Json::array();
      for (const Factor& f : g.factors(id)) j["labels"].push_back(print_labels(f.labels));
      j["out"] = print_labels(g.out(id));
      break;
    case Kind::Map:
      j["kind"] = "map";
      j["function"] = row(n.map_op()).name;
      break;
    case Kind::Fun:
      j["kind"] = "fun";
      j["function"] = row(n.fun_op()).name;
      break;
    case Kind::Place:
      j["kind"] = "place";
      j["offset"] = g.spell(DimId{n.row});
      break;
    case Kind::Epsilon: j["kind"] = "epsilon"; break;
    case Kind::Call:
      j["kind"] = "call";
      j["function"] = g.symbol(id).name;
      break;
  }
}

}  // namespace

std::string to_json(const Graph& g, std::span<const NodeId> roots) {
  std::unordered_map<NodeId, size_t> position;
  Json nodes = Json::array(), returned = Json::array();
  for (NodeId id : g.reachable(roots)) {
    Json j;
    j["id"] = position[id] = nodes.size();
    describe(g, id, j);
    if (!g[id].operands.empty()) j["operands"] = Json::array();
    for (NodeId o : g[id].operands) j["operands"].push_back(position.at(o));
    j["type"] = Json::array();
    for (DimId d : g[id].type) j["type"].push_back(g.spell(d));
    nodes.push_back(std::move(j));
  }
  for (NodeId r : roots) returned.push_back(position.at(r));
  return Json{{"nodes", std::move(nodes)}, {"roots", std::move(returned)}}.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace ricci
