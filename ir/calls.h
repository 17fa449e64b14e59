// The undeclared functions that a graph calls (Kind::Call): what a host has to supply, and what stands in for it where there is none.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "ir/scalar.h"

namespace ricci {

// A function or a derivative of one. The types are those of one call, without the axes that a node maps it over.
struct CalledFunction {
  SymbolId symbol;
  std::vector<Type> arguments;
  Type value;
};

// The axes before those of the function's value, over which a Call maps it.
size_t batch_rank(const Graph& g, NodeId call);

// What is called below the roots, each once: first the functions themselves, then derivatives by order, then by name. Hosts supply them in this order.
std::vector<CalledFunction> called_functions(const Graph& g, std::span<const NodeId> roots);

// A number in (-1, 1) that follows from a name and two indices.
double made_up(std::string_view name, uint64_t i, uint64_t j);

// An undeclared function stands for any smooth one. Here it is h_i(x, y...) = sin(d_i + c_i1 x + c_i2 y + ...) with made-up coefficients, whose
// derivatives are sines of the same argument a quarter turn further, times the coefficients.
template <class T>
void stand_in(const Symbol& s, std::span<const std::span<const T>> arguments, std::span<T> value) {
  const std::string& name = s.function.empty() ? s.name : s.function;
  size_t derivatives = 1;
  for (uint8_t k : s.by) derivatives *= arguments[k].size();
  if (derivatives == 0) return;
  const auto coefficient = [&](size_t i, size_t argument, size_t j) { return made_up(name, i + 1, (argument + 1) * 1000003 + j); };
  for (size_t i = 0, at = 0; at < value.size(); ++i) {
    T u = T(made_up(name, i + 1, 0));
    for (size_t k = 0; k < arguments.size(); ++k)
      for (size_t j = 0; j < arguments[k].size(); ++j) u = u + T(coefficient(i, k, j)) * arguments[k][j];
    using namespace scalar;
    const size_t turns = s.by.size() % 4;
    const T turned = turns == 0 ? sin(u) : turns == 1 ? cos(u) : turns == 2 ? -sin(u) : -cos(u);
    for (size_t d = 0; d < derivatives; ++d, ++at) {
      T entry = turned;
      for (size_t k = s.by.size(), rest = d; k-- > 0; rest /= arguments[s.by[k]].size())
        entry = T(coefficient(i, s.by[k], rest % arguments[s.by[k]].size())) * entry;
      value[at] = entry;
    }
  }
}

}  // namespace ricci
