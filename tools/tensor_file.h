// Tensors in files: .npy and .csv, chosen by the name's ending. What is in memory is dense, row-major, double.
#pragma once
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace ricci {

struct TensorFile {
  std::vector<int64_t> shape;
  std::vector<double> data;  // row-major
};

// What is wrong with a file, with its name and, where known, its line.
struct FileError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// `spec` is a path, optionally followed by columns counted from one: table.csv, table.csv[31], table.csv[1:30].
// What a table means the wanted order says: one row is a matrix 1 x n or, like one column, a vector; one number is a scalar, too; a vector is
// a matrix of one column. What has no such reading keeps the order of the file. Throws FileError.
TensorFile read_tensor(const std::string& spec, size_t order);

// Written through a temporary file and a rename; rank above 2 needs .npy. Throws FileError.
void write_tensor(const std::string& path, const TensorFile& tensor);

std::string read_file(const std::string& path);  // "-" is stdin

}  // namespace ricci
