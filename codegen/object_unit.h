// From an exported function of a program to the unit the back ends compile: the one place where driver and host interface meet.
#pragma once
#include <map>
#include <set>
#include <string>

#include "codegen/object.h"
#include "frontend/program.h"
#include "passes/lower_to_loops.h"

namespace ricci {

struct BuildOptions {
  std::map<std::string, int64_t, std::less<>> dims = {};  // dimensions whose sizes are known now
  std::set<std::string, std::less<>> column_major = {};   // arguments and results in Fortran order
  loops::Scalar scalar = loops::Scalar::Double;
  bool optimize = true;  // false: the DAG as differentiation left it
};

// The arguments and results of `e` as nodes. Throws std::invalid_argument for a name the program has not or that is listed twice, and
// for a fixed dimension or an argument in options that does not exist.
CompileRequest make_request(const Program& program, const Export& e, const BuildOptions& options, const Target& target);

// Optimised, planned and lowered.
Unit build(Program& program, const Export& e, const BuildOptions& options, const Target& target);

}  // namespace ricci
