// Steps that call a kernel of the runtime (runtime/kernels.def): products, factorisations and the functions without an index form.
#pragma once
#include "passes/lower_to_loops_nest.h"

namespace ricci {

struct KernelContext {
  const NestContext& nest;
  const std::map<NodeId, loops::ArrayId>& factors;  // of matrices
  loops::ArrayId scratch;                           // the kernels' work
};

// Elements of scratch that the plan's kernels take together: the most that one of them takes.
loops::IndexId scratch_elements(const NestContext& c);

// to = or += coefficient * the contraction of two stored operands. One label of each sort becomes the product's m, n and k, or several that
// are contiguous in all operands; the others are loops around it.
void lower_contraction(const KernelContext& c, NodeId n, const Stored& to, const Rational& coefficient, bool add);
void lower_solve(const KernelContext& c, NodeId n, const Stored& to);
void lower_factorisation(const KernelContext& c, NodeId matrix);
// inv, det or logdet of a matrix that is factorised already.
void lower_from_factorisation(const KernelContext& c, NodeId n, const Stored& to);
// A function on the last axes of its operand, in loops over the axes before them.
void lower_function(const KernelContext& c, NodeId n, const Stored& to);
// The same for a function of the host's, which takes and gives dense row-major arrays: what is not is packed into scratch.
void lower_call(const KernelContext& c, NodeId n, const Stored& to, uint32_t function);

}  // namespace ricci
