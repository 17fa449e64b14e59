// The meaning of each kind of node. Nodes are computed in ascending order, each from the arrays of its operands, which are dropped after
// their last use.
#include "ir/interpret.h"

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <type_traits>
#include <unordered_map>

#include "ir/calls.h"
#include "ir/function_meaning.h"
#include "ir/matrix_meaning.h"
#include "ir/places.h"

namespace ricci {

int64_t size_of(const Graph& g, DimId d, const Dims& dims) {
  const Dim& dim = g[d];
  switch (dim.kind) {
    case Dim::Kind::Fixed: return dim.size;
    case Dim::Kind::Symbol: {
      auto it = dims.find(dim.name);
      if (it == dims.end()) throw std::invalid_argument("no size is given for the dimension " + dim.name);
      return it->second;
    }
    case Dim::Kind::Product: {
      int64_t product = 1;
      for (DimId part : dim.parts) product *= size_of(g, part, dims);
      return product;
    }
    case Dim::Kind::Sum: {
      int64_t sum = 0;
      for (DimId part : dim.parts) sum += size_of(g, part, dims);
      return sum;
    }
  }
  return 0;
}

std::vector<int64_t> shape_of(const Graph& g, const Type& type, const Dims& dims) {
  std::vector<int64_t> shape;
  for (DimId d : type) shape.push_back(size_of(g, d, dims));
  return shape;
}

// The quotient to 117 bits or more in two machine words; what is cut off cannot matter after rounding to 113 bits.
Quad to_quad(const Rational& r) {
  mpz_class numerator = abs(r.get_num()), denominator = r.get_den();
  if (numerator == 0) return 0;
  const long shift = 120 - (long(mpz_sizeinbase(numerator.get_mpz_t(), 2)) - long(mpz_sizeinbase(denominator.get_mpz_t(), 2)));
  (shift > 0 ? numerator : denominator) <<= static_cast<mp_bitcnt_t>(std::labs(shift));
  mpz_class quotient = numerator / denominator, high = quotient >> 60, low = quotient - (high << 60);
  Quad value = Quad(high.get_ui()) * Quad(1ull << 60) + Quad(low.get_ui());
  for (long k = shift; k != 0;) {  // value * 2^-shift in steps that neither overflow nor underflow
    const long part = std::min(std::labs(k), 60L);
    value = k > 0 ? value / Quad(1ull << part) : value * Quad(1ull << part);
    k += k > 0 ? -part : part;
  }
  return sgn(r) < 0 ? -value : value;
}

namespace {

template <class T>
T exact(const Rational& r) { return T(to_quad(r)); }

// How far one step along each label moves in a tensor whose axes carry `labels`.
std::vector<int64_t> strides(std::span<const Label> labels, const std::vector<int64_t>& shape, size_t label_count) {
  std::vector<int64_t> r(label_count, 0);
  int64_t stride = 1;
  for (size_t axis = labels.size(); axis-- > 0;) {
    r[labels[axis]] += stride;
    stride *= shape[axis];
  }
  return r;
}

// How a label follows from others: whole = offset + sum of stride*digit.
struct Placed {
  Label whole;
  int64_t offset, extent;
  std::vector<std::pair<Label, int64_t>> digits;  // with their strides
  bool counted = false;                           // the whole is counted through and no more than compared
};

// x[5] of a vector of length 3 has no meaning.
void require_inside(const Graph& g, NodeId place, const Dims& dims) {
  const Extent room = room_of(g, place);
  if (room.at(dims) < 0) throw OutsideAxis("an entry or a slice is outside at these sizes: " + condition(room) + " is needed");
}

// The places among the operands in an order in which their digits are known before their wholes; a second place of one whole is a condition. Of
// wholes that are places inside themselves one is counted through.
std::vector<Placed> placed_labels(const Graph& g, const Node& n, const Dims& dims) {
  std::vector<Placed> waiting, ordered;
  auto label = n.labels.begin();
  for (NodeId o : n.operands) {
    const Node& p = g[o];
    if (p.kind == Kind::Place) {
      require_inside(g, o, dims);
      Placed placed{*label, size_of(g, DimId{p.row}, dims), size_of(g, p.type[0], dims), {}};
      int64_t stride = 1;
      for (size_t k = p.rank(); k-- > 1; stride *= size_of(g, p.type[k], dims)) placed.digits.emplace_back(label[long(k)], stride);
      waiting.push_back(std::move(placed));
    }
    label += long(p.rank());
  }
  const auto is_waiting = [&](Label l) { return std::ranges::any_of(waiting, [&](const Placed& p) { return p.whole == l && !p.counted; }); };
  while (!waiting.empty()) {
    auto ready = std::ranges::find_if(waiting, [&](const Placed& p) {
      return std::ranges::none_of(p.digits, [&](const auto& digit) { return is_waiting(digit.first); });
    });
    if (ready == waiting.end()) {
      const Label whole = std::ranges::find(waiting, false, &Placed::counted)->whole;  // places of a circle, or that wait for one: counted through
      for (Placed& p : waiting) p.counted = p.counted || p.whole == whole;
      continue;
    }
    ordered.push_back(std::move(*ready));
    waiting.erase(ready);
  }
  return ordered;
}

// out[labels] += product of operands, over all values of all labels. A repeated label steps along a diagonal, one that an operand lacks
// does not move it: traces, diagonals, sums, broadcasts and deltas need no case of their own. A placed label is not counted through: it has the
// value its digits give it, if it can have that.
template <class T>
Array<T> ein(const Graph& g, const Node& n, const std::vector<int64_t>& shape, std::span<const Array<T>* const> operands, const Dims& dims) {
  size_t label_count = 0;
  for (Label l : n.labels) label_count = std::max<size_t>(label_count, l + 1);
  std::vector<int64_t> extent(label_count, 0);
  std::vector<std::vector<int64_t>> moves;
  std::vector<const Array<T>*> tensors;
  std::span<const Label> rest = n.labels;
  auto take = [&](const std::vector<int64_t>& s, bool moves_through) {
    auto labels = rest.first(s.size());
    rest = rest.subspan(s.size());
    for (size_t axis = 0; axis < s.size(); ++axis) extent[labels[axis]] = s[axis];
    if (moves_through) moves.push_back(strides(labels, s, label_count));
  };
  for (size_t k = 0; k < n.operands.size(); ++k) {
    const bool is_tensor = g[n.operands[k]].kind != Kind::Place;
    if (is_tensor) tensors.push_back(operands[k]);
    take(is_tensor ? operands[k]->shape : shape_of(g, g[n.operands[k]].type, dims), is_tensor);
  }
  take(shape, true);

  Array<T> out(shape);
  for (int64_t e : extent)
    if (e == 0) return out;
  const std::vector<Placed> places = placed_labels(g, n, dims);
  std::vector<bool> follows(label_count, false);
  for (const Placed& p : places) follows[p.whole] = follows[p.whole] || !p.counted;
  std::vector<int64_t> at(label_count, 0), offset(moves.size(), 0);
  auto move = [&](Label l, int64_t to) {
    for (size_t k = 0; k < offset.size(); ++k) offset[k] += (to - at[l]) * moves[k][l];
    at[l] = to;
  };
  auto place = [&] {  // false if a place gives a label no value, or another one than the place before
    std::vector<bool> known(label_count, false);
    for (const Placed& p : places) {
      int64_t value = p.offset;
      for (auto [l, stride] : p.digits) value += stride * at[l];
      if (value < 0 || value >= p.extent || ((known[p.whole] || p.counted) && value != at[p.whole])) return false;
      move(p.whole, value);
      known[p.whole] = true;
    }
    return true;
  };
  auto advance = [&] {  // to the next value of the labels, the last one fastest; false after the last
    for (Label l = Label(label_count); l-- > 0;) {
      if (follows[l]) continue;
      const bool wraps = at[l] + 1 == extent[l];
      move(l, wraps ? 0 : at[l] + 1);
      if (!wraps) return true;
    }
    return false;
  };
  do {
    if (!place()) continue;
    T product = T(1);
    for (size_t k = 0; k < tensors.size(); ++k) product = product * tensors[k]->data[size_t(offset[k])];
    out.data[size_t(offset.back())] += product;
  } while (advance());
  return out;
}

// The tensor of a place standing alone.
template <class T>
Array<T> place_alone(const Graph& g, const Node& n, const std::vector<int64_t>& shape, const Dims& dims) {
  Array<T> out(shape);
  const int64_t digits = Array<T>::count({shape.begin() + 1, shape.end()}), offset = size_of(g, DimId{n.row}, dims);
  for (int64_t k = 0; k < digits; ++k)
    if (offset + k < shape[0]) out.data[size_t((offset + k) * digits + k)] = T(1);
  return out;
}

// The sign of the permutation that the indices are, else 0.
template <class T>
Array<T> epsilon(const std::vector<int64_t>& shape) {
  Array<T> out(shape);
  std::vector<int64_t> permutation(shape.size());
  std::iota(permutation.begin(), permutation.end(), int64_t(0));
  do {
    int64_t at = 0, inversions = 0;
    for (size_t k = 0; k < shape.size(); ++k) {
      at = at * shape[k] + permutation[k];
      inversions += std::count_if(permutation.begin(), permutation.begin() + long(k), [&](int64_t p) { return p > permutation[k]; });
    }
    out.data[size_t(at)] = T(inversions % 2 ? -1 : 1);
  } while (std::ranges::next_permutation(permutation).found);
  return out;
}

template <class T>
T elementwise(MapOp op, const T& x, const T& y, const T& z) {
  using namespace scalar;
  static_cast<void>(y), static_cast<void>(z);
  switch (op) {
#define RICCI_MAP(id, name, arity, meaning, ...) \
  case MapOp::id: return meaning;
#include "ir/elementwise.def"
#undef RICCI_MAP
  }
  return x;
}

template <class T>
Array<T> map(MapOp op, const std::vector<int64_t>& shape, std::span<const Array<T>* const> operands) {
  Array<T> out(shape);
  const T none{};
  auto entry = [&](size_t k, size_t i) -> const T& {
    return k >= operands.size() ? none : operands[k]->shape.empty() ? operands[k]->data[0] : operands[k]->data[i];
  };
  for (size_t i = 0; i < out.data.size(); ++i) out.data[i] = elementwise(op, entry(0, i), entry(1, i), entry(2, i));
  return out;
}

// What elimination is the exact result of: a matrix whose entries differ from the given ones by some eps times the largest. Cofactors know
// nothing of it: those of a triangular matrix are exactly zero on one side of the diagonal, elimination with complete pivoting is not.
template <class T>
scalar::Square<T> eliminated(scalar::Square<T> a) {
  if constexpr (std::is_same_v<T, Conditioned>) {
    Quad largest = 0;
    for (const T& e : a.entries) largest = std::max(largest, scalar::fabs(e.value));
    for (T& e : a.entries) e.error += largest;
  }
  return a;
}

// One core: a vector, or a matrix of `rows` rows.
template <class T>
std::vector<T> on_core(FunOp op, std::span<const T> x, size_t rows, size_t columns) {
  using namespace scalar;
  const auto matrix = [&] { return Square<T>{rows, {x.begin(), x.end()}}; };
  const auto oblong = [&] { return Matrix<T>{rows, columns, {x.begin(), x.end()}}; };
  switch (op) {
    case FunOp::inv: return inv(matrix()).entries;
    case FunOp::det: return {det(matrix())};
    case FunOp::logdet: return {logdet(matrix())};
    case FunOp::adj: return adj(eliminated(matrix())).entries;
    case FunOp::pinv: return pinv(oblong()).entries;
    case FunOp::expm: return expm(oblong()).entries;
    case FunOp::logm: return logm(oblong()).entries;
    case FunOp::sqrtm: return sqrtm(oblong()).entries;
    case FunOp::sinm: return sinm(oblong()).entries;
    case FunOp::cosm: return cosm(oblong()).entries;
    case FunOp::eigmax: return {eigmax(oblong())};
    case FunOp::eigvecmax: return eigvecmax(oblong());
    case FunOp::triu: return triu(oblong()).entries;
    case FunOp::tril: return tril(oblong()).entries;
    case FunOp::lse: return {lse(x)};
    case FunOp::prod: return {prod(x)};
    case FunOp::coprod: return coprod(x);
    case FunOp::max_of: return {max_of(x)};
    case FunOp::min_of: return {min_of(x)};
    case FunOp::argmax: return argmax(x);
  }
  return {};
}

// Elimination is stable in norm and not entry by entry: a zero may come out as a rounding of the largest entry (Higham, Accuracy and Stability, 9.3).
template <class T>
std::vector<T> rounded_in_norm(FunOp op, std::vector<T> result) {
  if constexpr (std::is_same_v<T, Conditioned>) {
    Quad largest = 0;
    if (row(op).cubes > 0)
      for (const T& entry : result) largest = std::max(largest, Quad(fabs(entry.value)));
    for (T& entry : result) entry.error += largest;
  }
  return result;
}

// The function on each core along the axes before it.
template <class T>
Array<T> fun(FunOp op, const std::vector<int64_t>& shape, const Array<T>& x) {
  Array<T> out(shape);
  const size_t batch_axes = x.shape.size() - row(op).core.in;
  size_t batch = 1, core = 1;
  for (size_t axis = 0; axis < x.shape.size(); ++axis) (axis < batch_axes ? batch : core) *= static_cast<size_t>(x.shape[axis]);
  const size_t rows = static_cast<size_t>(x.shape[batch_axes]), columns = static_cast<size_t>(x.shape.back());
  auto to = out.data.begin();
  for (size_t b = 0; b < batch; ++b)
    for (const T& value : rounded_in_norm(op, on_core(op, std::span(x.data).subspan(b * core, core), rows, columns))) *to++ = value;
  return out;
}

// A function of the user's: what stands in for it, at each entry of the axes that it is mapped over.
template <class T>
Array<T> call(const Graph& g, NodeId id, const std::vector<int64_t>& shape, std::span<const Array<T>* const> operands) {
  Array<T> out(shape);
  const auto batch_axes = std::ptrdiff_t(batch_rank(g, id));
  const size_t batch = size_t(Array<T>::count({shape.begin(), shape.begin() + batch_axes}));
  const size_t values = batch == 0 ? 0 : out.data.size() / batch;
  for (size_t b = 0; b < batch; ++b) {
    std::vector<std::span<const T>> arguments;
    for (const Array<T>* o : operands) {
      const size_t length = o->data.size() / batch;
      arguments.push_back(std::span(o->data).subspan(b * length, length));
    }
    stand_in<T>(g.symbol(id), arguments, std::span(out.data).subspan(b * values, values));
  }
  return out;
}

template <class T>
Array<T> node_value(const Graph& g, NodeId id, const Dims& dims, std::span<const Array<T>* const> operands) {
  const Node& n = g[id];
  const std::vector<int64_t> shape = shape_of(g, n.type, dims);
  switch (n.kind) {
    case Kind::Const: return Array<T>(shape, exact<T>(n.value()));
    case Kind::Size: return Array<T>(shape, T(double(size_of(g, DimId{n.row}, dims))));
    case Kind::Var: throw std::invalid_argument("no value is given for " + g.symbol(id).name);
    case Kind::Call: return call(g, id, shape, operands);
    case Kind::Sum: {
      Array<T> out(shape);
      for (size_t k = 0; k < operands.size(); ++k)
        for (size_t i = 0; i < out.data.size(); ++i) {
          const T& term = operands[k]->data[i];
          out.data[i] += n.coefficients[k] == 1 ? term : exact<T>(n.coefficients[k]) * term;
        }
      return out;
    }
    case Kind::Ein: return ein(g, n, shape, operands, dims);
    case Kind::Place: require_inside(g, id, dims); return place_alone<T>(g, n, shape, dims);
    case Kind::Epsilon: return epsilon<T>(shape);
    case Kind::Map: return map(n.map_op(), shape, operands);
    case Kind::Fun: return fun(n.fun_op(), shape, *operands[0]);
  }
  return {};
}

// A place in a product is an address and no array.
bool is_address(const Graph& g, NodeId user, NodeId operand) { return g[user].kind == Kind::Ein && g[operand].kind == Kind::Place; }

// What must be computed for `roots` when `inputs` are given, ascending: a given node's operands are not needed for its sake.
template <class T>
std::vector<NodeId> needed(const Graph& g, std::span<const NodeId> roots, const std::map<NodeId, Array<T>>& inputs) {
  uint32_t highest = 0;
  for (NodeId r : roots) highest = std::max(highest, r.value);
  std::vector<bool> wanted(highest + 1, false);
  for (NodeId r : roots) wanted[r.value] = true;
  std::vector<NodeId> ids;
  for (uint32_t id = highest + 1; id-- > 0;) {
    if (!wanted[id]) continue;
    ids.push_back(NodeId{id});
    if (!inputs.contains(NodeId{id}))
      for (NodeId operand : g[NodeId{id}].operands)
        if (!is_address(g, NodeId{id}, operand)) wanted[operand.value] = true;
  }
  return {ids.rbegin(), ids.rend()};
}

}  // namespace

template <class T>
std::vector<Array<T>> interpret(const Graph& g, std::span<const NodeId> roots, const Dims& dims, const std::map<NodeId, Array<T>>& inputs) {
  const std::vector<NodeId> ids = needed(g, roots, inputs);
  std::unordered_map<NodeId, size_t> uses;
  for (NodeId r : roots) ++uses[r];
  for (NodeId id : ids)
    if (!inputs.contains(id))
      for (NodeId operand : g[id].operands) ++uses[operand];

  std::unordered_map<NodeId, Array<T>> values;
  auto value = [&](NodeId id) -> const Array<T>& {
    auto given = inputs.find(id);
    return given == inputs.end() ? values.at(id) : given->second;
  };
  for (NodeId id : ids) {
    if (auto given = inputs.find(id); given != inputs.end()) {
      if (given->second.shape != shape_of(g, g[id].type, dims)) throw std::invalid_argument("an input does not have its variable's shape");
      continue;
    }
    std::vector<const Array<T>*> operands;
    for (NodeId operand : g[id].operands) {
      operands.push_back(is_address(g, id, operand) ? nullptr : &value(operand));
    }
    values[id] = node_value<T>(g, id, dims, operands);
    for (NodeId operand : g[id].operands)
      if (--uses[operand] == 0) values.erase(operand);
  }
  std::vector<Array<T>> results;
  for (NodeId r : roots) results.push_back(value(r));
  return results;
}

template std::vector<Array<float>> interpret(const Graph&, std::span<const NodeId>, const Dims&, const std::map<NodeId, Array<float>>&);
template std::vector<Array<double>> interpret(const Graph&, std::span<const NodeId>, const Dims&, const std::map<NodeId, Array<double>>&);
template std::vector<Array<Quad>> interpret(const Graph&, std::span<const NodeId>, const Dims&, const std::map<NodeId, Array<Quad>>&);
template std::vector<Array<Dual1>> interpret(const Graph&, std::span<const NodeId>, const Dims&, const std::map<NodeId, Array<Dual1>>&);
template std::vector<Array<Dual2>> interpret(const Graph&, std::span<const NodeId>, const Dims&, const std::map<NodeId, Array<Dual2>>&);
template std::vector<Array<Dual3>> interpret(const Graph&, std::span<const NodeId>, const Dims&, const std::map<NodeId, Array<Dual3>>&);
template std::vector<Array<Conditioned>> interpret(const Graph&, std::span<const NodeId>, const Dims&,
                                                   const std::map<NodeId, Array<Conditioned>>&);

std::vector<ConditionedArray> interpret_with_condition(const Graph& g, std::span<const NodeId> roots, const Dims& dims,
                                                       const std::map<NodeId, Array<Quad>>& inputs) {
  std::map<NodeId, Array<Conditioned>> conditioned;
  for (const auto& [id, array] : inputs) conditioned[id] = convert<Conditioned>(array);
  std::vector<ConditionedArray> results;
  for (const Array<Conditioned>& r : interpret<Conditioned>(g, roots, dims, conditioned)) {
    ConditionedArray split{Array<Quad>(r.shape), Array<Quad>(r.shape)};
    for (size_t i = 0; i < r.data.size(); ++i) split.value.data[i] = r.data[i].value, split.error.data[i] = r.data[i].error;
    results.push_back(std::move(split));
  }
  return results;
}

}  // namespace ricci
