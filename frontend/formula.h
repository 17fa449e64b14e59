// Formulas of our own tables, written in the language: derivative columns, differentials, both sides of rewrite rules.
#pragma once
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "frontend/diagnostics.h"
#include "ir/graph.h"

namespace ricci {

enum class FormulaMode {
  Entrywise,  // `*`, `/` and `^` act entry by entry and numbers broadcast; the bindings are of one type or rank 0
  Matrix,     // the typing of programs; a binding of rank 1 is a column, of rank 2 a matrix
};

using Bindings = std::map<std::string, NodeId, std::less<>>;

// The node a formula means. Names are `bindings`, else `pi`, else dimensions: a dimension follows by unification with the bindings'
// (`X - F*ones(n)` in the differential of lse). The text is ours: a mistake in it ends the program with the diagnostic.
NodeId build_formula(Graph& graph, std::string_view formula, const Bindings& bindings, FormulaMode mode);

// The same for a text that may be a mistake: nothing then, and reports.
std::optional<NodeId> build_formula(Graph& graph, std::string_view formula, const Bindings& bindings, FormulaMode mode, Diagnostics& diagnostics);

}  // namespace ricci
