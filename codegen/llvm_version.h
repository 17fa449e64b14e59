// Where LLVM 19 and LLVM 22 differ. The only file that asks for the version.
#pragma once
#include <llvm/Config/llvm-config.h>
#include <llvm/ExecutionEngine/Orc/Core.h>
#if LLVM_VERSION_MAJOR >= 20
#include <llvm/ExecutionEngine/Orc/AbsoluteSymbols.h>
#endif
#include <llvm/IR/Module.h>
#include <llvm/MC/MCSubtargetInfo.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Target/TargetMachine.h>
#include <llvm/TargetParser/Triple.h>

#include <memory>
#include <string>

namespace ricci::version {

inline void set_triple(llvm::Module& m, const llvm::Triple& triple) {
#if LLVM_VERSION_MAJOR >= 21
  m.setTargetTriple(triple);
#else
  m.setTargetTriple(triple.str());
#endif
}

inline const llvm::Target* lookup(const llvm::Triple& triple, std::string& error) {
#if LLVM_VERSION_MAJOR >= 22
  return llvm::TargetRegistry::lookupTarget(triple, error);
#else
  return llvm::TargetRegistry::lookupTarget(triple.str(), error);
#endif
}

inline std::unique_ptr<llvm::MCSubtargetInfo> subtarget(const llvm::Target& target, const llvm::Triple& triple) {
#if LLVM_VERSION_MAJOR >= 22
  return std::unique_ptr<llvm::MCSubtargetInfo>(target.createMCSubtargetInfo(triple, "", ""));
#else
  return std::unique_ptr<llvm::MCSubtargetInfo>(target.createMCSubtargetInfo(triple.str(), "", ""));
#endif
}

inline std::unique_ptr<llvm::TargetMachine> machine(const llvm::Target& target, const llvm::Triple& triple, const std::string& cpu,
                                                    const std::string& features, const llvm::TargetOptions& options, llvm::CodeGenOptLevel level) {
#if LLVM_VERSION_MAJOR >= 21
  const llvm::Triple& spelled = triple;
#else
  const std::string& spelled = triple.str();
#endif
  return std::unique_ptr<llvm::TargetMachine>(
      target.createTargetMachine(spelled, cpu, features, options, llvm::Reloc::PIC_, std::nullopt, level));
}

}  // namespace ricci::version
