// How much the reference interpreter has to do: it takes the graph as it is, so that some derivatives cost it minutes.
#pragma once
#include <map>
#include <span>

#include "ir/interpret.h"

namespace ricci::fuzz {

// Scalar products for all nodes below `roots`.
inline double interpreter_work(const Graph& g, std::span<const NodeId> roots, const Dims& dims) {
  double sum = 0;
  for (NodeId n : g.reachable(roots)) {
    std::map<Label, DimId> dim;
    auto see = [&](const Labels& ls, const Type& t) {
      for (size_t k = 0; k < ls.size(); ++k) dim[ls[k]] = t[k];
    };
    double product = 1;
    if (g[n].kind == Kind::Ein) {
      for (const Factor& f : g.factors(n)) see(f.labels, g[f.tensor].type);
      see(g.out(n), g[n].type);
      for (const Factor& f : g.factors(n))
        if (g[f.tensor].kind == Kind::Place) dim.erase(f.labels[0]);  // has the value its digits give it
      for (auto [l, d] : dim) product *= double(size_of(g, d, dims));
    } else {
      for (DimId d : g[n].type) product *= double(size_of(g, d, dims));
    }
    sum += product;
  }
  return sum;
}

}  // namespace ricci::fuzz
