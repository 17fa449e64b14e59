// LLVM's target machine for a Target.
#pragma once
#include <llvm/Target/TargetMachine.h>

#include <memory>

#include "codegen/target.h"

namespace ricci {

// How much the code generator proper does: None is 10 times faster on long straight code and no worse for it.
std::unique_ptr<llvm::TargetMachine> target_machine(const Target& t, llvm::CodeGenOptLevel level = llvm::CodeGenOptLevel::Default);

// The vector library's function for `lanes` lanes of a libm function with this stem ("exp"), or "": "_ZGVeN8v_exp".
std::string vector_function(const Target& t, const llvm::TargetMachine& machine, std::string_view stem, size_t arity, loops::Scalar scalar, uint32_t lanes);

// Whether a masked load is an instruction, so that the end of a vector loop need not be done one by one.
bool has_masked_memory(const llvm::TargetMachine& machine);

}  // namespace ricci
