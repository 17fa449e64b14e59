// Is the mathematics right? Derivatives of random programs, interpreted in __float128, against nested __float128 dual numbers on the
// program itself: nothing but the interpreter's arithmetic is shared between the two sides.
#include <gtest/gtest.h>

#include "passes/differentiate.h"
#include "passes/infer_properties.h"
#include "tests/fuzz/derivative_case.h"
#include "tests/property_holds.h"

using namespace ricci;
using namespace ricci::fuzz;

namespace {

Outcome check_derivative(const RandomProgram& p, size_t order) {
  DerivativeCase c(p, order);
  if (c.xs.empty() || !c.has_value()) return {Outcome::Kind::Skipped};
  NodeId d = c.f;
  Type type = c.g[c.f].type;
  for (NodeId x : c.xs) {
    d = differentiate(c.g, d, x);
    type.insert(type.end(), c.g[x].type.begin(), c.g[x].type.end());
  }
  std::string which;
  for (NodeId x : c.xs) which += " by %" + std::to_string(std::ranges::find(c.nodes, x) - c.nodes.begin());
  if (c.g[d].type != type) return different("the derivative" + which + " has a wrong type");
  if (std::string m = malformed(c.g, d); !m.empty()) return different("the derivative" + which + ": " + m);
  if (c.work(d) > kMostWork) return {Outcome::Kind::Skipped};

  scalar::kink_touched = false;
  const Array<Quad> expected = order == 1 ? c.by_duals<Dual1>() : order == 2 ? c.by_duals<Dual2>() : c.by_duals<Dual3>();
  if (scalar::kink_touched) return {Outcome::Kind::Kink};
  Array<Quad> found = c.value(d);
  for (size_t k = order; k-- > 0;) found = DerivativeCase::contract(found, c.hs[k]);
  std::string wrong = c.disagreement(found, expected, {c.f, d});
  return wrong.empty() ? Outcome{} : different("derivative" + which + ", " + wrong + " by dual numbers");
}

// directional and pullback are the derivative contracted with a direction on its right, or a seed on its left.
Outcome check_products(const RandomProgram& p) {
  DerivativeCase c(p, 1);
  if (c.xs.empty() || !c.has_value()) return {Outcome::Kind::Skipped};
  const NodeId x = c.xs[0];
  const Type x_type = c.g[x].type, f_type = c.g[c.f].type;
  const NodeId h = c.g.variable(c.g.declare({.name = "h", .type = x_type})), s = c.g.variable(c.g.declare({.name = "s", .type = f_type}));
  const NodeId forward = directional(c.g, c.f, x, h), back = pullback(c.g, c.f, x, s);
  if (c.g[forward].type != f_type || c.g[back].type != x_type) return different("a wrong type");
  scalar::kink_touched = false;
  const Array<Quad> expected = c.by_duals<Dual1>();
  if (scalar::kink_touched) return {Outcome::Kind::Kink};
  c.inputs[h] = c.hs[0];
  Array<Quad>& seed = c.inputs[s] = Array<Quad>(expected.shape);
  for (size_t i = 0; i < seed.data.size(); ++i) seed.data[i] = Quad(i % 7) - Quad(2.5);
  if (std::string wrong = c.disagreement(c.value(forward), expected, {forward}); !wrong.empty()) return different("directional: " + wrong);
  if (std::string wrong = c.disagreement(DerivativeCase::contract(c.value(back), c.hs[0]), DerivativeCase::contract(seed, expected), {back}); !wrong.empty())
    return different("pullback: " + wrong);
  // The two modes are transposes of one another: <u, J v> = <J'u, v>.
  std::string wrong = c.disagreement(DerivativeCase::contract(c.value(back), c.hs[0]), DerivativeCase::contract(seed, c.value(forward)), {back, forward});
  return wrong.empty() ? Outcome{} : different("<u, J v> is not <J'u, v>: " + wrong);
}

// Schwarz: derivatives by x and y in either order are the same numbers.
Outcome check_mixed(const RandomProgram& p) {
  DerivativeCase c(p, 2);
  if (c.xs.empty()) return {Outcome::Kind::Skipped};
  const NodeId x = c.xs[0], y = c.xs[1];
  const NodeId xy = differentiate(c.g, differentiate(c.g, c.f, x), y), yx = differentiate(c.g, differentiate(c.g, c.f, y), x);
  if (c.work(xy) > kMostWork || c.work(yx) > kMostWork) return {Outcome::Kind::Skipped};
  // Along directions: entry by entry a derivative by a symmetric matrix is not unique.
  const auto along = [&](NodeId d, size_t first, size_t second) { return DerivativeCase::contract(DerivativeCase::contract(c.value(d), c.hs[second]), c.hs[first]); };
  std::string wrong = c.disagreement(along(xy, 0, 1), along(yx, 1, 0), {xy, yx});
  return wrong.empty() ? Outcome{} : different("mixed partials: " + wrong);
}

// The program's meaning without the constructors' normal form: each step alone, on fresh variables for its operands, in a graph of its own.
Array<Quad> step_by_step(const RandomProgram& p) {
  std::vector<Array<Quad>> values;
  for (const Step& s : p.steps) {
    RandomProgram one{.dimensions = p.dimensions, .steps = {}};
    for (size_t o : s.operands) one.steps.push_back({.kind = Step::Kind::Input, .type = p.steps[o].type});
    one.steps.push_back(s);
    for (size_t i = 0; i < s.operands.size(); ++i) one.steps.back().operands[i] = i;
    if (s.kind == Step::Kind::Input) {
      Array<Quad> a(p.shape(s.type));
      a.data.assign(s.data.begin(), s.data.end());
      values.push_back(std::move(a));
      continue;
    }
    Graph g;
    const std::vector<NodeId> nodes = one.build(g);
    std::map<NodeId, Array<Quad>> inputs;
    for (size_t i = 0; i < s.operands.size(); ++i) inputs[nodes[i]] = values[s.operands[i]];
    values.push_back(interpret<Quad>(g, nodes.back(), p.dims(), inputs));
  }
  return values.back();
}

TEST(Constructors, KeepTheValue) {
  campaign(400, 20, {}, [](const RandomProgram& p) {
    const DerivativeCase c(p, 1);
    const std::string wrong = disagreement(c.value(c.f), step_by_step(p));
    return wrong.empty() ? Outcome{} : different(wrong + " step by step\n" + print_ir(c.g, std::span(&c.f, 1)));
  });
}

TEST(Derivative, FirstOrder) {
  campaign(400, 24, {}, [](const RandomProgram& p) { return check_derivative(p, 1); });
}
// Where the branch that is not taken has no value, the derivative has one.
constexpr Options kBranches{.calls = false, .branches = 30}, kSmallBranches{.small = true, .calls = false, .branches = 40};
TEST(Derivative, OfBranches) {
  campaign(200, 14, kBranches, [](const RandomProgram& p) { return check_derivative(p, 1); });
}
TEST(Derivative, OfBranchesTwice) {
  campaign(200, 8, kSmallBranches, [](const RandomProgram& p) { return check_derivative(p, 2); });
}
TEST(Derivative, OfBranchesBothWays) { campaign(200, 14, kBranches, check_products); }
TEST(Derivative, SecondOrder) {
  campaign(300, 16, {.small = true}, [](const RandomProgram& p) { return check_derivative(p, 2); });
}
TEST(Derivative, ThirdOrder) {
  campaign(200, 12, {.small = true}, [](const RandomProgram& p) { return check_derivative(p, 3); });
}
TEST(Derivative, MixedPartialsAreSymmetric) {
  campaign(200, 14, {.small = true}, check_mixed);
}
TEST(Derivative, DirectionalAndPullback) { campaign(300, 20, {}, check_products); }

// As `holds`, but a limit that rounding can reach counts: sigmoid(100) is 1, exp(-1000) may be 0. Of a batch of matrices nothing is asked.
bool holds_rounded(Property q, const Array<double>& a) {
  auto within = [&](double low, double high) { return std::ranges::all_of(a.data, [=](double v) { return v >= low && v <= high; }); };
  if (q == Property::positive) return within(0, INFINITY);
  if (q == Property::unit) return within(0, 1);
  if (q == Property::nonsingular && a.shape.size() == 2) return scalar::det(scalar::Square<double>{size_t(a.shape[0]), a.data}) != 0;
  if (q == Property::spd) q = Property::psd;
  return (row(q).applies_to == "square" && a.shape.size() != 2) || holds(q, a);
}

// What is inferred of a program, its derivative and everything they are made of is true of their values.
TEST(Properties, InferredOnesHold) {
  campaign(300, 16, {}, [](const RandomProgram& p) -> Outcome {
    DerivativeCase c(p, 1);
    if (c.xs.empty()) return {Outcome::Kind::Skipped};
    const NodeId roots[] = {c.f, differentiate(c.g, c.f, c.xs[0])};
    if (c.work(roots[1]) > kMostWork) return {Outcome::Kind::Skipped};
    PropertyInference infer(c.g);
    const std::vector<NodeId> nodes = c.g.reachable(roots);
    const std::vector<Array<Quad>> values = interpret<Quad>(c.g, nodes, c.dims, c.inputs);
    for (size_t k = 0; k < nodes.size(); ++k)
      for (Property q : infer(nodes[k]).list())
        if (!holds_rounded(q, convert<double>(values[k])))
          return different("not " + std::string(row(q).name) + ":\n" + print_ir(c.g, std::span(&nodes[k], 1)));
    return {};
  });
}

// A derivative zero everywhere would agree with anything that is: the programs must depend on their variables, through most of the tables.
TEST(RandomProgram, CoversTheTables) {
  std::map<uint32_t, int> maps, funs;
  std::map<Step::Kind, int> kinds;
  for (uint64_t seed = 1; seed <= 3000; ++seed)
    for (const Step& s : random_program(seed, 10).steps) {
      ++kinds[s.kind];
      if (s.kind == Step::Kind::Map) ++maps[s.row];
      if (s.kind == Step::Kind::Fun) ++funs[s.row];
    }
  EXPECT_EQ(kinds.size(), size_t(Step::Kind::Epsilon) + 1);
  for (auto [kind, count] : kinds) EXPECT_GT(count, 50) << int(kind);
  EXPECT_EQ(maps.size(), elementwise_table().size());
  EXPECT_EQ(funs.size(), function_table().size());
}

TEST(RandomProgram, IsTheSameForTheSameSeed) {
  EXPECT_EQ(random_program(42, 10).listing(), random_program(42, 10).listing());
  EXPECT_NE(random_program(42, 10).listing(), random_program(43, 10).listing());
}

}  // namespace
