// Views: nodes whose entries are those of another node, or the number 1, at other positions, and zero elsewhere.
//
// Such a node is a product of at most one tensor with places. Some of its labels are counted; all others follow
// from them by whole = offset + number(digits). So both where an entry comes from and where it goes are affine in the counted labels:
// entries, slices and reshapes are read where they are, and a block, vec or diag is written by one nest over what it consists of.
#pragma once
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "ir/graph.h"

namespace ricci {

// A position along an axis: the sum of its terms. The last digit of a place has no strides.
struct Address {
  struct Term {
    std::optional<Label> digit;  // none: 1
    Type strides;                // times all of these
    friend auto operator<=>(const Term&, const Term&) = default;
  };
  std::vector<Term> terms;
  friend auto operator<=>(const Address&, const Address&) = default;

  static Address of(Label l) { return {{{l, {}}}}; }
  // The label, if that is all.
  std::optional<Label> label() const;
};

// The address with every digit l standing at digits[l].
Address substitute(const Address& a, std::span<const Address> digits);

// The addresses 0, 1, 2, ... of a tensor's own axes.
std::vector<Address> own_axes(size_t rank);

struct View {
  std::optional<NodeId> base;  // none: the number 1
  std::vector<Address> from;   // per axis of the base
  std::vector<Address> to;     // per axis of the view
  Labels counted;              // in the order of the view's axes
  Type space;                  // their dimensions
  std::vector<std::pair<Address, Address>> equal = {};  // two places of one axis, or one inside itself: nothing where they differ
  bool total = false;          // every entry is written, and once
  bool sums = false;           // an entry may be met several times: they are added

  // Whether an entry of the view is found from its position: its axes are counted labels.
  bool is_readable() const;
  // Whether base and view are the same axes, moved, repeated or broadcast.
  bool moves_axes() const;
};

// Nothing if the node computes something. A product of one tensor and places that really sums is a view too, of the slowest kind.
std::optional<View> find_view(const Graph& g, NodeId n);
// The same for a node that is known to be a view.
View view_of(const Graph& g, NodeId n);

bool is_view(const Graph& g, NodeId n);
// A view that is read in place. Zero off a diagonal still is.
bool is_readable_view(const Graph& g, NodeId n);
// A view that is zero where it is not written, or whose entries cannot be found from their position: diag, blocks, vec, kron, unit vectors.
bool is_scattered(const Graph& g, NodeId n);

}  // namespace ricci
