// Reads and writes tensors by the ending of the file's name.
#include "tools/tensor_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <utility>

#include "tools/csv.h"
#include "tools/npy.h"
#include "tools/output.h"

namespace ricci {
namespace {

struct Columns {
  int64_t first = 0, last = 0;  // from one; 0: all
};

// Splits "table.csv[1:30]"; a path that merely contains brackets elsewhere stays as it is.
std::pair<std::string, Columns> split_spec(const std::string& spec) {
  size_t open = spec.rfind('[');
  if (open == std::string::npos || !spec.ends_with(']')) return {spec, {}};
  const char *at = spec.data() + open + 1, *end = spec.data() + spec.size() - 1;
  Columns c;
  auto [after_first, error] = std::from_chars(at, end, c.first);
  if (error != std::errc()) return {spec, {}};
  c.last = c.first;
  if (after_first != end && *after_first == ':') after_first = std::from_chars(after_first + 1, end, c.last).ptr;
  if (after_first != end || c.first < 1 || c.last < c.first) throw FileError(fmt::format("{}: columns are written [3] or [1:30]", spec));
  return {spec.substr(0, open), c};
}

TensorFile take_columns(const TensorFile& t, Columns c, const std::string& path) {
  if (t.shape.size() != 2) throw FileError(fmt::format("{}: columns were asked for, and the file has order {}", path, t.shape.size()));
  if (c.last > t.shape[1]) throw FileError(fmt::format("{}: column {} was asked for, and there are {}", path, c.last, t.shape[1]));
  TensorFile taken{{t.shape[0], c.last - c.first + 1}, {}};
  for (int64_t row = 0; row < t.shape[0]; ++row) {
    auto from = t.data.begin() + row * t.shape[1];
    taken.data.insert(taken.data.end(), from + c.first - 1, from + c.last);
  }
  return taken;
}

}  // namespace

std::string read_file(const std::string& path) {
  std::ifstream file;
  if (path != "-") {
    file.open(path, std::ios::binary);
    if (!file) throw FileError(fmt::format("{}: {}", path, std::strerror(errno)));
  }
  std::istream& in = path == "-" ? std::cin : file;
  std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  if (in.bad() || (path != "-" && file.fail() && !file.eof())) throw FileError(fmt::format("{}: cannot be read", path));
  return text;
}

TensorFile read_tensor(const std::string& spec, size_t order) {
  auto [path, columns] = split_spec(spec);
  TensorFile t = path.ends_with(".npy") ? parse_npy(read_file(path), path) : parse_csv(read_file(path), path);
  if (columns.first > 0) t = take_columns(t, columns, path);
  const auto count = int64_t(t.data.size());
  const bool line = t.shape.size() == 2 && std::ranges::find(t.shape, 1) != t.shape.end();
  if (order == 0 && count == 1) t.shape = {};
  else if (order == 1 && line) t.shape = {count};
  else if (order == 2 && t.shape.size() == 1) t.shape = {count, 1};
  return t;
}

void write_tensor(const std::string& path, const TensorFile& tensor) {
  write_output(path, path.ends_with(".npy") ? format_npy(tensor) : format_csv(tensor));
}

}  // namespace ricci
