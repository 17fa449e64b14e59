// The letters and numbers of indices in a derivation.
#pragma once
#include <set>
#include <span>
#include <string>

#include "codegen/derivation_notation.h"
#include "ir/dimension.h"

namespace ricci {

class DerivationIndices {
 public:
  DerivationIndices(const Graph& g, const Derivation& d, const Spelling& s);

  // No index has the name of a variable, or of a dimension that indices are counted in: (n + k).
  std::string letter(Label l) const;
  std::string value(const IndexLetter& l) const;
  // What a place makes of its digits, the last running fastest (ir/places.h): n + k, (j - 1)*m + k, and 2 for e(2).
  IndexLetter number(NodeId place, std::span<const IndexLetter> digits) const;

 private:
  std::string extent(const Extent& e) const;

  const Graph& g_;
  const Spelling& s_;
  std::set<std::string> reserved_;
};

}  // namespace ricci
