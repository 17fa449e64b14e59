// Statements to a Program: declarations, definitions and exports, and what one-liners leave to be inferred.
#pragma once
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "frontend/elaborate.h"
#include "frontend/parser.h"
#include "frontend/program.h"

namespace ricci {

class Reader {
 public:
  // `scalars`: lower-case names to take for scalars although a vector is what they usually are. `free`, `sizes_apart`: as in ParseOptions.
  Reader(const Calculus& calculus, Diagnostics& diagnostics, bool infer, std::set<std::string> scalars = {},
         std::set<std::string, std::less<>> free = {}, bool sizes_apart = false)
      : calculus_(calculus), diagnostics_(diagnostics), infer_(infer), scalars_(std::move(scalars)), free_(std::move(free)),
        sizes_apart_(sizes_apart), elaborator_(dims_, drafts_, diagnostics) {}

  void read(const std::string& text, const std::string& name);
  std::optional<Program> finish();
  // Assumed vectors, by name.
  std::vector<std::string> assumed_vectors() const;

 private:
  struct Variable {
    std::string name;
    Shape shape;
    std::vector<Variance> variance;
    Properties properties;
    bool assumed;
    SourceRange where;
  };

  struct AssumedFunction {
    std::string name;
    std::vector<Variance> variance;  // of the value
    Shape value = {};
    std::vector<std::pair<Shape, std::vector<Variance>>> arguments = {};
  };

  struct Pending {
    std::string name;
    Meaning meaning;
    SourceRange where;
    bool indexed, all_low;
  };

  void statement(const Syntax& syntax, const Statement& s);
  void dimension(const Statement& s);
  void declaration(const Statement& s);
  void function(const Statement& s);
  void definition(const Syntax& syntax, const Statement& s);
  std::optional<DimVar> written(const WrittenDim& d);
  Properties properties(const Statement& s, const WrittenName& name, const Meaning& m);
  bool applies(const PropertyRow& p, const Shape& shape);
  bool is_new(const WrittenName& name);
  void define(const std::string& name, Meaning m, SourceRange where, bool indexed, bool all_low);
  void assume_names(const Syntax& syntax, AstId root);
  void assume_function(const Syntax& syntax, const Ast& call, std::vector<Variance> variance);
  void refuse_exponentials(const Syntax& syntax, AstId root);
  void assume(std::string_view name, size_t rank, std::vector<Variance> variance, SourceRange where);
  void name_sizes();
  void keep_sizes_apart();
  std::string kind_of(const Shape& shape, const std::vector<Variance>& variance) const;
  std::string declaration_of(const AssumedFunction& f) const;
  void check_sizes();
  std::optional<Program> build();
  void check_promises(const Program& p, const std::vector<NodeId>& built);
  void export_all(Program& p);
  void exports(Program& p);
  void check_exports();

  const Calculus& calculus_;
  Diagnostics& diagnostics_;
  bool infer_;
  std::set<std::string> scalars_;
  std::set<std::string, std::less<>> free_;
  bool sizes_apart_;
  Dimensions dims_;
  Drafts drafts_;
  Elaborator elaborator_;
  KnownNames known_;
  std::deque<std::string> texts_;      // what syntaxes view
  std::vector<Variable> variables_;
  std::vector<AssumedFunction> assumed_functions_;
  std::vector<Pending> pending_;
  std::vector<Statement> exports_;
  NameMap<SourceRange> places_;
  std::string file_, source_;
};

}  // namespace ricci
