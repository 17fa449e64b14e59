// The inequality  (sum_k w_k R_k'*P*L_k)^2  <=  (sum_k w_k R_k'*P*R_k) * (sum_k w_k L_k'*P*L_k)  found in products.
//
// The product on the right is given with its mirror; the linear form under the square on the left contains one half of it. With L = h, P =
// I, R = r it is what makes I/|r| - r*r'/|r|^3 psd; with weights s that sum to one and R = 1, diag(s) - s*s'.
//
// Of several linear forms u_a = R_a'*P*L at once it says  u'*inv(B)*u <= L'*P*L  for every B >= R'*P*R: a projection makes nothing longer.
#pragma once
#include <optional>
#include <vector>

#include "passes/mirror.h"

namespace ricci {

// A linear form in one direction: the factors, and the labels that it shares with the rest of its product.
struct LinearForm {
  std::vector<Factor> factors;
  Labels out;
  std::optional<Label> kernel = {};  // of `out`: the forms are several, and a matrix joins them to their twins on this label
};

struct Domination {
  NodeId constant;             // sum_k w_k R_k'*P*R_k, with an axis for each label of the linear form's `out`; of several the matrix R'*P*R
  std::vector<Factor> common;  // the weights of the square form that stand outside the sum over k, in the linear form's labels
  Labels shared;               // those of `out` that the square form carries, too: the inequality holds for each of their values
};

// How `square`, seen through `mirror`, dominates the square of `linear`. `positive` says which weights may be divided by.
std::optional<Domination> dominate(Graph& g, const std::vector<Factor>& square, const Mirror& mirror, const LinearForm& linear,
                                   const std::function<bool(NodeId)>& is_direction, const std::function<bool(NodeId)>& positive);

}  // namespace ricci
