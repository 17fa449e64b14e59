#include "passes/claim.h"

#include <cctype>

#include "passes/simplify.h"

namespace ricci {
namespace {

std::string trimmed(std::string_view s) {
  const size_t first = s.find_first_not_of(" \t\n");
  return first == s.npos ? "" : std::string(s.substr(first, s.find_last_not_of(" \t\n") - first + 1));
}

// The positions of `mark` outside brackets.
std::vector<size_t> outside_brackets(std::string_view text, std::string_view marks) {
  std::vector<size_t> found;
  int depth = 0;
  for (size_t k = 0; k < text.size(); ++k) {
    const char c = text[k];
    depth += (c == '(' || c == '[' || c == '{') - (c == ')' || c == ']' || c == '}');
    if (depth == 0 && marks.find(c) != marks.npos) found.push_back(k);
  }
  return found;
}

// Takes d/dx, d2/dx2 or d^2/dx^2 from the left side. A digit behind the x of d/dx is one of its name.
void read_operator(Claim& c) {
  std::string_view rest = c.left;
  const auto take = [&](std::string_view word) { return rest.starts_with(word) && (rest.remove_prefix(word.size()), true); };
  const auto order = [&] {
    const int digit = !rest.empty() && rest[0] >= '2' && rest[0] <= '9' ? rest[0] - '0' : 1;
    rest.remove_prefix(digit > 1);
    return digit;
  };
  if (!take("d")) return;
  const bool raised = take("^");
  const int above = order();
  if (!take("/d")) return;
  size_t end = 0;
  while (end < rest.size() && (std::isalnum(static_cast<unsigned char>(rest[end])) || rest[end] == '_' || (rest[end] & 0x80) != 0)) ++end;
  std::string variable(rest.substr(0, end));
  rest.remove_prefix(end);
  if (above > 1 && !raised && variable.size() > 1 && variable.back() == char('0' + above)) variable.pop_back();
  else if ((take("^") ? order() : 1) != above) return;
  c.variable = std::move(variable);
  c.order = above;
  c.left = trimmed(rest);
}

}  // namespace

std::optional<Claim> parse_claim(std::string_view text) {
  Claim c;
  while (!text.empty() && (text.back() == '\n' || text.back() == ';' || text.back() == ' ')) text.remove_suffix(1);
  if (const auto ends = outside_brackets(text, ";\n"); !ends.empty()) {
    c.definitions = trimmed(text.substr(0, ends.back())) + "\n";
    text.remove_prefix(ends.back() + 1);
  }
  const auto equals = outside_brackets(text, "=");
  if (equals.empty()) return std::nullopt;
  const size_t length = equals.size() > 1 && equals[1] == equals[0] + 1 ? 2 : 1;  // = or ==
  c.left = trimmed(text.substr(0, equals[0]));
  c.right = trimmed(text.substr(equals[0] + length));
  read_operator(c);
  if (c.left.empty() || c.right.empty()) return std::nullopt;
  return c;
}

Judgement judge(Graph& g, const Value& left, const Value& right, const Points& points, std::optional<NodeId> function) {
  Judgement j;
  j.turned = left.variance.size() == 1 && right.variance.size() == 1 && left.variance != right.variance;
  const NodeId a = simplify(g, left.node), b = simplify(g, right.node);
  j.symbolic = a == b;
  if (!j.symbolic) j.numbers = compare(g, left.node, right.node, points, function);
  return j;
}

}  // namespace ricci
