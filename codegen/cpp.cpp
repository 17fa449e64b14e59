// Every integer over dimensions has a name (k12), every value (v12), accumulator (a12), loop counter (i12) and array (its own name with `_` behind, which no
// keyword, macro or name of ours has; arrayN if it is not plain ASCII). No expression is deeper than one operation and its subscripts. Nothing is
// declared const: clang evaluates chains of const initialisers recursively, and 2,000 of them overflow its stack.
//
// A program too long for one function keeps what its parts share in a struct `Frame`: its pieces (cpp_analysis.h) become functions of the frame and the
// counters of the loops they stand in; values that cross pieces live at the end of the workspace.
#include "codegen/cpp.h"

#include <fmt/args.h>
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <set>
#include <stdexcept>

#include "codegen/cpp_analysis.h"
#include "codegen/portable_kernels.h"
#include "codegen/symbol_name.h"

namespace ricci {

using namespace loops;

namespace {

// Small functions that expressions are written with. Only what is used is emitted.
struct Helper {
  std::string_view name, text;
};
constexpr Helper kHelpers[] = {
    {"muladd", R"(// x*y + z, rounded once where that is an instruction.
inline real muladd(real x, real y, real z) {
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA) || defined(__FP_FAST_FMA)
  return std::fma(x, y, z);
#else
  return x * y + z;
#endif
}
)"},
    {"maximum", "inline real maximum(real x, real y) { return x > y || x != x ? x : y; }  // hands a NaN on\n"},
    {"minimum", "inline real minimum(real x, real y) { return x < y || x != x ? x : y; }\n"},
    {"less", "inline real less(real x, real y) { return x < y ? real(1) : real(0); }\n"},
    {"equals", "inline real equals(real x, real y) { return x == y ? real(1) : real(0); }\n"},
    {"choose", "inline real choose(real c, real x, real y) { return c != real(0) ? x : y; }\n"},
    {"call_function", R"(// Calls a function of the host's. Where it fails, `count` entries are NaN.
inline int call_function(const ricci_function& f, const real* const* in, real* out, const std::int64_t* sizes, std::int64_t count) {
  if (f.@entry@(f.context, in, out, sizes) == 0) return 0;
  std::fill_n(out, count, std::numeric_limits<real>::quiet_NaN());
  return 12;
}
)"},
    {"ceil_div", "inline std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return a / b + (a % b > 0 ? 1 : 0); }\n"},
    {"add_sizes", R"(inline std::int64_t add_sizes(std::int64_t a, std::int64_t b, bool& overflow) {
  const std::int64_t most = std::numeric_limits<std::int64_t>::max(), least = std::numeric_limits<std::int64_t>::min();
  if (b > 0 ? a > most - b : a < least - b) overflow = true;
  return overflow ? 0 : a + b;
}
)"},
    {"multiply_sizes", R"(inline std::int64_t multiply_sizes(std::int64_t a, std::int64_t b, bool& overflow) {
  const std::int64_t most = std::numeric_limits<std::int64_t>::max();
  const std::int64_t x = a < 0 ? -a : a, y = b < 0 ? -b : b;
  if (x < 0 || y < 0 || (y != 0 && x > most / y)) overflow = true;
  return overflow ? 0 : a * b;
}
)"},
};

// One line of user text for a comment: printable ASCII without anything that could end or continue the comment.
std::string harmless(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '?' && !out.empty() && out.back() == '?') out += ' ';  // trigraphs
    if ((c == '/' && !out.empty() && out.back() == '*') || (c == '*' && !out.empty() && out.back() == '/')) out += ' ';
    out += c == '\\' ? '/' : c >= ' ' && c <= '~' ? c : '?';
  }
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

std::string comment_lines(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const size_t n = text.find('\n');
    const std::string line = harmless(text.substr(0, n));
    out += line.empty() ? "//\n" : "// " + line + "\n";
    text.remove_prefix(n == std::string_view::npos ? text.size() : n + 1);
  }
  return out;
}

// A user's name as an identifier: itself and an underscore, which keeps it apart from keywords, macros and our own names.
std::string identifier(std::string_view name, std::string_view kind, size_t position) {
  const bool plain = !name.empty() && !(name[0] >= '0' && name[0] <= '9') && name[0] != '_' && name.back() != '_' && name.find("__") == std::string_view::npos &&
                     name.size() < 200 && std::ranges::all_of(name, [](char c) { return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); });
  return plain ? std::string(name) + "_" : fmt::format("{}{}", kind, position);
}

class CppEmitter {
 public:
  explicit CppEmitter(const Program& p, std::string symbol)
      : p_(p), symbol_(std::move(symbol)), real_(p.scalar == Scalar::Double ? "double" : "float") {
    for (size_t k = 0; k < p_.arrays.size(); ++k) names_.push_back(identifier(p_.arrays[k].name, "array", k));
    for (size_t k = 0; k < p_.dims.size(); ++k) {  // a variable may have the name of a dimension
      std::string name = identifier(p_.dims[k], "dim", k);
      dims_.push_back(std::ranges::find(names_, name) == names_.end() ? name : identifier("", "dim", k));
    }
  }

  std::string emit() {
    std::string entry = text_of_entry();  // first: it collects the parts, helpers and kernels
    std::string work = text_of_work_bytes();
    std::string out = fmt::format("namespace {}_code {{\nnamespace {{\n\nusing real = {};\n\n", symbol_, real_);
    for (const Helper& h : kHelpers)
      if (helpers_.contains(h.name)) out += helper_text(h) + "\n";
    if (!kernels_.empty()) out += portable_kernels(kernels_, "ricci_", p_.scalar);
    out += frame_;
    for (const std::string& part : parts_) out += part + "\n";
    return out + fmt::format("}}  // namespace\n}}  // namespace {}_code\n\n", symbol_) + entry + "\n" + work;
  }

 private:
  std::string helper_text(const Helper& h) const {
    std::string text(h.text);
    constexpr std::string_view entry = "@entry@";
    if (const size_t at = text.find(entry); at != std::string::npos)
      text.replace(at, entry.size(), p_.scalar == Scalar::Double ? "f64" : "f32");
    return text;
  }

  // --- spelling ---------------------------------------------------------------------------------------------------------------------

  std::string frame() const { return a_.split ? "f." : ""; }
  static std::string literal(int64_t v) {
    if (v == std::numeric_limits<int64_t>::min()) return "std::numeric_limits<std::int64_t>::min()";
    return std::abs(v) <= INT32_MAX ? fmt::format("{}", v) : fmt::format("std::int64_t{{{}}}", v);
  }
  std::string real(double v) const {
    if (p_.scalar == Scalar::Float) v = double(float(v));
    const std::string_view sign = std::signbit(v) ? "-" : "";
    if (std::isnan(v)) return "std::numeric_limits<real>::quiet_NaN()";
    if (std::isinf(v)) return fmt::format("{}std::numeric_limits<real>::infinity()", sign);
    std::string text = p_.scalar == Scalar::Float ? fmt::format("{}", float(v)) : fmt::format("{}", v);
    if (text.find_first_of(".e") == std::string::npos) text += ".0";
    return text + (p_.scalar == Scalar::Float ? "F" : "");
  }

  // What an integer stands in: brackets go around a sum in a product.
  enum class Inside : uint8_t { Nothing, Sum, Product };

  // An integer as an expression, as deep as subscripts are.
  std::string index(IndexId id, Inside inside = Inside::Nothing) {
    const Index i = p_[id];
    if (a_.named.contains(id)) return frame() + fmt::format("k{}", id.value);
    switch (i.kind) {
      case Index::Kind::Constant: return i.value < 0 && inside != Inside::Nothing ? "(" + literal(i.value) + ")" : literal(i.value);
      case Index::Kind::Dim: return frame() + dims_[size_t(i.value)];
      case Index::Kind::Loop: mentioned_.insert(uint32_t(i.value)); return fmt::format("i{}", i.value);
      case Index::Kind::Add: return inside == Inside::Product ? "(" + operation(i) + ")" : operation(i);
      case Index::Kind::Mul:
      case Index::Kind::Min:
      case Index::Kind::Max:
      case Index::Kind::CeilDiv: return operation(i);
    }
    return "";
  }
  std::string operation(const Index& i) {
    const Index& right = p_[i.right];
    const auto function = [&](std::string_view name) { return fmt::format("{}({}, {})", name, index(i.left), index(i.right)); };
    switch (i.kind) {
      case Index::Kind::Add:
        if (right.kind == Index::Kind::Mul && !a_.named.contains(i.right) && p_[right.left] == Index{Index::Kind::Constant, -1})
          return fmt::format("{} - {}", index(i.left, Inside::Sum), index(right.right, Inside::Product));
        if (right.kind == Index::Kind::Constant && right.value < 0 && right.value > -INT32_MAX)
          return fmt::format("{} - {}", index(i.left, Inside::Sum), -right.value);
        return fmt::format("{} + {}", index(i.left, Inside::Sum), index(i.right, Inside::Sum));
      case Index::Kind::Mul: return fmt::format("{} * {}", index(i.left, Inside::Product), index(i.right, Inside::Product));
      case Index::Kind::Min: return function("std::min<std::int64_t>");
      case Index::Kind::Max: return function("std::max<std::int64_t>");
      case Index::Kind::CeilDiv: return function(use("ceil_div"));
      case Index::Kind::Constant:
      case Index::Kind::Dim:
      case Index::Kind::Loop: break;
    }
    return "";
  }

  std::string_view use(std::string_view helper) {
    for (const Helper& h : kHelpers)
      if (helper.starts_with(h.name)) helpers_.insert(h.name);
    return helper;
  }

  std::string address(const Access& a) { return fmt::format("{}{} + {}", frame(), names_[a.array.value], index(position(p_, a), Inside::Sum)); }
  std::string element(const Access& a) { return fmt::format("{}{}[{}]", frame(), names_[a.array.value], index(position(p_, a))); }
  std::string value(ValueId v) const {
    if (const auto& number = a_.values[v.value].number) return std::signbit(*number) ? "(" + real(*number) + ")" : real(*number);
    return a_.values[v.value].crosses ? fmt::format("f.slots[{}]", a_.values[v.value].slot) : fmt::format("v{}", v.value);
  }
  std::string accumulator(AccumulatorId a) const {
    return a_.accumulators[a.value].crosses ? fmt::format("f.slots[{}]", a_.accumulators[a.value].slot) : fmt::format("a{}", a.value);
  }
  std::string define(ValueId v, const std::string& expression) const {
    return fmt::format("{}{} = {};", a_.values[v.value].crosses ? "" : "real ", value(v), expression);
  }
  std::string combined(Combine how, const std::string& old, ValueId v, std::optional<ValueId> f) {
    switch (how) {
      case Combine::Add: return f ? fmt::format("{} = {}({}, {}, {});", old, use("muladd"), value(v), value(*f), old) : fmt::format("{} += {};", old, value(v));
      case Combine::Mul: return fmt::format("{} *= {};", old, value(v));
      case Combine::Max: return fmt::format("{} = {}({}, {});", old, use("maximum"), old, value(v));
      case Combine::Min: return fmt::format("{} = {}({}, {});", old, use("minimum"), old, value(v));
    }
    return "";
  }

  std::string text(const For& s) {
    return fmt::format("for (std::int64_t i{0} = 0; i{0} < {1}; ++i{0}) {{", s.loop.value, index(s.extent));
  }
  std::string text(const If& s) const {
    std::string condition;
    for (ArrayId a : s.outputs) condition += fmt::format("{}{}{} != nullptr", condition.empty() ? "" : " || ", frame(), names_[a.value]);
    return "if (" + condition + ") {";
  }
  std::string text(const End&) const { return "}"; }
  std::string text(const Constant&) const { return ""; }  // stands where it is used
  std::string text(const Number& s) { return define(s.result, fmt::format("static_cast<real>({})", index(s.index))); }
  std::string text(const Compare& s) {
    return define(s.result, fmt::format("{} {} {} ? real(1) : real(0)", index(s.left, Inside::Sum), s.relation == Compare::Relation::Less ? "<" : "==", index(s.right, Inside::Sum)));
  }
  std::string text(const Compute& s) {
    const PrimitiveRow& r = row(s.op);
    fmt::dynamic_format_arg_store<fmt::format_context> arguments;
    for (size_t k = 0; k < r.arity; ++k) arguments.push_back(value(s.operands[k]));
    if (constexpr std::string_view ours = "ricci_"; r.libm.starts_with(ours)) kernels_.emplace(r.libm.substr(ours.size()));
    use(r.cpp);
    return define(s.result, fmt::vformat(fmt::string_view(r.cpp.data(), r.cpp.size()), arguments));
  }
  std::string text(const Load& s) { return define(s.result, element(s.from)); }
  std::string text(const Store& s) { return fmt::format("{} = {};", element(s.to), value(s.value)); }
  std::string text(const Update& s) { return combined(s.combine, element(s.to), s.value, s.factor); }
  std::string text(const Accumulator& s) const {
    return fmt::format("{}{} = {};", a_.accumulators[s.result.value].crosses ? "" : "real ", accumulator(s.result), value(s.initial));
  }
  std::string text(const Accumulate& s) { return combined(s.combine, accumulator(s.to), s.value, s.factor); }
  std::string text(const Read& s) const { return define(s.result, accumulator(s.from)); }
  std::string text(const Zero& s) {
    return fmt::format("std::fill_n({}{}, {}, real(0));", frame(), names_[s.array.value], index(p_.elements(s.array)));
  }
  std::string text(const Copy& s) {
    return fmt::format("std::copy_n({0}{1}, {2}, {0}{3});", frame(), names_[s.from.value], index(p_.elements(s.to)), names_[s.to.value]);
  }
  std::string text(const Call& s) {
    std::string arguments;
    for (const Argument& a : s.arguments) {
      if (!arguments.empty()) arguments += ", ";
      if (const auto* i = std::get_if<IndexId>(&a)) arguments += index(*i);
      if (const auto* v = std::get_if<ValueId>(&a)) arguments += value(*v);
      if (const auto* e = std::get_if<Access>(&a)) arguments += address(*e);
    }
    kernels_.emplace(s.kernel->name);
    return fmt::format("{0}status = std::max({0}status, ricci_{1}({2}));", frame(), s.kernel->name, arguments);
  }

  std::string text(const Invoke& s) {
    const Function& f = p_.functions[s.function];
    const auto table = [](std::string_view type, const auto& entries, auto spell) {
      std::string text;
      for (const auto& e : entries) text += (text.empty() ? "" : ", ") + spell(e);
      return text.empty() ? "nullptr" : fmt::format("std::array<{}, {}>{{{{{}}}}}.data()", type, entries.size(), text);
    };
    const std::string arguments = table("const real*", s.arguments, [&](const Access& a) { return address(a); }),
                      sizes = table("std::int64_t", sizes_of(f), [&](IndexId i) { return index(i); });
    return fmt::format("{0}status = std::max({0}status, {1}({0}functions[{2}], {3}, {4}, {5}, {6}));", frame(), use("call_function"), s.function,
                       arguments, address(s.result), sizes, index(p_.product(f.value)));
  }

  // --- functions --------------------------------------------------------------------------------------------------------------------

  // Statements [from, to). `open` are the blocks around them: a loop, or kNoLoop. Pieces become calls if `cut`.
  std::string lines(size_t from, size_t to, size_t depth, std::vector<uint32_t> open, bool cut) {
    std::string out;
    for (size_t k = from; k < to; ++k) {
      if (const auto piece = a_.pieces.find(k); cut && piece != a_.pieces.end()) {
        out += std::string(2 * depth, ' ') + call_part(piece->first, piece->second, open) + "\n";
        k = piece->second - 1;
        continue;
      }
      const Statement& s = p_.body[k];
      if (!a_.is_live(s)) continue;
      if (std::holds_alternative<End>(s)) --depth, open.pop_back();
      out += std::string(2 * depth, ' ') + std::visit([&](const auto& one) { return text(one); }, s) + "\n";
      if (!a_.opens(k)) continue;
      ++depth;
      const auto* loop = std::get_if<For>(&s);
      open.push_back(loop ? loop->loop.value : kNoLoop);
    }
    return out;
  }
  static constexpr uint32_t kNoLoop = UINT32_MAX;

  // Makes statements [from, to) a function of the frame and of the counters it mentions; returns the call.
  std::string call_part(size_t from, size_t to, const std::vector<uint32_t>& open) {
    mentioned_.clear();
    const std::string body = lines(from, to, 1, {}, false);
    std::string parameters, arguments;
    for (uint32_t loop : open)
      if (mentioned_.contains(loop)) {
        parameters += fmt::format(", std::int64_t i{}", loop);
        arguments += fmt::format(", i{}", loop);
      }
    const std::string name = fmt::format("part{}", parts_.size());
    parts_.push_back(fmt::format("void {}(Frame& f{}) {{\n{}}}\n", name, parameters, body));
    return fmt::format("{}(f{});", name, arguments);
  }

  std::string declaration(std::string_view result, std::string_view suffix, std::string_view parameters) const {
    return fmt::format("extern \"C\" {} {}{}({})", result, symbol_, suffix, parameters);
  }

  // `member` declares for the Frame, otherwise the local with its value.
  std::string text_of_entry() {
    const std::string parameters =
        fmt::format("const {0}* const* in, {0}* const* out, const std::int64_t* dims, void* work{1}", real_,
                    p_.functions.empty() ? "" : ", const ricci_function* functions");
    std::string body, members;
    const auto variable = [&](const std::string& type, const std::string& name, const std::string& value) {
      body += a_.split ? fmt::format("  f.{} = {};\n", name, value) : fmt::format("  {} {} = {};\n", type, name, value);
      members += fmt::format("  {} {};\n", type, name);
    };
    for (uint32_t k : a_.used_dims) variable("std::int64_t", dims_[k], fmt::format("dims[{}]", k));
    for (IndexId id : a_.named) {
      const std::string name = fmt::format("k{}", id.value);
      variable("std::int64_t", name, operation(Index(p_[id])));
    }
    size_t next[2] = {0, 0};
    for (uint32_t k = 0; k < p_.arrays.size(); ++k) {
      const Array& a = p_.arrays[k];
      const bool is_in = a.role == Array::Role::In;
      const size_t position = a.role == Array::Role::Work ? 0 : next[is_in]++;
      if (!a_.used_arrays.contains(k)) continue;
      const std::string restricted = a.role == Array::Role::Out ? "* RICCI_RESTRICT" : "*";
      if (a.role == Array::Role::Work)
        variable("real*", names_[k], fmt::format("static_cast<real*>(work) + {}", index(a.offset, Inside::Sum)));
      else
        variable((is_in ? "const real" : "real") + restricted, names_[k], fmt::format("{}[{}]", is_in ? "in" : "out", position));
    }
    const bool calls = std::ranges::any_of(p_.body, [](const Statement& s) { return std::holds_alternative<Call>(s) || std::holds_alternative<Invoke>(s); });
    if (a_.split) {
      body = "  Frame f;\n" + body + "  f.status = 0;\n";
      if (!p_.functions.empty()) variable("const ricci_function*", "functions", "functions");
      if (a_.slots > 0) variable("real*", "slots", fmt::format("static_cast<real*>(work) + {}", work_text()));
      frame_ = "// What the parts of the function share.\nstruct Frame {\n" + members + "  int status;\n};\n\n";
    } else if (calls) {
      body += "  int status = 0;\n";
    }
    body += lines(0, p_.body.size(), 1, {}, true);
    body += a_.split ? "  return f.status;\n" : calls ? "  return status;\n" : "  return 0;\n";
    for (const std::string_view name : {"work", "dims", "out", "in"})
      if (body.find(fmt::format("{}[", name)) == std::string::npos && body.find(fmt::format("({})", name)) == std::string::npos)
        body = fmt::format("  static_cast<void>({});\n", name) + body;
    const std::string head = declaration("int", "", parameters);
    return fmt::format("{};\n{};\n{} {{\n  using namespace {}_code;\n{}}}\n", head, declaration("std::size_t", "_work_bytes", "const std::int64_t* dims"),
                       head, symbol_, body);
  }

  std::string work_text() { return fmt::format("static_cast<std::ptrdiff_t>({}_work_bytes(dims) / sizeof(real) - {})", symbol_, a_.slots); }

  std::string text_of_work_bytes() {
    const IndexId bytes = p_.mul(p_.add(p_.work_elements, p_.index(int64_t(a_.slots))), p_.index(int64_t(size_of(p_.scalar))));
    std::string body = "  bool overflow = false;\n";
    const auto atom = [&](IndexId i) {
      const Index& x = p_[i];
      return x.kind == Index::Kind::Constant ? literal(x.value) : x.kind == Index::Kind::Dim ? fmt::format("dims[{}]", x.value) : fmt::format("k{}", i.value);
    };
    for (IndexId id : reachable(p_, bytes)) {
      const Index i = p_[id];
      if (i.kind < Index::Kind::Add) continue;
      std::string text;
      if (i.kind == Index::Kind::Add) text = fmt::format("{}({}, {}, overflow)", use("add_sizes"), atom(i.left), atom(i.right));
      if (i.kind == Index::Kind::Mul) text = fmt::format("{}({}, {}, overflow)", use("multiply_sizes"), atom(i.left), atom(i.right));
      if (i.kind == Index::Kind::Min) text = fmt::format("std::min<std::int64_t>({}, {})", atom(i.left), atom(i.right));
      if (i.kind == Index::Kind::Max) text = fmt::format("std::max<std::int64_t>({}, {})", atom(i.left), atom(i.right));
      if (i.kind == Index::Kind::CeilDiv) text = fmt::format("{}({}, {})", use("ceil_div"), atom(i.left), atom(i.right));
      body += fmt::format("  std::int64_t k{} = {};\n", id.value, text);
    }
    if (p_[bytes].kind == Index::Kind::Constant) body = fmt::format("  static_cast<void>(dims);\n  return {};\n", literal(p_[bytes].value));
    else body += fmt::format("  return overflow ? std::numeric_limits<std::size_t>::max() : static_cast<std::size_t>({});\n", atom(bytes));
    const std::string head = declaration("std::size_t", "_work_bytes", "const std::int64_t* dims");
    return fmt::format("{} {{\n  using namespace {}_code;\n{}}}\n", head, symbol_, body);
  }

  Program p_;
  const CppAnalysis a_{p_};
  std::string symbol_;
  std::string_view real_;
  std::vector<std::string> names_, dims_;
  std::set<uint32_t> mentioned_;
  std::set<std::string_view> helpers_;
  std::set<std::string, std::less<>> kernels_;
  std::vector<std::string> parts_;
  std::string frame_;
};

constexpr std::string_view kPrologue = R"(#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

#include <math.h>
#include <stdint.h>

// A product and a sum stay two roundings unless they are a muladd.
#if defined(__clang__)
#pragma clang fp contract(off)
#elif defined(__GNUC__)
#pragma GCC optimize("fp-contract=off")
#endif
#if defined(__GNUC__) || defined(_MSC_VER)
#define RICCI_RESTRICT __restrict
#else
#define RICCI_RESTRICT
#endif

)";

constexpr std::string_view kFunctionStruct = R"(
// A function of the host's, as in ricci/abi.h: `in` has a row-major array per argument, `out` is to be written, `sizes` are those of the
// arguments' axes and then of out's. 0 is success.
#ifndef RICCI_FUNCTION_DEFINED
#define RICCI_FUNCTION_DEFINED
struct ricci_function {
  int (*f64)(void* context, const double* const* in, double* out, const std::int64_t* sizes);
  int (*f32)(void* context, const float* const* in, float* out, const std::int64_t* sizes);
  void* context;
};
#endif

)";

}  // namespace

std::string to_cpp(std::span<const Unit> units, std::span<const std::string> notes) {
  std::string out = "// Generated by Ricci: compiled formulas, for any C++17 compiler.\n";
  for (const std::string& note : notes) out += comment_lines(note);
  out += "\n" + std::string(kPrologue);
  if (std::ranges::any_of(units, [](const Unit& u) { return !u.program.functions.empty(); })) out += kFunctionStruct;
  std::set<std::string> symbols;
  for (const Unit& unit : units) {
    if (!symbols.insert(symbol_name(unit.program.name)).second) throw std::runtime_error("two functions named " + unit.program.name);
    if (!unit.source.empty()) out += comment_lines(unit.source);
    out += CppEmitter(unit.program, symbol_name(unit.program.name)).emit() + "\n";
  }
  return out;
}

}  // namespace ricci
