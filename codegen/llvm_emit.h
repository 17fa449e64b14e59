// Loop IR to LLVM IR: vectors are written out, nothing is left to an auto-vectoriser.
#pragma once
#include <llvm/IR/Module.h>
#include <llvm/Target/TargetMachine.h>

#include "codegen/target.h"

namespace ricci {

// Adds to the module, for the raw ABI of include/ricci/abi.h, with NAME = symbol_name(p.name):
//   int NAME(const T* const* in, T* const* out, const int64_t* dims, void* work)
//   size_t NAME_work_bytes(const int64_t* dims)        SIZE_MAX if the size exceeds 63 bits
// The program must verify.
void emit_llvm(const loops::Program& p, const Target& t, const llvm::TargetMachine& machine, llvm::Module& module);

}  // namespace ricci
