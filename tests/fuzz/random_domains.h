// Where functions may be applied: inside their domain, away from kinks and poles, well conditioned.
#pragma once
#include <functional>

#include "ir/functions.h"
#include "ir/interpret.h"

namespace ricci::fuzz {

constexpr double kLargest = 50, kFromKink = 0.02;

inline bool all_entries(const Array<double>& a, const std::function<bool(double)>& holds) { return std::ranges::all_of(a.data, holds); }
// Small numbers, all finite.
bool tame(const Array<double>& a);
// Whether entries at the same position differ; one of the two may be a scalar.
bool entries_apart(const Array<double>& x, const Array<double>& y);
bool in_domain(FunOp op, const Array<double>& x);

}  // namespace ricci::fuzz
