// Scalar code for one node of the DAG at one point of a nest.
#pragma once
#include <span>

#include "ir/graph.h"
#include "ir/loops.h"

namespace ricci {

// op(operands). Powers with a constant exponent are multiplications, square roots and divisions where these are exact enough.
loops::ValueId emit_map(loops::Program& p, const Graph& g, NodeId map, std::span<const loops::ValueId> operands);

// The linear combination of values with the coefficients of a Sum.
loops::ValueId emit_sum(loops::Program& p, std::span<const Rational> coefficients, std::span<const loops::ValueId> terms);

// x^exponent for a whole exponent > 0, by repeated squaring.
loops::ValueId emit_power(loops::Program& p, loops::ValueId x, unsigned long exponent);

// The product of `over` divided by the product of `under`.
loops::ValueId emit_quotient(loops::Program& p, std::span<const loops::ValueId> over, std::span<const loops::ValueId> under);

// k if the node is base^-k with a small whole k: a factor that divides.
std::optional<unsigned long> divisor_power(const Graph& g, NodeId n);

// The nearest double.
double to_double(const Rational& r);

}  // namespace ricci
