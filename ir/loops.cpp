// Loop programs: building them, and questions about their index expressions. Operands of an index are older than it, so every walk over an
// index is a loop over ascending ids.
#include "ir/loops.h"

#include "ir/dimension.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <stdexcept>
#include <unordered_map>

namespace ricci::loops {

static constexpr PrimitiveRow kPrimitives[] = {
#define RICCI_PRIMITIVE(id, name, arity, meaning, cpp, libm, vector) {Primitive::id, name, arity, cpp, libm, vector},
#include "ir/primitives.def"
#undef RICCI_PRIMITIVE
};

std::span<const PrimitiveRow> primitive_table() { return kPrimitives; }
const PrimitiveRow& row(Primitive p) { return kPrimitives[size_t(p)]; }
std::optional<Primitive> find_primitive(std::string_view name) {
  for (const PrimitiveRow& r : kPrimitives)
    if (r.name == name) return r.op;
  return std::nullopt;
}

// --- integers -----------------------------------------------------------------------------------------------------------------------

Program::Program() { index(0); }

IndexId Program::intern(Index i) {
  const auto [at, fresh] = ids_.try_emplace(i, uint32_t(indices_.size()));
  if (fresh) indices_.push_back(i);
  return {at->second};
}

static bool overflows(Index::Kind kind, int64_t a, int64_t b, int64_t& result) {
  switch (kind) {
    case Index::Kind::Add: return __builtin_add_overflow(a, b, &result);
    case Index::Kind::Mul: return __builtin_mul_overflow(a, b, &result);
    case Index::Kind::Min: return result = std::min(a, b), false;
    case Index::Kind::Max: return result = std::max(a, b), false;
    case Index::Kind::CeilDiv: return result = a / b + (a % b > 0), false;
    case Index::Kind::Constant:
    case Index::Kind::Dim:
    case Index::Kind::Loop: break;
  }
  return true;
}

static int64_t folded(Index::Kind kind, int64_t a, int64_t b) {
  int64_t result = 0;
  if (overflows(kind, a, b, result)) throw std::overflow_error("a size exceeds 64 bits");
  return result;
}

static bool is_constant(const Program& p, IndexId i) { return p[i].kind == Index::Kind::Constant; }
static bool is_constant(const Program& p, IndexId i, int64_t value) { return is_constant(p, i) && p[i].value == value; }

IndexId Program::index(int64_t value) { return intern({Index::Kind::Constant, value}); }
IndexId Program::dim(uint32_t position) { return intern({Index::Kind::Dim, position}); }
IndexId Program::loop(LoopId l) { return intern({Index::Kind::Loop, l.value}); }

IndexId Program::add(IndexId a, IndexId b) {
  if (is_constant(*this, a) && is_constant(*this, b)) return index(folded(Index::Kind::Add, (*this)[a].value, (*this)[b].value));
  if (is_constant(*this, a, 0)) return b;
  if (is_constant(*this, b, 0)) return a;
  return intern({Index::Kind::Add, 0, a, b});
}

IndexId Program::sub(IndexId a, IndexId b) { return a == b ? index(0) : add(a, mul(index(-1), b)); }

IndexId Program::mul(IndexId a, IndexId b) {
  if (is_constant(*this, a) && is_constant(*this, b)) return index(folded(Index::Kind::Mul, (*this)[a].value, (*this)[b].value));
  if (is_constant(*this, a, 0) || is_constant(*this, b, 0)) return index(0);
  if (is_constant(*this, a, 1)) return b;
  if (is_constant(*this, b, 1)) return a;
  if (is_constant(*this, b)) std::swap(a, b);  // the number first: 2*n
  return intern({Index::Kind::Mul, 0, a, b});
}

IndexId Program::min(IndexId a, IndexId b) {
  if (a == b) return a;
  if (is_constant(*this, a) && is_constant(*this, b)) return index(folded(Index::Kind::Min, (*this)[a].value, (*this)[b].value));
  return intern({Index::Kind::Min, 0, a, b});
}

IndexId Program::max(IndexId a, IndexId b) {
  if (a == b) return a;
  if (is_constant(*this, a) && is_constant(*this, b)) return index(folded(Index::Kind::Max, (*this)[a].value, (*this)[b].value));
  return intern({Index::Kind::Max, 0, a, b});
}

IndexId Program::ceil_div(IndexId a, int64_t by) {
  if (by <= 0) throw std::invalid_argument("ceil_div needs a positive divisor");
  if (by == 1) return a;
  if (is_constant(*this, a)) return index(folded(Index::Kind::CeilDiv, (*this)[a].value, by));
  const IndexId divisor = index(by);
  return intern({Index::Kind::CeilDiv, 0, a, divisor});
}

IndexId Program::product(std::span<const IndexId> factors) {
  IndexId result = index(1);
  for (IndexId f : factors) result = mul(result, f);
  return result;
}

// --- arrays and statements ----------------------------------------------------------------------------------------------------------

ArrayId Program::array(Array a) {
  arrays.push_back(std::move(a));
  return {uint32_t(arrays.size() - 1)};
}

ArrayId Program::dense(Array::Role role, std::string array_name, std::vector<IndexId> shape, IndexId offset, bool column_major) {
  std::vector<IndexId> strides(shape.size());
  IndexId stride = index(1);
  for (size_t k = 0; k < shape.size(); ++k) {
    const size_t axis = column_major ? k : shape.size() - 1 - k;
    strides[axis] = stride;
    stride = mul(stride, shape[axis]);
  }
  return array({role, std::move(array_name), std::move(shape), std::move(strides), offset});
}

LoopId Program::begin_for(IndexId extent, uint32_t width, uint32_t interleave, bool parallel) {
  body.push_back(For{{loop_count}, extent, width, interleave, parallel});
  return {loop_count++};
}

ValueId Program::constant(double value) {
  body.push_back(Constant{{value_count}, value});
  return {value_count++};
}
ValueId Program::number(IndexId i) {
  body.push_back(Number{{value_count}, i});
  return {value_count++};
}
ValueId Program::compare(Compare::Relation r, IndexId a, IndexId b) {
  body.push_back(Compare{{value_count}, r, a, b});
  return {value_count++};
}
ValueId Program::compute(Primitive op, std::span<const ValueId> operands) {
  if (operands.size() != row(op).arity) throw std::invalid_argument("wrong number of operands of " + std::string(row(op).name));
  Compute c{{value_count}, op, {}};
  std::ranges::copy(operands, c.operands.begin());
  body.push_back(c);
  return {value_count++};
}
ValueId Program::load(ArrayId a, std::vector<IndexId> subscripts) {
  body.push_back(Load{{value_count}, {a, std::move(subscripts)}});
  return {value_count++};
}
AccumulatorId Program::accumulator(ValueId initial) {
  body.push_back(Accumulator{{accumulator_count}, initial});
  return {accumulator_count++};
}
ValueId Program::read(AccumulatorId a) {
  body.push_back(Read{{value_count}, a});
  return {value_count++};
}

// --- questions ----------------------------------------------------------------------------------------------------------------------

std::vector<IndexId> reachable(const Program& p, IndexId root) {
  std::set<IndexId> seen = {root};
  std::vector<IndexId> open = {root};
  while (!open.empty()) {
    const Index i = p[open.back()];
    open.pop_back();
    if (i.kind < Index::Kind::Add) continue;
    for (IndexId operand : {i.left, i.right})
      if (seen.insert(operand).second) open.push_back(operand);
  }
  return {seen.begin(), seen.end()};
}

std::optional<int64_t> evaluate(const Program& p, IndexId root, std::span<const int64_t> dims, std::span<const int64_t> loops) {
  if (is_constant(p, root)) return p[root].value;
  std::unordered_map<uint32_t, int64_t> values;
  for (IndexId id : reachable(p, root)) {
    const Index& i = p[id];
    int64_t& value = values[id.value];
    switch (i.kind) {
      case Index::Kind::Constant: value = i.value; break;
      case Index::Kind::Dim: value = dims[size_t(i.value)]; break;
      case Index::Kind::Loop: value = loops[size_t(i.value)]; break;
      case Index::Kind::Add:
      case Index::Kind::Mul:
      case Index::Kind::Min:
      case Index::Kind::Max:
      case Index::Kind::CeilDiv:
        if (overflows(i.kind, values.at(i.left.value), values.at(i.right.value), value)) return std::nullopt;
    }
  }
  return values.at(root.value);
}

std::optional<std::vector<Term>> polynomial(const Program& p, IndexId root) {
  using Terms = std::map<std::vector<uint32_t>, int64_t>;
  std::unordered_map<uint32_t, Terms> values;
  for (IndexId id : reachable(p, root)) {
    const Index& i = p[id];
    Terms& terms = values[id.value];
    bool fits = true;
    const auto add = [&](const std::vector<uint32_t>& dims, int64_t c) { fits = !__builtin_add_overflow(terms[dims], c, &terms[dims]) && fits; };
    switch (i.kind) {
      case Index::Kind::Constant: add({}, i.value); break;
      case Index::Kind::Dim: add({uint32_t(i.value)}, 1); break;
      case Index::Kind::Add:
        for (IndexId part : {i.left, i.right})
          for (const auto& [dims, c] : values.at(part.value)) add(dims, c);
        break;
      case Index::Kind::Mul:
        for (const auto& [left, c] : values.at(i.left.value))
          for (const auto& [right, d] : values.at(i.right.value)) {
            std::vector<uint32_t> dims;
            std::ranges::merge(left, right, std::back_inserter(dims));
            int64_t product = 0;
            fits = !__builtin_mul_overflow(c, d, &product) && fits;
            add(dims, product);
          }
        break;
      case Index::Kind::Loop:
      case Index::Kind::Min:
      case Index::Kind::Max:
      case Index::Kind::CeilDiv: return std::nullopt;
    }
    if (!fits) return std::nullopt;
  }
  std::vector<Term> result;
  for (const auto& [dims, c] : values.at(root.value))
    if (c != 0) result.push_back({c, dims});
  return result;
}

std::string condition_text(const Program& p, IndexId at_least_zero) {
  Extent e;
  const std::optional<std::vector<Term>> terms = polynomial(p, at_least_zero);
  if (!terms) return to_text(p, at_least_zero) + " >= 0";
  for (const Term& t : *terms) {
    std::vector<std::string> names;
    for (uint32_t d : t.dims) names.push_back(p.dims[d]);
    std::ranges::sort(names);
    e.terms[names] += t.coefficient;
  }
  return condition(e);
}

std::optional<int64_t> work_bytes(const Program& p, std::span<const int64_t> dims) {
  const std::optional<int64_t> elements = evaluate(p, p.work_elements, dims);
  int64_t bytes = 0;
  if (!elements || __builtin_mul_overflow(*elements, int64_t(size_of(p.scalar)), &bytes)) return std::nullopt;
  return bytes;
}

bool depends_on(const Program& p, IndexId i, LoopId loop) {
  return std::ranges::any_of(reachable(p, i), [&](IndexId id) { return p[id] == Index{Index::Kind::Loop, loop.value}; });
}

std::optional<Linear> linear_in(Program& p, IndexId root, LoopId loop) {
  const IndexId zero = p.index(0), one = p.index(1);
  if (!depends_on(p, root, loop)) return Linear{root, zero};
  std::unordered_map<uint32_t, Linear> parts;
  for (IndexId id : reachable(p, root)) {
    const Index i = p[id];
    if (i.kind < Index::Kind::Add) {
      parts[id.value] = i == Index{Index::Kind::Loop, loop.value} ? Linear{zero, one} : Linear{id, zero};
      continue;
    }
    const Linear a = parts.at(i.left.value), b = parts.at(i.right.value);
    if (a.stride == zero && b.stride == zero)
      parts[id.value] = {id, zero};
    else if (i.kind == Index::Kind::Add)
      parts[id.value] = {p.add(a.base, b.base), p.add(a.stride, b.stride)};
    else if (i.kind == Index::Kind::Mul && a.stride == zero)
      parts[id.value] = {p.mul(a.base, b.base), p.mul(a.base, b.stride)};
    else if (i.kind == Index::Kind::Mul && b.stride == zero)
      parts[id.value] = {p.mul(a.base, b.base), p.mul(a.stride, b.base)};
    else
      return std::nullopt;
  }
  return parts.at(root.value);
}

IndexId position(Program& p, const Access& a) {
  IndexId result = p.index(0);
  const std::vector<IndexId> strides = p[a.array].strides;
  for (size_t k = 0; k < strides.size(); ++k) result = p.add(result, p.mul(a.subscripts[k], strides[k]));
  return result;
}

std::vector<IndexId> sizes_of(const Function& f) {
  std::vector<IndexId> result;
  for (const std::vector<IndexId>& a : f.arguments) result.insert(result.end(), a.begin(), a.end());
  result.insert(result.end(), f.value.begin(), f.value.end());
  return result;
}

std::vector<ArrayId> arrays_of(const Program& p, Array::Role role) {
  std::vector<ArrayId> result;
  for (uint32_t k = 0; k < p.arrays.size(); ++k)
    if (p.arrays[k].role == role) result.push_back({k});
  return result;
}

}  // namespace ricci::loops
