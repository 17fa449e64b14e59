// A fuzz target without a fuzzer: every file and folder that is named is given to it once. With it, the seeds and what fuzzing has found
// are tests wherever the project builds.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace fs = std::filesystem;

static void replay(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  std::fprintf(stderr, "%s\n", path.c_str());  // the last one named is the one that crashes
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
}

int main(int argc, char** argv) {
  size_t count = 0;
  for (int k = 1; k < argc; ++k) {
    if (!fs::is_directory(argv[k])) replay(argv[k]), ++count;
    else
      for (const fs::directory_entry& entry : fs::recursive_directory_iterator(argv[k]))
        if (entry.is_regular_file()) replay(entry.path()), ++count;
  }
  std::printf("%zu inputs\n", count);
  return count > 0 ? 0 : 1;
}
