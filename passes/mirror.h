// Products that are sums of squares because they have a mirror.
//
// Theorem. Let sigma be an involution of the factors and the labels of a product, that maps each factor to one of the same tensor and axes.
// Suppose the factors not fixed by sigma fall in two halves, exchanged by sigma, that share only labels fixed by it; and that each factor
// fixed by sigma is either a tensor of nonnegative entries on fixed labels (a weight), or a positive semidefinite matrix on a label and its
// image (a kernel). Then the product is  sum_c w(c) sum_{a,a'} K(a,a') L(a,c) L(a',c) >= 0,  since Kronecker and Hadamard products of such
// matrices are such.
//
// A nonnegative number times a psd matrix, X'*D*X and X'*P*X, diag(v), Schur's product theorem and tr(inv(S)*H*inv(S)*H) are all this one
// case.
#pragma once
#include <functional>
#include <map>
#include <span>
#include <vector>

#include "ir/graph.h"

namespace ricci {

struct Mirror {
  enum class Side : int8_t { Left = -1, Fixed = 0, Right = 1 };
  std::vector<size_t> image;      // of each factor
  std::vector<Side> side;         // of each factor
  std::map<Label, Label> labels;  // of each label
  bool is_fixed(Label l) const { return labels.at(l) == l; }
  // A fixed factor that joins a label to its image, not a weight.
  bool is_kernel(const Factor& f) const { return f.labels.size() == 2 && !is_fixed(f.labels[0]); }
};

// What may stand on the mirror.
struct MirrorFacts {
  std::function<bool(NodeId)> nonnegative;  // all entries
  std::function<bool(NodeId)> psd;
};

enum class OutLabels : uint8_t { Fixed, Swapped };  // an entry of the result is shown nonnegative, or a matrix psd

// Mirrors of a product, the first found first, at most `most`; none for products of more than kMostFactors factors.
std::vector<Mirror> find_mirrors(const Graph& g, std::span<const Factor> factors, const Labels& out, OutLabels how,
                                 const MirrorFacts& facts, size_t most = 1);

}  // namespace ricci
