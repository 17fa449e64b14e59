// The checked entry of the C ABI (include/ricci/abi.h): everything the raw entry takes on trust is verified first, then arrays that are not
// dense in the function's layout are packed into scratch, and results unpacked from it.
//
// Checks run argument by argument in the order type, rank, address, shape, strides; then outputs against everything else. Nothing is
// written before the last check.
#include <algorithm>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "ricci/abi.h"

namespace {

constexpr int kMostRank = 32, kMostDims = 64, kMostArrays = 256;
constexpr size_t kAlignment = 64;

size_t size_of(int32_t dtype) { return dtype == RICCI_F32 ? 4 : 8; }
// SIZE_MAX, what work_bytes gives when it overflows, stays.
size_t round_up(size_t bytes) { return bytes > SIZE_MAX - kAlignment ? SIZE_MAX : (bytes + kAlignment - 1) / kAlignment * kAlignment; }

// One array of a call: what was given, what is expected, and what it is called.
struct Slot {
  const ricci_array* given;
  const ricci_array_meta* meta;
  int32_t index;
  bool output;

  bool skipped() const { return output && given->data == nullptr; }
};

int64_t elements(const ricci_array& a) {
  int64_t count = 1;
  for (int32_t k = 0; k < a.rank; ++k) count *= a.shape[k];
  return count;
}

// The stride of axis k in the function's dense layout.
int64_t dense_stride(const Slot& s, int32_t k) {
  int64_t stride = 1;
  if (s.meta->layout == RICCI_COLUMN_MAJOR)
    for (int32_t j = 0; j < k; ++j) stride *= s.given->shape[j];
  else
    for (int32_t j = k + 1; j < s.given->rank; ++j) stride *= s.given->shape[j];
  return stride;
}

// The stride of axis k as given; dense in C order if none is.
int64_t given_stride(const ricci_array& a, int32_t k) {
  if (a.strides != nullptr) return a.strides[k];
  int64_t stride = 1;
  for (int32_t j = k + 1; j < a.rank; ++j) stride *= a.shape[j];
  return stride;
}

// Whether the array can be passed as it is. The stride of an axis of size one means nothing.
bool fits(const Slot& s) {
  if (elements(*s.given) == 0) return true;
  for (int32_t k = 0; k < s.given->rank; ++k)
    if (s.given->shape[k] != 1 && given_stride(*s.given, k) != dense_stride(s, k)) return false;
  return true;
}

// The addresses an array touches: [low, high).
struct Range {
  uintptr_t low, high;
};
Range range(const ricci_array& a) {
  if (elements(a) == 0) return {0, 0};
  int64_t low = 0, high = 0;
  for (int32_t k = 0; k < a.rank; ++k) {
    const int64_t reach = given_stride(a, k) * (a.shape[k] - 1);
    (reach < 0 ? low : high) += reach;
  }
  const int64_t size = int64_t(size_of(a.dtype));
  const uintptr_t base = reinterpret_cast<uintptr_t>(a.data);
  return {base + uintptr_t(low * size), base + uintptr_t((high + 1) * size)};
}
bool overlap(Range a, Range b) { return a.low < b.high && b.low < a.high; }

// Whether distinct entries surely have distinct addresses: sorted by stride, each axis steps over all the smaller ones together.
// (Interleaved layouts that are free of collisions for number-theoretic reasons are refused.)
bool injective(const ricci_array& a) {
  struct Axis {
    int64_t stride, size;
  };
  Axis axes[kMostRank];
  int32_t count = 0;
  for (int32_t k = 0; k < a.rank; ++k)
    if (a.shape[k] > 1) axes[count++] = {std::abs(given_stride(a, k)), a.shape[k]};
  std::sort(axes, axes + count, [](const Axis& x, const Axis& y) { return x.stride < y.stride; });
  int64_t reach = 0;
  for (int32_t k = 0; k < count; ++k) {
    if (axes[k].stride <= reach) return false;
    reach += axes[k].stride * (axes[k].size - 1);
  }
  return true;
}

// Copies between a strided array and its dense image, odometer fashion. `pack` says which way.
template <class T>
void copy(const Slot& s, T* dense, bool pack) {
  const int32_t rank = s.given->rank;
  const int64_t count = elements(*s.given);
  int64_t at[kMostRank] = {}, from[kMostRank], to[kMostRank];
  for (int32_t k = 0; k < rank; ++k) from[k] = given_stride(*s.given, k), to[k] = dense_stride(s, k);
  T* given = static_cast<T*>(s.given->data);
  int64_t g = 0, d = 0;
  for (int64_t i = 0; i < count; ++i) {
    (pack ? dense[d] : given[g]) = pack ? given[g] : dense[d];
    for (int32_t k = rank; k-- > 0;) {
      g += from[k], d += to[k];
      if (++at[k] < s.given->shape[k]) break;
      g -= from[k] * at[k], d -= to[k] * at[k];
      at[k] = 0;
    }
  }
}

// A built size with one dimension open: coefficient*x + rest, if it has that form and the others are known.
struct OpenSize {
  int32_t dim = -1;
  int64_t coefficient = 0, rest = 0;
};

// Nothing (dim -1) if no dimension is open; false if several are, one not linearly, or a number exceeds 64 bits.
bool open_size(const ricci_polynomial& p, const int64_t* dims, const bool* known, OpenSize& size) {
  size = {};
  for (int32_t t = 0; t < p.term_count; ++t) {
    const ricci_term& term = p.terms[t];
    int64_t product = term.coefficient;
    int32_t open = -1;
    for (int32_t f = 0; f < term.factor_count; ++f) {
      const int32_t d = term.factors[f];
      if (!known[d]) {
        if (open >= 0 || (size.dim >= 0 && size.dim != d)) return false;
        open = d;
      } else if (__builtin_mul_overflow(product, dims[d], &product)) {
        return false;
      }
    }
    if (open >= 0) size.dim = open;
    int64_t& to = open >= 0 ? size.coefficient : size.rest;
    if (__builtin_add_overflow(to, product, &to)) return false;
  }
  return true;
}

// One call: the checks in order, each ending it with a report.
class Call {
 public:
  Call(const ricci_meta& meta, const ricci_array* in, const ricci_array* out, ricci_report& report)
      : meta_(meta), in_(in), out_(out), report_(report) {
    std::fill(unifier_, unifier_ + kMostDims, -1);
  }

  bool check(int32_t in_count, int32_t out_count) {
    if (meta_.abi_version != RICCI_ABI_VERSION || meta_.struct_size < sizeof(ricci_meta))
      return fail(RICCI_VERSION, -1, "%s was compiled for version %d of this interface, this is version %d", meta_.name, meta_.abi_version,
                  RICCI_ABI_VERSION);
    if (in_count != meta_.argument_count || out_count != meta_.result_count)
      return fail(RICCI_COUNT, -1, "%s takes %d arguments and gives %d results; there are %d and %d arrays", meta_.name,
                  meta_.argument_count, meta_.result_count, in_count, out_count);
    if (count() > kMostArrays || meta_.dim_count > kMostDims)
      return fail(RICCI_COUNT, -1, "%s has more than %d arrays or %d dimensions", meta_.name, kMostArrays, kMostDims);
    for (int32_t i = 0; i < count(); ++i)
      if (!check_type(slot(i))) return false;
    for (int32_t i = 0; i < count(); ++i)
      if (!check_shape(slot(i))) return false;
    for (bool solved = true; solved;) {
      solved = false;
      for (int32_t b = 0; b < meta_.built_count; ++b) solved = solve(meta_.built[b]) || solved;
    }
    for (int32_t b = 0; b < meta_.built_count; ++b)
      if (!check_built(meta_.built[b])) return false;
    for (int32_t d = 0; d < meta_.dim_count; ++d)
      if (unifier_[d] < 0) return fail(RICCI_SHAPE, -1, "no array says what the dimension %s of %s is", meta_.dims[d], meta_.name);
    if (!check_conditions()) return false;
    for (int32_t i = meta_.argument_count; i < count(); ++i)
      if (!check_output(slot(i))) return false;
    return true;
  }

  size_t work_bytes() const {
    size_t bytes = round_up(meta_.work_bytes(dims_));
    for (int32_t i = 0; i < count(); ++i)
      if (!slot(i).skipped() && !fits(slot(i))) bytes = bytes > SIZE_MAX - packed_bytes(slot(i)) ? SIZE_MAX : bytes + packed_bytes(slot(i));
    return bytes;
  }

  bool check_work(const void* work, size_t bytes) {
    const size_t needed = work_bytes();
    if (needed == SIZE_MAX) return fail(RICCI_WORK, -1, "%s needs more scratch than memory can have", meta_.name);
    if (bytes < needed) return fail(RICCI_WORK, -1, "%s needs %zu bytes of scratch, there are %zu", meta_.name, needed, bytes);
    if (needed > 0 && reinterpret_cast<uintptr_t>(work) % kAlignment != 0)
      return fail(RICCI_WORK, -1, "the scratch of %s must be aligned to %zu bytes", meta_.name, kAlignment);
    const uintptr_t low = reinterpret_cast<uintptr_t>(work);
    for (int32_t i = 0; i < count(); ++i)
      if (!slot(i).skipped() && overlap(range(*slot(i).given), {low, low + needed}))
        return fail(RICCI_OVERLAP, i, "`%s` overlaps the scratch of %s", slot(i).meta->name, meta_.name);
    return true;
  }

  // Every function of the host's is there.
  bool check_functions(const ricci_function* functions, int32_t count) {
    if (count != meta_.function_count && count != 0)
      return fail(RICCI_COUNT, -1, "%s calls %d functions of the host's; there are %d", meta_.name, meta_.function_count, count);
    for (int32_t k = 0; k < meta_.function_count; ++k)
      if (count == 0 || (meta_.f64_calling != nullptr ? functions[k].f64 == nullptr : functions[k].f32 == nullptr))
        return fail(RICCI_NULL, -1, "%s calls %s, which the host has not supplied", meta_.name, meta_.functions[k].name);
    return true;
  }

  // `entry` is called with the arrays, the dimensions and the scratch.
  template <class T, class Entry>
  int run(const Entry& entry, void* work) {
    const T* in[kMostArrays];
    T* out[kMostArrays];
    char* scratch = static_cast<char*>(work) + round_up(meta_.work_bytes(dims_));
    for (int32_t i = 0; i < count(); ++i) {
      const Slot s = slot(i);
      T* data = static_cast<T*>(s.given->data);
      if (!s.skipped() && !fits(s)) {
        data = reinterpret_cast<T*>(scratch);
        scratch += packed_bytes(s);
        if (!s.output) copy(s, data, true);
      }
      if (s.output) out[i - meta_.argument_count] = data;
      else in[i] = data;
    }
    const int status = entry(in, out, dims_, work);
    for (int32_t i = meta_.argument_count; i < count(); ++i)
      if (!slot(i).skipped() && !fits(slot(i))) copy(slot(i), out[i - meta_.argument_count], false);
    if (status == RICCI_FUNCTION) fail(status, -1, "a function that %s calls failed; the results that depend on it are NaN", meta_.name);
    else if (status != RICCI_OK) fail(status, -1, "%s met a singular matrix, or max or min of no entries; the results that depend on it are inf or NaN", meta_.name);
    return status;
  }

 private:
  int32_t count() const { return meta_.argument_count + meta_.result_count; }
  Slot slot(int32_t i) const {
    const int32_t n = meta_.argument_count;
    return i < n ? Slot{in_ + i, meta_.arguments + i, i, false} : Slot{out_ + i - n, meta_.results + i - n, i, true};
  }
  static size_t packed_bytes(const Slot& s) { return round_up(size_t(elements(*s.given)) * size_of(s.given->dtype)); }

  __attribute__((format(printf, 4, 5))) bool fail(int status, int32_t argument, const char* format, ...) {
    report_.status = status;
    report_.argument = argument;
    std::va_list list;
    va_start(list, format);
    std::vsnprintf(report_.message, sizeof report_.message, format, list);
    va_end(list);
    return false;
  }

  bool check_type(const Slot& s) {
    const char* name = s.meta->name;
    if (s.skipped()) return true;
    if (s.given->dtype != s.meta->dtype)
      return fail(RICCI_DTYPE, s.index, "`%s` has entries of type %s; %s is compiled for %s", name,
                  s.given->dtype == RICCI_F32 ? "float" : "double", meta_.name, s.meta->dtype == RICCI_F32 ? "float" : "double");
    if (s.given->rank != s.meta->rank || s.given->rank > kMostRank)
      return fail(RICCI_RANK, s.index, "`%s` has %d axes; %s takes %d", name, s.given->rank, meta_.name, s.meta->rank);
    if (s.given->rank > 0 && s.given->shape == nullptr) return fail(RICCI_NULL, s.index, "`%s` has no shape", name);
    int64_t bytes = int64_t(size_of(s.given->dtype));
    for (int32_t k = 0; k < s.given->rank; ++k) {
      if (s.given->shape[k] < 0)
        return fail(RICCI_SHAPE, s.index, "axis %d of `%s` has the size %lld", k + 1, name, static_cast<long long>(s.given->shape[k]));
      if (__builtin_mul_overflow(bytes, std::max<int64_t>(s.given->shape[k], 1), &bytes))
        return fail(RICCI_SHAPE, s.index, "`%s` has more entries than memory can have", name);
    }
    if (s.given->data == nullptr && elements(*s.given) > 0) return fail(RICCI_NULL, s.index, "`%s` is missing", name);
    if (reinterpret_cast<uintptr_t>(s.given->data) % size_of(s.given->dtype) != 0)
      return fail(RICCI_ALIGNMENT, s.index, "the address of `%s` is no multiple of %zu", name, size_of(s.given->dtype));
    int64_t reach = 0, axis = 0;  // every address fits into an int64
    for (int32_t k = 0; k < s.given->rank && elements(*s.given) > 0; ++k)
      if (given_stride(*s.given, k) == INT64_MIN || __builtin_mul_overflow(std::abs(given_stride(*s.given, k)), s.given->shape[k], &axis) ||
          __builtin_add_overflow(reach, axis, &reach) || reach > INT64_MAX / 16)
        return fail(RICCI_STRIDE, s.index, "the strides of `%s` reach beyond all memory", name);
    return true;
  }

  // Unifies the sizes with those of the arrays before.
  bool check_shape(const Slot& s) {
    for (int32_t k = 0; k < s.given->rank && !s.skipped(); ++k) {
      const long long size = s.given->shape[k];
      if (s.meta->shape[k] >= 0) {
        if (size != s.meta->shape[k])
          return fail(RICCI_SHAPE, s.index, "axis %d of `%s` has the size %lld; %s is compiled for %lld", k + 1, s.meta->name, size,
                      meta_.name, static_cast<long long>(s.meta->shape[k]));
        continue;
      }
      const int32_t d = s.meta->symbol[k];
      if (d < 0) continue;  // built
      if (unifier_[d] >= 0 && dims_[d] != size)
        return fail(RICCI_SHAPE, s.index, "axis %d of `%s` has the size %lld; its dimension %s is %lld by `%s`", k + 1, s.meta->name, size,
                    meta_.dims[d], static_cast<long long>(dims_[d]), slot(unifier_[d]).meta->name);
      if (unifier_[d] < 0) dims_[d] = size, unifier_[d] = s.index;
    }
    return true;
  }

  int64_t given_size(const ricci_built_axis& b) const { return slot(b.array).given->shape[b.axis]; }

  // Whether a built axis says what a dimension is: n of an axis n + 1.
  bool solve(const ricci_built_axis& b) {
    if (slot(b.array).skipped()) return false;
    bool known[kMostDims];
    for (int32_t d = 0; d < meta_.dim_count; ++d) known[d] = unifier_[d] >= 0;
    OpenSize open;
    int64_t left = 0;
    if (!open_size(b.size, dims_, known, open) || open.dim < 0 || open.coefficient <= 0) return false;
    if (__builtin_sub_overflow(given_size(b), open.rest, &left) || left < 0 || left % open.coefficient != 0) return false;
    dims_[open.dim] = left / open.coefficient;
    unifier_[open.dim] = b.array;
    return true;
  }

  bool check_built(const ricci_built_axis& b) {
    const Slot s = slot(b.array);
    if (s.skipped()) return true;
    char sizes[120] = "";
    for (int32_t t = 0, used = 0; t < b.size.term_count; ++t)
      for (int32_t f = 0; f < b.size.terms[t].factor_count; ++f) {
        const int32_t d = b.size.terms[t].factors[f];
        if (unifier_[d] < 0)
          return fail(RICCI_SHAPE, s.index, "axis %d of `%s` has the size %lld, which does not say what the dimension %s is", b.axis + 1,
                      s.meta->name, static_cast<long long>(given_size(b)), meta_.dims[d]);
        if (used < int32_t(sizeof sizes))
          used += std::snprintf(sizes + used, sizeof sizes - size_t(used), "%s%s is %lld", used > 0 ? ", " : "", meta_.dims[d],
                                static_cast<long long>(dims_[d]));
      }
    const int64_t size = ricci_size(&b.size, dims_);
    if (size == given_size(b)) return true;
    return fail(RICCI_SHAPE, s.index, "axis %d of `%s` has the size %lld instead of %lld: %s", b.axis + 1, s.meta->name,
                static_cast<long long>(given_size(b)), static_cast<long long>(size), sizes);
  }

  bool check_conditions() {
    for (int32_t c = 0; c < meta_.condition_count; ++c) {
      if (ricci_size(&meta_.conditions[c].value, dims_) >= 0) continue;
      const ricci_polynomial& p = meta_.conditions[c].value;
      for (int32_t t = 0; t < p.term_count; ++t)
        if (p.terms[t].factor_count > 0) {
          const int32_t d = p.terms[t].factors[0];
          return fail(RICCI_SHAPE, unifier_[d], "%s needs %s for its entries and slices, and by `%s` %s is %lld", meta_.name,
                      meta_.conditions[c].text, slot(unifier_[d]).meta->name, meta_.dims[d], static_cast<long long>(dims_[d]));
        }
    }
    return true;
  }

  bool check_output(const Slot& s) {
    if (s.skipped()) return true;
    if (!injective(*s.given)) return fail(RICCI_STRIDE, s.index, "entries of the result `%s` share memory", s.meta->name);
    for (int32_t i = 0; i < count(); ++i)
      if (i != s.index && !slot(i).skipped() && overlap(range(*s.given), range(*slot(i).given)))
        return fail(RICCI_OVERLAP, s.index, "the result `%s` overlaps `%s`", s.meta->name, slot(i).meta->name);
    return true;
  }

  const ricci_meta& meta_;
  const ricci_array *in_, *out_;
  ricci_report& report_;
  int64_t dims_[kMostDims] = {};
  int32_t unifier_[kMostDims];  // the array that fixed each dimension, or -1
};

}  // namespace

extern "C" int64_t ricci_size(const ricci_polynomial* size, const int64_t* dims) {
  bool known[kMostDims];
  std::fill(known, known + kMostDims, true);
  OpenSize whole;
  return open_size(*size, dims, known, whole) ? whole.rest : -1;
}

extern "C" void ricci_dims(const ricci_meta* meta, const ricci_array* in, int64_t* dims) {
  bool known[kMostDims] = {};
  std::fill(dims, dims + meta->dim_count, int64_t(-1));
  for (int32_t i = 0; i < meta->argument_count; ++i)
    for (int32_t k = 0; k < std::min(in[i].rank, meta->arguments[i].rank); ++k)
      if (const int32_t d = meta->arguments[i].symbol[k]; d >= 0 && in[i].shape[k] >= 0) dims[d] = in[i].shape[k], known[d] = true;
  for (bool solved = true; solved;) {
    solved = false;
    for (int32_t b = 0; b < meta->built_count; ++b) {
      const ricci_built_axis& axis = meta->built[b];
      OpenSize open;
      if (axis.array >= meta->argument_count || axis.axis >= in[axis.array].rank) continue;
      const int64_t given = in[axis.array].shape[axis.axis];
      if (!open_size(axis.size, dims, known, open) || open.dim < 0 || open.coefficient <= 0 || given < open.rest) continue;
      dims[open.dim] = (given - open.rest) / open.coefficient;
      solved = known[open.dim] = true;
    }
  }
}

extern "C" const char* ricci_unmet(const ricci_meta* meta, const int64_t* dims) {
  for (int32_t c = 0; c < meta->condition_count; ++c)
    if (ricci_size(&meta->conditions[c].value, dims) < 0) return meta->conditions[c].text;
  return nullptr;
}

extern "C" size_t ricci_call_work_bytes(const ricci_meta* meta, const ricci_array* in, const ricci_array* out) {
  ricci_report report = {};
  Call call(*meta, in, out, report);
  return call.check(meta->argument_count, meta->result_count) ? call.work_bytes() : 0;
}

extern "C" int ricci_call(const ricci_meta* meta, const ricci_array* in, int32_t in_count, const ricci_array* out, int32_t out_count,
                          void* work, size_t work_bytes, ricci_report* report) {
  return ricci_call_with(meta, nullptr, 0, in, in_count, out, out_count, work, work_bytes, report);
}

extern "C" int ricci_call_with(const ricci_meta* meta, const ricci_function* functions, int32_t function_count, const ricci_array* in,
                               int32_t in_count, const ricci_array* out, int32_t out_count, void* work, size_t work_bytes,
                               ricci_report* report) {
  ricci_report own;
  ricci_report& r = report != nullptr ? *report : own;
  r.status = RICCI_OK;
  r.argument = -1;
  r.message[0] = 0;
  Call call(*meta, in, out, r);
  if (!call.check(in_count, out_count) || !call.check_functions(functions, function_count) || !call.check_work(work, work_bytes)) return r.status;
  const auto calling = [&](auto entry) {
    return [=](auto in, auto out, const int64_t* dims, void* scratch) { return entry(in, out, dims, scratch, functions); };
  };
  if (meta->f64_calling != nullptr) return call.run<double>(calling(meta->f64_calling), work);
  if (meta->f32_calling != nullptr) return call.run<float>(calling(meta->f32_calling), work);
  return meta->f64 != nullptr ? call.run<double>(meta->f64, work) : call.run<float>(meta->f32, work);
}
