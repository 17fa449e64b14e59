// The graph of a program before its dimensions are known.
//
// Typing a program and building its graph cannot be one walk: a size may follow from the last line. So typing writes drafts, the graph's own
// constructors with open dimensions, and `build` replays them once everything is settled.
#pragma once
#include <span>
#include <vector>

#include "frontend/dimensions.h"
#include "frontend/program.h"
#include "ir/graph.h"

namespace ricci {

struct DraftId {
  uint32_t value;
  friend auto operator<=>(DraftId, DraftId) = default;
};
using Shape = std::vector<DimVar>;

struct DraftFactor {
  DraftId tensor;
  Labels labels;
};
struct DraftTerm {
  Rational coefficient;
  DraftId tensor;
};

class Drafts {
 public:
  static constexpr DraftId kPoison{0};  // what could not be typed; nothing is built of it
  Drafts() { drafts_.emplace_back(); }

  DraftId given(NodeId node, Shape shape);          // a node that exists already
  DraftId variable(uint32_t number, Shape shape);   // the number-th variable handed to `build`
  DraftId constant(Rational value);
  DraftId size(DimVar d);
  DraftId place(DimVar whole, const Shape& parts, DimVar offset);
  DraftId epsilon(size_t n, DimVar each);
  // Undeclared functions, and calls of them or of their derivatives by the arguments `by` (ascending).
  uint32_t function(std::string name, std::vector<Shape> arguments, Shape value);
  DraftId call(uint32_t function, std::vector<uint8_t> by, std::vector<DraftId> operands);
  DraftId ein(std::vector<DraftFactor> factors, Labels out, Shape shape);
  DraftId sum(std::vector<DraftTerm> terms, Shape shape);
  DraftId map(MapOp op, std::vector<DraftId> operands);
  DraftId fun(FunOp op, DraftId operand);
  DraftId derivative(DraftId f, DraftId x);
  DraftId directional(DraftId f, DraftId x, DraftId h);
  DraftId pullback(DraftId f, DraftId x, DraftId seed);

  DraftId scale(Rational c, DraftId d);
  DraftId times(DraftId scalar, DraftId d);
  DraftId power(DraftId base, DraftId exponent);    // entrywise; numbers fold
  DraftId reciprocal(DraftId d);                    // entrywise
  DraftId broadcast(DraftId scalar, const Shape& shape);

  const Shape& shape(DraftId d) const { return drafts_[d.value].shape; }
  size_t rank(DraftId d) const { return shape(d).size(); }
  const Rational* as_constant(DraftId d) const;
  bool is_variable(DraftId d) const { return drafts_[d.value].kind == Kind::Variable; }

  // The graph's node of every draft.
  std::vector<NodeId> build(Graph& graph, const Dimensions& dims, const Calculus* calculus, std::span<const NodeId> variables) const;

 private:
  enum class Kind : uint8_t { Poison, Given, Variable, Constant, Size, Place, Epsilon, Call, Ein, Sum, Map, Fun, Derivative, Directional, Pullback };
  struct Draft {
    Kind kind = Kind::Poison;
    uint32_t row = 0;  // Given: node; Variable: number; Map, Fun: row of the table
    Shape shape = {};
    std::vector<DraftId> operands = {};
    Labels labels = {};                        // Ein: the operands' axes in order, then the output's
    std::vector<Rational> coefficients = {};   // Sum; Constant
    std::vector<uint8_t> by = {};              // Call
    std::vector<DimVar> dim = {};              // Size; Place: the offset
  };
  DraftId add(Draft d);
  bool is_map(DraftId d, MapOp op) const;
  bool is_norm(DraftId d) const;
  bool is_power_of_norm(DraftId d) const;
  MapOp written_map(const Draft& d) const;
  struct Function {
    std::string name;
    std::vector<Shape> arguments;
    Shape value;
  };
  std::vector<Function> functions_;

  std::vector<Draft> drafts_;
};

}  // namespace ricci
