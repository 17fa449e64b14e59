#include "codegen/index_form.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "codegen/index_variance.h"
#include "codegen/notation.h"
#include "codegen/text.h"
#include "frontend/spelling.h"
#include "ir/dimension.h"
#include "ir/labels.h"
#include "passes/fresh_name.h"
#include "passes/raise.h"

namespace ricci {
namespace {

using Letters = std::vector<std::string>;

constexpr size_t kLetters = 26;  // then i1, j1, ..., which read as i and the number 1

// A fixed index.
bool is_number(const std::string& letter) { return letter[0] >= '0' && letter[0] <= '9'; }

std::vector<mat::Index> indices(const Letters& letters, const std::vector<Variance>& variance) {
  std::vector<mat::Index> out;
  for (size_t k = 0; k < letters.size(); ++k) out.push_back({letters[k], variance[k]});
  return out;
}

// A place of several digits: the axis it builds is written once for each.
bool is_grouped(const Node& n) { return n.kind == Kind::Place && n.rank() > 2; }

// What is best shown by its name in matrix notation: a function without an index form, a norm, a softmax; or one over that.
struct Named {
  std::string text;
  bool divisor = false;
};

std::optional<Named> spell_named(const mat::Expr& e) {
  bool divisor = e->op == mat::Op::Divide && e->operands[0]->is_number(1);
  const mat::Expr& whole = divisor ? e->operands[1] : e;
  bool dressed = (whole->op == mat::Op::Power && whole->shape.is_scalar()) || whole->op == mat::Op::Transpose;
  const mat::Expr& core = dressed ? whole->operands[0] : whole;
  if (core->op != mat::Op::Call || core->entrywise) return std::nullopt;
  return Named{to_text(whole), divisor};
}

// What is defined before an answer that mentions it: the arguments of undeclared functions that have no matrix form.
class Preamble {
 public:
  Preamble(const Graph& g, std::string_view answer) : g_(g), answer_(answer) {}
  // The name of a node, which is defined with indices: "t1_i = prod_j(A_ij)".
  const std::string& name(NodeId n);
  const std::vector<Equation>& equations() const { return equations_; }  // t1_i = ..., t2 = ...

 private:
  const Graph& g_;
  std::string answer_;
  std::vector<Equation> equations_;
  size_t count_ = 0;
  std::map<NodeId, std::string> names_;
};

class Printer {
 public:
  // Without `axes` every index stands low. The unit tensors of `loose` letters show their size: [eye(n)]_ij.
  Printer(const Graph& g, const VarianceCheck* axes, Preamble& preamble, std::set<std::string> loose = {}, bool reuse = false)
      : g_(g), axes_(axes), preamble_(preamble), loose_(std::move(loose)), reuse_(reuse) {}

  // Whether a letter was needed that is none.
  bool ran_out() const { return longest_ > kLetters; }

  std::string print(NodeId root, const Letters& letters, const std::vector<Variance>& variance) {
    for (size_t k = 0; k < letters.size(); ++k) stands_[letters[k]] = variance[k];
    first_free_ = next_ = letters.size();
    std::vector<Item> stack = {{"", root, letters, Level::Comparison}};
    stack[0].next = next_;
    std::string out;
    while (!stack.empty()) {
      Item item = std::move(stack.back());
      stack.pop_back();
      out += item.text;
      if (item.new_term) next_ = first_free_;
      if (!item.node) continue;
      if (reuse_) next_ = item.next;
      std::vector<Item> inner = spell(*item.node, item.letters);
      longest_ = std::max(longest_, next_);
      for (Item& i : inner) i.next = next_;
      if (level(*item.node) < item.demanded) out += "(", stack.push_back(")");
      std::ranges::move(inner.rbegin(), inner.rend(), std::back_inserter(stack));
    }
    return out;
  }

  // The letters of deltas that no tensor shares, so that their size follows from nothing.
  std::set<std::string> loose_letters() const {
    std::set<std::string> tied = tied_, loose;
    for (bool more = true; more;) {
      more = false;
      for (const auto& [a, b] : deltas_)
        if (!is_number(a) && !is_number(b) && tied.contains(a) != tied.contains(b)) tied.insert({a, b}), more = true;
    }
    for (const auto& [a, b] : deltas_)
      if (!tied.contains(a) && !tied.contains(b))
        for (const std::string& l : {a, b})
          if (!is_number(l)) loose.insert(l);
    return loose;
  }

 private:
  // Text, or a node with a letter for each of its axes.
  struct Item {
    std::string text;
    std::optional<NodeId> node = {};
    Letters letters = {};
    Level demanded = Level::Comparison;
    bool new_term = false;  // letters of summed labels may be used again
    size_t next = 0;        // the first letter that nothing around it uses

    Item(const char* t) : text(t) {}
    Item(std::string t) : text(std::move(t)) {}
    Item(std::string t, NodeId n, Letters ls, Level l) : text(std::move(t)), node(n), letters(std::move(ls)), demanded(l) {}
  };

  std::vector<Variance> variance_of(const Letters& letters) const {
    std::vector<Variance> v;
    for (const std::string& l : letters) v.push_back(axes_ && !is_number(l) ? stands_.at(l) : Variance::Down);
    return v;
  }

  // The indices of a node stand as they were inferred; those of deltas and ones as their letters do.
  std::string indexed(const std::string& text, const Letters& letters, std::optional<NodeId> node = {}) {
    for (const std::string& l : letters)
      if (!is_number(l)) tied_.insert(use(l));
    return text + heights(letters, node);
  }
  std::string heights(const Letters& letters, std::optional<NodeId> node = {}) const {
    std::vector<Variance> v = variance_of(letters);
    const VarianceCheck::Axes* axes = axes_ && node ? axes_->find(*node) : nullptr;
    for (size_t k = 0; axes && k < v.size(); ++k) v[k] = (*axes)[k].value_or(v[k]);
    return spell_indices(indices(letters, v));
  }

  // How a summed letter stands where either is possible: against its other end.
  Variance against(const std::vector<Factor>& factors, Label l) const {
    for (const Factor& f : factors)
      for (size_t k = 0; k < f.labels.size(); ++k)
        if (const VarianceCheck::Axes* axes = axes_ ? axes_->find(f.tensor) : nullptr; axes && f.labels[k] == l && (*axes)[k])
          return *(*axes)[k] == Variance::Up ? Variance::Down : Variance::Up;
    return Variance::Down;
  }

  // The next free letter.
  std::string bind() {
    std::string letter = index_letter(next_++);
    stands_.try_emplace(letter, Variance::Down);
    ++bound_[letter];
    return letter;
  }
  // A letter and how often it was bound, which tells the uses of it in different sums apart.
  std::string use(const std::string& letter) const {
    const auto it = bound_.find(letter);
    return is_number(letter) || it == bound_.end() ? letter : letter + "#" + std::to_string(it->second);
  }

  std::string delta(DimId size, const std::string& a, const std::string& b) {
    deltas_.emplace_back(use(a), use(b));
    return (loose_.contains(use(a)) || loose_.contains(use(b)) ? "[eye(" + g_.spell(size) + ")]" : "delta") + heights(in_order(a, b));
  }

  std::optional<Rational> number(NodeId n) const {
    return g_[n].kind == Kind::Const ? std::optional(g_[n].value()) : std::nullopt;
  }
  std::optional<Rational> exponent(NodeId n) const {
    const Node& node = g_[n];
    if (node.kind != Kind::Map || (node.map_op() != MapOp::pow_ && node.map_op() != MapOp::pow0_)) return std::nullopt;
    return named(n) ? std::nullopt : number(node.operands[1]);
  }

  // inv(X), norm2(x)^3, softmax(x).
  const std::optional<Named>& named(NodeId n) const {
    const Node& node = g_[n];
    bool candidate = node.kind == Kind::Fun || (node.kind == Kind::Map && (node.map_op() == MapOp::pow0_ || node.map_op() == MapOp::exp_));
    auto [it, first] = named_.try_emplace(n);
    if (first && candidate && node.rank() <= 2)
      if (Raised r = raise(g_, n, std::vector<Variance>(node.rank(), Variance::Up)); r.expr) it->second = spell_named(*r.expr);
    return it->second;
  }

  // The one tensor that a product only orders the axes of, or takes entries of: A_ji, A_1i.
  std::optional<NodeId> bare(NodeId id) const {
    if (g_[id].kind != Kind::Ein) return std::nullopt;
    Labels written = g_.out(id), read;
    std::optional<NodeId> tensor;
    for (const Factor& f : g_.factors(id)) {
      if (entry(f.tensor)) written.push_back(f.labels[0]);
      else if (tensor) return std::nullopt;
      else tensor = f.tensor, read = f.labels;
    }
    std::ranges::sort(written);
    std::ranges::sort(read);
    const bool once = std::ranges::adjacent_find(read) == read.end();
    return once && written == read ? tensor : std::nullopt;
  }

  Level level(NodeId id) const {
    const Node& n = g_[id];
    switch (n.kind) {
      case Kind::Const: return n.value() < 0 ? Level::Sum : is_integer(n.value()) ? Level::Atom : Level::Product;
      case Kind::Size: case Kind::Var: case Kind::Fun: case Kind::Call: case Kind::Epsilon: return Level::Atom;
      case Kind::Place: return is_grouped(n) ? Level::Product : Level::Atom;
      case Kind::Sum: return n.operands.size() == 1 && n.coefficients[0] > 0 ? Level::Product : n.operands.empty() ? Level::Atom : Level::Sum;
      case Kind::Ein: {
        const std::optional<NodeId> tensor = bare(id);
        return tensor ? level(*tensor) : Level::Product;
      }
      case Kind::Map:
        if (const auto& text = named(id)) return text->divisor ? Level::Product : Level::Power;
        if (auto c = exponent(id)) return *c == Rational(1, 2) ? Level::Atom : *c < 0 ? Level::Product : Level::Power;
        return is_comparison(n.map_op()) ? Level::Comparison : n.map_op() == MapOp::pow_ ? Level::Power : Level::Atom;
    }
    return Level::Atom;
  }

  std::vector<Item> spell(NodeId id, const Letters& letters) {
    const Node& n = g_[id];
    if (const auto& known = named(id)) {
      std::string text = letters.empty() ? known->text : indexed("[" + known->text + "]", letters, id);
      return {known->divisor ? "1/" + text : text};
    }
    switch (n.kind) {
      case Kind::Const: return {to_string(n.value())};
      case Kind::Size: return {g_.spell_number(DimId{n.row})};
      case Kind::Var: return {indexed(g_.symbol(id).name, letters, id)};
      case Kind::Place:
        if (n.rank() == 1 && g_[DimId{n.row}].kind == Dim::Kind::Fixed && g_[DimId{n.row}].size < 9)
          return {delta(n.type[0], letters[0], std::to_string(g_[DimId{n.row}].size + 1))};
        if (is_grouped(n)) return {spell_group(n, letters)};
        return {indexed("[" + spell_place(n) + "]", letters)};
      case Kind::Epsilon: return {indexed("eps", letters)};
      case Kind::Sum: return spell_sum(id, letters);
      case Kind::Ein: return spell_product(id, letters);
      case Kind::Map: return spell_map(id, letters);
      case Kind::Fun: return spell_function(id, letters);
      case Kind::Call: {
        std::vector<Item> out = {g_[SymbolId{n.row}].name + "("};
        for (size_t k = 0; k < n.operands.size(); ++k) {
          Raised r = raise(g_, n.operands[k], std::vector<Variance>(g_[n.operands[k]].rank(), Variance::Up));
          out.push_back((k > 0 ? ", " : "") + (r.expr ? to_text(*r.expr) : preamble_.name(n.operands[k])));
        }
        out.push_back(")");
        if (letters.empty()) return out;
        out.insert(out.begin(), "[");
        out.push_back(indexed("]", letters));
        return out;
      }
    }
    return {};
  }

  // Entry a of the axis has digit k where kron(ones, eye, ones), with eye for that digit, says so: one factor for each.
  std::string spell_group(const Node& n, const Letters& letters) {
    std::string text, before = g_.spell(DimId{n.row});
    Extent group = Extent::number(1);
    for (size_t k = 1; k < n.rank(); ++k) group = group * Extent::of(g_, n.type[k]);
    std::string columns;
    if (group != Extent::of(g_, n.type[0])) {
      std::string size;
      for (size_t k = 1; k < n.rank(); ++k) size += (k > 1 ? "*(" : "(") + g_.spell(n.type[k]) + ")";
      columns = "eye(" + g_.spell(n.type[0]) + ")[:, " + before + " + 1:" + before + " + " + size + "]*";
    }
    for (size_t digit = 1; digit < n.rank(); ++digit) {
      std::string picked;
      for (size_t k = 1; k < n.rank(); ++k) {
        const std::string factor = (k == digit ? "eye(" : "ones(") + g_.spell(n.type[k]) + ")";
        picked = k == 1 ? factor : "kron(" + picked + ", " + factor + ")";
      }
      text += (digit > 1 ? "*" : "") + indexed("[" + columns + picked + "]", {letters[0], letters[digit]});
    }
    return text;
  }

  // Which entry of a unit vector is 1, from 1; nothing for other tensors.
  std::optional<std::string> entry(NodeId n) const {
    const Node& place = g_[n];
    if (place.kind != Kind::Place || place.rank() > 1 || g_[DimId{place.row}].kind != Dim::Kind::Fixed) return std::nullopt;
    return std::to_string(g_[DimId{place.row}].size + 1);
  }

  // Columns of the identity: those where the digits lie.
  std::string spell_place(const Node& n) const {
    const Extent offset = Extent::of(g_, DimId{n.row}), first = offset + Extent::number(1);
    const std::string whole = g_.spell(n.type[0]);
    if (n.rank() == 1) return "e(" + ricci::spell(first) + ", " + whole + ")";
    return "eye(" + whole + ")[:, " + ricci::spell(first) + ":" + ricci::spell(offset + Extent::of(g_, n.type[1])) + "]";
  }

  // The variables and functions in a node, in alphabetical order: what does not depend on the order in which things were declared.
  const std::set<std::string>& names(NodeId root) const {
    if (const auto known = names_.find(root); known != names_.end()) return known->second;
    std::set<std::string> found;
    for (NodeId n : g_.reachable(std::span(&root, 1)))
      if (g_[n].kind == Kind::Var || g_[n].kind == Kind::Call) found.insert(g_.symbol(n).name);
    return names_[root] = std::move(found);
  }

  // What factors and terms are ordered by: their names, and where these are the same, nothing that a reader knows, but nothing accidental either.
  std::pair<std::set<std::string>, uint64_t> reading(NodeId n) const { return {names(n), g_.fingerprint(n)}; }

  // The letters of a term with those of its result, as they are read: i before j, and before what is summed.
  std::vector<std::string> letters_read(NodeId n, const Letters& letters) const {
    if (g_[n].kind != Kind::Ein) return letters;
    const Labels out = g_.out(n);
    std::vector<std::string> read;
    std::map<Label, std::string> letter;
    for (size_t k = 0; k < out.size(); ++k)
      if (const auto [first, is_new] = letter.try_emplace(out[k], letters[k]); !is_new) read.insert(read.end(), {first->second, letters[k]});  // a delta
    std::vector<Factor> factors = g_.factors(n);
    std::ranges::stable_sort(factors, {}, [&](const Factor& f) { return reading(f.tensor); });
    for (const Factor& f : factors)
      if (const auto number = entry(f.tensor)) letter.try_emplace(f.labels[0], *number);
    for (const Factor& f : factors) {
      for (Label l : f.labels) read.push_back(letter.contains(l) ? letter.at(l) : "~");
      if (const auto number = entry(f.tensor)) read.push_back(*number);
    }
    return read;
  }

  // Positive terms first; as in matrix notation those of fewer names, then alphabetically.
  std::vector<Item> spell_sum(NodeId id, const Letters& letters) {
    const Node& n = g_[id];
    if (n.operands.empty()) return {zeros(n.type, letters)};
    using Key = std::tuple<bool, size_t, std::set<std::string>, std::vector<std::string>, uint64_t>;
    std::vector<std::pair<Key, size_t>> order;
    for (size_t k = 0; k < n.operands.size(); ++k) {
      const NodeId t = n.operands[k];
      order.emplace_back(Key{n.coefficients[k] < 0, names(t).size(), names(t), letters_read(t, letters), g_.fingerprint(t)}, k);
    }
    std::ranges::sort(order);
    std::vector<Item> out;
    for (const auto& [key, k] : order) {
      const Rational& c = n.coefficients[k];
      std::string sign = c < 0 ? (out.empty() ? "-" : " - ") : (out.empty() ? "" : " + ");
      Rational size = abs(c);
      bool one = g_.is_one(n.operands[k]);
      if (one || size != 1) sign += to_string(size) + (one ? "" : "*");
      Item item = one ? Item(sign) : Item(sign, n.operands[k], letters, size == 1 ? Level::Product : Level::Power);
      if (!one && g_[n.operands[k]].kind == Kind::Ein) item.demanded = Level::Product;
      item.new_term = top_;
      out.push_back(std::move(item));
    }
    top_ = false;
    return out;
  }

  std::string zeros(const Type& type, const Letters& letters) {
    if (type.empty()) return "0";
    std::string sizes;
    for (DimId d : type) sizes += (sizes.empty() ? "" : ", ") + g_.spell(d);
    return indexed("[zeros(" + sizes + ")]", letters);
  }

  // An upper index before a lower one, letters before numbers, then alphabetically.
  Letters in_order(const std::string& a, const std::string& b) const {
    std::vector<Variance> v = variance_of({a, b});
    return std::tuple(v[1], is_number(b), b) < std::tuple(v[0], is_number(a), a) ? Letters{b, a} : Letters{a, b};
  }

  // Whether the letter of an axis of `n` is written once in each of its terms. Brackets and functions sum what they see twice.
  bool written_once(NodeId n, size_t axis) const {
    std::vector<std::pair<NodeId, size_t>> open = {{n, axis}};
    std::set<std::pair<NodeId, size_t>> seen;
    while (!open.empty()) {
      const auto [id, k] = open.back();
      open.pop_back();
      const Node& node = g_[id];
      if (!seen.insert({id, k}).second || node.kind == Kind::Var || node.kind == Kind::Call || named(id)) continue;
      if (is_grouped(node) && k == 0) return false;
      if (node.kind != Kind::Ein) {
        for (NodeId o : node.operands)
          if (g_[o].rank() > k) open.emplace_back(o, k);
        continue;
      }
      const Label label = g_.out(id)[k];
      size_t uses = size_t(std::ranges::count(g_.out(id), label)) - 1;
      for (const Factor& f : written_factors(id))
        for (size_t j = 0; j < f.labels.size(); ++j)
          if (f.labels[j] == label) ++uses, open.emplace_back(f.tensor, j);
      if (uses > 1) return false;
    }
    return true;
  }

  // How many of its last axes a function is written over as letters, argmax_j(M_ij), where others have brackets, [inv(A)]_ij.
  size_t written_over(NodeId n) const { return g_[n].kind == Kind::Fun && !named(n) ? row(g_[n].fun_op()).core.out : 0; }

  // The factors of a product as they are written: in the order of reading, and of a square two where a sum is over it alone, sum_j x_j^2 = x_j*x_j.
  std::vector<Factor> written_factors(NodeId product) const {
    std::vector<Factor> factors = g_.factors(product);
    std::ranges::stable_sort(factors, {}, [&](const Factor& f) { return reading(f.tensor); });
    const Labels result = g_.out(product);
    std::map<Label, int> uses;
    for (const Factor& f : factors)
      for (Label l : f.labels) ++uses[l];
    for (size_t k = 0, n = factors.size(); k < n; ++k) {
      const Factor f = factors[k];
      const bool alone = std::ranges::any_of(f.labels, [&](Label l) { return uses[l] == 1 && !contains(result, l); });
      if (!alone || exponent(f.tensor) != Rational(2)) continue;
      factors[k].tensor = g_[f.tensor].operands[0];
      factors.push_back(factors[k]);
      for (Label l : f.labels) ++uses[l];
    }
    return factors;
  }

  // Whether a tensor is a name with indices, so that it stands in its term as a whole: A_ii is summed there, (A_ii)^2 is not.
  bool is_name(NodeId n) const {
    const Kind kind = g_[n].kind;
    return kind == Kind::Var || kind == Kind::Call || kind == Kind::Place || kind == Kind::Epsilon || named(n);
  }

  // Labels that cannot be summed by standing exactly twice in the text.
  std::set<Label> summed_explicitly(const std::vector<Factor>& factors, const std::map<Label, int>& uses) const {
    std::set<Label> labels;
    for (const Factor& f : factors)
      for (size_t k = 0; k < f.labels.size(); ++k) {
        const bool twice_inside = std::ranges::count(f.labels, f.labels[k]) > 1 && !is_name(f.tensor);
        if (uses.at(f.labels[k]) != 2 || twice_inside || !written_once(f.tensor, k)) labels.insert(f.labels[k]);
      }
    return labels;
  }

  // Deltas, factors, divisors; explicit sums over the labels that do not stand exactly twice.
  std::vector<Item> spell_product(NodeId id, const Letters& letters) {
    top_ = false;
    std::vector<Factor> factors = written_factors(id);
    Labels result = g_.out(id);
    std::map<Label, std::string> letter;
    std::vector<std::string> above;
    for (size_t k = 0; k < result.size(); ++k) {
      auto [it, first] = letter.try_emplace(result[k], letters[k]);
      if (!first) above.push_back(delta(g_[id].type[k], it->second, letters[k]));
    }
    std::map<Label, int> uses;
    for (const Factor& f : factors)
      for (Label l : f.labels) ++uses[l];
    // A function is written over letters of its own: of the diagonal of argmax_j(M_ij) there is a delta_ij.
    std::map<Label, Label> own;
    for (Factor& f : factors)
      for (size_t k = f.labels.size() - written_over(f.tensor); k < f.labels.size(); ++k) {
        if (std::ranges::count(f.labels, f.labels[k]) == 1) continue;
        const Label fresh = std::max(uses.rbegin()->first, result.empty() ? Label{} : *std::ranges::max_element(result)) + 1;
        own[fresh] = std::exchange(f.labels[k], fresh);
        uses[fresh] = 2;
      }
    for (size_t k = 0; k < result.size(); ++k)
      if (!uses.contains(result[k]) && std::ranges::count(result, result[k]) == 1)
        above.push_back(indexed("[ones(" + g_.spell(g_[id].type[k]) + ")]", {letters[k]}));
    // x_a e(2)_a is x_2: a number for the letter; where the letter is one of the result, delta_a2 stays, and where a function is written over it.
    const auto is_written_over = [&](Label l) {
      return std::ranges::any_of(factors, [&](const Factor& f) {
        return std::ranges::find(f.labels.end() - std::ptrdiff_t(written_over(f.tensor)), f.labels.end(), l) != f.labels.end();
      });
    };
    std::erase_if(factors, [&](const Factor& f) {
      const auto number = entry(f.tensor);
      if (!number || number->size() > 1 || is_written_over(f.labels[0])) return false;
      const Label l = f.labels[0];
      if (uses[l] != 2 && !letter.contains(l)) return false;
      if (letter.contains(l) && is_number(letter.at(l))) {
        if (letter.at(l) != *number) above.push_back("0");
      } else if (letter.contains(l)) above.push_back(delta(g_[f.tensor].type[0], letter.at(l), *number));
      else letter[l] = *number;
      return true;
    });
    const std::set<Label> explicitly = summed_explicitly(factors, uses);
    std::string opening;
    size_t open = 0;
    for (const Factor& f : factors)  // letters in the order of reading
      for (Label l : f.labels) {
        auto [it, first] = letter.try_emplace(l);
        if (!first) continue;
        it->second = bind();
        stands_[it->second] = against(factors, l);
        if (explicitly.contains(l)) opening += "sum_" + it->second + "(", ++open;
      }
    for (const auto& [fresh, label] : own) {
      const auto f = std::ranges::find_if(factors, [&](const Factor& x) { return contains(x.labels, fresh); });
      above.push_back(delta(g_[f->tensor].type.back(), letter.at(label), letter.at(fresh)));
    }
    std::vector<Item> numerators, divisors;
    for (const Factor& f : factors) {
      Letters ls;
      for (Label l : f.labels) ls.push_back(letter.at(l));
      std::optional<Rational> e = exponent(f.tensor);
      const std::optional<Named>& name = named(f.tensor);
      bool divisor = name ? name->divisor : e && *e < 0 && g_[f.tensor].map_op() == MapOp::pow_;
      (divisor ? divisors : numerators).push_back({"", f.tensor, ls, bare(id) ? Level::Comparison : Level::Power});
    }
    for (std::vector<Item>* items : {&numerators, &divisors})  // x_i*A_ij*x_j
      std::ranges::stable_sort(*items, {}, [&](const Item& i) { return std::pair(i.letters, reading(*i.node)); });
    std::vector<Item> out = {opening};
    bool empty = true;
    auto times = [&] { if (!empty) out.push_back("*"); empty = false; };
    for (std::string& t : above) times(), out.push_back(std::move(t));
    for (Item& item : numerators) times(), out.push_back(std::move(item));
    if (empty) out.push_back("1");
    for (Item& item : divisors) {
      out.push_back("/");
      if (const auto& name = named(*item.node)) out.push_back(item.letters.empty() ? name->text : indexed("[" + name->text + "]", item.letters, *item.node));
      else append_power(out, *item.node, item.letters, Rational(-*exponent(*item.node)));
    }
    out.push_back(std::string(open, ')'));
    return out;
  }

  // base^c for positive c, where the base is the first operand of `power`. An index stands before the exponent: (x_i)^2.
  void append_power(std::vector<Item>& out, NodeId power, const Letters& letters, const Rational& c) const {
    NodeId base = g_[power].operands[0];
    Letters ls = g_[base].rank() == 0 ? Letters{} : letters;
    if (c == 1) {
      out.push_back({"", base, ls, Level::Power});
    } else if (c == Rational(1, 2)) {
      out.push_back({"sqrt(", base, ls, Level::Comparison});
      out.push_back(")");
    } else {
      const bool indices = !ls.empty() || bare(base);
      const bool bracket = indices && level(base) == Level::Atom;
      out.push_back({bracket ? "(" : "", base, ls, Level::Postfix});
      out.push_back(std::string(bracket ? ")" : "") + "^" + (is_integer(c) ? to_string(c) : "(" + to_string(c) + ")"));
    }
  }

  std::vector<Item> spell_map(NodeId id, const Letters& letters) const {
    const Node& n = g_[id];
    auto operand = [&](size_t k, std::string before, Level demanded = Level::Comparison) {
      return Item(std::move(before), n.operands[k], g_[n.operands[k]].rank() == 0 ? Letters{} : letters, demanded);
    };
    std::vector<Item> out;
    if (auto c = exponent(id); c && n.map_op() == MapOp::pow_) {
      if (*c < 0) out.push_back("1/");
      append_power(out, id, letters, abs(*c));
      return out;
    }
    switch (n.map_op()) {
      case MapOp::pi_: return {"pi"};
      case MapOp::pow_: return {operand(0, "("), operand(1, ")^("), ")"};
      default: break;
    }
    const std::string name(written_name(n.map_op()));
    if (is_comparison(n.map_op())) return {operand(0, "", Level::Sum), operand(1, " " + name + " ", Level::Sum)};
    out.push_back(name + "(");
    for (size_t k = 0; k < n.operands.size(); ++k) out.push_back(operand(k, k > 0 ? ", " : ""));
    out.push_back(")");
    return out;
  }

  // Over the last axes, each with the letter of the axis of the result that is written with it or with one of its own: lse_k(a_ik), inv_jk(M_ijk).
  std::vector<Item> spell_function(NodeId id, Letters letters) {
    top_ = false;
    const Node& n = g_[id];
    const FunctionRow& r = row(n.fun_op());
    const size_t leading = letters.size() - r.core.out;
    Letters own(r.core.in);
    for (size_t k = 0; k < r.core.out; ++k) own[written_with(r.core, k)] = letters[leading + k];
    letters.resize(leading);
    std::vector<mat::Index> named;
    for (std::string& letter : own) {
      if (letter.empty()) letter = bind();
      named.push_back({letter});
      letters.push_back(letter);
    }
    return {Item(std::string(r.name) + spell_indices(named) + "(", n.operands[0], letters, Level::Comparison), ")"};
  }

  const Graph& g_;
  const VarianceCheck* axes_;
  Preamble& preamble_;
  std::set<std::string> loose_, tied_;
  std::vector<std::pair<std::string, std::string>> deltas_;
  bool reuse_;  // letters are taken again as soon as the brackets they are summed in are closed
  bool top_ = true;
  size_t longest_ = 0;
  size_t next_ = 0, first_free_ = 0;
  std::map<std::string, Variance> stands_;
  std::map<std::string, size_t> bound_;
  mutable std::map<NodeId, std::optional<Named>> named_;
  mutable std::map<NodeId, std::set<std::string>> names_;
};

// How the indices of an answer stand; nothing: all low. The index of a variable stands low.
std::optional<VarianceCheck> inferred(const Graph& g, const Value& value, bool all_low) {
  std::vector<Variance> wanted = value.variance;
  if (all_low || wanted.size() != g[value.node].rank()) return std::nullopt;
  for (size_t k = 0; k < value.variable.size(); ++k)
    if (value.variable[k] > 0) wanted[k] = Variance::Down;
  for (size_t k = 0; k + 1 < value.variable.size(); ++k)  // a matrix of variables: F_ij(kl)
    if (value.variable[k] > 0 && value.variable[k] == value.variable[k + 1]) return std::nullopt;
  // An axis that a group builds is written once for each of its digits, and these stand neither high nor low.
  if (std::ranges::any_of(g.reachable(std::span(&value.node, 1)), [&](NodeId n) { return is_grouped(g[n]); })) return std::nullopt;
  VarianceCheck check(g);
  if (!check.agrees(value.node, wanted)) return std::nullopt;
  return check;
}

Letters letters_of(const Graph& g, const Value& value) {
  Letters letters;
  for (size_t k = 0; k < g[value.node].rank(); ++k) letters.push_back(index_letter(k));
  return letters;
}

// Then a delta of any size has that one when it is read.
bool has_one_dimension(const Graph& g, NodeId root) {
  std::set<DimId> dims;
  for (uint32_t s = 0; s < g.symbol_count(); ++s)
    if (!g[SymbolId{s}].placeholder) dims.insert(g[SymbolId{s}].type.begin(), g[SymbolId{s}].type.end());
  return dims.size() == 1 && std::ranges::all_of(g.reachable(std::span(&root, 1)), [&](NodeId n) {
    return std::ranges::all_of(g[n].type, [&](DimId d) { return dims.contains(d); });
  });
}

std::string print_right(const Graph& g, const Value& value, const std::optional<VarianceCheck>& axes, Preamble& preamble) {
  std::vector<Variance> variance = value.variance;
  variance.resize(g[value.node].rank(), Variance::Down);
  for (size_t k = 0; k < value.variable.size(); ++k)
    if (value.variable[k] > 0) variance[k] = Variance::Down;
  const VarianceCheck* check = axes ? &*axes : nullptr;
  std::set<std::string> loose;
  bool reuse = false;
  while (true) {
    Printer printer(g, check, preamble, loose, reuse);
    std::string text = printer.print(value.node, letters_of(g, value), variance);
    const std::set<std::string> found = has_one_dimension(g, value.node) ? std::set<std::string>{} : printer.loose_letters();
    const bool again = !reuse && printer.ran_out();
    if (!again && found == loose) return text;
    if (again) reuse = true;
    else if (!loose.empty()) return text;  // what they are called has not changed
    else loose = found;
  }
}

mat::Expr left_side(std::string_view name, std::vector<mat::Index> indices) {
  return mat::indexed(mat::name(std::string(name), mat::Shape::scalar()), std::move(indices));
}

const std::string& Preamble::name(NodeId n) {
  if (const auto known = names_.find(n); known != names_.end()) return known->second;
  std::string right = print_right(g_, {n}, {}, *this);  // first defines what it needs itself
  std::string name;
  do name = "t" + std::to_string(++count_);
  while (name == answer_ || fresh_name(g_, name) != name);
  equations_.push_back({left_side(name, indices(letters_of(g_, {n}), std::vector<Variance>(g_[n].rank(), Variance::Down))), std::move(right)});
  return names_[n] = std::move(name);
}

}  // namespace

std::vector<Equation> index_equations(const Graph& graph, std::string_view name, const Value& value, bool all_low) {
  Preamble preamble(graph, name);
  const std::optional<VarianceCheck> axes = inferred(graph, value, all_low);
  std::vector<mat::Index> left;
  const Letters letters = letters_of(graph, value);
  for (size_t k = 0; k < letters.size(); ++k) {
    const int variable = k < value.variable.size() ? value.variable[k] : 0;
    left.push_back({letters[k], axes && variable == 0 ? value.variance[k] : Variance::Down, variable});
  }
  std::ranges::stable_partition(left, [](const mat::Index& i) { return i.variable == 0; });
  std::string right = print_right(graph, value, axes, preamble);
  std::vector<Equation> equations = preamble.equations();
  equations.push_back({left_side(name, std::move(left)), std::move(right)});
  return equations;
}

std::string index_form(const Graph& graph, std::string_view name, const Value& value, bool all_low) {
  return to_text(index_equations(graph, name, value, all_low));
}

std::string index_expression(const Graph& graph, const Value& value, bool all_low) {
  std::vector<Equation> equations = index_equations(graph, "", value, all_low);
  equations.back().left.reset();
  return to_text(equations);
}

}  // namespace ricci
