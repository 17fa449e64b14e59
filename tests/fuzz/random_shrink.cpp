// Making a failing program smaller.
#include <stdexcept>

#include "tests/fuzz/random_program.h"

namespace ricci::fuzz {
namespace {

// Only the steps the result needs, renumbered.
RandomProgram trimmed(const RandomProgram& p) {
  std::vector<bool> used(p.steps.size(), false);
  used.back() = true;
  for (size_t k = p.steps.size(); k-- > 0;)
    if (used[k])
      for (size_t o : p.steps[k].operands) used[o] = true;
  RandomProgram r{.seed = p.seed, .size = p.size, .dimensions = p.dimensions, .steps = {}};
  std::vector<size_t> number(p.steps.size());
  for (size_t k = 0; k < p.steps.size(); ++k) {
    if (!used[k]) continue;
    number[k] = r.steps.size();
    r.steps.push_back(p.steps[k]);
    for (size_t& o : r.steps.back().operands) o = number[o];
  }
  return r;
}

void fill(const RandomProgram& p, Step& input, size_t k) {
  input.data.resize(size_t(Array<double>::count(p.shape(input.type))));
  for (size_t i = 0; i < input.data.size(); ++i) input.data[i] = 0.3 + 0.125 * double((i * 7 + k) % 11);
  const size_t n = input.symmetric ? size_t(p.extent(input.type[0])) : 0;
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j < i; ++j) input.data[i * n + j] = input.data[j * n + i];
}

// With another extent of a symbol: the dimensions built from it, and new inputs.
RandomProgram resized(RandomProgram p, size_t symbol, int64_t extent) {
  p.dimensions[symbol].extent = extent;
  for (Dimension& d : p.dimensions) {
    if (d.parts.empty()) continue;
    d.extent = d.kind == Dim::Kind::Product;
    for (size_t part : d.parts) d.extent = d.kind == Dim::Kind::Product ? d.extent * p.extent(part) : d.extent + p.extent(part);
  }
  for (size_t k = 0; k < p.steps.size(); ++k)
    if (p.steps[k].kind == Step::Kind::Input) fill(p, p.steps[k], k);
  return p;
}

// A place may have come to lie outside its axis.
bool is_valid(const RandomProgram& p) {
  try {
    Graph g;
    const std::vector<NodeId> nodes = p.build(g);
    interpret<Quad>(g, nodes.back(), p.dims(), p.inputs(nodes));
    return true;
  } catch (const std::invalid_argument&) {
    return false;
  }
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
    if (k + 1 < p.steps.size() && s.kind != Step::Kind::Constant)  // a fresh input in its place; but not for an exponent that has to be a number
      with([&](RandomProgram& q) {
        Step input{.kind = Step::Kind::Input, .type = s.type, .row = 100 + uint32_t(k)};
        fill(p, input, k);
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
          q.steps[k].notation.clear();
        });
  }
  for (size_t d = 0; d < p.dimensions.size(); ++d)
    if (p.dimensions[d].kind == Dim::Kind::Symbol && p.extent(d) > 2) candidates.push_back(resized(p, d, 2));
  return candidates;
}

size_t weight(const RandomProgram& p) {
  size_t w = 0;
  for (const Dimension& d : p.dimensions) w += size_t(d.extent);
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
      if (weight(candidate) < weight(program) && is_valid(candidate) && fails(candidate)) {
        program = std::move(candidate);
        smaller = true;
        break;
      }
  }
  return program;
}

}  // namespace ricci::fuzz
