#include "codegen/header.h"

#include <fmt/format.h>

#include <cctype>
#include <set>

#include "codegen/symbol_name.h"

namespace ricci {

using namespace loops;

namespace {

// Letters, digits and underscores; other bytes of UTF-8 names by their code.
std::string identifier(std::string_view name) {
  std::string out;
  for (unsigned char c : name) out += std::isalnum(c) || c == '_' ? std::string(1, char(c)) : fmt::format("x{:02x}", c);
  return out.empty() || std::isdigit(static_cast<unsigned char>(out[0])) ? "_" + out : out;
}

// A parameter's name that no parameter has yet; keywords and names like `work` get an underscore.
class Names {
 public:
  std::string operator()(std::string_view wanted) {
    std::string name = identifier(wanted);
    while (!taken_.insert(name).second) name += "_";
    return name;
  }

 private:
  std::set<std::string> taken_ = {"work",          "in",          "out",        "dims",         "functions",    "auto",
                                  "bool",          "break",       "case",       "catch",        "char",
                                  "class",         "const",       "default",    "delete",       "do",
                                  "double",        "else",        "enum",       "explicit",     "export",
                                  "extern",        "false",       "float",      "for",          "friend",
                                  "goto",          "if",          "inline",     "int",          "long",
                                  "mutable",       "namespace",   "new",        "operator",     "private",
                                  "protected",     "public",      "register",   "restrict",     "return",
                                  "short",         "signed",      "sizeof",     "static",       "struct",
                                  "switch",        "template",    "this",       "throw",        "true",
                                  "try",           "typedef",     "typeid",     "typename",     "union",
                                  "unsigned",      "using",       "virtual",    "void",         "volatile",
                                  "while",         "and",         "or",         "not",          "xor",
                                  "asm",           "linux",       "unix",       "NULL",         "concept",
                                  "requires",      "co_await",    "nullptr",    "decltype",     "noexcept",
                                  "constexpr",     "alignas",     "alignof",    "int64_t",      "size_t",
                                  "typeof",        "wchar_t",     "bitand",     "bitor",        "compl",
                                  "and_eq",        "or_eq",       "not_eq",     "xor_eq",       "errno",
                                  "thread_local",  "static_cast", "const_cast", "dynamic_cast", "reinterpret_cast",
                                  "static_assert", "co_yield",    "co_return",  "consteval",    "constinit",
                                  "char8_t",       "char16_t",    "char32_t"};
};

// User text for a comment: no end of the comment, no line splice, no trigraph, nothing unprintable.
std::string comment(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const char before = out.empty() ? ' ' : out.back();
    if (c == '\n') out += "\n * ";
    else if (c == '\\' || (c == '/' && before == '*') || (c == '*' && before == '/') || (c == '?' && before == '?') ||
             (static_cast<unsigned char>(c) < ' ' && c != '\t'))
      out += ' ';
    else out += c;
  }
  while (!out.empty() && (out.back() == '\n' || out.back() == ' ' || out.back() == '*')) out.pop_back();
  return out;
}

// Column-major if its first axis is the one with stride 1, and it has another axis.
bool is_column_major(const Program& p, const Array& a) {
  const Index one{Index::Kind::Constant, 1};
  return a.shape.size() > 1 && p[a.strides[0]] == one && p[a.strides.back()] != one;
}

// "X (m x n, column-major)".
std::string describe(const Program& p, const Array& a) {
  std::string shape;
  for (IndexId i : a.shape)
    shape += (shape.empty() ? "" : " x ") + to_text(p, i);
  if (is_column_major(p, a)) shape += ", column-major";
  return a.name + " (" + (a.shape.empty() ? "a number" : shape) + ")";
}

// "h(n, m) -> k x n", "f() -> a number".
std::string describe(const Program& p, const Function& f) {
  const auto shape = [&](const std::vector<IndexId>& sizes) {
    std::string text;
    for (IndexId i : sizes) text += (text.empty() ? "" : " x ") + to_text(p, i);
    return text.empty() ? "a number" : text;
  };
  std::string arguments;
  for (const std::vector<IndexId>& a : f.arguments) arguments += (arguments.empty() ? "" : ", ") + shape(a);
  return f.name + "(" + arguments + ") -> " + shape(f.value);
}

std::string emit_function(const Unit& unit) {
  const Program& p = unit.program;
  const std::string scalar = p.scalar == Scalar::Double ? "double" : "float", f = symbol_name(p.name);
  const std::string_view host = p.functions.empty() ? "" : ", const struct ricci_function* functions";  // they stand behind `work`
  std::string text = "/* " + comment(unit.source) + "\n *\n";
  std::string enums, parameters, in, out;
  Names unique;
  const auto position = [&](std::string_view kind, std::string_view name, size_t at) {
    enums += fmt::format("{}{}_{}_{} = {}", enums.empty() ? "" : ", ", f, kind, identifier(name), at);
  };
  size_t ins = 0, outs = 0;
  for (const Array& a : p.arrays) {
    if (a.role == Array::Role::Work) continue;
    const bool input = a.role == Array::Role::In;
    const std::string name = unique(a.name);
    text += fmt::format(" * {:<8} {}\n", input ? "takes" : "gives", comment(describe(p, a)));
    position(input ? "in" : "out", a.name, input ? ins++ : outs++);
    parameters += fmt::format("{}{}* {}, ", input ? "const " : "", scalar, name);
    (input ? in : out) += ((input ? in : out).empty() ? "" : ", ") + name;
  }
  for (size_t k = 0; k < p.functions.size(); ++k) {
    text += " * calls    " + comment(describe(p, p.functions[k])) + "\n";
    position("function", p.functions[k].name, k);
  }
  if (!p.functions.empty()) enums += fmt::format(", {}_functions = {}", f, p.functions.size());
  for (IndexId c : p.conditions) text += " * needs    " + comment(condition_text(p, c)) + "\n";
  std::string sizes, dims;
  for (size_t d = 0; d < p.dims.size(); ++d) {
    const std::string name = unique(p.dims[d]);
    position("dim", p.dims[d], d);
    sizes += "int64_t " + name + ", ";
    dims += (d == 0 ? "" : ", ") + name;
  }
  text += fmt::format(
      " */\n"
      "int {0}(const {1}* const* in, {1}* const* out, const int64_t* dims, void* work{2});\n"
      "size_t {0}_work_bytes(const int64_t* dims);\n"
      "extern const struct ricci_meta {0}_meta;\n",
      f, scalar, host);
  if (!enums.empty()) text += fmt::format("enum {{ {} }};\n", enums);
  const auto table = [&](std::string_view type, std::string_view name, const std::string& entries) {
    return entries.empty() ? fmt::format("  {}* const {} = 0;\n", type, name) : fmt::format("  {} {}[] = {{{}}};\n", type, name, entries);
  };
  // The tables have names that no parameter can have, as `identifier` keeps and `Names` reserves them.
  text += fmt::format(
      "static inline int {}_call({}{}void* work{}) {{\n{}{}{}  return {}(in, out, dims, work{});\n}}\n", f, parameters, sizes, host,
      in.empty() ? fmt::format("  const {}* const* const in = 0;\n", scalar) : table(fmt::format("const {}* const", scalar), "in", in),
      out.empty() ? fmt::format("  {}* const* const out = 0;\n", scalar) : table(fmt::format("{}* const", scalar), "out", out),
      table("const int64_t", "dims", dims), f, p.functions.empty() ? "" : ", functions");
  return text;
}

}  // namespace

std::string emit_header(std::span<const Unit> units, std::string_view guard) {
  std::string name = "RICCI_" + identifier(guard) + "_H";
  for (char& c : name) c = char(std::toupper(static_cast<unsigned char>(c)));
  std::string text = fmt::format(
      "/* Functions compiled by Ricci. Arrays are dense and row-major unless said otherwise; a result that is NULL is skipped. `work` is "
      "aligned to\n"
      " * 64 bytes and has NAME_work_bytes(sizes) bytes. The value is RICCI_OK, RICCI_SINGULAR or RICCI_FUNCTION; `functions` are what the program\n"
      " * calls and its host supplies. ricci/abi.h says more. */\n"
      "#ifndef {0}\n#define {0}\n#include \"ricci/abi.h\"\n\n#ifdef __cplusplus\nextern \"C\" {{\n#endif\n",
      name);
  for (const Unit& unit : units) text += "\n" + emit_function(unit);
  return text + "\n#ifdef __cplusplus\n}\n#endif\n#endif\n";
}

}  // namespace ricci
