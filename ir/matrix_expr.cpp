// Nodes of matrix expressions: their measure, their identity, and the sums. Products are in matrix_product.cpp, functions in
// matrix_functions.cpp.
//
// Two expressions are compared by a 64-bit hash of their *meaning modulo transposition*: every node carries its own hash and that of its
// transpose, so (A*B)' and B'*A' are equal, and what equals its own transpose is symmetric. No walk is needed for either question.
#include "ir/matrix_expr.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <optional>

#include "ir/functions.h"
#include "ir/matrix_node.h"

namespace ricci::mat {
namespace {

constexpr uint32_t kNever = std::numeric_limits<uint32_t>::max() / 2;
constexpr uint32_t kTall = 64;  // taller expressions are transposed as a whole, which bounds the recursion of transpose()

uint32_t plus(uint64_t a, uint64_t b) { return uint32_t(std::min<uint64_t>(a + b, kNever)); }

uint64_t mix(uint64_t h) {  // the finaliser of splitmix64
  h += 0x9e3779b97f4a7c15u;
  h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9u;
  h = (h ^ (h >> 27)) * 0x94d049bb133111ebu;
  return h ^ (h >> 31);
}
// f(X)' = g(X'): g for f, tril for triu and inv for itself; nothing if there is none.
std::string_view transposed_function(std::string_view function) {
  const auto op = find_function(function);
  return op && row(*op).core.in == 2 && row(*op).core.out == 2 ? row(*op).transposed : "";
}

uint64_t hash_text(std::string_view s) {
  uint64_t h = 0xcbf29ce484222325u;
  for (char c : s) h = (h ^ uint8_t(c)) * 0x100000001b3u;
  return mix(h);
}

bool transposes_inside(const Node& n) {
  switch (n.op) {
    case Op::Number: case Op::Name: case Op::Transpose: case Op::Slice: case Op::Range: case Op::Indexed: case Op::Derivative: return false;
    case Op::Call: return n.entrywise || !transposed_function(n.name).empty();
    default: return n.height <= kTall;
  }
}

// Operators of a node itself, without its operands.
uint32_t own_size(const Node& n) {
  uint32_t count = uint32_t(n.operands.size());
  switch (n.op) {
    case Op::Number: return short_decimal(n.number).empty() ? 3 : 1;
    case Op::Add: return count - 1 + (n.negative[0] ? 1 : 0);
    case Op::Mul: case Op::Hadamard: return count - 1;
    case Op::Slice: case Op::Block: return 0;  // brackets and commas only
    case Op::Range: case Op::Indexed: case Op::Derivative: return 1;
    case Op::Name: case Op::Call: case Op::Divide: case Op::ElementwiseDivide: case Op::Power: case Op::ElementwisePower: case Op::Transpose:
      return 1;
  }
  return 0;
}

// The hashes of a node and of its transpose, out of those of its operands.
std::pair<uint64_t, uint64_t> hashes(const Node& n) {
  uint64_t salt = mix(uint64_t(n.op) + 1), own = salt, across = salt;
  switch (n.op) {
    case Op::Number: own = across = mix(salt ^ hash_text(n.number.get_str())); break;
    case Op::Name:
      own = mix(salt ^ hash_text(n.name));
      across = n.symmetric || n.shape.is_scalar() ? own : mix(own);
      break;
    case Op::Transpose: own = n.operands[0]->transposed_hash; across = n.operands[0]->hash; break;
    case Op::Add: case Op::Hadamard:  // commutative
      for (size_t i = 0; i < n.operands.size(); ++i) {
        uint64_t sign = n.op == Op::Add && n.negative[i] ? 0x5bd1e995u : 0;
        own += mix(n.operands[i]->hash ^ sign), across += mix(n.operands[i]->transposed_hash ^ sign);
      }
      own = mix(own), across = mix(across);
      break;
    case Op::Mul: {  // scalars commute, the chain does not
      uint64_t scalars = 0;
      size_t first = 0;
      for (; first < n.operands.size() && n.operands[first]->shape.is_scalar(); ++first) scalars += mix(n.operands[first]->hash);
      own = across = mix(salt ^ scalars);
      std::vector<std::pair<uint64_t, uint64_t>> chain;  // with (A*B)' as B'*A'
      for (size_t i = first; i < n.operands.size(); ++i) {
        const Node& e = *n.operands[i];
        const bool turned = e.op == Op::Transpose && e.operands[0]->op == Op::Mul && !e.operands[0]->operands[0]->shape.is_scalar();
        if (!turned) chain.emplace_back(e.hash, e.transposed_hash);
        else for (size_t k = e.operands[0]->operands.size(); k-- > 0;) chain.emplace_back(e.operands[0]->operands[k]->transposed_hash, e.operands[0]->operands[k]->hash);
      }
      for (size_t i = 0; i < chain.size(); ++i) own = mix(own ^ chain[i].first), across = mix(across ^ chain[chain.size() - 1 - i].second);
      if (n.shape.is_scalar()) own = across = mix(std::min(own, across) + std::max(own, across));
      break;
    }
    case Op::Block: {  // the rows of the transpose are the columns
      const size_t rows = n.operands.size() / n.columns;
      own = mix(salt ^ n.columns), across = mix(salt ^ rows);
      for (const Expr& e : n.operands) own = mix(own ^ e->hash);
      for (size_t j = 0; j < n.columns; ++j)
        for (size_t i = 0; i < rows; ++i) across = mix(across ^ n.operands[i * n.columns + j]->transposed_hash);
      break;
    }
    case Op::Divide: case Op::ElementwiseDivide: case Op::Power: case Op::ElementwisePower: case Op::Call: case Op::Slice: case Op::Range:
    case Op::Indexed: case Op::Derivative: {
      const std::string_view turned = n.op == Op::Call && !n.entrywise ? transposed_function(n.name) : n.name;
      if (n.op == Op::Call) own = mix(salt ^ hash_text(n.name)), across = mix(salt ^ hash_text(turned));
      for (const Expr& e : n.operands) own = mix(own ^ e->hash), across = mix(across ^ e->transposed_hash);
      for (const Index& i : n.indices) own = mix(own ^ hash_text(i.letter) ^ uint64_t(i.height) ^ uint64_t(i.variable) << 1);
      bool is_operator = n.op != Op::Call && n.op != Op::Slice;
      bool commutes = is_operator || n.entrywise || !turned.empty();
      if (n.shape.is_scalar()) across = own;
      else if (!commutes) across = mix(own);
      if (n.symmetric) across = own;
      break;
    }
  }
  return {own, across};
}

}  // namespace

Shape Shape::transposed() const {
  switch (kind) {
    case Kind::Scalar: return *this;
    case Kind::Column: return row(rows);
    case Kind::Row: return column(columns);
    case Kind::Matrix: return matrix(columns, rows);
  }
  return *this;
}

Node::~Node() {
  std::vector<Expr> pending = std::move(operands);
  while (!pending.empty()) {
    Expr e = std::move(pending.back());
    pending.pop_back();
    if (!e.unique()) continue;
    auto& below = const_cast<Node&>(*e).operands;  // nobody else sees it any more
    for (Expr& child : below) pending.push_back(std::move(child));
    below.clear();
  }
}

bool operator==(const Expr& a, const Expr& b) { return a.node_ == b.node_ || a->hash == b->hash; }

Expr make(Node n) {
  uint32_t own = own_size(n), inside = own;
  n.size = own;
  for (const Expr& e : n.operands) {
    n.size = plus(n.size, e->size);
    inside = plus(inside, e->transposed_size);
    n.height = std::max(n.height, e->height + 1);
  }
  std::tie(n.hash, n.transposed_hash) = hashes(n);
  const bool turned_ones = n.op == Op::Call && n.name == "ones" && n.operands.size() == 2;  // ones(m, n)' = ones(n, m)
  if (n.is_symmetric() || turned_ones) n.transposed_size = n.size;
  else if (n.op == Op::Transpose) n.transposed_size = n.operands[0]->size;
  else n.transposed_size = transposes_inside(n) ? std::min(inside, plus(n.size, 1)) : plus(n.size, 1);
  return Expr(std::make_shared<const Node>(std::move(n)));
}

Expr make(Op op, Shape shape, std::vector<Expr> operands) {
  Node n(op, shape);
  n.operands = std::move(operands);
  return make(std::move(n));
}

namespace {

Node name_node(std::string text, Shape shape, bool symmetric) {
  Node n(Op::Name, shape);
  n.name = std::move(text);
  n.symmetric = symmetric;
  return n;
}

}  // namespace

Expr name(std::string text, Shape shape, bool symmetric) { return make(name_node(std::move(text), shape, symmetric)); }

Expr added_name(std::string text, Shape shape, bool symmetric) {
  Node n = name_node(std::move(text), shape, symmetric);
  n.added = true;
  return make(std::move(n));
}

Expr indexed(const Expr& base, std::vector<Index> indices) {
  if (indices.empty()) return base;
  Node n(Op::Indexed, Shape::scalar());
  n.operands = {base};
  n.indices = std::move(indices);
  return make(std::move(n));
}

Expr reduced(std::string function, std::vector<Expr> arguments, std::vector<Index> over) {
  Node n(Op::Call, Shape::scalar());
  n.name = std::move(function);
  n.operands = std::move(arguments);
  n.indices = std::move(over);
  return make(std::move(n));
}

Expr derivative(const Expr& of, const std::vector<Expr>& by, size_t order) {
  Node n(Op::Derivative, Shape::scalar());
  n.operands = {of};
  n.operands.insert(n.operands.end(), by.begin(), by.end());
  n.number = Rational(order);
  return make(std::move(n));
}

Expr equation(const Expr& left, const Expr& right) { return make_call("=", {left, right}, Shape::scalar()); }

Expr number(const Rational& value) {
  if (value < 0) return negate(number(Rational(-value)));
  Node n(Op::Number, Shape::scalar());
  n.number = value;
  return make(std::move(n));
}

namespace {

// -(a - b)*c as (b - a)*c, -diag(a - b) as diag(b - a), -cross(a, b) as cross(b, a), -skew(a)' as skew(a): the sign of a product goes into a difference or
// a cross product among its factors, if one takes it without getting longer.
std::optional<Expr> sign_inside(const Expr& e) {
  if (e->op == Op::Transpose && e->operands[0]->calls("skew")) return e->operands[0];
  if (e->calls("cross")) return make_call(e->name, {e->operands[1], e->operands[0]}, e->shape);
  const bool first = e->op == Op::Divide || e->op == Op::ElementwiseDivide || e->calls("diag") || e->calls("sum") || e->calls("tr");
  if (!first && e->op != Op::Mul && e->op != Op::Hadamard) return std::nullopt;
  std::vector<Expr> factors = e->operands;
  const size_t count = first ? 1 : factors.size();
  for (size_t k = 0; k < count; ++k) {
    const bool difference = factors[k]->op == Op::Add && std::ranges::count(factors[k]->negative, true) > 0;
    const std::optional<Expr> turned = difference ? std::optional(negate(factors[k])) : sign_inside(factors[k]);
    if (!turned || (*turned)->size > factors[k]->size) continue;
    factors[k] = *turned;
    if (e->op == Op::Call) return make_call(e->name, std::move(factors), e->shape, e->symmetric, e->entrywise);
    return make(e->op, e->shape, std::move(factors));
  }
  return std::nullopt;
}

}  // namespace

Expr negate(const Expr& e) {
  if (const auto turned = sign_inside(e)) return *turned;
  if (e->op == Op::Add) {
    std::vector<Signed> terms;
    for (size_t i = 0; i < e->operands.size(); ++i) terms.push_back({!e->negative[i], e->operands[i]});
    return add(std::move(terms));
  }
  if (e->op == Op::Number && e->number == 0) return e;
  Node n(Op::Add, e->shape);
  n.operands = {e};
  n.negative = {true};
  return make(std::move(n));
}

// What equals are ordered by: the tree read from left to right, a transpose as a mark that sorts late.
std::string reading(const Expr& e) {
  std::string text;
  std::vector<std::pair<const Node*, const char*>> stack = {{&*e, nullptr}};
  while (!stack.empty()) {
    auto [n, mark] = stack.back();
    stack.pop_back();
    if (mark) { text += mark; continue; }
    if (n->op == Op::Number) text += n->number.get_str();
    text += n->name;
    if (n->op == Op::Transpose) stack.push_back({nullptr, "~"});
    if (n->op == Op::Call || n->op == Op::Slice || n->op == Op::Block) text += '(', stack.push_back({nullptr, ")"});
    for (size_t i = n->operands.size(); i-- > 0;) {
      stack.push_back({&*n->operands[i], nullptr});
      if (i > 0) stack.push_back({nullptr, n->op == Op::Add ? "+" : n->op == Op::Call ? "," : "*"});
    }
  }
  return text;
}

namespace {

// (a < b) + (a == b) is a <= b.
void join_comparisons(std::vector<Signed>& terms) {
  const auto has_sides = [](const Expr& e, const Expr& a, const Expr& b) { return e->operands[0] == a && e->operands[1] == b; };
  for (Signed& less : terms) {
    if (less.negative || !less.term->calls("<")) continue;
    const Expr a = less.term->operands[0], b = less.term->operands[1];
    const auto equal = std::ranges::find_if(terms, [&](const Signed& t) { return !t.negative && t.term->calls("==") && (has_sides(t.term, a, b) || has_sides(t.term, b, a)); });
    if (equal == terms.end()) continue;
    less.term = map_call("<=", {a, b}, less.term->shape);
    terms.erase(equal);
    return join_comparisons(terms);
  }
}

}  // namespace

uint32_t weight(const Expr& e) { return std::min(e->size, e->transposed_size); }

bool is_comparison(const Node& n) {
  constexpr std::string_view kSigns[] = {"<", "<=", ">", ">=", "==", "!=", "="};
  return n.op == Op::Call && std::ranges::find(kSigns, n.name) != std::end(kSigns);
}

bool before(const Expr& a, const Expr& b) {
  if (weight(a) != weight(b)) return weight(a) < weight(b);
  return reading(a) < reading(b);
}

// Positive terms first; then constants; then the heavier before the lighter (3*x^2 + 2*x), and alphabetically.
Expr add(std::vector<Signed> terms) {
  join_comparisons(terms);
  struct Keyed {
    bool negative, variable;
    uint32_t weight;
    std::string reading;
    Expr term;
    auto key() const { return std::tuple(negative, variable, -int64_t(weight), std::string_view(reading)); }
  };
  std::vector<Keyed> flat;
  Rational constant = 0;
  Shape shape = terms.front().term->shape;
  auto push = [&](bool negative, const Expr& e) {
    if (e->op == Op::Number) constant += negative ? Rational(-e->number) : e->number;
    else if (!e->calls("zeros")) flat.push_back({negative, !is_ones(e), weight(e), reading(e), e});
  };
  for (const Signed& t : terms) {
    if (t.term->op != Op::Add) push(t.negative, t.term);
    else for (size_t i = 0; i < t.term->operands.size(); ++i) push(t.negative != t.term->negative[i], t.term->operands[i]);
  }
  if (constant != 0 || (flat.empty() && shape.is_scalar())) {
    Node n(Op::Number, shape);
    n.number = abs(constant);
    flat.push_back({constant < 0, false, 0, "", make(std::move(n))});
  }
  if (flat.empty()) return terms.front().term;  // zeros
  const auto turn = [&](Keyed& k, bool if_shorter) {
    const auto turned = sign_inside(k.term);
    if (!turned || (if_shorter && (*turned)->size >= k.term->size)) return false;
    k = {!k.negative, k.variable, weight(*turned), reading(*turned), *turned};
    return true;
  };
  std::ranges::stable_sort(flat, std::greater(), &Keyed::negative);
  ptrdiff_t positive = std::ranges::count(flat, false, &Keyed::negative);
  for (Keyed& k : flat)  // skew(a)' - skew(b)'*C = skew(b)*C - skew(a), but some term stays positive
    if ((k.negative || positive > 1) && turn(k, true)) positive += k.negative ? -1 : 1;
  std::ranges::stable_sort(flat, {}, &Keyed::key);
  if (flat.size() > 1 && flat[0].negative)  // -(a - b)*c - d = (b - a)*c - d
    for (Keyed& k : flat)
      if (turn(k, false)) {
        std::ranges::stable_sort(flat, {}, &Keyed::key);
        break;
      }
  if (flat.size() == 1 && !flat[0].negative) return flat[0].term;
  Node n(Op::Add, shape);
  for (Keyed& k : flat) n.operands.push_back(std::move(k.term)), n.negative.push_back(k.negative);
  const Expr sum = make(std::move(n));
  if (sum->transposed_size + 1 >= sum->size) return sum;
  return make(Op::Transpose, shape, {transpose(sum)});  // (A*B)' + (C*D)' = (A*B + C*D)'
}

Expr transpose(const Expr& e) {
  if (e->is_symmetric()) return e;
  if (e->op == Op::Transpose) return e->operands[0];
  if (e->calls("ones") && e->operands.size() == 2) return make_call("ones", {e->operands[1], e->operands[0]}, e->shape.transposed());
  uint32_t inside = own_size(*e);
  for (const Expr& c : e->operands) inside = plus(inside, c->transposed_size);
  const uint32_t most = e->op == Op::Call ? e->size : plus(e->size, 1);  // tanh(A*x)' rather than tanh((A*x)'), but expm([0, 2; 1, 0])
  if (!transposes_inside(*e) || inside > most) {
    if (e->op != Op::Mul || !e->operands[0]->shape.is_scalar()) return make(Op::Transpose, e->shape.transposed(), {e});
    std::vector<Expr> scalars, chain;  // (2*A*B)' = 2*(A*B)'
    for (const Expr& c : e->operands) (c->shape.is_scalar() ? scalars : chain).push_back(c);
    scalars.push_back(transpose(mul(chain)));
    return mul(scalars);
  }
  Node n(e->op, e->shape.transposed());
  n.name = e->op == Op::Call && !e->entrywise ? transposed_function(e->name) : e->name;
  n.entrywise = e->entrywise;
  n.negative = e->negative;
  for (const Expr& c : e->operands) n.operands.push_back(transpose(c));
  if (e->op == Op::Mul) {  // the chain turns round, the scalars before it stay
    auto chain = std::ranges::find_if(n.operands, [](const Expr& c) { return !c->shape.is_scalar(); });
    std::reverse(chain, n.operands.end());
    return mul(n.operands);
  }
  if (e->op == Op::Hadamard) return hadamard(n.operands);
  if (e->op == Op::Block) {  // [A, B; C, D]' = [A', C'; B', D']
    const size_t rows = n.operands.size() / e->columns;
    std::vector<Expr> turned;
    for (size_t j = 0; j < e->columns; ++j)
      for (size_t i = 0; i < rows; ++i) turned.push_back(n.operands[i * e->columns + j]);
    return block(std::move(turned), rows, n.shape);
  }
  if (e->op == Op::Add) {  // the order of the print depends on the transposes
    std::vector<Signed> terms;
    for (size_t i = 0; i < n.operands.size(); ++i) terms.push_back({n.negative[i], n.operands[i]});
    return add(std::move(terms));
  }
  return make(std::move(n));
}

}  // namespace ricci::mat
