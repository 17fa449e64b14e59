// An exported function on its way to machine code, and the arrays it is called with.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "codegen/jit.h"
#include "codegen/object_unit.h"
#include "codegen/stand_ins.h"
#include "ir/interpret.h"
#include "tools/ricci/input.h"

namespace ricci::driver {

Target target_of(const Options& options);

// How --float and, if `fix_sizes`, --dim shape what is built.
BuildOptions build_options(const Options& options, bool fix_sizes);

// The exported function lowered. Throws UsageError for a dimension that does not exist.
Unit unit_for(Program& program, const Export& function, const Options& options, bool fix_sizes);

// The functions that an exported one calls and the program only declares.
std::vector<CalledFunction> called_by(const Program& program, const Export& function);

// Everything a call needs, in the function's order.
struct Arguments {
  Dims dims;
  std::vector<Array<double>> in, out;  // out: allocated, zero
};

// Reads --in, draws --random, unifies the dimensions. `draw_rest`: what is not given is drawn. Throws UsageError, FileError or InputError
// that name the argument and where each size came from.
Arguments gather(const Program& program, const Export& function, const Options& options, bool draw_rest);

// A function compiled for this machine, ready to be called again and again on the same arrays. Its code comes from the object cache, if that
// has it; with -v or --stats it says so.
class Call {
 public:
  // Functions that the program only declares have smooth ones in their place.
  Call(Program& program, const Export& function, const Options& options, Arguments arguments);
  int operator()();                             // the status of the raw call
  const std::vector<Array<double>>& results();  // of the last call
  double compile_seconds() const { return compile_seconds_; }

 private:
  CompiledFunction compile(const Unit& unit, const Options& options);
  template <class T>
  int call(std::vector<std::vector<T>>& in, std::vector<std::vector<T>>& out);
  bool single_;
  Arguments arguments_;
  double compile_seconds_ = 0;
  std::string origin_ = {};  // of the code: what the object cache had, or why there is none
  CompiledFunction function_;
  std::optional<StandIns> stand_ins_;
  std::vector<int64_t> dims_;
  std::vector<std::vector<double>> in64_, out64_;
  std::vector<std::vector<float>> in32_, out32_;
  std::vector<char> work_;
  void* aligned_work_ = nullptr;
};

}  // namespace ricci::driver
