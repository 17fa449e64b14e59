#include "passes/lower_to_loops_kernels.h"

#include <algorithm>
#include <stdexcept>

#include "ir/calls.h"
#include "passes/lower_to_loops_scalar.h"

namespace ricci {
namespace {

using loops::Access;
using loops::Argument;
using loops::ArrayId;
using loops::IndexId;

// A stored node as a kernel sees it: where each axis of its array is, and per label the distance between neighbours. A repeated label walks a
// diagonal.
struct Strided {
  ArrayId array;
  std::vector<Address> at;  // per axis of the array, in labels
  std::map<Label, IndexId> stride;
};

Strided strided(const KernelContext& c, const Stored& stored, std::span<const Address> axes) {
  loops::Program& p = c.nest.program;
  Strided s{.array = stored.array, .at = {}, .stride = {}};
  for (size_t k = 0; k < stored.at.size(); ++k) {
    s.at.push_back(substitute(stored.at[k], axes));
    for (const Address::Term& t : s.at.back().terms) {
      if (!t.digit) continue;
      const IndexId step = p.mul(c.nest.extent(t.strides), p[stored.array].strides[k]);
      auto [it, fresh] = s.stride.try_emplace(*t.digit, step);
      if (!fresh) it->second = p.add(it->second, step);
    }
  }
  return s;
}

std::vector<Address> addresses(const Labels& labels) {
  std::vector<Address> r;
  for (Label l : labels) r.push_back(Address::of(l));
  return r;
}

// An operand, or the base of a view of one, with `labels` on the axes of the operand.
Strided operand(const KernelContext& c, NodeId n, const Labels& labels) {
  if (c.nest.plan.role(n) != Role::View) return strided(c, c.nest.arrays.at(n), addresses(labels));
  const View v = view_of(c.nest.graph, n);
  Label last = 0;
  for (Label l : v.counted) last = std::max(last, l);
  std::vector<Address> digits(last + 1), base;
  for (size_t k = 0; k < v.to.size(); ++k) digits[*v.to[k].label()] = Address::of(labels[k]);
  for (const Address& a : v.from) base.push_back(substitute(a, digits));
  return strided(c, c.nest.arrays.at(*v.base), base);
}

// The element at the current counters of the loops that are open, 0 along other labels.
Access element(const KernelContext& c, const Strided& s, const std::map<Label, IndexId>& counters) {
  Label last = 0;
  for (const auto& [l, stride] : s.stride) last = std::max(last, l);
  std::vector<IndexId> at(last + 1, c.nest.program.index(0));
  for (const auto& [l, counter] : counters)
    if (l <= last) at[l] = counter;
  Access a{s.array, {}};
  for (const Address& axis : s.at) a.subscripts.push_back(c.nest.position(axis, at));
  return a;
}

IndexId stride(loops::Program& p, const Strided& s, const Labels& group) { return group.empty() ? p.index(1) : s.stride.at(group.back()); }

// Loops over labels, open as long as the object lives.
class Loops {
 public:
  Loops(const KernelContext& c, const std::map<Label, DimId>& dims, const Labels& labels) : p_(c.nest.program), depth_(labels.size()) {
    for (Label l : labels) counters[l] = p_.loop(p_.begin_for(c.nest.extent(dims.at(l))));
  }
  ~Loops() {
    for (size_t k = 0; k < depth_; ++k) p_.end();
  }
  Loops(const Loops&) = delete;
  Loops& operator=(const Loops&) = delete;
  std::map<Label, IndexId> counters;

 private:
  loops::Program& p_;
  size_t depth_;
};

void call(const KernelContext& c, std::string_view kernel, std::vector<Argument> arguments) {
  const rt::KernelRow* row = rt::find_kernel(kernel);
  if (!row) throw std::logic_error("no kernel " + std::string(kernel));
  loops::Program& p = c.nest.program;
  if (row->parameters.ends_with("T* work")) arguments.emplace_back(Access{c.scratch, {p.index(0)}});
  p.call(kernel, std::move(arguments));
}

std::string_view kernel_of(FunOp op) { return row(op).name; }

// The sizes a kernel takes for a core: one per letter of the signature, in order.
std::vector<IndexId> core_sizes(const NestContext& c, const FunctionRow& f, const Type& operand) {
  std::vector<IndexId> sizes;
  for (size_t k = operand.size() - (f.core.square ? 1 : f.core.in); k < operand.size(); ++k) sizes.push_back(c.extent(operand[k]));
  return sizes;
}

// How many labels at the end of `sort` make one axis in all operands: each as far from its neighbour as the next one is long.
size_t contiguous_labels(const KernelContext& c, const std::map<Label, DimId>& dims, const Labels& sort,
                         std::span<const Strided* const> in) {
  loops::Program& p = c.nest.program;
  size_t n = std::min<size_t>(sort.size(), 1);
  for (; n < sort.size() && n > 0; ++n) {
    const Label outer = sort[sort.size() - n - 1], inner = sort[sort.size() - n];
    const IndexId extent = c.nest.extent(dims.at(inner));
    const bool merges = std::ranges::all_of(in, [&](const Strided* s) {
      const IndexId step = s->stride.at(inner);
      return s->stride.at(outer) == p.mul(step, extent) || s->stride.at(outer) == p.mul(extent, step);
    });
    if (!merges) break;
  }
  return n;
}

// The labels of a sort in the order of memory of `s`, the most distant first: as its axes stand.
Labels in_order_of(const Strided& s, const Labels& sort) {
  Labels r;
  for (const Address& axis : s.at) {
    for (const Address::Term& t : axis.terms) {
      if (t.digit && std::ranges::find(sort, *t.digit) != sort.end() && std::ranges::find(r, *t.digit) == r.end()) r.push_back(*t.digit);
    }
  }
  return r;
}

struct Extents {
  Labels group, rest;
};
Extents split(const Labels& sort, size_t n) {
  const auto middle = sort.end() - std::ptrdiff_t(n);
  return {Labels(middle, sort.end()), Labels(sort.begin(), middle)};
}

IndexId extent_of(const KernelContext& c, const std::map<Label, DimId>& dims, const Labels& group) {
  IndexId r = c.nest.program.index(1);
  for (Label l : group) r = c.nest.program.mul(r, c.nest.extent(dims.at(l)));
  return r;
}

std::map<Label, DimId> dims_of(const Graph& g, NodeId ein) {
  std::map<Label, DimId> r;
  for (const Factor& f : g.factors(ein)) {
    for (size_t k = 0; k < f.labels.size(); ++k) r.emplace(f.labels[k], g[f.tensor].type[k]);
  }
  return r;
}

}  // namespace

namespace {

// The axes that a function of the host's sees; the others are looped over.
Type core_of(const Graph& g, NodeId call, NodeId operand_or_call) {
  const Type& type = g[operand_or_call].type;
  return Type(type.begin() + std::ptrdiff_t(batch_rank(g, call)), type.end());
}

// Whether it may be that a node's entries are not dense and row-major: a view, a part of another array, an argument in another layout.
// (Arrays of the workspace have no place yet.)
bool may_be_packed(const NestContext& c, NodeId n) {
  if (c.plan.role(n) == Role::View || c.plan.alias[n.value] != n) return true;
  const auto stored = c.arrays.find(n);
  if (stored == c.arrays.end()) return false;
  IndexId dense = c.program.index(1);
  const loops::Array& a = c.program[stored->second.array];
  for (size_t k = a.shape.size(); k-- > 0; dense = c.program.mul(dense, a.shape[k]))
    if (a.strides[k] != dense) return true;
  return false;
}

IndexId packed_elements(const NestContext& c, NodeId call) {
  std::vector<NodeId> arrays = c.graph[call].operands;
  arrays.push_back(call);
  if (std::ranges::none_of(arrays, [&](NodeId n) { return may_be_packed(c, n); })) return c.program.index(0);
  IndexId sum = c.program.index(0);
  for (NodeId n : arrays)
    if (may_be_packed(c, n)) sum = c.program.add(sum, c.extent(core_of(c.graph, call, n)));
  return c.program.max(sum, c.program.index(1));  // there is an array, if all are empty too
}

}  // namespace

IndexId scratch_elements(const NestContext& c) {
  loops::Program& p = c.program;
  IndexId most = p.index(0);
  auto need = [&](std::string_view kernel, IndexId n) {
    const rt::KernelRow* row = rt::find_kernel(kernel);
    if (!row || !row->parameters.ends_with("T* work")) return;
    if (row->work0 == 0) most = p.max(most, p.index(1));  // there is an array, if n is 0 too
    const IndexId linear = p.add(p.mul(p.index(row->work1), n), p.index(row->work0));
    most = p.max(most, p.add(p.mul(p.index(row->work2), p.mul(n, n)), linear));
  };
  for (const Step& s : c.plan.steps) {
    switch (s.kind) {
      case Step::Kind::Contract: need("gemm", p.index(0)); break;
      case Step::Kind::Factor: need("lu", p.index(0)); break;
      case Step::Kind::Solve: need("lu_solve", p.index(0)); break;
      case Step::Kind::Inverse:
        if (c.graph[s.node].rank() == 2) need("lu_inv", p.index(0));
        break;
      case Step::Kind::Function:
        for (IndexId n : core_sizes(c, row(c.graph[s.node].fun_op()), c.graph[c.graph[s.node].operands[0]].type))
          need(kernel_of(c.graph[s.node].fun_op()), n);
        break;
      case Step::Kind::Assemble:
        for (NodeId o : c.graph[s.node].operands) {
          if (c.plan.role(o) == Role::Absorbed) need("gemm", p.index(0));
        }
        break;
      case Step::Kind::Call: most = p.max(most, packed_elements(c, s.node)); break;
      case Step::Kind::Nest:
      case Step::Kind::Clear:
      case Step::Kind::Write: break;
    }
  }
  return most;
}

void lower_contraction(const KernelContext& c, NodeId n, const Stored& to, const Rational& coefficient, bool add) {
  loops::Program& p = c.nest.program;
  const Graph& g = c.nest.graph;
  const std::map<Label, DimId> dims = dims_of(g, n);
  const std::vector<Factor> factors = g.factors(n);
  const MatrixProduct m = *product_shape(g, n);
  const Strided a = operand(c, factors[0].tensor, factors[0].labels), b = operand(c, factors[1].tensor, factors[1].labels);
  const Strided out = strided(c, to, addresses(g.out(n)));

  auto sort = [&](const Strided& first, const Labels& labels, const Strided& second) {
    const Labels ordered = in_order_of(first, labels);
    const Strided* both[] = {&first, &second};
    return split(ordered, contiguous_labels(c, dims, ordered, both));
  };
  const Extents rows = sort(a, m.rows, out), columns = sort(b, m.columns, out), inner = sort(a, m.inner, b);
  if (!inner.rest.empty() && !add) {
    lower_zero(c.nest, to, g[n].type);
    add = true;
  }
  Labels around = m.batch;
  for (const Labels* rest : {&rows.rest, &columns.rest, &inner.rest}) around.insert(around.end(), rest->begin(), rest->end());
  const loops::ValueId alpha = p.constant(to_double(coefficient)), beta = p.constant(add ? 1 : 0);
  const Loops loops(c, dims, around);
  call(c, "gemm",
       {extent_of(c, dims, rows.group), extent_of(c, dims, columns.group), extent_of(c, dims, inner.group), alpha,
        element(c, a, loops.counters), stride(p, a, rows.group), stride(p, a, inner.group), element(c, b, loops.counters),
        stride(p, b, inner.group), stride(p, b, columns.group), beta, element(c, out, loops.counters), stride(p, out, rows.group),
        stride(p, out, columns.group)});
}

void lower_solve(const KernelContext& c, NodeId n, const Stored& to) {
  loops::Program& p = c.nest.program;
  const Graph& g = c.nest.graph;
  const size_t k = *solved_factor(g, n);
  const std::vector<Factor> factors = g.factors(n);
  const Factor &inverse = factors[k], &right = factors[1 - k];
  const NodeId matrix = g[inverse.tensor].operands[0];
  const std::map<Label, DimId> dims = dims_of(g, n);
  const Strided b = operand(c, right.tensor, right.labels), x = strided(c, to, addresses(g.out(n)));
  // inv(A)_ij b_j is inv(A)*b; inv(A)_ij b_i is inv(A)'*b.
  const bool transposed = std::ranges::find(right.labels, inverse.labels[0]) != right.labels.end();
  const Label solved = inverse.labels[transposed ? 1 : 0], given = inverse.labels[transposed ? 0 : 1];
  Labels columns = right.labels;
  std::erase(columns, given);
  const Strided* both[] = {&b, &x};
  const Extents e = split(columns, contiguous_labels(c, dims, columns, both));
  const Loops loops(c, dims, e.rest);
  const bool cholesky = c.nest.plan.cholesky[matrix.value];
  std::vector<Argument> arguments{c.nest.extent(dims.at(solved)), extent_of(c, dims, e.group)};
  if (!cholesky) arguments.emplace_back(p.index(transposed ? 1 : 0));
  const Argument rest[] = {Access{c.factors.at(matrix), {p.index(0)}},
                           element(c, b, loops.counters),
                           b.stride.at(given),
                           stride(p, b, e.group),
                           element(c, x, loops.counters),
                           x.stride.at(solved),
                           stride(p, x, e.group)};
  arguments.insert(arguments.end(), std::begin(rest), std::end(rest));
  call(c, cholesky ? "chol_solve" : "lu_solve", std::move(arguments));
}

void lower_factorisation(const KernelContext& c, NodeId matrix) {
  loops::Program& p = c.nest.program;
  const Strided a = operand(c, matrix, {0, 1});
  call(c, c.nest.plan.cholesky[matrix.value] ? "chol" : "lu",
       {c.nest.extent(c.nest.graph[matrix].type[0]), element(c, a, {}), a.stride.at(0), a.stride.at(1),
        Access{c.factors.at(matrix), {p.index(0)}}});
}

void lower_from_factorisation(const KernelContext& c, NodeId n, const Stored& to) {
  loops::Program& p = c.nest.program;
  const Node& node = c.nest.graph[n];
  const NodeId matrix = node.operands[0];
  const std::string kernel = std::string(c.nest.plan.cholesky[matrix.value] ? "chol_" : "lu_") + std::string(kernel_of(node.fun_op()));
  std::vector<Argument> arguments{c.nest.extent(c.nest.graph[matrix].type[0]), Access{c.factors.at(matrix), {p.index(0)}}};
  const Strided x = strided(c, to, own_axes(node.rank()));
  arguments.emplace_back(element(c, x, {}));
  for (Label l = 0; l < node.rank(); ++l) arguments.emplace_back(x.stride.at(l));
  call(c, kernel, std::move(arguments));
}

void lower_function(const KernelContext& c, NodeId n, const Stored& to) {
  const Graph& g = c.nest.graph;
  const Node& node = g[n];
  const FunctionRow& f = row(node.fun_op());
  const Type& type = g[node.operands[0]].type;
  const Labels labels = Graph::iota(type.size());
  std::map<Label, DimId> dims;
  for (Label l : labels) dims.emplace(l, type[l]);
  const Strided x = operand(c, node.operands[0], labels), y = strided(c, to, own_axes(node.rank()));
  const size_t batch = type.size() - f.core.in;
  const Loops loops(c, dims, Labels(labels.begin(), labels.begin() + std::ptrdiff_t(batch)));
  std::vector<Argument> arguments;
  for (IndexId n : core_sizes(c.nest, f, type)) arguments.emplace_back(n);
  arguments.emplace_back(element(c, x, loops.counters));
  for (size_t k = batch; k < type.size(); ++k) arguments.emplace_back(x.stride.at(Label(k)));
  arguments.emplace_back(element(c, y, loops.counters));
  for (size_t k = batch; k < node.rank(); ++k) arguments.emplace_back(y.stride.at(Label(k)));
  call(c, kernel_of(node.fun_op()), std::move(arguments));
}

void lower_call(const KernelContext& c, NodeId n, const Stored& to, uint32_t function) {
  loops::Program& p = c.nest.program;
  const Graph& g = c.nest.graph;
  const Node& node = g[n];
  const size_t batch = batch_rank(g, n);
  // A label for each axis: the batch's are shared.
  std::map<Label, DimId> dims;
  const Labels rows = Graph::iota(batch);
  Label next = Label(batch);
  const auto labels_of = [&](NodeId tensor) {
    Labels labels = rows;
    for (DimId d : core_of(g, n, tensor)) dims.emplace(next, d), labels.push_back(next++);
    return labels;
  };
  for (Label l : rows) dims.emplace(l, node.type[l]);

  IndexId used = p.index(0);  // of the scratch
  struct Side {
    Strided array;
    Labels core;
    Access first;
    bool packed;
  };
  const auto dense = [&](const Side& s) {
    IndexId expected = p.index(1);
    for (size_t k = s.core.size(); k-- > 0;) {
      const IndexId extent = c.nest.extent(dims.at(s.core[k]));
      if (extent != p.index(1) && s.array.stride.at(s.core[k]) != expected) return false;
      expected = p.mul(expected, extent);
    }
    return true;
  };
  const Loops around(c, dims, rows);
  const auto side = [&](Strided array, const Labels& labels) {
    Side s{std::move(array), Labels(labels.begin() + std::ptrdiff_t(batch), labels.end()), {}, false};
    s.packed = !dense(s);
    s.first = s.packed ? Access{c.scratch, {used}} : element(c, s.array, around.counters);
    if (s.packed) used = p.add(used, extent_of(c, dims, s.core));
    return s;
  };
  // Copies between an array and its image in the scratch.
  const auto copy = [&](const Side& s, bool pack) {
    const Loops inner(c, dims, s.core);
    std::map<Label, IndexId> counters = around.counters;
    counters.insert(inner.counters.begin(), inner.counters.end());
    IndexId at = p.index(0);
    for (Label l : s.core) at = p.add(p.mul(at, c.nest.extent(dims.at(l))), counters.at(l));
    const Access given = element(c, s.array, counters), image{c.scratch, {p.add(s.first.subscripts[0], at)}};
    const Access &from = pack ? given : image, &into = pack ? image : given;
    p.store(into.array, into.subscripts, p.load(from.array, from.subscripts));
  };

  std::vector<Access> arguments;
  for (NodeId o : node.operands) {
    const Labels labels = labels_of(o);
    const Side s = side(operand(c, o, labels), labels);
    if (s.packed) copy(s, true);
    arguments.push_back(s.first);
  }
  const Labels labels = labels_of(n);
  const Side result = side(strided(c, to, addresses(labels)), labels);
  p.invoke(function, std::move(arguments), result.first);
  if (result.packed) copy(result, false);
}

}  // namespace ricci
