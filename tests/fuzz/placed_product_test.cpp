// Are products of places compiled right? Random ones, by themselves and inside sums of blocks, functions and matrix products, some with
// symbolic sizes of which nothing is known: the interpreter against the interpreted loops, the JIT and the emitted C++.
#include <gtest/gtest.h>

#include <random>

#include "codegen/cpp.h"
#include "codegen/jit.h"
#include "ir/loops_interpret.h"
#include "ir/text.h"
#include "passes/lower_to_loops.h"
#include "tests/compiled_library.h"
#include "tests/fuzz/campaign.h"
#include "tests/fuzz/guarded_call.h"

using namespace ricci;
using namespace ricci::fuzz;

namespace {

// A graph of a few steps over dimensions of sizes 1 to 6, and the values of its variables.
class PlacedProducts {
 public:
  explicit PlacedProducts(uint64_t seed) : random_(seed), seed_(seed) {
    symbolic_ = below(2) == 0;
    for (size_t k = 0; k < kDims; ++k) {
      sizes_[k] = k < 3 ? 1 + below(3) : 2 + below(5);
      const std::string name(1, "pqrmnk"[k]);
      dims_[k] = symbolic_ ? g.dim(name) : g.dim(sizes_[k]);
      sizes[name] = sizes_[k];
    }
    for (int k = 0; k < 3; ++k) variable();
    for (int64_t k = 1 + below(5); k > 0; --k) step();
    for (const NodeId n : {pool_.back(), pool_[pool_.size() / 2]})
      if (outputs.empty() || outputs[0] != n) outputs.push_back(n);
  }

  Graph g;
  Dims sizes;
  std::map<NodeId, ricci::Array<Quad>> inputs;
  std::vector<NodeId> outputs;

  CompileRequest request() const {
    CompileRequest r{.name = "f" + std::to_string(seed_)};
    for (const auto& [node, values] : inputs) r.inputs.push_back({g.symbol(node).name, node});
    for (NodeId n : outputs) r.outputs.push_back({"out" + std::to_string(r.outputs.size()), n});
    return r;
  }

 private:
  static constexpr size_t kDims = 6;
  static constexpr int64_t kLargest = 4000;  // entries

  int64_t below(int64_t n) { return int64_t(random_() % uint64_t(n)); }
  int64_t size(DimId d) const { return size_of(g, d, sizes); }
  int64_t entries(const Type& t) const {
    int64_t r = 1;
    for (DimId d : t) r *= size(d);
    return r;
  }

  void variable() {
    Type type;
    for (int64_t d = below(4); d > 0; --d) type.push_back(dims_[size_t(below(kDims))]);
    const std::string name = "v" + std::to_string(inputs.size());
    const NodeId v = g.variable(g.declare({name, type, std::vector<Variance>(type.size(), Variance::Up)}));
    ricci::Array<Quad> a(shape_of(g, type, sizes));
    for (Quad& x : a.data) x = double(1 + below(64)) / 16 - 2;
    inputs[v] = std::move(a);
    pool_.push_back(v);
  }

  NodeId any() { return pool_[below(3) ? pool_.size() - 1 - size_t(below(std::min<int64_t>(3, int64_t(pool_.size())))) : size_t(below(int64_t(pool_.size())))]; }

  void keep(NodeId n) {
    if (entries(g[n].type) > kLargest || g[n].rank() > 4) return;
    const auto value = interpret<Quad>(g, n, sizes, inputs);
    for (Quad x : value.data)
      if (x > 1000 || x < -1000) return;
    pool_.push_back(n);
  }

  void step() {
    switch (below(6)) {
      case 0:
      case 1: return product();
      case 2: return map();
      case 3: return blocks();
      case 4: return slice();
      default: return kron();
    }
  }

  // Labels 0 to 5 have the six dimensions; further ones those of the tensors.
  void product() {
    std::vector<DimId> dim(dims_, dims_ + kDims);
    std::vector<Factor> factors;
    const auto label_of = [&](DimId d) {
      std::vector<Label> alike;
      for (Label l = 0; l < dim.size(); ++l)
        if (dim[l] == d) alike.push_back(l);
      if (!alike.empty() && below(4)) return alike[size_t(below(int64_t(alike.size())))];
      dim.push_back(d);
      return Label(dim.size() - 1);
    };
    for (int64_t t = 1 + below(3); t > 0; --t) {
      Factor f{any(), {}};
      for (DimId d : g[f.tensor].type) f.labels.push_back(label_of(d));
      factors.push_back(std::move(f));
    }
    for (int64_t t = 1 + below(3); t > 0; --t) {
      const Label whole = Label(below(int64_t(dim.size())));
      Labels digits;
      int64_t span = 1;
      for (int64_t d = below(3); d > 0; --d) {
        const Label l = Label(below(int64_t(dim.size())));
        if (l <= whole || span * size(dim[l]) > size(dim[whole])) continue;  // no axis is a place inside itself
        digits.push_back(l);
        span *= size(dim[l]);
      }
      Type parts;
      for (Label l : digits) parts.push_back(dim[l]);
      digits.insert(digits.begin(), whole);
      factors.push_back({g.place(dim[whole], parts, g.dim(below(size(dim[whole]) - span + 1))), digits});
    }
    Labels out;
    Type type;
    for (int64_t d = below(4); d > 0; --d) out.push_back(Label(below(int64_t(dim.size())))), type.push_back(dim[out.back()]);
    int64_t work = 1;
    for (DimId d : dim) work *= size(d);
    if (work < 200000) keep(g.ein(std::move(factors), std::move(out), std::move(type)));
  }

  void map() {
    const NodeId x = any();
    static constexpr MapOp kOps[] = {MapOp::tanh_, MapOp::sin_, MapOp::cos_};
    keep(g.map(kOps[below(3)], {x}));
  }

  // Blocks of one or two axes one after the other, sometimes with a hole, sometimes twice at one place.
  void blocks() {
    const NodeId first = any();
    if (g[first].rank() == 0) return;
    const Type type = g[first].type;
    const size_t axis = size_t(below(int64_t(type.size())));
    std::vector<NodeId> parts;
    for (NodeId n : pool_) {
      if (g[n].rank() != type.size() || parts.size() == 3 || below(3) == 0) continue;
      bool fits = true;
      for (size_t k = 0; k < type.size(); ++k) fits = fits && (k == axis || g[n].type[k] == type[k]);
      if (fits) parts.push_back(n);
    }
    if (parts.empty()) parts.push_back(first);
    std::vector<DimId> lengths;
    for (NodeId n : parts) lengths.push_back(g[n].type[axis]);
    const bool hole = below(3) == 0;
    if (hole) lengths.push_back(dims_[size_t(below(kDims))]);
    const DimId whole = g.sum(lengths);
    std::vector<Term> terms;
    std::vector<DimId> before;
    for (NodeId n : parts) {
      Labels labels = Graph::iota(type.size()), out = labels;
      out[axis] = Label(type.size());
      Type out_type = g[n].type;
      out_type[axis] = whole;
      terms.push_back({below(4) ? 1 : -2, g.ein({{n, labels}, {g.place(whole, {g[n].type[axis]}, g.sum(before)), {out[axis], Label(axis)}}}, out, out_type)});
      if (below(8)) before.push_back(g[n].type[axis]);
    }
    Type sum_type = type;
    sum_type[axis] = whole;
    keep(g.sum(std::move(terms), sum_type));
  }

  // A piece or an entry of an axis.
  void slice() {
    const NodeId x = any();
    if (g[x].rank() == 0) return;
    const size_t axis = size_t(below(int64_t(g[x].rank())));
    Type out_type = g[x].type;
    const DimId whole = out_type[axis];
    if (size(whole) == 0) return;
    const Labels labels = Graph::iota(out_type.size());
    Labels out = labels;
    if (below(2)) {
      out.erase(out.begin() + long(axis));
      out_type.erase(out_type.begin() + long(axis));
      return keep(g.ein({{x, labels}, {g.unit_vector(whole, 1 + below(size(whole))), {Label(axis)}}}, out, out_type));
    }
    const DimId part = dims_[size_t(below(kDims))];
    if (size(part) > size(whole)) return;
    out[axis] = Label(labels.size());
    out_type[axis] = part;
    keep(g.ein({{x, labels}, {g.place(whole, {part}, g.dim(below(size(whole) - size(part) + 1))), {Label(axis), out[axis]}}}, out, out_type));
  }

  // Of two matrices, or the vec of one.
  void kron() {
    std::vector<NodeId> matrices;
    for (NodeId n : pool_)
      if (g[n].rank() == 2 && entries(g[n].type) < 64) matrices.push_back(n);
    if (matrices.empty()) return;
    const NodeId a = matrices[size_t(below(int64_t(matrices.size())))], b = matrices.back();
    const Type ta = g[a].type, tb = g[b].type;
    if (below(2)) {
      const DimId whole = g.product(ta);
      return keep(g.ein({{a, {0, 1}}, {g.place(whole, {ta[1], ta[0]}, g.dim(0)), {2, 1, 0}}}, {2}, {whole}));
    }
    const DimId rows[] = {ta[0], tb[0]}, columns[] = {ta[1], tb[1]};
    const DimId r = g.product(rows), c = g.product(columns);
    keep(g.ein({{a, {0, 1}}, {b, {2, 3}}, {g.place(r, {ta[0], tb[0]}, g.dim(0)), {4, 0, 2}}, {g.place(c, {ta[1], tb[1]}, g.dim(0)), {5, 1, 3}}},
               {4, 5}, {r, c}));
  }

  std::mt19937_64 random_;
  uint64_t seed_;
  bool symbolic_;
  int64_t sizes_[kDims];
  DimId dims_[kDims];
  std::vector<NodeId> pool_;
};

// One of them on its way through the back ends.
struct Trial {
  std::unique_ptr<PlacedProducts> program;
  CompileRequest request;
  Unit unit;
  std::vector<ConditionedArray> expected;
  std::vector<int64_t> dims;
  std::vector<std::vector<double>> in;
  bool failed = false;

  explicit Trial(uint64_t seed) : program(std::make_unique<PlacedProducts>(seed)), request(program->request()) {
    expected = interpret_with_condition(program->g, program->outputs, program->sizes, program->inputs);
    for (DimId d : symbolic_dims(program->g, request)) dims.push_back(size_of(program->g, d, program->sizes));
    unit.program = lower_to_loops(program->g, request);
    for (const auto& [node, values] : program->inputs) in.push_back(convert<double>(values).data);
  }

  std::vector<size_t> sizes() const {
    std::vector<size_t> r;
    for (const auto& e : expected) r.push_back(e.value.data.size());
    return r;
  }

  void compare(const std::vector<std::vector<double>>& out, const std::string& by) {
    for (size_t o = 0; o < out.size() && !failed; ++o)
      for (size_t e = 0; e < out[o].size() && !failed; ++e) {
        const double value = double(expected[o].value.data[e]), error = double(expected[o].error.data[e]);
        failed = !(std::abs(out[o][e] - value) <= 1e-13 * (error + std::abs(value) + 1));
        if (failed)
          ADD_FAILURE() << by << ": output " << o << ", element " << e << ": " << out[o][e] << " for " << value << "\n" << description();
      }
  }
  std::string description() {
    Graph& g = program->g;
    const Sizes sizes;
    std::string s = request.name + "\n" + print_ir(g, program->outputs);
    for (const auto& [name, size] : program->sizes) s += name + " = " + std::to_string(size) + "  ";
    const Plan plan = make_plan(g, program->outputs, sizes);
    return s + "\n" + print_ir(g, plan.outputs) + to_text(g, plan, sizes) + loops::to_text(unit.program);
  }

  void interpret_loops() {
    if (const auto broken = loops::verify(unit.program)) {
      failed = true;
      ADD_FAILURE() << *broken << "\n" << description();
      return;
    }
    std::vector<std::vector<double>> out;
    for (size_t n : sizes()) out.emplace_back(n, 12345.0);
    const loops::Outcome outcome = loops::interpret<double>(unit.program, in, out, dims, rt::kernel_symbols());
    if (!outcome.error.empty()) {
      failed = true;
      ADD_FAILURE() << outcome.error << "\n" << description();
    }
    compare(out, "loops");
  }

  template <class Function>
  void call(const Function& f, const std::string& by) {
    try {
      const GuardedCall<double> call(f, in, sizes(), std::vector<bool>(expected.size(), true), dims, true);
      compare(call.out, by);
    } catch (const std::runtime_error& e) {
      failed = true;
      ADD_FAILURE() << by << ": " << e.what() << "\n" << description();
    }
  }
};

TEST(PlacedProducts, AreCompiledRight) {
  const uint64_t count = from_environment("RICCI_FUZZ_COUNT", 200), first = from_environment("RICCI_FUZZ_SEED", 1);
  const bool compiled = from_environment("RICCI_FUZZ_COMPILED", 1);
  Jit jit(Target{.optimization = 2});
  const std::string gcc = first_compiler({"g++"});
  size_t failures = 0;
  for (uint64_t seed = first; seed < first + count && failures < 3; seed += 50) {
    std::vector<Trial> trials;
    for (uint64_t s = seed; s < std::min(seed + 50, first + count); ++s) {
      SCOPED_TRACE(s);
      try {
        trials.emplace_back(s);
      } catch (const std::invalid_argument&) {
        continue;  // two steps made an axis a place inside itself
      }
      trials.back().interpret_loops();
    }
    if (compiled) {
      std::vector<Unit> units;
      for (const Trial& t : trials) units.push_back(t.unit);
      const std::vector<CompiledFunction> functions = jit.compile(units);
      for (size_t k = 0; k < trials.size(); ++k) trials[k].call(functions[k], "jit");
      if (!gcc.empty() && seed % 250 == 1) {
        const CompiledLibrary library(gcc, "-Wall -Wextra -Wconversion -Werror -O1", to_cpp(units));
        ASSERT_TRUE(library.ok());
        for (Trial& t : trials) t.call(LoadedFunction(library, t.unit.program.name), gcc);
      }
    }
    for (const Trial& t : trials) failures += t.failed;
  }
}

}  // namespace
