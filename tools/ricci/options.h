// The options of the driver. Each belongs to a group; a command names the groups it takes (command.h).
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "tools/watch_passes.h"

namespace CLI {
class App;
}

namespace ricci::driver {

struct Options {
  // input
  std::string input;                 // FILE, - or an expression
  std::vector<std::string> declare;  // texts of declarations
  std::string fn;                    // which definition or export
  // derivative
  std::string wrt;  // variables, separated by commas
  int order = 1;
  std::string layout = "mixed", symmetric = "projected";
  // answer
  std::vector<std::string> forms;  // matrix, index, slices, differential, vec
  std::string emit;                // a row of the table of emitters
  std::string output;              // -o; empty: stdout
  // code
  int level = 2;  // -O
  std::string march = "native", target, vector_library = "libmvec";
  bool fast_math = false, use_float = false;
  std::string cache_dir;  // empty: the user's
  bool no_cache = false;
  int threads = 1;  // 0: one per CPU
  // data
  std::vector<std::string> in, dims;  // NAME=FILE, NAME=NUMBER
  std::vector<std::string> random;    // names, or `all`
  uint64_t seed = 1;
  int repeat = 0, points = 10;
  bool certify = false;
  // passes
  bool print_after_all = false, print_changed = false, verify_each = false, time_passes = false, stats = false;
  std::vector<std::string> print_after;
  // limits
  double timeout = 0;
  uint64_t max_nodes = 0;  // 0: no limit
  // messages
  bool json_diagnostics = false, verbose = false;
};

enum Group : unsigned {
  kInput = 1,
  kDerivative = 2,
  kAnswer = 4,
  kEmit = 8,
  kCode = 16,
  kData = 32,
  kPasses = 64,
  kPoints = 128,
  kVariables = 256,
  kConvention = 512,
  kCertificate = 1024,
};

// What the options ask of the pass loop.
WatchOptions watch_options(const Options& options);

// Adds the options of `groups`, and those that every command has, to a command.
void add_options(CLI::App& command, Options& options, unsigned groups);

}  // namespace ricci::driver
