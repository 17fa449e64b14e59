#include "passes/lower_to_loops.h"

#include <algorithm>
#include <stdexcept>

#include "ir/calls.h"
#include "ir/interpret.h"
#include "ir/places.h"
#include "passes/lower_to_loops_kernels.h"
#include "passes/lower_to_loops_nest.h"
#include "passes/schedule.h"

namespace ricci {
namespace {

using loops::ArrayId;
using loops::IndexId;
using Role = loops::Array::Role;

class Lowering {
 public:
  Lowering(Graph& g, const CompileRequest& request, loops::Program& p)
      : g_(g), request_(request), p_(p), sizes_(sizes_of(request)), plan_(make_plan(g, outputs(), sizes_)) {}

  void run() {
    p_.name = request_.name;
    p_.scalar = request_.scalar;
    for (DimId d : symbolic_dims(g_, request_)) {
      dims_.emplace(d, uint32_t(p_.dims.size()));
      p_.dims.push_back(g_.spell(d));
    }
    declare_arguments();
    declare_functions();
    state_conditions();
    place_intermediates();
    write_steps();
  }

 private:
  std::vector<NodeId> outputs() const {
    std::vector<NodeId> r;
    for (const auto& o : request_.outputs) r.push_back(o.node);
    return r;
  }
  NestContext context() { return {g_, plan_, p_, arrays_, dims_, sizes_, request_.vector_bytes}; }

  std::vector<IndexId> shape(const Type& type) {
    std::vector<IndexId> r;
    for (DimId d : type) r.push_back(context().extent(d));
    return r;
  }
  ArrayId declare(Role role, std::string name, const Type& type, Layout layout, IndexId offset) {
    return p_.dense(role, std::move(name), shape(type), offset, layout == Layout::ColumnMajor);
  }

  Stored whole(NodeId n, ArrayId array) const { return {array, own_axes(g_[n].rank())}; }

  void declare_arguments() {
    for (const auto& in : request_.inputs) arrays_[in.node] = whole(in.node, declare(Role::In, in.name, g_[in.node].type, in.layout, p_.index(0)));
    for (size_t k = 0; k < request_.outputs.size(); ++k) {
      const auto& out = request_.outputs[k];
      outputs_.push_back(declare(Role::Out, out.name, g_[out.node].type, out.layout, p_.index(0)));
      if (plan_.in_place[k]) arrays_[plan_.outputs[k]] = whole(plan_.outputs[k], outputs_.back());
    }
    for (NodeId n : g_.reachable(plan_.outputs)) {
      if (g_[n].kind == Kind::Var && !arrays_.contains(n))
        throw std::invalid_argument("`" + g_.symbol(n).name + "` is not among the arguments");
    }
  }

  void declare_functions() {
    for (const CalledFunction& f : called_functions(g_, plan_.outputs)) {
      loops::Function declared{g_[f.symbol].name, {}, shape(f.value)};
      for (const Type& a : f.arguments) declared.arguments.push_back(shape(a));
      functions_.emplace(f.symbol, uint32_t(p_.functions.size()));
      p_.functions.push_back(std::move(declared));
    }
  }

  // Every place in what was asked for must be inside its axis. Throws std::invalid_argument if one is known not to be.
  void state_conditions() {
    const std::vector<NodeId> asked = outputs();
    std::vector<Extent> rooms;  // those that are not implied by others
    for (NodeId n : g_.reachable(asked)) {
      if (g_[n].kind != Kind::Place) continue;
      Extent room = room_of(g_, n);
      const auto implies = [](const Extent& one, const Extent& other) { return (other - one).is_size(); };
      if (room.is_size() || std::ranges::any_of(rooms, [&](const Extent& r) { return implies(r, room); })) continue;
      std::erase_if(rooms, [&](const Extent& r) { return implies(room, r); });
      rooms.push_back(std::move(room));
    }
    for (const Extent& room : rooms) {
      IndexId value = p_.index(0);
      for (const auto& [symbols, coefficient] : room.terms) {
        IndexId product = p_.index(coefficient);
        for (const std::string& s : symbols) product = p_.mul(product, context().extent(g_.dim(s)));
        value = p_.add(value, product);
      }
      p_.conditions.push_back(value);
      if (p_[value].kind != loops::Index::Kind::Constant) continue;
      if (p_[value].value < 0) throw OutsideAxis("an entry or a slice is outside at these sizes: " + condition(room) + " is needed");
      p_.conditions.pop_back();
    }
  }

  // The lives of arrays and factorisations, from the steps that write and read them.
  struct Kept {
    NodeId node;
    bool factor;
    Life life;
  };
  void place_intermediates() {
    std::map<std::pair<NodeId, bool>, size_t> number;
    std::vector<Kept> stored;
    auto touch = [&](NodeId n, bool factor, size_t step) {
      if (!factor && arrays_.contains(n)) return;
      auto [it, fresh] = number.try_emplace({n, factor}, stored.size());
      if (fresh) stored.push_back({n, factor, {step, step, elements(n, factor), elements_at(n, factor)}});
      stored[it->second].life.last = step;
    };
    for (size_t k = 0; k < plan_.steps.size(); ++k) {
      const Step& s = plan_.steps[k];
      for (NodeId n : s.stored) touch(plan_.alias[n.value], false, k);
      if (s.kind == Step::Kind::Clear) touch(s.node, false, k);
      for (NodeId n : s.reads) touch(plan_.alias[n.value], false, k);
      for (NodeId n : s.factors) touch(n, true, k);
      if (s.kind == Step::Kind::Factor) touch(s.node, true, k);
    }
    std::vector<Life> lives;
    for (const Kept& s : stored) lives.push_back(s.life);
    const Life scratch{0, plan_.steps.size(), scratch_elements(context()), 0};
    const bool has_scratch = scratch.elements != p_.index(0);
    if (has_scratch) lives.push_back(scratch);
    const Workspace placement = place(p_, lives);
    for (size_t k = 0; k < stored.size(); ++k) {
      const NodeId n = stored[k].node;
      std::string name = (stored[k].factor ? "factor" : "t") + std::to_string(n.value);
      while (std::ranges::find(p_.arrays, name, &loops::Array::name) != p_.arrays.end()) name += "_";  // an argument may be called t4
      if (stored[k].factor) factors_[n] = p_.dense(Role::Work, name, {elements(n, true)}, placement.offsets[k]);
      else arrays_[n] = whole(n, declare(Role::Work, name, g_[n].type, Layout::RowMajor, placement.offsets[k]));
    }
    for (uint32_t i = 0; i < plan_.alias.size(); ++i) {
      const NodeId n{i}, root = plan_.alias[i];
      if (root != n && plan_.roles[i] != ricci::Role::Absent) arrays_[n] = part(n, arrays_.at(root));
    }
    if (has_scratch) scratch_ = p_.dense(Role::Work, "scratch", {scratch.elements}, placement.offsets.back());
    p_.work_elements = placement.end;
  }
  // The part of an array in which a node is computed: all of it, or a block.
  Stored part(NodeId n, const Stored& root) const {
    const auto block = plan_.block.find(n);
    if (block == plan_.block.end()) return root;
    const View v = view_of(g_, block->second);
    std::vector<Address> digits(v.counted.empty() ? 0 : std::ranges::max(v.counted) + 1), to;
    for (size_t k = 0; k < v.from.size(); ++k) digits[*v.from[k].label()] = Address::of(Label(k));
    for (const Address& a : v.to) to.push_back(substitute(a, digits));
    Stored s{root.array, {}};
    for (const Address& a : root.at) s.at.push_back(substitute(a, to));
    return s;
  }
  IndexId elements(NodeId n, bool factor) {
    const std::vector<IndexId> s = shape(g_[n].type);
    return factor ? p_.add(p_.mul(s[0], s[0]), s[0]) : p_.product(s);
  }
  double elements_at(NodeId n, bool factor) const {
    double r = factor ? 1.01 : 1;
    for (DimId d : g_[n].type) r *= sizes_(g_, d);
    return r;
  }

  // Neighbouring steps that the same outputs want share an If; there is none round what every output wants, unless it touches one.
  void write_steps() {
    std::optional<std::vector<uint32_t>> open;
    auto close = [&] {
      if (open && !open->empty()) p_.end();
      open.reset();
    };
    for (const Step& s : plan_.steps) {
      const bool everyone = s.wanted.size() == plan_.outputs.size() && plan_.outputs.size() > 1;
      const std::vector<uint32_t> wanted = everyone ? std::vector<uint32_t>{} : s.wanted;
      if (open != wanted) {
        close();
        open = wanted;
        std::vector<ArrayId> arrays;
        for (uint32_t k : wanted) arrays.push_back(outputs_[k]);
        if (!wanted.empty()) p_.begin_if(std::move(arrays));
      }
      write(s);
    }
    close();
  }

  void write(const Step& s) {
    const NestContext c = context();
    const KernelContext kernels{c, factors_, scratch_};
    switch (s.kind) {
      case Step::Kind::Nest: return write_nest(c, s);
      case Step::Kind::Contract: return lower_contraction(kernels, s.node, arrays_.at(s.node), 1, false);
      case Step::Kind::Solve: return lower_solve(kernels, s.node, arrays_.at(s.node));
      case Step::Kind::Factor: return lower_factorisation(kernels, s.node);
      case Step::Kind::Inverse: return lower_from_factorisation(kernels, s.node, arrays_.at(s.node));
      case Step::Kind::Function: return lower_function(kernels, s.node, arrays_.at(s.node));
      case Step::Kind::Call: return lower_call(kernels, s.node, arrays_.at(s.node), functions_.at(SymbolId{g_[s.node].row}));
      case Step::Kind::Clear: return lower_zero(c, arrays_.at(s.node), g_[s.node].type);
      case Step::Kind::Assemble: return write_assembly(kernels, s.node);
      case Step::Kind::Write: return write_term(c, {1, s.node}, whole(s.node, outputs_[s.output]), false);
    }
  }

  void write_nest(const NestContext& c, const Step& s) {
    std::vector<NestResult> results;
    for (size_t k = 0; k < s.members.size(); ++k) {
      const NodeId n = s.members[k];
      if (std::ranges::find(s.stored, n) != s.stored.end()) results.push_back({n, arrays_.at(n)});
    }
    lower_nest(c, s.space, s.members, s.axes, results);
  }
  // What a term of an Assemble needs.
  enum class Part : uint8_t { Done, Dense, Product, Scattered };
  Part part_of(NodeId assembled, NodeId term) const {
    if (plan_.role(term) == ricci::Role::Absorbed) return Part::Product;
    if (term != assembled && plan_.alias[term.value] == assembled) return Part::Done;
    if (!is_scattered(g_, term)) return Part::Dense;
    const View v = view_of(g_, term);
    const auto block = v.base ? plan_.block.find(*v.base) : plan_.block.end();
    const bool done = block != plan_.block.end() && block->second == term && plan_.alias[v.base->value] == assembled;
    return done ? Part::Done : Part::Scattered;
  }

  // The terms one after the other: first what covers the whole array, then products added by their kernels, then what is scattered. Blocks
  // that are known to be apart are stored, not added.
  void write_assembly(const KernelContext& kernels, NodeId n) {
    if (g_[n].kind == Kind::Epsilon) return write_epsilon(n);
    const Stored& to = arrays_.at(n);
    const Blocks blocks = blocks_of(g_, n);
    std::vector<std::pair<Part, Term>> terms;
    for (Term& t : g_.terms(n)) terms.emplace_back(part_of(n, t.tensor), std::move(t));
    std::ranges::sort(terms, {}, [](const auto& t) { return std::pair(t.first, t.second.tensor); });
    bool fresh = std::ranges::none_of(terms, [](const auto& t) { return t.first == Part::Done; });
    if (fresh && (terms.empty() || (blocks != Blocks::Tiling && terms[0].first == Part::Scattered))) {
      lower_zero(kernels.nest, to, g_[n].type);
      fresh = false;
    }
    for (const auto& [part, t] : terms) {
      if (part == Part::Done) continue;
      if (part == Part::Product) lower_contraction(kernels, t.tensor, to, t.coefficient, !fresh);
      else write_entries(kernels.nest, t, to, !fresh && blocks == Blocks::Mixed);
      fresh = false;
    }
  }

  // The sign of the permutation i, j, k ... is the product of the signs of j - i, k - i, k - j ...
  void write_epsilon(NodeId n) {
    std::vector<IndexId> at;
    for (DimId d : g_[n].type) at.push_back(p_.loop(p_.begin_for(context().extent(d))));
    loops::ValueId sign = p_.constant(1);
    for (size_t k = 0; k < at.size(); ++k) {
      for (size_t j = 0; j < k; ++j) {
        const loops::ValueId above = p_.compare(loops::Compare::Relation::Less, at[j], at[k]),
                             below = p_.compare(loops::Compare::Relation::Less, at[k], at[j]);
        sign = p_.compute(loops::Primitive::mul, sign, p_.compute(loops::Primitive::sub, above, below));
      }
    }
    p_.store(arrays_.at(n).array, at, sign);
    for (size_t k = 0; k < at.size(); ++k) p_.end();
  }

  // to = the term, which is stored, a view or a number.
  void write_term(const NestContext& c, const Term& term, const Stored& to, bool add) {
    const bool partial = is_scattered(g_, term.tensor) && !view_of(g_, term.tensor).total;
    if (partial && !add) lower_zero(c, to, g_[term.tensor].type);
    write_entries(c, term, to, add);
  }

  // The same, but entries at which a view is 0 are left as they are; what is summed needs 0 to add to.
  void write_entries(const NestContext& c, const Term& term, const Stored& to, bool add) {
    const NodeId n = term.tensor;
    if (g_.is_zero(n) && g_[n].rank() > 0) return add ? void() : lower_zero(c, to, g_[n].type);
    const auto stored = arrays_.find(n);
    const bool viewed = is_scattered(g_, n) || (is_view(g_, n) && (plan_.role(n) == ricci::Role::View || stored == arrays_.end() || stored->second.array == to.array));
    const size_t rank = g_[n].rank();
    View v = viewed ? view_of(g_, n)
                    : View{.base = n, .from = own_axes(rank), .to = own_axes(rank), .counted = Graph::iota(rank), .space = g_[n].type};
    NestResult r{.node = n, .to = to, .add = add || v.sums, .coefficient = term.coefficient, .view = std::move(v)};
    lower_nest(c, Type(r.view->space), {}, {}, std::span(&r, 1));
  }

  Graph& g_;
  const CompileRequest& request_;
  loops::Program& p_;
  Sizes sizes_;
  Plan plan_;
  std::map<DimId, uint32_t> dims_;
  std::map<NodeId, Stored> arrays_;
  std::map<NodeId, ArrayId> factors_;
  std::vector<ArrayId> outputs_;
  std::map<SymbolId, uint32_t> functions_;  // their positions in the program
  ArrayId scratch_ = {0};
};

}  // namespace

std::vector<DimId> symbolic_dims(const Graph& g, const CompileRequest& request) {
  std::vector<DimId> r;
  auto add = [&](DimId d) {
    if (!request.fixed.contains(d) && std::ranges::find(r, d) == r.end()) r.push_back(d);
  };
  auto add_parts = [&](const auto& self, DimId d) -> void {
    if (g[d].kind == Dim::Kind::Symbol) return add(d);
    for (DimId part : g[d].parts) self(self, part);
  };
  std::vector<NodeId> outputs;
  for (const auto& in : request.inputs) {
    for (DimId d : g[in.node].type) add_parts(add_parts, d);
  }
  for (const auto& out : request.outputs) {
    for (DimId d : g[out.node].type) add_parts(add_parts, d);
    outputs.push_back(out.node);
  }
  for (NodeId n : g.reachable(outputs)) {
    if (g[n].kind == Kind::Size || g[n].kind == Kind::Place) add_parts(add_parts, DimId{g[n].row});  // a size; how many entries are before
    for (DimId d : g[n].type) add_parts(add_parts, d);
  }
  return r;
}

Sizes sizes_of(const CompileRequest& request) {
  Sizes s;
  s.known = request.fixed;
  return s;
}

loops::Program lower_to_loops(Graph& g, const CompileRequest& request) {
  loops::Program p;
  Lowering(g, request, p).run();
  return p;
}

}  // namespace ricci
