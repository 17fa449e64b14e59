// Dimensions before they are known: unification over a whole program.
//
// Every axis a user writes is an occurrence with its place, joined to the name or number it stands for. A declared name means any size,
// so two different names never agree by accident; only sizes of assumed names (one-liners) are free to become what they meet.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "frontend/diagnostics.h"
#include "ir/dimension.h"

namespace ricci {

struct DimVar {
  uint32_t value;
  friend auto operator<=>(DimVar, DimVar) = default;
};

class Dimensions {
 public:
  // `flexible_names`: names are placeholders to be inferred (formulas of our own tables).
  explicit Dimensions(bool flexible_names = false) : flexible_names_(flexible_names) {}

  DimVar fresh();
  DimVar named(const std::string& name);
  DimVar number(int64_t size);
  DimVar given(DimId dim);
  // Sizes made of others: kron and vec multiply, blocks add, slices subtract. The first factor of a product is the slower one.
  // A product of more sizes than any 64 bits hold (but for sizes of 1), or of too large numbers, is no size; `exceeded` says so once.
  DimVar product(std::vector<DimVar> factors);
  bool exceeded() { return std::exchange(exceeded_, false); }
  DimVar sum(std::vector<DimVar> terms);
  DimVar plus(DimVar d, int64_t n);
  DimVar difference(DimVar a, DimVar b);
  // Whether it is less than 0 whatever the sizes are, or greater.
  bool is_negative(DimVar d) const;
  // The same dimension, written at `where` for an axis of `owner`.
  DimVar occurrence(DimVar of, SourceRange where, std::string owner);

  bool unify(DimVar a, DimVar b);          // false: they cannot be equal, nothing changed
  bool equate(DimVar a, DimVar b);         // `dim m = n`: also joins two names
  bool agree(DimVar a, DimVar b) const;
  bool is_name(std::string_view name) const { return names_.contains(name); }
  std::vector<std::string> names() const;

  std::string spell(DimVar d) const;       // "n", "3", "?" while unknown
  std::optional<int64_t> size(DimVar d) const;
  bool is_known(DimVar d) const;
  bool is_free(DimVar d) const { return is_unknown(root(d)); }  // nothing is known of it
  void name(DimVar d, std::string name);   // names an unknown one
  DimId resolve(Graph& graph, DimVar d) const;
  // Where an axis was written, and whose it is.
  struct Origin {
    SourceRange where;
    std::string owner;
  };
  const Origin* origin(DimVar d) const;

 private:
  struct Term {
    uint32_t parent;
    std::string name = {};
    std::optional<int64_t> size = {};
    std::optional<DimId> given = {};
    std::optional<Extent> built = {};     // in the keys of other roots
    std::vector<DimVar> parts = {};       // of `built`, in the order they were written
    std::optional<Origin> origin = {};
  };
  uint32_t root(DimVar d) const;
  DimVar add(Term t);
  bool compatible(const Term& a, const Term& b) const;
  void merge(uint32_t a, uint32_t b);
  Extent extent(DimVar d) const;
  DimVar build(Extent e, std::vector<DimVar> parts = {});
  bool is_unknown(uint32_t root) const;
  bool unify_built(uint32_t a, uint32_t b);

  bool flexible_names_;
  bool exceeded_ = false;
  mutable std::vector<Term> terms_;
  std::map<std::string, DimVar, std::less<>> names_;
};

}  // namespace ricci
