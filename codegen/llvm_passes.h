// Which of LLVM's passes run. Loop programs arrive with their vectors, their order and their unrolling decided, so little is left to do.
#pragma once
#include <llvm/IR/Module.h>
#include <llvm/Target/TargetMachine.h>

#include <string>

namespace ricci {

// Optimises the module at this level (0..3), and sets the code generator's own level to match.
void optimize(llvm::Module& module, llvm::TargetMachine& machine, int level);

// What `optimize` will do with it, as text: a cache of its results depends on it.
std::string describe_passes(const llvm::Module& module, int level);

}  // namespace ricci
