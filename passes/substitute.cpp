#include "passes/substitute.h"

namespace ricci {

NodeId substitute(Graph& g, NodeId expression, const std::map<NodeId, NodeId>& nodes, const std::map<DimId, DimId>& dims) {
  auto exchange = [&](DimId d) { return dims.contains(d) ? dims.at(d) : d; };
  std::map<NodeId, NodeId> done = nodes;
  NodeId roots[] = {expression};
  for (NodeId id : g.reachable(roots)) {
    if (done.contains(id)) continue;
    const Node& n = g[id];
    Type type = n.type;
    for (DimId& d : type) d = exchange(d);
    std::vector<NodeId> operands;
    for (NodeId op : n.operands) operands.push_back(done.at(op));
    switch (n.kind) {
      case Kind::Const:
      case Kind::Var:
      case Kind::Epsilon: done[id] = id; break;
      case Kind::Place: done[id] = g.place(type[0], Type(type.begin() + 1, type.end()), exchange({n.row})); break;
      case Kind::Size: done[id] = g.size(exchange({n.row})); break;
      case Kind::Sum: {
        std::vector<Term> terms = g.terms(id);
        for (size_t k = 0; k < terms.size(); ++k) terms[k].tensor = operands[k];
        done[id] = g.sum(std::move(terms), std::move(type));
        break;
      }
      case Kind::Ein: {
        std::vector<Factor> factors = g.factors(id);
        for (size_t k = 0; k < factors.size(); ++k) factors[k].tensor = operands[k];
        done[id] = g.ein(std::move(factors), g.out(id), std::move(type));
        break;
      }
      case Kind::Map: done[id] = g.map(n.map_op(), std::move(operands)); break;
      case Kind::Fun: done[id] = g.fun(n.fun_op(), operands[0]); break;
      case Kind::Call: done[id] = g.call({n.row}, std::move(operands), std::move(type)); break;
    }
  }
  return done.at(expression);
}

}  // namespace ricci
