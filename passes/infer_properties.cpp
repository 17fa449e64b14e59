#include "passes/infer_properties.h"

#include <algorithm>

namespace ricci {

using enum Property;

Properties PropertyInference::operator()(NodeId root) {
  if (auto it = known_.find(root); it != known_.end()) return it->second;
  NodeId roots[] = {root};
  for (NodeId n : g_.reachable(roots))
    if (!known_.contains(n)) known_[n] = infer(n);
  return known_.at(root);
}

Properties PropertyInference::infer(NodeId id) const {
  const Node& n = g_[id];
  Properties p;
  switch (n.kind) {
    case Kind::Const:
      if (n.value() > 0) p.add(positive);
      if (n.value() >= 0) p.add(nonnegative);
      if (n.value() > 0 && n.value() < 1) p.add(unit);
      break;
    case Kind::Size: p.add(nonnegative); break;
    case Kind::Var: p = g_.symbol(id).properties; break;
    case Kind::Sum: p = of_sum(n); break;
    case Kind::Ein: p = of_product(id); break;
    case Kind::Map: p = of_map(n); break;
    case Kind::Fun: p = of_function(n); break;
    case Kind::Place: p.add(nonnegative); break;
    case Kind::Call:
    case Kind::Epsilon: break;
  }
  if (g_.is_symmetric(id)) p.add(symmetric);
  return p;
}

// Linear properties survive any coefficients; the others that are closed under sums need positive ones.
Properties PropertyInference::of_sum(const Node& n) const {
  Properties p;
  if (n.operands.empty()) {
    p.add(nonnegative);
    return p;
  }
  bool coefficients_positive = std::ranges::all_of(n.coefficients, [](const Rational& c) { return c > 0; });
  for (const PropertyRow& r : property_table()) {
    bool all = std::ranges::all_of(n.operands, [&](NodeId op) { return known(op).has(r.property); });
    bool linear = r.property == symmetric || r.property == skew || r.property == diagonal || r.property == lower || r.property == upper;
    if (all && r.sum && (linear || coefficients_positive)) p.add(r.property);
    if (all && n.operands.size() == 1 && (r.property == nonsingular)) p.add(r.property);
  }
  if (!coefficients_positive) return p;
  auto any = [&](Property q) { return std::ranges::any_of(n.operands, [&](NodeId op) { return known(op).has(q); }); };
  if (p.has(psd) && any(spd)) p.add(spd);
  if (p.has(nonnegative) && any(positive)) p.add(positive);
  return p;
}

Properties PropertyInference::of_product(NodeId id) const {
  const Node& n = g_[id];
  Properties p;
  std::vector<Factor> fs = g_.factors(id);
  Labels out = g_.out(id);
  auto all = [&](Property q) { return std::ranges::all_of(n.operands, [&](NodeId op) { return known(op).has(q); }); };
  if (all(nonnegative)) p.add(nonnegative);
  Labels distinct = out;
  std::ranges::sort(distinct);
  bool repeats = std::ranges::adjacent_find(distinct) != distinct.end();
  if (all(positive) && !repeats && g_.is_structure(id)) p.add(positive);  // a sum over an empty dimension would be 0
  if (n.rank() == 0 && all(positive) && std::ranges::all_of(fs, [](const Factor& f) { return f.labels.empty(); })) p.add(positive);
  if (n.rank() != 2) return p;
  if (out[0] == out[1]) {  // diag(v), c*eye(n)
    p.add(diagonal);
    if (fs.empty()) p.add(orthogonal), p.add(spd);
    if (all(nonnegative)) p.add(psd);
    if (all(positive) && g_.is_structure(id)) p.add(spd);
    return p;
  }
  if (fs.size() == 1 && g_.is_structure(id) && fs[0].labels.size() == 2 && fs[0].labels[0] != fs[0].labels[1]) {  // a transpose
    for (const PropertyRow& r : property_table())
      if (known(fs[0].tensor).has(r.property) && !r.transpose.empty()) p.add(*find_property(r.transpose));
    return p;
  }
  // A'*A and A'*P*A with P psd; a nonnegative scalar in front changes nothing.
  std::vector<Factor> matrices;
  for (const Factor& f : fs) {
    if (f.labels.size() == 2) matrices.push_back(f);
    else if (!f.labels.empty() || !known(f.tensor).has(nonnegative)) return p;
  }
  auto carries = [](const Factor& f, Label l) { return f.labels[0] == l || f.labels[1] == l; };
  auto other = [](const Factor& f, Label l) { return f.labels[f.labels[0] == l ? 1 : 0]; };
  auto side = [](const Factor& f, Label l) { return f.labels[0] == l ? 0 : 1; };
  auto summed = [&](Label l) { return l != out[0] && l != out[1]; };  // diag(A)*A' is no A*A'
  if (matrices.size() == 2 || matrices.size() == 3) {
    auto left = std::ranges::find_if(matrices, [&](const Factor& f) { return carries(f, out[0]); });
    auto right = std::ranges::find_if(matrices, [&](const Factor& f) { return carries(f, out[1]); });
    if (left != matrices.end() && right != matrices.end() && left != right && left->tensor == right->tensor &&
        (side(*left, out[0]) == side(*right, out[1]) || g_.is_symmetric(left->tensor))) {
      Label a = other(*left, out[0]), b = other(*right, out[1]);
      bool gram = matrices.size() == 2 && a == b && summed(a);
      for (const Factor& f : matrices)
        gram |= matrices.size() == 3 && &f != &*left && &f != &*right && a != b && summed(a) && summed(b) && carries(f, a) &&
                carries(f, b) && known(f.tensor).has(psd);
      if (gram) p.add(psd);
      if (gram && known(left->tensor).has(nonsingular) && fs.size() == 2) p.add(spd);
    }
  }
  if (fs.size() == 2 && matrices.size() == 2) {  // a plain product A*B
    auto left = std::ranges::find_if(fs, [&](const Factor& f) { return f.labels[0] == out[0]; });
    auto right = std::ranges::find_if(fs, [&](const Factor& f) { return f.labels[1] == out[1]; });
    if (left != fs.end() && right != fs.end() && left != right && left->labels[1] == right->labels[0] && summed(left->labels[1]))
      for (const PropertyRow& r : property_table())
        if (r.product && all(r.property) && r.property != positive && r.property != nonnegative) p.add(r.property);
  }
  return p;
}

Properties PropertyInference::of_map(const Node& n) const {
  Properties p;
  const ElementwiseRow& r = row(n.map_op());
  if (r.range_low >= 0) p.add(nonnegative);
  if (r.range_low > 0) p.add(positive);
  if (n.operands.empty()) return p;
  Properties x = known(n.operands[0]);
  const Node* e = n.operands.size() == 2 ? &g_[n.operands[1]] : nullptr;
  switch (n.map_op()) {
    case MapOp::exp_:
    case MapOp::softplus_:
    case MapOp::normpdf_: p.add(positive); break;
    case MapOp::sigmoid_:
    case MapOp::normcdf_: p.add(unit); break;
    case MapOp::pow_:
    case MapOp::pow0_:
      if (x.has(positive)) p.add(positive);
      if (x.has(nonnegative)) p.add(nonnegative);
      if (e->kind == Kind::Const && (!is_integer(e->value()) || e->value().get_num() % 2 == 0)) p.add(nonnegative);
      break;
    case MapOp::relu_:
    case MapOp::step_:
    case MapOp::abs_: p.add(x.has(positive) ? positive : nonnegative); break;
    case MapOp::sign_: if (x.has(positive)) p.add(positive); break;
    case MapOp::log1p_:
    case MapOp::expm1_:
    case MapOp::sinh_:
    case MapOp::tanh_:
    case MapOp::asinh_:
    case MapOp::atan_:
    case MapOp::erf_:
    case MapOp::cbrt_:  // increasing, 0 at 0
      if (x.has(nonnegative)) p.add(nonnegative);
      if (x.has(positive)) p.add(positive);
      break;
    default: break;
  }
  return p;
}

Properties PropertyInference::of_function(const Node& n) const {
  Properties p;
  const Properties x = known(n.operands[0]);
  const bool square = n.rank() >= 2 && n.type[n.rank() - 1] == n.type[n.rank() - 2];
  auto applies = [&](Property q) { return square || row(q).applies_to == "any"; };
  for (const PropertyClaim& claim : property_claims(n.fun_op()))
    if ((!claim.operand || x.has(*claim.operand)) && applies(claim.result)) p.add(claim.result);
  if (n.fun_op() == FunOp::inv)
    for (const PropertyRow& r : property_table())
      if (x.has(r.property) && !r.inverse.empty()) p.add(*find_property(r.inverse));
  return p;
}

}  // namespace ricci
