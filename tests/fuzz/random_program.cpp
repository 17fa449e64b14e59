// Generation: pick an operation, pick operands that fit, evaluate, and keep the step if its values are tame.
#include "tests/fuzz/random_program.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <random>
#include <set>

#include "ir/matrix_meaning.h"

namespace ricci::fuzz {
namespace {

const char* const kDimNames[] = {"m", "n", "p", "q", "r"};
constexpr double kLargest = 50, kFromKink = 0.02;
constexpr int64_t kMostWork = 3000;  // values of all labels of one product

bool tame(const Array<double>& a) {
  return std::ranges::all_of(a.data, [](double v) { return std::fabs(v) < kLargest; });
}

// The node of step k, given those of the steps before it.
NodeId build_step(Graph& g, const RandomProgram& p, size_t k, const std::vector<NodeId>& nodes) {
  const Step& s = p.steps[k];
  Type type;
  for (size_t d : s.type) type.push_back(g.dim(kDimNames[d]));
  switch (s.kind) {
    case Step::Kind::Input: {
      Symbol symbol{.name = "v" + std::to_string(k), .type = type, .variance = std::vector<Variance>(type.size(), Variance::Down)};
      for (size_t axis = 0; axis < type.size(); ++axis)
        if (type.size() < 3 && axis == 0) symbol.variance[0] = Variance::Up;
      if (s.symmetric) symbol.properties.add(Property::symmetric);
      return g.variable(g.declare(std::move(symbol)));
    }
    case Step::Kind::Constant: return g.constant(s.coefficients[0]);
    case Step::Kind::Size: return g.size(g.dim(kDimNames[s.row]));
    case Step::Kind::Sum: {
      std::vector<Term> terms;
      for (size_t i = 0; i < s.operands.size(); ++i) terms.push_back({s.coefficients[i], nodes[s.operands[i]]});
      return g.sum(std::move(terms), std::move(type));
    }
    case Step::Kind::Product: {
      std::vector<Factor> factors;
      for (size_t i = 0; i < s.operands.size(); ++i) factors.push_back({nodes[s.operands[i]], s.labels[i]});
      return g.ein(std::move(factors), s.out, std::move(type));
    }
    case Step::Kind::Map: {
      std::vector<NodeId> operands;
      for (size_t o : s.operands) operands.push_back(nodes[o]);
      return g.map(MapOp(s.row), std::move(operands));
    }
    case Step::Kind::Fun: return g.fun(FunOp(s.row), nodes[s.operands[0]]);
  }
  return {};
}

class Generator {
 public:
  Generator(uint64_t seed, size_t size, Options options) : random_(seed), options_(options) {
    p_.seed = seed, p_.size = size;
    choose_extents();
    for (size_t k = 0, n = 2 + pick(3); k < n; ++k) input();
    for (size_t made = 0, tried = 0; made < size && tried < 40 * size; ++tried) made += operation();
    finish();
  }
  RandomProgram program() && { return std::move(p_); }

 private:
  size_t pick(size_t n) { return random_() % n; }
  bool chance(int percent) { return pick(100) < size_t(percent); }
  template <class C>
  auto any(const C& c) { return c[pick(c.size())]; }

  void choose_extents() {
    std::vector<int64_t> pool = options_.small ? std::vector<int64_t>{2, 3} : std::vector<int64_t>{3, 4, 5, 2, 6};
    std::shuffle(pool.begin(), pool.end(), random_);
    pool.resize(std::min<size_t>(pool.size(), 2 + pick(2)));
    if (chance(20)) any_of(pool) = 1;
    else if (chance(8)) any_of(pool) = 0;
    p_.extents = std::move(pool);
  }
  int64_t& any_of(std::vector<int64_t>& v) { return v[pick(v.size())]; }

  // Away from zero, and exact in a few digits.
  double sample() { return (chance(50) ? 1 : -1) * (0.2 + double(pick(4096)) / 2048); }

  void input() {
    Step s{.kind = Step::Kind::Input};
    const size_t rank = any(std::vector<size_t>{0, 1, 1, 2, 2, 2, 2, options_.small ? 2u : 3u});
    for (size_t k = 0; k < rank; ++k) s.type.push_back(pick(p_.extents.size()));
    if (rank == 2 && chance(40)) s.type[1] = s.type[0];
    s.symmetric = rank == 2 && s.type[0] == s.type[1] && chance(15);
    int64_t count = 1;
    for (size_t d : s.type) count *= p_.extents[d];
    for (int64_t i = 0; i < count; ++i) s.data.push_back(sample());
    const size_t n = rank == 2 ? size_t(p_.extents[s.type[1]]) : 0;
    for (size_t i = 0; s.symmetric && i < n; ++i)
      for (size_t j = 0; j < i; ++j) s.data[i * n + j] = s.data[j * n + i];
    keep(std::move(s));
  }

  // --- trying a step --------------------------------------------------------------------------------------------------------

  // Adds the step if it evaluates to tame numbers; its number, or nothing.
  std::optional<size_t> keep(Step s) {
    if (auto same = std::ranges::find(p_.steps, s); same != p_.steps.end()) return size_t(same - p_.steps.begin());
    p_.steps.push_back(std::move(s));
    const Step& step = p_.steps.back();
    nodes_.push_back(build_step(g_, p_, p_.steps.size() - 1, nodes_));
    Array<double> value;
    if (step.kind == Step::Kind::Input) {
      value = Array<double>(shape(step.type));
      value.data = step.data;
      given_[nodes_.back()] = value;
    } else {
      value = interpret<double>(g_, nodes_.back(), p_.dims(), given_);
    }
    if (!tame(value)) {
      p_.steps.pop_back(), nodes_.pop_back();
      return std::nullopt;
    }
    values_.push_back(std::move(value));
    return p_.steps.size() - 1;
  }

  std::vector<int64_t> shape(const std::vector<size_t>& type) const {
    std::vector<int64_t> s;
    for (size_t d : type) s.push_back(p_.extents[d]);
    return s;
  }

  const Step& step(size_t k) const { return p_.steps[k]; }
  // Steps that nothing uses yet are likelier, so that the result depends on most of the program.
  size_t any_step() {
    std::vector<bool> used(p_.steps.size(), false);
    for (const Step& s : p_.steps)
      for (size_t o : s.operands) used[o] = true;
    std::vector<size_t> unused;
    for (size_t k = 0; k < used.size(); ++k)
      if (!used[k] && step(k).kind != Step::Kind::Constant) unused.push_back(k);
    return !unused.empty() && chance(65) ? any(unused) : pick(p_.steps.size());
  }

  std::optional<size_t> any_step_where(const std::function<bool(const Step&)>& fits) {
    for (int tries = 0; tries < 12; ++tries)
      if (size_t k = any_step(); fits(step(k))) return k;
    return std::nullopt;
  }

  bool operation() {
    const size_t roll = pick(100);
    if (roll < 40) return product();
    if (roll < 58) return sum();
    if (roll < 85) return map();
    if (roll < 97) return fun();
    const Step& x = step(any_step());  // only the dimensions of an input have a name in the text
    if (x.kind != Step::Kind::Input || x.type.empty()) return false;
    return keep({.kind = Step::Kind::Size, .row = uint32_t(x.type[0])}).has_value();
  }

  // --- products -------------------------------------------------------------------------------------------------------------

  bool product() {
    Step s{.kind = Step::Kind::Product};
    std::vector<size_t> dim_of;  // of each label
    auto label = [&](size_t d, int share) {
      std::vector<Label> alike;
      for (Label l = 0; l < dim_of.size(); ++l)
        if (dim_of[l] == d) alike.push_back(l);
      if (!alike.empty() && chance(share)) return any(alike);
      dim_of.push_back(d);
      return Label(dim_of.size() - 1);
    };
    for (size_t k = 0, n = any(std::vector<size_t>{0, 1, 1, 2, 2, 2, 2, 3, 3}); k < n; ++k) {
      s.operands.push_back(any_step());
      s.labels.emplace_back();
      for (size_t d : step(s.operands.back()).type) s.labels.back().push_back(label(d, 65));
    }
    const size_t most = options_.small ? 2 : 3;
    for (Label l = 0; l < dim_of.size(); ++l)
      if (s.out.size() < most && chance(45)) s.out.push_back(l);
    if (s.out.size() < most && !s.out.empty() && chance(10)) s.out.push_back(any(s.out));                          // a diagonal
    if (s.out.size() < most && (s.operands.empty() || chance(8))) s.out.push_back(label(pick(p_.extents.size()), 0));  // a broadcast
    if (s.operands.empty() && chance(70)) s.out.push_back(s.out[0]);                                              // a delta
    std::shuffle(s.out.begin(), s.out.end(), random_);
    int64_t work = 1;
    for (size_t d : dim_of) work *= std::max<int64_t>(1, p_.extents[d]);
    if (work > kMostWork) return false;
    for (Label l : s.out) s.type.push_back(dim_of[l]);
    return keep(std::move(s)).has_value();
  }

  // --- sums -----------------------------------------------------------------------------------------------------------------

  Rational coefficient() {
    static const Rational kChoices[] = {1, 1, 1, -1, -1, 2, 3, Rational(1, 2), Rational(-3, 2), Rational(2, 3), Rational(1, 10)};
    return kChoices[pick(std::size(kChoices))];
  }

  size_t ones(const std::vector<size_t>& type) {
    if (type.empty()) return *keep({.kind = Step::Kind::Constant, .coefficients = {1}});
    Step s{.kind = Step::Kind::Product, .type = type};
    for (Label l = 0; l < type.size(); ++l) s.out.push_back(l);
    return *keep(std::move(s));
  }

  bool sum() {
    const size_t first = any_step();
    Step s{.kind = Step::Kind::Sum, .type = step(first).type, .operands = {first}, .coefficients = {coefficient()}};
    for (size_t k = 0, n = pick(3); k < n; ++k)
      if (auto other = any_step_where([&](const Step& o) { return o.type == s.type; })) {
        s.operands.push_back(*other);
        s.coefficients.push_back(coefficient());
      }
    if (chance(25)) {
      s.operands.push_back(ones(s.type));
      s.coefficients.push_back(coefficient());
    }
    if (s.operands.size() == 1 && s.coefficients[0] == 1) s.coefficients[0] = 2;
    return keep(std::move(s)).has_value();
  }

  // --- elementwise functions --------------------------------------------------------------------------------------------------

  bool all_entries(size_t k, const std::function<bool(double)>& holds) const { return std::ranges::all_of(values_[k].data, holds); }
  bool entries_apart(size_t a, size_t b) const {
    const auto &x = values_[a].data, &y = values_[b].data;
    for (size_t i = 0; i < std::max(x.size(), y.size()); ++i) {
      if ((i >= x.size() && x.size() != 1) || (i >= y.size() && y.size() != 1)) return true;  // one of them is empty
      if (std::fabs(x[x.size() == 1 ? 0 : i] - y[y.size() == 1 ? 0 : i]) < kFromKink) return false;
    }
    return true;
  }

  size_t constant(Rational value) { return *keep({.kind = Step::Kind::Constant, .coefficients = {std::move(value)}}); }

  // low + (high - low)*sigmoid(x): the step itself if it is inside already.
  std::optional<size_t> squashed(size_t k, double low, double high) {
    const double margin = (high - low) / 50;
    if (all_entries(k, [&](double v) { return v > low + margin && v < high - margin; })) return k;
    auto s = keep({.kind = Step::Kind::Map, .type = step(k).type, .operands = {k}, .row = uint32_t(MapOp::sigmoid_)});
    const Rational a(long(std::lround(low * 10)), 10), b(long(std::lround(high * 10)), 10);
    if (!s || !all_entries(*s, [](double v) { return v > 0.02 && v < 0.98; })) return std::nullopt;
    Step affine{.kind = Step::Kind::Sum, .type = step(k).type, .operands = {ones(step(k).type), *s}, .coefficients = {a, b - a}};
    for (Rational& c : affine.coefficients) c.canonicalize();
    return keep(std::move(affine));
  }

  std::optional<size_t> alike_or_scalar(const std::vector<size_t>& type) {
    return any_step_where([&](const Step& o) { return o.type.empty() || o.type == type; });
  }

  bool map() {
    const ElementwiseRow& r = any(elementwise_table());
    Step s{.kind = Step::Kind::Map, .row = uint32_t(r.op)};
    if (r.arity > 0) {
      const size_t x = any_step();
      s.type = step(x).type;
      s.operands = {x};
      if (!(r.arity == 1 ? unary(s, r) : several(s, r.op))) return false;
    }
    return keep(std::move(s)).has_value();
  }

  bool unary(Step& s, const ElementwiseRow& r) {
    const bool kink = r.op == MapOp::relu_ || r.op == MapOp::step_ || r.op == MapOp::abs_ || r.op == MapOp::sign_;
    if (kink) return all_entries(s.operands[0], [](double v) { return std::fabs(v) > kFromKink; });
    auto x = squashed(s.operands[0], r.low, r.high);
    if (x) s.operands[0] = *x;
    return x.has_value();
  }

  bool several(Step& s, MapOp op) {
    size_t x = s.operands[0];
    auto positive = [&] {
      auto inside = squashed(x, 0.3, 3);
      if (inside) x = *inside;
      return inside.has_value();
    };
    if (op == MapOp::polygamma_) {
      if (!positive()) return false;
      s.operands = {constant(long(pick(4))), x};
      return true;
    }
    if (op == MapOp::pow_ || op == MapOp::pow0_) {
      if (op == MapOp::pow_ && chance(30)) {
        auto y = alike_or_scalar(s.type);
        if (!y || !all_entries(*y, [](double v) { return std::fabs(v) < 4; }) || !positive()) return false;
        s.operands = {x, *y};
        return true;
      }
      static const Rational kExponents[] = {2, 3, 2, -1, -2, Rational(1, 2), Rational(-1, 2), Rational(3, 2), Rational(1, 3), 0, 1};
      const Rational e = kExponents[pick(std::size(kExponents))];
      if (!is_integer(e) && !positive()) return false;
      if (e < 0 && !all_entries(x, [](double v) { return std::fabs(v) > 0.1; })) return false;
      if (op == MapOp::pow0_ && !all_entries(x, [](double v) { return std::fabs(v) > kFromKink; })) return false;
      s.operands = {x, constant(e)};
      return true;
    }
    auto y = alike_or_scalar(s.type);
    if (!y) return false;
    s.operands = {x, *y};
    switch (op) {
      case MapOp::atan2_:
      case MapOp::hypot_: return all_entries(x, [](double v) { return std::fabs(v) > kFromKink; });
      case MapOp::select_: {
        if (!entries_apart(x, *y)) return false;
        auto c = keep({.kind = Step::Kind::Map, .type = s.type, .operands = {x, *y}, .row = uint32_t(MapOp::isless_)});
        auto b = alike_or_scalar(s.type);
        if (!c || !b) return false;
        s.operands = {*c, x, *b};
        return true;
      }
      default: return entries_apart(x, *y);
    }
  }

  // --- functions without index form -------------------------------------------------------------------------------------------

  bool fun() {
    const FunctionRow& r = any(function_table());
    const size_t core = r.core.in;
    const bool square = r.core.square;
    if (options_.language && (r.op == FunOp::adj || r.op == FunOp::coprod || r.op == FunOp::argmax)) return false;
    auto x = any_step_where([&](const Step& o) {
      const size_t n = o.type.size();
      if (core == 2 && options_.language && n != 2) return false;
      return n >= core && (!square || o.type[n - 1] == o.type[n - 2]);
    });
    if (!x || !in_domain(r.op, *x)) return false;
    if (options_.language && !r.operand.empty() && !g_.is_symmetric(nodes_[*x])) return false;
    Step s{.kind = Step::Kind::Fun, .type = step(*x).type, .operands = {*x}, .row = uint32_t(r.op)};
    s.type = result_axes(r, s.type);
    return keep(std::move(s)).has_value();
  }

  // The cores of a step's value, each of n rows or entries.
  bool each_core(size_t k, size_t axes, const std::function<bool(std::span<const double>)>& holds) const {
    const Array<double>& v = values_[k];
    size_t core = 1;
    for (size_t a = 0; a < axes; ++a) core *= size_t(v.shape[v.shape.size() - 1 - a]);
    for (size_t at = 0; core > 0 && at + core <= v.data.size(); at += core)
      if (!holds(std::span(v.data).subspan(at, core))) return false;
    return true;
  }

  // Every n x n core with its rows.
  bool each_matrix(size_t k, const std::function<bool(const scalar::Matrix<double>&)>& holds) const {
    const std::vector<int64_t>& shape = values_[k].shape;
    const size_t rows = size_t(shape[shape.size() - 2]), columns = size_t(shape.back());
    return each_core(k, 2, [&](std::span<const double> x) { return holds({rows, columns, {x.begin(), x.end()}}); });
  }

  // The eigenvalues of the symmetric part, ascending, and the top eigenvector.
  static std::pair<std::vector<double>, std::vector<double>> spectrum(const scalar::Matrix<double>& a) {
    scalar::Matrix<double> s = scalar::symmetric_part(a);
    scalar::diagonalise(s);
    std::vector<double> values;
    for (size_t i = 0; i < s.rows; ++i) values.push_back(s(i, i));
    std::ranges::sort(values);
    return {values, scalar::eigvecmax(a)};
  }

  bool in_domain(FunOp op, size_t k) {
    switch (op) {
      case FunOp::expm:
      case FunOp::sinm:
      case FunOp::cosm: return each_matrix(k, [](const auto& a) { return scalar::row_sum_norm(a) < 4; });
      case FunOp::logm:
      case FunOp::sqrtm:  // all eigenvalues well right of the imaginary axis
        return each_matrix(k, [](const auto& a) { return a.rows == 0 || (spectrum(a).first.front() > 0.3 && scalar::row_sum_norm(a) < 20); });
      case FunOp::pinv:  // of full rank
        return each_matrix(k, [](const auto& a) {
          const auto f = scalar::pinv(a), one = a.rows < a.columns ? a * f : f * a;
          return scalar::row_sum_norm(f) < 10 && scalar::row_sum_norm(one - scalar::identity<double>(one.rows)) < 1e-9;
        });
      case FunOp::eigmax:
      case FunOp::eigvecmax:  // a simple eigenvalue, and a vector with one largest entry
        return values_[k].shape.back() > 0 && each_matrix(k, [](const auto& a) {
          const auto [values, v] = spectrum(a);
          const double largest = std::fabs(*std::ranges::max_element(v, {}, [](double e) { return std::fabs(e); }));
          const auto near = std::ranges::count_if(v, [&](double e) { return std::fabs(e) > 0.95 * largest; });
          return near == 1 && (values.size() == 1 || values.back() - values[values.size() - 2] > 0.2);
        });
      case FunOp::triu:
      case FunOp::tril: return true;
      case FunOp::inv:
      case FunOp::det:
      case FunOp::logdet:
      case FunOp::adj: {  // well conditioned: the inverse is tame and the determinant is not small
        NodeId inverse = g_.fun(FunOp::inv, nodes_[k]), det = g_.fun(FunOp::det, nodes_[k]);
        const Array<double> i = interpret<double>(g_, inverse, p_.dims(), given_), d = interpret<double>(g_, det, p_.dims(), given_);
        return std::ranges::all_of(i.data, [](double v) { return std::fabs(v) < 10; }) &&
               std::ranges::all_of(d.data, [](double v) { return std::fabs(v) > 0.05 && std::fabs(v) < kLargest; });
      }
      case FunOp::prod:
      case FunOp::coprod: return all_entries(k, [](double v) { return std::fabs(v) > kFromKink; });
      case FunOp::lse: return true;
      case FunOp::max_of:
      case FunOp::min_of:
      case FunOp::argmax:
        if (values_[k].shape.back() == 0) return false;
        return each_core(k, 1, [](std::span<const double> x) {
          for (size_t i = 0; i < x.size(); ++i)
            for (size_t j = 0; j < i; ++j)
              if (std::fabs(x[i] - x[j]) < kFromKink) return false;
          return true;
        });
    }
    return false;
  }

  // The result is the last step that computes something.
  void finish() {
    for (size_t k = p_.steps.size(); k-- > 0;)
      if (step(k).kind != Step::Kind::Input && step(k).kind != Step::Kind::Constant && step(k).kind != Step::Kind::Size) {
        p_.steps.resize(k + 1);
        return;
      }
  }

  std::mt19937_64 random_;
  Options options_;
  RandomProgram p_;
  Graph g_;
  std::vector<NodeId> nodes_;
  std::vector<Array<double>> values_;
  std::map<NodeId, Array<double>> given_;
};

}  // namespace

RandomProgram random_program(uint64_t seed, size_t size, Options options) { return Generator(seed, size, options).program(); }

Dims RandomProgram::dims() const {
  Dims d;
  for (size_t k = 0; k < extents.size(); ++k) d[kDimNames[k]] = extents[k];
  return d;
}

std::vector<NodeId> RandomProgram::build(Graph& g) const {
  std::vector<NodeId> nodes;
  for (size_t k = 0; k < steps.size(); ++k) nodes.push_back(build_step(g, *this, k, nodes));
  return nodes;
}

std::map<NodeId, Array<Quad>> RandomProgram::inputs(const std::vector<NodeId>& nodes) const {
  std::map<NodeId, Array<Quad>> values;
  for (size_t k = 0; k < steps.size(); ++k) {
    if (steps[k].kind != Step::Kind::Input) continue;
    std::vector<int64_t> shape;
    for (size_t d : steps[k].type) shape.push_back(extents[d]);
    Array<Quad>& a = values[nodes[k]] = Array<Quad>(shape);
    for (size_t i = 0; i < a.data.size(); ++i) a.data[i] = steps[k].data[i];
  }
  return values;
}

// --- text -----------------------------------------------------------------------------------------------------------------------

namespace {

std::string letters(const Labels& labels) {
  std::string s;
  for (Label l : labels) s += "ijklabcdefghostuwxyz"[l % 20];
  return s;
}

class Source {
 public:
  explicit Source(const RandomProgram& p) : p_(p) {
    for (size_t k = 0; k < p.steps.size(); ++k)
      if (p.steps[k].kind == Step::Kind::Input) declare(k);
    for (size_t k = 0; k < p.steps.size(); ++k)
      if (p.steps[k].kind != Step::Kind::Input) define(k);
  }
  std::string text;

 private:
  std::string name(size_t k) const { return (p_.steps[k].kind == Step::Kind::Input ? "v" : "t") + std::to_string(k); }
  std::string indexed(size_t k, const Labels& labels) const { return name(k) + (labels.empty() ? "" : "_" + letters(labels)); }
  Labels axes(size_t k) const { return Graph::iota(p_.steps[k].type.size()); }

  void declare(size_t k) {
    const Step& s = p_.steps[k];
    static const char* const kKinds[] = {"scalar", "vector", "matrix", "tensor"};
    text += name(k) + ": " + kKinds[s.type.size()];
    std::string list;
    for (size_t d : s.type) list += (list.empty() ? "" : ", ") + std::string(s.type.size() > 2 ? "_" : "") + kDimNames[d];
    text += (list.empty() ? "" : "(" + list + ")") + (s.symmetric ? " symmetric" : "") + "\n";
  }

  void define(size_t k) {
    const Step& s = p_.steps[k];
    if (s.kind == Step::Kind::Fun && row(FunOp(s.row)).core.in == 2) {
      text += name(k) + " = " + std::string(row(FunOp(s.row)).name) + "(" + name(s.operands[0]) + ")\n";
      return;
    }
    text += indexed(k, axes(k)) + " = " + right_side(s, k) + "\n";
  }

  std::string right_side(const Step& s, size_t k) const {
    switch (s.kind) {
      case Step::Kind::Input: return {};
      case Step::Kind::Constant: return to_string(s.coefficients[0]);
      case Step::Kind::Size: return kDimNames[s.row];
      case Step::Kind::Sum: return sum(s, k);
      case Step::Kind::Product: return product(s);
      case Step::Kind::Map: return map(s, k);
      case Step::Kind::Fun: {
        const std::string name(row(FunOp(s.row)).name);
        if (row(FunOp(s.row)).core.out == 1) return name + "(" + indexed(s.operands[0], axes(k)) + ")";
        Labels inner = Graph::iota(s.type.size() + 1);
        return name + "_" + letters({inner.back()}) + "(" + indexed(s.operands[0], inner) + ")";
      }
    }
    return {};
  }

  std::string sum(const Step& s, size_t k) const {
    std::string r;
    for (size_t i = 0; i < s.operands.size(); ++i) {
      const Rational& c = s.coefficients[i];
      r += i == 0 ? (c < 0 ? "-" : "") : c < 0 ? " - " : " + ";
      r += to_string(Rational(abs(c))) + "*" + indexed(s.operands[i], axes(k));
    }
    return r;
  }

  // Output labels that no factor has are given by ones, repeated ones by deltas; summed ones are summed explicitly.
  std::string product(const Step& s) const {
    Labels all = s.out;
    std::string factors, sums, closing;
    auto times = [&](const std::string& f) { factors += (factors.empty() ? "" : "*") + f; };
    for (const Labels& ls : s.labels) all.insert(all.end(), ls.begin(), ls.end());
    std::map<Label, Label> letter;  // the axis of the result, or a fresh number for a summed label
    for (size_t axis = 0; axis < s.out.size(); ++axis) letter.try_emplace(s.out[axis], Label(axis));
    Label next = Label(s.out.size());
    for (Label l : all)
      if (letter.try_emplace(l, next).second) {
        sums += "sum_" + letters({next++}) + "(";
        closing += ")";
      }
    std::set<Label> carried;
    for (size_t i = 0; i < s.operands.size(); ++i) {
      Labels ls;
      for (Label l : s.labels[i]) ls.push_back(letter.at(l)), carried.insert(l);
      times(indexed(s.operands[i], ls));
    }
    for (size_t axis = 0; axis < s.out.size(); ++axis) {
      const Label l = s.out[axis], first = letter.at(l);
      // The size of a delta follows from a factor that carries its index; that of eye(n) is written.
      const std::string identity = carried.contains(l) ? "delta_" : std::string("[eye(") + kDimNames[s.type[axis]] + ")]_";
      if (first != axis) times(identity + letters({first, Label(axis)}));
      else if (!carried.contains(l) && std::ranges::count(s.out, l) == 1) times(std::string("[ones(") + kDimNames[s.type[axis]] + ")]_" + letters({first}));
    }
    return sums + (factors.empty() ? "1" : factors) + closing;
  }

  std::string map(const Step& s, size_t k) const {
    const MapOp op = MapOp(s.row);
    std::string arguments;
    for (size_t o : s.operands) arguments += (arguments.empty() ? "" : ", ") + indexed(o, p_.steps[o].type.empty() ? Labels{} : axes(k));
    return op == MapOp::pi_ ? "pi" : op == MapOp::select_ ? "where(" + arguments + ")" : std::string(row(op).name) + "(" + arguments + ")";
  }

  const RandomProgram& p_;
};

}  // namespace

std::string RandomProgram::source() const { return Source(*this).text; }

std::string RandomProgram::listing() const {
  std::string s = "# dimensions";
  for (size_t k = 0; k < extents.size(); ++k) s += std::string(" ") + kDimNames[k] + " = " + std::to_string(extents[k]);
  return s + "\n" + source();
}

// --- shrinking ------------------------------------------------------------------------------------------------------------------

namespace {

// Only the steps the result needs, renumbered.
RandomProgram trimmed(const RandomProgram& p) {
  std::vector<bool> used(p.steps.size(), false);
  used.back() = true;
  for (size_t k = p.steps.size(); k-- > 0;)
    if (used[k])
      for (size_t o : p.steps[k].operands) used[o] = true;
  RandomProgram r{.seed = p.seed, .size = p.size, .extents = p.extents, .steps = {}};
  std::vector<size_t> number(p.steps.size());
  for (size_t k = 0; k < p.steps.size(); ++k) {
    if (!used[k]) continue;
    number[k] = r.steps.size();
    r.steps.push_back(p.steps[k]);
    for (size_t& o : r.steps.back().operands) o = number[o];
  }
  return r;
}

int64_t entry_count(const RandomProgram& p, const std::vector<size_t>& type) {
  int64_t n = 1;
  for (size_t d : type) n *= p.extents[d];
  return n;
}

// Every program that is one simplification away from `p`.
std::vector<RandomProgram> simpler(const RandomProgram& p) {
  std::vector<RandomProgram> candidates;
  auto with = [&](auto change) {
    RandomProgram q = p;
    change(q);
    candidates.push_back(trimmed(q));
  };
  if (p.steps.size() > 1)
    for (size_t k = p.steps.size() - 1; k-- > 0;)
      if (p.steps[k].kind != Step::Kind::Input) with([&](RandomProgram& q) { q.steps.resize(k + 1); });  // an earlier result
  for (size_t k = p.steps.size(); k-- > 0;) {
    const Step& s = p.steps[k];
    if (s.kind == Step::Kind::Input) continue;
    for (size_t o : s.operands)  // an operand of the same type in its place
      if (p.steps[o].type == s.type)
        with([&](RandomProgram& q) {
          for (Step& user : q.steps)
            for (size_t& u : user.operands)
              if (u == k) u = o;
          if (k + 1 == q.steps.size()) q.steps.resize(o + 1);
        });
    if (k + 1 < p.steps.size())  // a fresh input in its place
      with([&](RandomProgram& q) {
        Step input{.kind = Step::Kind::Input, .type = s.type};
        for (int64_t i = 0, n = entry_count(p, s.type); i < n; ++i) input.data.push_back(0.3 + 0.125 * double((i * 7 + int64_t(k)) % 11));
        q.steps[k] = std::move(input);
      });
    if (s.kind == Step::Kind::Sum)
      for (size_t i = 0; i < s.operands.size(); ++i) {
        if (s.operands.size() > 1)
          with([&](RandomProgram& q) {
            q.steps[k].operands.erase(q.steps[k].operands.begin() + std::ptrdiff_t(i));
            q.steps[k].coefficients.erase(q.steps[k].coefficients.begin() + std::ptrdiff_t(i));
          });
        if (s.coefficients[i] != 1) with([&](RandomProgram& q) { q.steps[k].coefficients[i] = 1; });
      }
    if (s.kind == Step::Kind::Product)
      for (size_t i = 0; i < s.operands.size(); ++i)
        with([&](RandomProgram& q) {
          q.steps[k].operands.erase(q.steps[k].operands.begin() + std::ptrdiff_t(i));
          q.steps[k].labels.erase(q.steps[k].labels.begin() + std::ptrdiff_t(i));
        });
  }
  return candidates;
}

size_t weight(const RandomProgram& p) {
  size_t w = 0;
  for (const Step& s : p.steps) {
    w += s.kind == Step::Kind::Input ? 2 : 4;
    w += s.operands.size() + s.out.size();
    for (const Rational& c : s.coefficients) w += c != 1;
  }
  return w;
}

}  // namespace

RandomProgram shrink(RandomProgram program, const std::function<bool(const RandomProgram&)>& fails) {
  for (bool smaller = true; smaller;) {
    smaller = false;
    for (RandomProgram& candidate : simpler(program))
      if (weight(candidate) < weight(program) && fails(candidate)) {
        program = std::move(candidate);
        smaller = true;
        break;
      }
  }
  return program;
}

}  // namespace ricci::fuzz
