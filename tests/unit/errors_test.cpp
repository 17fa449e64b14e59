// Every wrong program under tests/lit/errors is refused with the text its CHECK lines promise, and every message of diagnostics.def is
// promised by one of them.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

#include "frontend/program.h"
#include "passes/differentiate.h"

namespace ricci {
namespace {

std::string contents(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::vector<std::filesystem::path> wrong_programs() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(RICCI_SOURCE_DIR "/tests/lit/errors")) files.push_back(entry.path());
  std::ranges::sort(files);
  return files;
}

// Those whose text stands in the file; a text that the shell makes (`RUN: printf ...`) is lit's alone.
std::vector<std::filesystem::path> written_programs() {
  std::vector<std::filesystem::path> files = wrong_programs();
  std::erase_if(files, [](const auto& file) { return contents(file).find("RUN: printf") != std::string::npos; });
  return files;
}

std::vector<std::string> promises(const std::string& text) {
  std::vector<std::string> all;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    for (const char* directive : {"# CHECK: ", "# CHECK-NEXT: "})
      if (line.starts_with(directive)) all.push_back(line.substr(std::string(directive).size()));
  return all;
}

// The one-line expression of a RUN line, if it has one.
std::optional<std::string> expression_of(const std::string& text) {
  std::smatch m;
  if (!std::regex_search(text, m, std::regex("simplify \"([^\"]*)\""))) return std::nullopt;
  return m[1].str();
}

class WrongProgram : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(WrongProgram, IsRefusedInThePromisedWords) {
  const std::string text = contents(GetParam());
  Diagnostics diagnostics;
  const auto expression = expression_of(text);
  EXPECT_FALSE(expression ? parse_expression(*expression, {}, calculus(), diagnostics) : parse_program(text, GetParam(), calculus(), diagnostics));
  const std::string said = diagnostics.to_text();
  size_t at = 0;
  for (const std::string& promise : promises(text)) {
    const size_t found = said.find(promise, at);
    ASSERT_NE(found, said.npos) << promise << "\nis not in\n" << said;
    at = found + promise.size();
  }
  size_t errors = 0;
  for (const std::string& promise : promises(text)) errors += promise.find(" error: ") != promise.npos;
  EXPECT_EQ(diagnostics.error_count(), errors) << said;
}

INSTANTIATE_TEST_SUITE_P(Errors, WrongProgram, testing::ValuesIn(written_programs()), [](const auto& file) {
  return std::regex_replace(file.param.stem().string(), std::regex("[^A-Za-z0-9]"), "_");
});

TEST(Messages, EachIsShownByAWrongProgram) {
  std::string all;
  for (const auto& file : wrong_programs())
    for (const std::string& promise : promises(contents(file))) all += promise + "\n";
  for (size_t i = 0; i < message_count(); ++i) {
    std::string pattern = std::regex_replace(std::string(row(Message(i)).text), std::regex(R"([.^$|()\[\]*+?\\])"), R"(\$&)");
    pattern = std::regex_replace(pattern, std::regex(R"(\{\})"), ".*");
    EXPECT_TRUE(std::regex_search(all, std::regex(pattern))) << row(Message(i)).id << ": " << row(Message(i)).text;
  }
}

TEST(Messages, AreAtLeastForty) { EXPECT_GE(wrong_programs().size(), 40u); }

}  // namespace
}  // namespace ricci
