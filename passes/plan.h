// The plan: which nodes of a DAG become arrays, and the steps that compute them.
//
// Every node is a *leaf*, a *view* (entries of another node, found by their subscripts: no work), an *entry* (computed
// element by element), or the work of a step. Entries and loop reductions with one iteration space and no detour between them share a
// *nest*: they are computed in one pass, and only what leaves the nest is stored. Why that is safe: plan_nests.h.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "passes/cost.h"
#include "passes/plan_products.h"
#include "passes/plan_views.h"

namespace ricci {

enum class Role : uint8_t {
  Absent,    // not needed
  Leaf,      // Const, Size: a number where it is used; Var: an array that is given
  View,      // of a stored node or a number
  Entry,     // in a nest, at every point of the space
  Reduce,    // in a nest, accumulated
  Contract,  // a matrix product, by kernel
  Solve,     // inv(A) times something, by a factorisation of A
  Inverse,   // a function of a square matrix that is computed from its factorisation: inv, det, logdet
  Function,  // any other function without index form, by kernel
  Call,      // a function of the host's
  Assemble,  // a sum whose terms are accumulated in place, or a view or constant that has to be an array
  Implied,   // an inverse of which only products are wanted
  Absorbed,  // a term of an Assemble that is accumulated straight into it
};

using Axes = std::vector<size_t>;  // the axes of a tensor as axes of a nest

struct Step {
  enum class Kind : uint8_t { Nest, Contract, Solve, Factor, Inverse, Function, Call, Clear, Assemble, Write };
  Kind kind;
  NodeId node;                        // what is computed; for Factor the matrix, for Clear what is zeroed, for Write what is copied
  uint32_t output = 0;                // Write: where to
  Type space = {};                    // Nest
  std::vector<NodeId> members = {};   // Nest: what is computed, operands first
  std::vector<Axes> axes = {};        // Nest: of each member
  std::vector<NodeId> stored = {};    // nodes that have their array when the step is done
  std::vector<NodeId> reads = {};     // nodes whose arrays it reads
  std::vector<NodeId> factors = {};   // matrices whose factorisation it reads
  std::vector<uint32_t> wanted = {};  // the outputs that need it, by number
};

struct Plan {
  std::vector<NodeId> outputs;  // rewritten: as many as were asked for
  std::vector<Role> roles;      // by node id
  std::vector<NodeId> alias;    // by node id: the node in whose array it is computed; itself mostly
  std::map<NodeId, NodeId> block;  // a node that is computed in a part of its alias's array: the view that says where
  std::vector<bool> cholesky;   // by node id of a matrix: how it is factorised
  std::vector<bool> in_place;   // by output: computed in the output's own array, not copied there
  std::vector<Step> steps;      // in an order of execution
  // Nodes that were made since are not part of the plan.
  Role role(NodeId n) const { return n.value < roles.size() ? roles[n.value] : Role::Absent; }
};

// The node whose array or number an operand is read from: itself, or what it is a view of. A view that became an array is one.
NodeId source_of(const Graph& g, const Plan& plan, NodeId n);

Plan make_plan(Graph& g, std::span<const NodeId> outputs, const Sizes& sizes);

// What the plan costs: without places never more flops than cost_as_grouped(outputs), with them rarely (docs/decisions/0009-places.md).
Cost cost_of(const Graph& g, const Plan& plan, const Sizes& sizes);

// One line per step, for people and tests: "%12 = contract %3 %4  2*m*n".
std::string to_text(const Graph& g, const Plan& plan, const Sizes& sizes);

// The labels of a reduction in the order of its nest's axes.
Labels reduction_labels(const Graph& g, NodeId n);

// The factor of a product inv(A)*B that is the inverse of a square matrix: it and B meet in one label.
std::optional<size_t> solved_factor(const Graph& g, NodeId n);

// How the terms of an Assemble lie in its array.
enum class Blocks : uint8_t {
  Mixed,   // some overlap, or are not known not to
  Apart,   // each entry is written by one term or none
  Tiling,  // each entry is written by one term
};
Blocks blocks_of(const Graph& g, NodeId n);

}  // namespace ricci
