// Is the mathematics right? Derivatives of random programs, interpreted in __float128, against nested __float128 dual numbers on the
// program itself: nothing but the interpreter's arithmetic is shared between the two sides.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "ir/text.h"
#include "ir/verify.h"
#include "passes/canonicalize.h"
#include "passes/differentiate.h"
#include "passes/infer_properties.h"
#include "passes/simplify.h"
#include "tests/fuzz/campaign.h"
#include "tests/fuzz/interpreter_work.h"
#include "tests/property_holds.h"

using namespace ricci;
using namespace ricci::fuzz;

namespace {

constexpr double kMostWork = 3e5;  // scalar products the interpreter may do for one derivative

// v + h[0] e_1 + h[1] e_2 + ...
template <class T>
T seeded(Quad v, std::span<const Quad> h) {
  if constexpr (std::is_same_v<T, Quad>) {
    return v;
  } else {
    using Inner = decltype(T::value);
    return {seeded<Inner>(v, h.subspan(1)), Inner(h[0])};
  }
}

// The coefficient of e_1 e_2 ...: the mixed derivative.
Quad mixed(Quad x) { return x; }
template <class T>
Quad mixed(const Dual<T>& x) { return mixed(x.slope); }

std::string quad_text(Quad q) {
  char buffer[40];
  std::snprintf(buffer, sizeof buffer, "%.17g", double(q));
  return buffer;
}

// A program with variables of differentiation and a direction for each.
struct Case {
  Graph g;
  std::vector<NodeId> nodes;
  NodeId f{};
  Dims dims;
  std::map<NodeId, Array<Quad>> inputs;
  std::vector<NodeId> xs;
  std::vector<Array<Quad>> hs;

  Case(const RandomProgram& p, size_t order) : nodes(p.build(g)), f(nodes.back()), dims(p.dims()), inputs(p.inputs(nodes)) {
    std::mt19937_64 random(p.seed);
    std::vector<size_t> candidates;
    const std::vector<NodeId> reachable = g.reachable(std::span(&f, 1));
    for (size_t k = 0; k < p.steps.size(); ++k) {
      const bool input = p.steps[k].kind == Step::Kind::Input;
      const Kind kind = g[nodes[k]].kind;
      if (kind == Kind::Const || kind == Kind::Size || kind == Kind::Place || kind == Kind::Epsilon) continue;
      // An intermediate value is a variable too, but a constructor may have dissolved it in what is derived from it: first order only.
      if (std::ranges::binary_search(reachable, nodes[k]) && (input || (order == 1 && random() % 4 == 0))) candidates.push_back(k);
    }
    if (candidates.empty())  // a constant
      for (size_t k = 0; k < p.steps.size() && candidates.empty(); ++k)
        if (p.steps[k].kind == Step::Kind::Input) candidates.push_back(k);
    for (size_t k = 0; k < order && !candidates.empty(); ++k) {
      const size_t step = candidates[random() % candidates.size()];
      xs.push_back(nodes[step]);
      hs.push_back(direction(p.steps[step], xs.back(), random));
    }
  }

  Array<Quad> direction(const Step& s, NodeId x, std::mt19937_64& random) const {
    Array<Quad> h(shape_of(g, g[x].type, dims));
    for (Quad& e : h.data) e = Quad(double(random() % 2001) - 1000) / 1024;
    const size_t n = s.symmetric ? size_t(h.shape[0]) : 0;
    for (size_t i = 0; i < n; ++i)
      for (size_t j = 0; j < i; ++j) h.data[i * n + j] = h.data[j * n + i];
    return h;
  }

  // The oracle: f at inputs moved along h_1 e_1 + h_2 e_2 + ...
  template <class T>
  Array<Quad> by_duals() const {
    std::map<NodeId, Array<Quad>> at = inputs;
    for (NodeId x : xs) at.try_emplace(x, interpret<Quad>(g, x, dims, inputs));
    std::map<NodeId, Array<T>> moved;
    for (const auto& [id, value] : at) {
      Array<T>& m = moved[id] = Array<T>(value.shape);
      for (size_t i = 0; i < value.data.size(); ++i) {
        std::vector<Quad> h;
        for (size_t k = 0; k < xs.size(); ++k) h.push_back(xs[k] == id ? hs[k].data[i] : Quad(0));
        m.data[i] = seeded<T>(value.data[i], h);
      }
    }
    const Array<T> value = interpret<T>(g, f, dims, moved);
    Array<Quad> r(value.shape);
    for (size_t i = 0; i < r.data.size(); ++i) r.data[i] = mixed(value.data[i]);
    return r;
  }

  Array<Quad> value(NodeId id) const { return interpret<Quad>(g, id, dims, inputs); }

  // The tensor's last axes, those of x, contracted with h.
  static Array<Quad> contract(const Array<Quad>& d, const Array<Quad>& h) {
    Array<Quad> r(std::vector<int64_t>(d.shape.begin(), d.shape.end() - std::ptrdiff_t(h.shape.size())));
    for (size_t i = 0; i < r.data.size(); ++i)
      for (size_t j = 0; j < h.data.size(); ++j) r.data[i] += d.data[i * h.data.size() + j] * h.data[j];
    return r;
  }

  double work(NodeId id) const { return interpreter_work(g, std::span(&id, 1), dims); }
};

// Empty if two values agree to many more digits than double has.
std::string disagreement(const Array<Quad>& a, const Array<Quad>& b) {
  if (a.shape != b.shape) return "the shapes differ";
  Quad scale = 1;
  for (const Array<Quad>* x : {&a, &b})
    for (Quad v : x->data) scale = scalar::fmax_(scale, scalar::fabs(v));
  for (size_t i = 0; i < a.data.size(); ++i)
    if (!(scalar::fabs(a.data[i] - b.data[i]) <= Quad(1e-18) * scale))
      return "entry " + std::to_string(i) + ": " + quad_text(a.data[i]) + " against " + quad_text(b.data[i]);
  return {};
}

// What is wrong with a node as a node: a broken invariant, or text that does not read back to it.
std::string malformed(Graph& g, NodeId id) {
  for (const std::string& broken : verify(g, std::span(&id, 1))) return broken;
  const std::string text = print_ir(g, std::span(&id, 1));
  IrError error{};
  auto again = parse_ir(g, text, error);
  if (!again) return "its text does not read back: " + error.message + "\n" + text;
  if ((*again)[0] != id) return "its text reads back as another node:\n" + text + "reads as\n" + print_ir(g, *again);
  return {};
}

Outcome check_derivative(const RandomProgram& p, size_t order) {
  Case c(p, order);
  if (c.xs.empty()) return {Outcome::Kind::Skipped};
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
  for (size_t k = order; k-- > 0;) found = Case::contract(found, c.hs[k]);
  std::string wrong = disagreement(found, expected);
  return wrong.empty() ? Outcome{} : different("derivative" + which + ", " + wrong + " by dual numbers");
}

// directional and pullback are the derivative contracted with a direction on its right, or a seed on its left.
Outcome check_products(const RandomProgram& p) {
  Case c(p, 1);
  if (c.xs.empty()) return {Outcome::Kind::Skipped};
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
  if (std::string wrong = disagreement(c.value(forward), expected); !wrong.empty()) return different("directional: " + wrong);
  std::string wrong = disagreement(Case::contract(c.value(back), c.hs[0]), Case::contract(seed, expected));
  return wrong.empty() ? Outcome{} : different("pullback: " + wrong);
}

// A rewriting pass keeps the value, and has nothing left to do the second time.
Outcome check_rewrite(const RandomProgram& p, NodeId (*rewrite)(Graph&, NodeId)) {
  Case c(p, 1);
  if (c.xs.empty()) return {Outcome::Kind::Skipped};
  for (NodeId before : {c.f, differentiate(c.g, c.f, c.xs[0])}) {
    const NodeId after = rewrite(c.g, before);
    if (c.g[after].type != c.g[before].type) return different("the type changed");
    if (std::string m = malformed(c.g, after); !m.empty()) return different(m);
    if (NodeId again = rewrite(c.g, after); again != after)
      return different("not idempotent:\n" + print_ir(c.g, std::span(&after, 1)) + "becomes\n" + print_ir(c.g, std::span(&again, 1)));
    if (c.work(before) > kMostWork || c.work(after) > kMostWork) return {Outcome::Kind::Skipped};
    if (std::string wrong = disagreement(c.value(after), c.value(before)); !wrong.empty())
      return different(wrong + "\n" + print_ir(c.g, std::span(&before, 1)) + "becomes\n" + print_ir(c.g, std::span(&after, 1)));
  }
  return {};
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
    const Case c(p, 1);
    const std::string wrong = disagreement(c.value(c.f), step_by_step(p));
    return wrong.empty() ? Outcome{} : different(wrong + " step by step\n" + print_ir(c.g, std::span(&c.f, 1)));
  });
}

TEST(Derivative, FirstOrder) {
  campaign(400, 24, {}, [](const RandomProgram& p) { return check_derivative(p, 1); });
}
TEST(Derivative, SecondOrder) {
  campaign(300, 16, {.small = true}, [](const RandomProgram& p) { return check_derivative(p, 2); });
}
TEST(Derivative, ThirdOrder) {
  campaign(200, 12, {.small = true}, [](const RandomProgram& p) { return check_derivative(p, 3); });
}
TEST(Derivative, DirectionalAndPullback) { campaign(300, 20, {}, check_products); }

TEST(Rewrite, CanonicalizeKeepsTheValue) {
  campaign(300, 16, {}, [](const RandomProgram& p) { return check_rewrite(p, canonicalize); });
}
TEST(Rewrite, SimplifyKeepsTheValue) {
  campaign(200, 8, {}, [](const RandomProgram& p) { return check_rewrite(p, [](Graph& g, NodeId n) { return simplify(g, n); }); });
}

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
    Case c(p, 1);
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
