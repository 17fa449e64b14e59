#include "codegen/llvm_passes.h"

#include <llvm/Passes/PassBuilder.h>

#include <algorithm>
#include <stdexcept>

namespace ricci {

// Blocks longer than this go to the code generator without scheduling: 10,000 loads and stores took 25 s with it, 0.1 s without.
constexpr size_t kLongBlock = 4000;
// Straight code longer than this goes without the greedy register allocator: 1,000 operations took 160 ms with it, 3 ms without, and ran as fast.
constexpr size_t kLongStraight = 400;

// What decides the cost of compiling: the longest block (schedulers are quadratic in it), and whether there are loops at all.
struct Shape {
  size_t instructions = 0, longest_block = 0;
  bool loops = false;
};

static Shape shape(const llvm::Module& module) {
  Shape s;
  for (const llvm::Function& f : module)
    for (const llvm::BasicBlock& b : f) {
      s.instructions += b.size();
      s.longest_block = std::max(s.longest_block, b.size());
      s.loops |= llvm::isa<llvm::PHINode>(b.front());
    }
  return s;
}

// Straight code has nothing for loop passes; integers and accumulators are what is left to clean in loops.
static constexpr const char* kStraight = "function(sroa,early-cse,instcombine<no-verify-fixpoint>,simplifycfg,early-cse)";
static constexpr const char* kLoops =
    "function(sroa,early-cse<memssa>,instcombine<no-verify-fixpoint>,simplifycfg,"
    "loop-mssa(licm),loop(simple-loop-unswitch<nontrivial>),gvn,loop-simplify,lcssa,loop(indvars,loop-deletion,loop-unroll-full),"
    "sroa,early-cse,instcombine<no-verify-fixpoint>,loop-mssa(licm),dse,adce,simplifycfg)";

static std::string pipeline(const Shape& s, int level) {
  if (level == 0) return "function(sroa,early-cse)";
  if (!s.loops || s.longest_block > kLongBlock) return kStraight;
  return level < 3 ? kLoops : "default<O3>";
}

static llvm::CodeGenOptLevel generator_level(const Shape& s, int level) {
  const bool is_long = s.longest_block > (s.loops ? kLongBlock : kLongStraight);
  if (level == 0 || is_long) return llvm::CodeGenOptLevel::None;
  return level == 1 || !s.loops ? llvm::CodeGenOptLevel::Less : llvm::CodeGenOptLevel::Default;
}

std::string describe_passes(const llvm::Module& module, int level) {
  const Shape s = shape(module);
  return pipeline(s, level) + " generator O" + std::to_string(int(generator_level(s, level)));
}

void optimize(llvm::Module& module, llvm::TargetMachine& machine, int level) {
  const Shape s = shape(module);
  machine.setOptLevel(generator_level(s, level));
  llvm::PipelineTuningOptions options;
  options.LoopVectorization = false;
  options.LoopInterleaving = false;
  options.SLPVectorization = false;
  llvm::PassBuilder builder(&machine, options);
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager graph;
  llvm::ModuleAnalysisManager modules;
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(graph);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, graph, modules);
  llvm::ModulePassManager passes;
  if (llvm::Error error = builder.parsePassPipeline(passes, pipeline(s, level))) throw std::logic_error(llvm::toString(std::move(error)));
  passes.run(module, modules);
}

}  // namespace ricci
