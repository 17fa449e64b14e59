#include "frontend/reader.h"

#include <algorithm>
#include <bit>

#include "frontend/lexer.h"
#include "frontend/spelling.h"

namespace ricci {

void Reader::read(const std::string& given, const std::string& name) {
  const std::string text = given.starts_with("\xEF\xBB\xBF") ? given.substr(3) : given;  // the mark of UTF-8
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
    case Statement::Kind::Function: return function(s);
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
  std::vector<DimVar> sum;
  for (const std::vector<WrittenName>& term : d.terms) {
    std::vector<DimVar> product;
    for (const WrittenName& factor : term) {
      const bool is_name = factor.text[0] < '0' || factor.text[0] > '9';
      const auto r = is_name ? std::nullopt : parse_rational(factor.text);
      const auto n = r ? as_long(*r) : std::nullopt;
      if (!is_name && !n) {
        diagnostics_.report(Message::bad_dimension, factor.where, shorten(factor.text));
        return std::nullopt;
      }
      product.push_back(is_name ? dims_.named(factor.text) : dims_.number(*n));
    }
    sum.push_back(product.size() == 1 ? product[0] : dims_.product(std::move(product)));
    if (dims_.exceeded()) {
      diagnostics_.report(Message::size_exceeded, d.where);
      return std::nullopt;
    }
  }
  return sum.size() == 1 ? sum[0] : dims_.sum(std::move(sum));
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

// A name of an undeclared function, or of a derivative of one, has no other meaning.
bool Reader::is_new(const WrittenName& name) {
  if (const auto taken = elaborator_.undeclared(name.text)) {
    const std::string function(taken->function);
    diagnostics_.report(Message::function_taken, name.where, shorten(name.text)).note(places_.at(function), Message::defined_here, shorten(function));
    return false;
  }
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
    if (!ok) continue;
    variables_.push_back({name.text, shape, variance, properties(s, name, m), false, name.where});
    if (variables_.back().properties.has(Property::constant)) elaborator_.constants.insert(name.text);
  }
}

void Reader::function(const Statement& s) {
  const WrittenName& name = s.names[0];
  if (elaborator_.functions.contains(name.text)) {
    diagnostics_.report(Message::redefined, name.where, shorten(name.text)).note(places_.at(name.text), Message::defined_here, shorten(name.text));
    return;
  }
  std::vector<Meaning> kinds;  // of the arguments, then of the value; each stands for a variable that is never made
  std::vector<Shape> shapes;
  for (const std::vector<WrittenDim>& dims : s.kinds) {
    Meaning& m = kinds.emplace_back();
    Shape& shape = shapes.emplace_back();
    for (const WrittenDim& d : dims) {
      const auto dim = written(d);
      if (!dim) return;
      shape.push_back(dims_.occurrence(*dim, d.where, name.text));
      m.variance.push_back(d.variance);
    }
    m.draft = drafts_.sum({}, shape);
  }
  if (!is_new(name)) return;
  if (Elaborator::has_function(name.text)) {
    diagnostics_.report(Message::function_taken, name.where, shorten(name.text));
    return;
  }
  places_.emplace(name.text, name.where);
  const Meaning value = std::move(kinds.back());
  const Shape value_shape = std::move(shapes.back());
  kinds.pop_back();
  shapes.pop_back();
  const uint32_t number = drafts_.function(name.text, std::move(shapes), value_shape);
  elaborator_.functions.emplace(name.text, Elaborator::Undeclared{number, std::move(kinds), value});
  // What is declared above may read as a derivative of it.
  const auto derivative = [&](const std::string& other) {
    const auto d = elaborator_.undeclared(other);
    return d && d->function == name.text && !d->by.empty();
  };
  std::vector<std::string> taken;
  for (const auto& [other, where] : places_)
    if (derivative(other)) taken.push_back(other);
  std::ranges::sort(taken);
  for (const std::string& other : taken) diagnostics_.report(Message::function_taken, places_.at(other), shorten(other)).note(name.where, Message::defined_here, shorten(name.text));
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
  if (infer_) assume_names(syntax, s.body);
  if (!named)
    for (int k = 1; elaborator_.names.contains(name.text) || elaborator_.undeclared(name.text); ++k) name.text = fmt::format("f{}", k);
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
    known_.variables.insert(part_name.text);
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

// --- the graph -------------------------------------------------------------------------------------------------------------------------

// A delta whose size follows from nothing has the program's one dimension, if it has but one.
void Reader::check_sizes() {
  std::optional<DimVar> only;
  bool one = true;
  for (const Variable& v : variables_)
    for (DimVar d : v.shape) {
      if (!only) only = d;
      one = one && dims_.agree(*only, d);
    }
  for (const auto& [dim, where] : elaborator_.open_sizes)
    if (!dims_.is_known(dim) && !(one && only && dims_.unify(dim, *only))) {
      diagnostics_.report(Message::size_unknown, where);
      return;
    }
}

std::optional<Program> Reader::finish() {
  check_exports();
  if (!diagnostics_.has_errors() && pending_.empty()) diagnostics_.report(Message::no_definition, SourceRange{uint32_t(texts_.size() - 1), 0, 0});
  if (diagnostics_.has_errors()) return std::nullopt;
  name_sizes();
  check_sizes();
  if (diagnostics_.has_errors()) return std::nullopt;
  if (sizes_apart_) keep_sizes_apart();
  return build();
}

void Reader::keep_sizes_apart() {
  const auto taken = [&](const std::string& name) {
    return std::ranges::find(variables_, name, &Variable::name) != variables_.end() || std::ranges::find(pending_, name, &Pending::name) != pending_.end() ||
           std::ranges::find(exports_, name, [](const Statement& s) { return s.names[0].text; }) != exports_.end();
  };
  for (const std::string& name : dims_.names()) {
    std::string own = name;
    while (taken(own) || (own != name && dims_.is_name(own))) own += "_size";
    if (own != name && dims_.spell(dims_.named(name)) == name) dims_.name(dims_.named(name), own);
  }
}

std::optional<Program> Reader::build() {
  Program p{.graph = std::make_unique<Graph>(), .file = file_, .source = source_};
  Graph& g = *p.graph;
  std::vector<NodeId> nodes;
  for (const Variable& v : variables_) {
    Type type;
    for (DimVar d : v.shape) type.push_back(dims_.resolve(g, d));
    const NodeId declared = g.variable(g.declare({v.name, type, v.variance, v.properties}));
    nodes.push_back(free_.contains(v.name) ? g.variable(g.declare({v.name, std::move(type), v.variance, v.properties.untied()})) : declared);
    if (nodes.back() != declared) p.promised.emplace(nodes.back(), declared);
    p.declarations.push_back({v.name, nodes.back(), v.assumed, v.where});
    if (v.assumed) p.assumptions.push_back(v.name + ": " + kind_of(v.shape, v.variance));
  }
  for (const AssumedFunction& f : assumed_functions_) p.assumptions.push_back(declaration_of(f));
  const std::vector<NodeId> built = drafts_.build(g, dims_, &calculus_, nodes);
  check_promises(p, built);
  for (const Pending& d : pending_)
    p.definitions.push_back({d.name, {built[d.meaning.draft.value], d.meaning.variance, d.meaning.variable}, d.where, d.indexed, d.meaning.letters, d.all_low});
  exports(p);
  if (diagnostics_.has_errors()) return std::nullopt;
  return p;
}

// Calls `depends(k, d)` for every node nodes[k] and every declaration d it depends on, for each node in the order of the declarations, until that
// is false. Sixty-four variables are swept at once, a bit each: memory stays linear however many pairs there are.
template <class F> static void for_each_argument(const Program& p, std::span<const NodeId> nodes, F depends) {
  constexpr size_t kAtOnce = 64;
  uint32_t top = 0;
  for (NodeId n : nodes) top = std::max(top, n.value + 1);
  std::vector<uint64_t> uses(top);
  for (size_t first = 0; first < p.declarations.size(); first += kAtOnce) {
    const auto swept = std::span(p.declarations).subspan(first, std::min(kAtOnce, p.declarations.size() - first));
    std::ranges::fill(uses, 0);
    for (size_t i = 0; i < swept.size(); ++i)
      if (swept[i].node.value < top) uses[swept[i].node.value] = uint64_t(1) << i;
    for (uint32_t n = 0; n < top; ++n)  // operands precede users
      for (NodeId o : (*p.graph)[NodeId{n}].operands) uses[n] |= uses[o.value];
    for (size_t k = 0; k < nodes.size(); ++k)
      for (uint64_t bits = uses[nodes[k].value]; bits != 0; bits &= bits - 1)
        if (!depends(k, swept[size_t(std::countr_zero(bits))])) return;
  }
}

// A promise that `free` takes back was given all the same.
void Reader::check_promises(const Program& p, const std::vector<NodeId>& built) {
  std::vector<NodeId> operands;
  std::vector<bool> kept;
  for (const Elaborator::Promise& promise : elaborator_.promises) {
    operands.push_back(built[promise.operand.value]);
    kept.push_back(p.graph->is_symmetric(calculus_.canonical(*p.graph, operands.back())));
  }
  for_each_argument(p, free_.empty() ? std::span<const NodeId>{} : operands, [&](size_t k, const Declaration& d) {
    if (free_.contains(d.name)) kept[k] = true;
    return true;
  });
  for (size_t k = 0; k < operands.size(); ++k) {
    if (kept[k]) continue;
    const Elaborator::Promise& promise = elaborator_.promises[k];
    const bool is_name = promise.written.find_first_of("+-*/\\ ") == std::string::npos;
    const std::string matrix = is_name ? promise.written : "(" + promise.written + ")";
    const std::string part = fmt::format("{0}(({1} + {1}')/2)", promise.function, matrix);
    diagnostics_.report(Message::needs_property, promise.where, promise.function, row(promise.property).name)
        .fix(Message::declare_property, row(promise.property).name, part);
  }
}

// Where nothing is exported, every definition is a function of all it depends on.
void Reader::export_all(Program& p) {
  constexpr size_t kMostArguments = 1'000'000;
  std::vector<NodeId> results;
  for (const Definition& d : p.definitions) {
    p.exports.push_back({.name = d.name, .arguments = {}, .results = {d.name}});
    results.push_back(d.value.node);
  }
  size_t count = 0;
  for_each_argument(p, results, [&](size_t k, const Declaration& d) {
    p.exports[k].arguments.push_back(d.name);
    if (++count <= kMostArguments) return true;
    const std::string& last = p.definitions.back().name;
    diagnostics_.report(Message::too_many_arguments, p.definitions.back().where, kMostArguments).fix(Message::export_wanted, last, last);
    return false;
  });
}

void Reader::exports(Program& p) {
  if (exports_.empty()) return export_all(p);
  std::map<std::string_view, NodeId> defined;
  for (const Definition& d : p.definitions) defined.emplace(d.name, d.value.node);
  std::vector<NodeId> results;
  std::vector<std::pair<const Statement*, const WrittenName*>> wanted;    // per result
  std::map<const Statement*, std::set<std::string_view>> arguments;
  for (const Statement& s : exports_) {
    Export& e = p.exports.emplace_back(Export{.name = s.names[0].text, .arguments = {}, .results = {}});
    for (const WrittenName& n : s.arguments) e.arguments.push_back(n.text);
    for (const WrittenName& n : s.results) e.results.push_back(n.text);
    for (const WrittenName& n : s.arguments) arguments[&s].insert(n.text);
    for (const WrittenName& n : s.results) {
      results.push_back(defined.at(n.text));
      wanted.emplace_back(&s, &n);
    }
  }
  for_each_argument(p, results, [&](size_t k, const Declaration& d) {
    const auto& [s, result] = wanted[k];
    if (!arguments[s].contains(d.name)) diagnostics_.report(Message::export_incomplete, result->where, result->text, d.name, s->names[0].text);
    return true;
  });
}

// The names of exports; those that a mistake elsewhere left without a meaning pass.
void Reader::check_exports() {
  if (exports_.empty()) return;
  std::set<std::string> variables, definitions;
  for (const Variable& v : variables_) variables.insert(v.name);
  for (const Pending& d : pending_) definitions.insert(d.name);
  auto check = [&](const WrittenName& n, const std::set<std::string>& among, Message m) {
    const auto meaning = elaborator_.names.find(n.text);
    const bool poisoned = meaning != elaborator_.names.end() && meaning->second.poisoned();
    if (poisoned || among.contains(n.text)) return;
    suggest(diagnostics_.report(m, n.where, shorten(n.text)), n.text, {among.begin(), among.end()});
  };
  for (const Statement& s : exports_) {
    std::set<std::string_view> listed;
    for (const auto* list : {&s.arguments, &s.results})
      for (const WrittenName& n : *list)
        if (!listed.insert(n.text).second) diagnostics_.report(Message::unexpected_token, n.where, fmt::format("second `{}`", shorten(n.text)));
    for (const WrittenName& n : s.arguments) check(n, variables, Message::export_argument);
    for (const WrittenName& n : s.results) check(n, definitions, Message::export_result);
  }
}

}  // namespace ricci
