// Derivative operators. Axes: those of the function, then those of each variable in turn.
#include <algorithm>

#include "frontend/elaborate.h"
#include "frontend/lexer.h"

namespace ricci {

// Whether `variable` names a declared variable. A definition will not do: what is derived from `u = 2*y` need not contain u any more.
bool Elaborator::differentiable(const Ast& variable, SourceRange where, std::string_view by) {
  const auto it = variable.kind == AstKind::Name ? names.find(variable.name) : names.end();
  if (it == names.end() || !drafts_.is_variable(it->second.draft)) {
    report(Message::not_a_variable, where, by, excerpt(where)).fix(Message::declare_it);
    return false;
  }
  if (!constants.contains(variable.name)) return true;
  report(Message::constant_variable, where, variable.name);
  return false;
}

bool Elaborator::variable_argument(const Call& c, size_t i) {
  const Ast& a = ast(c.ast.children[i]);
  return !c.arguments[i].poisoned() && differentiable(a, a.where, c.ast.name);
}

bool Elaborator::scalar_argument(const Call& c, size_t i) {
  const Meaning& m = c.arguments[i];
  if (drafts_.rank(m.draft) == 0) return true;
  Diagnostic& d = report(Message::needs_scalar, c.at(i), c.ast.name, describe(m));
  if (c.ast.name == "grad") d.fix(Message::write, fmt::format("jac({}, ...)", excerpt(c.at(i))));
  return false;
}

// Whether `m` has the shape of `model`; a row passes for a column.
bool Elaborator::shaped_like(const Meaning& m, const Meaning& model, SourceRange where, std::string_view what, std::string_view model_name) {
  const Shape a = drafts_.shape(m.draft), b = drafts_.shape(model.draft);
  bool same = a.size() == b.size();
  for (size_t i = 0; same && i < a.size(); ++i) same = dims_.unify(a[i], b[i]);
  if (!same) report(Message::not_shaped_like, where, what, describe(m), model_name, describe(model));
  return same;
}

// D f / D x. The axes of the first variable of a scalar stand as the variable's own (a gradient is a column); all others low.
Meaning Elaborator::derivative(const Meaning& f, const Meaning& x) {
  Meaning m;
  m.draft = drafts_.derivative(f.draft, x.draft);
  m.variance = f.variance;
  m.variable = f.variable;
  m.variable.resize(f.variance.size(), 0);
  const int order = 1 + (m.variable.empty() ? 0 : *std::ranges::max_element(m.variable));
  for (Variance v : x.variance) {
    m.variance.push_back(f.variance.empty() ? v : Variance::Down);
    m.variable.push_back(order);
  }
  if (m.variance.size() == 2) m.variance = {Variance::Up, Variance::Down};
  return m;
}

// grad(f, {W, b}) is one gradient a variable.
template <class F>
Meaning Elaborator::for_each_variable(Call& c, F f) {
  const AstId x = c.ast.children[1];
  if (ast(x).kind != AstKind::List) return variable_argument(c, 1) ? f(c.arguments[1]) : poison();
  Meaning all;
  const std::vector<std::pair<std::string, Meaning>> variables = std::move(c.arguments[1].several);
  for (const auto& [name, m] : variables) all.several.emplace_back(name, f(m));
  return all;
}

Meaning Elaborator::list(const Ast& a) {
  Meaning all;
  for (AstId id : a.children) {
    const Ast& item = ast(id);
    Meaning m = take(id);
    if (m.poisoned() || !differentiable(item, item.where, "{...}")) return poison();
    all.several.emplace_back(std::string(item.name), std::move(m));
  }
  return all;
}

Meaning Elaborator::f_grad(Call& c) {
  if (!whole(c.arguments[0], c, 0) || !scalar_argument(c, 0)) return poison();
  return for_each_variable(c, [&](const Meaning& x) { return derivative(scalar(c.arguments[0].draft), x); });
}

// A row per component of the function; of a scalar the row of its partial derivatives.
Meaning Elaborator::f_jac(Call& c) {
  if (!whole(c.arguments[0], c, 0)) return poison();
  return for_each_variable(c, [&](const Meaning& x) {
    Meaning m = derivative(c.arguments[0], x);
    if (drafts_.rank(c.arguments[0].draft) == 0 && m.variance.size() == 1) m.variance = {Variance::Down};
    return m;
  });
}

Meaning Elaborator::f_hess(Call& c) {
  if (!whole(c.arguments[0], c, 0) || !scalar_argument(c, 0)) return poison();
  const Meaning f = scalar(c.arguments[0].draft);
  if (c.arguments.size() == 3) {
    if (!variable_argument(c, 1) || !variable_argument(c, 2)) return poison();
    return derivative(derivative(f, c.arguments[1]), c.arguments[2]);
  }
  return for_each_variable(c, [&](const Meaning& x) { return derivative(derivative(f, x), x); });
}

Meaning Elaborator::f_D(Call& c) {
  if (!whole(c.arguments[0], c, 0)) return poison();
  Meaning m = c.arguments[0];
  m.by.reset();
  m.variable.clear();
  for (size_t i = 1; i < c.arguments.size(); ++i) {
    if (!variable_argument(c, i)) return poison();
    m = derivative(m, c.arguments[i]);
  }
  return m;
}

// d(F, X), which takes its direction in brackets.
Meaning Elaborator::f_d(Call& c) {
  if (!whole(c.arguments[0], c, 0) || !variable_argument(c, 1)) return poison();
  Meaning m = c.arguments[0];
  m.by = c.arguments[1].draft;
  m.needs_direction = true;
  return m;
}

Meaning Elaborator::apply(const Ast& a) {
  Meaning f = take(a.children[0]);
  if (f.poisoned()) return poison();
  if (!f.by) return entries(a, std::move(f));
  if (a.children.size() != 2) {
    report(Message::one_direction, a.where, a.children.size() - 1);
    return poison();
  }
  Meaning h = take(a.children[1]);
  if (!usable(h, ast(a.children[1]).where)) return poison();
  const Meaning model{.draft = *f.by, .variance = usual_variance(drafts_.rank(*f.by))};
  if (!shaped_like(h, model, ast(a.children[1]).where, "direction", "variable")) return poison();
  f.draft = drafts_.directional(f.draft, *f.by, h.draft);
  f.needs_direction = false;
  return f;
}

Meaning Elaborator::f_jvp(Call& c) {
  if (!whole(c.arguments[0], c, 0) || !variable_argument(c, 1) || !whole(c.arguments[2], c, 2)) return poison();
  if (!shaped_like(c.arguments[2], c.arguments[1], c.at(2), "direction", "variable")) return poison();
  Meaning m{.variance = c.arguments[0].variance};
  m.draft = drafts_.directional(c.arguments[0].draft, c.arguments[1].draft, c.arguments[2].draft);
  return m;
}

Meaning Elaborator::f_vjp(Call& c) {
  if (!whole(c.arguments[0], c, 0) || !variable_argument(c, 1) || !whole(c.arguments[2], c, 2)) return poison();
  if (!shaped_like(c.arguments[2], c.arguments[0], c.at(2), "weight", "function")) return poison();
  Meaning m{.variance = c.arguments[1].variance};
  m.draft = drafts_.pullback(c.arguments[0].draft, c.arguments[1].draft, c.arguments[2].draft);
  return m;
}

// The Hessian times a direction: the gradient's derivative along it.
Meaning Elaborator::f_hvp(Call& c) {
  if (!whole(c.arguments[0], c, 0) || !scalar_argument(c, 0) || !variable_argument(c, 1) || !whole(c.arguments[2], c, 2)) return poison();
  if (!shaped_like(c.arguments[2], c.arguments[1], c.at(2), "direction", "variable")) return poison();
  Meaning m = derivative(scalar(c.arguments[0].draft), c.arguments[1]);
  m.draft = drafts_.directional(m.draft, c.arguments[1].draft, c.arguments[2].draft);
  return m;
}

// The trace of the derivative.
Meaning Elaborator::f_div(Call& c) {
  if (!whole(c.arguments[0], c, 0) || !variable_argument(c, 1)) return poison();
  if (!shaped_like(c.arguments[0], c.arguments[1], c.at(0), "field", "variable")) return poison();
  const size_t n = drafts_.rank(c.arguments[1].draft);
  Labels labels = Graph::iota(n);
  labels.insert(labels.end(), labels.begin(), labels.begin() + std::ptrdiff_t(n));
  return scalar(drafts_.ein({{drafts_.derivative(c.arguments[0].draft, c.arguments[1].draft), labels}}, {}, {}));
}

Meaning Elaborator::f_laplacian(Call& c) {
  if (!whole(c.arguments[0], c, 0) || !variable_argument(c, 1)) return poison();
  const Meaning& f = c.arguments[0];
  const DraftId x = c.arguments[1].draft;
  const size_t nf = drafts_.rank(f.draft), n = drafts_.rank(x);
  Labels labels = Graph::iota(nf + n);
  for (size_t i = 0; i < n; ++i) labels.push_back(Label(nf + i));
  Meaning m{.variance = f.variance};
  m.draft = drafts_.ein({{drafts_.derivative(drafts_.derivative(f.draft, x), x), labels}}, Graph::iota(nf), Shape(drafts_.shape(f.draft)));
  return m;
}

}  // namespace ricci
