// Powers whose exponents are no numbers: x^a*x^b is x^(a + b). (Those with numbers are collected by the constructors.)
#pragma once
#include "ir/graph.h"

namespace ricci {

// root^(step*e) for a factor b^e with b = root^step: what else is a power of the root can join it. norm2(x)^p is (x'*x)^(p/2).
struct SymbolicPower {
  NodeId root;
  Rational step;
};
std::optional<SymbolicPower> symbolic_power(const Graph& g, NodeId factor);

// The factor times root^exponent, unless that is no whole power of its base, whose sign would be lost.
std::optional<NodeId> times_power_of_root(Graph& g, NodeId factor, const Rational& exponent);

// A product with the powers of one base, at the same labels, collected in one. A value that was finite stays, but where exponents cancel at 0: 0^0 is 1.
NodeId collect_symbolic_powers(Graph& g, NodeId product);

// (x^y)^k = x^(k*y) for a whole number k.
NodeId open_power_of_power(Graph& g, NodeId power);

}  // namespace ricci
