#include "codegen/cpp_analysis.h"

#include <algorithm>
#include <concepts>
#include <variant>

namespace ricci {

using namespace loops;

namespace {

constexpr size_t kStatements = 2000;  // of a function

template <class Use>
void for_each_operand(const Statement& s, Use use) {
  if (const auto* c = std::get_if<Compute>(&s))
    for (size_t k = 0; k < row(c->op).arity; ++k) use(c->operands[k]);
  if (const auto* x = std::get_if<Store>(&s)) use(x->value);
  if (const auto* x = std::get_if<Accumulator>(&s)) use(x->initial);
  const auto term = [&](ValueId v, std::optional<ValueId> f) {
    use(v);
    if (f) use(*f);
  };
  if (const auto* x = std::get_if<Update>(&s)) term(x->value, x->factor);
  if (const auto* x = std::get_if<Accumulate>(&s)) term(x->value, x->factor);
  if (const auto* x = std::get_if<Call>(&s))
    for (const Argument& a : x->arguments)
      if (const auto* v = std::get_if<ValueId>(&a)) use(*v);
}
std::optional<ValueId> defined(const Statement& s) {
  return std::visit(
      [](const auto& one) -> std::optional<ValueId> {
        if constexpr (requires { { one.result } -> std::convertible_to<ValueId>; }) return one.result;
        return std::nullopt;
      },
      s);
}
std::optional<AccumulatorId> accumulator_of(const Statement& s) {
  if (const auto* x = std::get_if<Accumulator>(&s)) return x->result;
  if (const auto* x = std::get_if<Accumulate>(&s)) return x->to;
  if (const auto* x = std::get_if<Read>(&s)) return x->from;
  return std::nullopt;
}

}  // namespace

CppAnalysis::CppAnalysis(Program& p) : values(p.value_count), accumulators(p.accumulator_count), p_(p) {
  for (const Statement& s : p_.body)
    if (const auto* c = std::get_if<Constant>(&s)) values[c->result.value].number = c->value;
  match_blocks();
  find_live();
  find_integers();
  split = p_.body.size() > kStatements;
  if (split) divide(0, p_.body.size());
  find_crossing();
}

void CppAnalysis::match_blocks() {
  partner_.resize(p_.body.size());
  std::vector<size_t> open;
  for (size_t k = 0; k < p_.body.size(); ++k) {
    if (opens(k)) open.push_back(k);
    if (std::holds_alternative<End>(p_.body[k])) partner_[open.back()] = k, open.pop_back();
  }
}

bool CppAnalysis::opens(size_t k) const { return std::holds_alternative<For>(p_.body[k]) || std::holds_alternative<If>(p_.body[k]); }

bool CppAnalysis::is_live(const Statement& s) const {
  if (const auto v = defined(s)) return values[v->value].live && !values[v->value].number;
  if (const auto a = accumulator_of(s)) return accumulators[a->value].live;
  return true;
}

// An accumulator read early in a loop makes what follows live, so until nothing changes.
void CppAnalysis::find_live() {
  for (bool changed = true; changed;) {
    changed = false;
    for (size_t k = p_.body.size(); k-- > 0;) {
      const Statement& s = p_.body[k];
      if (!is_live(s)) continue;
      for_each_operand(s, [&](ValueId v) { values[v.value].live = true; });
      if (const auto* r = std::get_if<Read>(&s); r && !accumulators[r->from.value].live) accumulators[r->from.value].live = changed = true;
    }
  }
}

void CppAnalysis::find_integers() {
  loop_free_.clear();
  const auto need = [&](IndexId i) {
    for (IndexId part : reachable(p_, i))
      if (p_[part].kind >= Index::Kind::Add && loop_free(part)) named.insert(part);
      else if (p_[part].kind == Index::Kind::Dim) used_dims.insert(uint32_t(p_[part].value));
  };
  const auto touch = [&](const Access& a) {
    used_arrays.insert(a.array.value);
    need(position(p_, a));
  };
  for (const Statement& s : p_.body) {
    if (!is_live(s)) continue;
    if (const auto* x = std::get_if<For>(&s)) need(x->extent);
    if (const auto* x = std::get_if<If>(&s))
      for (ArrayId a : x->outputs) used_arrays.insert(a.value);
    if (const auto* x = std::get_if<Number>(&s)) need(x->index);
    if (const auto* x = std::get_if<Compare>(&s)) need(x->left), need(x->right);
    if (const auto* x = std::get_if<Load>(&s)) touch(x->from);
    if (const auto* x = std::get_if<Store>(&s)) touch(x->to);
    if (const auto* x = std::get_if<Update>(&s)) touch(x->to);
    if (const auto* x = std::get_if<Zero>(&s)) used_arrays.insert(x->array.value), need(p_.elements(x->array));
    if (const auto* x = std::get_if<Copy>(&s)) used_arrays.insert(x->to.value), used_arrays.insert(x->from.value), need(p_.elements(x->to));
    if (const auto* x = std::get_if<Call>(&s))
      for (const Argument& a : x->arguments) {
        if (const auto* i = std::get_if<IndexId>(&a)) need(*i);
        if (const auto* e = std::get_if<Access>(&a)) touch(*e);
      }
    if (const auto* x = std::get_if<Invoke>(&s)) {
      for (const Access& a : x->arguments) touch(a);
      touch(x->result);
      for (IndexId i : sizes_of(p_.functions[x->function])) need(i);
      need(p_.product(p_.functions[x->function].value));
    }
  }
  for (uint32_t k : used_arrays)
    if (p_.arrays[k].role == Array::Role::Work) need(p_.arrays[k].offset);
}

bool CppAnalysis::loop_free(IndexId root) {
  while (loop_free_.size() <= root.value) {
    const Index& i = p_[IndexId{uint32_t(loop_free_.size())}];
    loop_free_.push_back(i.kind == Index::Kind::Loop ? false : i.kind < Index::Kind::Add || (loop_free_[i.left.value] && loop_free_[i.right.value]));
  }
  return loop_free_[root.value];
}

// Cuts [from, to) into pieces. A block that is too long is not a piece: its inside is cut instead.
void CppAnalysis::divide(size_t from, size_t to) {
  size_t begin = from;
  const auto close = [&](size_t end) {
    if (begin < end) pieces.emplace(begin, end);
    begin = end;
  };
  for (size_t k = from; k < to;) {
    const size_t next = opens(k) ? partner_[k] + 1 : k + 1;
    if (next - k > kStatements) {
      close(k);
      divide(k + 1, next - 1);
      begin = next;
    } else if (next - begin > kStatements) {
      close(k);
    }
    k = next;
  }
  close(to);
}

void CppAnalysis::find_crossing() {
  std::vector<size_t> part_of(p_.body.size(), 0);
  for (const auto& [begin, end] : pieces) std::fill(part_of.begin() + long(begin), part_of.begin() + long(end), begin + 1);
  for (size_t k = 0; k < p_.body.size(); ++k) {
    const Statement& s = p_.body[k];
    if (const auto v = defined(s)) values[v->value].part = part_of[k];
    if (const auto* a = std::get_if<Accumulator>(&s)) accumulators[a->result.value].part = part_of[k];
    for_each_operand(s, [&](ValueId v) { cross(values[v.value], part_of[k]); });
    if (const auto a = accumulator_of(s)) cross(accumulators[a->value], part_of[k]);
  }
}

void CppAnalysis::cross(Cell& c, size_t part) {
  if (c.part == part || c.crosses || c.number) return;
  c.crosses = true;
  c.slot = slots++;
}

}  // namespace ricci
