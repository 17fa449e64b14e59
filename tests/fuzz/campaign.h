// Running a property over many random programs: counts, one-line reproducers, and a shrunk program when it fails.
//
//   RICCI_FUZZ_COUNT=50000    how many programs (each test has a small default)
//   RICCI_FUZZ_SEED=17        the first seed; with RICCI_FUZZ_COUNT=1 this is the reproducer a failure prints
//   RICCI_FUZZ_PLACES=60      percent of the operations that only move entries, another than the test has (random_program.h)
#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <map>
#include <string>
#include <vector>

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

// Calls `check` on programs of 1 to `largest` operations, `batch` at a time: a vector of programs in, an Outcome for each out. Stops at the
// fifth failure; the numbers end up in the test's record.
template <class Check>
void campaign_in_batches(uint64_t count, size_t batch, size_t largest, Options options, Check check) {
  count = from_environment("RICCI_FUZZ_COUNT", count);
  const uint64_t first = from_environment("RICCI_FUZZ_SEED", 1);
  options.places = from_environment("RICCI_FUZZ_PLACES", options.places);
  auto alone = [&](const RandomProgram& p) { return check(std::vector<RandomProgram>{p})[0]; };
  std::map<Outcome::Kind, uint64_t> seen;
  for (uint64_t seed = first; seed < first + count && seen[Outcome::Kind::Different] < 5; seed += batch) {
    std::vector<RandomProgram> programs;
    for (uint64_t s = seed; s < std::min(first + count, seed + batch); ++s) programs.push_back(random_program(s, 1 + s % largest, options));
    const std::vector<Outcome> outcomes = check(programs);
    for (size_t k = 0; k < programs.size(); ++k) {
      ++seen[outcomes[k].kind];
      if (outcomes[k].kind != Outcome::Kind::Different) continue;
      const RandomProgram small =
          shrink(programs[k], [&](const RandomProgram& p) { return alone(p).kind == Outcome::Kind::Different; });
      ADD_FAILURE() << outcomes[k].message << "\nreproduce with RICCI_FUZZ_SEED=" << programs[k].seed << " RICCI_FUZZ_COUNT=1\nshrunk to\n"
                    << small.listing() << alone(small).message;
    }
  }
  std::printf("%llu programs: %llu same, %llu different, %llu on a kink, %llu skipped\n", static_cast<unsigned long long>(count),
              static_cast<unsigned long long>(seen[Outcome::Kind::Same]), static_cast<unsigned long long>(seen[Outcome::Kind::Different]),
              static_cast<unsigned long long>(seen[Outcome::Kind::Kink]), static_cast<unsigned long long>(seen[Outcome::Kind::Skipped]));
}

// The same, one program at a time.
template <class Check>
void campaign(uint64_t count, size_t largest, Options options, Check check) {
  campaign_in_batches(count, 1, largest, options, [&](const std::vector<RandomProgram>& p) -> std::vector<Outcome> {
    try {
      return {check(p[0])};
    } catch (const std::exception& e) {
      return {different(std::string("an exception: ") + e.what())};
    }
  });
}

}  // namespace ricci::fuzz
