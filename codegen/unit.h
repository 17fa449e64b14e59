// What a back end is given: a loop program, and what its output says about where it comes from.
#pragma once
#include <string>

#include "ir/loops.h"

namespace ricci {

struct Unit {
  loops::Program program;
  std::string hash = {};    // of the program and the options
  std::string source = {};  // the formula as written
};

}  // namespace ricci
