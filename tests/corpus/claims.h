// A row of the corpus as a question in the language: a derivative to be taken of the row's function.
#pragma once
#include <optional>
#include <set>
#include <string>

#include "frontend/program.h"
#include "passes/differentiate.h"
#include "tests/corpus/rows.h"

namespace ricci::corpus {

struct Left {
  std::string expression;  // of the function `claimed`
  bool free = true;        // the published derivative treats the entries of a tied variable as free
  bool independent = false;
  std::string layout = {};  // what the answer's layout is called beside the derivative's own
};

// The left side of the claim, by the form of the row.
inline std::optional<Left> left_side(const Row& row, bool scalar, size_t x_rank) {
  const auto x = split(row.wrt, ';');
  const std::string f = "claimed", by = trim(x[0]), second = x.size() > 1 ? trim(x[1]) : by;
  const std::string& form = row.form;
  if (form == "symgrad_cb") return Left{"grad(" + f + ", " + by + ")", false, true};
  if (scalar && form == "grad") return Left{"grad(" + f + ", " + by + ")"};
  if (form == "elem" && x_rank == 0) {  // D may be a variable's name
    std::string d = f;
    for (int k = 0; k < row.order; ++k) d = "d(" + d + ", " + (k == 0 ? by : second) + ")[1]";
    return Left{d};
  }
  if (form == "grad" || form == "elem" || form == "index") {
    std::string list = "D(" + f;
    for (int k = 0; k < row.order; ++k) list += ", " + (k == 0 ? by : second);
    return Left{list + ")"};
  }
  if (form == "hess") return Left{"D(" + f + ", " + by + ", " + second + ")"};
  if (form == "jac") return scalar && x_rank == 1 ? Left{"grad(" + f + ", " + by + ")'"} : Left{"D(" + f + ", " + by + ")"};
  if (form == "denom")
    return scalar        ? Left{"grad(" + f + ", " + by + ")"}
           : x_rank == 1 ? Left{"jac(" + f + ", " + by + ")'"}
                         : Left{"D(" + f + ", " + by + ")'"};
  if (form == "vecjac") return Left{"D(" + f + ", " + by + ")", true, false, "with its axes stacked by vec"};
  if (form == "vechess") return Left{"D(" + f + ", " + by + ", " + second + ")", true, false, "with its axes stacked by vec"};
  if (form == "dir") return Left{"d(" + f + ", " + by + ")[H]"};
  if (form == "dir2") return Left{"d(" + f + ", " + by + ")[H][G]"};
  if (form == "dirHH") return Left{"d(" + f + ", " + by + ")[H][H]"};
  if (form == "symgrad" || form == "diaggrad") return Left{"grad(" + f + ", " + by + ")", false};
  return std::nullopt;
}

inline std::optional<Program> parse(const std::string& text, const Row& row, bool free, std::string& refusal) {
  std::set<std::string, std::less<>> names;
  if (free)
    for (const std::string& n : split(row.wrt, ';')) names.insert(trim(n));
  Diagnostics diagnostics;
  auto p = parse_program(text, "row", calculus(), diagnostics, {.free = names});
  if (!p) refusal = diagnostics.all().front().text;
  return p;
}

}  // namespace ricci::corpus
