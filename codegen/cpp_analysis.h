// What the emitter of C++ asks of a loop program: what is live, which integers get names, and where a long program is cut into functions.
#pragma once
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "ir/loops.h"

namespace ricci {

struct CppAnalysis {
  // A value or an accumulator.
  struct Cell {
    bool live = false, crosses = false;
    size_t part = 0;
    size_t slot = 0;
    std::optional<double> number = {};  // a constant: written where it is used
  };

  // The program gains the integers that name positions and numbers of elements.
  explicit CppAnalysis(loops::Program& p);

  // Whether a block begins with statement k.
  bool opens(size_t k) const;
  // What nobody reads would be a warning.
  bool is_live(const loops::Statement& s) const;

  std::vector<Cell> values, accumulators;
  std::set<loops::IndexId> named;  // integers over dimensions alone that are more than a number or a dimension
  std::set<uint32_t> used_dims, used_arrays;
  bool split = false;               // into functions
  std::map<size_t, size_t> pieces;  // begin, end
  size_t slots = 0;                 // for cells that cross pieces

 private:
  void match_blocks();
  void find_live();
  void find_integers();
  bool loop_free(loops::IndexId root);
  void divide(size_t from, size_t to);
  void find_crossing();
  void cross(Cell& c, size_t part);

  loops::Program& p_;
  std::vector<size_t> partner_;  // the End of each block
  std::vector<bool> loop_free_;
};

}  // namespace ricci
