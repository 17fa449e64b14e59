// Statements to a Program: declarations, definitions and exports, and what one-liners leave to be inferred.
#include "frontend/program.h"

#include <algorithm>
#include <bit>
#include <deque>
#include <set>

#include "frontend/elaborate.h"
#include "frontend/parser.h"
#include "frontend/spelling.h"

namespace ricci {
namespace {

struct Variable {
  std::string name;
  Shape shape;
  std::vector<Variance> variance;
  Properties properties;
  bool assumed;
  SourceRange where;
};

struct Pending {
  std::string name;
  Meaning meaning;
  SourceRange where;
  bool indexed, all_low;
};

class Reader {
 public:
  // `scalars`: lower-case names to take for scalars although a vector is what they usually are.
  Reader(const Calculus& calculus, Diagnostics& diagnostics, bool infer, std::set<std::string> scalars = {})
      : calculus_(calculus), diagnostics_(diagnostics), infer_(infer), scalars_(std::move(scalars)), elaborator_(dims_, drafts_, diagnostics) {}

  void read(const std::string& text, const std::string& name);
  std::optional<Program> finish();
  // Assumed vectors, by name.
  std::vector<std::string> assumed_vectors() const;

 private:
  void statement(const Syntax& syntax, const Statement& s);
  void dimension(const Statement& s);
  void declaration(const Statement& s);
  void definition(const Syntax& syntax, const Statement& s);
  std::optional<DimVar> written(const WrittenDim& d);
  Properties properties(const Statement& s, const WrittenName& name, const Meaning& m);
  bool applies(const PropertyRow& p, const Shape& shape);
  bool is_new(const WrittenName& name);
  void define(const std::string& name, Meaning m, SourceRange where, bool indexed, bool all_low);
  void assume_names(const Syntax& syntax, AstId root);
  void assume(std::string_view name, size_t rank, std::vector<Variance> variance, SourceRange where);
  void name_sizes();
  std::string kind_of(const Variable& v) const;
  void check_sizes();
  std::optional<Program> build();
  void exports(Program& p);
  void check_export(const Statement& s);
  std::vector<std::string> arguments_of(const Program& p, NodeId node) const;

  const Calculus& calculus_;
  Diagnostics& diagnostics_;
  bool infer_;
  std::set<std::string> scalars_;
  Dimensions dims_;
  Drafts drafts_;
  Elaborator elaborator_;
  KnownNames known_;
  std::deque<std::string> texts_;      // what syntaxes view
  std::vector<Variable> variables_;
  std::vector<Pending> pending_;
  std::vector<Statement> exports_;
  std::map<std::string, SourceRange, std::less<>> places_;
  std::string file_, source_;
};

void Reader::read(const std::string& text, const std::string& name) {
  texts_.push_back(text);
  file_ = name;
  source_ = text;
  const uint32_t source = diagnostics_.add_source(name, text);
  const std::vector<Token> tokens = tokenize(texts_.back(), source, diagnostics_);
  if (tokens.empty()) return;
  const Syntax syntax = parse(tokens, known_, diagnostics_);
  for (const Statement& s : syntax.statements)
    if (s.kind == Statement::Kind::Definition) elaborator_.later.try_emplace(s.names[0].text, s.names[0].where);
  for (const Statement& s : syntax.statements) statement(syntax, s);
}

void Reader::statement(const Syntax& syntax, const Statement& s) {
  switch (s.kind) {
    case Statement::Kind::Dim: return dimension(s);
    case Statement::Kind::Declaration: return declaration(s);
    case Statement::Kind::Definition:
    case Statement::Kind::Expression: return definition(syntax, s);
    case Statement::Kind::Export: exports_.push_back(s); return;
    case Statement::Kind::Poison:
      for (const WrittenName& n : s.names) elaborator_.names.try_emplace(n.text);
      return;
  }
}

// --- declarations ----------------------------------------------------------------------------------------------------------------------

std::optional<DimVar> Reader::written(const WrittenDim& d) {
  if (d.text[0] < '0' || d.text[0] > '9') return dims_.named(d.text);
  const auto r = parse_rational(d.text);
  if (const auto n = r ? as_long(*r) : std::nullopt) return dims_.number(*n);
  diagnostics_.report(Message::bad_dimension, d.where, shorten(d.text));
  return std::nullopt;
}

void Reader::dimension(const Statement& s) {
  const DimVar n = dims_.named(s.names[0].text);
  const std::string before = dims_.spell(n);
  const auto size = written(s.dims[0]);
  if (size && !dims_.equate(n, *size)) {
    const std::string is = std::to_string(*dims_.size(n));
    diagnostics_.report(Message::dim_conflict, s.where, s.names[0].text, dims_.spell(*size), is);
  }
}

bool Reader::is_new(const WrittenName& name) {
  const auto it = elaborator_.names.find(name.text);
  if (it == elaborator_.names.end()) return true;
  const auto place = places_.find(name.text);
  if (place != places_.end())
    diagnostics_.report(Message::redefined, name.where, shorten(name.text)).note(place->second, Message::defined_here, shorten(name.text));
  return false;
}

void Reader::declaration(const Statement& s) {
  for (const WrittenName& name : s.names) {
    if (!is_new(name)) continue;
    Shape shape;
    std::vector<Variance> variance;
    bool ok = true;
    for (const WrittenDim& d : s.dims) {
      const auto dim = written(d);
      ok = ok && dim;
      if (dim) shape.push_back(dims_.occurrence(*dim, d.where, name.text));
      variance.push_back(d.variance);
    }
    places_.emplace(name.text, name.where);
    Meaning m{.variance = variance};
    if (ok) m.draft = drafts_.variable(uint32_t(variables_.size()), shape);
    elaborator_.names.emplace(name.text, m);
    if (ok) variables_.push_back({name.text, shape, variance, properties(s, name, m), false, name.where});
  }
}

bool Reader::applies(const PropertyRow& p, const Shape& shape) {
  if (p.applies_to == "any") return true;
  if (p.applies_to == "vector") return shape.size() == 1;
  return shape.size() == 2 && (p.applies_to == "matrix" || dims_.agree(shape[0], shape[1]) || dims_.spell(shape[0]) == dims_.spell(shape[1]));
}

Properties Reader::properties(const Statement& s, const WrittenName& name, const Meaning& m) {
  Properties all;
  for (const WrittenName& p : s.properties) {
    const auto property = find_property(p.text);
    if (!property) {
      std::vector<std::string> names;
      for (const PropertyRow& r : property_table()) names.emplace_back(r.name);
      suggest(diagnostics_.report(Message::unknown_property, p.where, shorten(p.text)), p.text, names);
    } else if (const PropertyRow& r = row(*property); !applies(r, drafts_.shape(m.draft))) {
      const std::string kind = r.applies_to == "square" ? "square matrix" : std::string(r.applies_to);
      diagnostics_.report(Message::property_does_not_apply, p.where, p.text, kind, name.text, elaborator_.describe(m));
    } else {
      all.add(*property);
    }
  }
  return all;
}

// --- definitions -----------------------------------------------------------------------------------------------------------------------

void Reader::definition(const Syntax& syntax, const Statement& s) {
  const bool named = s.kind == Statement::Kind::Definition;
  WrittenName name = named ? s.names[0] : WrittenName{"f", s.where};
  if (!named)
    for (int k = 1; elaborator_.names.contains(name.text); ++k) name.text = fmt::format("f{}", k);
  if (infer_) assume_names(syntax, s.body);
  elaborator_.defining = named ? name.text : "";
  Meaning m = elaborator_.expression(syntax, s.body, {s.indexed, s.indices});
  elaborator_.defining.clear();
  elaborator_.later.erase(name.text);
  if (!is_new(name)) return;
  if (m.several.empty()) {
    const bool indexed = m.indexed;
    define(name.text, std::move(m), name.where, indexed, indexed && !elaborator_.uses_high_indices());
    return;
  }
  places_.emplace(name.text, name.where);
  elaborator_.names.emplace(name.text, m);
  for (auto& [variable, part] : m.several) {
    const WrittenName part_name{name.text + "_" + variable, name.where};
    known_.insert(part_name.text);
    if (is_new(part_name)) define(part_name.text, std::move(part), name.where, false, false);
  }
}

void Reader::define(const std::string& name, Meaning m, SourceRange where, bool indexed, bool all_low) {
  places_.emplace(name, where);
  Meaning use = m;
  use.indexed = false;
  elaborator_.names.emplace(name, std::move(use));
  pending_.push_back({name, std::move(m), where, indexed, all_low});
}

// --- inference of kinds ----------------------------------------------------------------------------------------------------------------

void Reader::assume(std::string_view name, size_t rank, std::vector<Variance> variance, SourceRange where) {
  Shape shape;
  for (size_t i = 0; i < rank; ++i) shape.push_back(dims_.fresh());
  elaborator_.names.emplace(std::string(name), Meaning{.draft = drafts_.variable(uint32_t(variables_.size()), shape), .variance = variance});
  places_.emplace(std::string(name), where);
  known_.insert(std::string(name));
  variables_.push_back({std::string(name), shape, std::move(variance), {}, true, where});
}

// Names nobody declared: with indices an axis for each; else a matrix, a vector or, in Greek, a scalar.
void Reader::assume_names(const Syntax& syntax, AstId root) {
  std::map<std::string_view, const Ast*> indexed;
  bool upper_indices = false;  // without any, low indices say nothing of variance
  std::set<uint32_t> sizes;
  const uint32_t first = syntax[root].first;
  for (uint32_t id = first; id <= root.value; ++id) {
    const Ast& a = syntax[{id}];
    if (a.kind == AstKind::Indexed && syntax[a.children[0]].kind == AstKind::Name) indexed.emplace(syntax[a.children[0]].name, &a);
    for (const auto& index : a.indices) upper_indices |= index.variance == Variance::Up;
    if (a.kind != AstKind::Call || (a.name != "ones" && a.name != "zeros" && a.name != "eye")) continue;
    for (AstId c : a.children)
      if (syntax[c].kind == AstKind::Name) {
        sizes.insert(c.value);
        dims_.named(std::string(syntax[c].name));
      }
  }
  for (uint32_t id = first; id <= root.value; ++id) {
    const Ast& a = syntax[{id}];
    if (a.kind != AstKind::Name || sizes.contains(id) || elaborator_.names.contains(a.name) || dims_.is_name(a.name)) continue;
    if (a.name == "pi" || a.name == "π" || elaborator_.later.contains(a.name)) continue;
    const auto use = indexed.find(a.name);
    if (use != indexed.end()) {
      if (a.name == "delta" || a.name == "δ") continue;
      const auto& indices = use->second->indices;
      std::vector<Variance> variance = Elaborator::usual_variance(indices.size());
      if (indices.size() > 2 || (indices.size() == 1 && upper_indices))
        for (size_t i = 0; i < indices.size(); ++i) variance[i] = indices[i].variance;
      assume(a.name, indices.size(), std::move(variance), a.where);
      continue;
    }
    const bool upper = a.name[0] >= 'A' && a.name[0] <= 'Z';
    const size_t rank = is_greek_name(a.name) || scalars_.contains(std::string(a.name)) ? 0 : upper ? 2 : 1;
    assume(a.name, rank, Elaborator::usual_variance(rank), a.where);
  }
}

std::vector<std::string> Reader::assumed_vectors() const {
  std::vector<std::string> all;
  for (const Variable& v : variables_)
    if (v.assumed && v.shape.size() == 1) all.push_back(v.name);
  return all;
}

// Names for sizes that follow from nothing: m and n for a matrix, else the next free letter.
void Reader::name_sizes() {
  std::set<std::string> taken;
  for (const std::string& n : dims_.names()) taken.insert(n);
  for (const Variable& v : variables_) taken.insert(v.name);
  auto pick = [&](DimVar d, std::string_view wanted) {
    constexpr std::string_view kLetters = "nmpqrklstuvw";
    if (dims_.is_known(d)) return;
    std::string name(wanted);
    for (size_t i = 0; name.empty() || taken.contains(name); ++i)
      name = i < kLetters.size() ? std::string(1, kLetters[i]) : fmt::format("n{}", i - kLetters.size() + 1);
    taken.insert(name);
    dims_.name(d, name);
  };
  for (const Variable& v : variables_) {
    const bool oblong = v.shape.size() == 2 && !dims_.agree(v.shape[0], v.shape[1]);
    if (oblong && !dims_.is_known(v.shape[0])) pick(v.shape[0], dims_.is_known(v.shape[1]) ? "" : "m");
    for (DimVar d : v.shape) pick(d, "");
  }
}

std::string Reader::kind_of(const Variable& v) const {
  if (v.shape.empty()) return "scalar";
  std::string axes;
  const bool tensor = v.shape.size() > 2;
  for (size_t i = 0; i < v.shape.size(); ++i)
    axes += fmt::format("{}{}{}", i ? ", " : "", tensor ? v.variance[i] == Variance::Up ? "^" : "_" : "", dims_.spell(v.shape[i]));
  return fmt::format("{}({})", tensor ? "tensor" : v.shape.size() == 2 ? "matrix" : v.variance[0] == Variance::Up ? "vector" : "covector", axes);
}

// --- the graph -------------------------------------------------------------------------------------------------------------------------

void Reader::check_sizes() {
  for (const auto& [dim, where] : elaborator_.open_sizes)
    if (!dims_.is_known(dim)) {
      diagnostics_.report(Message::size_unknown, where);
      return;
    }
}

std::optional<Program> Reader::finish() {
  for (const Statement& s : exports_) check_export(s);
  if (!diagnostics_.has_errors() && pending_.empty()) diagnostics_.report(Message::no_definition, SourceRange{uint32_t(texts_.size() - 1), 0, 0});
  if (diagnostics_.has_errors()) return std::nullopt;
  name_sizes();
  check_sizes();
  if (diagnostics_.has_errors()) return std::nullopt;
  return build();
}

std::optional<Program> Reader::build() {
  Program p{.graph = std::make_unique<Graph>(), .file = file_, .source = source_};
  Graph& g = *p.graph;
  std::vector<NodeId> nodes;
  for (const Variable& v : variables_) {
    Type type;
    for (DimVar d : v.shape) type.push_back(dims_.resolve(g, d));
    nodes.push_back(g.variable(g.declare({v.name, std::move(type), v.variance, v.properties})));
    p.declarations.push_back({v.name, nodes.back(), v.assumed, v.where});
    if (v.assumed) p.assumptions.push_back(v.name + ": " + kind_of(v));
  }
  const std::vector<NodeId> built = drafts_.build(g, dims_, &calculus_, nodes);
  for (const Pending& d : pending_)
    p.definitions.push_back({d.name, {built[d.meaning.draft.value], d.meaning.variance, d.meaning.variable}, d.where, d.indexed, d.all_low});
  exports(p);
  if (diagnostics_.has_errors()) return std::nullopt;
  return p;
}

// The variables a node depends on, in the order of their declarations.
std::vector<std::string> Reader::arguments_of(const Program& p, NodeId node) const {
  std::set<NodeId> used;
  for (NodeId n : p.graph->reachable(std::span(&node, 1))) used.insert(n);
  std::vector<std::string> names;
  for (const Declaration& d : p.declarations)
    if (used.contains(d.node)) names.push_back(d.name);
  return names;
}

void Reader::exports(Program& p) {
  for (const Statement& s : exports_) {
    Export e{.name = s.names[0].text, .arguments = {}, .results = {}};
    for (const WrittenName& n : s.arguments) e.arguments.push_back(n.text);
    for (const WrittenName& n : s.results) e.results.push_back(n.text);
    for (const WrittenName& n : s.results)
      for (const std::string& used : arguments_of(p, p.find_definition(n.text)->value.node))
        if (std::ranges::find(e.arguments, used) == e.arguments.end())
          diagnostics_.report(Message::export_incomplete, n.where, n.text, used, e.name);
    p.exports.push_back(std::move(e));
  }
  if (exports_.empty())
    for (const Definition& d : p.definitions) p.exports.push_back({d.name, arguments_of(p, d.value.node), {d.name}});
}

// The names of exports; those that a mistake elsewhere left without a meaning pass.
void Reader::check_export(const Statement& s) {
  std::vector<std::string> variables, definitions;
  for (const Variable& v : variables_) variables.push_back(v.name);
  for (const Pending& d : pending_) definitions.push_back(d.name);
  auto check = [&](const WrittenName& n, const std::vector<std::string>& among, Message m) {
    const auto meaning = elaborator_.names.find(n.text);
    const bool poisoned = meaning != elaborator_.names.end() && meaning->second.poisoned();
    if (!poisoned && std::ranges::find(among, n.text) == among.end()) suggest(diagnostics_.report(m, n.where, shorten(n.text)), n.text, among);
  };
  for (const WrittenName& n : s.arguments) check(n, variables, Message::export_argument);
  for (const WrittenName& n : s.results) check(n, definitions, Message::export_result);
}

// --- one-liners whose lower-case names are scalars -------------------------------------------------------------------------------------

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
  Reader reader(calculus, diagnostics, true, scalars);
  for (const std::string& d : options.declarations) reader.read(d, "<declaration>");
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

}  // namespace

const Declaration* Program::find_declaration(std::string_view name) const {
  const auto it = std::ranges::find(declarations, name, &Declaration::name);
  return it == declarations.end() ? nullptr : &*it;
}

const Definition* Program::find_definition(std::string_view name) const {
  const auto it = std::ranges::find(definitions, name, &Definition::name);
  return it == definitions.end() ? nullptr : &*it;
}

std::optional<NodeId> Program::find(std::string_view name) const {
  if (const Declaration* d = find_declaration(name)) return d->node;
  if (const Definition* d = find_definition(name)) return d->value.node;
  return std::nullopt;
}

std::optional<Program> parse_program(std::string source, std::string file, const Calculus& calculus, Diagnostics& diagnostics) {
  Reader reader(calculus, diagnostics, false);
  reader.read(source, file);
  return reader.finish();
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
