// Kinds of names nobody declared: what a one-line expression says by its spelling and by the indices it writes.
#include "frontend/reader.h"
#include "frontend/spelling.h"

namespace ricci {

void Reader::assume(std::string_view name, size_t rank, std::vector<Variance> variance, SourceRange where) {
  Shape shape;
  for (size_t i = 0; i < rank; ++i) shape.push_back(dims_.fresh());
  elaborator_.names.emplace(std::string(name), Meaning{.draft = drafts_.variable(uint32_t(variables_.size()), shape), .variance = variance});
  places_.emplace(std::string(name), where);
  known_.variables.insert(std::string(name));
  variables_.push_back({std::string(name), shape, std::move(variance), {}, true, where});
}

// h^i(x) of an h that nobody declared: an undeclared function of such tensors, if its arguments are names. What is declared later has its name still.
void Reader::assume_function(const Syntax& syntax, const Ast& call, std::vector<Variance> variance) {
  const std::string name(call.name);
  if (elaborator_.undeclared(name) || Elaborator::has_function(name) || elaborator_.names.contains(name) || elaborator_.later.contains(name)) return;
  AssumedFunction f{.name = name, .variance = std::move(variance)};
  std::vector<Meaning> kinds;
  for (AstId id : call.children) {
    const auto argument = elaborator_.names.find(syntax[id].name);
    if (syntax[id].kind != AstKind::Name || argument == elaborator_.names.end() || argument->second.poisoned()) return;
    kinds.push_back(argument->second);
    f.arguments.emplace_back(drafts_.shape(argument->second.draft), argument->second.variance);
  }
  for (size_t i = 0; i < f.variance.size(); ++i) f.value.push_back(dims_.fresh());
  std::vector<Shape> shapes;
  for (const auto& [shape, heights] : f.arguments) shapes.push_back(shape);
  const Meaning value{.draft = drafts_.sum({}, f.value), .variance = f.variance};
  elaborator_.functions.emplace(name, Elaborator::Undeclared{drafts_.function(name, std::move(shapes), f.value), std::move(kinds), value});
  places_.emplace(name, call.name_at);
  known_.functions.insert(name);
  assumed_functions_.push_back(std::move(f));
}

// e^s of an `e` that nobody declared is meant as a power of Euler's number, unless the s is an index elsewhere, too.
void Reader::refuse_exponentials(const Syntax& syntax, AstId root) {
  if (elaborator_.names.contains("e")) return;
  const auto is_e = [&](const Ast& a) { return a.kind == AstKind::Name && a.name == "e"; };
  std::map<std::string_view, size_t> uses;
  for (uint32_t id = syntax[root].first; id <= root.value; ++id)
    for (const IndexUse& index : syntax[{id}].indices) ++uses[index.letter];
  for (uint32_t id = syntax[root].first; id <= root.value; ++id) {
    const Ast& a = syntax[{id}];
    const bool power = a.kind == AstKind::Power && is_e(syntax[a.children[0]]);
    const bool component = a.kind == AstKind::Indexed && is_e(syntax[a.children[0]]) && a.indices.size() == 1 &&
                           a.indices[0].variance == Variance::Up && uses[a.indices[0].letter] == 1;
    if (!power && !component) continue;
    const SourceRange exponent = power ? syntax[a.children[1]].where : a.indices[0].where;
    const std::string text = texts_.back().substr(exponent.begin, exponent.end - exponent.begin);
    diagnostics_.report(Message::undeclared, syntax[a.children[0]].where, "e").fix(Message::write, text.starts_with('(') ? "exp" + text : "exp(" + text + ")");
    elaborator_.names.emplace("e", Meaning{});
    return;
  }
}

// Names nobody declared: with indices an axis for each; else a matrix, a vector or, in Greek, a scalar; a differential as its variable.
void Reader::assume_names(const Syntax& syntax, AstId root) {
  refuse_exponentials(syntax, root);
  std::map<std::string_view, const Ast*> indexed;
  bool upper_indices = false;  // without any, low indices say nothing of variance
  std::set<uint32_t> sizes;
  const uint32_t first = syntax[root].first;
  for (uint32_t id = first; id <= root.value; ++id) {
    const Ast& a = syntax[{id}];
    if (a.kind == AstKind::Indexed && syntax[a.children[0]].kind == AstKind::Name) indexed.emplace(syntax[a.children[0]].name, &a);
    for (const auto& index : a.indices) upper_indices |= index.variance == Variance::Up;
    if (a.kind != AstKind::Call) continue;
    for (size_t k = first_size_argument(a.name); k < a.children.size(); ++k)
      for (uint32_t c = syntax[a.children[k]].first; c <= a.children[k].value; ++c)
        if (syntax[{c}].kind == AstKind::Name) {
          sizes.insert(c);
          dims_.named(std::string(syntax[{c}].name));
        }
  }
  const auto heights = [&](const std::vector<IndexUse>& indices) {
    std::vector<Variance> variance = Elaborator::usual_variance(indices.size());
    if (indices.size() > 2 || (indices.size() == 1 && upper_indices))
      for (size_t i = 0; i < indices.size(); ++i) variance[i] = indices[i].variance;
    return variance;
  };
  for (uint32_t id = first; id <= root.value; ++id) {
    const Ast& a = syntax[{id}];
    if (a.kind == AstKind::Indexed && syntax[a.children[0]].kind == AstKind::Call) assume_function(syntax, syntax[a.children[0]], heights(a.indices));
    if (a.kind != AstKind::Name || sizes.contains(id) || elaborator_.names.contains(a.name) || dims_.is_name(a.name)) continue;
    if (a.name == "pi" || a.name == "π" || elaborator_.later.contains(a.name)) continue;
    const auto use = indexed.find(a.name);
    if (use != indexed.end()) {
      if (a.name == "delta" || a.name == "δ" || a.name == "eps" || a.name == "ε") continue;
      const auto& indices = use->second->indices;
      assume(a.name, indices.size(), heights(indices), a.where);
      continue;
    }
    const auto is_upper = [](std::string_view name) { return !name.empty() && name[0] >= 'A' && name[0] <= 'Z'; };
    const std::string_view of = a.name.starts_with('d') ? a.name.substr(1) : a.name;  // dX and dalpha are as X and alpha
    const bool scalar = is_greek_name(a.name) || is_greek_name(of) || scalars_.contains(std::string(a.name));
    const size_t rank = scalar ? 0 : is_upper(of) ? 2 : 1;
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
  for (const AssumedFunction& f : assumed_functions_)
    for (DimVar d : f.value) pick(d, "");
}

std::string Reader::kind_of(const Shape& shape, const std::vector<Variance>& variance) const {
  if (shape.empty()) return "scalar";
  std::string axes;
  const bool tensor = shape.size() > 2;
  for (size_t i = 0; i < shape.size(); ++i)
    axes += fmt::format("{}{}{}", i ? ", " : "", tensor ? variance[i] == Variance::Up ? "^" : "_" : "", dims_.spell(shape[i]));
  return fmt::format("{}({})", tensor ? "tensor" : shape.size() == 2 ? "matrix" : variance[0] == Variance::Up ? "vector" : "covector", axes);
}

std::string Reader::declaration_of(const AssumedFunction& f) const {
  std::string arguments;
  for (const auto& [shape, variance] : f.arguments) arguments += (arguments.empty() ? "" : ", ") + kind_of(shape, variance);
  return fmt::format("fun {}({}) -> {}", f.name, arguments, kind_of(f.value, f.variance));
}

}  // namespace ricci
