// Convexity by composition: from the curvature of the parts of a function, where the second derivative of the whole shows no sign or does not exist.
//
// h(u) is convex if h is convex and u affine, or h also increasing and u convex, or h decreasing and u concave (Boyd and Vandenberghe, section 3.2.4).
// The same holds for matrices in the order of Loewner, A <= B if B - A is psd: what is convex there stays so under a linear map that takes psd matrices
// to nonnegative numbers or to psd matrices, and functions of a symmetric matrix that only its eigenvalues matter to are convex exactly if they are
// convex in these (Davis 1957). What no rule takes apart is asked of the second derivative.
#pragma once
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "passes/quadratic_form.h"
#include "passes/regularity.h"

namespace ricci {

enum class Curve : uint8_t { Convex, Concave };
inline Curve opposite(Curve c) { return c == Curve::Convex ? Curve::Concave : Curve::Convex; }

// What is asked about functions that no rule takes apart.
struct Lemmas {
  using Domain = std::vector<DomainCondition>;
  // By the sign of the second derivative, given what is known of signs; and where the function has a value.
  std::function<std::optional<FormProof>(NodeId f, Curve, Signs, Domain&)> smooth;
  // Of another function, jointly in all its `arguments`.
  std::function<std::optional<FormProof>(NodeId f, std::span<const NodeId> arguments, Curve, Domain&)> of_function;
};

class Composition {
 public:
  Composition(Graph& g, Signs& signs, std::span<const NodeId> variables, std::span<const NodeId> directions, Lemmas lemmas)
      : g_(g), signs_(signs), variables_(variables), directions_(directions), lemmas_(std::move(lemmas)) {}

  // A proof, `definite` if f is strictly convex (concave).
  std::optional<FormProof> prove(NodeId f, Curve curve) { return prove(f, curve, Order::Entries); }
  // Where all that the proofs spoke of has a value.
  const std::vector<DomainCondition>& domain() const { return domain_; }

 private:
  enum class Order : uint8_t { Entries, Loewner };
  using Proof = std::optional<FormProof>;

  Proof prove(NodeId n, Curve curve, Order order);
  Proof search(NodeId n, Curve curve, Order order);
  Proof sum(NodeId n, Curve curve, Order order);
  Proof product(NodeId n, Curve curve, Order order);
  Proof linear_image(NodeId n, size_t active, Curve curve, Order order);
  Proof weighted(NodeId n, const std::vector<size_t>& moving, Curve curve);
  bool keeps_strictness(const std::vector<Factor>& factors, size_t k, const Labels& out, Order order);
  Proof square_over(NodeId n, Order order);
  Proof map(NodeId n, Curve curve);
  Proof function(NodeId n, Curve curve);
  Proof matrix_function(NodeId n, Curve curve);
  Proof trace_exponential(NodeId n);
  Proof geometric(NodeId matrix);
  Proof geometric_image(NodeId n);
  Proof spectral(NodeId n, Curve curve);
  Proof spectral_in(NodeId n, NodeId matrix, NodeId eigenvalues, NodeId seen_as, Curve curve);
  NodeId eigenvalues_of(NodeId matrix, Properties p);
  Proof logarithm(NodeId u, Curve curve);
  Proof logarithm_of_product(NodeId u, Curve curve);
  Proof integral(NodeId u);

  Proof of_parts(NodeId n, Curve curve);
  Proof perspective(NodeId n, Curve curve);
  bool kinked(NodeId n) const;

  bool active(NodeId n);
  bool affine(NodeId n);
  Proof injective(NodeId affine);
  NodeId slope(NodeId u);
  bool is_norm(NodeId power);

  Graph& g_;
  Signs& signs_;
  std::span<const NodeId> variables_, directions_;
  Lemmas lemmas_;
  std::vector<DomainCondition> domain_;
  std::map<NodeId, bool> active_, affine_;
  std::map<std::pair<DimId, Properties>, NodeId> eigenvalues_;  // vectors that stand for them
  std::map<std::pair<NodeId, Type>, NodeId> stand_ins_;  // variables of outer functions, by part and type
  struct Known {
    Proof proof;
    std::vector<DomainCondition> domain;  // that it rests on
  };
  std::map<std::tuple<NodeId, Curve, Order>, Known> known_;
};

}  // namespace ricci
