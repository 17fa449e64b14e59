#include "codegen/derivation_indices.h"

#include <algorithm>

#include "passes/raise.h"

namespace ricci {

DerivationIndices::DerivationIndices(const Graph& g, const Derivation& d, const Spelling& s) : g_(g), s_(s) {
  std::vector<NodeId> roots;
  for (const DerivationSection& section : d.sections)
    for (const DerivationStep& step : section.steps) {
      roots.insert(roots.end(), {step.before.node, step.after.node});
      for (const Formula* f : {&step.before, &step.after})
        for (const IndexTerm& t : f->line.terms)
          for (const Factor& factor : t.factors) roots.push_back(factor.tensor);
    }
  for (NodeId n : g_.reachable(roots)) {
    if (g_[n].kind == Kind::Var) reserved_.insert(g_.symbol(n).name);
    if (g_[n].kind != Kind::Place && g_[n].kind != Kind::Size) continue;
    std::vector<DimId> counted(g_[n].type.begin(), g_[n].type.end());
    counted.push_back(DimId{g_[n].row});
    for (DimId d : counted)
      for (const auto& [symbols, coefficient] : Extent::of(g_, d).terms) reserved_.insert(symbols.begin(), symbols.end());
  }
}

std::string DerivationIndices::letter(Label l) const {
  for (size_t k = 0;; ++k)
    if (std::string name = index_letter(k); !reserved_.contains(name) && l-- == 0) return name;
}

std::string DerivationIndices::extent(const Extent& e) const {
  std::vector<Spelling::SignedText> terms;
  for (const auto& [symbols, coefficient] : e.terms) {
    std::vector<std::string> factors;
    if (symbols.empty() || std::abs(coefficient) != 1) factors.push_back(s_.number(std::abs(coefficient)));
    for (const std::string& symbol : symbols) factors.push_back(s_.name(symbol));
    terms.push_back({coefficient < 0, factors.size() == 1 ? factors[0] : s_.product(factors)});
  }
  if (terms.size() > 1 && e.terms.begin()->first.empty()) std::ranges::rotate(terms, terms.begin() + 1);  // n + 1
  return terms.empty() ? s_.number(0) : s_.sum(terms);
}

IndexLetter DerivationIndices::number(NodeId place, std::span<const IndexLetter> digits) const {
  const Node& n = g_[place];
  Extent offset = Extent::of(g_, DimId{n.row});
  std::vector<Spelling::SignedText> terms;
  for (size_t k = 0; k < digits.size(); ++k) {
    if (k > 0) {
      const std::string before = terms.size() == 1 ? terms[0].text : s_.bracket(s_.sum(terms));
      const Extent size = Extent::of(g_, n.type[k + 1]);
      terms = {{false, s_.product({before, size.terms.size() > 1 ? s_.bracket(extent(size)) : extent(size)})}};
    }
    terms.push_back({false, value(digits[k])});
    if (k + 1 < digits.size()) terms.push_back({true, s_.number(1)});
  }
  if (digits.empty()) offset += Extent::number(1);
  if (digits.size() == 1 && offset.terms.empty()) return digits[0];
  if (!offset.terms.empty()) terms.insert(terms.begin(), {false, extent(offset)});
  const bool digit = digits.empty() && offset.terms.size() == 1 && offset.terms.begin()->first.empty() && offset.terms.begin()->second < 10;
  return {s_.sum(terms), Variance::Down, digit ? IndexLetter::Kind::Digit : IndexLetter::Kind::Sum};
}

std::string DerivationIndices::value(const IndexLetter& l) const {
  return l.kind == IndexLetter::Kind::Letter ? s_.name(l.letter) : l.letter;
}

}  // namespace ricci
