#include "frontend/draft.h"

#include <map>

namespace ricci {

DraftId Drafts::add(Draft d) {
  for (DraftId o : d.operands)
    if (o == kPoison) return kPoison;
  drafts_.push_back(std::move(d));
  return {uint32_t(drafts_.size() - 1)};
}

DraftId Drafts::given(NodeId node, Shape shape) { return add({.kind = Kind::Given, .row = node.value, .shape = std::move(shape)}); }
DraftId Drafts::variable(uint32_t number, Shape shape) { return add({.kind = Kind::Variable, .row = number, .shape = std::move(shape)}); }
DraftId Drafts::constant(Rational value) { return add({.kind = Kind::Constant, .coefficients = {std::move(value)}}); }
DraftId Drafts::size(DimVar d) { return add({.kind = Kind::Size, .dim = {d}}); }

DraftId Drafts::place(DimVar whole, const Shape& parts, DimVar offset) {
  Shape shape = parts;
  shape.insert(shape.begin(), whole);
  return add({.kind = Kind::Place, .shape = std::move(shape), .dim = {offset}});
}
DraftId Drafts::epsilon(size_t n, DimVar each) { return add({.kind = Kind::Epsilon, .shape = Shape(n, each)}); }

uint32_t Drafts::function(std::string name, std::vector<Shape> arguments, Shape value) {
  functions_.push_back({std::move(name), std::move(arguments), std::move(value)});
  return uint32_t(functions_.size() - 1);
}

DraftId Drafts::call(uint32_t function, std::vector<uint8_t> by, std::vector<DraftId> operands) {
  const Function& f = functions_[function];
  Shape shape = f.value;
  for (uint8_t k : by) shape.insert(shape.end(), f.arguments[k].begin(), f.arguments[k].end());
  return add({.kind = Kind::Call, .row = function, .shape = std::move(shape), .operands = std::move(operands), .by = std::move(by)});
}

DraftId Drafts::ein(std::vector<DraftFactor> factors, Labels out, Shape shape) {
  Draft d{.kind = Kind::Ein, .shape = std::move(shape)};
  for (const DraftFactor& f : factors) {
    d.operands.push_back(f.tensor);
    d.labels.insert(d.labels.end(), f.labels.begin(), f.labels.end());
  }
  d.labels.insert(d.labels.end(), out.begin(), out.end());
  return add(std::move(d));
}

DraftId Drafts::sum(std::vector<DraftTerm> terms, Shape shape) {
  Draft d{.kind = Kind::Sum, .shape = std::move(shape)};
  bool numbers = d.shape.empty();
  Rational total = 0;
  for (DraftTerm& t : terms) {
    const Rational* c = as_constant(t.tensor);
    numbers = numbers && c;
    if (numbers) total += t.coefficient * *c;
    d.operands.push_back(t.tensor);
    d.coefficients.push_back(std::move(t.coefficient));
  }
  return numbers ? constant(total) : add(std::move(d));
}

DraftId Drafts::map(MapOp op, std::vector<DraftId> operands) {
  Shape shape;
  for (DraftId o : operands)
    if (shape.empty()) shape = this->shape(o);
  return add({.kind = Kind::Map, .row = uint32_t(op), .shape = std::move(shape), .operands = std::move(operands)});
}

DraftId Drafts::fun(FunOp op, DraftId operand) {
  if (operand == kPoison) return kPoison;
  return add({.kind = Kind::Fun, .row = uint32_t(op), .shape = result_axes(row(op), shape(operand)), .operands = {operand}});
}

DraftId Drafts::derivative(DraftId f, DraftId x) {
  Shape shape = this->shape(f);
  shape.insert(shape.end(), this->shape(x).begin(), this->shape(x).end());
  return add({.kind = Kind::Derivative, .shape = std::move(shape), .operands = {f, x}});
}
DraftId Drafts::directional(DraftId f, DraftId x, DraftId h) { return add({.kind = Kind::Directional, .shape = shape(f), .operands = {f, x, h}}); }
DraftId Drafts::pullback(DraftId f, DraftId x, DraftId seed) { return add({.kind = Kind::Pullback, .shape = shape(x), .operands = {f, x, seed}}); }

DraftId Drafts::scale(Rational c, DraftId d) { return sum({{std::move(c), d}}, Shape(shape(d))); }

DraftId Drafts::times(DraftId scalar, DraftId d) {
  if (const Rational* c = as_constant(scalar)) return scale(*c, d);
  if (const Rational* c = as_constant(d); c && rank(scalar) == 0) return scale(*c, scalar);
  const Labels axes = Graph::iota(rank(d));
  return ein({{scalar, {}}, {d, axes}}, axes, Shape(shape(d)));
}

DraftId Drafts::power(DraftId base, DraftId exponent) {
  const Rational* b = as_constant(base);
  const Rational* e = as_constant(exponent);
  constexpr long kLargest = 4096;  // a larger power of a number is left to the graph
  if (const auto n = e ? as_long(*e) : std::nullopt; b && n && std::abs(*n) <= kLargest && (*b != 0 || *n >= 0)) {
    Rational r = 1, square = *b;
    for (long k = std::abs(*n); k > 0; k /= 2) {
      if (k % 2) r *= square;
      if (k > 1) square *= square;
    }
    return constant(*n < 0 ? Rational(1 / r) : r);
  }
  return map(MapOp::pow_, {base, exponent});
}

bool Drafts::is_map(DraftId d, MapOp op) const { return drafts_[d.value].kind == Kind::Map && MapOp(drafts_[d.value].row) == op; }

bool Drafts::is_norm(DraftId d) const { return is_map(d, MapOp::pow0_) || is_map(d, MapOp::hypot_); }

// With a constant exponent.
bool Drafts::is_power_of_norm(DraftId d) const {
  return is_map(d, MapOp::pow_) && as_constant(drafts_[d.value].operands[1]) && is_norm(drafts_[d.value].operands[0]);
}

// A power of a norm as it is written; what formulas of the tables do to a norm that they are given is not meant.
MapOp Drafts::written_map(const Draft& d) const {
  const MapOp op = MapOp(d.row);
  if (op != MapOp::pow_ || !is_norm(d.operands[0])) return op;
  const Rational* exponent = as_constant(d.operands[1]);
  return exponent && *exponent > 0 ? op : MapOp::pow0_;
}

// 1/norm2(x)^2 is norm2(x)^(-2), 0 at 0 as 1/norm2(x) is: norm2(x)^2 by itself is x'*x, which no longer says so.
DraftId Drafts::reciprocal(DraftId d) {
  if (d == kPoison) return d;
  const Draft whole = drafts_[d.value];
  if (is_power_of_norm(d)) return power(whole.operands[0], constant(-*as_constant(whole.operands[1])));
  if (whole.kind == Kind::Sum && whole.operands.size() == 1 && whole.coefficients[0] != 0) return scale(1 / whole.coefficients[0], reciprocal(whole.operands[0]));
  if (whole.kind != Kind::Ein) return power(d, constant(-1));
  const Labels out(whole.labels.end() - std::ptrdiff_t(whole.shape.size()), whole.labels.end());
  std::vector<DraftFactor> norms, others;
  size_t at = 0;
  for (DraftId o : whole.operands) {
    Labels labels(whole.labels.begin() + std::ptrdiff_t(at), whole.labels.begin() + std::ptrdiff_t(at + rank(o)));
    at += rank(o);
    const bool apart = is_power_of_norm(o) && (labels.empty() || labels == out);
    (apart ? norms : others).push_back({apart ? reciprocal(o) : o, std::move(labels)});
  }
  if (norms.empty()) return power(d, constant(-1));
  norms.push_back({power(ein(std::move(others), out, Shape(whole.shape)), constant(-1)), out});
  return ein(std::move(norms), out, Shape(whole.shape));
}

DraftId Drafts::broadcast(DraftId scalar, const Shape& shape) { return ein({{scalar, {}}}, Graph::iota(shape.size()), Shape(shape)); }

const Rational* Drafts::as_constant(DraftId d) const {
  return drafts_[d.value].kind == Kind::Constant ? &drafts_[d.value].coefficients[0] : nullptr;
}

std::vector<NodeId> Drafts::build(Graph& graph, const Dimensions& dims, const Calculus* calculus, std::span<const NodeId> variables) const {
  std::vector<NodeId> nodes(drafts_.size());
  std::map<uint32_t, SymbolId> symbols;  // of undeclared functions
  auto type_of = [&](const Draft& d) {
    Type type;
    for (DimVar v : d.shape) type.push_back(dims.resolve(graph, v));
    return type;
  };
  auto node = [&](const Draft& d, size_t i) { return nodes[d.operands[i].value]; };
  auto all = [&](const Draft& d) {
    std::vector<NodeId> operands;
    for (size_t i = 0; i < d.operands.size(); ++i) operands.push_back(node(d, i));
    return operands;
  };
  auto ein = [&](const Draft& d) {
    std::vector<Factor> factors;
    auto label = d.labels.begin();
    for (DraftId o : d.operands) {
      const auto end = label + std::ptrdiff_t(rank(o));
      factors.push_back({nodes[o.value], Labels(label, end)});
      label = end;
    }
    return graph.ein(std::move(factors), Labels(label, d.labels.end()), type_of(d));
  };
  auto sum = [&](const Draft& d) {
    std::vector<Term> terms;
    for (size_t i = 0; i < d.operands.size(); ++i) terms.push_back({d.coefficients[i], node(d, i)});
    return graph.sum(std::move(terms), type_of(d));
  };
  auto make = [&](const Draft& d) {
    switch (d.kind) {
      case Kind::Poison: return NodeId{};
      case Kind::Given: return NodeId{d.row};
      case Kind::Variable: return variables[d.row];
      case Kind::Constant: return graph.constant(d.coefficients[0]);
      case Kind::Size: return graph.size(dims.resolve(graph, d.dim[0]));
      case Kind::Place: {
        const Type type = type_of(d);
        return graph.place(type[0], Type(type.begin() + 1, type.end()), dims.resolve(graph, d.dim[0]));
      }
      case Kind::Epsilon: return graph.epsilon(d.shape.size());
      case Kind::Call: {
        const Function& f = functions_[d.row];
        Type type;
        for (DimVar v : f.value) type.push_back(dims.resolve(graph, v));
        auto [symbol, is_new] = symbols.try_emplace(d.row);
        if (is_new) symbol->second = graph.declare({f.name, type, std::vector<Variance>(type.size(), Variance::Up)});
        NodeId call = graph.call(symbol->second, all(d), type);
        for (uint8_t k : d.by) call = graph.call_derivative(call, k);
        return call;
      }
      case Kind::Ein: return ein(d);
      case Kind::Sum: return sum(d);
      case Kind::Map: return graph.map(written_map(d), all(d));
      case Kind::Fun: return graph.fun(FunOp(d.row), node(d, 0));
      case Kind::Derivative: return calculus->derivative(graph, node(d, 0), node(d, 1));
      case Kind::Directional: return calculus->directional(graph, node(d, 0), node(d, 1), node(d, 2));
      case Kind::Pullback: return calculus->pullback(graph, node(d, 0), node(d, 1), node(d, 2));
    }
    return NodeId{};
  };
  for (size_t i = 1; i < drafts_.size(); ++i) nodes[i] = make(drafts_[i]);
  return nodes;
}

}  // namespace ricci
