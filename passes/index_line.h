// A line of index notation as a person writes it: a sum of products, a letter for every axis, and the deltas still standing.
//
// The graph dissolves deltas while it is built; in a derivation they must be seen before they go. Here a delta is a factor like any other: a
// stand-in variable for each dimension, whose value is the identity. Labels are letters (index_letter in passes/raise.h) and stay what they
// are from line to line.
#pragma once
#include <map>
#include <vector>

#include "ir/graph.h"

namespace ricci {

struct IndexTerm {
  Rational coefficient = 1;
  std::vector<Factor> factors = {};
  friend bool operator==(const IndexTerm&, const IndexTerm&) = default;
};

// Summed over every label that is not in `out`; the labels of `out` differ. No terms: zero.
struct IndexLine {
  Labels out = {};
  Type type = {};  // a dimension per label of `out`
  std::vector<IndexTerm> terms = {};
  friend bool operator==(const IndexLine&, const IndexLine&) = default;
};

// delta_ab renames `from` to `to`.
struct Renaming {
  DimId dim;
  Label a, b, from, to;
  friend auto operator<=>(const Renaming&, const Renaming&) = default;
};

// The first label that the line leaves free.
Label beyond(const IndexLine& line);

class IndexLines {
 public:
  explicit IndexLines(Graph& g) : g_(g) {}

  // A node in components: its axes are `out`, what it sums are the labels from `fresh` on, begun again in each term.
  IndexLine lower(NodeId n, const Labels& out, Label fresh);
  // The tensor a line stands for, with the stand-ins for deltas in it.
  NodeId node(const IndexLine& line);
  NodeId node(const IndexTerm& term, const IndexLine& line);
  // The same with the deltas dissolved.
  NodeId dissolved(NodeId n);

  // The line with factor `p` of term `t` replaced by `value`, whose `out` are that factor's labels.
  static IndexLine replaced(const IndexLine& line, size_t t, size_t p, const IndexLine& value);
  // Every delta over a summed letter renames it and goes; what was renamed is added to `done`.
  IndexLine without_deltas(const IndexLine& line, std::vector<Renaming>& done);
  // Deltas between a summed letter and a number are gone: delta_ik e(1)_i is e(1)_k, and so for all places.
  IndexLine with_entries(IndexLine line) const;
  // Terms that are equal but for the names of their summed letters are added up.
  IndexLine like_terms(const IndexLine& line);
  // `line` over other letters: its `out` becomes `out`, what it sums is renamed from `fresh` on.
  static IndexLine relabelled(const IndexLine& line, const Labels& out, Label fresh);

  // Summed letters renamed, term by term, to the first that are free.
  static IndexLine tidy(const IndexLine& line);

  NodeId delta(DimId d);
  // x_i times a unit vector is an entry of x, and times another place an entry of a slice.
  bool is_entry(const Factor& f) const { return g_[f.tensor].kind == Kind::Place; }
  bool is_delta(NodeId n) const { return dims_.contains(n); }
  const std::map<NodeId, DimId>& deltas() const { return dims_; }

 private:
  IndexTerm lower_term(const Term& term, const Labels& out, Label fresh);
  bool join_entry(IndexTerm& term, const Labels& out) const;
  bool eliminate_one(IndexTerm& term, const Labels& out, std::vector<Renaming>& done);

  Graph& g_;
  std::map<DimId, NodeId> stand_ins_;
  std::map<NodeId, DimId> dims_;
};

}  // namespace ricci
