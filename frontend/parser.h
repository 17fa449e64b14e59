// Tokens to syntax. An operator-precedence parser with its own stacks, so that depth of nesting costs no machine stack.
#pragma once
#include "frontend/ast.h"
#include "frontend/lexer.h"
#include "frontend/name_map.h"

namespace ricci {

// Names that are known when a text is read: `A_ij` is one name if it is among them and A with two indices otherwise; after `^` a
// known variable is an exponent and any other name an index; and the indices before a bracket, h^i(x), are those of a known function's value.
struct KnownNames {
  NameSet variables, functions;
};

// Appends the statements of `tokens` to a syntax; `known` gains the names they declare or define. Each broken statement is one report and one
// Statement::Poison with the names it would have given a meaning to.
Syntax parse(const std::vector<Token>& tokens, KnownNames& known, Diagnostics& diagnostics);

}  // namespace ricci
