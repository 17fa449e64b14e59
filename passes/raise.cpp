#include "passes/raise.h"

#include <algorithm>
#include <map>
#include <unordered_map>
#include <utility>

#include "ir/calls.h"
#include "ir/constant_folding.h"
#include "passes/raise_places.h"
#include "passes/raise_product.h"
#include "passes/structure.h"

namespace ricci {
namespace {

using mat::Expr;
using mat::mul;
using mat::Op;
using mat::Shape;

constexpr uint32_t kMaxSize = 5'000;    // operators and names of an answer
constexpr double kMaxTree = 4.0 * kMaxSize;  // nodes: folding makes an expression shorter than its tree, but not by this much
constexpr size_t kMaxTerms = 256;       // of a product of higher-order sums, multiplied out

const std::string kTooLarge = "written out it has more than " + std::to_string(kMaxSize) + " operators and names";

Raised refuse(std::string reason) { return {std::nullopt, std::move(reason)}; }

std::string count_word(size_t n) {
  constexpr const char* kWords[] = {"no", "one", "two", "three", "four", "five", "six", "seven", "eight"};
  return n < std::size(kWords) ? kWords[n] : std::to_string(n);
}

// The exponent of a power that is a plain number.
std::optional<Rational> exponent_of(const Graph& g, const Node& n) {
  const Node& e = g[n.operands[1]];
  return e.kind == Kind::Const ? std::optional(e.value()) : std::nullopt;
}

// x if e is x'*x, norm2(X)^2, or (A*x)'*(A*x).
std::optional<Expr> square_root(const Expr& e) {
  if (e->op == Op::Power && e->operands[1]->is_number(2) && e->operands[0]->calls("norm2")) return e->operands[0]->operands[0];
  if (e->op != Op::Mul || e->operands.size() % 2 != 0) return std::nullopt;
  size_t half = e->operands.size() / 2;
  for (size_t i = 0; i < half; ++i)
    if (!(e->operands[i] == transpose(e->operands[2 * half - 1 - i]))) return std::nullopt;
  return mul({e->operands.begin() + long(half), e->operands.end()});
}

class Raiser {
 public:
  explicit Raiser(const Graph& g) : g_(g) {}

  Raised operator()(NodeId root) {
    if (!can_be_written(g_, root)) return too_long();
    const NodeId roots[] = {root};
    for (NodeId n : g_.reachable(roots)) {
      if (g_[n].rank() > 2) continue;  // opened by the products that use it
      Raised r = raise_node(n);
      if (r.expr && (*r.expr)->size > kMaxSize) r = too_long();
      done_.emplace(n, std::move(r));
    }
    if (g_[root].rank() > 2) return refuse("the result has " + count_word(g_[root].rank()) + " free indices");
    return done_.at(root);
  }

 private:
  // A product with a coefficient, all of whose factors are raised.
  struct Summand {
    Rational coefficient;
    std::vector<Factor> factors;
    std::map<Label, DimId> dim;  // also of labels that no factor carries any more: they are summed all the same
  };

  static Raised too_long() { return refuse("written out it has more than " + std::to_string(kMaxSize) + " operators and names"); }

  Shape shape(NodeId n) const {
    const Type& t = g_[n].type;
    return t.empty() ? Shape::scalar() : t.size() == 1 ? Shape::column(t[0]) : Shape::matrix(t[0], t[1]);
  }

  Raised raise_node(NodeId id) {
    const Node& n = g_[id];
    switch (n.kind) {
      case Kind::Const: return {mat::number(n.value()), ""};
      case Kind::Size: return {mat::size(g_, {n.row}), ""};
      case Kind::Var: return raise_variable(id);
      case Kind::Ein: return raise_ein(id);
      case Kind::Place:
        if (auto e = raise_place(g_, id)) return {*e, ""};
        return refuse("a grouped axis stands alone");
      case Kind::Epsilon: return refuse("eps has no matrix form");
      case Kind::Sum:
      case Kind::Map:
      case Kind::Fun:
      case Kind::Call: break;
    }
    std::vector<Expr> operands;
    for (NodeId o : n.operands) {
      if (g_[o].rank() > 2) return refuse(opened(id));
      const Raised& r = done_.at(o);
      if (!r.expr) return r;
      operands.push_back(*r.expr);
    }
    if (n.kind == Kind::Sum) return {shorter(n.rank() > 0 ? blocks_of_sum(id) : std::nullopt, raise_sum(id, operands)), ""};
    if (n.kind == Kind::Map) return {raise_map(id, operands), ""};
    if (n.kind == Kind::Call && batch_rank(g_, id) > 0) return refuse(opened(id));
    if (n.kind == Kind::Call) return {mat::undeclared_call(g_[SymbolId{n.row}].name, std::move(operands), shape(id)), ""};
    const FunctionRow& r = row(n.fun_op());
    if (g_[n.operands[0]].rank() != r.core.in) return refuse(opened(id));
    if (r.op == FunOp::expm) return {mat::exponential(operands[0], shape(id), g_.is_symmetric(id)), ""};
    return {mat::call(std::string(r.name), std::move(operands), shape(id), g_.is_symmetric(id)), ""};
  }

  // Why a function of a tensor with more indices than matrix notation shows has no form.
  std::string opened(NodeId id) const {
    const Node& n = g_[id];
    std::string function = n.kind == Kind::Map ? std::string(row(n.map_op()).name) : n.kind == Kind::Fun ? std::string(row(n.fun_op()).name) : "a function";
    return function + " of a tensor with " + count_word(g_[n.operands[0]].rank()) + " indices stands inside";
  }

  Raised raise_variable(NodeId id) const {
    const Symbol& s = g_.symbol(id);
    bool row = s.variance.size() == 1 && s.variance[0] == Variance::Down;
    const auto name = s.placeholder ? mat::added_name : mat::name;
    if (row) return {transpose(name(s.name, shape(id).transposed(), false)), ""};
    return {name(s.name, shape(id), g_.is_symmetric(id)), ""};
  }

  // Term by term; a common coefficient, or what all coefficients are multiples of, stands before the bracket.
  Expr raise_sum(NodeId id, const std::vector<Expr>& operands) const {
    const Node& n = g_[id];
    if (operands.empty()) return zeros(g_, shape(id));
    Rational common = abs(n.coefficients[0]);
    for (const Rational& c : n.coefficients)
      if (abs(c) != common) common = 1;
    bool all_negative = std::ranges::all_of(n.coefficients, [](const Rational& c) { return c < 0; });
    if (all_negative && (operands.size() == 1 || common != 1)) common = -common;
    if (operands.size() == 1) return scale(common, operands[0]);
    const Expr sum = sum_before(common, n, operands);
    if (abs(common) != 1) return sum;
    const Expr over = sum_before(abs(content(g_, id)), n, operands);
    return over->size < sum->size ? over : sum;
  }

  static Expr sum_before(const Rational& common, const Node& n, const std::vector<Expr>& operands) {
    std::vector<mat::Signed> terms;
    std::map<Rational, std::vector<mat::Signed>> groups;  // A/2 - (B + C)/4: terms of one coefficient together
    for (size_t k = 0; k < operands.size(); ++k) {
      const Rational c = n.coefficients[k] / common;
      if (abs(c) == 1) terms.push_back({c < 0, operands[k]});
      else groups[abs(c)].push_back({c < 0, operands[k]});
    }
    for (auto& [c, group] : groups) {
      const bool negative = std::ranges::all_of(group, &mat::Signed::negative);
      for (mat::Signed& t : group) t.negative = t.negative != negative;
      terms.push_back({negative, scale(c, mat::add(std::move(group)))});
    }
    return scale(common, mat::add(std::move(terms)));
  }

  Expr raise_map(NodeId id, const std::vector<Expr>& operands) const {
    const Node& n = g_[id];
    switch (n.map_op()) {
      case MapOp::pi_: return mat::name("pi", Shape::scalar());
      case MapOp::pow_: return raise_power(id, operands);
      case MapOp::pow0_:
        if (is_norm(g_, n.operands[0])) return raise_power(id, operands);
        if (auto c = exponent_of(g_, n); c && n.rank() == 0)
          if (auto x = square_root(operands[0])) return raise_exponent(mat::call("norm2", {*x}, Shape::scalar()), Rational(2 * *c), Shape::scalar());
        break;
      case MapOp::exp_:
        if (auto x = softmax_argument(n.operands[0])) return mat::call("softmax", {*done_.at(*x).expr}, shape(id));
        break;
      default: break;
    }
    return mat::map_call(std::string(written_name(n.map_op())), operands, shape(id));
  }

  Expr raise_power(NodeId id, const std::vector<Expr>& operands) const {
    const Node& n = g_[id];
    if (auto c = exponent_of(g_, n)) return raise_exponent(operands[0], *c, shape(id));
    if (n.rank() == 0) return power(operands[0], operands[1]);
    if (g_[n.operands[0]].rank() == 0) return mat::map_call("pow", operands, shape(id));
    return elementwise_power(operands[0], operands[1]);
  }

  // x^c, with sqrt and quotients for what they are.
  Expr raise_exponent(const Expr& x, const Rational& c, Shape shape) const {
    if (c < 0) return elementwise_divide(ones(g_, shape), raise_exponent(x, Rational(-c), shape));
    if (c == Rational(1, 2)) return mat::map_call("sqrt", {x}, shape);
    return elementwise_power(x, mat::number(c));
  }

  // x if n is x - lse(x)*ones; x may be a sum, whose terms stand beside the lse.
  std::optional<NodeId> softmax_argument(NodeId id) const {
    const Node& n = g_[id];
    if (n.kind != Kind::Sum || n.rank() != 1) return std::nullopt;
    for (size_t k = 0; k < n.operands.size(); ++k) {
      const Node& shift = g_[n.operands[k]];
      if (shift.kind != Kind::Ein || shift.operands.size() != 1 || n.coefficients[k] != -1) continue;
      const Node& lse = g_[shift.operands[0]];
      if (lse.kind != Kind::Fun || lse.fun_op() != FunOp::lse || g_[lse.operands[0]].rank() != 1) continue;
      const auto order = [](const Term& t) { return std::pair(t.tensor, t.coefficient); };
      std::vector<Term> rest = g_.terms(id), argument = g_.terms(lse.operands[0]);
      rest.erase(rest.begin() + std::ptrdiff_t(k));
      std::ranges::sort(rest, {}, order);
      std::ranges::sort(argument, {}, order);
      if (std::ranges::equal(rest, argument, {}, order, order)) return lse.operands[0];
    }
    return std::nullopt;
  }

  // --- products -------------------------------------------------------------------------------------------------------------------

  bool must_open(NodeId n) const {
    bool product = g_[n].kind == Kind::Ein || g_[n].kind == Kind::Sum;
    if (!product || g_[n].rank() > 2) return product;
    return !done_.at(n).expr && done_.at(n).reason != kTooLarge;  // what is too large as a whole stays so in parts
  }

  // Factors without a form of their own (order 3 and more, most often) are opened: products are merged in, sums multiplied out.
  std::vector<Summand> open(NodeId ein) const {
    std::vector<Summand> pending = {{1, g_.factors(ein), {}}}, out;
    Labels ein_out = g_.out(ein);
    for (size_t k = 0; k < ein_out.size(); ++k) pending[0].dim.emplace(ein_out[k], g_[ein].type[k]);
    Label fresh = 0;
    for (Label l : g_[ein].labels) fresh = std::max(fresh, l + 1);
    while (!pending.empty() && pending.size() + out.size() < kMaxTerms) {
      Summand s = std::move(pending.back());
      pending.pop_back();
      auto f = std::ranges::find_if(s.factors, [&](const Factor& x) { return x.tensor != kDelta && must_open(x.tensor); });
      if (f == s.factors.end()) {
        out.push_back(std::move(s));
        continue;
      }
      Factor opened = *f;
      s.factors.erase(f);
      for (size_t k = 0; k < opened.labels.size(); ++k) s.dim.emplace(opened.labels[k], g_[opened.tensor].type[k]);
      for (const Term& t : g_.terms(opened.tensor)) {
        Summand more = s;
        more.coefficient *= t.coefficient;
        if (g_[t.tensor].kind == Kind::Ein) merge(more.factors, t.tensor, opened.labels, fresh);
        else more.factors.push_back({t.tensor, opened.labels});
        pending.push_back(std::move(more));
      }
    }
    if (!pending.empty()) out.clear();
    return out;
  }

  // The factors of `ein` with `meet` for its output labels and fresh letters for those it sums. A repeated output label equates two of `meet`.
  void merge(std::vector<Factor>& factors, NodeId ein, const Labels& meet, Label& fresh) const {
    std::map<Label, Label> outer;
    Labels inner_out = g_.out(ein);
    std::vector<std::pair<Label, Label>> equal;
    for (size_t k = 0; k < meet.size(); ++k) {
      auto [it, first] = outer.try_emplace(inner_out[k], meet[k]);
      if (!first) equal.emplace_back(it->second, meet[k]);
    }
    for (Factor f : g_.factors(ein)) {
      for (Label& l : f.labels) {
        auto [it, first] = outer.try_emplace(l, fresh);
        if (first) ++fresh;
        l = it->second;
      }
      factors.push_back(std::move(f));
    }
    for (auto [a, b] : equal) factors.push_back({kDelta, {a, b}});
  }

  // A summand with its tensors raised; the reason in words where one has no form.
  std::variant<RaisedTerm, std::string> raise_factors(Summand s, const Labels& out) const {
    RaisedTerm t{.out = out};
    std::vector<std::pair<Label, Label>> deltas;
    for (const Factor& f : s.factors) {
      if (f.tensor == kDelta) {
        deltas.emplace_back(f.labels[0], f.labels[1]);
        continue;
      }
      for (size_t k = 0; k < f.labels.size(); ++k) s.dim.emplace(f.labels[k], g_[f.tensor].type[k]);
      if (g_[f.tensor].kind == Kind::Place || g_[f.tensor].kind == Kind::Epsilon) {
        t.constants.push_back(f);
        continue;
      }
      if (g_[f.tensor].rank() > 2) return tensor_inside(f.tensor);
      const Raised& r = done_.at(f.tensor);
      if (!r.expr) return r.reason;
      t.factors.push_back({*r.expr, f.labels});
    }
    t.dim = std::move(s.dim);
    for (size_t d = 0; d < deltas.size(); ++d) rename(t, deltas, deltas[d]);
    split_diagonals(g_, t);
    return t;
  }

  Raised raise_ein(NodeId id) const {
    const Labels out = g_.out(id);
    std::vector<Summand> summands = open(id);
    if (summands.empty()) return refuse("its sums of higher order multiply out to more than " + std::to_string(kMaxTerms) + " terms");
    std::vector<mat::Signed> terms;
    std::vector<SignedTerm> blocks;
    for (Summand& s : summands) {
      auto factors = raise_factors(s, out);
      if (const std::string* reason = std::get_if<std::string>(&factors)) return refuse(*reason);
      auto raised = raise_term(g_, std::get<RaisedTerm>(factors), g_[id].type);
      if (const Label* stuck = std::get_if<Label>(&raised)) return refuse(stuck_at(*stuck, s.factors, out));
      terms.push_back({s.coefficient < 0, scale(abs(s.coefficient), std::get<Expr>(raised))});
      blocks.push_back({s.coefficient, std::get<RaisedTerm>(std::move(factors))});
    }
    const Expr sum = terms.size() == 1 && !terms[0].negative ? terms[0].term : mat::add(std::move(terms));
    return {shorter(raise_blocks(g_, blocks, g_[id].type), sum), ""};
  }

  // The blocks of a matrix written out, unless its sum is shorter.
  static Expr shorter(const std::optional<Expr>& blocks, const Expr& sum) { return blocks && (*blocks)->size <= sum->size ? *blocks : sum; }

  std::optional<Expr> blocks_of_sum(NodeId id) const {
    const auto has_place = [&](NodeId t) {
      return g_[t].kind == Kind::Place || (g_[t].kind == Kind::Ein && std::ranges::any_of(g_[t].operands, [&](NodeId o) { return g_[o].kind == Kind::Place; }));
    };
    std::vector<SignedTerm> blocks;
    for (const Term& t : g_.terms(id)) {
      if (!has_place(t.tensor)) return std::nullopt;
      const bool is_place = g_[t.tensor].kind == Kind::Place;
      const Labels axes = Graph::iota(g_[t.tensor].rank());
      std::vector<Summand> summands = is_place ? std::vector<Summand>{{1, {{t.tensor, axes}}, {}}} : open(t.tensor);
      for (Summand& s : summands) {
        s.coefficient *= t.coefficient;
        auto factors = raise_factors(s, is_place ? axes : g_.out(t.tensor));
        if (std::holds_alternative<std::string>(factors)) return std::nullopt;
        blocks.push_back({s.coefficient, std::get<RaisedTerm>(std::move(factors))});
      }
    }
    return raise_blocks(g_, blocks, g_[id].type);
  }

  // delta_ab: b becomes a everywhere.
  static void rename(RaisedTerm& t, std::vector<std::pair<Label, Label>>& deltas, std::pair<Label, Label> delta) {
    auto [a, b] = delta;
    if (a == b) return;
    for (RaisedFactor& f : t.factors) std::ranges::replace(f.labels, b, a);
    for (Factor& f : t.constants) std::ranges::replace(f.labels, b, a);
    std::ranges::replace(t.out, b, a);
    for (auto& [x, y] : deltas) x = x == b ? a : x, y = y == b ? a : y;
    if (auto d = t.dim.find(b); d != t.dim.end()) t.dim.emplace(a, d->second), t.dim.erase(b);
  }

  std::string tensor_inside(NodeId n) const {
    if (g_[n].kind == Kind::Var) return g_.symbol(n).name + " has " + count_word(g_[n].rank()) + " indices";
    if (g_[n].kind == Kind::Fun && row(g_[n].fun_op()).core.in == 2)
      return std::string(row(g_[n].fun_op()).name) + " is taken of a matrix of its own for every value of further indices";
    return "a tensor with " + count_word(g_[n].rank()) + " indices stands inside";
  }

  // "the index p joins A_ip, B_jp and C_kp"
  std::string stuck_at(Label stuck, const std::vector<Factor>& factors, const Labels& out) const {
    std::map<Label, std::string> letters;
    auto letter = [&](Label l) { return letters.try_emplace(l, index_letter(letters.size())).first->second; };
    for (Label l : out) letter(l);
    std::vector<std::string> joined;
    for (const Factor& f : factors)
      if (f.tensor != kDelta)
        for (Label l : f.labels) letter(l);
    for (const Factor& f : factors) {
      if (std::ranges::find(f.labels, stuck) == f.labels.end() || f.tensor == kDelta) continue;
      std::string text = spell_factor(f.tensor) + "_";
      for (Label l : f.labels) text += letter(l);
      joined.push_back(std::move(text));
    }
    std::string list;
    for (size_t i = 0; i < joined.size(); ++i) list += (i == 0 ? "" : i + 1 == joined.size() ? " and " : ", ") + joined[i];
    return "the index " + letter(stuck) + " joins " + list;
  }

  std::string spell_factor(NodeId n) const {
    const Node& node = g_[n];
    if (node.kind == Kind::Var) return g_.symbol(n).name;
    if (node.kind == Kind::Epsilon) return "eps";
    if (node.kind == Kind::Map) return "[" + std::string(row(node.map_op()).name) + "(...)]";
    if (node.kind == Kind::Fun) return "[" + std::string(row(node.fun_op()).name) + "(...)]";
    return "[...]";
  }

  static constexpr NodeId kDelta{~0u};  // stands for a Kronecker delta while factors are opened

  const Graph& g_;
  std::map<NodeId, Raised> done_;
};

}  // namespace

std::string index_letter(size_t n) {
  constexpr std::string_view kLetters = "ijklmnopqrstuvwxyzabcdefgh";
  std::string letter(1, kLetters[n % kLetters.size()]);
  return n < kLetters.size() ? letter : letter + std::to_string(n / kLetters.size());
}

bool can_be_written(const Graph& g, NodeId root) {
  std::vector<double> tree(root.value + 1);  // per node, its size written out
  const NodeId roots[] = {root};
  for (NodeId n : g.reachable(roots)) {
    double size = 1;
    for (NodeId op : g[n].operands) size += tree[op.value];
    tree[n.value] = size;
  }
  return tree[root.value] <= kMaxTree;
}

Raised raise(const Graph& graph, NodeId node, const std::vector<Variance>& variance) {
  Raised r = Raiser(graph)(node);
  if (r.expr && variance.size() == 1 && variance[0] == Variance::Down) r.expr = transpose(*r.expr);
  return r;
}

}  // namespace ricci
