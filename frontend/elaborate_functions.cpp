// Calls and comparisons: the rows of ir/elementwise.def and ir/functions.def by their own names, and what is written with other nodes.
#include <algorithm>

#include "frontend/elaborate.h"
#include "frontend/lexer.h"
#include "frontend/spelling.h"

namespace ricci {
namespace {

// Names of the language that a later stage will give a meaning to.
constexpr std::string_view kPlanned[] = {"vech"};
constexpr size_t kMany = 64;

}  // namespace

const Elaborator::Function* Elaborator::find_special(std::string_view name) {
  static constexpr Function kFunctions[] = {
      {"sqrt", 1, 1, &Elaborator::f_sqrt},
      {"square", 1, 1, &Elaborator::f_square},
      {"reciprocal", 1, 1, &Elaborator::f_reciprocal},
      {"sum", 1, 1, &Elaborator::f_sum},
      {"mean", 1, 1, &Elaborator::f_mean},
      {"norm1", 1, 1, &Elaborator::f_norm1},
      {"norm2", 1, 1, &Elaborator::f_norm2},
      {"normF", 1, 1, &Elaborator::f_norm2},
      {"norm", 1, 1, &Elaborator::f_norm2},
      {"norminf", 1, 1, &Elaborator::f_norminf},
      {"softmax", 1, 1, &Elaborator::f_softmax},
      {"tr", 1, 1, &Elaborator::f_tr},
      {"trace", 1, 1, &Elaborator::f_tr},
      {"solve", 2, 2, &Elaborator::f_solve},
      {"diag", 1, 1, &Elaborator::f_diag},
      {"outer", 2, 2, &Elaborator::f_outer},
      {"dot", 2, 2, &Elaborator::f_dot},
      {"ones", 1, kMany, &Elaborator::f_ones},
      {"zeros", 1, kMany, &Elaborator::f_zeros},
      {"eye", 1, 1, &Elaborator::f_eye},
      {"transpose", 1, 1, &Elaborator::f_transpose},
      {"e", 1, 2, &Elaborator::f_e},
      {"vec", 1, 1, &Elaborator::f_vec},
      {"reshape", 3, 3, &Elaborator::f_reshape},
      {"kron", 2, kMany, &Elaborator::f_kron},
      {"commut", 2, 2, &Elaborator::f_commut},
      {"skew", 1, 1, &Elaborator::f_skew},
      {"cross", 2, 2, &Elaborator::f_cross},
      {"grad", 2, 2, &Elaborator::f_grad},
      {"jac", 2, 2, &Elaborator::f_jac},
      {"hess", 2, 3, &Elaborator::f_hess},
      {"D", 2, kMany, &Elaborator::f_D},
      {"d", 2, 2, &Elaborator::f_d},
      {"jvp", 3, 3, &Elaborator::f_jvp},
      {"vjp", 3, 3, &Elaborator::f_vjp},
      {"hvp", 3, 3, &Elaborator::f_hvp},
      {"div", 2, 2, &Elaborator::f_div},
      {"laplacian", 2, 2, &Elaborator::f_laplacian},
  };
  const auto row = std::ranges::find(kFunctions, name, &Function::name);
  return row == std::end(kFunctions) ? nullptr : row;
}

bool Elaborator::has_function(std::string_view name) {
  return find_elementwise(name) || find_function(name) || find_special(name) || name == "logsumexp" || name == "D" || name == "d";
}

Meaning Elaborator::call(const Ast& a) {
  Call c{.ast = a, .arguments = {}, .where = {}};
  for (AstId child : a.children) {
    c.arguments.push_back(take(child));
    c.where.push_back(ast(child).where);
  }
  // A variable has the name before a function has, but no product begins D(F, x).
  const bool no_product = a.children.size() > 1 && !std::ranges::all_of(a.children, [&](AstId c) { return ast(c).kind == AstKind::Number; });
  if (names.contains(a.name) && !(no_product && has_function(a.name))) return unknown_function(a);
  if (auto m = undeclared_call(c)) return *m;
  const auto map = find_elementwise(a.name);
  const auto fun = find_function(a.name == "logsumexp" ? "lse" : a.name);
  if (fun && (!map || c.arguments.size() == 1)) return table_call(*fun, c);
  if (map) return elementwise_call(*map, c);
  if (const Function* f = find_special(a.name)) return right_count(c, f->least, f->most) ? (this->*f->make)(c) : poison();
  return unknown_function(a);
}

// h(x), and its derivatives Dh(x), DDh(x); with several arguments D1h(x, y), D12h(x, y), by the numbers of the arguments.
std::optional<DerivedFunction> Elaborator::undeclared(std::string_view name) const {
  return derived_function(name, [&](std::string_view f) { return functions.contains(f); });
}

std::optional<Meaning> Elaborator::undeclared_call(Call& c) {
  std::optional<DerivedFunction> called = undeclared(c.ast.name);
  if (!called) return std::nullopt;
  const auto& [name, h] = *functions.find(called->function);
  std::vector<uint8_t>& by = called->by;
  std::ranges::sort(by);
  if (!by.empty() && by.back() >= h.arguments.size()) {
    report(Message::unknown_function, c.ast.name_at, c.ast.name);
    return poison();
  }
  if (!right_count(c, h.arguments.size(), h.arguments.size())) return poison();
  std::vector<DraftId> operands;
  for (size_t k = 0; k < c.arguments.size(); ++k) {
    if (!whole(c.arguments[k], c, k)) return poison();
    if (!shaped_like(c.arguments[k], h.arguments[k], c.at(k), "argument", fmt::format("argument of `{}`", name))) return poison();
    operands.push_back(c.arguments[k].draft);
  }
  Meaning m = h.value;
  for (uint8_t k : by)
    for (Variance v : h.arguments[k].variance) m.variance.push_back(m.variance.empty() ? v : Variance::Down);
  m.draft = drafts_.call(h.number, std::move(by), std::move(operands));
  return m;
}

Meaning Elaborator::unknown_function(const Ast& a) {
  if (std::ranges::find(kPlanned, a.name) != std::end(kPlanned)) {
    report(Message::not_supported, a.name_at, fmt::format("`{}`", a.name));
    return poison();
  }
  // x(1), A(1, 2): MATLAB's entries
  std::string entry;
  if (!a.children.empty() && std::ranges::all_of(a.children, [&](AstId c) { return ast(c).kind == AstKind::Number; })) {
    for (AstId c : a.children) entry += (entry.empty() ? std::string(a.name) + "[" : ", ") + excerpt(ast(c).where);
    entry += "]";
  }
  if (const auto it = names.find(a.name); it != names.end()) {
    if (!entry.empty()) report(Message::not_a_function, a.name_at, a.name).fix(Message::write, entry);
    else if (!it->second.poisoned()) report(Message::not_a_function, a.name_at, a.name).fix(Message::write, fmt::format("{}*(...)", a.name));
    return poison();
  }
  std::vector<std::string> known;
  for (const ElementwiseRow& r : elementwise_table()) known.emplace_back(r.name);
  for (const FunctionRow& r : function_table()) known.emplace_back(r.name);
  for (const char* name : {"sqrt", "square", "sum", "mean", "norm1", "norm2", "normF", "norminf", "softmax", "tr", "solve", "diag", "outer", "ones",
                           "zeros", "eye", "transpose", "grad", "jac", "hess", "jvp", "vjp", "hvp", "div", "laplacian", "logsumexp",
                           "vec", "reshape", "kron", "commut", "skew", "cross"})
    known.emplace_back(name);
  auto& unknown = report(Message::unknown_function, a.name_at, shorten(a.name));
  if (entry.empty() || nearest(a.name, known)) suggest(unknown, a.name, known);
  else unknown.fix(Message::write, entry);
  return poison();
}

bool Elaborator::right_count(const Call& c, size_t least, size_t most) {
  const size_t n = c.arguments.size();
  if (n >= least && n <= most) return true;
  const std::string wanted = least == most ? counted(least, "argument", "arguments")
                             : most == kMany ? fmt::format("at least {} arguments", least) : fmt::format("{} or {} arguments", least, most);
  report(Message::wrong_arity, c.ast.where, c.ast.name, wanted, n);
  return false;
}

bool Elaborator::whole(Meaning& m, const Call& c, size_t i) {
  if (!usable(m, c.at(i))) return false;
  if (m.indices.empty()) return true;
  Diagnostic& d = report(Message::needs_whole_tensor, c.at(i), c.ast.name);
  if (is_reduction(c.ast.name)) d.fix(Message::reduce_by_index, c.ast.name, m.indices[0].letter);
  else if (m.indices.size() == 1 && m.indices[0].variance == Variance::Up) d.fix(Message::declare_exponent, m.indices[0].letter);  // X^k
  return false;
}

Meaning Elaborator::elementwise_call(MapOp op, Call& c) {
  return right_count(c, size_t(row(op).arity), size_t(row(op).arity)) ? elementwise(op, std::move(c), c.ast.name) : poison();
}

// A comparison is 1 where it holds, else 0, also beside a NaN (of which only != holds).
Meaning Elaborator::comparison(const Ast& a) {
  Call c{.ast = a, .arguments = {}, .where = {}};
  for (AstId child : a.children) {
    c.arguments.push_back(take(child));
    c.where.push_back(ast(child).where);
  }
  const AstOp op = a.ops[0];
  if (op == AstOp::Greater || op == AstOp::GreaterEqual) {
    std::swap(c.arguments[0], c.arguments[1]);
    std::swap(c.where[0], c.where[1]);
  }
  Meaning m = elementwise(op == AstOp::Equal || op == AstOp::Unequal ? MapOp::isequal_ : MapOp::isless_, c, "comparison");
  if (m.poisoned()) return m;
  const Shape shape = drafts_.shape(m.draft);
  if (op == AstOp::Unequal) m.draft = drafts_.sum({{1, drafts_.broadcast(drafts_.constant(1), shape)}, {-1, m.draft}}, shape);
  if (op == AstOp::LessEqual || op == AstOp::GreaterEqual)
    m.draft = drafts_.sum({{1, m.draft}, {1, elementwise(MapOp::isequal_, std::move(c), "comparison").draft}}, shape);
  return m;
}

// An elementwise function: tensors of one shape, or scalars, which broadcast.
Meaning Elaborator::elementwise(MapOp op, Call c, std::string_view what) {
  bool indices = false;
  for (size_t i = 0; i < c.arguments.size(); ++i) {
    if (!usable(c.arguments[i], c.at(i))) return poison();
    indices = indices || c.arguments[i].indexed;
  }
  if (indices) {
    for (size_t i = 0; i < c.arguments.size(); ++i) c.arguments[i] = settle(std::move(c.arguments[i]), c.ast.children[i]);
    return indexed_map(op, std::move(c.arguments), c.ast.where);
  }
  const Meaning* model = nullptr;
  std::vector<DraftId> operands;
  for (const Meaning& m : c.arguments) {
    operands.push_back(m.draft);
    if (drafts_.rank(m.draft) == 0) continue;
    if (model && !same_shape(*model, m, Message::shapes_differ, c.ast.where, what)) return poison();
    if (!model) model = &m;
  }
  Meaning result;
  if (model) result.variance = model->variance;
  result.draft = drafts_.map(op, std::move(operands));
  return result;
}

bool Elaborator::square_argument(const Call& c, size_t i) {
  if (is_square(c.arguments[i])) return true;
  report(Message::needs_square, c.ast.where, c.ast.name, describe(c.arguments[i]));
  return false;
}

// A function without index form acts on its core; a reduction of a tensor reduces all its entries.
Meaning Elaborator::table_call(FunOp op, Call& c) {
  if (!right_count(c, 1, 1) || !whole(c.arguments[0], c, 0)) return poison();
  const FunctionRow& r = row(op);
  Meaning& m = c.arguments[0];
  if (r.core.in == 1 && r.core.out == 0) return reduce(op, std::move(m));
  if (r.core.square && !square_argument(c, 0)) return poison();
  if (drafts_.rank(m.draft) != r.core.in) {
    report(r.core.in == 1 ? Message::needs_vector : Message::not_a_matrix, c.ast.where, c.ast.name, describe(m));
    return poison();
  }
  if (!r.operand.empty()) promises.push_back({m.draft, *find_property(r.operand), std::string(r.name), c.ast.where, excerpt(c.at(0))});
  const DraftId f = drafts_.fun(op, m.draft);
  return {.draft = f, .variance = r.core.in == 1 ? m.variance : usual_variance(r.core.out)};
}

// Of all entries at once: reduced axis by axis, equal ones would not share alike (ir/functions.def: argmax).
Meaning Elaborator::reduce(FunOp op, Meaning m) {
  if (drafts_.rank(m.draft) > 0) m.draft = drafts_.fun(op, stacked(m.draft));
  return scalar(m.draft);
}

DraftId Elaborator::total(DraftId d) { return drafts_.rank(d) == 0 ? d : drafts_.ein({{d, Graph::iota(drafts_.rank(d))}}, {}, {}); }

DraftId Elaborator::inverse(const Meaning& m) { return drafts_.fun(FunOp::inv, m.draft); }

// --- entrywise -------------------------------------------------------------------------------------------------------------------------

Meaning Elaborator::f_sqrt(Call& c) {
  if (!usable(c.arguments[0], c.at(0))) return poison();
  Meaning m = c.arguments[0].indexed ? settle(std::move(c.arguments[0]), c.ast.children[0]) : std::move(c.arguments[0]);
  m.draft = drafts_.power(m.draft, drafts_.constant(Rational(1, 2)));
  m.by.reset();
  return m;
}
Meaning Elaborator::f_square(Call& c) {
  if (!usable(c.arguments[0], c.at(0))) return poison();
  Meaning m = c.arguments[0].indexed ? settle(std::move(c.arguments[0]), c.ast.children[0]) : std::move(c.arguments[0]);
  m.draft = drafts_.power(m.draft, drafts_.constant(2));
  m.by.reset();
  return m;
}
Meaning Elaborator::f_reciprocal(Call& c) {
  if (!usable(c.arguments[0], c.at(0))) return poison();
  Meaning m = c.arguments[0].indexed ? settle(std::move(c.arguments[0]), c.ast.children[0]) : std::move(c.arguments[0]);
  m.draft = drafts_.reciprocal(m.draft);
  m.by.reset();
  return m;
}

// softmax(x) = exp(x - lse(x))
Meaning Elaborator::f_softmax(Call& c) {
  if (!whole(c.arguments[0], c, 0)) return poison();
  const Meaning m = std::move(c.arguments[0]);
  if (drafts_.rank(m.draft) != 1) {
    report(Message::needs_vector, c.ast.where, c.ast.name, describe(m));
    return poison();
  }
  const Shape shape = drafts_.shape(m.draft);
  const DraftId lse = drafts_.broadcast(drafts_.fun(FunOp::lse, m.draft), shape);
  return {.draft = drafts_.map(MapOp::exp_, {drafts_.sum({{1, m.draft}, {-1, lse}}, shape)}), .variance = m.variance};
}

// --- reductions ------------------------------------------------------------------------------------------------------------------------

Meaning Elaborator::f_sum(Call& c) { return whole(c.arguments[0], c, 0) ? scalar(total(c.arguments[0].draft)) : poison(); }

Meaning Elaborator::f_mean(Call& c) {
  if (!whole(c.arguments[0], c, 0)) return poison();
  const Shape shape = drafts_.shape(c.arguments[0].draft);
  Meaning m = scalar(total(c.arguments[0].draft));
  for (DimVar d : shape) m = times(scalar(drafts_.power(drafts_.size(d), drafts_.constant(-1))), m);
  return m;
}

Meaning Elaborator::f_norm1(Call& c) {
  return whole(c.arguments[0], c, 0) ? scalar(total(drafts_.map(MapOp::abs_, {c.arguments[0].draft}))) : poison();
}

// The root of the sum of squares; of a matrix this is Frobenius' norm. Its derivative at 0 is 0.
Meaning Elaborator::f_norm2(Call& c) {
  if (!whole(c.arguments[0], c, 0)) return poison();
  const DraftId x = c.arguments[0].draft;
  const Labels axes = Graph::iota(drafts_.rank(x));
  const DraftId squares = drafts_.ein({{x, axes}, {x, axes}}, {}, {});
  return scalar(drafts_.map(MapOp::pow0_, {squares, drafts_.constant(Rational(1, 2))}));
}

Meaning Elaborator::f_norminf(Call& c) {
  if (!whole(c.arguments[0], c, 0)) return poison();
  return reduce(FunOp::max_of, {.draft = drafts_.map(MapOp::abs_, {c.arguments[0].draft})});
}

// --- matrices --------------------------------------------------------------------------------------------------------------------------

Meaning Elaborator::f_tr(Call& c) {
  if (!whole(c.arguments[0], c, 0)) return poison();
  if (drafts_.rank(c.arguments[0].draft) == 0) return scalar(c.arguments[0].draft);
  if (!square_argument(c, 0)) return poison();
  return scalar(drafts_.ein({{c.arguments[0].draft, {0, 0}}}, {}, {}));
}

Meaning Elaborator::f_solve(Call& c) {
  if (!whole(c.arguments[0], c, 0) || !whole(c.arguments[1], c, 1)) return poison();
  return solve(c.arguments[0], c.arguments[1], c.ast.where);
}

// A vector's diagonal matrix, a square matrix's diagonal.
Meaning Elaborator::f_diag(Call& c) {
  if (!whole(c.arguments[0], c, 0)) return poison();
  const DraftId d = c.arguments[0].draft;
  const Shape s = drafts_.shape(d);
  if (s.size() == 1) return {.draft = drafts_.ein({{d, {0}}}, {0, 0}, {s[0], s[0]}), .variance = {Variance::Up, Variance::Down}};
  if (!square_argument(c, 0)) return poison();
  return {.draft = drafts_.ein({{d, {0, 0}}}, {0}, {s[0]}), .variance = {Variance::Up}};
}

Meaning Elaborator::f_outer(Call& c) {
  if (!whole(c.arguments[0], c, 0) || !whole(c.arguments[1], c, 1)) return poison();
  return outer_product(c.arguments[0], c.arguments[1], c.ast.where);
}

Meaning Elaborator::f_dot(Call& c) {
  Meaning &x = c.arguments[0], &y = c.arguments[1];
  if (!whole(x, c, 0) || !whole(y, c, 1) || !same_shape(x, y, Message::shapes_differ, c.ast.where, "dot product")) return poison();
  const Labels axes = Graph::iota(drafts_.rank(x.draft));
  return scalar(drafts_.ein({{x.draft, axes}, {y.draft, axes}}, {}, {}));
}

Meaning Elaborator::f_transpose(Call& c) { return whole(c.arguments[0], c, 0) ? transpose(std::move(c.arguments[0]), c.ast.where) : poison(); }

std::optional<DimVar> Elaborator::dimension_argument(const Call& c, size_t i) {
  return size_expression(c.ast.children[i], excerpt(c.ast.where));
}

// The arguments of these functions from here on are sizes.
size_t first_size_argument(std::string_view function) {
  constexpr std::pair<std::string_view, size_t> kFrom[] = {{"ones", 0}, {"zeros", 0}, {"eye", 0}, {"commut", 0}, {"reshape", 1}, {"e", 1}};
  for (const auto& [name, from] : kFrom)
    if (name == function) return from;
  return SIZE_MAX;
}

Meaning Elaborator::f_ones(Call& c) {
  Shape shape;
  for (size_t i = 0; i < c.arguments.size(); ++i) {
    const auto d = dimension_argument(c, i);
    if (!d) return poison();
    shape.push_back(*d);
  }
  const Labels axes = Graph::iota(shape.size());
  return {.draft = drafts_.ein({}, axes, shape), .variance = usual_variance(shape.size())};
}

Meaning Elaborator::f_zeros(Call& c) {
  Meaning m = f_ones(c);
  if (m.poisoned()) return m;
  m.draft = drafts_.sum({}, Shape(drafts_.shape(m.draft)));
  return m;
}

Meaning Elaborator::f_eye(Call& c) {
  const auto n = dimension_argument(c, 0);
  if (!n) return poison();
  return {.draft = drafts_.ein({}, {0, 0}, {*n, *n}), .variance = {Variance::Up, Variance::Down}};
}

}  // namespace ricci
