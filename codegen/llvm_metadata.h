// What stands beside the code of a compiled function: its attributes, the size of its workspace, and its description.
#pragma once
#include <llvm/IR/Module.h>
#include <llvm/Target/TargetMachine.h>

#include "codegen/object.h"

namespace ricci {

// Target CPU and features, and that the function neither throws nor loops forever.
void decorate(llvm::Function& f, const llvm::TargetMachine& machine);

// size_t NAME_work_bytes(const int64_t* dims), with checked arithmetic.
void emit_work_bytes(const loops::Program& p, const llvm::TargetMachine& machine, llvm::Module& module);

// const struct ricci_meta NAME_meta, as include/ricci/abi.h has it.
void emit_metadata(const Unit& unit, const Target& t, llvm::Module& module);

}  // namespace ricci
