// What steps of a proof by composition say, for the files of passes/composition.h.
#pragma once
#include <string_view>

#include "passes/composition.h"

namespace ricci {

inline constexpr std::string_view kConvex[] = {"is convex", "is concave"}, kMatrixConvex[] = {"is matrix convex", "is matrix concave"},
                           kLogConvex[] = {"is log-convex", "is log-concave"};
inline constexpr std::string_view kMatrixLogConvex = "is matrix log-convex";

inline std::string_view says(const std::string_view (&words)[2], Curve c) { return words[size_t(c)]; }

inline std::string_view strictly(std::string_view relation) {
  return relation == kConvex[0] ? "is strictly convex" : relation == kConvex[1] ? "is strictly concave" : relation;
}

inline void take_conditions(FormProof& to, FormProof from) {
  to.definite |= from.definite;
  to.definite_if.insert(to.definite_if.end(), from.definite_if.begin(), from.definite_if.end());
}

}  // namespace ricci
