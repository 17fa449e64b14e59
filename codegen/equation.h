// Printed lines as equations, which the emitters of formulas spell.
//
// A printed line reads back as input: what is written in index notation becomes a tree by the parser of the language itself, so that each
// notation needs nothing but its own spelling of every node.
#pragma once
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

#include "ir/graph.h"
#include "ir/matrix_expr.h"

namespace ricci {

// A printed line is no input of the language; `what` is the first error.
struct NotReadable : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Equation {
  std::optional<mat::Expr> left;        // none: the right side stands alone
  std::string text;                     // the right side in the language
  std::optional<mat::Expr> right = {};  // and as a tree; none of what is written in index notation
};

// "t1_i = prod_j(A_ij); F = h(t1)".
std::string to_text(std::span<const Equation> equations);

// How formulas are spelled, and what stands between two of one line.
struct Notation {
  std::string_view kind;
  std::string (*spell)(const mat::Expr&);
  std::string_view between;
};
std::span<const Notation> notations();  // other than text
const Notation* find_notation(std::string_view kind);

// The equations of a printed line over the names of `graph`. Throws NotReadable.
std::string typeset(const Graph& graph, std::span<const Equation> equations, const Notation& notation);

}  // namespace ricci
