// Files in and out: the headers, orders and mistakes that real tables and NumPy produce.
#include "tools/tensor_file.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "tools/csv.h"
#include "tools/npy.h"
#include "tools/output.h"

namespace ricci {
namespace {

std::string error_of(auto&& action) {
  try {
    action();
  } catch (const FileError& e) {
    return e.what();
  }
  return "";
}

TEST(Csv, SkipsAHeaderOfWordsOrOfAnotherWidth) {
  for (const char* header : {"a,b,c", "name,,", "569,30,malignant,benign"}) {
    TensorFile t = parse_csv(header + std::string("\n1,2,3\n5,6,8\n"), "t");
    EXPECT_EQ(t.shape, (std::vector<int64_t>{2, 3}));
    EXPECT_EQ(t.data[5], 8);
  }
}

TEST(Csv, ReadsWithoutAHeaderAndInOtherSpellings) {
  EXPECT_EQ(parse_csv("\xEF\xBB\xBF"
                      "1;2\r\n\r\n-inf;+1e3",
                      "t")
                .data,
            (std::vector<double>{1, 2, -INFINITY, 1000}));
  EXPECT_EQ(parse_csv("1\t2\n", "t").shape, (std::vector<int64_t>{1, 2}));
  EXPECT_EQ(parse_csv("", "t").shape, (std::vector<int64_t>{0, 0}));
}

TEST(Csv, SaysWhatIsWrongAndWhere) {
  EXPECT_EQ(error_of([] { parse_csv("1,2\n3,x\n", "t.csv"); }), "t.csv:2: `x` is not a number");
  EXPECT_EQ(error_of([] { parse_csv("1,abc\n", "t.csv"); }), "t.csv:1: `abc` is not a number");
  EXPECT_EQ(error_of([] { parse_csv("1,abc,d\n3,4,5\n", "t.csv"); }), "t.csv:1: `abc` is not a number");
  EXPECT_EQ(error_of([] { parse_csv("1,2\n3\n", "t.csv"); }), "t.csv:2: 1 fields, and 2 in the lines above");
  EXPECT_NE(error_of([] { format_csv({{1, 1, 1}, {0}}); }), "");
}

TEST(Npy, ReadsBackWhatItWrites) {
  for (TensorFile t : {TensorFile{{}, {3}}, TensorFile{{2}, {1, 2}}, TensorFile{{2, 3}, {1, 2, 3, 4, 5, 6}}, TensorFile{{1, 0, 2}, {}}}) {
    TensorFile back = parse_npy(format_npy(t), "t");
    EXPECT_EQ(back.shape, t.shape);
    EXPECT_EQ(back.data, t.data);
  }
}

TEST(Npy, ReadsFortranOrderAndIntegers) {
  std::string header = "{'descr': '>i2', 'fortran_order': True, 'shape': (2, 3), }\n";
  std::string bytes = std::string("\x93NUMPY\x01\x00", 8) + char(header.size()) + '\0' + header;
  for (char c : {1, 4, 2, 5, 3, 6}) bytes += std::string(1, '\0') + c;
  EXPECT_EQ(parse_npy(bytes, "t").data, (std::vector<double>{1, 2, 3, 4, 5, 6}));
  bytes.pop_back();
  EXPECT_EQ(error_of([&] { parse_npy(bytes, "t.npy"); }), "t.npy: the shape (2, 3) needs 6 numbers, and the file has 5");
  EXPECT_EQ(error_of([&] { parse_npy("PK", "t.npy"); }), "t.npy: not a .npy file");
}

TEST(Files, WritesWholeFilesAndReadsColumns) {
  std::string folder = ::testing::TempDir() + "tensor_file_test";
  std::filesystem::create_directories(folder);
  std::string path = folder + "/t.csv";
  write_tensor(path, {{2, 3}, {1, 2, 3, 4, 5, 0.1}});
  EXPECT_EQ(read_file(path), "1,2,3\n4,5,0.1\n");
  EXPECT_EQ(read_tensor(path + "[2:3]", 2).data, (std::vector<double>{2, 3, 5, 0.1}));
  EXPECT_EQ(read_tensor(path + "[3]", 1).shape, (std::vector<int64_t>{2}));
  EXPECT_EQ(error_of([&] { read_tensor(path + "[4]", 1); }), path + ": column 4 was asked for, and there are 3");
  EXPECT_NE(error_of([&] { read_tensor(folder + "/none.csv", 1); }).find("No such file"), std::string::npos);
  EXPECT_NE(error_of([&] { write_output(folder + "/none/t.csv", ""); }).find("No such file"), std::string::npos);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 1);
}

// The gram matrix of one row is not its squared length.
TEST(Files, TheOrderThatIsWantedSaysWhatARowIs) {
  using Shape = std::vector<int64_t>;
  const std::string path = ::testing::TempDir() + "tensor_file_test_row";
  for (const std::string& file : {path + ".csv", path + ".npy"})
    for (const auto& [table, vector] : {std::pair<Shape, Shape>{{1, 3}, {3}}, {{3, 1}, {3}}, {{1, 1}, {1}}}) {
      write_tensor(file, {table, std::vector<double>(size_t(vector[0]), 2)});
      EXPECT_EQ(read_tensor(file, 2).shape, table);
      EXPECT_EQ(read_tensor(file, 1).shape, vector);
      EXPECT_EQ(read_tensor(file, 0).shape, vector[0] == 1 ? Shape{} : table);
    }
  write_tensor(path + ".npy", {{2}, {1, 2}});
  EXPECT_EQ(read_tensor(path + ".npy", 2).shape, (Shape{2, 1}));
  EXPECT_EQ(read_tensor(path + ".npy", 3).shape, (Shape{2}));
}

}  // namespace
}  // namespace ricci
