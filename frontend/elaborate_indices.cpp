// Index notation. The rule of a product: an index that is held (it stands on the left, or an enclosing sum_i names it) or occurs once stays open;
// one that occurs twice is summed here; a third use is an error. Parentheses and arguments of functions are products of their own.
#include <algorithm>

#include "frontend/elaborate.h"
#include "frontend/lexer.h"
#include "frontend/spelling.h"

namespace ricci {
namespace {

std::string height(Variance v) { return v == Variance::Up ? "high" : "low"; }

IndexUse flipped(IndexUse i) {
  i.variance = i.variance == Variance::Up ? Variance::Down : Variance::Up;
  return i;
}

const IndexUse* find(const std::vector<IndexUse>& indices, std::string_view letter) {
  const auto it = std::ranges::find(indices, letter, &IndexUse::letter);
  return it == indices.end() ? nullptr : &*it;
}

bool same_letters(const std::vector<IndexUse>& a, const std::vector<IndexUse>& b) {
  return a.size() == b.size() && std::ranges::all_of(a, [&](const IndexUse& i) { return find(b, i.letter); });
}

std::string spell(const std::vector<IndexUse>& indices) {
  if (indices.empty()) return "none";
  std::string s;
  for (const IndexUse& i : indices) s += (s.empty() ? "`" : ", `") + i.letter + "`";
  return s;
}

}  // namespace

bool Elaborator::held(std::string_view letter, AstId at) const {
  if (left_.indexed && find(left_.indices, letter)) return true;
  for (uint32_t s = scope_of_[at.value - base_]; s != kNone; s = scopes_[s].parent)
    if (find(ast(scopes_[s].reduction).indices, letter)) return true;
  return false;
}

Meaning Elaborator::indexed(AstId id) {
  const Ast& a = ast(id);
  const Ast& base = ast(a.children[0]);
  if (base.kind == AstKind::Name && !names.contains(base.name)) {
    if (base.name == "delta" || base.name == "δ") return unit_tensor(a);
    if (base.name == "eps" || base.name == "ε") {  // the Levi-Civita symbol
      if (a.indices.size() >= 2 && a.indices.size() <= 4)
        return fix_numbers({.draft = drafts_.epsilon(a.indices.size(), dims_.number(int64_t(a.indices.size()))), .indices = a.indices, .indexed = true});
      report(Message::eps_indices, a.where, a.indices.size());
      return poison();
    }
  }
  Meaning m = take(a.children[0]);
  if (!usable(m, base.where)) return poison();
  if (!m.indices.empty()) {
    report(Message::indices_twice, a.where);
    return poison();
  }
  if (drafts_.rank(m.draft) != a.indices.size()) {
    Diagnostic& d = report(Message::wrong_index_count, a.where, excerpt(base.where), describe(m), counted(drafts_.rank(m.draft), "index", "indices"),
                           a.indices.size());
    if (drafts_.rank(m.draft) == 2 && a.indices.size() == 1 && a.indices[0].variance == Variance::Up)  // A^k of a k that nobody declared
      d.fix(Message::declare_exponent, a.indices[0].letter);
    return poison();
  }
  return fix_numbers({.draft = m.draft, .indices = a.indices, .indexed = true});
}

// a^1_j: a number as an index takes one entry of its axis.
Meaning Elaborator::fix_numbers(Meaning m) {
  const auto is_number = [](const IndexUse& i) { return i.letter[0] >= '0' && i.letter[0] <= '9'; };
  if (std::ranges::none_of(m.indices, is_number)) return m;
  const Shape shape = drafts_.shape(m.draft);
  std::vector<Piece> pieces;
  for (size_t k = 0; k < shape.size(); ++k) {
    if (!is_number(m.indices[k])) {
      pieces.push_back({.all = true, .offset = dims_.number(0), .length = shape[k]});
      continue;
    }
    const int64_t number = std::stoll(m.indices[k].letter);
    pieces.push_back({.offset = dims_.number(number - 1)});
    if (number < 1 || dims_.is_negative(dims_.plus(shape[k], -number))) {
      report(Message::outside, m.indices[k].where, m.indices[k].letter, dims_.spell(shape[k]));
      return poison();
    }
  }
  const std::vector<Variance> plain(shape.size(), Variance::Up);
  m.draft = slice({.draft = m.draft, .variance = plain}, pieces).draft;
  std::erase_if(m.indices, is_number);
  return m;
}

// delta^i_j, the identity; the size follows from the other factors.
Meaning Elaborator::unit_tensor(const Ast& a) {
  if (a.indices.size() != 2) {
    report(Message::delta_indices, a.where, a.indices.size());
    return poison();
  }
  const DimVar n = dims_.fresh();
  open_sizes.emplace_back(n, a.where);
  return fix_numbers({.draft = drafts_.ein({}, {0, 0}, {n, n}), .indices = a.indices, .indexed = true});
}

bool Elaborator::bare(const Meaning& m, SourceRange where) {
  if (m.indexed || drafts_.rank(m.draft) == 0) return false;
  report(Message::bare_tensor, where, excerpt(where), describe(m)).fix(Message::bracket_with_indices, excerpt(where));
  return true;
}

// The product of factors at the node `at`, summed by the rule above.
Meaning Elaborator::contract(const std::vector<Meaning>& factors, AstId at) {
  struct Letter {
    IndexUse use;             // the first
    DimVar dim;
    size_t uses = 0;
    bool held = false;
  };
  std::vector<Letter> letters;
  std::vector<DraftFactor> out_factors;
  for (const Meaning& f : factors) {
    Labels labels;
    const Shape shape = drafts_.shape(f.draft);
    for (size_t axis = 0; axis < f.indices.size(); ++axis) {
      const IndexUse& use = f.indices[axis];
      auto l = std::ranges::find(letters, use.letter, [](const Letter& x) { return x.use.letter; });
      if (l == letters.end()) {
        letters.push_back({use, shape[axis], 0, held(use.letter, at)});
        l = letters.end() - 1;
      }
      labels.push_back(Label(l - letters.begin()));
      if (!dims_.unify(l->dim, shape[axis])) {
        Diagnostic& d = report(Message::index_sizes, use.where, use.letter, dims_.spell(l->dim), dims_.spell(shape[axis]));
        note_origins(d, l->dim, shape[axis]);
        return poison();
      }
      if (++l->uses == 3 && !l->held) {
        report(Message::third_use, use.where, use.letter).note(l->use.where, Message::first_use, use.letter)
            .fix(Message::sum_explicitly, use.letter);
        return poison();
      }
      if (l->uses == 2 && high_ && !check_pair(l->use, use, l->held, at)) return poison();
      if (l->use.either && !use.either) l->use = use;
    }
    out_factors.push_back({f.draft, std::move(labels)});
  }
  Meaning m{.indexed = true};
  Labels out;
  Shape shape;
  for (size_t i = 0; i < letters.size(); ++i) {
    if (letters[i].uses > 1 && !letters[i].held) continue;
    out.push_back(Label(i));
    shape.push_back(letters[i].dim);
    m.indices.push_back(letters[i].use);
  }
  m.draft = drafts_.ein(std::move(out_factors), std::move(out), std::move(shape));
  return m;
}

// Two uses of one index: of a summed one one stands high and one low, those of a free one stand alike. Under sum_i(...) anything goes.
bool Elaborator::check_pair(const IndexUse& a, const IndexUse& b, bool is_held, AstId at) {
  const bool alike = a.variance == b.variance;
  if (is_held) {
    if (alike || a.either || b.either || scope_of_[at.value - base_] != kNone) return true;
    report(Message::free_index_mixed, b.where, b.letter).note(a.where, Message::first_use, a.letter);
    return false;
  }
  if (!alike) return true;
  report(Message::index_same_height, b.where, b.letter, height(b.variance)).note(a.where, Message::first_use, a.letter);
  return false;
}

// Closes the product of a single factor: traces and diagonals.
Meaning Elaborator::settle(Meaning m, AstId at) {
  for (size_t i = 0; i < m.indices.size(); ++i)
    for (size_t j = i + 1; j < m.indices.size(); ++j)
      if (m.indices[i].letter == m.indices[j].letter) return contract({std::move(m)}, at);
  return m;
}

Meaning Elaborator::reciprocal(Meaning m, AstId at) {
  m = settle(std::move(m), at);
  m.draft = drafts_.reciprocal(m.draft);
  for (IndexUse& i : m.indices) i = flipped(i), i.either = true;
  return m;
}

Meaning Elaborator::indexed_product(AstId id, std::vector<Meaning> factors) {
  const Ast& a = ast(id);
  Rational coefficient = 1;
  std::vector<Meaning> tensors;
  bool silent = false;
  for (size_t i = 0; i < factors.size(); ++i) {
    const SourceRange where = ast(a.children[i]).where;
    if (!usable(factors[i], where) || bare(factors[i], where)) { silent = true; continue; }
    const AstOp op = i > 0 ? a.ops[i - 1] : AstOp::Times;
    if (op == AstOp::Solve || op == AstOp::Outer) {
      report(Message::matrix_operator_on_components, where, op == AstOp::Solve ? "\\" : "⊗");
      return poison();
    }
    Meaning f = op == AstOp::Over || op == AstOp::EntryOver ? reciprocal(std::move(factors[i]), a.children[i]) : std::move(factors[i]);
    if (const Rational* c = drafts_.as_constant(f.draft)) coefficient *= *c;
    else tensors.push_back(std::move(f));
  }
  if (silent) return poison();
  Meaning m = contract(tensors, id);
  if (!m.poisoned() && coefficient != 1) m.draft = drafts_.scale(coefficient, m.draft);
  return m;
}

// --- sums -----------------------------------------------------------------------------------------------------------------------------

// The tensor with its axes in the order of `order`; letters it lacks are broadcast over `sizes`.
Meaning Elaborator::align(const Meaning& m, const std::vector<IndexUse>& order, const Shape& sizes) {
  Labels in, out;
  for (const IndexUse& i : m.indices) in.push_back(Label(find(order, i.letter) - order.data()));
  for (size_t i = 0; i < order.size(); ++i) out.push_back(Label(i));
  Meaning result{.indices = order, .indexed = true};
  result.draft = in == out ? m.draft : drafts_.ein({{m.draft, in}}, out, Shape(sizes));
  return result;
}

Meaning Elaborator::sum_out(Meaning m, const std::vector<IndexUse>& kept) {
  const Shape shape = drafts_.shape(m.draft);
  std::vector<IndexUse> indices;
  Labels out;
  Shape rest;
  for (size_t i = 0; i < m.indices.size(); ++i) {
    if (!find(kept, m.indices[i].letter)) continue;
    out.push_back(Label(i));
    indices.push_back(m.indices[i]);
    rest.push_back(shape[i]);
  }
  if (out.size() == m.indices.size()) return m;
  m.draft = drafts_.ein({{m.draft, Graph::iota(shape.size())}}, out, rest);
  m.indices = std::move(indices);
  return m;
}

// Indices of a whole term that are not on the left are summed over it; with variance checked they cannot stand alone.
Meaning Elaborator::sum_unnamed(Meaning m) {
  if (!left_.indexed) return m;
  if (high_)
    for (const IndexUse& i : m.indices)
      if (!find(left_.indices, i.letter)) {
        report(Message::index_alone, i.where, i.letter);
        return poison();
      }
  return sum_out(std::move(m), left_.indices);
}

// The letters of several tensors in order of appearance and the size of each; false, with a report, where sizes differ.
bool Elaborator::gather(const std::vector<Meaning>& tensors, std::vector<IndexUse>& order, Shape& sizes) {
  for (const Meaning& m : tensors) {
    const Shape shape = drafts_.shape(m.draft);
    for (size_t i = 0; i < m.indices.size(); ++i) {
      const IndexUse* known = find(order, m.indices[i].letter);
      if (!known) {
        order.push_back(m.indices[i]);
        sizes.push_back(shape[i]);
        continue;
      }
      const DimVar d = sizes[size_t(known - order.data())];
      if (dims_.unify(d, shape[i])) continue;
      note_origins(report(Message::index_sizes, m.indices[i].where, known->letter, dims_.spell(d), dims_.spell(shape[i])), d, shape[i]);
      return false;
    }
  }
  return true;
}

// Terms have the same free indices, standing alike. Under sum_i(...) and its kin a term that lacks some is constant in them.
Meaning Elaborator::indexed_sum(AstId id, std::vector<Meaning> terms) {
  const Ast& a = ast(id);
  const bool whole_right_side = id.value - base_ + 1 == meanings_.size(), broadcasts = scope_of_[id.value - base_] != kNone;
  for (size_t i = 0; i < terms.size(); ++i) {
    const SourceRange where = ast(a.children[i]).where;
    if (bare(terms[i], where)) return poison();
    terms[i] = settle(std::move(terms[i]), a.children[i]);
    if (whole_right_side && !terms[i].poisoned()) terms[i] = sum_unnamed(std::move(terms[i]));
    if (terms[i].poisoned()) return poison();
    if (!broadcasts && !same_letters(terms[0].indices, terms[i].indices)) {
      report(Message::free_indices_differ, where, spell(terms[i].indices), spell(terms[0].indices)).note(ast(a.children[0]).where, Message::first_term);
      return poison();
    }
  }
  Meaning m{.indexed = true};
  Shape sizes;
  if (!gather(terms, m.indices, sizes)) return poison();
  std::vector<DraftTerm> out;
  for (size_t i = 0; i < terms.size(); ++i) {
    for (const IndexUse& use : terms[i].indices)
      if (const IndexUse& model = *find(m.indices, use.letter); high_ && use.variance != model.variance && !use.either && !model.either) {
        report(Message::heights_differ, use.where, use.letter, height(use.variance), height(model.variance))
            .note(model.where, Message::first_use, use.letter);
        return poison();
      }
    out.push_back({Rational(i > 0 && a.ops[i - 1] == AstOp::Minus ? -1 : 1), align(terms[i], m.indices, sizes).draft});
  }
  m.draft = drafts_.sum(std::move(out), sizes);
  return m;
}

// --- functions of components ----------------------------------------------------------------------------------------------------------

Meaning Elaborator::indexed_map(MapOp op, std::vector<Meaning> operands, SourceRange where) {
  for (const Meaning& m : operands)
    if (m.poisoned() || bare(m, where)) return poison();
  Meaning result{.indexed = true};
  Shape sizes;
  if (!gather(operands, result.indices, sizes)) return poison();
  std::vector<DraftId> drafts;
  for (const Meaning& m : operands) drafts.push_back(m.indices.empty() ? m.draft : align(m, result.indices, sizes).draft);
  result.draft = op == MapOp::pow_ ? drafts_.power(drafts[0], drafts[1]) : drafts_.map(op, std::move(drafts));
  return result;
}

// sum_i(...), mean_k(...), lse_k(...), prod_k(...), max_k(...), min_k(...), and argmax_k(...), coprod_k(...), which keep the index; inv_jk(...).
Meaning Elaborator::indexed_reduction(AstId id) {
  const Ast& a = ast(id);
  if (a.children.size() != 1) {
    report(Message::wrong_arity, a.where, a.name, "1 argument", a.children.size());
    return poison();
  }
  const AstId body = a.children[0];
  Meaning m = take(body);
  if (!usable(m, ast(body).where) || bare(m, ast(body).where)) return poison();
  m = settle(std::move(m), body);
  if (m.poisoned()) return m;
  const auto fun = find_function(a.name == "logsumexp" ? "lse" : a.name);
  for (const IndexUse& over : a.indices) {
    if (find(m.indices, over.letter)) continue;
    Diagnostic& d = report(Message::index_missing, over.where, over.letter, a.name);
    if (a.name == "sum") d.fix(Message::size_factor);
    return poison();
  }
  if (fun && row(*fun).core.in == 2) return indexed_matrix_function(a, *fun, m);
  for (const IndexUse& over : a.indices) {
    const IndexUse* use = find(m.indices, over.letter);
    std::vector<IndexUse> order;
    Shape sizes;
    const Shape shape = drafts_.shape(m.draft);
    const size_t axis = size_t(use - m.indices.data());
    for (size_t i = 0; i < shape.size(); ++i)
      if (i != axis) order.push_back(m.indices[i]), sizes.push_back(shape[i]);
    if (fun) {
      std::vector<IndexUse> last = order;
      last.push_back(*use);
      Shape all = sizes;
      all.push_back(shape[axis]);
      m.draft = drafts_.fun(*fun, align(m, last, all).draft);
      if (row(*fun).core.out == 1) order = std::move(last);
    } else {
      m = sum_out(std::move(m), order);
      if (a.name == "mean") m.draft = drafts_.times(drafts_.power(drafts_.size(shape[axis]), drafts_.constant(-1)), m.draft);
    }
    m.indices = std::move(order);
  }
  return m;
}

// inv_jk(M_ijk), det_jk(M_ijk): of each matrix with the rows j and the columns k. The letters that the result has are those of the axes it shares
// with the operand, so entry j, k of pinv_jk(M_jk) is [pinv(M)]_kj.
Meaning Elaborator::indexed_matrix_function(const Ast& a, FunOp op, const Meaning& m) {
  const FunctionRow& r = row(op);
  if (a.indices.size() != 2 || a.indices[0].letter == a.indices[1].letter) {
    report(Message::matrix_indices, a.where, a.name, a.name);
    return poison();
  }
  std::vector<IndexUse> order;
  Shape sizes;
  const Shape shape = drafts_.shape(m.draft);
  const auto axis = [&](const IndexUse& i) { return size_t(find(m.indices, i.letter) - m.indices.data()); };
  for (const IndexUse& i : m.indices)
    if (!find(a.indices, i.letter)) order.push_back(i), sizes.push_back(shape[axis(i)]);
  std::vector<IndexUse> all = order;
  for (const IndexUse& i : a.indices) all.push_back(m.indices[axis(i)]), sizes.push_back(shape[axis(i)]);
  if (r.core.square && !dims_.unify(sizes[sizes.size() - 2], sizes.back())) {
    report(Message::square_indices, a.where, a.name, a.indices[0].letter, dims_.spell(sizes[sizes.size() - 2]), a.indices[1].letter,
           dims_.spell(sizes.back()));
    return poison();
  }
  const DraftId operand = align(m, all, sizes).draft;
  if (!r.operand.empty()) promises.push_back({operand, *find_property(r.operand), std::string(r.name), a.where, excerpt(ast(a.children[0]).where)});
  for (size_t k = 0; k < r.core.out; ++k) order.push_back(all[all.size() - 2 + written_with(r.core, k)]);
  return {.draft = drafts_.fun(op, operand), .indices = std::move(order), .indexed = true};
}

// d(f^i)/d(x^k): the index of the variable changes its height. Without indices the tensor D(f, x).
Meaning Elaborator::partial(const Ast& a) {
  Meaning f = take(a.children[0]);
  const Meaning x = take(a.children[1]);
  const Ast& variable = ast(a.children[1]);
  const bool whole = !f.indexed && !x.indexed;
  if (!usable(f, ast(a.children[0]).where) || x.poisoned()) return poison();
  if (!whole && (bare(f, ast(a.children[0]).where) || bare(x, variable.where))) return poison();
  const Ast& base = variable.kind == AstKind::Indexed ? ast(variable.children[0]) : variable;
  if (!differentiable(base, variable.where, "d")) return poison();
  if (whole) return derivative(f, x);
  f = settle(std::move(f), a.children[0]);
  if (f.poisoned()) return f;
  Meaning m{.draft = drafts_.derivative(f.draft, x.draft), .indices = f.indices, .indexed = true};
  int order = 1;
  for (const IndexUse& i : f.indices) order = std::max(order, i.variable + 1);
  for (const IndexUse& i : x.indices) {
    m.indices.push_back(flipped(i));
    m.indices.back().variable = order;
  }
  return m;
}

// --- the whole right side -------------------------------------------------------------------------------------------------------------

Meaning Elaborator::close(Meaning m, AstId root, const LeftSide& left) {
  const SourceRange where = ast(root).where;
  for (const auto& [name, part] : m.several)
    if (part.poisoned()) return poison();
  if (!m.several.empty()) return m;
  if (!usable(m, where)) return poison();
  m.by.reset();
  for (size_t i = 0; i < left.indices.size(); ++i)
    for (size_t j = 0; j < i; ++j)
      if (left.indices[i].letter == left.indices[j].letter) {
        report(Message::left_index_twice, left.indices[i].where, left.indices[i].letter);
        return poison();
      }
  if (!left.indexed) return m.indexed ? close_freely(settle(std::move(m), root)) : m;
  if (!m.indexed && drafts_.rank(m.draft) == left.indices.size()) {  // y^i = A*x
    m.indices = left.indices;
    m.indexed = true;
  }
  m = sum_unnamed(settle(std::move(m), root));
  if (m.poisoned()) return m;
  if (!m.indexed && drafts_.rank(m.draft) > 0) {
    report(Message::left_index_count, where, describe(m), counted(left.indices.size(), "index", "indices"));
    return poison();
  }
  for (const IndexUse& i : left.indices) {
    const IndexUse* use = find(m.indices, i.letter);
    if (!use) {
      report(Message::left_index_unused, i.where, i.letter);
      return poison();
    }
    if (high_ && use->variance != i.variance && i.variable == 0 && !use->either) {  // an index of a variable stands low and in parentheses
      report(Message::heights_differ, use->where, i.letter, height(use->variance), height(i.variance)).note(i.where, Message::first_use, i.letter);
      return poison();
    }
  }
  return arrange(m, left.indices);
}

// Without a left side the open indices are the result's, high ones first, and then those of variables of differentiation in turn: f^i_j(k).
Meaning Elaborator::close_freely(Meaning m) {
  if (m.poisoned()) return m;
  std::vector<IndexUse> order = m.indices;
  std::ranges::stable_sort(order, {}, [](const IndexUse& i) { return std::pair(i.variable, i.variable == 0 && i.variance == Variance::Down); });
  return arrange(m, order);
}

Meaning Elaborator::arrange(const Meaning& m, const std::vector<IndexUse>& order) {
  Shape sizes;
  const Shape shape = drafts_.shape(m.draft);
  for (const IndexUse& i : order) sizes.push_back(shape[size_t(find(m.indices, i.letter) - m.indices.data())]);
  Meaning result = align(m, order, sizes);
  result.indices.clear();
  result.variance = usual_variance(order.size());
  bool by_variable = false;
  for (size_t i = 0; i < order.size(); ++i) {
    if (high_) result.variance[i] = order[i].variance;
    result.letters.push_back(order[i].letter);
    result.variable.push_back(order[i].variable);
    by_variable = by_variable || order[i].variable > 0;
  }
  if (!by_variable) result.variable.clear();
  return result;
}

}  // namespace ricci
