#include "ir/graph.h"

#include <algorithm>
#include <cassert>
#include <numeric>

#include "ir/canonical_order.h"
#include "ir/constant_folding.h"
#include "ir/dimension.h"
#include "ir/fingerprint.h"
#include "ir/labels.h"
#include "ir/places.h"
#include "ir/product.h"

namespace ricci {

// --- dimensions and symbols -----------------------------------------------------------------------------------------------------

Graph::Graph() = default;

// A built dimension is replaced by its normal form, whose parts are in it already.
DimId Graph::dim(Dim d) {
  if (d.kind == Dim::Kind::Product || d.kind == Dim::Kind::Sum) {
    const bool adds = d.kind == Dim::Kind::Sum;
    Extent e = Extent::number(adds ? 0 : 1);
    for (DimId part : d.parts) {
      if (adds) e += Extent::of(*this, part);
      else e = e * Extent::of(*this, part);
    }
    d = normal_form(e);
  }
  return intern(std::move(d));
}

DimId Graph::intern(Dim d) {
  auto [it, inserted] = dim_ids_.try_emplace(d, uint32_t(dims_.size()));
  if (inserted) dims_.push_back(std::move(d));
  return {it->second};
}

DimId Graph::dim(std::string_view name) { return dim(Dim{.kind = Dim::Kind::Symbol, .name = std::string(name)}); }

DimId Graph::dim(int64_t size) { return dim(Dim{.kind = Dim::Kind::Fixed, .size = size}); }

DimId Graph::product(std::span<const DimId> parts) {
  if (parts.size() == 1) return parts[0];
  return dim(Dim{.kind = Dim::Kind::Product, .parts = {parts.begin(), parts.end()}});
}

DimId Graph::sum(std::span<const DimId> parts) {
  if (parts.size() == 1) return parts[0];
  return dim(Dim{.kind = Dim::Kind::Sum, .parts = {parts.begin(), parts.end()}});
}

std::optional<DimId> Graph::difference(DimId a, DimId b) {
  const Extent e = Extent::of(*this, a) - Extent::of(*this, b);
  if (!e.is_size()) return std::nullopt;
  return dim(normal_form(e));
}

// The polynomial as a Dim; its parts are made on the way.
Dim Graph::normal_form(const Extent& e) {
  std::vector<DimId> sum;
  for (const auto& [symbols, c] : e.terms) {
    std::vector<DimId> product;
    if (c != 1 || symbols.empty()) product.push_back(dim(c));
    for (const std::string& s : symbols) product.push_back(dim(s));
    if (product.size() == 1) {
      sum.push_back(product[0]);
      continue;
    }
    Dim monomial{.kind = Dim::Kind::Product, .parts = std::move(product)};
    if (e.terms.size() == 1) return monomial;
    sum.push_back(intern(std::move(monomial)));
  }
  if (sum.empty()) return {.kind = Dim::Kind::Fixed, .size = 0};
  if (sum.size() == 1) return dims_[sum[0].value];
  if (e.terms.begin()->first.empty()) std::ranges::rotate(sum, sum.begin() + 1);  // the number last
  return {.kind = Dim::Kind::Sum, .parts = std::move(sum)};
}

std::string Graph::spell(DimId id) const {
  const Dim& d = (*this)[id];
  switch (d.kind) {
    case Dim::Kind::Symbol: return d.name;
    case Dim::Kind::Fixed: return std::to_string(d.size);
    case Dim::Kind::Product:
    case Dim::Kind::Sum: return ricci::spell(Extent::of(*this, id));
  }
  return "";
}

std::string Graph::spell_number(DimId id) const {
  const Extent extent = Extent::of(*this, id);
  const bool taken = std::ranges::any_of(extent.terms, [&](const auto& term) {
    return std::ranges::any_of(term.first, [&](const std::string& name) {
      return std::ranges::any_of(symbols_, [&](const Symbol& s) { return !s.placeholder && s.name == name; });
    });
  });
  return taken ? "sum(ones(" + spell(id) + "))" : spell(id);
}

SymbolId Graph::declare(Symbol s) {
  symbols_.push_back(std::move(s));
  return {uint32_t(symbols_.size() - 1)};
}

// --- interning ------------------------------------------------------------------------------------------------------------------

static size_t hash_of(const Node& n) {
  size_t h = size_t(n.kind) * 0x9e3779b97f4a7c15ull + n.row;
  auto mix = [&h](size_t x) { h = (h ^ x) * 0xff51afd7ed558ccdull, h ^= h >> 32; };
  for (DimId d : n.type) mix(d.value);
  mix(n.type.size());
  for (NodeId o : n.operands) mix(o.value);
  for (Label l : n.labels) mix(l);
  for (const Rational& c : n.coefficients) mix(hash_value(c));
  return h;
}

NodeId Graph::intern(Node node) {
  const NodeId id{uint32_t(nodes_.size())};
  const uint32_t known = ids_.find_or_enter(hash_of(node), id.value, [&](uint32_t n) { return nodes_[n] == node; });
  if (known != id.value) return {known};
  nodes_.push_back(std::move(node));
  fingerprints_.push_back(fingerprint_of(id));
  symmetric_.push_back(false);
  symmetric_[id.value] = equals_own_transpose(id);
  return id;
}

const std::vector<uint64_t>& Graph::axis_fingerprints(NodeId n) const {
  const auto it = axis_fingerprints_.find(n.value);
  return it != axis_fingerprints_.end() ? it->second : axis_fingerprints_.emplace(n.value, axis_fingerprints_of(*this, n)).first->second;
}

const Symmetries* Graph::symmetries(NodeId n) const {
  const Node& node = (*this)[n];
  if ((node.kind != Kind::Sum && node.kind != Kind::Map && node.kind != Kind::Epsilon) || node.rank() < 3) return nullptr;
  auto it = symmetries_.find(n.value);
  if (it == symmetries_.end()) it = symmetries_.emplace(n.value, symmetries_of(*this, n)).first;
  return it->second ? &*it->second : nullptr;
}

// Whether a square matrix is its own transpose as a node. Operands are older, so their answers are known.
bool Graph::equals_own_transpose(NodeId id) {
  const Node& n = (*this)[id];
  if (n.rank() != 2 || n.type[0] != n.type[1]) return false;
  auto operands_symmetric = [&] {
    return std::ranges::all_of(n.operands, [&](NodeId o) { return (*this)[o].rank() == 0 || symmetric_[o.value]; });
  };
  switch (n.kind) {
    case Kind::Const:
    case Kind::Size:
    case Kind::Place:
    case Kind::Epsilon: return false;
    case Kind::Call:
    case Kind::Var: return symbols_[n.row].properties.has(Property::symmetric);
    case Kind::Map: return operands_symmetric();
    case Kind::Fun: return row(n.fun_op()).core.in == 2 && row(n.fun_op()).transposed == row(n.fun_op()).name && operands_symmetric();
    case Kind::Sum: {
      if (operands_symmetric()) return true;
      constexpr size_t kMost = 8;  // terms: a transposed copy of a long sum would cost more than its symmetry is worth
      if (n.operands.size() > kMost) return false;
      std::vector<Term> transposed;
      for (const Term& t : terms(id)) {
        const Type turned{n.type[1], n.type[0]};
        if ((*this)[t.tensor].kind == Kind::Ein) transposed.push_back({t.coefficient, ein(factors(t.tensor), {out(t.tensor)[1], out(t.tensor)[0]}, turned)});
        else transposed.push_back({t.coefficient, permute(t.tensor, {1, 0})});
      }
      return sum(std::move(transposed), Type((*this)[id].type)) == id;
    }
    case Kind::Ein: {
      Labels swapped = out(id);
      std::swap(swapped[0], swapped[1]);
      std::vector<Factor> fs = factors(id);
      canonical_order(fs, swapped, [this](NodeId t) { return is_symmetric(t); }, [this](NodeId t) { return fingerprint(t); });
      return fs == factors(id) && swapped == out(id);
    }
  }
  return false;
}

// --- leaves ---------------------------------------------------------------------------------------------------------------------

NodeId Graph::constant(Rational value) {
  value.canonicalize();
  return intern({.kind = Kind::Const, .coefficients = {std::move(value)}});
}

NodeId Graph::one() {
  if (!one_) one_ = constant(1);
  return *one_;
}

NodeId Graph::size(DimId d) {
  const Dim& dim = (*this)[d];
  switch (dim.kind) {
    case Dim::Kind::Fixed: return constant(long(dim.size));
    case Dim::Kind::Symbol: return intern({.kind = Kind::Size, .row = d.value});
    case Dim::Kind::Product: {
      std::vector<Factor> factors;
      for (DimId part : std::vector(dim.parts)) factors.push_back({size(part), {}});
      return ein(std::move(factors), {}, {});
    }
    case Dim::Kind::Sum: {
      std::vector<Term> terms;
      for (DimId part : std::vector(dim.parts)) terms.push_back({1, size(part)});
      return sum(std::move(terms), {});
    }
  }
  return {};
}

NodeId Graph::variable(SymbolId s) { return intern({.kind = Kind::Var, .row = s.value, .type = symbols_[s.value].type}); }

NodeId Graph::zero(Type type) {
  if (type.empty()) return constant(0);
  return intern({.kind = Kind::Sum, .type = std::move(type)});
}

// --- sums -----------------------------------------------------------------------------------------------------------------------

NodeId Graph::sum(std::vector<Term> input, Type type) {
  const NodeId one = this->one();
  const auto is_plain = [&](const Term& t) {  // neither a number nor a multiple
    const Node& n = (*this)[t.tensor];
    return t.coefficient == 1 && n.kind != Kind::Const && (n.kind != Kind::Sum || n.operands.size() > 1);
  };
  assert(std::ranges::all_of(input, [&](const Term& t) { return (*this)[t.tensor].type == type; }));
  if (input.size() == 1 && is_plain(input[0])) return input[0].tensor;
  std::map<NodeId, Rational> collected;  // like terms add their coefficients
  for (Term& t : input) {
    while ((*this)[t.tensor].kind == Kind::Sum && (*this)[t.tensor].operands.size() <= 1) {  // c*t inside
      const Node& n = (*this)[t.tensor];
      if (n.operands.empty()) {
        t.coefficient = 0;
        break;
      }
      t.coefficient *= n.coefficients[0];
      t.tensor = n.operands[0];
    }
    if ((*this)[t.tensor].kind == Kind::Const) {
      t.coefficient *= (*this)[t.tensor].value();
      t.tensor = one;
    }
    if (t.coefficient != 0) collected[t.tensor] += t.coefficient;
  }
  std::erase_if(collected, [](const auto& entry) { return entry.second == 0; });
  if (collected.empty()) return zero(std::move(type));
  if (collected.size() == 1) {
    const auto& [tensor, c] = *collected.begin();
    if (tensor == one) return constant(c);
    if (c == 1) return tensor;
  }
  Node node{.kind = Kind::Sum, .type = std::move(type)};
  for (auto& [tensor, c] : collected) {
    node.operands.push_back(tensor);
    node.coefficients.push_back(std::move(c));
  }
  return intern(std::move(node));
}

// --- products -------------------------------------------------------------------------------------------------------------------

// A product without any labels, most of those that entrywise derivatives are made of: there is nothing to unite, and if no two powers of one base meet,
// nothing but coefficients to take out. The answer is what the steps of Product come to, without the tables these keep of labels.
std::optional<NodeId> Graph::product_of_numbers(const std::vector<Factor>& input) {
  std::vector<NodeId> factors, bases;
  std::optional<Rational> coefficient;
  const auto scale = [&](const Rational& c) {
    if (coefficient) *coefficient *= c;
    else coefficient = c;
  };
  for (const Factor& f : input) {
    NodeId t = f.tensor;
    if (!f.labels.empty()) return std::nullopt;
    while ((*this)[t].kind == Kind::Sum && (*this)[t].operands.size() == 1) {
      scale((*this)[t].coefficients[0]);
      t = (*this)[t].operands[0];
    }
    const Node& n = (*this)[t];
    if (n.kind == Kind::Const) {
      scale(n.value());
      continue;
    }
    if (!n.labels.empty() && only_moves(*this, t)) return std::nullopt;  // an entry of a tensor: two of them may be one
    factors.push_back(t);
    bases.push_back(power_base(*this, t));
  }
  std::ranges::sort(bases);
  if (std::ranges::adjacent_find(bases) != bases.end()) return std::nullopt;
  if (coefficient && *coefficient == 0) return zero({});
  if (factors.empty()) return constant(coefficient ? *std::move(coefficient) : Rational(1));
  std::ranges::sort(factors);
  const NodeId product = factors.size() == 1 ? factors[0] : intern({.kind = Kind::Ein, .operands = std::move(factors)});
  return coefficient && *coefficient != 1 ? sum({{*std::move(coefficient), product}}, {}) : product;
}

NodeId Graph::ein(std::vector<Factor> input, Labels out, Type type) {
  if (out.empty())
    if (const auto product = product_of_numbers(input)) return *product;
  Product p(*this, std::move(input), std::move(out), std::move(type));
  p.dissolve_structure();
  p.settle_places();
  if (auto blocks = p.slice_of_blocks()) return *blocks;
  p.sum_lone_labels();
  p.collect_powers();
  if (p.coefficient == 0) return zero(std::move(p.type));
  if (p.factors.empty() && p.type.empty()) return constant(p.coefficient);
  canonical_order(p.factors, p.out, [this](NodeId t) { return is_symmetric(t); }, [this](NodeId t) { return fingerprint(t); });
  NodeId product;
  if (p.factors.size() == 1 && p.out == iota(p.out.size()) && p.factors[0].labels == p.out) {  // all axes, in order, none twice
    product = p.factors[0].tensor;
  } else {
    Node node{.kind = Kind::Ein, .type = p.type};
    for (Factor& f : p.factors) {
      node.operands.push_back(f.tensor);
      node.labels.insert(node.labels.end(), f.labels.begin(), f.labels.end());
    }
    node.labels.insert(node.labels.end(), p.out.begin(), p.out.end());
    product = intern(std::move(node));
  }
  return p.coefficient == 1 ? product : sum({{p.coefficient, product}}, std::move(p.type));
}

std::vector<Factor> Graph::factors(NodeId id) const {
  const Node& n = (*this)[id];
  std::vector<Factor> result;
  result.reserve(n.operands.size());
  auto label = n.labels.begin();
  for (NodeId op : n.operands) {
    auto end = label + std::ptrdiff_t((*this)[op].rank());
    result.push_back({op, Labels(label, end)});
    label = end;
  }
  return result;
}

Labels Graph::out(NodeId id) const {
  const Node& n = (*this)[id];
  return Labels(n.labels.end() - std::ptrdiff_t(n.rank()), n.labels.end());
}

bool Graph::is_structure(NodeId id) const {
  const Node& n = (*this)[id];
  if (n.kind != Kind::Ein || n.operands.size() > 1) return false;
  auto out_begin = n.labels.end() - std::ptrdiff_t(n.rank());
  return std::all_of(n.labels.begin(), out_begin, [&](Label l) { return std::find(out_begin, n.labels.end(), l) != n.labels.end(); });
}

NodeId Graph::times(NodeId scalar, NodeId n) {
  Labels all = iota((*this)[n].rank());
  return ein({{scalar, {}}, {n, all}}, all, Type((*this)[n].type));
}

NodeId Graph::hadamard(NodeId a, NodeId b) {
  Labels all = iota((*this)[a].rank());
  return ein({{a, all}, {b, all}}, all, Type((*this)[a].type));
}

NodeId Graph::permute(NodeId n, const std::vector<size_t>& axes) {
  Labels out;
  Type type;
  for (size_t axis : axes) {
    out.push_back(Label(axis));
    type.push_back((*this)[n].type[axis]);
  }
  return ein({{n, iota(axes.size())}}, std::move(out), std::move(type));
}

// --- functions ------------------------------------------------------------------------------------------------------------------

NodeId Graph::map(MapOp op, std::vector<NodeId> operands) {
  assert(int(operands.size()) == row(op).arity);
  if (auto folded = fold_map(*this, op, operands)) return *folded;
  Type type;
  size_t tensors = 0, position = 0;
  for (size_t k = 0; k < operands.size(); ++k) {
    if ((*this)[operands[k]].rank() == 0) continue;
    assert(type.empty() || type == (*this)[operands[k]].type);
    type = (*this)[operands[k]].type;
    ++tensors;
    position = k;
  }
  // f of a permuted or broadcast tensor is the permuted or broadcast f: no entry is computed twice. (A diagonal matrix is different, f(0) need not
  // be 0; and of the diagonal of a matrix f is taken after it: fewer entries.)
  const bool structure = tensors == 1 && is_structure(operands[position]) && placement(*this, operands[position]) == Placement::Total;
  const std::vector<Factor> core = structure ? factors(operands[position]) : std::vector<Factor>{};
  if (structure && (core.empty() || !has_repeats(core[0].labels))) {
    Labels o = out(operands[position]);
    operands[position] = core.empty() ? constant(1) : core[0].tensor;
    NodeId inner = map(op, std::move(operands));
    return ein({{inner, core.empty() ? Labels{} : core[0].labels}}, std::move(o), std::move(type));
  }
  return intern({.kind = Kind::Map, .row = uint32_t(op), .type = std::move(type), .operands = std::move(operands)});
}

NodeId Graph::fun(FunOp op, NodeId operand) {
  if (auto folded = fold_fun(*this, op, operand)) return *folded;
  assert((*this)[operand].rank() >= row(op).core.in);
  return intern({.kind = Kind::Fun, .row = uint32_t(op), .type = result_axes(row(op), (*this)[operand].type), .operands = {operand}});
}

NodeId Graph::call(SymbolId f, std::vector<NodeId> operands, Type type) {
  return intern({.kind = Kind::Call, .row = f.value, .type = std::move(type), .operands = std::move(operands)});
}

// Dh, DDh of a function of one argument; D1h, D12h of one of several, by the numbers of the arguments.
static std::string derivative_name(const std::string& function, const std::vector<uint8_t>& by, bool one_argument) {
  std::string d = one_argument ? std::string(by.size(), 'D') : "D";
  for (uint8_t k : by)
    if (!one_argument) d += std::to_string(k + 1);
  return d + function;
}

NodeId Graph::call_derivative(NodeId id, size_t k) {
  const Node n = (*this)[id];
  const Symbol f = symbols_[n.row];
  const size_t batch = n.rank() - f.type.size(), base = f.type.size();
  const auto core = [&](size_t operand) {
    const Type& t = (*this)[n.operands[operand]].type;
    return Type(t.begin() + long(batch), t.end());
  };
  Symbol d{.name = {}, .type = f.type, .function = f.function.empty() ? f.name : f.function, .by = f.by};
  const auto at = std::upper_bound(d.by.begin(), d.by.end(), uint8_t(k));  // its axes stand after those of earlier and equal arguments
  size_t before = base;
  for (auto later = at; later != d.by.end(); ++later) before -= core(*later).size();
  d.by.insert(at, uint8_t(k));
  const Type own = core(k);
  d.type.insert(d.type.begin() + long(before), own.begin(), own.end());
  d.name = derivative_name(d.function, d.by, n.operands.size() == 1);
  d.variance.assign(d.type.size(), Variance::Up);
  if (d.type.size() == 2 && d.by.size() == 2 && d.by[0] == d.by[1] && own.size() == 1) d.properties.add(Property::symmetric);
  auto known = std::ranges::find_if(symbols_, [&](const Symbol& s) { return s.name == d.name && s.function == d.function && s.type == d.type; });
  const SymbolId symbol = known == symbols_.end() ? declare(d) : SymbolId{uint32_t(known - symbols_.begin())};
  Type type(n.type.begin(), n.type.begin() + long(batch));
  type.insert(type.end(), d.type.begin(), d.type.end());
  const NodeId result = call(symbol, n.operands, std::move(type));
  std::vector<size_t> axes;  // the new axes to the end
  for (size_t axis = 0; axis < batch + d.type.size(); ++axis)
    if (axis < batch + before || axis >= batch + before + own.size()) axes.push_back(axis);
  for (size_t axis = 0; axis < own.size(); ++axis) axes.push_back(batch + before + axis);
  return permute(result, axes);
}

NodeId Graph::place(DimId whole, Type parts, DimId offset) {
  if (parts.size() == 1 && parts[0] == whole) return delta(whole);
  parts.insert(parts.begin(), whole);
  return intern({.kind = Kind::Place, .row = offset.value, .type = std::move(parts)});
}

NodeId Graph::epsilon(size_t n) { return intern({.kind = Kind::Epsilon, .type = Type(n, dim(int64_t(n)))}); }

NodeId Graph::rebuild(NodeId id, std::vector<NodeId> operands) {
  const Node& n = (*this)[id];
  if (operands == n.operands) return id;
  switch (n.kind) {
    case Kind::Const:
    case Kind::Size:
    case Kind::Var:
    case Kind::Place:
    case Kind::Epsilon: return id;
    case Kind::Sum: {
      std::vector<Term> ts;
      for (size_t k = 0; k < operands.size(); ++k) ts.push_back({n.coefficients[k], operands[k]});
      return sum(std::move(ts), Type(n.type));
    }
    case Kind::Ein: {
      std::vector<Factor> fs = factors(id);
      for (size_t k = 0; k < operands.size(); ++k) fs[k].tensor = operands[k];
      return ein(std::move(fs), out(id), Type(n.type));
    }
    case Kind::Map: return map(n.map_op(), std::move(operands));
    case Kind::Fun: return fun(n.fun_op(), operands[0]);
    case Kind::Call: return call({n.row}, std::move(operands), Type(n.type));
  }
  return id;
}

// --- queries --------------------------------------------------------------------------------------------------------------------

bool Graph::is_zero(NodeId id) const {
  const Node& n = (*this)[id];
  return (n.kind == Kind::Sum && n.operands.empty()) || (n.kind == Kind::Const && n.value() == 0);
}

bool Graph::is_one(NodeId id) const {
  const Node& n = (*this)[id];
  return n.kind == Kind::Const && n.value() == 1;
}

std::vector<Term> Graph::terms(NodeId id) const {
  const Node& n = (*this)[id];
  if (n.kind != Kind::Sum) return {{1, id}};
  std::vector<Term> result;
  result.reserve(n.operands.size());
  for (size_t k = 0; k < n.operands.size(); ++k) result.push_back({n.coefficients[k], n.operands[k]});
  return result;
}

std::vector<NodeId> Graph::reachable(std::span<const NodeId> roots) const {
  uint32_t top = 0;
  for (NodeId r : roots) top = std::max(top, r.value + 1);
  std::vector<bool> live(top, false);
  for (NodeId r : roots) live[r.value] = true;
  std::vector<NodeId> result;
  for (uint32_t i = top; i-- > 0;) {  // operands precede users, so one backward sweep finds all
    if (!live[i]) continue;
    result.push_back({i});
    for (NodeId op : (*this)[NodeId{i}].operands) live[op.value] = true;
  }
  std::ranges::reverse(result);
  return result;
}

Labels Graph::iota(size_t n, Label from) {
  Labels ls(n);
  std::iota(ls.begin(), ls.end(), from);
  return ls;
}

}  // namespace ricci
