// Emitted C++ compiled by a real compiler and loaded: functions of the raw ABI.
#pragma once
#include <dlfcn.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace ricci {

class CompiledLibrary {
 public:
  // Compiles to a shared library by `COMPILER -std=c++17 OPTIONS`.
  CompiledLibrary(const std::string& compiler, const std::string& options, const std::string& source) {
    static int count = 0;
    const auto stem = std::filesystem::temp_directory_path() / ("ricci_cpp_" + std::to_string(getpid()) + "_" + std::to_string(count++));
    std::ofstream(stem.string() + ".cpp") << source;
    const std::string files = stem.string() + ".cpp -o " + stem.string() + ".so";
    const std::string command = compiler + " -std=c++17 -shared -fPIC " + options + " " + files;
    const int status = std::system(command.c_str());
    if (status != 0) std::fprintf(stderr, "%s\n", command.c_str());
    handle_ = status == 0 ? dlopen((stem.string() + ".so").c_str(), RTLD_NOW | RTLD_LOCAL) : nullptr;
    std::filesystem::remove(stem.string() + ".cpp");
    std::filesystem::remove(stem.string() + ".so");
  }
  bool ok() const { return handle_ != nullptr; }
  void* find(const std::string& name) const { return handle_ ? dlsym(handle_, name.c_str()) : nullptr; }

 private:
  void* handle_ = nullptr;  // kept: functions may still be called
};

// NAME and NAME_work_bytes; `functions` are what the function calls of the host's, if anything.
struct LoadedFunction {
  void *entry, *bytes;
  LoadedFunction(const CompiledLibrary& l, const std::string& symbol) : entry(l.find(symbol)), bytes(l.find(symbol + "_work_bytes")) {}
  size_t work_bytes(const int64_t* dims) const { return reinterpret_cast<size_t (*)(const int64_t*)>(bytes)(dims); }
  template <class T>
  int operator()(const T* const* in, T* const* out, const int64_t* dims, void* work, const void* functions = nullptr) const {
    if (functions) return reinterpret_cast<int (*)(const T* const*, T* const*, const int64_t*, void*, const void*)>(entry)(in, out, dims, work, functions);
    return reinterpret_cast<int (*)(const T* const*, T* const*, const int64_t*, void*)>(entry)(in, out, dims, work);
  }
};

// The first of these compilers that this machine has, or "".
inline std::string first_compiler(std::initializer_list<const char*> names) {
  for (const char* c : names)
    if (std::system((std::string("command -v ") + c + " >/dev/null").c_str()) == 0) return c;
  return "";
}

}  // namespace ricci
