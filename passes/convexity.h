// Whether a function is convex in some of its variables, with the proof, the conditions, or the counterexample.
//
// A claim is a theorem: it follows from the sign of the second derivative (passes/quadratic_form.h) and the regularity of the function
// (passes/regularity.h), or from the curvature of its parts (passes/composition.h), for every size and every value that the declarations allow. Sampled spectra (passes/spectrum.h) only refute: they
// are the witness of `neither`, and the check of every claim. What is neither proved nor refuted is unknown.
#pragma once
#include <stdexcept>
#include <string>
#include <string_view>

#include "passes/composition.h"
#include "passes/spectrum.h"

namespace ricci {

enum class Verdict : uint8_t { Convex, StrictlyConvex, Concave, StrictlyConcave, Affine, Neither, Unknown };
std::string_view name(Verdict v);  // "strictly convex"

// The curvature of the function at a point along a direction.
struct CurvatureAt {
  std::map<NodeId, Array<Quad>> point, direction;
  double value;
  Dims dims;
};

struct Convexity {
  Verdict verdict = Verdict::Unknown;
  NodeId second;                                   // d(f, x)[h][h]
  std::vector<NodeId> directions;                  // the h of each variable
  std::optional<ProofStep> proof = {};             // of convexity or concavity
  bool by_composition = false;                     // the proof is one of passes/composition.h, else about `second`
  std::vector<IndependentColumns> strict_if = {};  // any of these makes it strict
  std::vector<DomainCondition> domain = {};        // where the function is defined, besides the declarations
  std::vector<CurvatureAt> witness = {};           // neither: one of each sign, at the same values of everything else
  std::string reason = {};                         // unknown: why
  struct Equation {
    NodeId left, right;
  };
  std::optional<Equation> stationary = {};  // of a quadratic in one variable: the equation of its stationary points
};

// A proof and a spectrum that contradict each other: one of them has a bug.
struct ConvexityContradiction : std::logic_error {
  using std::logic_error::logic_error;
};

// Jointly in `variables`, declared Var nodes, of the scalar f. `points.count` spectra check a claim, several times as many look for a
// witness. Throws ConvexityContradiction.
Convexity convexity(Graph& g, NodeId f, std::span<const NodeId> variables, const Points& points);

}  // namespace ricci
