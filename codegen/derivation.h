// Derivations as documents: numbered lines under headings, each with its reason.
#pragma once
#include <string>

#include "passes/derivation.h"

namespace ricci {

// Plain text: `(4)  df/dx_k = delta_ik*A_ij*x_j + ...      dx_i/dx_k = delta_ik`.
std::string derivation_text(const Graph& g, const Derivation& d);

// A fragment of a LaTeX document; needs amsmath.
std::string derivation_latex(const Graph& g, const Derivation& d);

// One XHTML element with MathML in it.
std::string derivation_mathml(const Graph& g, const Derivation& d);

}  // namespace ricci
