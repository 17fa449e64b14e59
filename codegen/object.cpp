#include "codegen/object.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <llvm/Bitcode/BitcodeWriter.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/IR/Verifier.h>
#include <llvm/Support/SmallVectorMemoryBuffer.h>
#include <llvm/Support/thread.h>
#include <llvm/TargetParser/Host.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <exception>
#include <stdexcept>

#include "codegen/llvm_emit.h"
#include "codegen/llvm_metadata.h"
#include "codegen/llvm_passes.h"
#include "codegen/llvm_target.h"
#include "codegen/llvm_version.h"
#include "codegen/object_cache.h"
#include "codegen/symbol_name.h"

extern char** environ;

namespace ricci {

constexpr unsigned kStack = 64u << 20;  // LLVM's recursion on long expressions

static void verify_or_throw(const llvm::Module& module) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  if (llvm::verifyModule(module, &stream)) throw std::logic_error("LLVM IR does not verify: " + text);
}

static std::string print(llvm::Module& module, llvm::TargetMachine& machine, CodeForm form) {
  if (form == CodeForm::Llvm) {
    std::string text;
    llvm::raw_string_ostream stream(text);
    module.print(stream, nullptr);
    return stream.str();
  }
  llvm::SmallString<0> bytes;
  llvm::raw_svector_ostream stream(bytes);
  if (form == CodeForm::Bitcode) {
    llvm::WriteBitcodeToFile(module, stream);
  } else {
    llvm::legacy::PassManager passes;
    const auto type = form == CodeForm::Assembly ? llvm::CodeGenFileType::AssemblyFile : llvm::CodeGenFileType::ObjectFile;
    if (machine.addPassesToEmitFile(passes, stream, nullptr, type)) throw std::runtime_error("the target has no object files");
    passes.run(module);
  }
  return std::string(bytes.str());
}

// The module as it is before LLVM's passes, and all that decides what they make of it.
static std::string cache_key(const llvm::Module& module, const Target& t) {
  llvm::SmallString<0> bitcode;
  llvm::raw_svector_ostream stream(bitcode);
  llvm::WriteBitcodeToFile(module, stream);
  const Target r = resolve(t);
  const std::string options = fmt::format("{} {} {} {} O{} {}{}", r.triple, r.cpu, r.features, llvm_version(), r.optimization,
                                          int(r.vector_library), r.fast_math ? " fast-math" : "");
  const std::string passes = describe_passes(module, t.optimization);
  const std::string_view texts[] = {RICCI_PROJECT_VERSION, passes, options, {bitcode.data(), bitcode.size()}};
  return ObjectCache::key(texts);
}

static std::string compile_here(std::span<const Unit> units, const Target& t, CodeForm form, ObjectCache* cache) {
  const std::unique_ptr<llvm::TargetMachine> machine = target_machine(t);
  llvm::LLVMContext context;
  llvm::Module module("ricci", context);
  module.setDataLayout(machine->createDataLayout());
  version::set_triple(module, machine->getTargetTriple());
  module.setPICLevel(llvm::PICLevel::BigPIC);
  for (const Unit& unit : units) {
    if (const auto broken = loops::verify(unit.program)) throw std::runtime_error(unit.program.name + ": " + *broken);
    if (module.getNamedValue(symbol_name(unit.program.name))) throw std::runtime_error("two functions named " + unit.program.name);
    emit_llvm(unit.program, t, *machine, module);
    emit_metadata(unit, t, module);
  }
  verify_or_throw(module);
  const bool cached = cache && form == CodeForm::Object;
  const std::string key = cached ? cache_key(module, t) : "";
  if (cached)
    if (std::optional<std::string> known = cache->find(key)) return *std::move(known);
  optimize(module, *machine, t.optimization);
  verify_or_throw(module);
  std::string result = print(module, *machine, form);
  if (cached) cache->store(key, result);
  return result;
}

std::string compile(std::span<const Unit> units, const Target& t, CodeForm form, ObjectCache* cache) {
  std::string result;
  std::exception_ptr failure;
  llvm::thread worker(std::optional<unsigned>(kStack), [&] {
    try {
      result = compile_here(units, t, form, cache);
    } catch (...) {
      failure = std::current_exception();
    }
  });
  worker.join();
  if (failure) std::rethrow_exception(failure);
  return result;
}

// A temporary file that is removed with the object.
class TemporaryFile {
 public:
  TemporaryFile(const std::string& near, const std::string& bytes) : path_(near + ".XXXXXX") {
    const int fd = mkstemp(path_.data());
    if (fd < 0) throw std::runtime_error("cannot write beside " + near);
    size_t done = 0;
    while (done < bytes.size()) {
      const ssize_t n = write(fd, bytes.data() + done, bytes.size() - done);
      if (n <= 0) break;
      done += size_t(n);
    }
    if (close(fd) != 0 || done != bytes.size()) {
      unlink(path_.c_str());
      throw std::runtime_error("cannot write " + path_);
    }
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() { unlink(path_.c_str()); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

void link_shared(const std::string& object, const std::string& path, const std::vector<std::string>& libraries) {
  const TemporaryFile input(path + ".o", object), output(path, "");
  std::vector<std::string> words = {"cc", "-shared", "-o", output.path(), input.path()};
  words.insert(words.end(), libraries.begin(), libraries.end());
  words.insert(words.end(), {"-Wl,--as-needed", "-lmvec", "-lm"});
  std::vector<char*> arguments;
  for (std::string& w : words) arguments.push_back(w.data());
  arguments.push_back(nullptr);
  pid_t child = 0;
  if (posix_spawnp(&child, "cc", nullptr, nullptr, arguments.data(), environ) != 0)
    throw std::runtime_error("no linker: a shared library needs `cc` on PATH");
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    throw std::runtime_error(fmt::format("cc could not link the shared library (exit code {})", WIFEXITED(status) ? WEXITSTATUS(status) : -1));
  if (chmod(output.path().c_str(), 0755) != 0 || rename(output.path().c_str(), path.c_str()) != 0) throw std::runtime_error("cannot write " + path);
}

}  // namespace ricci
