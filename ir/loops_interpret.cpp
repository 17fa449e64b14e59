#include "ir/loops_interpret.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "ir/scalar.h"

namespace ricci::loops {
namespace {

struct Fault {
  std::string what;
};

// The types of the kernels; their addresses come with the call.
#define RICCI_KERNEL(name, result, work2, work1, work0, ...) using name##_type = result (*)(__VA_ARGS__);
namespace f64 {
using T = double;
#include "runtime/kernels.def"
}  // namespace f64
namespace f32 {
using T = float;
#include "runtime/kernels.def"
}  // namespace f32
#undef RICCI_KERNEL

// An argument of a kernel before it has its C type.
template <class T>
struct Actual {
  int64_t integer = 0;
  T scalar = 0;
  T* pointer = nullptr;
};
template <class P, class T>
P as(const Actual<T>& a) {
  if constexpr (std::is_same_v<P, int64_t>) return a.integer;
  else if constexpr (std::is_pointer_v<P>) return a.pointer;
  else return a.scalar;
}

template <class T, class R, class... P>
int invoke(R (*f)(P...), const std::vector<Actual<T>>& arguments) {
  return [&]<size_t... k>(std::index_sequence<k...>) { return int(f(as<P>(arguments[k])...)); }(std::index_sequence_for<P...>());
}

template <class T>
int invoke(const rt::KernelRow& row, void* address, const std::vector<Actual<T>>& arguments) {
#define RICCI_KERNEL(id, ...) \
  if (row.name == #id)        \
    return invoke(reinterpret_cast<std::conditional_t<std::is_same_v<T, double>, f64::id##_type, f32::id##_type>>(address), arguments);
#include "runtime/kernels.def"
#undef RICCI_KERNEL
  throw Fault{"unknown kernel"};
}

template <class T>
T apply(Primitive op, T x, T y, T z) {
  using namespace ricci::scalar;
  switch (op) {
#define RICCI_PRIMITIVE(id, name, arity, meaning, ...) \
  case Primitive::id: return meaning;
#include "ir/primitives.def"
#undef RICCI_PRIMITIVE
  }
  return z;
}

template <class T>
T combine(Combine c, T a, T b) {
  switch (c) {
    case Combine::Add: return a + b;
    case Combine::Mul: return a * b;
    case Combine::Max: return scalar::fmax_(a, b);
    case Combine::Min: return scalar::fmin_(a, b);
  }
  return a;
}

template <class T>
class Machine {
 public:
  Machine(const Program& p, std::span<const std::vector<T>> in, std::span<std::vector<T>> out, std::span<const int64_t> dims,
          std::span<const rt::KernelSymbol> kernels, std::span<const HostFunction<T>> functions)
      : p_(p), dims_(dims), kernels_(kernels), functions_(functions), loops_(p.loop_count), values_(p.value_count), accumulators_(p.accumulator_count) {
    const int64_t work = size(p.work_elements);
    work_.assign(size_t(work), std::numeric_limits<T>::quiet_NaN());
    size_t next_in = 0, next_out = 0;
    for (const Array& a : p.arrays) {
      const int64_t offset = a.role == Array::Role::Work ? size(a.offset) : 0;
      const int64_t length = extent_of(a);
      std::span<T> memory;
      if (a.role == Array::Role::In) memory = {const_cast<T*>(in[next_in].data()), in[next_in].size()}, ++next_in;
      if (a.role == Array::Role::Out) memory = {out[next_out].data(), out[next_out].size()}, ++next_out;
      if (a.role == Array::Role::Work) {
        if (offset < 0 || offset > work || length > work - offset) throw Fault{a.name + " does not fit into the workspace"};
        memory = {work_.data() + offset, size_t(length)};
      }
      if (int64_t(memory.size()) < length) throw Fault{a.name + " is too short"};
      memory_.push_back(memory);
    }
  }

  void run(const std::vector<bool>& requested) {
    std::vector<bool> wanted(p_.arrays.size());
    const std::vector<ArrayId> outputs = arrays_of(p_, Array::Role::Out);
    for (size_t k = 0; k < outputs.size(); ++k) wanted[outputs[k].value] = requested[k];
    const std::vector<size_t> partner = ends();
    std::vector<size_t> open;
    for (size_t pc = 0; pc < p_.body.size(); ++pc) {
      const Statement& s = p_.body[pc];
      if (const auto* f = std::get_if<For>(&s)) {
        loops_[f->loop.value] = 0;
        if (size(f->extent) > 0) open.push_back(pc);
        else pc = partner[pc];
      } else if (const auto* i = std::get_if<If>(&s)) {
        bool any = false;
        for (ArrayId a : i->outputs) any |= wanted[a.value];
        if (any) open.push_back(pc);
        else pc = partner[pc];
      } else if (std::holds_alternative<End>(s)) {
        const auto* loop = std::get_if<For>(&p_.body[open.back()]);
        if (loop && ++loops_[loop->loop.value] < size(loop->extent)) pc = open.back();
        else open.pop_back();
      } else {
        std::visit(*this, s);
      }
    }
  }
  int status() const { return status_; }

  void operator()(const For&) {}
  void operator()(const If&) {}
  void operator()(const End&) {}
  void operator()(const Constant& s) { values_[s.result.value] = T(s.value); }
  void operator()(const Number& s) { values_[s.result.value] = T(size(s.index)); }
  void operator()(const Compare& s) {
    const int64_t a = size(s.left), b = size(s.right);
    values_[s.result.value] = T((s.relation == Compare::Relation::Less ? a < b : a == b) ? 1 : 0);
  }
  void operator()(const Compute& s) {
    T x[3] = {};
    for (size_t k = 0; k < row(s.op).arity; ++k) x[k] = values_[s.operands[k].value];
    values_[s.result.value] = apply(s.op, x[0], x[1], x[2]);
  }
  void operator()(const Load& s) { values_[s.result.value] = *element(s.from); }
  void operator()(const Store& s) { *element(s.to) = values_[s.value.value]; }
  void operator()(const Update& s) {
    T* x = element(s.to);
    *x = combine(s.combine, *x, term(s.value, s.factor));
  }
  void operator()(const Accumulator& s) { accumulators_[s.result.value] = values_[s.initial.value]; }
  void operator()(const Accumulate& s) {
    T& a = accumulators_[s.to.value];
    a = combine(s.combine, a, term(s.value, s.factor));
  }
  void operator()(const Read& s) { values_[s.result.value] = accumulators_[s.from.value]; }
  void operator()(const Zero& s) {
    for (T& x : memory_[s.array.value]) x = 0;
  }
  void operator()(const Copy& s) {
    const std::span<T> from = memory_[s.from.value];
    std::copy(from.begin(), from.end(), memory_[s.to.value].begin());
  }
  void operator()(const Call& s) {
    const std::string symbol = fmt::format("ricci_{}{}", s.kernel->name, std::is_same_v<T, float> ? "f" : "");
    for (const rt::KernelSymbol& k : kernels_)
      if (k.symbol == symbol) {
        status_ = std::max(status_, invoke<T>(*s.kernel, k.address, actuals(s)));
        return;
      }
    throw Fault{"no kernel " + symbol};
  }
  void operator()(const Invoke& s) {
    const Function& f = p_.functions[s.function];
    if (s.function >= functions_.size() || !functions_[s.function]) throw Fault{"no function " + f.name};
    std::vector<const T*> in;
    for (size_t k = 0; k < s.arguments.size(); ++k) in.push_back(row_major(s.arguments[k], f.arguments[k]).data());
    const std::span<T> result = row_major(s.result, f.value);
    std::vector<int64_t> sizes;
    for (IndexId i : sizes_of(f)) sizes.push_back(size(i));
    if (functions_[s.function](in, result.data(), sizes) == 0) return;
    std::ranges::fill(result, std::numeric_limits<T>::quiet_NaN());
    status_ = std::max(status_, kFunctionFailed);
  }

 private:
  // A dense array of this shape from an element on.
  std::span<T> row_major(const Access& a, const std::vector<IndexId>& shape) {
    int64_t count = 1;
    for (IndexId i : shape) count *= size(i);
    T* const first = element(a, count == 0);
    const std::span<T> memory = memory_[a.array.value];
    if (count > 0 && count > memory.data() + memory.size() - first) throw Fault{p_[a.array].name + " ends inside an array of a function's"};
    return {first, size_t(count)};
  }
  int64_t size(IndexId i) const {
    const std::optional<int64_t> value = evaluate(p_, i, dims_, loops_);
    return value ? *value : throw Fault{"integer overflow"};
  }
  int64_t extent_of(const Array& a) const {
    int64_t last = 0;
    for (size_t k = 0; k < a.shape.size(); ++k) {
      const int64_t n = size(a.shape[k]);
      if (n <= 0) return 0;
      last += (n - 1) * size(a.strides[k]);
    }
    return last + 1;
  }
  // One past the end is fine for a kernel's empty view.
  T* element(const Access& a, bool empty_is_fine = false) {
    const Array& array = p_[a.array];
    int64_t at = 0;
    for (size_t k = 0; k < a.subscripts.size(); ++k) {
      const int64_t i = size(a.subscripts[k]);
      if ((i < 0 || i >= size(array.shape[k])) && !empty_is_fine)
        throw Fault{fmt::format("{}: subscript {} is {} of {}", array.name, k, i, size(array.shape[k]))};
      at += i * size(array.strides[k]);
    }
    return memory_[a.array.value].data() + at;
  }
  T term(ValueId v, std::optional<ValueId> f) const { return f ? values_[v.value] * values_[f->value] : values_[v.value]; }
  std::vector<Actual<T>> actuals(const Call& s) {
    std::vector<Actual<T>> result;
    for (const Argument& a : s.arguments) {
      Actual<T> one;
      if (const auto* i = std::get_if<IndexId>(&a)) one.integer = size(*i);
      if (const auto* v = std::get_if<ValueId>(&a)) one.scalar = values_[v->value];
      if (const auto* e = std::get_if<Access>(&a)) one.pointer = element(*e, true);
      result.push_back(one);
    }
    return result;
  }
  // For each statement that opens a block, the End that closes it.
  std::vector<size_t> ends() const {
    std::vector<size_t> partner(p_.body.size()), open;
    for (size_t k = 0; k < p_.body.size(); ++k) {
      if (std::holds_alternative<For>(p_.body[k]) || std::holds_alternative<If>(p_.body[k])) open.push_back(k);
      if (std::holds_alternative<End>(p_.body[k])) partner[open.back()] = k, open.pop_back();
    }
    return partner;
  }

  const Program& p_;
  std::span<const int64_t> dims_;
  std::span<const rt::KernelSymbol> kernels_;
  std::span<const HostFunction<T>> functions_;
  std::vector<int64_t> loops_;
  std::vector<T> values_, accumulators_, work_;
  std::vector<std::span<T>> memory_;
  int status_ = 0;
};

}  // namespace

template <class T>
Outcome interpret(const Program& p, std::span<const std::vector<T>> in, std::span<std::vector<T>> out, std::span<const int64_t> dims,
                  std::span<const rt::KernelSymbol> kernels, const std::vector<bool>& requested, std::span<const HostFunction<T>> functions) {
  try {
    Machine<T> machine(p, in, out, dims, kernels, functions);
    machine.run(requested);
    return {machine.status(), ""};
  } catch (const Fault& fault) {
    return {0, fault.what};
  }
}

template Outcome interpret<double>(const Program&, std::span<const std::vector<double>>, std::span<std::vector<double>>,
                                   std::span<const int64_t>, std::span<const rt::KernelSymbol>, const std::vector<bool>&,
                                   std::span<const HostFunction<double>>);
template Outcome interpret<float>(const Program&, std::span<const std::vector<float>>, std::span<std::vector<float>>,
                                  std::span<const int64_t>, std::span<const rt::KernelSymbol>, const std::vector<bool>&,
                                  std::span<const HostFunction<float>>);

}  // namespace ricci::loops
