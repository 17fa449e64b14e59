// Running a property over many random programs: counts, one-line reproducers, and a shrunk program when it fails.
//
//   RICCI_FUZZ_COUNT=50000    how many programs (each test has a small default)
//   RICCI_FUZZ_SEED=17        the first seed; with RICCI_FUZZ_COUNT=1 this is the reproducer a failure prints
#pragma once
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <string>

#include "tests/fuzz/random_program.h"

namespace ricci::fuzz {

inline uint64_t from_environment(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

struct Outcome {
  enum class Kind : uint8_t { Same, Different, Kink, Skipped };
  Kind kind = Kind::Same;
  std::string message = {};
};
inline Outcome different(std::string message) { return {Outcome::Kind::Different, std::move(message)}; }

// Calls `check` on programs of 1 to `largest` operations. Stops at the fifth failure; the numbers end up in the test's record.
template <class Check>
void campaign(uint64_t count, size_t largest, Options options, Check check) {
  count = from_environment("RICCI_FUZZ_COUNT", count);
  const uint64_t first = from_environment("RICCI_FUZZ_SEED", 1);
  std::map<Outcome::Kind, uint64_t> seen;
  for (uint64_t seed = first; seed < first + count; ++seed) {
    const RandomProgram program = random_program(seed, 1 + seed % largest, options);
    const Outcome outcome = check(program);
    if (++seen[outcome.kind] > 0 && outcome.kind != Outcome::Kind::Different) continue;
    const RandomProgram small =
        shrink(program, [&](const RandomProgram& p) { return check(p).kind == Outcome::Kind::Different; });
    ADD_FAILURE() << outcome.message << "\nreproduce with RICCI_FUZZ_SEED=" << seed << " RICCI_FUZZ_COUNT=1\nshrunk to\n"
                  << small.listing() << check(small).message;
    if (seen[Outcome::Kind::Different] == 5) break;
  }
  std::printf("%llu programs: %llu same, %llu different, %llu on a kink, %llu skipped\n", static_cast<unsigned long long>(count),
              static_cast<unsigned long long>(seen[Outcome::Kind::Same]), static_cast<unsigned long long>(seen[Outcome::Kind::Different]),
              static_cast<unsigned long long>(seen[Outcome::Kind::Kink]), static_cast<unsigned long long>(seen[Outcome::Kind::Skipped]));
}

}  // namespace ricci::fuzz
