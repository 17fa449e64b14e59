#include "frontend/program.h"

#include <algorithm>
#include <bit>

#include "frontend/reader.h"
#include "frontend/spelling.h"

namespace ricci {
namespace {

// Mistakes that look like a vector used as a number: strong ones are t^2, 1/t, t + 1; a product of two columns is a weak one.
enum class Doubt { None, Weak, Strong };
Doubt doubts_vectors(const Diagnostics& diagnostics) {
  constexpr Message kStrong[] = {Message::power_of_vector, Message::division_by_tensor, Message::scalar_plus_tensor, Message::exponent_not_scalar,
                                 Message::needs_scalar};
  Doubt doubt = Doubt::None;
  for (const Diagnostic& d : diagnostics.all()) {
    if (std::ranges::find(kStrong, d.message) != std::end(kStrong)) doubt = Doubt::Strong;
    else if (d.message != Message::column_on_the_left) return Doubt::None;
    else if (doubt == Doubt::None) doubt = Doubt::Weak;
  }
  return doubt;
}

std::optional<Program> try_reading(const std::string& text, const ParseOptions& options, const Calculus& calculus, Diagnostics& diagnostics,
                                   const std::set<std::string>& scalars, std::vector<std::string>* vectors) {
  Reader reader(calculus, diagnostics, true, scalars, options.free);
  for (const std::string& d : options.declarations) reader.read(d, "--declare");
  if (diagnostics.has_errors()) return std::nullopt;
  reader.read(text, options.name);
  std::optional<Program> p = reader.finish();
  if (vectors) *vectors = reader.assumed_vectors();
  return p;
}

// The sets of `names` to try as scalars, smallest first.
std::vector<std::set<std::string>> choices(const std::vector<std::string>& names) {
  constexpr size_t kMost = 6;
  std::vector<std::set<std::string>> all;
  if (names.size() > kMost) return {{names.begin(), names.end()}};
  for (int count = 1; count <= int(names.size()); ++count)
    for (size_t bits = 1; bits < size_t(1) << names.size(); ++bits) {
      if (std::popcount(bits) != count) continue;
      std::set<std::string> s;
      for (size_t i = 0; i < names.size(); ++i)
        if (bits >> i & 1) s.insert(names[i]);
      all.push_back(std::move(s));
    }
  return all;
}

// lambda and λ are one name.
template <class Row> const Row* find_named(const std::vector<Row>& rows, std::string_view name) {
  for (std::string_view spelling : {name, greek_twin(name)})
    if (const auto it = std::ranges::find(rows, spelling, &Row::name); it != rows.end()) return &*it;
  return nullptr;
}

}  // namespace

const Declaration* Program::find_declaration(std::string_view name) const { return find_named(declarations, name); }
const Definition* Program::find_definition(std::string_view name) const { return find_named(definitions, name); }

std::optional<NodeId> Program::find(std::string_view name) const {
  if (const Declaration* d = find_declaration(name)) return d->node;
  if (const Definition* d = find_definition(name)) return d->value.node;
  return std::nullopt;
}

std::optional<Program> parse_program(std::string source, std::string file, const Calculus& calculus, Diagnostics& diagnostics,
                                     const ParseOptions& options) {
  Reader reader(calculus, diagnostics, false, {}, options.free, options.sizes_apart);
  std::string whole;
  for (const std::string& d : options.declarations) {
    reader.read(d, "--declare");
    whole += d + "\n";
  }
  reader.read(source, file);
  std::optional<Program> p = reader.finish();
  if (p) p->source.insert(0, whole);
  return p;
}

// The literal reading counts. If it fails only where vectors are used like numbers, the fewest of them become scalars; where two columns are
// multiplied this is only offered.
std::optional<Program> parse_expression(std::string text, const ParseOptions& options, const Calculus& calculus, Diagnostics& diagnostics) {
  std::vector<std::string> vectors;
  Diagnostics literal;
  if (auto p = try_reading(text, options, calculus, literal, {}, &vectors)) {
    diagnostics = std::move(literal);
    return p;
  }
  if (const Doubt doubt = doubts_vectors(literal); doubt != Doubt::None) {
    for (const std::set<std::string>& scalars : choices(vectors)) {
      Diagnostics trial;
      auto p = try_reading(text, options, calculus, trial, scalars, nullptr);
      if (p && doubt == Doubt::Strong) {
        diagnostics = std::move(trial);
        return p;
      }
      if (!p) continue;
      for (const std::string& name : scalars) literal.fix_first(Message::declare_otherwise, name, name);
      break;
    }
  }
  diagnostics = std::move(literal);
  return std::nullopt;
}

}  // namespace ricci
