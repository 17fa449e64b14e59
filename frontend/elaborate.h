// Syntax to drafts: what every expression means, in both notations.
//
// A Meaning is a draft with the standing of its axes. In matrix notation axes are rows and columns (variance); in index notation each axis
// carries a letter. Trees are walked by ascending ids, so depth costs nothing; an operand that is poisoned poisons its users silently.
#pragma once
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "frontend/ast.h"
#include "frontend/draft.h"
#include "frontend/name_map.h"
#include "frontend/spelling.h"

namespace ricci {

struct Meaning {
  DraftId draft = Drafts::kPoison;
  std::vector<Variance> variance = {};        // matrix notation: one per axis
  std::vector<int> variable = {};             // as Value::variable
  std::vector<IndexUse> indices = {};         // index notation: one per axis, a letter may repeat until the product around it is known
  std::vector<std::string> letters = {};      // a whole right side in index notation: one per axis
  bool indexed = false;                       // in index notation; a scalar may be either
  std::optional<DraftId> by = {};             // d(F, X): X, for the directions that follow
  bool needs_direction = false;               // d(F, X) with none yet
  std::vector<std::pair<std::string, Meaning>> several = {};  // grad(f, {W, b}): one per variable

  bool poisoned() const { return draft == Drafts::kPoison && several.empty(); }
};

// The left side of a definition in index notation.
struct LeftSide {
  bool indexed = false;
  std::vector<IndexUse> indices = {};
};

// Which arguments of a function are sizes, as in ones(m, n): those from this one on.
size_t first_size_argument(std::string_view function);

class Elaborator {
 public:
  // `entrywise`: the mode of derivative columns, where every product and power acts entry by entry and numbers broadcast.
  Elaborator(Dimensions& dims, Drafts& drafts, Diagnostics& diagnostics, bool entrywise = false)
      : dims_(dims), drafts_(drafts), diagnostics_(diagnostics), entrywise_(entrywise) {}

  // What names mean; a poisoned meaning keeps its uses silent.
  NameMap<Meaning> names = {};
  // Undeclared functions: `fun h(vector(n)) -> vector(m)`.
  struct Undeclared {
    uint32_t number;                        // of the drafts
    std::vector<Meaning> arguments;         // their kinds
    Meaning value;
  };
  std::map<std::string, Undeclared, std::less<>> functions = {};
  std::optional<DerivedFunction> undeclared(std::string_view name) const;  // what a name says of them
  // Whether the language has a function of this name.
  static bool has_function(std::string_view name);
  // Variables declared constant: nothing is differentiated by them.
  std::set<std::string, std::less<>> constants = {};
  // Names that a later statement defines, and the one whose definition is being read.
  NameMap<SourceRange> later = {};
  std::string defining = {};
  // Operands that must be shown to have a property, which is known when the graph is built.
  struct Promise {
    DraftId operand;
    Property property;
    std::string function;
    SourceRange where;
    std::string written;
  };
  std::vector<Promise> promises = {};
  // Sizes of unit tensors, which must follow from elsewhere, with their places.
  std::vector<std::pair<DimVar, SourceRange>> open_sizes = {};

  // The meaning of an expression. With a left side the axes are in its order; the result has no open indices.
  Meaning expression(const Syntax& syntax, AstId root, const LeftSide& left = {});

  // Whether the last expression used high indices.
  bool uses_high_indices() const { return high_; }

  // "a column of length n", "a matrix m x n".
  std::string describe(const Meaning& m) const;
  // The standing of axes when nothing says otherwise: a column, a matrix, further axes low.
  static std::vector<Variance> usual_variance(size_t rank);

 private:
  struct Call {
    const Ast& ast;
    std::vector<Meaning> arguments;
    SourceRange at(size_t i) const { return where[i]; }
    std::vector<SourceRange> where;
  };
  struct Function {
    std::string_view name;
    size_t least, most;
    Meaning (Elaborator::*make)(Call&);
  };
  static const Function* find_special(std::string_view name);

  // --- elaborate.cpp: the walk, names and sums -----------------------------------------------------------------------------------
  const Ast& ast(AstId id) const { return (*syntax_)[id]; }
  Meaning& meaning(AstId id) { return meanings_[id.value - base_]; }
  Meaning take(AstId id) { return std::move(meaning(id)); }
  template <class... Args>
  Diagnostic& report(Message m, SourceRange where, const Args&... args) { return diagnostics_.report(m, where, args...); }
  Meaning poison() const { return {}; }
  Meaning scalar(DraftId d) const { return {.draft = d}; }
  void find_roles(AstId root);
  Meaning elaborate(AstId id);
  Meaning number(const Ast& a);
  Meaning name(const Ast& a);
  Meaning negate(const Ast& a);
  Meaning sum_in_matrices(const Ast& a, std::vector<Meaning> terms);
  bool same_shape(const Meaning& a, const Meaning& b, Message m, SourceRange where, std::string_view what);
  void note_origins(Diagnostic& d, DimVar a, DimVar b) const;
  bool usable(Meaning& m, SourceRange where);            // false, with a report, for d(F, X) without a direction
  std::string excerpt(SourceRange where) const;
  std::vector<std::string> candidates() const;

  // --- elaborate_products.cpp: products, quotients and powers of matrix notation -------------------------------------------------
  Meaning product(const Ast& a);
  Meaning binary(AstOp op, Meaning left, Meaning right, SourceRange left_at, SourceRange right_at, SourceRange where);
  Meaning matrix_product(const Meaning& l, const Meaning& r, SourceRange left_at, SourceRange right_at, SourceRange where);
  Meaning entrywise(AstOp op, Meaning l, Meaning r, SourceRange where);
  Meaning divide(Meaning l, const Meaning& r, SourceRange right_at, SourceRange where);
  Meaning solve(const Meaning& l, const Meaning& r, SourceRange where);
  Meaning outer_product(const Meaning& l, const Meaning& r, SourceRange where);
  Meaning power(const Ast& a);
  Meaning matrix_power(const Ast& a, const Meaning& base, const Meaning& exponent);
  Meaning entry_power(const Ast& a, const Meaning& base, const Meaning& exponent);
  Meaning transpose(Meaning m, SourceRange where);
  Meaning times(const Meaning& scalar, const Meaning& m);
  Meaning multiply(const Meaning& l, const Meaning& r);  // rows by columns, shapes checked
  bool is_square(const Meaning& m);
  std::string transposed(SourceRange where) const;

  // --- elaborate_functions.cpp ---------------------------------------------------------------------------------------------------
  Meaning call(const Ast& a);
  Meaning elementwise_call(MapOp op, Call& c);
  Meaning elementwise(MapOp op, Call c, std::string_view what);
  Meaning comparison(const Ast& a);
  Meaning table_call(FunOp op, Call& c);
  std::optional<Meaning> undeclared_call(Call& c);
  Meaning unknown_function(const Ast& a);
  bool right_count(const Call& c, size_t least, size_t most);
  bool whole(Meaning& m, const Call& c, size_t i);       // not open indices, not poisoned, directions given
  bool square_argument(const Call& c, size_t i);
  Meaning reduce(FunOp op, Meaning m);
  DraftId total(DraftId d);
  DraftId inverse(const Meaning& m);
  std::optional<DimVar> dimension_argument(const Call& c, size_t i);
  Meaning f_sqrt(Call& c);
  Meaning f_square(Call& c);
  Meaning f_reciprocal(Call& c);
  Meaning f_sum(Call& c);
  Meaning f_mean(Call& c);
  Meaning f_norm1(Call& c);
  Meaning f_norm2(Call& c);
  Meaning f_norminf(Call& c);
  Meaning f_softmax(Call& c);
  Meaning f_tr(Call& c);
  Meaning f_solve(Call& c);
  Meaning f_diag(Call& c);
  Meaning f_outer(Call& c);
  Meaning f_dot(Call& c);
  Meaning f_ones(Call& c);
  Meaning f_zeros(Call& c);
  Meaning f_eye(Call& c);
  Meaning f_transpose(Call& c);

  // --- elaborate_places.cpp ------------------------------------------------------------------------------------------------------
  // A stretch of an axis: all of it, or from `offset` on; no length: one entry.
  struct Piece {
    bool all = false;
    DimVar offset;
    std::optional<DimVar> length = {};
  };
  std::optional<DimVar> size_expression(AstId id, std::string_view owner);
  std::optional<Piece> piece(AstId id, DimVar d);
  Meaning slice(const Meaning& m, const std::vector<Piece>& pieces);
  Meaning entries(const Ast& a, Meaning m);
  Meaning block(const Ast& a);
  DraftId stacked(DraftId tensor);  // all entries as one vector, the first index counting fastest
  bool three_vector(const Call& c, size_t i);
  Meaning f_e(Call& c);
  Meaning f_vec(Call& c);
  Meaning f_reshape(Call& c);
  Meaning f_kron(Call& c);
  Meaning kronecker(std::span<const Meaning> operands, std::string_view name, SourceRange where);
  Meaning f_commut(Call& c);
  Meaning f_skew(Call& c);
  Meaning f_cross(Call& c);

  // --- elaborate_derivatives.cpp -------------------------------------------------------------------------------------------------
  bool differentiable(const Ast& variable, SourceRange where, std::string_view by);
  bool variable_argument(const Call& c, size_t i);
  bool scalar_argument(const Call& c, size_t i);
  bool shaped_like(const Meaning& m, const Meaning& model, SourceRange where, std::string_view what, std::string_view model_name);
  Meaning derivative(const Meaning& f, const Meaning& x);
  template <class F> Meaning for_each_variable(Call& c, F f);
  Meaning f_grad(Call& c);
  Meaning f_jac(Call& c);
  Meaning f_hess(Call& c);
  Meaning f_D(Call& c);
  Meaning f_d(Call& c);
  Meaning f_jvp(Call& c);
  Meaning f_vjp(Call& c);
  Meaning f_hvp(Call& c);
  Meaning f_div(Call& c);
  Meaning f_laplacian(Call& c);
  Meaning apply(const Ast& a);
  Meaning list(const Ast& a);

  // --- elaborate_indices.cpp -----------------------------------------------------------------------------------------------------
  bool held(std::string_view letter, AstId at) const;
  bool bare(const Meaning& m, SourceRange where);        // a tensor without indices beside components; reported
  bool check_pair(const IndexUse& a, const IndexUse& b, bool is_held, AstId at);
  Meaning indexed(AstId id);
  Meaning unit_tensor(const Ast& a);
  Meaning fix_numbers(Meaning m);
  Meaning contract(const std::vector<Meaning>& factors, AstId at);
  Meaning settle(Meaning m, AstId at);
  Meaning reciprocal(Meaning m, AstId at);
  Meaning indexed_product(AstId id, std::vector<Meaning> factors);
  Meaning align(const Meaning& m, const std::vector<IndexUse>& order, const Shape& sizes);
  Meaning sum_out(Meaning m, const std::vector<IndexUse>& kept);
  Meaning sum_unnamed(Meaning m);
  bool gather(const std::vector<Meaning>& tensors, std::vector<IndexUse>& order, Shape& sizes);
  Meaning indexed_sum(AstId id, std::vector<Meaning> terms);
  Meaning indexed_map(MapOp op, std::vector<Meaning> operands, SourceRange where);
  Meaning indexed_reduction(AstId id);
  Meaning indexed_matrix_function(const Ast& a, FunOp op, const Meaning& m);
  Meaning partial(const Ast& a);
  Meaning close(Meaning m, AstId root, const LeftSide& left);
  Meaning close_freely(Meaning m);
  Meaning arrange(const Meaning& m, const std::vector<IndexUse>& order);

  // What surrounds a node of the expression at hand.
  struct Scope {
    uint32_t parent;                  // of scopes_, kNone at the top
    AstId reduction;
  };
  static constexpr uint32_t kNone = UINT32_MAX;

  Dimensions& dims_;
  Drafts& drafts_;
  Diagnostics& diagnostics_;
  bool entrywise_;
  const Syntax* syntax_ = nullptr;
  LeftSide left_ = {};
  bool high_ = false;                 // the statement uses high indices, so variance is checked
  std::set<std::string> reported_ = {};  // names without a meaning: one report each
  uint32_t base_ = 0;
  std::vector<Meaning> meanings_ = {};
  std::vector<Scope> scopes_ = {};
  std::vector<uint32_t> scope_of_ = {};
  std::vector<bool> is_dimension_ = {};  // names standing for dimensions: the arguments of ones, zeros, eye
};

}  // namespace ricci
