// Loop IR to C++ that depends on nothing but a C++17 compiler and its libm.
#pragma once
#include <span>
#include <string>

#include "codegen/unit.h"

namespace ricci {

// A file with NAME and NAME_work_bytes (NAME as in codegen/symbol_name.h) of each unit, for the raw ABI of include/ricci/abi.h, and whatever
// kernels they call as plain code. Flat temporaries; long programs are cut into functions of at most about 2,000 statements. Warning-free under
// -Wall -Wextra -Wconversion. `notes` are lines for the opening comment: conventions in force, version, target. Throws
// std::runtime_error for two units of one name.
std::string to_cpp(std::span<const Unit> units, std::span<const std::string> notes = {});

}  // namespace ricci
