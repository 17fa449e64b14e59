// Printing walks the reachable nodes once; reading goes line by line through the constructors after checking what they would assert.
#include "ir/text.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <unordered_map>

#include "ir/dimension.h"

namespace ricci {
namespace {

bool starts_name(char c) { return std::isalpha(static_cast<unsigned char>(c)) || c == '_' || (c & 0x80); }
bool continues_name(char c) { return starts_name(c) || std::isdigit(static_cast<unsigned char>(c)) || c == '\''; }

// A name as it is, or in double quotes with `\` before quotes and backslashes.
std::string quoted(std::string_view name) {
  if (!name.empty() && starts_name(name[0]) && std::ranges::all_of(name, continues_name)) return std::string(name);
  std::string s = "\"";
  for (char c : name) {
    if (c == '"' || c == '\\') s += '\\';
    if (c == '\n') s += "\\n";
    else s += c;
  }
  return s + "\"";
}

// --- printing -----------------------------------------------------------------------------------------------------------------

std::string print_dim(const Graph& g, DimId id) {
  const Dim& d = g[id];
  if (d.kind == Dim::Kind::Symbol) return quoted(d.name);
  if (d.kind == Dim::Kind::Fixed) return std::to_string(d.size);
  std::string s;
  for (DimId part : d.parts) s += (s.empty() ? "(" : d.kind == Dim::Kind::Product ? "*" : "+") + print_dim(g, part);
  return s + ")";
}

std::string print_type(const Graph& g, const Type& type, const std::vector<Variance>& variance = {}) {
  std::string s;
  for (size_t k = 0; k < type.size(); ++k) {
    s += (k ? " " : "") + print_dim(g, type[k]);
    if (k < variance.size()) s += variance[k] == Variance::Up ? "^" : "_";
  }
  return "[" + s + "]";
}

class Printer {
 public:
  Printer(const Graph& g, std::span<const NodeId> roots) : g_(g), ids_(g.reachable(roots)) {
    for (size_t k = 0; k < ids_.size(); ++k) position_[ids_[k]] = k;
    for (NodeId id : ids_) line(id);
    text_ += "return";
    operands(roots);
    text_ += "\n";
  }
  std::string text() && { return std::move(text_); }

 private:
  std::string name(NodeId id) const { return "%" + std::to_string(position_.at(id)); }

  void operands(std::span<const NodeId> ids) {
    for (NodeId id : ids) text_ += " " + name(id);
  }

  void terms(const Node& n) {
    if (n.operands.empty()) text_ += " 0";
    for (size_t k = 0; k < n.operands.size(); ++k) {
      const Rational c = n.coefficients[k], size = abs(c);
      text_ += k == 0 ? (c < 0 ? " -" : " ") : c < 0 ? " - " : " + ";
      text_ += (size == 1 ? "" : to_string(size) + "*") + name(n.operands[k]);
    }
  }

  void labels(NodeId id) {
    std::string separator;
    text_ += " ";
    for (const Factor& f : g_.factors(id)) text_ += std::exchange(separator, ",") + print_labels(f.labels);
    text_ += "->" + print_labels(g_.out(id));
  }

  void symbol(const Symbol& s) {
    text_ += " " + quoted(s.name);
    for (Property p : s.properties.minimal()) text_ += " " + std::string(row(p).name);
  }

  void line(NodeId id) {
    const Node& n = g_[id];
    std::vector<Variance> variance;
    text_ += name(id) + " = ";
    switch (n.kind) {
      case Kind::Const: text_ += "const " + to_string(n.value()); break;
      case Kind::Size: text_ += "size " + print_dim(g_, DimId{n.row}); break;
      case Kind::Var:
        text_ += "var";
        symbol(g_.symbol(id));
        variance = g_.symbol(id).variance;
        break;
      case Kind::Sum:
        text_ += "sum";
        terms(n);
        break;
      case Kind::Ein:
        text_ += "ein";
        labels(id);
        operands(n.operands);
        break;
      case Kind::Map:
        text_ += row(n.map_op()).name;
        operands(n.operands);
        break;
      case Kind::Fun:
        text_ += "fun " + std::string(row(n.fun_op()).name);
        operands(n.operands);
        break;
      case Kind::Call:
        text_ += "call";
        symbol(g_.symbol(id));
        if (!g_.symbol(id).function.empty()) {
          text_ += " of " + quoted(g_.symbol(id).function);
          for (uint8_t k : g_.symbol(id).by) text_ += " " + std::to_string(k + 1);
        }
        text_ += print_type(g_, g_.symbol(id).type, g_.symbol(id).variance);
        operands(n.operands);
        break;
      case Kind::Place: text_ += "place " + print_dim(g_, DimId{n.row}); break;
      case Kind::Epsilon: text_ += "epsilon"; break;
    }
    if (n.rank() > 0) text_ += " : " + print_type(g_, n.type, variance);
    text_ += "\n";
  }

  const Graph& g_;
  std::vector<NodeId> ids_;
  std::unordered_map<NodeId, size_t> position_;
  std::string text_;
};

// --- reading ------------------------------------------------------------------------------------------------------------------

// The rest of one line. After the first failure it is empty, so that what follows fails quietly and the first message stands.
class Cursor {
 public:
  Cursor(std::string_view line, size_t number, IrError& error) : line_(line), rest_(line), number_(number), error_(error) {}

  bool failed() const { return failed_; }
  void fail(std::string message) {
    if (!failed_) error_ = {number_, line_.size() - rest_.size() + 1, std::move(message)};
    failed_ = true;
    rest_ = {};
  }
  void skip_space() {
    while (!rest_.empty() && std::isspace(static_cast<unsigned char>(rest_[0]))) rest_.remove_prefix(1);
    if (rest_.starts_with('#')) rest_ = {};
  }
  bool at_end() {
    skip_space();
    return rest_.empty();
  }
  char peek() {
    skip_space();
    return rest_.empty() ? '\0' : rest_[0];
  }
  bool take(std::string_view token) {
    skip_space();
    if (!rest_.starts_with(token)) return false;
    rest_.remove_prefix(token.size());
    return true;
  }
  void expect(std::string_view token) {
    if (!take(token)) fail("expected `" + std::string(token) + "`");
  }
  template <class F>
  std::string_view take_while(F belongs) {
    size_t n = 0;
    while (n < rest_.size() && belongs(rest_[n])) ++n;
    std::string_view taken = rest_.substr(0, n);
    rest_.remove_prefix(n);
    return taken;
  }
  std::string_view digits() {
    skip_space();
    return take_while([](char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; });
  }
  // To the next `mark` outside quotes, or the end.
  void skip_to(char mark) {
    bool in_quotes = false;
    for (size_t n = 0; n < rest_.size(); ++n) {
      if (rest_[n] == '"') in_quotes = !in_quotes;
      if (in_quotes && rest_[n] == '\\') ++n;
      else if (!in_quotes && rest_[n] == mark) return rest_.remove_prefix(n);
    }
    rest_ = {};
  }
  // An identifier or a quoted name.
  std::string name() {
    if (take("\"")) return rest_of_quoted();
    if (peek() == '\0' || !starts_name(rest_[0])) {
      fail("expected a name");
      return {};
    }
    return std::string(take_while(continues_name));
  }

 private:
  std::string rest_of_quoted() {
    std::string s;
    while (!rest_.empty() && rest_[0] != '"') {
      const bool escaped = rest_[0] == '\\' && rest_.size() > 1;
      if (escaped) rest_.remove_prefix(1);
      s += escaped && rest_[0] == 'n' ? '\n' : rest_[0];
      rest_.remove_prefix(1);
    }
    expect("\"");
    return s;
  }

  std::string_view line_, rest_;
  size_t number_;
  IrError& error_;
  bool failed_ = false;
};

class Reader {
 public:
  Reader(Graph& g, IrError& error) : g_(g), error_(error) {
    for (uint32_t s = 0; s < g.symbol_count(); ++s) symbols_[g[SymbolId{s}].name].push_back({s});
  }

  std::optional<std::vector<NodeId>> read(std::string_view text) {
    for (size_t number = 1; !text.empty(); ++number) {
      size_t end = std::min(text.find('\n'), text.size());
      Cursor line(text.substr(0, end), number, error_);
      text.remove_prefix(std::min(end + 1, text.size()));
      if (!line.at_end()) statement(line);
      if (!line.failed() && !line.at_end()) line.fail("expected the end of the line");
      if (line.failed()) return std::nullopt;
      last_line_ = number;
    }
    if (!roots_) error_ = {last_line_ + 1, 1, "expected `return` and what it returns"};
    return std::move(roots_);
  }

 private:
  struct Axes {
    Type type;
    std::vector<Variance> variance;
  };

  void statement(Cursor& c) {
    if (c.take("return")) {
      roots_ = operands(c);
      return;
    }
    c.expect("%");
    std::string number(c.digits());
    c.expect("=");
    const bool declares = c.take("var ");  // the type of a declaration is read with it
    std::optional<NodeId> node = declares ? variable(c) : right_side(c);
    if (c.failed() || !node) return c.fail("expected a node");
    if (!declares && c.take(":")) {
      if (axes(c).type != g_[*node].type) c.fail("the type written is not the node's");
    } else if (!declares && g_[*node].rank() > 0) {
      c.fail("expected `:` and a type");
    }
    if (!nodes_.emplace(number, *node).second) c.fail("%" + number + " has two definitions");
  }

  // The type at the end of the line, read ahead of what it types.
  Type trailing_type(Cursor ahead) {
    ahead.skip_to(':');
    return ahead.take(":") ? axes(ahead).type : Type{};
  }

  std::optional<NodeId> right_side(Cursor& c) {
    std::string word = c.name();
    if (word == "const") return constant(c);
    if (word == "size") return g_.size(dim(c));
    if (word == "sum") return sum(c, trailing_type(c));
    if (word == "ein") return ein(c, trailing_type(c));
    if (word == "fun") return fun(c);
    if (word == "place") return place(c, trailing_type(c));
    if (word == "epsilon") return epsilon(c, trailing_type(c));
    if (word == "call") return call(c, trailing_type(c));
    if (auto op = find_elementwise(word)) return map(c, *op);
    c.fail("`" + word + "` is no kind of node and no elementwise function");
    return std::nullopt;
  }

  std::optional<NodeId> constant(Cursor& c) {
    const bool minus = c.take("-");
    auto value = fraction(c);
    if (!value) return c.fail("expected a number"), std::nullopt;
    return g_.constant(minus ? Rational(-*value) : *value);
  }

  std::optional<Rational> fraction(Cursor& c) {
    std::string text(c.digits());
    return parse_rational(text + "/" + (c.take("/") ? std::string(c.digits()) : "1"));
  }

  SymbolId declared(Symbol s) {
    for (SymbolId known : symbols_[s.name]) {
      const Symbol& k = g_[known];
      if (k.type == s.type && k.variance == s.variance && k.properties == s.properties && k.function == s.function && k.by == s.by) return known;
    }
    std::string name = s.name;
    SymbolId id = g_.declare(std::move(s));
    symbols_[name].push_back(id);
    return id;
  }

  std::optional<NodeId> variable(Cursor& c) {
    Symbol s{.name = c.name(), .type = {}};
    while (!c.at_end() && c.peek() != ':') {
      std::string word = c.name();
      auto p = find_property(word);
      if (!p) return c.fail("`" + word + "` is no property"), std::nullopt;
      s.properties.add(*p);
    }
    if (c.take(":")) {
      Axes a = this->axes(c, true);
      s.type = a.type, s.variance = a.variance;
    }
    if (c.failed()) return std::nullopt;
    return g_.variable(declared(std::move(s)));
  }

  std::optional<NodeId> sum(Cursor& c, const Type& type) {
    std::vector<Term> terms;
    if (c.take("0")) return g_.zero(type);
    for (bool first = true; !c.failed(); first = false) {
      bool minus = c.take("-");
      if (!minus && !c.take("+") && !first) break;
      Rational coefficient = 1;
      if (c.peek() != '%') {
        auto value = fraction(c);
        if (!value) return c.fail("expected a coefficient or an operand"), std::nullopt;
        coefficient = *value;
        c.expect("*");
      }
      auto tensor = operand(c);
      if (!tensor) return std::nullopt;
      if (g_[*tensor].type != type) return c.fail("a term's type is not the sum's"), std::nullopt;
      terms.push_back({minus ? Rational(-coefficient) : coefficient, *tensor});
    }
    return g_.sum(std::move(terms), type);
  }

  Labels labels(Cursor& c) {
    Labels ls;
    while (c.peek() >= 'a' && c.peek() <= 'z') {
      Label l = Label(c.peek() - 'a');
      c.take(std::string(1, c.peek()));
      std::string round(c.digits());
      if (round.size() > 6) c.fail("a label beyond a999999");
      else if (!round.empty()) l += 26 * Label(std::stoul(round));
      ls.push_back(l);
    }
    return ls;
  }

  std::optional<NodeId> ein(Cursor& c, const Type& type) {
    std::vector<Labels> groups{labels(c)};
    while (c.take(",")) groups.push_back(labels(c));
    c.expect("->");
    Labels out = labels(c);
    std::vector<NodeId> tensors = operands(c);
    if (tensors.empty() && groups.size() == 1 && groups[0].empty()) groups.clear();
    if (c.failed()) return std::nullopt;
    if (groups.size() != tensors.size()) return c.fail("expected a group of labels for each operand"), std::nullopt;
    std::map<Label, DimId> dims;
    auto agree = [&](const Labels& ls, const Type& t) {
      if (ls.size() != t.size()) return false;
      for (size_t k = 0; k < ls.size(); ++k)
        if (dims.try_emplace(ls[k], t[k]).first->second != t[k]) return false;
      return true;
    };
    std::vector<Factor> factors;
    for (size_t k = 0; k < tensors.size(); ++k) {
      if (!agree(groups[k], g_[tensors[k]].type)) return c.fail("labels do not fit operand " + std::to_string(k + 1)), std::nullopt;
      factors.push_back({tensors[k], std::move(groups[k])});
    }
    if (!agree(out, type)) return c.fail("output labels do not fit the type"), std::nullopt;
    return g_.ein(std::move(factors), std::move(out), type);
  }

  std::optional<NodeId> map(Cursor& c, MapOp op) {
    std::vector<NodeId> of = operands(c);
    if (c.failed()) return std::nullopt;
    if (int(of.size()) != row(op).arity) {
      return c.fail(std::string(row(op).name) + " takes " + std::to_string(row(op).arity) + " operands"), std::nullopt;
    }
    Type type;
    for (NodeId o : of) {
      if (g_[o].rank() == 0) continue;
      if (!type.empty() && type != g_[o].type) return c.fail("operands of different types"), std::nullopt;
      type = g_[o].type;
    }
    return g_.map(op, std::move(of));
  }

  std::optional<NodeId> fun(Cursor& c) {
    std::string word = c.name();
    auto op = find_function(word);
    if (!op) return c.fail("`" + word + "` is no function of the table"), std::nullopt;
    auto x = operand(c);
    if (!x) return std::nullopt;
    const Type& type = g_[*x].type;
    const Core& core = row(*op).core;
    if (type.size() < core.in) return c.fail(word + " needs an operand of rank " + std::to_string(core.in)), std::nullopt;
    if (core.square && type[type.size() - 1] != type[type.size() - 2]) return c.fail(word + " needs a square operand"), std::nullopt;
    return g_.fun(*op, *x);
  }

  std::optional<NodeId> call(Cursor& c, const Type& type) {
    Symbol s{.name = c.name(), .type = {}};
    std::string word = c.peek() == '[' ? "" : c.name();
    while (!word.empty() && word != "of") {
      auto p = find_property(word);
      if (!p) return c.fail("`" + word + "` is no property"), std::nullopt;
      s.properties.add(*p);
      word = c.peek() == '[' ? "" : c.name();
    }
    if (word == "of") {
      s.function = c.name();
      for (std::string k(c.digits()); !k.empty(); k = c.digits()) s.by.push_back(uint8_t(std::clamp(std::atoi(k.c_str()), 1, 255) - 1));
    }
    Axes a = axes(c, true);
    s.type = a.type, s.variance = a.variance;
    std::vector<NodeId> of = operands(c);
    for (uint8_t k : s.by)
      if (k >= of.size()) return c.fail("a derivative by an argument that is not there"), std::nullopt;
    if (c.failed()) return std::nullopt;
    return g_.call(declared(std::move(s)), std::move(of), type);
  }

  std::optional<NodeId> place(Cursor& c, Type type) {
    const DimId offset = dim(c);
    if (type.empty()) return c.fail("a place has an axis for the whole"), std::nullopt;
    const DimId whole = type[0];
    type.erase(type.begin());
    return g_.place(whole, std::move(type), offset);
  }

  std::optional<NodeId> epsilon(Cursor& c, const Type& type) {
    if (type.empty() || type != Type(type.size(), g_.dim(int64_t(type.size())))) {
      return c.fail("epsilon has as many axes as each of them is long"), std::nullopt;
    }
    return g_.epsilon(type.size());
  }

  std::optional<NodeId> operand(Cursor& c) {
    c.expect("%");
    std::string number(c.digits());
    auto it = nodes_.find(number);
    if (it == nodes_.end()) return c.fail("%" + number + " is not defined above"), std::nullopt;
    return it->second;
  }

  std::vector<NodeId> operands(Cursor& c) {
    std::vector<NodeId> of;
    while (c.peek() == '%')
      if (auto o = operand(c)) of.push_back(*o);
    return of;
  }

  // `[n m]`, or `[n^ m_]` with variance.
  Axes axes(Cursor& c, bool with_variance = false) {
    Axes a;
    c.expect("[");
    while (!c.failed() && c.peek() != ']') {
      a.type.push_back(dim(c, 0, with_variance));
      if (!with_variance) continue;
      if (up_) a.variance.push_back(*up_ ? Variance::Up : Variance::Down);
      else c.fail("expected `^` or `_` after a dimension");
    }
    c.expect("]");
    return a;
  }

  // A dimension; with variance, its mark is left in up_. A name takes the mark `_` in, as its last character.
  DimId dim(Cursor& c, int depth = 0, bool with_variance = false) {
    constexpr int kDeepest = 64;
    Dim d{.kind = Dim::Kind::Symbol};
    bool marked = false;
    if (depth > kDeepest) c.fail("a dimension nested too deeply");
    if (c.take("(")) {
      d.kind = Dim::Kind::Product;
      d.parts.push_back(dim(c, depth + 1));
      const bool adds = c.peek() == '+';
      if (adds) d.kind = Dim::Kind::Sum;
      while (c.take(adds ? "+" : "*")) d.parts.push_back(dim(c, depth + 1));
      c.expect(")");
    } else if (std::isdigit(static_cast<unsigned char>(c.peek())) || (depth > 0 && c.peek() == '-')) {  // (n+-1)
      const int64_t sign = c.take("-") ? -1 : 1;
      std::string_view digits = c.digits();
      if (digits.size() > 18 || digits.empty()) c.fail(digits.empty() ? "expected a number" : "a size beyond 18 digits");
      else d = {.kind = Dim::Kind::Fixed, .size = sign * std::stoll(std::string(digits))};
    } else {
      const bool plain = c.peek() != '"';
      d.name = c.name();
      if (with_variance && plain && c.peek() != '^' && d.name.size() > 1 && d.name.back() == '_') d.name.pop_back(), marked = true;
    }
    Extent size = Extent::number(1);
    for (size_t k = 0; d.kind == Dim::Kind::Product && k < d.parts.size(); ++k) {
      std::optional<Extent> product = checked_product(size, Extent::of(g_, d.parts[k]));
      if (!product) {
        c.fail("a size exceeds 64 bits");
        return g_.dim(int64_t{0});
      }
      size = std::move(*product);
    }
    up_.reset();
    if (with_variance) {
      if (marked || c.take("_")) up_ = false;
      else if (c.take("^")) up_ = true;
    }
    return g_.dim(std::move(d));
  }

  Graph& g_;
  IrError& error_;
  std::map<std::string, std::vector<SymbolId>, std::less<>> symbols_;
  std::map<std::string, NodeId, std::less<>> nodes_;
  std::optional<std::vector<NodeId>> roots_;
  std::optional<bool> up_;
  size_t last_line_ = 0;
};

}  // namespace

std::string print_labels(const Labels& labels) {
  std::string s;
  for (Label l : labels) {
    s += char('a' + l % 26);
    if (l >= 26) s += std::to_string(l / 26);
  }
  return s;
}

std::string print_ir(const Graph& g, std::span<const NodeId> roots) { return Printer(g, roots).text(); }

std::optional<std::vector<NodeId>> parse_ir(Graph& g, std::string_view text, IrError& error) { return Reader(g, error).read(text); }

}  // namespace ricci
