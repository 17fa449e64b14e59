// The C++ interface (include/ricci/ricci.h) over the compiler. A Graph only grows, also when it is asked something, so every use of a
// program holds its lock; compiled functions are independent of it.
#define RICCI_COMPILER
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <mutex>
#include <new>
#include <sstream>

#include "codegen/jit.h"
#include "codegen/jit_host_functions.h"
#include "codegen/object_cache.h"
#include "codegen/object_unit.h"
#include "codegen/text.h"
#include "frontend/program.h"
#include "passes/differentiate.h"
#include "passes/layout.h"
#include "passes/raise.h"
#include "passes/simplify.h"
#include "ricci/ricci.h"
#include "runtime/threads.h"

namespace ricci::host {

namespace {

// Scratch of one thread, 64-byte aligned, that grows to what was needed most.
class Scratch {
 public:
  Scratch() = default;
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() { std::free(data_); }
  void* reserve(size_t bytes) {
    if (bytes <= size_) return data_;
    void* grown = bytes > SIZE_MAX / 2 ? nullptr : std::aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (!grown) throw Error(fmt::format("no memory for {} bytes of scratch", bytes), RICCI_WORK);
    std::free(data_);
    data_ = grown;
    size_ = bytes;
    return data_;
  }

 private:
  void* data_ = nullptr;
  size_t size_ = 0;
};

// The compiler behind a set of options, made once a process and never taken down: functions may outlive main.
Jit& jit_for(const CompileOptions& options) {
  static std::mutex lock;
  static auto& jits = *new std::map<std::pair<int, bool>, std::unique_ptr<Jit>>;
  std::lock_guard guard(lock);
  std::unique_ptr<Jit>& jit = jits[{options.optimization, options.fast_math}];
  if (!jit) {
    Target target;
    target.optimization = options.optimization;
    target.fast_math = options.fast_math;
    jit = std::make_unique<Jit>(target);
  }
  return *jit;
}

// The cache in a folder, one a process; none for no folder. Throws Error for a folder that cannot be used.
ObjectCache* cache_in(const std::string& folder) {
  if (folder.empty()) return nullptr;
  static std::mutex lock;
  static auto& caches = *new std::map<std::string, std::unique_ptr<ObjectCache>>;
  std::lock_guard guard(lock);
  std::unique_ptr<ObjectCache>& cache = caches[folder];
  if (!cache || !cache->problem().empty()) cache = std::make_unique<ObjectCache>(folder);
  if (!cache->problem().empty()) throw Error(fmt::format("no cache of compiled code: {}", cache->problem()));
  return cache.get();
}

}  // namespace

void Extents::push_back(int64_t v) {
  if (size_ == most) throw Error(fmt::format("an array of more than {} axes", most), RICCI_RANK);
  values_[size_++] = v;
}

void check_extent(const Extents& shape, int64_t available) {
  if (available < 0) return;
  int64_t count = 1;
  for (size_t k = 0; k < shape.size(); ++k)
    if (shape[k] < 0 || __builtin_mul_overflow(count, shape[k], &count)) count = INT64_MAX;
  if (count > available) throw Error(fmt::format("a shape of {} entries over {} numbers", count, available), RICCI_SHAPE);
}

size_t entries(const Extents& shape) {
  size_t count = 1;
  for (size_t k = 0; k < shape.size(); ++k) count *= size_t(shape[k]);
  return count;
}
void check_rank(const Extents& shape, size_t rank) {
  if (shape.size() != rank)
    throw Error(fmt::format("a function of yours takes or gives {} axes where the program has {}", rank, shape.size()), RICCI_RANK);
}
void check_entries(const Extents& shape, size_t count) {
  if (entries(shape) != count)
    throw Error(fmt::format("a function of yours takes or gives {} entries where the program has {}", count, entries(shape)), RICCI_SHAPE);
}

// --- functions ----------------------------------------------------------------------------------------------------------------------

namespace {

// What a call needs and the next one can use again. Functions of the host's may call compiled functions: each call in being on a thread has
// its own.
struct CallMemory {
  Scratch scratch;
  std::vector<ricci_array> arrays;
  std::vector<float> singles;  // numbers given as double to a float function
  HostCalls calls;
};
class CallInBeing {
 public:
  CallInBeing() : depth_(depth()) {
    if (all().size() == depth_) all().emplace_back();
    ++depth();
  }
  ~CallInBeing() { --depth(); }
  CallInBeing(const CallInBeing&) = delete;
  CallInBeing& operator=(const CallInBeing&) = delete;
  CallMemory& memory() { return all()[depth_]; }

 private:
  static size_t& depth() {
    thread_local size_t d = 0;
    return d;
  }
  static std::deque<CallMemory>& all() {
    thread_local std::deque<CallMemory> memories;
    return memories;
  }
  size_t depth_;
};

}  // namespace

struct Function::State {
  CompiledFunction code;
  std::vector<HostFunction> functions = {};  // in the order of meta.functions
};

Function Function::with(const HostFunctions& functions) const {
  State bound = *state_;
  bound.functions.resize(size_t(meta().function_count));
  for (size_t k = 0; k < bound.functions.size(); ++k) {
    const ricci_function_meta& f = meta().functions[k];
    const auto given = functions.find(std::string_view(f.name));
    if (given == functions.end()) continue;
    if (const int arity = given->second.arity(); arity >= 0 && arity != f.argument_count)
      throw Error(fmt::format("{} takes {} argument{}, the function supplied for it {}", f.name, f.argument_count,
                              f.argument_count == 1 ? "" : "s", arity),
                  RICCI_COUNT);
    bound.functions[k] = given->second;
  }
  return Function(std::make_shared<State>(std::move(bound)));
}

const ricci_meta& Function::meta() const { return state_->code.meta(); }

int Function::try_call(std::span<const Input> in, std::span<const Output> out) const {
  const ricci_meta& m = meta();
  CallInBeing call;
  auto& [scratch, arrays, singles, calls] = call.memory();
  arrays.clear();
  singles.assign(in.size(), 0);
  for (const Input& i : in) {
    const size_t k = arrays.size();
    const bool single = k < size_t(m.argument_count) && m.arguments[k].dtype == RICCI_F32;
    if (i.is_number_ && single) singles[k] = float(i.number_);
    const void* data = !i.is_number_ ? i.data_ : single ? static_cast<const void*>(&singles[k]) : &i.number_;
    arrays.push_back({const_cast<void*>(data), i.is_number_ && single ? int32_t(RICCI_F32) : i.dtype_, int32_t(i.shape_.size()),
                      i.shape_.data(), i.strides_.size() == 0 ? nullptr : i.strides_.data()});
  }
  for (const Output& o : out)
    arrays.push_back({o.data_, o.dtype_, int32_t(o.shape_.size()), o.shape_.data(), o.strides_.size() == 0 ? nullptr : o.strides_.data()});
  const ricci_array *first = arrays.data(), *results = first + in.size();
  const bool counts = in.size() == size_t(m.argument_count) && out.size() == size_t(m.result_count);
  const size_t bytes = counts ? ricci_call_work_bytes(&m, first, results) : 0;
  void* work = scratch.reserve(bytes);
  ricci_report report;
  const ricci_function* functions = calls.bind(m, state_->functions);
  const int status = ricci_call_with(&m, functions, int32_t(state_->functions.size()), first, int32_t(in.size()), results,
                                     int32_t(out.size()), work, bytes, &report);
  calls.rethrow();
  if (status != RICCI_OK && status != RICCI_SINGULAR) throw Error(report.message, status, report.argument);
  return status;
}

namespace {

void expect_regular(int status, const ricci_meta& m) {
  if (status == RICCI_SINGULAR)
    throw Error(fmt::format("{} met a singular matrix, or max or min of no entries; the results that depend on it are inf or NaN", m.name), RICCI_SINGULAR);
}

}  // namespace

void Function::operator()(std::initializer_list<Input> in, std::initializer_list<Output> out) const {
  expect_regular(try_call(in, out), meta());
}

std::vector<Tensor> Function::evaluate(std::initializer_list<Input> in) const {
  const ricci_meta& m = meta();
  std::vector<int64_t> dims(size_t(m.dim_count), 0);
  std::vector<ricci_array> given;
  for (const Input& i : in) given.push_back({nullptr, 0, int32_t(i.shape_.size()), i.shape_.data(), nullptr});
  if (given.size() == size_t(m.argument_count)) ricci_dims(&m, given.data(), dims.data());
  const auto built = [&](size_t result, int32_t axis) -> int64_t {
    for (int32_t b = 0; b < m.built_count; ++b)
      if (m.built[b].array == m.argument_count + int32_t(result) && m.built[b].axis == axis) return ricci_size(&m.built[b].size, dims.data());
    return 0;
  };
  std::vector<Tensor> results{size_t(m.result_count)};
  std::vector<std::vector<float>> singles{results.size()};
  std::vector<Output> out;
  for (size_t r = 0; r < results.size(); ++r) {
    const ricci_array_meta& a = m.results[r];
    Extents shape;
    int64_t count = 1;
    for (int32_t k = 0; k < a.rank; ++k) {
      const int64_t size = a.symbol[k] >= 0 ? dims[size_t(a.symbol[k])] : a.shape[k] >= 0 ? a.shape[k] : built(r, k);
      shape.push_back(std::max<int64_t>(size, 0));
      if (__builtin_mul_overflow(count, shape[size_t(k)], &count))
        throw Error(fmt::format("`{}` has more entries than memory can have", a.name), RICCI_SHAPE);
    }
    results[r].shape.assign(shape.data(), shape.data() + shape.size());
    results[r].data.resize(size_t(count));
    if (a.dtype == RICCI_F32) singles[r].resize(size_t(count));
    out.push_back(a.dtype == RICCI_F32 ? Output(singles[r].data(), shape) : Output(results[r].data.data(), shape));
  }
  expect_regular(try_call(std::span(in.begin(), in.size()), out), m);
  for (size_t r = 0; r < results.size(); ++r)
    if (!singles[r].empty()) results[r].data.assign(singles[r].begin(), singles[r].end());
  return results;
}

void set_threads(int count) { rt::set_threads(count); }

// --- programs -----------------------------------------------------------------------------------------------------------------------

struct Program::State {
  std::mutex lock;
  ricci::Program program;
  explicit State(ricci::Program p) : program(std::move(p)) {}

  Value find(std::string_view name) const {
    if (const Definition* d = program.find_definition(name)) return d->value;
    if (const Declaration* d = program.find_declaration(name)) return {d->node, program.graph->symbol(d->node).variance};
    throw Error(fmt::format("no definition or variable `{}` in {}", name, program.file));
  }
  const Declaration& variable(std::string_view name) const {
    if (const Declaration* d = program.find_declaration(name)) return *d;
    throw Error(fmt::format("no variable `{}` in {}", name, program.file));
  }
};

struct Expression::State {
  std::shared_ptr<Program::State> program;
  Value value;
  std::string name;  // for messages
};

namespace {

std::string spell_shape(const Graph& g, NodeId n) {
  std::string text;
  for (DimId d : g[n].type) text += (text.empty() ? "" : " x ") + g.spell(d);
  return text;
}

}  // namespace

// The derivative of a value by a variable, `order` times.
Expression Expression::derivative(std::string_view x, int order, bool scalar) const {
  Program::State& p = *state_->program;
  std::lock_guard guard(p.lock);
  const Declaration& variable = p.variable(x);
  Graph& g = *p.program.graph;
  if (const std::string shape = spell_shape(g, state_->value.node); scalar && !shape.empty())
    throw Error(fmt::format("`{}` is {}, not a scalar: its derivative by `{}` is a Jacobian", state_->name, shape, x));
  return Expression(std::make_shared<State>(State{state_->program, ricci::derivative(g, state_->value, variable, order),
                                                  fmt::format("the derivative of {} by {}", state_->name, x)}));
}
Expression Expression::grad(std::string_view x) const { return derivative(x, 1, true); }
Expression Expression::jac(std::string_view x) const { return derivative(x, 1, false); }
Expression Expression::hess(std::string_view x) const { return derivative(x, 2, true); }

std::string Expression::text() const {
  std::lock_guard guard(state_->program->lock);
  Graph& g = *state_->program->program.graph;
  const Raised raised = raise(g, simplify(g, state_->value.node), state_->value.variance);
  if (!raised.expr) throw Error(fmt::format("{} has no matrix form: {}", state_->name, raised.reason));
  return to_text(*raised.expr);
}

std::string Expression::shape() const {
  std::lock_guard guard(state_->program->lock);
  return spell_shape(*state_->program->program.graph, state_->value.node);
}

Program Program::parse(std::string_view text, std::string_view file) {
  Diagnostics diagnostics;
  std::optional<ricci::Program> program = parse_program(std::string(text), std::string(file), calculus(), diagnostics);
  if (!program) throw Error(diagnostics.to_text());
  return Program(std::make_shared<State>(std::move(*program)));
}

Program Program::read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  if (!file || !(text << file.rdbuf()).good()) throw Error(fmt::format("cannot read {}", path));
  return parse(text.str(), path);
}

Expression Program::operator[](std::string_view name) const {
  std::lock_guard guard(state_->lock);
  return Expression(std::make_shared<Expression::State>(Expression::State{state_, state_->find(name), std::string(name)}));
}

void Program::define(std::string_view name, const Expression& value) {
  if (value.state_->program != state_) throw Error(fmt::format("`{}` is an expression of another program", name));
  std::lock_guard guard(state_->lock);
  if (state_->program.find(name)) throw Error(fmt::format("`{}` is defined already", name));
  state_->program.definitions.push_back({std::string(name), value.state_->value});
}

std::vector<Signature> Program::exports() const {
  std::lock_guard guard(state_->lock);
  std::vector<Signature> list;
  for (const Export& e : state_->program.exports) list.push_back({e.name, e.arguments, e.results});
  return list;
}

Function Program::compile(std::string_view name, const CompileOptions& options) const {
  std::vector<Signature> known = exports();
  const auto found = std::ranges::find(known, name, &Signature::name);
  if (found == known.end()) throw Error(fmt::format("no exported function `{}`", name));
  return compile(*found, options);
}

Function Program::compile(const Signature& signature, const CompileOptions& options) const try {
  Jit& jit = jit_for(options);
  BuildOptions build;
  build.dims = options.dims;
  build.column_major = options.column_major;
  build.scalar = options.single ? loops::Scalar::Float : loops::Scalar::Double;
  Unit unit;
  {
    std::lock_guard guard(state_->lock);
    unit = ricci::build(state_->program, {signature.name, signature.arguments, signature.results}, build, jit.target());
  }
  return Function(std::make_shared<Function::State>(Function::State{jit.compile(unit, cache_in(options.cache_dir))}));
} catch (const Error&) {
  throw;
} catch (const std::exception& e) {
  throw Error(e.what());
}

}  // namespace ricci::host
