// Machine code in this process: loop programs compiled and callable. No LLVM in this header.
#pragma once
#include <ricci/abi.h>

#include <memory>
#include <span>
#include <string>

#include "codegen/object.h"

namespace ricci {

// A function in memory; its code lives as long as this object. Calls are pure and reentrant.
class CompiledFunction {
 public:
  explicit CompiledFunction(std::shared_ptr<const void> code, const ricci_meta* meta) : code_(std::move(code)), meta_(meta) {}
  // Names, shapes, entries: all the raw ABI knows. ricci_call takes it.
  const ricci_meta& meta() const { return *meta_; }
  size_t work_bytes(const int64_t* dims) const { return meta_->work_bytes(dims); }
  // `functions`: what the function calls of the host's, if anything, in the order of meta().functions.
  int operator()(const double* const* in, double* const* out, const int64_t* dims, void* work, const ricci_function* functions = nullptr) const {
    return functions ? meta_->f64_calling(in, out, dims, work, functions) : meta_->f64(in, out, dims, work);
  }
  int operator()(const float* const* in, float* const* out, const int64_t* dims, void* work, const ricci_function* functions = nullptr) const {
    return functions ? meta_->f32_calling(in, out, dims, work, functions) : meta_->f32(in, out, dims, work);
  }

 private:
  std::shared_ptr<const void> code_;
  const ricci_meta* meta_;
};

// Compiles and loads. Thread-safe. Loaded code may call the kernels of the runtime, libm, the vector library and memcpy, memmove, memset:
// nothing else resolves.
class Jit {
 public:
  explicit Jit(Target t = {});  // throws TargetError if the target is not this machine
  ~Jit();
  const Target& target() const { return target_; }
  // One function per unit, in order; their object comes from the cache, if it has it. Throws std::runtime_error.
  std::vector<CompiledFunction> compile(std::span<const Unit> units, ObjectCache* cache = nullptr);
  CompiledFunction compile(const Unit& unit, ObjectCache* cache = nullptr) { return compile(std::span(&unit, 1), cache)[0]; }
  // Loads an object that `compile(units, target(), CodeForm::Object)` made.
  std::vector<CompiledFunction> load(const std::string& object, std::span<const std::string> names);

 private:
  struct State;
  Target target_;
  std::shared_ptr<State> state_;
};

}  // namespace ricci
