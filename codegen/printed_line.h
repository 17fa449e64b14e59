// Printed lines, and what they say of a derivative: read back as input, and compared in numbers with the derivative itself.
//
// Nothing of how the line came about is used, so a derivative that was laid out, stacked or contracted wrongly is not what the line says.
#pragma once
#include <string>
#include <vector>

#include "codegen/forms.h"
#include "passes/compare.h"

namespace ricci {

struct PrintedLine {
  enum class Form : uint8_t {
    Matrix,        // the derivative, laid out
    Index,         // its components, in the order of its axes
    Slices,        // its contraction with unit vectors
    Differential,  // its contraction with differentials
    Vec,           // the matrix of its entries, stacked and laid out
  } form;
  std::string text;  // "F = A*X", or the right side alone of Form::Matrix
  std::vector<NodeId> directions = {};
  std::vector<Equation> equations = {};  // what other notations spell
};

// Compares the derivative `d` with what the line says it is; at the points the derivative's value has the axes of the function and then
// those of the variables. Where the left side says how a matrix stands, that counts, else the layout. Throws NotReadable.
Comparison compare_with_line(const Program& program, const Derivative& d, DerivativeLayout layout, const PrintedLine& line,
                             const Points& points);

}  // namespace ricci
