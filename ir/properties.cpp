#include "ir/properties.h"

#include <array>

namespace ricci {
namespace {

constexpr PropertyRow kTable[] = {
#define RICCI_PROPERTY(id, name, implies, applies_to, transpose, inverse, sum, product, meaning) \
  {Property::id, name, implies, applies_to, transpose, inverse, sum, product, meaning},
#include "ir/properties.def"
#undef RICCI_PROPERTY
};
constexpr size_t kCount = std::size(kTable);
static_assert(kCount <= 64, "a set of properties is 64 bits");

constexpr std::optional<Property> find(std::string_view name) {
  for (const PropertyRow& r : kTable)
    if (r.name == name) return r.property;
  return std::nullopt;
}

// Row p's closure under implication, itself included.
constexpr std::array<uint64_t, kCount> kClosure = [] {
  std::array<uint64_t, kCount> closure{};
  for (size_t p = 0; p < kCount; ++p) {
    closure[p] = uint64_t{1} << p;
    std::string_view words = kTable[p].implies;
    while (!words.empty()) {
      size_t end = words.find(' ');
      closure[p] |= uint64_t{1} << size_t(*find(words.substr(0, end)));
      words = end == std::string_view::npos ? "" : words.substr(end + 1);
    }
  }
  for (size_t round = 0; round < kCount; ++round)
    for (uint64_t& c : closure)
      for (size_t q = 0; q < kCount; ++q)
        if (c >> q & 1) c |= closure[q];
  return closure;
}();

}  // namespace

void Properties::add(Property p) { bits_ |= kClosure[size_t(p)]; }

Properties Properties::untied() const {
  constexpr uint64_t kTies = uint64_t{1} << size_t(Property::symmetric) | uint64_t{1} << size_t(Property::skew) |
                             uint64_t{1} << size_t(Property::lower) | uint64_t{1} << size_t(Property::upper);
  Properties free;
  for (Property p : list())
    if (!(kClosure[size_t(p)] & kTies)) free.bits_ |= uint64_t{1} << size_t(p);
  return free;
}

std::vector<Property> Properties::list() const {
  std::vector<Property> result;
  for (const PropertyRow& r : kTable)
    if (has(r.property)) result.push_back(r.property);
  return result;
}

std::vector<Property> Properties::minimal() const {
  std::vector<Property> result;
  for (Property p : list()) {
    bool implied = false;
    for (Property q : list()) implied |= q != p && kClosure[size_t(q)] >> size_t(p) & 1;
    if (!implied) result.push_back(p);
  }
  return result;
}

std::span<const PropertyRow> property_table() { return kTable; }

const PropertyRow& row(Property p) { return kTable[size_t(p)]; }

std::optional<Property> find_property(std::string_view name) { return find(name); }

}  // namespace ricci
