// Claims: "LEFT = RIGHT", "d/dx LEFT = RIGHT", "d2/dx2 LEFT = RIGHT", with definitions before them if need be: "u = A*x; d/dx u'*u = 2*A'*u".
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "frontend/program.h"
#include "passes/compare.h"

namespace ricci {

struct Claim {
  std::string definitions = {}, left = {}, right = {};
  std::string variable = {};  // without d/dx: empty
  int order = 1;              // of d2/dx2 or d^2/dx^2: 2
};
std::optional<Claim> parse_claim(std::string_view text);

struct Judgement {
  bool symbolic = false;       // both sides simplify to one node
  Comparison numbers = {};     // otherwise
  bool turned = false;         // a row against a column: equal numbers, and transposed all the same
  bool verified() const { return !turned && (symbolic || numbers.verdict == Comparison::Verdict::Equal); }
};
// The claim says that, wherever `function` has a value (what the left side is a derivative of; else the left side), the right side is the left one.
Judgement judge(Graph& g, const Value& left, const Value& right, const Points& points, std::optional<NodeId> function = {});

}  // namespace ricci
