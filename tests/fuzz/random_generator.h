// Making a random program: pick an operation, pick operands that fit, evaluate, and keep the step if its values are tame.
#pragma once
#include <optional>
#include <random>

#include "tests/fuzz/random_program.h"

namespace ricci::fuzz {

class Generator {
 public:
  Generator(uint64_t seed, size_t size, Options options);
  RandomProgram program() && { return std::move(p_); }

 private:
  using Dimensions = std::vector<size_t>;
  using Found = std::optional<size_t>;

  size_t pick(size_t n) { return random_() % n; }
  bool chance(int percent) { return pick(100) < size_t(percent); }
  template <class C>
  auto any(const C& c) { return c[pick(c.size())]; }

  void choose_dimensions();
  // The number of a dimension that may be there already: m*n and n*m are one.
  size_t dimension(Dimension d);
  size_t product_of(Dimensions parts);
  size_t sum_of(Dimensions parts);
  size_t any_dimension();
  int64_t extent(size_t d) const { return p_.extent(d); }

  double sample();
  void input();
  bool operation();
  // The result is the last step that computes something.
  void finish();

  // Adds the step if it evaluates to tame numbers, or if any will do; its number, or nothing.
  enum class Values : uint8_t { Tame, Any };
  Found keep(Step s, Values values = Values::Tame);
  bool is_tame(size_t k) const;
  // Forgets all steps from the `count`th.
  void drop(size_t count);
  const Step& step(size_t k) const { return p_.steps[k]; }
  const Dimensions& type(size_t k) const { return p_.steps[k].type; }
  size_t rank(size_t k) const { return type(k).size(); }
  size_t any_step();
  Found any_step_where(const std::function<bool(const Step&)>& fits);
  Found any_step_of_rank(size_t rank) {
    return any_step_where([&](const Step& s) { return s.type.size() == rank; });
  }
  Found alike_or_scalar(const Dimensions& type);
  size_t constant(Rational value);
  size_t ones(const Dimensions& type);
  Rational coefficient();

  bool product();
  bool sum();
  bool map();
  bool unary(Step& s, const ElementwiseRow& r);
  bool several(Step& s, MapOp op);
  // low + (high - low)*sigmoid(x): the step itself if it is inside already.
  Found squashed(size_t k, double low, double high);
  bool fun();
  bool call();

  // random_branches.cpp
  bool branch();
  Found undefined_somewhere(size_t u, bool entrywise);

  // random_places.cpp
  bool moves();
  Found place(size_t whole, Dimensions digits, int64_t offset, Dimensions before = {});
  void place_some_labels(Step& product, Dimensions& dim_of);
  bool entry();
  bool slice();
  bool block();
  bool vec();
  bool reshape();
  bool kron();
  bool cross();

  std::mt19937_64 random_;
  Options options_;
  RandomProgram p_;
  size_t symbols_ = 0;  // dimensions that inputs have
  Graph g_;
  std::vector<NodeId> nodes_;
  std::vector<Array<double>> values_;
  std::map<NodeId, Array<double>> given_;
};

}  // namespace ricci::fuzz
