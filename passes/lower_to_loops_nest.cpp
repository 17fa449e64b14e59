#include "passes/lower_to_loops_nest.h"

#include <algorithm>
#include <numeric>

#include "passes/lower_to_loops_scalar.h"

namespace ricci {

loops::IndexId NestContext::extent(DimId d) const {
  const Dim& dim = graph[d];
  if (auto it = sizes.known.find(d); it != sizes.known.end()) return program.index(it->second);
  switch (dim.kind) {
    case Dim::Kind::Symbol: return program.dim(dims.at(d));
    case Dim::Kind::Fixed: return program.index(dim.size);
    case Dim::Kind::Product:
    case Dim::Kind::Sum: break;
  }
  const bool group = dim.kind == Dim::Kind::Product;
  loops::IndexId r = program.index(group ? 1 : 0);
  for (DimId part : dim.parts) r = group ? program.mul(r, extent(part)) : program.add(r, extent(part));
  return r;
}

loops::IndexId NestContext::extent(std::span<const DimId> factors) const {
  loops::IndexId r = program.index(1);
  for (DimId d : factors) r = program.mul(r, extent(d));
  return r;
}

loops::IndexId NestContext::position(const Address& a, std::span<const loops::IndexId> digits) const {
  loops::IndexId r = program.index(0);
  for (const Address::Term& t : a.terms) {
    const loops::IndexId stride = extent(t.strides);
    r = program.add(r, t.digit ? program.mul(stride, digits[*t.digit]) : stride);
  }
  return r;
}

namespace {

using loops::AccumulatorId;
using loops::Combine;
using loops::IndexId;
using loops::Primitive;
using loops::ValueId;

// A value that the nest reads: a tensor that is not computed here, at given axes.
using Operand = std::pair<NodeId, Axes>;

struct Reduction {
  NodeId node;
  std::vector<Operand> factors;
  Axes kept;  // the result's axes
  Stored to;
  size_t depth = 0;                          // loops round its accumulator
  std::optional<AccumulatorId> accumulator;  // none: adds to memory in the innermost loop
};

class NestLowering {
 public:
  NestLowering(const NestContext& context, const Type& space, std::span<const NodeId> members, std::span<const Axes> axes,
               std::span<const NestResult> results)
      : c_(context), g_(context.graph), p_(context.program), space_(space), members_(members.begin(), members.end()) {
    for (size_t k = 0; k < members.size(); ++k) inside_.emplace(members[k], axes[k]);
    for (const NestResult& r : results) {
      if (context.plan.role(r.node) == Role::Reduce && inside_.contains(r.node)) reductions_.push_back(reduction(r));
      else results_.push_back(r);
    }
  }

  void run() {
    count_uses();
    collect_operands();
    order_loops();
    for (Reduction& r : reductions_) r.depth = accumulator_depth(r);
    for (const Reduction& r : reductions_) {
      if (sums_outside(r)) lower_zero(c_, r.to, g_[r.node].type);
    }
    at_depth(0);
    for (size_t d = 0; d < order_.size(); ++d) {
      open(d);
      at_depth(d + 1);
    }
    for (size_t d = order_.size(); d-- > 0;) {
      p_.end();
      for (const Reduction& r : reductions_) {
        if (r.accumulator && r.depth == d) finish(r);
      }
    }
  }

 private:
  size_t rank() const { return space_.size(); }
  Axes all_axes() const {
    Axes a(rank());
    std::iota(a.begin(), a.end(), size_t(0));
    return a;
  }
  // A member's axes in the nest.
  const Axes& own_axes(NodeId member) const { return inside_.at(member); }

  Reduction reduction(const NestResult& r) const {
    const Labels order = reduction_labels(g_, r.node);
    auto axis = [&](Label l) { return size_t(std::ranges::find(order, l) - order.begin()); };
    Reduction x{.node = r.node, .to = r.to};
    for (const Factor& f : g_.factors(r.node)) {
      Axes axes;
      for (Label l : f.labels) axes.push_back(axis(l));
      x.factors.push_back(through_view({f.tensor, std::move(axes)}));
    }
    for (Label l : g_.out(r.node)) x.kept.push_back(axis(l));
    return x;
  }

  // A node's operands with their axes, given its own.
  std::vector<Operand> operands(NodeId n, const Axes& axes) const {
    std::vector<Operand> r;
    if (g_[n].kind == Kind::Ein) {
      const Labels out = g_.out(n);
      for (const Factor& f : g_.factors(n)) {
        Axes a;
        for (Label l : f.labels) a.push_back(axes[size_t(std::ranges::find(out, l) - out.begin())]);
        r.push_back({f.tensor, std::move(a)});
      }
    } else {
      for (NodeId o : g_[n].operands) r.emplace_back(o, g_[o].rank() == 0 ? Axes{} : axes);
      const bool constant_power = g_[n].kind == Kind::Map && g_[n].map_op() == MapOp::pow_ && g_[r[1].first].kind == Kind::Const;
      if (constant_power) r.pop_back();  // the exponent is not read
    }
    for (Operand& o : r) o = through_view(std::move(o));
    return r;
  }

  // A view of something computed here is that, at other axes.
  Operand through_view(Operand o) const {
    if (c_.plan.role(o.first) != Role::View || !inside_.contains(source_of(g_, c_.plan, o.first))) return o;
    const View v = view_of(g_, o.first);
    Axes axes;
    for (const Address& a : v.from) axes.push_back(o.second[size_t(std::ranges::find(v.to, a) - v.to.begin())]);
    return {*v.base, std::move(axes)};
  }

  void count_uses() {
    for (NodeId m : members_) {
      for (NodeId operand : g_[m].operands) {
        const NodeId base = source_of(g_, c_.plan, operand), o = inside_.contains(base) ? base : operand;
        ++uses_[o];
        if (g_[m].kind == Kind::Ein) factors_.insert(o);
      }
    }
    for (const NestResult& r : results_)
      if (!r.view) uses_[r.node] += 2;  // never only a divisor
  }

  // What is read from outside, once each, in the order of first use.
  void collect_operands() {
    auto collect = [&](const Operand& o) {
      if (!inside_.contains(o.first) && seen_.insert(o).second) operands_.push_back(o);
    };
    for (NodeId m : members_) {
      if (c_.plan.role(m) == Role::Reduce) continue;
      for (const Operand& o : operands(m, own_axes(m))) collect(o);
    }
    for (const Reduction& r : reductions_) {
      for (const Operand& o : r.factors) collect(o);
    }
      }

  // The innermost loop is the axis along which most of what is read and written is contiguous, the last one in doubt.
  void order_loops() {
    std::vector<int> contiguous(rank(), 0);
    const auto count = [&](const Stored& s, std::span<const Address> node_axes) {
      std::map<size_t, int> moves;  // along how many terms an axis moves
      std::vector<size_t> by_one;
      for (size_t k = 0; k < s.at.size(); ++k) {
        for (const Address::Term& t : substitute(s.at[k], node_axes).terms) {
          if (!t.digit) continue;
          ++moves[*t.digit];
          if (p_.mul(c_.extent(t.strides), p_[s.array].strides[k]) == p_.index(1)) by_one.push_back(*t.digit);
        }
      }
      for (size_t axis : by_one)
        if (moves[axis] == 1) ++contiguous[axis];
    };
    const auto addresses = [](const Axes& axes) {
      std::vector<Address> r;
      for (size_t a : axes) r.push_back(Address::of(Label(a)));
      return r;
    };
    for (const auto& [node, axes] : operands_) {
      NodeId base = node;
      std::vector<Address> at = addresses(axes);
      if (c_.plan.role(node) == Role::View) {
        const View v = view_of(g_, node);
        if (!v.base) continue;
        base = *v.base;
        at = on_axes(v, axes);
      }
      if (auto it = c_.arrays.find(base); it != c_.arrays.end()) count(it->second, at);
    }
    for (const NestResult& r : results_) {
      if (!r.view) {
        count(r.to, addresses(own_axes(r.node)));
        continue;
      }
      count(r.to, in_counters(*r.view, r.view->to));
      if (!r.view->base) continue;
      if (auto it = c_.arrays.find(*r.view->base); it != c_.arrays.end()) count(it->second, in_counters(*r.view, r.view->from));
    }
    for (const Reduction& r : reductions_) count(r.to, addresses(r.kept));
    order_ = all_axes();
    if (rank() < 2) return;
    size_t inner = rank() - 1;
    for (size_t a = rank(); a-- > 0;) {
      if (contiguous[a] > contiguous[inner]) inner = a;
    }
    std::erase(order_, inner);
    order_.push_back(inner);
  }

  bool keeps(const Reduction& r, size_t axis) const { return std::ranges::find(r.kept, axis) != r.kept.end(); }
  size_t accumulator_depth(const Reduction& r) const {
    size_t d = order_.size();
    while (d > 0 && !keeps(r, order_[d - 1])) --d;
    return d;
  }
  // Whether a loop outside the accumulator's is summed over too.
  bool sums_outside(const Reduction& r) const { return r.kept.size() < r.depth; }

  size_t depth(const Axes& axes) const {
    size_t d = 0;
    for (size_t a : axes) d = std::max(d, size_t(std::ranges::find(order_, a) - order_.begin()) + 1);
    return d;
  }

  void open(size_t d) {
    const bool innermost = d + 1 == order_.size();
    const IndexId extent = c_.extent(space_[order_[d]]);
    const loops::Index& e = p_[extent];
    const uint32_t lanes = uint32_t(c_.vector_bytes / loops::size_of(p_.scalar));
    const bool sums = std::ranges::any_of(results_, [](const NestResult& r) { return r.view && r.view->sums; });  // into one place
    const bool empty = std::ranges::any_of(space_, [&](DimId d) { return c_.extent(d) == p_.index(0); });  // a stride may be 0
    const bool wide = innermost && !sums && !empty && !(e.kind == loops::Index::Kind::Constant && e.value < int64_t(lanes));
    const bool latency = wide && !reductions_.empty() && members_.size() <= reductions_.size() + 2;
    loop_of_[order_[d]] = p_.loop(p_.begin_for(extent, wide ? lanes : 1, latency ? 4 : 1));
  }

  // Where the base's axes of a readable view are, its own being at `axes`.
  static std::vector<Address> on_axes(const View& v, const Axes& axes) {
    Label last = 0;
    for (Label l : v.counted) last = std::max(last, l);
    std::vector<Address> digits(last + 1), r;
    for (size_t k = v.to.size(); k-- > 0;) digits[*v.to[k].label()] = Address::of(Label(axes[k]));
    for (const Address& a : v.from) r.push_back(substitute(a, digits));
    return r;
  }
  // By counted label, its axis of the nest.
  static std::vector<Address> addresses_of_counters(const View& v) {
    Label last = 0;
    for (Label l : v.counted) last = std::max(last, l);
    std::vector<Address> digits(last + 1);
    for (size_t k = 0; k < v.counted.size(); ++k) digits[v.counted[k]] = Address::of(Label(k));
    return digits;
  }

  // The counters of the open loops, by axis.
  std::vector<IndexId> counters() const {
    std::vector<IndexId> r(rank(), p_.index(0));
    for (const auto& [axis, loop] : loop_of_) r[axis] = loop;
    return r;
  }
  // Subscripts of the element of a stored node whose own subscripts are given.
  std::vector<IndexId> subscripts(const Stored& s, std::span<const IndexId> own) const {
    std::vector<IndexId> r;
    for (const Address& a : s.at) r.push_back(c_.position(a, own));
    return r;
  }
  std::vector<IndexId> subscripts(const Stored& s, const Axes& axes) const {
    std::vector<IndexId> own;
    for (size_t a : axes) own.push_back(loop_of_.at(a));
    return subscripts(s, own);
  }
  std::vector<IndexId> positions(std::span<const Address> axes) const {
    const std::vector<IndexId> at = counters();
    std::vector<IndexId> r;
    for (const Address& a : axes) r.push_back(c_.position(a, at));
    return r;
  }

  // Everything that the first `d` loops determine.
  void at_depth(size_t d) {
    for (const Operand& o : operands_) {
      if (depth(o.second) == d) values_.emplace(o, read(o));
    }
    if (d == 0) {  // numbers are computed before the loops
      for (NodeId m : members_) {
        if (own_axes(m).empty() && !divides_only(m)) value({m, {}});
      }
    }
    const bool innermost = d == order_.size();
    for (const NestResult& r : results_) {
      if (r.view ? innermost : depth(own_axes(r.node)) == d) write(r);
    }
    for (Reduction& r : reductions_) {
      if (r.depth == d && d < order_.size()) r.accumulator = p_.accumulator(p_.constant(0));
    }
    if (!innermost) return;
    for (Reduction& r : reductions_) accumulate(r);
  }

  ValueId read(const Operand& o) {
    const auto& [n, axes] = o;
    const Node& node = g_[n];
    if (node.kind == Kind::Const) return p_.constant(to_double(node.value()));
    if (node.kind == Kind::Size) return p_.number(c_.extent(DimId{node.row}));
    if (node.kind == Kind::Sum && node.operands.empty()) return p_.constant(0);
    if (c_.plan.role(n) == Role::View) return read_view(n, axes);
    const Stored& s = c_.arrays.at(n);
    return p_.load(s.array, subscripts(s, axes));
  }
  // An element of a stored node, or a number.
  ValueId read_at(const std::optional<NodeId>& n, std::span<const Address> axes) {
    if (!n) return p_.constant(1);
    if (g_[*n].rank() == 0) return read({*n, {}});
    const Stored& s = c_.arrays.at(*n);
    return p_.load(s.array, subscripts(s, positions(axes)));
  }

  // An element of a view: the base's, or 0 where axes that share a label differ.
  ValueId read_view(NodeId n, const Axes& axes) {
    const View v = view_of(g_, n);
    std::map<Label, size_t> axis;
    std::vector<std::pair<size_t, size_t>> equal;
    for (size_t k = 0; k < v.to.size(); ++k) {
      auto [it, fresh] = axis.try_emplace(*v.to[k].label(), axes[k]);
      if (!fresh && it->second != axes[k]) equal.emplace_back(it->second, axes[k]);
    }
    ValueId value = read_at(v.base, on_axes(v, axes));
    for (auto [a, b] : equal) value = if_equal(loop_of_.at(a), loop_of_.at(b), value);
    return value;
  }
  ValueId if_equal(IndexId a, IndexId b, ValueId value) {
    return p_.compute(Primitive::select_, p_.compare(loops::Compare::Relation::Equal, a, b), value, p_.constant(0));
  }

  ValueId value(const Operand& o) {
    if (!inside_.contains(o.first)) return values_.at(o);
    if (auto it = computed_.find(o.first); it != computed_.end()) return it->second;
    const ValueId v = compute(o.first);
    computed_.emplace(o.first, v);
    return v;
  }

  // Members nest at most as deep as the planner puts into one nest.
  ValueId compute(NodeId n) {
    const std::vector<Operand> os = operands(n, own_axes(n));
    if (g_[n].kind == Kind::Ein) return product(os);
    std::vector<ValueId> vs;
    if (g_[n].kind == Kind::Map) {
      for (const Operand& o : os) vs.push_back(value(o));
      return emit_map(p_, g_, n, vs);
    }
    std::vector<Rational> coefficients = g_[n].coefficients;
    for (size_t k = 0; k < os.size(); ++k) {
      const NodeId t = os[k].first;
      const bool own_product = inside_.contains(t) && g_[t].kind == Kind::Ein && uses_.at(t) == 1 && abs(coefficients[k]) != 1;
      if (!own_product) {
        vs.push_back(value(os[k]));
        continue;
      }
      vs.push_back(product(operands(t, own_axes(t)), abs(coefficients[k])));
      coefficients[k] = sgn(coefficients[k]);
    }
    return emit_sum(p_, coefficients, vs);
  }

  // A factor y^-k of one product divides there.
  bool divides_only(NodeId n) const { return inside_.contains(n) && uses_.at(n) == 1 && divisor_power(g_, n) && factors_.contains(n); }

  // What fewer loops determine comes first, so that it can be multiplied before the inner ones.
  ValueId product(std::span<const Operand> factors, const Rational& coefficient = 1) {
    std::vector<ValueId> over, under;
    if (coefficient != 1) over.push_back(p_.constant(to_double(coefficient)));
    for (size_t d = 0; d <= rank(); ++d) {
      for (const Operand& f : factors) {
        if (depth(f.second) != d) continue;
        if (divides_only(f.first)) {
          const Operand base = operands(f.first, own_axes(f.first))[0];
          under.push_back(emit_power(p_, value(base), *divisor_power(g_, f.first)));
        } else {
          over.push_back(value(f));
        }
      }
    }
    return emit_quotient(p_, over, under);
  }

  void write(const NestResult& r) {
    ValueId v = r.view ? viewed(*r.view) : value({r.node, own_axes(r.node)});
    if (r.coefficient != 1) v = p_.compute(Primitive::mul, p_.constant(to_double(r.coefficient)), v);
    std::vector<IndexId> at = r.view ? subscripts(r.to, positions(in_counters(*r.view, r.view->to))) : subscripts(r.to, own_axes(r.node));
    if (r.add) p_.update(r.to.array, std::move(at), Combine::Add, v);
    else p_.store(r.to.array, std::move(at), v);
  }
  static std::vector<Address> in_counters(const View& v, std::span<const Address> axes) {
    const std::vector<Address> digits = addresses_of_counters(v);
    std::vector<Address> r;
    for (const Address& a : axes) r.push_back(substitute(a, digits));
    return r;
  }
  ValueId viewed(const View& v) {
    ValueId value = read_at(v.base, in_counters(v, v.from));
    const std::vector<IndexId> at = counters();
    for (const auto& [one, other] : v.equal) {
      const std::vector<Address> digits = addresses_of_counters(v);
      value = if_equal(c_.position(substitute(one, digits), at), c_.position(substitute(other, digits), at), value);
    }
    return value;
  }

  void accumulate(Reduction& r) {
    std::vector<Operand> factors = r.factors;
    std::optional<ValueId> last;  // the last factor is multiplied and added in one
    if (factors.size() > 1 && !divides_only(factors.back().first)) {
      last = value(factors.back());
      factors.pop_back();
    }
    const ValueId v = product(factors);
    if (r.accumulator) p_.accumulate(*r.accumulator, Combine::Add, v, last);
    else p_.update(r.to.array, subscripts(r.to, r.kept), Combine::Add, v, last);
  }

  void finish(const Reduction& r) {
    const ValueId total = p_.read(*r.accumulator);
    if (sums_outside(r)) p_.update(r.to.array, subscripts(r.to, r.kept), Combine::Add, total);
    else p_.store(r.to.array, subscripts(r.to, r.kept), total);
  }

  const NestContext& c_;
  const Graph& g_;
  loops::Program& p_;
  const Type& space_;
  std::vector<NodeId> members_;
  std::map<NodeId, Axes> inside_;  // the members and their axes
  std::vector<NestResult> results_;
  std::vector<Reduction> reductions_;
  std::map<NodeId, int> uses_;
  std::set<NodeId> factors_;  // operands of products
  std::set<Operand> seen_;
  std::vector<Operand> operands_;
  Axes order_;                         // the nest's axes, outermost loop first
  std::map<size_t, IndexId> loop_of_;  // by axis
  std::map<Operand, ValueId> values_;
  std::map<NodeId, ValueId> computed_;
};

}  // namespace

void lower_zero(const NestContext& c, const Stored& to, const Type& type) {
  bool whole = to.at.size() == type.size();
  for (size_t k = 0; k < to.at.size(); ++k) whole = whole && to.at[k] == Address::of(Label(k));
  if (whole) return c.program.zero(to.array);
  const Labels axes = Graph::iota(type.size());
  const View zeros{.base = {}, .from = {}, .to = own_axes(type.size()), .counted = axes, .space = type};
  const NestResult r{.node = {}, .to = to, .coefficient = 0, .view = zeros};
  lower_nest(c, type, {}, {}, std::span(&r, 1));
}

void lower_nest(const NestContext& context, const Type& space, std::span<const NodeId> members, std::span<const Axes> axes,
                std::span<const NestResult> results) {
  NestLowering(context, space, members, axes, results).run();
}

}  // namespace ricci
