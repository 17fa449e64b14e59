// The stand-ins for undeclared functions (codegen/stand_ins.h) as the loop interpreter takes them.
#pragma once
#include <vector>

#include "codegen/stand_ins.h"
#include "ir/loops_interpret.h"

namespace ricci {

template <class T>
std::vector<loops::HostFunction<T>> loop_functions(const StandIns& s) {
  std::vector<loops::HostFunction<T>> list;
  for (int32_t k = 0; k < s.count(); ++k)
    list.push_back([f = s.table()[k]](std::span<const T* const> in, T* out, std::span<const int64_t> sizes) {
      if constexpr (std::is_same_v<T, double>) return f.f64(f.context, in.data(), out, sizes.data());
      else return f.f32(f.context, in.data(), out, sizes.data());
    });
  return list;
}

}  // namespace ricci
