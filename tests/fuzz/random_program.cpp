// What a random program means: its dimensions, its graph, its inputs.
#include "tests/fuzz/random_program.h"

namespace ricci::fuzz {
namespace {

const char* const kSymbols[] = {"m", "n", "p", "q", "r"};

}  // namespace

std::vector<int64_t> RandomProgram::shape(const std::vector<size_t>& type) const {
  std::vector<int64_t> s;
  for (size_t d : type) s.push_back(extent(d));
  return s;
}

Dims RandomProgram::dims() const {
  Dims d;
  for (size_t k = 0; k < dimensions.size(); ++k)
    if (dimensions[k].kind == Dim::Kind::Symbol) d[kSymbols[k]] = extent(k);
  return d;
}

std::string RandomProgram::spell(size_t dimension) const {
  const Dimension& d = dimensions[dimension];
  if (d.kind == Dim::Kind::Symbol) return kSymbols[dimension];
  if (d.kind == Dim::Kind::Fixed) return std::to_string(d.extent);
  std::string s;
  for (size_t part : d.parts) {
    const bool grouped = d.kind == Dim::Kind::Product && dimensions[part].kind == Dim::Kind::Sum;
    s += (s.empty() ? "" : d.kind == Dim::Kind::Product ? "*" : " + ") + (grouped ? "(" + spell(part) + ")" : spell(part));
  }
  return s;
}

DimId RandomProgram::dim(Graph& g, size_t dimension) const {
  const Dimension& d = dimensions[dimension];
  if (d.kind == Dim::Kind::Symbol) return g.dim(kSymbols[dimension]);
  if (d.kind == Dim::Kind::Fixed) return g.dim(d.extent);
  std::vector<DimId> parts;
  for (size_t part : d.parts) parts.push_back(dim(g, part));
  return d.kind == Dim::Kind::Product ? g.product(parts) : g.sum(parts);
}

std::string RandomProgram::name(size_t k) const {
  return steps[k].kind == Step::Kind::Input ? "v" + std::to_string(steps[k].row) : "t" + std::to_string(k);
}

NodeId RandomProgram::build(Graph& g, size_t k, const std::vector<NodeId>& nodes) const {
  const Step& s = steps[k];
  Type type;
  for (size_t d : s.type) type.push_back(dim(g, d));
  std::vector<NodeId> operands;
  for (size_t o : s.operands) operands.push_back(nodes[o]);
  const auto declare = [&] {
    Symbol symbol{.name = s.kind == Step::Kind::Call ? "h" + std::to_string(s.row) : name(k), .type = type, .variance = std::vector<Variance>(type.size(), Variance::Down)};
    if (!type.empty() && type.size() < 3) symbol.variance[0] = Variance::Up;
    if (s.symmetric) symbol.properties.add(Property::symmetric);
    return g.declare(std::move(symbol));
  };
  switch (s.kind) {
    case Step::Kind::Input: return g.variable(declare());
    case Step::Kind::Constant: return g.constant(s.coefficients[0]);
    case Step::Kind::Size: return g.size(dim(g, s.row));
    case Step::Kind::Sum: {
      std::vector<Term> terms;
      for (size_t i = 0; i < operands.size(); ++i) terms.push_back({s.coefficients[i], operands[i]});
      return g.sum(std::move(terms), std::move(type));
    }
    case Step::Kind::Product: {
      std::vector<Factor> factors;
      for (size_t i = 0; i < operands.size(); ++i) factors.push_back({operands[i], s.labels[i]});
      return g.ein(std::move(factors), s.out, std::move(type));
    }
    case Step::Kind::Map: return g.map(MapOp(s.row), std::move(operands));
    case Step::Kind::Fun: return g.fun(FunOp(s.row), operands[0]);
    case Step::Kind::Call: {
      const SymbolId function = declare();
      return g.call(function, std::move(operands), std::move(type));
    }
    case Step::Kind::Place: {
      std::vector<DimId> before = {g.dim(int64_t(s.row))};
      for (size_t d : s.before) before.push_back(dim(g, d));
      return g.place(type[0], {type.begin() + 1, type.end()}, g.sum(before));
    }
    case Step::Kind::Epsilon: return g.epsilon(type.size());
  }
  return {};
}

std::vector<NodeId> RandomProgram::build(Graph& g) const {
  std::vector<NodeId> nodes;
  for (size_t k = 0; k < steps.size(); ++k) nodes.push_back(build(g, k, nodes));
  return nodes;
}

std::map<NodeId, Array<Quad>> RandomProgram::inputs(const std::vector<NodeId>& nodes) const {
  std::map<NodeId, Array<Quad>> values;
  for (size_t k = 0; k < steps.size(); ++k) {
    if (steps[k].kind != Step::Kind::Input) continue;
    Array<Quad>& a = values[nodes[k]] = Array<Quad>(shape(steps[k].type));
    for (size_t i = 0; i < a.data.size(); ++i) a.data[i] = steps[k].data[i];
  }
  return values;
}

}  // namespace ricci::fuzz
