// Scalars and vectors of them in LLVM IR: the rows of ir/primitives.def, the runtime's kernels, and moving between lanes.
#pragma once
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>
#include <llvm/Target/TargetMachine.h>

#include "codegen/target.h"

namespace ricci {

class Primitives {
 public:
  Primitives(llvm::IRBuilder<>& b, llvm::Module& module, const Target& t, const llvm::TargetMachine& machine, loops::Scalar scalar)
      : b_(b), module_(module), t_(t), machine_(machine), scalar_(scalar) {}

  // The value of a primitive; a comparison is an i1 per lane, and select's first operand may be one. Scalars meet vectors by being repeated.
  llvm::Value* apply(loops::Primitive op, llvm::Value* const* x);
  // old combined with x, or with x*factor.
  llvm::Value* combine(loops::Combine how, llvm::Value* old, llvm::Value* x, llvm::Value* factor);
  llvm::Constant* neutral(loops::Combine how, llvm::Type* type);

  llvm::Function* kernel(const rt::KernelRow& row);

  // A scalar in every lane of `type`; what has that type already stays.
  llvm::Value* splat(llvm::Value* v, llvm::Type* type);
  // Makes two values of one shape.
  void widen(llvm::Value*& a, llvm::Value*& b);
  // The program's scalar, with the lanes of v.
  llvm::Type* like(llvm::Value* v);
  llvm::Value* slice(llvm::Value* v, uint32_t from, uint32_t count);

 private:
  llvm::Type* element();
  llvm::Value* function(const loops::PrimitiveRow& row, llvm::Value* const* x, llvm::Type* type);
  llvm::FunctionCallee pure(const std::string& name, llvm::Type* type, size_t arity);

  llvm::IRBuilder<>& b_;
  llvm::Module& module_;
  const Target& t_;
  const llvm::TargetMachine& machine_;
  loops::Scalar scalar_;
};

}  // namespace ricci
