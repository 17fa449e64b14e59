// The table of properties a tensor can be promised or proved to have, with their implications.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace ricci {

enum class Property : uint8_t {
#define RICCI_PROPERTY(id, ...) id,
#include "ir/properties.def"
#undef RICCI_PROPERTY
};

// A set of properties, kept closed under implication.
class Properties {
 public:
  Properties() = default;
  Properties(std::initializer_list<Property> ps) { for (Property p : ps) add(p); }
  bool has(Property p) const { return bits_ >> unsigned(p) & 1; }
  void add(Property p);                      // adds p and all it implies
  void add(Properties other) { bits_ |= other.bits_; }
  Properties common(Properties other) const { Properties r; r.bits_ = bits_ & other.bits_; return r; }
  bool empty() const { return bits_ == 0; }
  // Without those that tie entries to one another: symmetric, skew, triangular, diagonal, and what implies one of them.
  Properties untied() const;
  std::vector<Property> list() const;        // in table order
  std::vector<Property> minimal() const;     // without those implied by another in the set
  friend auto operator<=>(Properties, Properties) = default;

 private:
  uint64_t bits_ = 0;
};

struct PropertyRow {
  Property property;
  std::string_view name;
  std::string_view implies;    // names, separated by spaces: "symmetric nonsingular"
  std::string_view applies_to; // "matrix", "square", "vector", "any"
  std::string_view transpose;  // the property its transpose has: "lower" for "upper", itself mostly; "" for none
  std::string_view inverse;    // the property its inverse has, "" for none
  bool sum, product;           // closed under A + B, and A*B
  std::string_view meaning;    // one line for messages and docs
};

std::span<const PropertyRow> property_table();
const PropertyRow& row(Property p);
std::optional<Property> find_property(std::string_view name);

}  // namespace ricci
