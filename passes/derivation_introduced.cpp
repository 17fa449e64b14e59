// What the derivative of a right side brings in, said before it: the derivative L_f of a function of a matrix, and names for what is long.
#include "passes/deriving.h"
#include "passes/differentiate.h"
#include "passes/frechet.h"

namespace ricci {
namespace {

constexpr int kLong = 10;  // nodes of an expression

}  // namespace

// L_f(X, H), said where it is needed first.
void Deriving::define_along(const IndexLine& line, NodeId u) {
  for (const IndexTerm& t : line.terms)
    for (const Factor& f : t.factors) {
      if (!is_along(f.tensor, u)) continue;
      const FunOp op = g_[f.tensor].fun_op();
      if (!row(op).is_primary() || along_lines_.contains(op)) continue;
      const DimId own = g_[f.tensor].type[0], n = g_[own].kind == Dim::Kind::Fixed || g_[own].kind == Dim::Kind::Symbol ? own : g_.dim("n");
      auto matrix_named = [&](const char* name) { return g_.variable(g_.declare({name, {n, n}, {Variance::Up, Variance::Down}, {}})); };
      const NodeId X = matrix_named("X"), H = matrix_named("H"), F = g_.fun(op, X), block = frechet_block(g_, op, X, H);
      open(in_matrix(along(op, X, H)), in_matrix(g_.ein({{linear_map(F), {0, 1, 2, 3}}, {H, {2, 3}}}, {0, 1}, {n, n})));
      along_lines_[op] =
          step(StepKind::Define, in_matrix(block),
               {{"the derivative of ", in_matrix(F), " along ", in_matrix(H), ", which is this block by the theorem of Mathias"},
                {Code{"e(k)*e(l)'"}, " has 1 at row k of column l and else 0"}});
    }
}

// What the tables bring in that is long gets a name, as inv(eigmax(X)*eye(n) - X + v*v').
void Deriving::define_long(const IndexLine& line, NodeId u) {
  for (const IndexTerm& t : line.terms)
    for (const Factor& f : t.factors) {
      if (g_[f.tensor].kind != Kind::Fun || !contains(f.tensor, u) || is_along(f.tensor, u)) continue;
      const NodeId v = g_[f.tensor].operands[0], moved = prepared(directional(g_, f.tensor, v, v));
      for (NodeId n : g_.reachable(std::span(&moved, 1))) {
        const auto e = g_[n].kind == Kind::Fun && g_[n].rank() == 2 && !contains(f.tensor, n) ? expression(n) : std::nullopt;
        if (!e || (*e)->size < kLong || values_.contains(n)) continue;
        const NodeId name = symbol_of(unused_name(), n);
        open(in_matrix(name), in_matrix(name));
        numbers_[name] = step(StepKind::Define, in_matrix(n), {});
        values_.emplace(n, name);
      }
    }
}

std::string Deriving::unused_name() const {
  std::set<std::string> taken(r_.taken.begin(), r_.taken.end());
  taken.insert(d_.function);
  for (const auto& [n, meaning] : d_.stand_ins) taken.insert(g_.symbol(n).name);
  for (const Part& p : parts_)
    for (NodeId n : p.operands) taken.insert(g_.symbol(n).name);
  for (std::string name = "P";; ++name[0])
    if (!taken.contains(name)) return name;
}

}  // namespace ricci
