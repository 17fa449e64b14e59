// Emitted code carries just the kernels it needs, and they compile alone.
#include "codegen/portable_kernels.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

namespace {
using namespace ricci;

bool has(const std::string& text, std::string_view what) { return text.find(what) != std::string::npos; }

TEST(PortableKernels, CarryWhatTheyCallAndNothingElse) {
  const std::string text = portable_kernels({"inv"}, "mine_", loops::Scalar::Float);
  for (const char* name : {"mine_inv(", "mine_lu(", "mine_lu_inv(", "mine_lu_solve(", "mine_triangular_solve("})
    EXPECT_TRUE(has(text, name)) << name;
  for (const char* name : {"chol", "gemm", "double REAL", "REAL", "KERNEL"}) EXPECT_FALSE(has(text, name)) << name;
  EXPECT_EQ(portable_kernels({}, "x_", loops::Scalar::Double), "");
  // Each row with what it calls compiles without the others.
  const std::string path = testing::TempDir() + "portable_alone.c";
  for (const rt::KernelRow& row : rt::kKernels) {
    std::ofstream(path) << "#include <math.h>\n#include <stdint.h>\n" << portable_kernels({std::string(row.name)}, "k_", loops::Scalar::Double);
    EXPECT_EQ(std::system(("cc -std=c99 -Wall -Wextra -Werror -Wno-unused-function -fsyntax-only " + path).c_str()), 0) << row.name;
  }
}

TEST(PortableKernels, EveryRowOfTheTableIsThereAndCompilesWithoutWarnings) {
  for (const rt::KernelRow& row : rt::kKernels)
    EXPECT_TRUE(has(portable_kernels({std::string(row.name)}, "k_", loops::Scalar::Double), "k_" + std::string(row.name) + "("))
        << row.name;
  std::set<std::string, std::less<>> all;
  for (const rt::KernelRow& row : rt::kKernels) all.insert(std::string(row.name));
  const std::string folder = testing::TempDir();
  for (auto [scalar, name] : {std::pair{loops::Scalar::Double, "portable64"}, std::pair{loops::Scalar::Float, "portable32"}}) {
    const std::string path = folder + name;
    std::ofstream(path + ".c") << "#include <math.h>\n#include <stdint.h>\n" << portable_kernels(all, "k_", scalar);
    const std::string flags = " -Wall -Wextra -Wconversion -Wno-unused-function -Werror -c " + path + ".c -o " + path + ".o";
    EXPECT_EQ(std::system(("cc -std=c99" + flags).c_str()), 0);
    EXPECT_EQ(std::system(("c++ -std=c++17 -x c++" + flags).c_str()), 0);
  }
}

}  // namespace
