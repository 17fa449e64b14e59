#include "codegen/stand_ins.h"

namespace ricci {

StandIns::StandIns(const Graph& g, std::span<const CalledFunction> functions) {
  for (const CalledFunction& f : functions) {
    Context& context = contexts_.emplace_back(Context{g[f.symbol], {}});
    for (const Type& a : f.arguments) context.ranks.push_back(a.size());
    table_.push_back({call<double>, call<float>, &context});
  }
}

template <class T>
int StandIns::call(void* context, const T* const* in, T* out, const int64_t* sizes) {
  const Context& c = *static_cast<const Context*>(context);
  const auto next = [&](size_t rank) {
    size_t count = 1;
    for (; rank > 0; --rank) count *= size_t(*sizes++);
    return count;
  };
  std::vector<std::span<const T>> arguments;
  for (size_t k = 0; k < c.ranks.size(); ++k) arguments.emplace_back(in[k], next(c.ranks[k]));
  stand_in<T>(c.symbol, arguments, {out, next(c.symbol.type.size())});
  return 0;
}

}  // namespace ricci
