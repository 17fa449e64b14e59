// Which of LLVM's passes run. Loop programs arrive with their vectors, their order and their unrolling decided, so little is left to do.
#pragma once
#include <llvm/IR/Module.h>
#include <llvm/Target/TargetMachine.h>

namespace ricci {

// Optimises the module at this level (0..3), and sets the code generator's own level to match.
void optimize(llvm::Module& module, llvm::TargetMachine& machine, int level);

}  // namespace ricci
