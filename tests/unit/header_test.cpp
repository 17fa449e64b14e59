// Emitted objects and headers make a program in C and in C++, without warnings, whatever things are called.
#include "codegen/header.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "codegen/object_unit.h"
#include "passes/differentiate.h"

namespace {
using namespace ricci;

std::string folder_for(const std::string& name) {
  const std::string path = testing::TempDir() + "ricci_" + name;
  std::filesystem::create_directories(path);
  return path;
}
int run(const std::string& command) { return std::system(command.c_str()); }

Unit unit_of(const std::string& text) {
  Diagnostics diagnostics;
  std::optional<Program> program = parse_program(text, "test.ricci", calculus(), diagnostics);
  EXPECT_TRUE(program) << diagnostics.to_text();
  return build(*program, program->exports.at(0), {}, resolve({}));
}

TEST(Header, LinksWithTheObjectIntoProgramsInCAndCpp) {
  const Unit unit = unit_of(
      "A: matrix(m, n)\nb: vector(m)\nx: vector(n)\nf = norm2(A*x - b)^2\ng = grad(f, x)\nS = (A'*A)\\g\n"
      "export least_squares(A, b, x) -> f, g, S\n");
  const std::string folder = folder_for("consumer");
  std::ofstream(folder + "/least_squares.h") << emit_header(std::span(&unit, 1), "least_squares");
  std::ofstream(folder + "/least_squares.o", std::ios::binary) << compile(std::span(&unit, 1), resolve({}), CodeForm::Object);
  const std::string flags = " -Wall -Wextra -Wpedantic -Wconversion -Werror -I" + folder + " -I" RICCI_SOURCE_DIR "/include ";
  const std::string link = " " + folder + "/least_squares.o " RICCI_LINK_RUNTIME " -lstdc++ -lmvec -lm ";
  const std::string source = RICCI_SOURCE_DIR "/tests/consumer/least_squares.c";
  EXPECT_EQ(run("cc -std=c11" + flags + source + link + "-o " + folder + "/in_c && " + folder + "/in_c"), 0);
  EXPECT_EQ(run("c++ -std=c++17 -x c++" + flags + source + " -x none" + link + "-o " + folder + "/in_cpp && " + folder + "/in_cpp"), 0);
}

TEST(Header, SurvivesHostileNamesAndText) {
  loops::Program p;
  p.name = "int";
  p.dims = {"work", "n"};
  const auto array = [&](loops::Array::Role role, std::string name, std::vector<loops::IndexId> shape) {
    p.dense(role, std::move(name), shape);
  };
  array(loops::Array::Role::In, "class", {p.dim(0), p.dim(1)});
  array(loops::Array::Role::In, "λ", {});
  array(loops::Array::Role::In, "in", {p.index(3)});
  array(loops::Array::Role::Out, "class", {p.dim(1)});
  Unit unit{p};
  unit.source =
      "# ends */ here \\\n?"
      "?/ and /* there\n#define int long\n";
  loops::Program none;
  none.name = "nothing";
  const Unit units[] = {unit, Unit{none}};
  const std::string folder = folder_for("hostile");
  std::ofstream(folder + "/hostile.h") << emit_header(units, "3 hostile/names");
  std::ofstream(folder + "/main.c") << "#include \"hostile.h\"\n#include \"hostile.h\"\nint main(void) { return ricci_fn_int_dim_n != 1; }\n";
  const std::string flags = " -Wall -Wextra -Wpedantic -Wconversion -Werror -fsyntax-only -I" + folder + " -I" RICCI_SOURCE_DIR "/include ";
  EXPECT_EQ(run("cc -std=c99" + flags + folder + "/main.c"), 0);
  EXPECT_EQ(run("c++ -std=c++17 -x c++" + flags + folder + "/main.c"), 0);
}

}  // namespace
