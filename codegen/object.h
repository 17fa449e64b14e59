// Loop programs as files: LLVM IR, bitcode, assembly, objects, shared libraries. No LLVM in this header.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "codegen/target.h"
#include "codegen/unit.h"

namespace ricci {

class ObjectCache;

enum class CodeForm : uint8_t { Llvm, Bitcode, Assembly, Object };

// The units as one module: text (Llvm, Assembly) or bytes. Thread-safe, same bytes for the same input. Throws TargetError for
// an unknown target, std::runtime_error for a program that does not verify, and for two units of one name. An object may come from `cache`, and goes there.
std::string compile(std::span<const Unit> units, const Target& t, CodeForm form, ObjectCache* cache = nullptr);

// Links an object into a shared library at `path` by the system's `cc`, with these libraries (paths or -l options) after it. Undefined kernels
// remain for the program that loads it. Throws std::runtime_error with cc's name or its exit code.
void link_shared(const std::string& object, const std::string& path, const std::vector<std::string>& libraries = {});

}  // namespace ricci
