// The object cache gives back what was stored, and nothing else: not what was cut short or changed on disk, not what was compiled for
// another machine or with other options; and it stays as small as it was told.
#include "codegen/object_cache.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "codegen/jit.h"
#include "loops_run.h"

namespace ricci {
namespace {

namespace fs = std::filesystem;

struct Cache : testing::Test {
  fs::path folder = fs::path(testing::TempDir()) / ("ricci-cache-" + std::to_string(::getpid()));
  void SetUp() override { fs::remove_all(folder); }
  void TearDown() override { fs::remove_all(folder); }

  static std::string key(std::string_view text) { return ObjectCache::key(std::span(&text, 1)); }
  fs::path only_entry() const {
    fs::directory_iterator at(folder);
    EXPECT_EQ(std::distance(fs::directory_iterator(folder), {}), 1);
    return at->path();
  }
};

std::string bytes_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}
void write(const fs::path& path, std::string_view bytes) { std::ofstream(path, std::ios::binary) << bytes; }

TEST_F(Cache, GivesBackWhatWasStored) {
  ObjectCache cache(folder);
  ASSERT_EQ(cache.problem(), "");
  EXPECT_EQ(cache.find(key("f")), std::nullopt);
  const std::string object("an object\0with a zero", 21);
  cache.store(key("f"), object);
  EXPECT_EQ(cache.find(key("f")), object);
  EXPECT_EQ(cache.find(key("g")), std::nullopt);
  EXPECT_EQ(ObjectCache(folder).find(key("f")), object);
  EXPECT_EQ(cache.counts().hits, 1u);
  EXPECT_EQ(cache.counts().misses, 2u);
  EXPECT_EQ(fs::status(folder).permissions(), fs::perms::owner_all);
}

TEST_F(Cache, KeysTellTextsApartWhereverTheyAreCut) {
  const std::string_view a[] = {"ab", "c"}, b[] = {"a", "bc"}, c[] = {"abc"};
  EXPECT_NE(ObjectCache::key(a), ObjectCache::key(b));
  EXPECT_NE(ObjectCache::key(a), ObjectCache::key(c));
  EXPECT_EQ(ObjectCache::key(a), ObjectCache::key(a));
}

TEST_F(Cache, NoDamagedEntryIsEverLoaded) {
  const std::string object = "0123456789abcdef";
  ObjectCache(folder).store(key("f"), object);
  const std::string whole = bytes_of(only_entry());
  uint64_t tried = 0;
  const auto expect_refused = [&](std::string_view bytes) {
    ObjectCache cache(folder);
    const fs::path path = folder / (key("f") + ".ricci");
    write(path, bytes);
    EXPECT_EQ(cache.find(key("f")), std::nullopt) << bytes.size();
    EXPECT_EQ(cache.counts().damaged, 1u);
    EXPECT_FALSE(fs::exists(path));
    ++tried;
  };
  for (size_t size = 0; size < whole.size(); ++size) expect_refused(whole.substr(0, size));
  for (size_t at = 0; at < whole.size(); ++at) {
    std::string changed = whole;
    changed[at] = char(changed[at] ^ 1);
    expect_refused(changed);
  }
  expect_refused(whole + "x");
  EXPECT_EQ(tried, 2 * whole.size() + 1);
}

TEST_F(Cache, AnEntryUnderAnotherKeyIsDamaged) {
  ObjectCache cache(folder);
  cache.store(key("f"), "f's object");
  fs::rename(only_entry(), folder / (key("g") + ".ricci"));
  EXPECT_EQ(cache.find(key("g")), std::nullopt);
  EXPECT_EQ(cache.counts().damaged, 1u);
}

TEST_F(Cache, WhatWasUsedLongestAgoGoesFirstAndOtherFilesStay) {
  ObjectCache cache(folder, 10'000);
  write(folder / "notes.txt", std::string(20'000, 'x'));
  const std::string object(1'800, 'o');
  const auto age = [&](int k, int hours) {
    fs::last_write_time(folder / (key(std::to_string(k)) + ".ricci"), fs::file_time_type::clock::now() - std::chrono::hours(hours));
  };
  for (int k = 0; k < 5; ++k) cache.store(key(std::to_string(k)), object), age(k, 10 - k);
  EXPECT_TRUE(cache.find(key("0")));  // the oldest, and now the one used last
  cache.store(key("5"), object);      // 6 * 1,847 bytes are too many; three quarters are four entries
  for (int k : {0, 3, 4, 5}) EXPECT_TRUE(cache.find(key(std::to_string(k)))) << k;
  for (int k : {1, 2}) EXPECT_FALSE(cache.find(key(std::to_string(k)))) << k;
  EXPECT_TRUE(fs::exists(folder / "notes.txt"));
}

TEST_F(Cache, AFolderThatOthersCanWriteToIsRefused) {
  fs::create_directories(folder);
  fs::permissions(folder, fs::perms::owner_all | fs::perms::others_write | fs::perms::others_exec);
  ObjectCache cache(folder);
  EXPECT_NE(cache.problem(), "");
  cache.store(key("f"), "code");
  EXPECT_EQ(cache.find(key("f")), std::nullopt);
  EXPECT_TRUE(fs::is_empty(folder));
}

TEST_F(Cache, AFolderThatCannotBeIsAProblemAndNoError) {
  write(folder, "a file");
  EXPECT_NE(ObjectCache(folder).problem(), "");
  EXPECT_NE(ObjectCache(folder / "below").problem(), "");
  EXPECT_NE(ObjectCache("").problem(), "");
}

TEST_F(Cache, ManyProcessesAndThreadsMayShareIt) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      ObjectCache cache(folder, 3'000);  // so small that they evict each other's entries
      for (int k = 0; k < 200; ++k) {
        const std::string name = std::to_string(k % 7), object(size_t(500 + k % 7), char('a' + k % 7));
        if (const auto found = cache.find(key(name))) EXPECT_EQ(*found, object);
        else cache.store(key(name), object);
      }
      EXPECT_EQ(cache.counts().damaged, 0u);
    });
  for (std::thread& t : threads) t.join();
}

// What the JIT keeps, by everything that decides what the code is.
struct CachedCode : Cache {
  // How often the cache did not have the code of this unit; 0 or 1.
  uint64_t misses(ObjectCache& cache, const Unit& unit, const Target& target) {
    const uint64_t before = cache.counts().misses;
    const CompiledFunction f = Jit(target).compile(unit, &cache);
    loops::run(unit.program, f, {5, 3, 2}, "");
    return cache.counts().misses - before;
  }
};

TEST_F(CachedCode, IsFoundAgainOnlyForTheSameProgramAndOptions) {
  ObjectCache cache(folder);
  const auto& programs = loops::kPrograms;
  const Unit one{loops::read(programs[0].text), "hash", "f = 1\n"}, two{loops::read(programs[1].text), "hash", "f = 1\n"};
  EXPECT_EQ(misses(cache, one, {}), 1u);
  EXPECT_EQ(misses(cache, one, {}), 0u);
  EXPECT_EQ(misses(cache, two, {}), 1u);
  EXPECT_EQ(misses(cache, {loops::as_float(one.program), "hash", "f = 1\n"}, {}), 1u);
  EXPECT_EQ(misses(cache, {one.program, "hash", "f = 2\n"}, {}), 1u);  // the source is in the metadata
  Target other;
  other.optimization = 3;
  EXPECT_EQ(misses(cache, one, other), 1u);
  other = {};
  other.fast_math = true;
  EXPECT_EQ(misses(cache, one, other), 1u);
  other = {};
  other.vector_library = VectorLibrary::None;
  EXPECT_EQ(misses(cache, one, other), 1u);
  other = {};
  other.cpu = "x86-64";
  if (resolve({}).triple.starts_with("x86_64")) {
    EXPECT_EQ(misses(cache, one, other), 1u);
  }
  EXPECT_EQ(misses(cache, one, {}), 0u);
}

TEST_F(CachedCode, IsCompiledAgainIfItsEntryIsBroken) {
  ObjectCache cache(folder);
  const Unit unit{loops::read(loops::kPrograms[0].text)};
  misses(cache, unit, {});
  const fs::path path = only_entry();
  const std::string whole = bytes_of(path);
  write(path, whole.substr(0, whole.size() / 2));
  EXPECT_EQ(misses(cache, unit, {}), 0u);
  EXPECT_EQ(cache.counts().damaged, 1u);
  EXPECT_EQ(bytes_of(only_entry()), whole);
}

}  // namespace
}  // namespace ricci
