// A random program as text: a definition a step, in index notation but for what only matrix notation has.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "tests/fuzz/random_program.h"

namespace ricci::fuzz {
namespace {

std::string letters(const Labels& labels) {
  std::string s;
  for (Label l : labels) s += "ijklabcdefghostuwxyz"[l % 20];
  return s;
}

class Source {
 public:
  Source(const RandomProgram& p, bool declarations_only) : p_(p) {
    for (size_t k = 0; k < p.steps.size(); ++k)
      if (p.steps[k].kind == Step::Kind::Input) text += name(k) + ": " + kind(p.steps[k]) + (p.steps[k].symmetric ? " symmetric" : "") + "\n";
      else if (p.steps[k].kind == Step::Kind::Call) declare_function(p.steps[k]);
    for (size_t d = 0; d < p.dimensions.size(); ++d)  // a size is a name only if something has it
      if (p.dimensions[d].kind == Dim::Kind::Symbol) text += "of" + std::to_string(d) + ": vector(" + p.spell(d) + ")\n";
    for (size_t k = 0; k < p.steps.size() && !declarations_only; ++k)
      if (p.steps[k].kind != Step::Kind::Input) define(k);
  }
  std::string text;

 private:
  std::string name(size_t k) const { return p_.name(k); }
  std::string indexed(size_t k, const Labels& labels) const { return name(k) + (labels.empty() ? "" : "_" + letters(labels)); }
  Labels axes(size_t k) const { return Graph::iota(p_.steps[k].type.size()); }

  std::string kind(const Step& s) const {
    static const std::string kKinds[] = {"scalar", "vector", "matrix", "tensor"};
    std::string list;
    for (size_t d : s.type) list += (list.empty() ? "" : ", ") + std::string(s.type.size() > 2 ? "_" : "") + p_.spell(d);
    return kKinds[s.type.size()] + (list.empty() ? "" : "(" + list + ")");
  }

  void declare_function(const Step& s) {
    std::string arguments;
    for (size_t o : s.operands) arguments += (arguments.empty() ? "" : ", ") + kind(p_.steps[o]);
    text += "fun h" + std::to_string(s.row) + "(" + arguments + ") -> " + kind(s) + "\n";
  }

  void define(size_t k) {
    const Step& s = p_.steps[k];
    if (s.kind == Step::Kind::Fun && row(FunOp(s.row)).core.in == 2) {
      text += name(k) + " = " + std::string(row(FunOp(s.row)).name) + "(" + name(s.operands[0]) + ")\n";
      return;
    }
    text += indexed(k, axes(k)) + " = " + right_side(s, k) + "\n";
  }

  std::string right_side(const Step& s, size_t k) const {
    switch (s.kind) {
      case Step::Kind::Input: return {};
      case Step::Kind::Constant: return to_string(s.coefficients[0]);
      case Step::Kind::Size: return p_.spell(s.row);
      case Step::Kind::Sum: return sum(s, k);
      case Step::Kind::Product: return s.notation.empty() ? product(s) : matrix_notation(s, k);
      case Step::Kind::Map: return map(s, k);
      case Step::Kind::Fun: {
        const std::string name(row(FunOp(s.row)).name);
        if (row(FunOp(s.row)).core.out == 1) return name + "(" + indexed(s.operands[0], axes(k)) + ")";
        Labels inner = Graph::iota(s.type.size() + 1);
        return name + "_" + letters({inner.back()}) + "(" + indexed(s.operands[0], inner) + ")";
      }
      case Step::Kind::Call: {
        std::string arguments;
        for (size_t o : s.operands) arguments += (arguments.empty() ? "" : ", ") + name(o);
        return component("h" + std::to_string(s.row) + "(" + arguments + ")", axes(k));
      }
      case Step::Kind::Place: return place(s);
      case Step::Kind::Epsilon: return "eps_" + letters(axes(k));
    }
    return {};
  }

  // A matrix expression in index position.
  static std::string component(const std::string& expression, const Labels& labels) {
    return labels.empty() ? expression : "[" + expression + "]_" + letters(labels);
  }

  std::string matrix_notation(const Step& s, size_t k) const {
    return component(fmt::format(fmt::runtime(s.notation), name(s.operands[0]), s.operands.size() > 1 ? name(s.operands[1]) : ""), axes(k));
  }

  // Columns of the identity, of which digit d of several picks the one that kron(ones, eye, ones) says.
  std::string place(const Step& s) const {
    std::string before, group = "1", columns;
    for (size_t d : s.before) before += p_.spell(d) + " + ";
    const std::string low = before + std::to_string(s.row + 1), whole = p_.spell(s.type[0]);
    if (s.type.size() == 1) return component("e(" + low + ", " + whole + ")", {0});
    const auto spelled = [&](size_t digit) { return p_.dimensions[s.type[digit]].kind == Dim::Kind::Sum && s.type.size() > 2 ? "(" + p_.spell(s.type[digit]) + ")" : p_.spell(s.type[digit]); };
    for (size_t digit = 1; digit < s.type.size(); ++digit) group = digit == 1 ? spelled(digit) : group + "*" + spelled(digit);
    const std::string part = "eye(" + whole + ")[:, " + low + ":" + before + std::to_string(s.row) + " + " + group + "]";
    if (s.type.size() == 2) return component(part, {0, 1});
    for (size_t digit = 1; digit < s.type.size(); ++digit) {
      std::string picked;
      for (size_t d = 1; d < s.type.size(); ++d) {
        const std::string factor = (d == digit ? "eye(" : "ones(") + p_.spell(s.type[d]) + ")";
        picked = d == 1 ? factor : "kron(" + picked + ", " + factor + ")";
      }
      columns += (digit == 1 ? "" : "*") + component(part + "*" + picked, {0, Label(digit)});
    }
    return columns;
  }

  std::string sum(const Step& s, size_t k) const {
    std::string r;
    for (size_t i = 0; i < s.operands.size(); ++i) {
      const Rational& c = s.coefficients[i];
      r += i == 0 ? (c < 0 ? "-" : "") : c < 0 ? " - " : " + ";
      r += to_string(Rational(abs(c))) + "*" + indexed(s.operands[i], axes(k));
    }
    return r;
  }

  // Output labels that no factor has are given by ones, repeated ones by deltas; summed ones are summed explicitly.
  std::string product(const Step& s) const {
    Labels all = s.out;
    std::string factors, sums, closing;
    auto times = [&](const std::string& f) { factors += (factors.empty() ? "" : "*") + f; };
    for (const Labels& ls : s.labels) all.insert(all.end(), ls.begin(), ls.end());
    std::map<Label, Label> letter;  // the axis of the result, or a fresh number for a summed label
    for (size_t axis = 0; axis < s.out.size(); ++axis) letter.try_emplace(s.out[axis], Label(axis));
    Label next = Label(s.out.size());
    for (Label l : all)
      if (letter.try_emplace(l, next).second) {
        sums += "sum_" + letters({next++}) + "(";
        closing += ")";
      }
    std::set<Label> carried;
    for (size_t i = 0; i < s.operands.size(); ++i) {
      Labels ls;
      for (Label l : s.labels[i]) ls.push_back(letter.at(l)), carried.insert(l);
      times(indexed(s.operands[i], ls));
    }
    for (size_t axis = 0; axis < s.out.size(); ++axis) {
      const Label l = s.out[axis], first = letter.at(l);
      // The size of a delta follows from a factor that carries its index; that of eye(n) is written.
      const std::string identity = carried.contains(l) ? "delta_" : "[eye(" + p_.spell(s.type[axis]) + ")]_";
      if (first != axis) times(identity + letters({first, Label(axis)}));
      else if (!carried.contains(l) && std::ranges::count(s.out, l) == 1) times("[ones(" + p_.spell(s.type[axis]) + ")]_" + letters({first}));
    }
    return sums + (factors.empty() ? "1" : factors) + closing;
  }

  std::string map(const Step& s, size_t k) const {
    const MapOp op = MapOp(s.row);
    std::string arguments;
    for (size_t o : s.operands) arguments += (arguments.empty() ? "" : ", ") + indexed(o, p_.steps[o].type.empty() ? Labels{} : axes(k));
    return op == MapOp::pi_ ? "pi" : op == MapOp::select_ ? "where(" + arguments + ")" : std::string(row(op).name) + "(" + arguments + ")";
  }

  const RandomProgram& p_;
};

}  // namespace

std::string RandomProgram::source() const { return Source(*this, false).text; }
std::string RandomProgram::declarations() const { return Source(*this, true).text; }

std::string RandomProgram::listing() const {
  std::string s = "# dimensions";
  for (const auto& [name, size] : dims()) s += " " + name + " = " + std::to_string(size);
  return s + "\n" + source();
}

}  // namespace ricci::fuzz
