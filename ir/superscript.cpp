#include "ir/superscript.h"

#include <algorithm>
#include <utility>

namespace ricci {
namespace {

constexpr std::pair<char, std::string_view> kSuperscripts[] = {
    {'0', "⁰"}, {'1', "¹"}, {'2', "²"}, {'3', "³"}, {'4', "⁴"}, {'5', "⁵"}, {'6', "⁶"}, {'7', "⁷"}, {'8', "⁸"}, {'9', "⁹"}, {'-', "⁻"},
};

// The row that `text` begins with.
auto row_at(std::string_view text) {
  return std::ranges::find_if(kSuperscripts, [&](const auto& row) { return text.starts_with(row.second); });
}

}  // namespace

std::string superscript(std::string_view digits) {
  std::string out;
  for (char c : digits) out += std::ranges::find(kSuperscripts, c, &std::pair<char, std::string_view>::first)->second;
  return out;
}

size_t superscript_length(std::string_view text) {
  size_t length = 0, digits = 0;
  for (auto row = row_at(text); row != std::end(kSuperscripts); row = row_at(text.substr(length))) {
    if (row->first == '-' && length > 0) break;
    length += row->second.size();
    digits += row->first != '-';
  }
  return digits > 0 ? length : 0;
}

std::string lowered(std::string_view superscript) {
  std::string out;
  for (auto row = row_at(superscript); row != std::end(kSuperscripts); row = row_at(superscript)) {
    out += row->first;
    superscript.remove_prefix(row->second.size());
  }
  return out;
}

}  // namespace ricci
