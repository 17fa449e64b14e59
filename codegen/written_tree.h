// Formulas of the language as the trees that emitters spell: what is written, not what it means.
#pragma once
#include "frontend/ast.h"
#include "frontend/parser.h"
#include "ir/matrix_expr.h"

namespace ricci {

// The expression `root` of a syntax without mistakes. `names` are those of the program: eps is a variable if it is among them, and else the
// permutation symbol.
mat::Expr written_tree(const Syntax& syntax, AstId root, const KnownNames& names);

}  // namespace ricci
