#include "passes/woodbury.h"

#include <algorithm>
#include <optional>

#include "passes/canonicalize.h"
#include "passes/infer_properties.h"
#include "passes/monomial.h"
#include "passes/rewrite.h"
#include "passes/scalar_powers.h"

namespace ricci {
namespace {

constexpr size_t kMostTerms = 6;   // of a sum whose pairs are tried
constexpr size_t kBudget = 64;     // terms of inv(C), expanded

// scalar * inv(A) or scalar * I, the first term.
struct Base {
  NodeId scalar;
  std::optional<NodeId> inverse;  // nothing: the identity
  bool turned = false;            // A' for A
};

// scalar * L*inv(K)*R, the second; K a matrix between labels of L and R, or a number.
struct Correction {
  NodeId scalar, middle;
  std::vector<Factor> left, right;
  Labels joint;  // the labels at which inv(K) meets L and R; none for a number
  Label rows, columns;
};

class Woodbury {
 public:
  explicit Woodbury(Graph& g) : g_(g), properties_(g) {}

  NodeId operator()(NodeId sum) {
    if (g_[sum].kind != Kind::Sum || g_[sum].rank() != 2 || g_[sum].type[0] != g_[sum].type[1] || g_[sum].operands.size() > kMostTerms) return sum;
    const std::vector<Term> terms = g_.terms(sum);
    for (size_t i = 0; i < terms.size(); ++i) {
      const std::optional<Base> base = this->base({abs(terms[i].coefficient), terms[i].tensor});
      if (!base) continue;
      const int sign = terms[i].coefficient < 0 ? -1 : 1;
      for (size_t k = 0; k < terms.size(); ++k) {
        if (k == i) continue;
        for (const Correction& c : corrections({-sign * terms[k].coefficient, terms[k].tensor})) {
          const std::optional<NodeId> joined = join(*base, c, Type(g_[sum].type));
          if (!joined) continue;
          std::vector<Term> rest{{sign, *joined}};
          for (size_t other = 0; other < terms.size(); ++other)
            if (other != i && other != k) rest.push_back(terms[other]);
          return g_.sum(std::move(rest), Type(g_[sum].type));
        }
      }
    }
    return sum;
  }

 private:
  bool is_inverse(NodeId n) const { return g_[n].kind == Kind::Fun && g_[n].fun_op() == FunOp::inv; }
  bool is_reciprocal(NodeId n) const {
    return g_[n].kind == Kind::Map && g_[n].rank() == 0 && g_[n].map_op() == MapOp::pow_ && g_[g_[n].operands[1]].kind == Kind::Const &&
           g_[g_[n].operands[1]].value() < 0;
  }

  // Finite where the product that it stands in is, and not 0 there.
  bool has_inverse(NodeId n) {
    if (g_[n].rank() == 2) return properties_(n).has(Property::nonsingular);
    if (g_[n].kind == Kind::Const) return g_[n].value() != 0;
    if (g_[n].kind == Kind::Sum && g_[n].operands.size() == 1) return has_inverse(g_[n].operands[0]);
    if (g_[n].kind == Kind::Ein) return std::ranges::all_of(g_.factors(n), [&](const Factor& f) { return f.labels.empty() && has_inverse(f.tensor); });
    return is_reciprocal(n) || properties_(n).has(Property::positive);
  }

  std::optional<Base> base(const Term& t) {
    if (is_inverse(t.tensor)) return Base{g_.constant(t.coefficient), t.tensor};
    if (g_[t.tensor].kind != Kind::Ein) return std::nullopt;
    Base b{g_.constant(t.coefficient), {}};
    const Labels out = g_.out(t.tensor);
    for (const Factor& f : g_.factors(t.tensor)) {
      if (f.labels.empty()) b.scalar = g_.times(b.scalar, f.tensor);
      else if (is_inverse(f.tensor) && !b.inverse) b.inverse = f.tensor, b.turned = f.labels != out;
      else return std::nullopt;
    }
    if ((out[0] == out[1]) == b.inverse.has_value() || !has_inverse(b.scalar)) return std::nullopt;
    return b;
  }

  // Each way to see a term so, one for each inverse in it.
  std::vector<Correction> corrections(const Term& t) {
    std::vector<Correction> found;
    if (g_[t.tensor].kind != Kind::Ein) return found;
    const std::vector<Factor> factors = g_.factors(t.tensor);
    const Labels out = g_.out(t.tensor);
    for (size_t at = 0; at < factors.size(); ++at) {
      const NodeId inverted = factors[at].tensor;
      const bool number = is_reciprocal(inverted) && g_[g_[inverted].operands[1]].value() == -1;
      if (!number && !(is_inverse(inverted) && g_[g_[inverted].operands[0]].kind == Kind::Sum)) continue;
      for (bool turned : {false, true}) {
        Correction c{g_.constant(t.coefficient), g_[inverted].operands[0], {}, {}, factors[at].labels, out[0], out[1]};
        if (turned && (number || !g_.is_symmetric(inverted))) continue;
        if (turned) std::swap(c.joint[0], c.joint[1]);
        std::vector<Factor> others = factors;
        others.erase(others.begin() + std::ptrdiff_t(at));
        if (split(c, std::move(others)) && has_inverse(c.scalar)) found.push_back(std::move(c));
      }
    }
    return found;
  }

  // The other factors as scalars, those that lead from the rows to K, and those that lead from K to the columns.
  bool split(Correction& c, std::vector<Factor> others) {
    for (std::vector<Factor>& part : connected_parts(std::move(others))) {
      const auto carries = [&](Label l) { return std::ranges::any_of(part, [&](const Factor& f) { return std::ranges::count(f.labels, l) > 0; }); };
      if (part[0].labels.empty()) {
        c.scalar = g_.times(c.scalar, part[0].tensor);
        continue;
      }
      const bool left = carries(c.rows), right = carries(c.columns);
      if (left == right || !(left ? c.left : c.right).empty()) return false;
      if (!c.joint.empty() && (!carries(c.joint[left ? 0 : 1]) || carries(c.joint[left ? 1 : 0]))) return false;
      (left ? c.left : c.right) = std::move(part);
    }
    return !c.left.empty() && !c.right.empty();
  }

  // The factor inv(A) at one end of L or R removed; the label at which the rest begins then.
  std::optional<Label> strip(std::vector<Factor>& part, NodeId inverse, Label end, size_t axis) const {
    for (auto f = part.begin(); f != part.end(); ++f) {
      if (f->tensor != inverse) continue;
      if (g_.is_symmetric(inverse) && f->labels[axis] != end) std::swap(f->labels[0], f->labels[1]);
      if (f->labels[axis] != end) continue;
      const Label next = f->labels[1 - axis];
      part.erase(f);
      return next;
    }
    return std::nullopt;
  }

  std::optional<NodeId> join(const Base& base, Correction c, const Type& type) {
    const std::vector<Factor> right_with_inverse = c.right;
    Label rows = c.rows, columns = c.columns;
    if (base.inverse) {
      const auto from = strip(c.left, *base.inverse, c.rows, base.turned), to = strip(c.right, *base.inverse, c.columns, !base.turned);
      if (!from || !to) return std::nullopt;
      rows = *from, columns = *to;
    }
    if (c.left.empty() || c.right.empty()) return std::nullopt;
    // inv(C) = scalar^2/scalar'*K - scalar*V*inv(A)*U
    const Type middle_type = g_[c.middle].type;
    std::vector<Factor> product = right_with_inverse;
    for (Factor f : c.left) {
      for (Label& l : f.labels)
        if (l == rows) l = c.columns;
      product.push_back(std::move(f));
    }
    const Labels middle_out = c.joint.empty() ? Labels{} : Labels{c.joint[1], c.joint[0]};
    const NodeId correction = g_.times(base.scalar, g_.ein(std::move(product), middle_out, middle_type));
    const NodeId whole = g_.times(quotient(g_, g_.times(base.scalar, base.scalar), c.scalar), c.middle);
    NodeId inverse = expand(g_, g_.subtract(whole, correction), kBudget);
    if (!has_inverse(inverse)) return std::nullopt;
    const NodeId center = inverse_of(inverse);
    // A/scalar + U*C*V
    std::vector<Factor> update = c.left;
    update.insert(update.end(), c.right.begin(), c.right.end());
    update.push_back({center, c.joint});
    NodeId A = base.inverse ? g_[*base.inverse].operands[0] : g_.delta(type[0]);
    if (base.turned) A = g_.permute(A, {1, 0});
    const NodeId scaled = g_.times(inverse_of(base.scalar), A);
    return g_.fun(FunOp::inv, canonicalize(g_, g_.add(scaled, g_.ein(std::move(update), {rows, columns}, type))));
  }

  NodeId inverse_of(NodeId n) {
    if (g_[n].rank() == 0) return quotient(g_, g_.constant(1), n);
    return is_inverse(n) ? g_[n].operands[0] : g_.fun(FunOp::inv, n);
  }

  Graph& g_;
  PropertyInference properties_;
};

}  // namespace

NodeId with_corrections_inside(Graph& g, NodeId root) {
  Woodbury woodbury(g);
  return rewrite_bottom_up(g, root, [&](NodeId n) { return woodbury(n); });
}

}  // namespace ricci
