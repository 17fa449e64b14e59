// Sizes come from the data: each axis of each given array says what its dimension is, and two that disagree are both named.
#include "tools/ricci/function.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <set>

#include "codegen/object_cache.h"
#include "ir/dimension.h"
#include "ir/sample.h"
#include "tools/guard.h"
#include "tools/tensor_file.h"

namespace ricci::driver {

Target target_of(const Options& o) {
  Target t;
  t.triple = o.target;
  t.cpu = o.march;
  t.optimization = o.level;
  t.fast_math = o.fast_math;
  t.vector_library = o.vector_library == "none" ? VectorLibrary::None : VectorLibrary::Libmvec;
  return t;
}

BuildOptions build_options(const Options& options, bool fix_sizes) {
  BuildOptions b;
  if (fix_sizes) b.dims = dimension_sizes(options);
  b.scalar = options.use_float ? loops::Scalar::Float : loops::Scalar::Double;
  b.optimize = options.level > 0;
  return b;
}

Unit unit_for(Program& program, const Export& function, const Options& options, bool fix_sizes) try {
  constexpr size_t kMostAxes = 32;  // as runtime/checked_call.cpp takes; a row-major offset has a product of sizes for each
  const Graph& g = *program.graph;
  for (const std::string& result : function.results) {
    const NodeId root = *program.find(result);
    for (NodeId n : g.reachable(std::span(&root, 1)))
      if (g[n].rank() > kMostAxes) throw TooLarge(fmt::format("a tensor with {} indices; compiled functions take {} at most", g[n].rank(), kMostAxes));
  }
  return build(program, function, build_options(options, fix_sizes), target_of(options));
} catch (const std::invalid_argument& e) {
  throw UsageError(e.what());
} catch (const std::overflow_error& e) {
  throw TooLarge(e.what());
}

std::vector<CalledFunction> called_by(const Program& program, const Export& function) {
  std::vector<NodeId> results;
  for (const std::string& name : function.results) results.push_back(*program.find(name));
  return called_functions(*program.graph, results);
}

namespace {

// The sizes known so far, and which array said so.
struct Unifier {
  const Graph& g;
  std::map<std::string, std::pair<int64_t, std::string>, std::less<>> sizes;
  struct Built {
    DimId dim;
    int64_t size;
    std::string origin;
  };
  std::vector<Built> built = {};

  void meet(DimId d, int64_t size, const std::string& origin) {
    const Dim& dim = g[d];
    if (dim.kind == Dim::Kind::Fixed && dim.size != size)
      throw UsageError(fmt::format("{} has size {} where {} is declared", origin, size, dim.size));
    if (dim.kind == Dim::Kind::Product || dim.kind == Dim::Kind::Sum) built.push_back({d, size, origin});
    if (dim.kind != Dim::Kind::Symbol) return;
    auto [at, fresh] = sizes.try_emplace(dim.name, size, origin);
    if (!fresh && at->second.first != size)
      throw UsageError(fmt::format("`{}` is {} in {} and {} in {}", dim.name, at->second.first, at->second.second, size, origin));
  }
  // Whether one symbol alone is open, so that the size should have said what it is.
  bool solvable(const Built& b) const {
    std::set<std::string> open;
    for (const auto& [symbols, c] : Extent::of(g, b.dim).terms)
      for (const std::string& s : symbols)
        if (!sizes.contains(s)) open.insert(s);
    return open.size() == 1;
  }
  // What built sizes say: n of n + 1. They must be what the others make them.
  void meet_built() {
    for (bool solved = true; solved;) {
      solved = false;
      for (const Built& b : built)
        if (const auto open = solve(Extent::of(g, b.dim), b.size, dims())) solved = sizes.try_emplace(open->first, open->second, b.origin).second;
    }
    for (const Built& b : built) {
      std::vector<DimId> open{b.dim};
      bool known = true;
      for (size_t k = 0; k < open.size(); ++k) {
        const Dim& d = g[open[k]];
        known = known && (d.kind != Dim::Kind::Symbol || sizes.contains(d.name));
        open.insert(open.end(), d.parts.begin(), d.parts.end());
      }
      if (!known && solvable(b)) throw UsageError(fmt::format("{} has size {} where {} is declared", b.origin, b.size, g.spell(b.dim)));
      if (known && size_of(g, b.dim, dims()) != b.size)
        throw UsageError(fmt::format("`{}` is {} in {} and {} by the other sizes", g.spell(b.dim), b.size, b.origin, size_of(g, b.dim, dims())));
    }
  }
  Dims dims() const {
    Dims d;
    for (const auto& [name, size] : sizes) d[name] = size.first;
    return d;
  }
};

struct Given {
  std::string name, file;
};

std::vector<Given> given_files(const Options& options) {
  std::vector<Given> given;
  for (const std::string& text : options.in) {
    size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0) throw UsageError(fmt::format("--in is written X=FILE, not `{}`", text));
    given.push_back({text.substr(0, equals), text.substr(equals + 1)});
  }
  return given;
}

bool is_number(const std::string& text, double& value) {
  char* end = nullptr;
  value = std::strtod(text.c_str(), &end);
  return !text.empty() && *end == '\0';
}

// --in lambda=0.5 gives a scalar its value.
Array<double> read_argument(const Given& given, const Declaration& d, const Graph& g) {
  Array<double> a;
  double value = 0;
  if (g[d.node].rank() == 0 && is_number(given.file, value)) {
    a.data = {value};
    return a;
  }
  const size_t rank = g[d.node].rank();
  TensorFile file = read_tensor(given.file, rank);
  if (file.shape.size() != rank)
    throw UsageError(fmt::format("{} is declared with {} indices, and {} has {}", d.name, rank, given.file, file.shape.size()));
  a.shape = file.shape;
  a.data = std::move(file.data);
  return a;
}

// What the arrays of a call take, against what the machine has: memory that is only promised would end the process when it is filled.
class Memory {
 public:
  // Makes room for an array of `type`. Throws TooLarge that names it.
  void take(const Graph& g, const Type& type, const std::string& name, const Dims& dims) {
    int64_t bytes = kCopies * int64_t(sizeof(double));
    const std::vector<int64_t> shape = shape_of(g, type, dims);
    const bool empty = std::ranges::find(shape, 0) != shape.end();
    bool fits = true;
    for (int64_t size : shape) fits = fits && !__builtin_mul_overflow(bytes, size, &bytes);
    if (empty) return;
    if (!fits || bytes > left_) throw TooLarge(fmt::format("`{}` with {} entries does not fit into memory", name, fmt::join(shape, " x ")));
    left_ -= bytes;
  }

 private:
  static constexpr int64_t kCopies = 2;  // as it is drawn or read, and as it is passed
  int64_t left_ = int64_t(::sysconf(_SC_PHYS_PAGES)) * int64_t(::sysconf(_SC_PAGESIZE));
};

}  // namespace

Arguments gather(const Program& program, const Export& function, const Options& options, bool draw_rest) {
  const Graph& g = *program.graph;
  Unifier unifier{g, {}};
  for (const auto& [name, size] : dimension_sizes(options)) unifier.sizes[name] = {size, "--dim"};
  std::map<std::string, Array<double>, std::less<>> arrays;
  for (const Given& given : given_files(options)) {
    const Declaration& d = declared(program, given.name);
    Array<double> a = read_argument(given, d, g);
    for (size_t k = 0; k < a.shape.size(); ++k) unifier.meet(g[d.node].type[k], a.shape[k], given.name);
    arrays[d.name] = std::move(a);
  }
  unifier.meet_built();
  for (const std::string& name : options.random)
    if (name != "all") declared(program, name);
  bool all = draw_rest || std::ranges::find(options.random, "all") != options.random.end();

  Arguments result{unifier.dims(), {}, {}};
  Sampler sampler(options.seed);
  Memory memory;
  auto need_sizes = [&](const Type& type, const std::string& what) {
    Type open = type;
    for (size_t k = 0; k < open.size(); ++k) {
      const Dim& d = g[open[k]];
      if (d.kind == Dim::Kind::Symbol && !result.dims.contains(d.name))
        throw UsageError(fmt::format("the size of `{}` in {} is not known; give it with --dim {}=N", d.name, what, d.name));
      open.insert(open.end(), d.parts.begin(), d.parts.end());
    }
  };
  for (const std::string& name : function.arguments) {
    if (auto at = arrays.find(name); at != arrays.end()) {
      result.in.push_back(std::move(at->second));
      continue;
    }
    if (!all && std::ranges::find(options.random, name) == options.random.end())
      throw UsageError(fmt::format("{} needs {}: give --in {}=FILE or --random {}", function.name, name, name, name));
    const Symbol& symbol = g.symbol(declared(program, name).node);
    need_sizes(symbol.type, name);
    memory.take(g, symbol.type, name, result.dims);
    result.in.push_back(sampler.draw(g, symbol, result.dims));
  }
  for (const std::string& name : function.results) {
    const Type& type = g[*program.find(name)].type;
    need_sizes(type, name);
    memory.take(g, type, name, result.dims);
    result.out.emplace_back(shape_of(g, type, result.dims));
  }
  return result;
}

CompiledFunction Call::compile(const Unit& unit, const Options& options) {
  std::optional<ObjectCache> cache;
  if (!options.no_cache) cache.emplace(options.cache_dir.empty() ? ObjectCache::default_folder() : options.cache_dir);
  CompiledFunction function = Jit(target_of(options)).compile(unit, cache ? &*cache : nullptr);
  if (!cache) origin_ = "no object cache: --no-cache";
  else if (!cache->problem().empty()) origin_ = "no object cache: " + cache->problem();
  else origin_ = cache->counts().hits ? "object cache: hit" : "object cache: miss";
  if (cache && cache->counts().damaged)
    fmt::print(stderr, "warning: a damaged entry of the object cache was removed, and its code compiled again\n");
  return function;
}

Call::Call(Program& program, const Export& function, const Options& options, Arguments arguments)
    : single_(options.use_float), arguments_(std::move(arguments)), function_([&] {
        auto start = std::chrono::steady_clock::now();
        CompiledFunction compiled = compile(unit_for(program, function, options, false), options);
        compile_seconds_ = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        if (options.verbose) fmt::print(stderr, "compiled in {:.1f} ms; {}\n", 1e3 * compile_seconds_, origin_);
        else if (options.stats) fmt::print(stderr, "{}\n", origin_);
        return compiled;
      }()) {
  const ricci_meta& meta = function_.meta();
  std::vector<CalledFunction> called = called_by(program, function);
  std::erase_if(called, [&](const CalledFunction& f) {  // what the optimised code has no use for
    const std::string& name = (*program.graph)[f.symbol].name;
    return std::none_of(meta.functions, meta.functions + meta.function_count, [&](const ricci_function_meta& m) { return name == m.name; });
  });
  stand_ins_.emplace(*program.graph, called);
  for (int32_t k = 0; k < meta.dim_count; ++k) {
    auto at = arguments_.dims.find(meta.dims[k]);
    if (at == arguments_.dims.end())
      throw UsageError(fmt::format("the size of `{0}` is not known; give it with --dim {0}=N", meta.dims[k]));
    dims_.push_back(at->second);
  }
  if (const char* unmet = ricci_unmet(&meta, dims_.data()))
    throw UsageError(fmt::format("{} needs {} for its entries and slices", function.name, unmet));
  auto buffers = [](const std::vector<Array<double>>& arrays, auto& typed) {
    for (const Array<double>& a : arrays) typed.emplace_back(a.data.begin(), a.data.end());
  };
  if (single_) buffers(arguments_.in, in32_), buffers(arguments_.out, out32_);
  else buffers(arguments_.in, in64_), buffers(arguments_.out, out64_);
  size_t bytes = function_.work_bytes(dims_.data());
  if (bytes > size_t(1) << 40) throw UsageError(fmt::format("{} needs a workspace of {} bytes at these sizes", function.name, bytes));
  work_.resize(bytes + 64);
  aligned_work_ = reinterpret_cast<void*>((reinterpret_cast<uintptr_t>(work_.data()) + 63) / 64 * 64);
}

template <class T>
int Call::call(std::vector<std::vector<T>>& in, std::vector<std::vector<T>>& out) {
  std::vector<const T*> inputs;
  std::vector<T*> outputs;
  for (auto& a : in) inputs.push_back(a.data());
  for (auto& a : out) outputs.push_back(a.data());
  return function_(inputs.data(), outputs.data(), dims_.data(), aligned_work_, stand_ins_->table());
}

int Call::operator()() { return single_ ? call(in32_, out32_) : call(in64_, out64_); }

const std::vector<Array<double>>& Call::results() {
  for (size_t k = 0; k < arguments_.out.size(); ++k) {
    if (single_) arguments_.out[k].data.assign(out32_[k].begin(), out32_[k].end());
    else arguments_.out[k].data = out64_[k];
  }
  return arguments_.out;
}

}  // namespace ricci::driver
