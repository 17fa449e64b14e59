#include "codegen/llvm_target.h"

#include <fmt/format.h>
#include <llvm/Analysis/TargetTransformInfo.h>
#include <llvm/IR/LLVMContext.h>
#include <llvm/MC/MCSubtargetInfo.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/TargetParser/Host.h>
#include <llvm/TargetParser/SubtargetFeature.h>

#include <mutex>
#include <stdexcept>

#include "codegen/llvm_version.h"
#include "frontend/spelling.h"

namespace ricci {

static void initialize_targets() {
  static std::once_flag once;
  std::call_once(once, [] {
    llvm::InitializeAllTargetInfos();
    llvm::InitializeAllTargets();
    llvm::InitializeAllTargetMCs();
    llvm::InitializeAllAsmPrinters();
    llvm::InitializeAllAsmParsers();
  });
}

static std::string host_features() {
  llvm::SubtargetFeatures features;
  for (const auto& f : llvm::sys::getHostCPUFeatures()) features.AddFeature(f.first(), f.second);
  return features.getString();
}

Target resolve(const Target& t) {
  Target r = t;
  const std::string host = llvm::sys::getProcessTriple();
  if (r.triple.empty()) r.triple = host;
  r.triple = llvm::Triple::normalize(r.triple);
  const bool is_host = llvm::Triple(r.triple).getArch() == llvm::Triple(host).getArch();
  if (r.cpu.empty() || r.cpu == "native") {
    if (is_host && r.features.empty()) r.features = host_features();
    r.cpu = is_host ? llvm::sys::getHostCPUName().str() : "generic";
  }
  return r;
}

void require_host(const Target& t) {
  const llvm::Triple triple(resolve(t).triple), host(llvm::sys::getProcessTriple());
  if (triple.getArch() != host.getArch() || triple.getOS() != host.getOS())
    throw TargetError(fmt::format("code for {} does not run on this machine, which is {}", triple.str(), host.str()));
}

// LLVM itself would complain on stderr and go on.
static void check_cpu(const llvm::Target& target, const llvm::Triple& triple, const std::string& cpu) {
  const std::unique_ptr<llvm::MCSubtargetInfo> known = version::subtarget(target, triple);
  if (!known || known->isCPUStringValid(cpu)) return;
  std::vector<std::string> names;
  for (const auto& row : known->getAllProcessorDescriptions()) names.emplace_back(row.Key);
  const auto near = nearest(cpu, names);
  throw TargetError(fmt::format("no CPU `{}` of {}{}", cpu, triple.str(), near ? fmt::format("; did you mean `{}`?", *near) : ""));
}

std::unique_ptr<llvm::TargetMachine> target_machine(const Target& t, llvm::CodeGenOptLevel level) {
  initialize_targets();
  const Target r = resolve(t);
  const llvm::Triple triple(r.triple);
  std::string error;
  const llvm::Target* target = version::lookup(triple, error);
  if (!target) throw TargetError(fmt::format("no target `{}`: triples are written x86_64-linux-gnu, aarch64-linux-gnu ...", t.triple));
  check_cpu(*target, triple, r.cpu);
  llvm::TargetOptions options;
  options.AllowFPOpFusion = llvm::FPOpFusion::Standard;  // fmuladd may fuse, a*b + c never
  auto machine = version::machine(*target, triple, r.cpu, r.features, options, level);
  if (!machine) throw TargetError(fmt::format("no code is generated for target `{}`", t.triple));
  return machine;
}

std::string describe(const Target& t) {
  const Target r = resolve(t);
  return fmt::format("{} {} O{}{}{}", r.triple, r.cpu, r.optimization, t.features.empty() ? "" : " " + t.features, r.fast_math ? " fast-math" : "");
}

static uint32_t vector_bits(const llvm::TargetMachine& machine) {
  llvm::LLVMContext context;
  llvm::Module module("width", context);
  module.setDataLayout(machine.createDataLayout());
  auto* type = llvm::FunctionType::get(llvm::Type::getVoidTy(context), false);
  auto* f = llvm::Function::Create(type, llvm::Function::ExternalLinkage, "width", module);
  f->addFnAttr("target-cpu", machine.getTargetCPU());
  f->addFnAttr("target-features", machine.getTargetFeatureString());
  const auto width = machine.getTargetTransformInfo(*f).getRegisterBitWidth(llvm::TargetTransformInfo::RGK_FixedWidthVector);
  return uint32_t(width.getFixedValue());
}

uint32_t vector_lanes(const Target& t, loops::Scalar scalar) {
  return std::max(1u, vector_bits(*target_machine(t)) / uint32_t(8 * loops::size_of(scalar)));
}

bool has_masked_memory(const llvm::TargetMachine& machine) {
  return machine.getTargetTriple().isX86() && machine.getMCSubtargetInfo()->checkFeatures("+avx");
}

// The Vector Function ABI's names: _ZGV, the instruction set, N (unmasked), lanes, a v per argument, the function.
std::string vector_function(const Target& t, const llvm::TargetMachine& machine, std::string_view stem, size_t arity, loops::Scalar scalar,
                            uint32_t lanes) {
  if (t.vector_library == VectorLibrary::None || stem.empty()) return "";
  const llvm::Triple& triple = machine.getTargetTriple();
  if (!triple.isOSLinux() || triple.isMusl()) return "";
  const auto has = [&](const char* feature) { return machine.getMCSubtargetInfo()->checkFeatures(feature); };
  const size_t bits = lanes * 8 * loops::size_of(scalar);
  std::string_view set;
  if (triple.getArch() == llvm::Triple::x86_64)
    set = bits == 512 && has("+avx512f") ? "e" : bits == 256 && has("+avx2") ? "d" : bits == 128 ? "b" : "";
  if (set.empty()) return "";
  return fmt::format("_ZGV{}N{}{}_{}{}", set, lanes, std::string(arity, 'v'), stem, scalar == loops::Scalar::Float ? "f" : "");
}

std::string llvm_version() { return LLVM_VERSION_STRING; }

}  // namespace ricci
