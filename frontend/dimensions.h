// Dimensions before they are known: unification over a whole program.
//
// Every axis a user writes is an occurrence with its place, joined to the name or number it stands for. A declared name means any size,
// so two different names never agree by accident; only sizes of assumed names (one-liners) are free to become what they meet.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "frontend/diagnostics.h"
#include "ir/graph.h"

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
  // The same dimension, written at `where` for an axis of `owner`.
  DimVar occurrence(DimVar of, SourceRange where, std::string owner);

  bool unify(DimVar a, DimVar b);          // false: they cannot be equal, nothing changed
  bool equate(DimVar a, DimVar b);         // `dim m = n`: also joins two names
  bool agree(DimVar a, DimVar b) const { return root(a) == root(b); }
  bool is_name(std::string_view name) const { return names_.contains(name); }
  std::vector<std::string> names() const;

  std::string spell(DimVar d) const;       // "n", "3", "?" while unknown
  std::optional<int64_t> size(DimVar d) const { return terms_[root(d)].size; }
  bool is_known(DimVar d) const;
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
    std::optional<Origin> origin = {};
  };
  uint32_t root(DimVar d) const;
  DimVar add(Term t);
  bool compatible(const Term& a, const Term& b) const;
  void merge(uint32_t a, uint32_t b);

  bool flexible_names_;
  mutable std::vector<Term> terms_;
  std::map<std::string, DimVar, std::less<>> names_;
};

}  // namespace ricci
