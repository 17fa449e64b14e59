// Cuts runtime/portable_kernels.h and runtime/portable_matrix_functions.h, which calls the former, into functions: each starts at `static inline`, or at the comment above it, and names what it calls as
// KERNEL(name). What is wanted is the closure under those names, in the order of the text.
#include "codegen/portable_kernels.h"

#include <algorithm>
#include <iterator>
#include <vector>

namespace ricci {

extern const char* const portable_kernels_text;  // made from the headers by CMake
extern const char* const portable_matrix_functions_text;

namespace {

struct Chunk {
  std::string name, text;
};

// The name in the first KERNEL(...) at or behind `from`; moves `from` behind it. Empty if there is none.
std::string next_kernel(std::string_view text, size_t& from) {
  constexpr std::string_view mark = "KERNEL(";
  from = text.find(mark, from);
  if (from == std::string_view::npos) return "";
  const size_t begin = from + mark.size(), end = text.find(')', begin);
  from = end;
  return std::string(text.substr(begin, end - begin));
}

std::vector<Chunk> cut(std::string_view text) {
  std::vector<Chunk> chunks;
  text.remove_prefix(text.find("\n/*"));  // behind the includes
  while (true) {
    const size_t end = text.find("\n}\n");
    if (end == std::string_view::npos) return chunks;
    const std::string_view one = text.substr(1, end + 2);
    size_t from = one.find("static inline");
    chunks.push_back({next_kernel(one, from), std::string(one)});
    text.remove_prefix(end + 2);
  }
}

void replace_all(std::string& text, std::string_view what, std::string_view by) {
  for (size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size()) text.replace(at, what.size(), by);
}

// KERNEL(name) becomes prefix + name, REAL the scalar.
std::string spell(std::string text, std::string_view prefix, loops::Scalar scalar) {
  constexpr std::string_view mark = "KERNEL(";
  for (size_t at = 0; (at = text.find(mark, at)) != std::string::npos;) {
    text.erase(text.find(')', at), 1);
    text.replace(at, mark.size(), prefix);
  }
  replace_all(text, "REAL", scalar == loops::Scalar::Double ? "double" : "float");
  return text;
}

}  // namespace

std::string portable_kernels(const std::set<std::string, std::less<>>& names, std::string_view prefix, loops::Scalar scalar) {
  std::vector<Chunk> chunks = cut(portable_kernels_text), more = cut(portable_matrix_functions_text);
  std::ranges::move(more, std::back_inserter(chunks));
  std::set<std::string, std::less<>> wanted = names;
  for (size_t i = chunks.size(); i-- > 0;)  // callers stand behind what they call
    if (wanted.contains(chunks[i].name))
      for (size_t from = 0; from != std::string::npos;)
        if (std::string called = next_kernel(chunks[i].text, from); !called.empty()) wanted.insert(called);
  std::string out;
  for (const Chunk& c : chunks)
    if (wanted.contains(c.name)) out += spell(c.text, prefix, scalar) + "\n";
  return out;
}

}  // namespace ricci
