#include "ir/verify.h"

#include <algorithm>
#include <map>

namespace ricci {
namespace {

class Verifier {
 public:
  explicit Verifier(const Graph& g) : g_(g) {}

  std::vector<std::string> broken;

  void node(NodeId id) {
    id_ = id;
    const Node& n = g_[id];
    for (NodeId o : n.operands)
      if (o >= id) return require(false, "operands are older than their users");
    const bool has_coefficients = n.kind == Kind::Sum || n.kind == Kind::Const;
    require(has_coefficients || n.coefficients.empty(), "only sums and constants have coefficients");
    require(n.kind == Kind::Ein || n.labels.empty(), "only products have labels");
    switch (n.kind) {
      case Kind::Const:
        require(n.rank() == 0 && n.operands.empty() && n.coefficients.size() == 1, "a constant is one exact number of rank 0");
        break;
      case Kind::Size:
        require(n.rank() == 0 && n.operands.empty() && g_[DimId{n.row}].kind == Dim::Kind::Symbol,
                "a size is the number of a symbolic dimension; others fold");
        break;
      case Kind::Var:
        require(n.operands.empty() && n.type == g_.symbol(id).type, "a variable has its declaration's type");
        require(g_.symbol(id).variance.empty() || g_.symbol(id).variance.size() == n.rank(), "a declaration has a variance per axis");
        break;
      case Kind::Sum: sum(n); break;
      case Kind::Ein: ein(id); break;
      case Kind::Map: map(n); break;
      case Kind::Fun: fun(n); break;
      case Kind::Call: break;
      case Kind::Place:
        require(n.operands.empty() && n.rank() > 0 && (n.rank() != 2 || n.type[0] != n.type[1]), "a place has a whole, and is no delta");
        break;
      case Kind::Epsilon:
        require(n.operands.empty() && n.type == Type(n.rank(), n.type.empty() ? DimId{} : n.type[0]), "epsilon has alike axes");
        break;
    }
  }

 private:
  void require(bool holds, const char* invariant) {
    if (!holds) broken.push_back("%" + std::to_string(id_.value) + ": " + invariant);
  }

  void sum(const Node& n) {
    require(n.coefficients.size() == n.operands.size(), "a sum has a coefficient per term");
    require(std::ranges::none_of(n.coefficients, [](const Rational& c) { return c == 0; }), "no term of a sum has coefficient 0");
    require(std::ranges::all_of(n.operands, [&](NodeId o) { return g_[o].type == n.type; }), "the terms of a sum have its type");
    require(std::ranges::is_sorted(n.operands) && std::ranges::adjacent_find(n.operands) == n.operands.end(),
            "the terms of a sum are distinct and ascend");
    require(n.rank() > 0 || !n.operands.empty(), "the zero of rank 0 is a constant");
  }

  void ein(NodeId id) {
    const Node& n = g_[id];
    size_t axes = n.rank();
    for (NodeId o : n.operands) axes += g_[o].rank();
    if (axes != n.labels.size()) return require(false, "a product has a label per axis of its operands and of itself");
    std::map<Label, DimId> dims;
    bool one_dimension = true;
    auto see = [&](const Labels& labels, const Type& type) {
      for (size_t k = 0; k < labels.size(); ++k) one_dimension &= dims.try_emplace(labels[k], type[k]).first->second == type[k];
    };
    for (const Factor& f : g_.factors(id)) {
      see(f.labels, g_[f.tensor].type);
      require(g_[f.tensor].kind != Kind::Const, "a product has no constant factor; coefficients belong to sums");
      require(g_[f.tensor].kind != Kind::Ein || !g_.is_structure(f.tensor), "structure inside a product is dissolved into its labels");
    }
    see(g_.out(id), n.type);
    require(one_dimension, "a label has one dimension");
    Label next = 0;
    bool by_appearance = true;
    for (Label l : n.labels) {
      by_appearance &= l <= next;
      next = std::max(next, l + 1);
    }
    require(by_appearance, "labels are numbered by first appearance");
  }

  void map(const Node& n) {
    if (n.row >= elementwise_table().size()) return require(false, "an elementwise node names a row of the table");
    require(n.operands.size() == size_t(row(n.map_op()).arity), "an elementwise node has its row's number of operands");
    require(std::ranges::all_of(n.operands, [&](NodeId o) { return g_[o].rank() == 0 || g_[o].type == n.type; }),
            "operands of an elementwise node have its type or rank 0");
  }

  void fun(const Node& n) {
    if (n.row >= function_table().size()) return require(false, "a function node names a row of the table");
    const FunctionRow& r = row(n.fun_op());
    if (n.operands.size() != 1 || g_[n.operands[0]].rank() < r.core.in)
      return require(false, "a function has one operand with the axes of its core");
    const Type& type = g_[n.operands[0]].type;
    require(!r.core.square || type[type.size() - 1] == type[type.size() - 2], "the core of a function of square matrices is square");
    require(n.type == result_axes(r, type), "a function maps its core and keeps the axes before it");
  }

  const Graph& g_;
  NodeId id_{};
};

}  // namespace

std::vector<std::string> verify(const Graph& g, std::span<const NodeId> roots) {
  Verifier v(g);
  for (NodeId id : g.reachable(roots)) v.node(id);
  return std::move(v.broken);
}

}  // namespace ricci
