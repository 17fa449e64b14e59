// A line at a time, a field at a time; numbers are read without a locale.
#include "tools/csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace ricci {
namespace {

std::string_view trim(std::string_view s) {
  size_t first = s.find_first_not_of(" \t\r\"");
  if (first == std::string_view::npos) return {};
  return s.substr(first, s.find_last_not_of(" \t\r\"") - first + 1);
}

std::optional<double> number(std::string_view field) {
  field = trim(field);
  if (field.starts_with('+')) field.remove_prefix(1);
  double value = 0;
  auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
  if (error != std::errc() || end != field.data() + field.size() || field.empty()) return {};
  return value;
}

// Of the first line that is not blank; 0 if there is none.
int64_t count_fields(std::string_view text, char separator) {
  text.remove_prefix(std::min(text.find_first_not_of("\r\n"), text.size()));
  return text.empty() ? 0 : 1 + std::ranges::count(text.substr(0, text.find('\n')), separator);
}

}  // namespace

TensorFile parse_csv(std::string_view text, const std::string& name) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  TensorFile table{{0, 0}, {}};
  char separator = ',';
  bool first = true;
  for (int line = 1; !text.empty(); ++line) {
    size_t end = std::min(text.find('\n'), text.size());
    std::string_view row = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (trim(row).empty()) continue;
    if (first && row.find(',') == row.npos) separator = row.find(';') != row.npos ? ';' : row.find('\t') != row.npos ? '\t' : ',';
    int64_t fields = 0;
    std::string_view word;  // the first field that is no number
    const size_t before = table.data.size();
    for (size_t at = 0; at <= row.size(); ++fields) {
      const size_t stop = std::min(row.find(separator, at), row.size());
      const std::string_view field = row.substr(at, stop - at);
      if (const auto value = number(field)) table.data.push_back(*value);
      else if (int64_t(table.data.size() - before) == fields) word = field;
      at = stop + 1;
    }
    const bool words = int64_t(table.data.size() - before) < fields;
    const int64_t below = first && words ? count_fields(text, separator) : 0;
    const bool header = first && words && (table.data.empty() || (below > 0 && below != fields));
    first = false;
    if (header) {
      table.data.clear();
      continue;
    }
    if (words) throw FileError(fmt::format("{}:{}: `{}` is not a number", name, line, trim(word)));
    if (table.shape[0] == 0) table.shape[1] = fields;
    if (fields != table.shape[1])
      throw FileError(fmt::format("{}:{}: {} fields, and {} in the lines above", name, line, fields, table.shape[1]));
    ++table.shape[0];
  }
  return table;
}

std::string format_csv(const TensorFile& tensor) {
  if (tensor.shape.size() > 2)
    throw FileError(fmt::format("a tensor of order {} does not fit a .csv file; write .npy", tensor.shape.size()));
  int64_t columns = tensor.shape.size() == 2 ? tensor.shape[1] : 1;
  std::string text;
  for (size_t k = 0; k < tensor.data.size(); ++k) {
    bool last = int64_t(k + 1) % columns == 0;
    fmt::format_to(std::back_inserter(text), "{}{}", tensor.data[k], last ? '\n' : ',');
  }
  return text;
}

}  // namespace ricci
