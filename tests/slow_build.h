// How much more processor time a test may take in this build than in a release: unoptimised code and sanitizers are many times slower.
#pragma once

namespace ricci {

#if !defined(NDEBUG) || defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr double kSlowness = 10;
#else
constexpr double kSlowness = 1;
#endif

}  // namespace ricci
