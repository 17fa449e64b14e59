// The C header of compiled functions: what a C or C++ program includes to call an emitted object.
//
// It is written against include/ricci/abi.h but repeats nothing of it that a program could get wrong: per function the prototypes,
// positions of arguments, results and dimensions by name, and a typed call `NAME_call(arguments..., results..., sizes..., work)`.
#pragma once
#include <span>
#include <string>

#include "codegen/object.h"

namespace ricci {

// `guard` is the name of the header or of the object, for the include guard.
std::string emit_header(std::span<const Unit> units, std::string_view guard);

}  // namespace ricci
