#include "passes/lower_to_loops.h"

#include <algorithm>
#include <stdexcept>

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

  void declare_arguments() {
    for (const auto& in : request_.inputs) arrays_[in.node] = declare(Role::In, in.name, g_[in.node].type, in.layout, p_.index(0));
    for (size_t k = 0; k < request_.outputs.size(); ++k) {
      const auto& out = request_.outputs[k];
      outputs_.push_back(declare(Role::Out, out.name, g_[out.node].type, out.layout, p_.index(0)));
      if (plan_.in_place[k]) arrays_[plan_.outputs[k]] = outputs_.back();
    }
    for (NodeId n : g_.reachable(plan_.outputs)) {
      if (g_[n].kind == Kind::Var && !arrays_.contains(n))
        throw std::invalid_argument("`" + g_.symbol(n).name + "` is not among the arguments");
    }
  }

  // The lives of arrays and factorisations, from the steps that write and read them.
  struct Stored {
    NodeId node;
    bool factor;
    Life life;
  };
  void place_intermediates() {
    std::map<std::pair<NodeId, bool>, size_t> number;
    std::vector<Stored> stored;
    auto touch = [&](NodeId n, bool factor, size_t step) {
      if (!factor && arrays_.contains(n)) return;
      auto [it, fresh] = number.try_emplace({n, factor}, stored.size());
      if (fresh) stored.push_back({n, factor, {step, step, elements(n, factor), elements_at(n, factor)}});
      stored[it->second].life.last = step;
    };
    for (size_t k = 0; k < plan_.steps.size(); ++k) {
      const Step& s = plan_.steps[k];
      for (NodeId n : s.stored) touch(plan_.alias[n.value], false, k);
      for (NodeId n : s.reads) touch(plan_.alias[n.value], false, k);
      for (NodeId n : s.factors) touch(n, true, k);
      if (s.kind == Step::Kind::Factor) touch(s.node, true, k);
    }
    std::vector<Life> lives;
    for (const Stored& s : stored) lives.push_back(s.life);
    const Life scratch{0, plan_.steps.size(), scratch_elements(context()), 0};
    const bool has_scratch = scratch.elements != p_.index(0);
    if (has_scratch) lives.push_back(scratch);
    const Placement placement = place(p_, lives);
    for (size_t k = 0; k < stored.size(); ++k) {
      const NodeId n = stored[k].node;
      const std::string name = (stored[k].factor ? "factor" : "t") + std::to_string(n.value);
      if (stored[k].factor) factors_[n] = p_.dense(Role::Work, name, {elements(n, true)}, placement.offsets[k]);
      else arrays_[n] = declare(Role::Work, name, g_[n].type, Layout::RowMajor, placement.offsets[k]);
    }
    for (uint32_t i = 0; i < plan_.alias.size(); ++i) {
      const NodeId n{i}, root = plan_.alias[i];
      if (root != n && plan_.roles[i] != ricci::Role::Absent) arrays_[n] = arrays_.at(root);
    }
    if (has_scratch) scratch_ = p_.dense(Role::Work, "scratch", {scratch.elements}, placement.offsets.back());
    p_.work_elements = placement.end;
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
      case Step::Kind::Assemble: return write_assembly(kernels, s.node);
      case Step::Kind::Write: return write_term(c, {1, s.node}, outputs_[s.output], false);
    }
  }

  void write_nest(const NestContext& c, const Step& s) {
    std::vector<NestResult> results;
    for (size_t k = 0; k < s.members.size(); ++k) {
      const NodeId n = s.members[k];
      if (std::ranges::find(s.stored, n) != s.stored.end()) results.push_back({n, s.axes[k], arrays_.at(n), s.axes[k]});
    }
    lower_nest(c, s.space, s.members, s.axes, results);
  }
  Axes axes_of(NodeId n) const {
    Axes a(g_[n].rank());
    for (size_t k = 0; k < a.size(); ++k) a[k] = k;
    return a;
  }

  // The terms one after the other: first what covers the whole array, then products added by their kernels, then diagonals.
  void write_assembly(const KernelContext& kernels, NodeId n) {
    const ArrayId to = arrays_.at(n);
    std::vector<Term> terms = g_.terms(n);
    auto kind = [&](const Term& t) {
      if (plan_.alias[t.tensor.value] == n && t.tensor != n) return 0;
      if (is_diagonal_structure(g_, t.tensor)) return 3;
      return plan_.role(t.tensor) == ricci::Role::Absorbed ? 2 : 1;
    };
    std::ranges::sort(terms, {}, [&](const Term& t) { return std::pair(kind(t), t.tensor); });
    if (terms.empty()) p_.zero(to);
    bool fresh = true;
    for (const Term& t : terms) {
      const int k = kind(t);
      if (k == 1) write_term(kernels.nest, t, to, !fresh);
      if (k == 2) lower_contraction(kernels, t.tensor, to, t.coefficient, !fresh);
      if (k == 3 && fresh) p_.zero(to);
      if (k == 3) write_term(kernels.nest, t, to, true);
      fresh = false;
    }
  }

  // to = or += the term, which is stored, a view or a number.
  void write_term(const NestContext& c, const Term& term, ArrayId to, bool add) {
    const NodeId n = term.tensor;
    if (g_.is_zero(n) && g_[n].rank() > 0) return add ? void() : p_.zero(to);
    const bool view = g_.is_structure(n) && (plan_.role(n) == ricci::Role::View || !arrays_.contains(n) || arrays_.at(n) == to);
    if (!view) {
      const Axes axes = axes_of(n);
      const NestResult r{n, axes, to, axes, add, term.coefficient};
      return lower_nest(c, g_[n].type, {}, {}, std::span(&r, 1));
    }
    // One loop per label: a diagonal is walked, not searched.
    const View v = view_of(g_, n);
    Labels labels;
    Type space;
    Axes subscripts, base_axes;
    for (size_t k = 0; k < v.out.size(); ++k) {
      const auto it = std::ranges::find(labels, v.out[k]);
      subscripts.push_back(size_t(it - labels.begin()));
      if (it == labels.end()) labels.push_back(v.out[k]), space.push_back(g_[n].type[k]);
    }
    for (Label l : v.base_labels) base_axes.push_back(size_t(std::ranges::find(labels, l) - labels.begin()));
    if (labels.size() < v.out.size() && !add) p_.zero(to);
    const NodeId base = v.base ? *v.base : g_.constant(1);
    const NestResult r{base, base_axes, to, subscripts, add, term.coefficient};
    lower_nest(c, space, {}, {}, std::span(&r, 1));
  }

  Graph& g_;
  const CompileRequest& request_;
  loops::Program& p_;
  Sizes sizes_;
  Plan plan_;
  std::map<DimId, uint32_t> dims_;
  std::map<NodeId, ArrayId> arrays_, factors_;
  std::vector<ArrayId> outputs_;
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
    if (g[n].kind == Kind::Size) add_parts(add_parts, DimId{g[n].row});
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
