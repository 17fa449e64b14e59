// ORC with a library per compilation, so that names never meet and dropping the last CompiledFunction frees the code.
#include "codegen/jit.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <llvm/ExecutionEngine/Orc/ExecutorProcessControl.h>
#include <llvm/ExecutionEngine/Orc/LLJIT.h>
#include <llvm/Support/thread.h>
#include <llvm/TargetParser/Host.h>

#include <atomic>
#include <exception>
#include <stdexcept>

#include "codegen/llvm_target.h"
#include "codegen/llvm_version.h"
#include "codegen/symbol_name.h"

namespace ricci {

namespace orc = llvm::orc;

template <class T>
static T unwrap(llvm::Expected<T> value) {
  if (!value) throw std::runtime_error("JIT: " + llvm::toString(value.takeError()));
  return static_cast<T&&>(*value);
}
static void check(llvm::Error error) {
  if (error) throw std::runtime_error("JIT: " + llvm::toString(std::move(error)));
}

struct Jit::State {
  std::unique_ptr<orc::LLJIT> jit;
  orc::JITDylib* runtime = nullptr;
  std::atomic<uint64_t> next = 0;
};

// Everything that loaded code may call, by name.
static std::vector<std::pair<std::string, void*>> runtime_symbols(const Target& t, const llvm::TargetMachine& machine) {
  std::vector<std::pair<std::string, void*>> symbols;
  for (const rt::KernelSymbol& k : rt::kernel_symbols()) symbols.emplace_back(k.symbol, k.address);
  void* const math = dlopen("libm.so.6", RTLD_NOW | RTLD_LOCAL);
  void* const vector = dlopen("libmvec.so.1", RTLD_NOW | RTLD_LOCAL);
  const auto add = [&](void* library, const std::string& name) {
    if (void* address = dlsym(library ? library : RTLD_DEFAULT, name.c_str())) symbols.emplace_back(name, address);
  };
  for (const char* name : {"memcpy", "memmove", "memset"}) add(nullptr, name);
  for (const char* name : {"fma", "fmaf"}) add(math, name);
  for (const loops::PrimitiveRow& row : loops::primitive_table()) {
    if (row.libm.empty() || row.libm.starts_with("ricci_")) continue;
    for (const auto scalar : {loops::Scalar::Double, loops::Scalar::Float}) {
      add(math, std::string(row.libm) + (scalar == loops::Scalar::Float ? "f" : ""));
      for (uint32_t lanes = 2; vector && lanes <= 16; lanes *= 2)
        if (const std::string name = vector_function(t, machine, row.vector, row.arity, scalar, lanes); !name.empty()) add(vector, name);
    }
  }
  return symbols;
}

// LLVM's linker and symbol tables recurse little, but the caller's stack may be tiny.
template <class F>
static void on_large_stack(F f) {
  std::exception_ptr failure;
  llvm::thread worker(std::optional<unsigned>(16u << 20), [&] {
    try {
      f();
    } catch (...) {
      failure = std::current_exception();
    }
  });
  worker.join();
  if (failure) std::rethrow_exception(failure);
}

Jit::Jit(Target t) : target_(resolve(t)), state_(std::make_shared<State>()) {
  require_host(target_);
  on_large_stack([&] {
    const auto machine = target_machine(target_);
    orc::JITTargetMachineBuilder builder{llvm::Triple(target_.triple)};
    builder.setCPU(target_.cpu);
    state_->jit = unwrap(orc::LLJITBuilder()
                             .setJITTargetMachineBuilder(std::move(builder))
                             .setLinkProcessSymbolsByDefault(false)
                             .setPlatformSetUp(orc::setUpInactivePlatform)
                             .create());
    state_->runtime = &unwrap(state_->jit->createJITDylib("runtime"));
    orc::SymbolMap symbols;
    for (const auto& [name, address] : runtime_symbols(target_, *machine))
      symbols[state_->jit->mangleAndIntern(name)] = {orc::ExecutorAddr::fromPtr(address), llvm::JITSymbolFlags::Exported};
    check(state_->runtime->define(orc::absoluteSymbols(std::move(symbols))));
  });
}

Jit::~Jit() = default;

std::vector<CompiledFunction> Jit::compile(std::span<const Unit> units, ObjectCache* cache) {
  std::vector<std::string> names;
  for (const Unit& u : units) names.push_back(u.program.name);
  return load(ricci::compile(units, target_, CodeForm::Object, cache), names);
}

std::vector<CompiledFunction> Jit::load(const std::string& object, std::span<const std::string> names) {
  std::vector<CompiledFunction> result;
  on_large_stack([&] {
    orc::JITDylib* library = &unwrap(state_->jit->createJITDylib(fmt::format("program{}", state_->next++)));
    const std::shared_ptr<const void> code(library, [state = state_, library](const void*) {
      llvm::consumeError(state->jit->getExecutionSession().removeJITDylib(*library));
    });
    library->addToLinkOrder(*state_->runtime);
    check(state_->jit->addObjectFile(*library, llvm::MemoryBuffer::getMemBufferCopy(object, "ricci")));
    for (const std::string& name : names) {
      const orc::ExecutorAddr meta = unwrap(state_->jit->lookup(*library, symbol_name(name) + "_meta"));
      result.emplace_back(code, meta.toPtr<const ricci_meta*>());
    }
  });
  return result;
}

}  // namespace ricci
