// The machine that code is made for, and how hard to try. No LLVM in this header.
#pragma once
#include <cstdint>
#include <stdexcept>
#include <string>

#include "ir/loops.h"

namespace ricci {

enum class VectorLibrary : uint8_t {
  None,     // exp of eight lanes is eight calls of libm
  Libmvec,  // glibc's, where the target has it (x86-64 Linux): about 2 ulp
};

struct Target {
  std::string triple = {};    // empty: this machine
  std::string cpu = {};       // empty or "native": this machine's; another triple's: "generic"
  std::string features = {};  // "+avx2,-avx512f"; empty: the CPU's
  int optimization = 2;       // 0..3
  VectorLibrary vector_library = VectorLibrary::Libmvec;
  bool fast_math = false;
};

// A triple or a CPU that does not exist, or a machine that is not this one; what() says which, for the user.
struct TargetError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// The same with triple, CPU and features spelled out: what cache keys and metadata hold.
Target resolve(const Target& t);

// Throws TargetError unless code for it runs, and links, on this machine.
void require_host(const Target& t);

// One line for people and metadata: "x86_64-pc-linux-gnu znver5 O2".
std::string describe(const Target& t);

// Lanes of the vectors that the target prefers: the width to mark vector loops with. 1 if it has none.
uint32_t vector_lanes(const Target& t, loops::Scalar scalar);

// "22.1.8": the version of LLVM behind all this.
std::string llvm_version();

}  // namespace ricci
