// The loop IR as text, and back. What is read prints the same again.
//
//   program dot double
//   dims n
//   in x [n] by [1]
//   out f [] by []
//   fun h([n], []) [n]
//   needs n + -5
//   work 0
//   begin
//     %0 = const 0
//     acc @0 = %0
//     for $0 < n width 8 interleave 4 {
//       %1 = load x[$0]
//       @0 += %1 * %1
//     }
//     ...
// %k are values, @k accumulators, $k loop counters; other names are dimensions (in integers), arrays and, where they are invoked, functions.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstdlib>

#include "ir/loops.h"

namespace ricci::loops {

// --- printing -----------------------------------------------------------------------------------------------------------------------

namespace {

class Printer {
 public:
  explicit Printer(const Program& p) : p_(p) {}
  std::string print();
  std::string index(IndexId root) const;

 private:
  std::string indices(const std::vector<IndexId>& list, std::string_view open, std::string_view close) const {
    std::string s(open);
    for (size_t k = 0; k < list.size(); ++k) s += (k ? ", " : "") + index(list[k]);
    return s += close;
  }
  std::string access(const Access& a) const { return p_[a.array].name + indices(a.subscripts, "[", "]"); }
  static std::string value(ValueId v) { return fmt::format("%{}", v.value); }
  static std::string term(ValueId v, std::optional<ValueId> factor) { return value(v) + (factor ? " * " + value(*factor) : ""); }
  static std::string_view combine(Combine c) {
    switch (c) {
      case Combine::Add: return "+=";
      case Combine::Mul: return "*=";
      case Combine::Max: return "max=";
      case Combine::Min: return "min=";
    }
    return "";
  }

  std::string text(const For& s) const {
    return fmt::format("for ${} < {} {}{}{}{{", s.loop.value, index(s.extent), s.width > 1 ? fmt::format("width {} ", s.width) : "",
                       s.interleave > 1 ? fmt::format("interleave {} ", s.interleave) : "", s.parallel ? "parallel " : "");
  }
  std::string text(const If& s) const {
    std::string names;
    for (ArrayId a : s.outputs) names += (names.empty() ? "" : ", ") + p_[a].name;
    return "if " + names + " {";
  }
  std::string text(const End&) const { return "}"; }
  std::string text(const Constant& s) const { return fmt::format("{} = const {}", value(s.result), number_text(s.value)); }
  std::string text(const Number& s) const { return fmt::format("{} = number {}", value(s.result), index(s.index)); }
  std::string text(const Compare& s) const {
    return fmt::format("{} = compare {} {} {}", value(s.result), index(s.left), s.relation == Compare::Relation::Less ? "<" : "==", index(s.right));
  }
  std::string text(const Compute& s) const {
    std::string arguments;
    for (size_t k = 0; k < row(s.op).arity; ++k) arguments += (k ? ", " : "") + value(s.operands[k]);
    return fmt::format("{} = {}({})", value(s.result), row(s.op).name, arguments);
  }
  std::string text(const Load& s) const { return fmt::format("{} = load {}", value(s.result), access(s.from)); }
  std::string text(const Store& s) const { return fmt::format("store {} = {}", access(s.to), value(s.value)); }
  std::string text(const Update& s) const { return fmt::format("update {} {} {}", access(s.to), combine(s.combine), term(s.value, s.factor)); }
  std::string text(const Accumulator& s) const { return fmt::format("acc @{} = {}", s.result.value, value(s.initial)); }
  std::string text(const Accumulate& s) const { return fmt::format("@{} {} {}", s.to.value, combine(s.combine), term(s.value, s.factor)); }
  std::string text(const Read& s) const { return fmt::format("{} = read @{}", value(s.result), s.from.value); }
  std::string text(const Zero& s) const { return "zero " + p_[s.array].name; }
  std::string text(const Copy& s) const { return fmt::format("copy {} = {}", p_[s.to].name, p_[s.from].name); }
  std::string text(const Call& s) const {
    std::string arguments;
    for (const Argument& a : s.arguments) {
      if (!arguments.empty()) arguments += ", ";
      if (const auto* i = std::get_if<IndexId>(&a)) arguments += index(*i);
      if (const auto* v = std::get_if<ValueId>(&a)) arguments += value(*v);
      if (const auto* e = std::get_if<Access>(&a)) arguments += access(*e);
    }
    return fmt::format("call {}({})", s.kernel->name, arguments);
  }
  std::string text(const Invoke& s) const {
    std::string arguments;
    for (const Access& a : s.arguments) arguments += (arguments.empty() ? "" : ", ") + access(a);
    return fmt::format("invoke {} = {}({})", access(s.result), p_.functions[s.function].name, arguments);
  }

  // The shortest decimal that reads back to the same double; NaN keeps its bits.
  static std::string number_text(double x) {
    return x == x ? fmt::format("{}", x) : fmt::format("nan:{:016x}", std::bit_cast<uint64_t>(x));
  }

  const Program& p_;
};

// Infix with the fewest brackets; an explicit stack, because sums of sizes may be long.
std::string Printer::index(IndexId root) const {
  struct Piece {
    std::string_view text;
    IndexId index;
    int level;  // 0 anywhere, 1 inside +'s right side, 2 inside *, 3 *'s right side; brackets if the operator binds less
  };
  std::string s;
  std::vector<Piece> open = {{"", root, 0}};
  while (!open.empty()) {
    const Piece piece = open.back();
    open.pop_back();
    if (!piece.text.empty()) {
      s += piece.text;
      continue;
    }
    const Index& i = p_[piece.index];
    const auto push = [&](std::initializer_list<Piece> pieces) { open.insert(open.end(), std::rbegin(pieces), std::rend(pieces)); };
    const auto function = [&](std::string_view name) { push({{name, {}, 0}, {"", i.left, 0}, {", ", {}, 0}, {"", i.right, 0}, {")", {}, 0}}); };
    switch (i.kind) {
      case Index::Kind::Constant: s += fmt::format("{}", i.value); break;
      case Index::Kind::Dim: s += p_.dims[size_t(i.value)]; break;
      case Index::Kind::Loop: s += fmt::format("${}", i.value); break;
      case Index::Kind::Add:
        if (piece.level >= 1) push({{"(", {}, 0}, {"", i.left, 0}, {" + ", {}, 0}, {"", i.right, 1}, {")", {}, 0}});
        else push({{"", i.left, 0}, {" + ", {}, 0}, {"", i.right, 1}});
        break;
      case Index::Kind::Mul:
        if (piece.level >= 3) push({{"(", {}, 0}, {"", i.left, 2}, {"*", {}, 0}, {"", i.right, 3}, {")", {}, 0}});
        else push({{"", i.left, 2}, {"*", {}, 0}, {"", i.right, 3}});
        break;
      case Index::Kind::Min: function("min("); break;
      case Index::Kind::Max: function("max("); break;
      case Index::Kind::CeilDiv: function("ceil_div("); break;
    }
  }
  return s;
}

std::string Printer::print() {
  std::string out = fmt::format("program {} {}\ndims", p_.name, p_.scalar == Scalar::Double ? "double" : "float");
  for (size_t k = 0; k < p_.dims.size(); ++k) out += (k ? ", " : " ") + p_.dims[k];
  for (const Array& a : p_.arrays) {
    out += fmt::format("\n{} {} {} by {}", a.role == Array::Role::In ? "in" : a.role == Array::Role::Out ? "out" : "scratch", a.name,
                       indices(a.shape, "[", "]"), indices(a.strides, "[", "]"));
    if (a.role == Array::Role::Work) out += " at " + index(a.offset);
  }
  for (const Function& f : p_.functions) {
    std::string arguments;
    for (const std::vector<IndexId>& a : f.arguments) arguments += (arguments.empty() ? "" : ", ") + indices(a, "[", "]");
    out += fmt::format("\nfun {}({}) {}", f.name, arguments, indices(f.value, "[", "]"));
  }
  for (IndexId c : p_.conditions) out += "\nneeds " + index(c);
  out += fmt::format("\nwork {}\nbegin\n", index(p_.work_elements));
  size_t depth = 1;
  for (const Statement& s : p_.body) {
    if (std::holds_alternative<End>(s) && depth > 1) --depth;
    out.append(2 * depth, ' ');
    out += std::visit([&](const auto& one) { return text(one); }, s) + "\n";
    if (std::holds_alternative<For>(s) || std::holds_alternative<If>(s)) ++depth;
  }
  return out + "end\n";
}

// --- reading ------------------------------------------------------------------------------------------------------------------------

struct Failure {
  std::string reason;
};

constexpr int kDepth = 200;  // brackets in an integer; programs we print have fewer than ten

class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}
  Program read();
  size_t line() const { return line_; }

 private:
  void skip() {
    while (!rest_.empty() && (rest_[0] == ' ' || rest_[0] == '\n' || rest_[0] == '\r' || rest_[0] == '\t')) {
      line_ += rest_[0] == '\n';
      rest_.remove_prefix(1);
    }
  }
  bool accept(std::string_view token) {
    skip();
    if (!rest_.starts_with(token)) return false;
    if (is_word(token.back()) && rest_.size() > token.size() && is_word(rest_[token.size()])) return false;
    rest_.remove_prefix(token.size());
    return true;
  }
  void expect(std::string_view token) {
    if (!accept(token)) throw Failure{fmt::format("expected `{}` before `{}`", token, rest_.substr(0, rest_.find('\n')))};
  }
  static bool is_word(char c) { return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c & 0x80); }
  std::string_view word() {
    skip();
    size_t n = 0;
    while (n < rest_.size() && is_word(rest_[n])) ++n;
    if (n == 0) throw Failure{fmt::format("expected a name before `{}`", rest_.substr(0, rest_.find('\n')))};
    const std::string_view w = rest_.substr(0, n);
    rest_.remove_prefix(n);
    return w;
  }
  template <class T>
  T integer() {
    skip();
    T value = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (error != std::errc()) throw Failure{"expected an integer"};
    rest_.remove_prefix(size_t(end - rest_.data()));
    return value;
  }
  template <class Id>
  Id id(std::string_view sigil, uint32_t& count) {
    expect(sigil);
    const uint32_t value = integer<uint32_t>();
    if (value >= count) count = value < 100'000'000 ? value + 1 : throw Failure{"number too large"};
    return {value};
  }
  ValueId value() { return id<ValueId>("%", p_.value_count); }
  AccumulatorId accumulator() { return id<AccumulatorId>("@", p_.accumulator_count); }
  LoopId loop() { return id<LoopId>("$", p_.loop_count); }

  IndexId sum(int depth) {
    IndexId result = product(depth);
    while (accept("+")) result = p_.add(result, product(depth));
    return result;
  }
  IndexId product(int depth) {
    IndexId result = atom(depth);
    while (accept("*")) result = p_.mul(result, atom(depth));
    return result;
  }
  IndexId atom(int depth) {
    if (depth > kDepth) throw Failure{"brackets too deep"};
    skip();
    const auto two = [&](auto make) {
      const IndexId a = sum(depth + 1);
      expect(",");
      const IndexId b = sum(depth + 1);
      expect(")");
      return make(a, b);
    };
    if (accept("(")) {
      const IndexId inside = sum(depth + 1);
      expect(")");
      return inside;
    }
    if (rest_.starts_with("$")) return p_.loop(loop());
    if (!rest_.empty() && (rest_[0] == '-' || (rest_[0] >= '0' && rest_[0] <= '9'))) return p_.index(integer<int64_t>());
    const std::string_view name = word();
    if (name == "min" && accept("(")) return two([&](IndexId a, IndexId b) { return p_.min(a, b); });
    if (name == "max" && accept("(")) return two([&](IndexId a, IndexId b) { return p_.max(a, b); });
    if (name == "ceil_div" && accept("("))
      return two([&](IndexId a, IndexId b) {
        if (p_[b].kind != Index::Kind::Constant || p_[b].value <= 0) throw Failure{"ceil_div needs a positive constant"};
        return p_.ceil_div(a, p_[b].value);
      });
    for (uint32_t k = 0; k < p_.dims.size(); ++k)
      if (p_.dims[k] == name) return p_.dim(k);
    throw Failure{fmt::format("unknown dimension `{}`", name)};
  }
  IndexId index() { return sum(0); }
  std::vector<IndexId> indices() {
    std::vector<IndexId> list;
    expect("[");
    if (accept("]")) return list;
    do list.push_back(index());
    while (accept(","));
    expect("]");
    return list;
  }
  ArrayId array() {
    const std::string_view name = word();
    if (const auto at = array_ids_.find(name); at != array_ids_.end()) return at->second;
    throw Failure{fmt::format("unknown array `{}`", name)};
  }
  Access access() {
    const ArrayId a = array();
    return {a, indices()};
  }
  Combine combine() {
    if (accept("+=")) return Combine::Add;
    if (accept("*=")) return Combine::Mul;
    if (accept("max=")) return Combine::Max;
    expect("min=");
    return Combine::Min;
  }
  std::optional<ValueId> factor() { return accept("*") ? std::optional(value()) : std::nullopt; }
  double number() {
    if (accept("nan:")) {
      const std::string bits(word());
      return std::bit_cast<double>(uint64_t(std::strtoull(bits.c_str(), nullptr, 16)));
    }
    skip();
    double x = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), x);
    if (error != std::errc()) throw Failure{"expected a number"};
    rest_.remove_prefix(size_t(end - rest_.data()));
    return x;
  }

  void header();
  void declaration(Array::Role role);
  void function();
  Statement statement();
  Statement definition();
  Statement loop_statement();
  Statement call();
  Statement invoke();

  Program p_;
  std::map<std::string, ArrayId, std::less<>> array_ids_;
  std::string_view rest_;
  size_t line_ = 1;
};

void Reader::declaration(Array::Role role) {
  Array a{role, std::string(word()), {}, {}, {0}};
  a.shape = indices();
  expect("by");
  a.strides = indices();
  if (role == Array::Role::Work) {
    expect("at");
    a.offset = index();
  }
  const std::string name = a.name;
  if (!array_ids_.emplace(name, p_.array(std::move(a))).second) throw Failure{fmt::format("a second array `{}`", name)};
}

void Reader::function() {
  Function f{std::string(word()), {}, {}};
  expect("(");
  if (!accept(")")) {
    do f.arguments.push_back(indices());
    while (accept(","));
    expect(")");
  }
  f.value = indices();
  p_.functions.push_back(std::move(f));
}

void Reader::header() {
  expect("program");
  p_.name = word();
  if (accept("float")) p_.scalar = Scalar::Float;
  else expect("double");
  expect("dims");
  for (const size_t line = line_; skip(), line_ == line && !rest_.empty(); accept(",")) p_.dims.emplace_back(word());
  while (true) {
    if (accept("in")) declaration(Array::Role::In);
    else if (accept("out")) declaration(Array::Role::Out);
    else if (accept("scratch")) declaration(Array::Role::Work);
    else break;
  }
  while (accept("fun")) function();
  while (accept("needs")) p_.conditions.push_back(index());
  expect("work");
  p_.work_elements = index();
  expect("begin");
}

Statement Reader::loop_statement() {
  For f{loop(), {0}};
  expect("<");
  f.extent = index();
  if (accept("width")) f.width = integer<uint32_t>();
  if (accept("interleave")) f.interleave = integer<uint32_t>();
  f.parallel = accept("parallel");
  expect("{");
  return f;
}

Statement Reader::call() {
  Call c{rt::find_kernel(word()), {}};
  if (!c.kernel) throw Failure{"unknown kernel"};
  expect("(");
  const rt::Signature signature = rt::signature(c.kernel->parameters);
  for (size_t k = 0; k < signature.count; ++k) {
    if (k) expect(",");
    const rt::Parameter parameter = signature.parameters[k];
    if (parameter == rt::Parameter::Int) c.arguments.emplace_back(index());
    else if (parameter == rt::Parameter::Scalar) c.arguments.emplace_back(value());
    else c.arguments.emplace_back(access());
  }
  expect(")");
  return c;
}

Statement Reader::invoke() {
  Invoke s{0, {}, access()};
  expect("=");
  const std::string_view name = word();
  const auto found = std::ranges::find(p_.functions, name, &Function::name);
  if (found == p_.functions.end()) throw Failure{fmt::format("unknown function `{}`", name)};
  s.function = uint32_t(found - p_.functions.begin());
  expect("(");
  for (size_t k = 0; k < found->arguments.size(); ++k) {
    if (k) expect(",");
    s.arguments.push_back(access());
  }
  expect(")");
  return s;
}

Statement Reader::definition() {
  const ValueId result = value();
  expect("=");
  if (accept("const")) return Constant{result, number()};
  if (accept("number")) return Number{result, index()};
  if (accept("load")) return Load{result, access()};
  if (accept("read")) return Read{result, accumulator()};
  if (accept("compare")) {
    const IndexId left = index();
    const auto relation = accept("<") ? Compare::Relation::Less : Compare::Relation::Equal;
    if (relation == Compare::Relation::Equal) expect("==");
    return Compare{result, relation, left, index()};
  }
  const std::string_view name = word();
  const std::optional<Primitive> op = find_primitive(name);
  if (!op) throw Failure{fmt::format("unknown operation `{}`", name)};
  Compute c{result, *op, {}};
  expect("(");
  for (size_t k = 0; k < row(*op).arity; ++k) {
    if (k) expect(",");
    c.operands[k] = value();
  }
  expect(")");
  return c;
}

Statement Reader::statement() {
  skip();
  if (rest_.starts_with("%")) return definition();
  if (rest_.starts_with("@")) {
    const AccumulatorId to = accumulator();
    const Combine how = combine();
    const ValueId v = value();
    return Accumulate{to, how, v, factor()};
  }
  if (accept("}")) return End{};
  if (accept("for")) return loop_statement();
  if (accept("if")) {
    If s;
    do s.outputs.push_back(array());
    while (accept(","));
    expect("{");
    return s;
  }
  if (accept("acc")) {
    const AccumulatorId a = accumulator();
    expect("=");
    return Accumulator{a, value()};
  }
  if (accept("store")) {
    Access to = access();
    expect("=");
    return Store{std::move(to), value()};
  }
  if (accept("update")) {
    Access to = access();
    const Combine how = combine();
    const ValueId v = value();
    return Update{std::move(to), how, v, factor()};
  }
  if (accept("zero")) return Zero{array()};
  if (accept("copy")) {
    const ArrayId to = array();
    expect("=");
    return Copy{to, array()};
  }
  if (accept("invoke")) return invoke();
  expect("call");
  return call();
}

Program Reader::read() {
  header();
  while (!accept("end")) p_.body.push_back(statement());
  return std::move(p_);
}

}  // namespace

std::string to_text(const Program& p) { return Printer(p).print(); }

std::string to_text(const Program& p, IndexId i) { return Printer(p).index(i); }

std::optional<Program> from_text(std::string_view text, std::string& error) {
  Reader reader(text);
  try {
    return reader.read();
  } catch (const Failure& failure) {
    error = fmt::format("line {}: {}", reader.line(), failure.reason);
  } catch (const std::exception& failure) {
    error = fmt::format("line {}: {}", reader.line(), failure.what());
  }
  return std::nullopt;
}

}  // namespace ricci::loops
