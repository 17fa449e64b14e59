// A homomorphism: each matrix goes to the vector of its eigenvalues, all in the one eigenbasis of M, products to entrywise ones, the trace to the sum.
#include "passes/spectral_function.h"

#include <algorithm>
#include <map>

#include "frontend/formula.h"

namespace ricci {
namespace {

class Diagonalization {
 public:
  Diagonalization(Graph& g, NodeId matrix, NodeId eigenvalues, const std::function<bool(NodeId)>& active)
      : g_(g), matrix_(matrix), values_(eigenvalues), active_(active), n_(g[matrix].type[0]) {}

  std::optional<NodeId> operator()(NodeId f) {
    for (NodeId n : g_.reachable(std::span(&f, 1)))
      if (auto image = of(n)) image_[n] = *image;
    auto it = image_.find(f);
    return it == image_.end() ? std::nullopt : std::optional(it->second);
  }

 private:
  // Of a scalar a scalar, of a matrix its eigenvalues.
  std::optional<NodeId> of(NodeId id) {
    if (id == matrix_) return values_;
    const Node& n = g_[id];
    if (n.rank() == 0 && !active_(id)) return id;
    const bool matrix = n.rank() == 2 && n.type[0] == n_ && n.type[1] == n_;
    if (n.rank() != 0 && !matrix) return std::nullopt;
    if (n.kind != Kind::Ein && n.kind != Kind::Sum && n.kind != Kind::Map && n.kind != Kind::Fun) return std::nullopt;
    if (n.kind == Kind::Map && matrix) return std::nullopt;  // entry by entry
    std::vector<NodeId> operands;
    for (NodeId op : n.operands) {
      auto it = image_.find(op);
      if (it == image_.end()) return std::nullopt;
      operands.push_back(it->second);
    }
    switch (n.kind) {
      case Kind::Sum: {
        std::vector<Term> terms;
        for (size_t k = 0; k < operands.size(); ++k) terms.push_back({n.coefficients[k], operands[k]});
        return g_.sum(std::move(terms), matrix ? Type{n_} : Type{});
      }
      case Kind::Map: return g_.rebuild(id, std::move(operands));
      case Kind::Fun: {
        const FunctionRow& r = row(n.fun_op());
        if (r.spectral.empty()) return std::nullopt;
        return build_formula(g_, r.spectral, {{"x", operands[0]}}, FormulaMode::Matrix);
      }
      default: return product(id, operands);
    }
  }

  // A product of such matrices and of traces of such products: every inner label joins two of their axes.
  std::optional<NodeId> product(NodeId id, const std::vector<NodeId>& operands) {
    std::vector<Factor> factors = g_.factors(id);
    const Labels out = g_.out(id);
    std::map<Label, int> ends;  // axes of factors with the label
    std::map<Label, Label> parent;
    auto root = [&](Label l) {
      while (parent.at(l) != l) l = parent.at(l);
      return l;
    };
    for (const Factor& f : factors)
      for (Label l : f.labels) ++ends[l], parent.try_emplace(l, l);
    for (const Factor& f : factors)
      if (f.labels.size() == 2) parent[root(f.labels[0])] = root(f.labels[1]);
    for (const auto& [l, count] : ends)
      if (count != (std::ranges::count(out, l) > 0 ? 1 : 2)) return std::nullopt;
    Labels image_out;
    if (!out.empty()) {  // the ends of one path; of an empty one for a multiple of the identity
      if (out[0] == out[1] ? ends.contains(out[0]) : !ends.contains(out[0]) || !ends.contains(out[1]) || root(out[0]) != root(out[1]))
        return std::nullopt;
      image_out = {out[0] == out[1] ? out[0] : root(out[0])};
    }
    for (size_t k = 0; k < factors.size(); ++k) {
      factors[k].tensor = operands[k];
      if (factors[k].labels.size() == 2) factors[k].labels = {root(factors[k].labels[0])};
    }
    return g_.ein(std::move(factors), image_out, Type(image_out.size(), n_));
  }

  Graph& g_;
  NodeId matrix_, values_;
  const std::function<bool(NodeId)>& active_;
  DimId n_;
  std::map<NodeId, NodeId> image_;
};

}  // namespace

std::optional<NodeId> of_eigenvalues(Graph& g, NodeId f, NodeId matrix, NodeId eigenvalues, const std::function<bool(NodeId)>& active) {
  return Diagonalization(g, matrix, eigenvalues, active)(f);
}

}  // namespace ricci
