// Does an answer depend on how the question was written? Factors, terms and steps shuffled, labels renamed: the derivative is printed the same.
// The order of the declarations is kept: x declared before y asks for x - y rather than y - x.
#include <gtest/gtest.h>

#include <numeric>
#include <random>

#include "codegen/index_form.h"
#include "codegen/text.h"
#include "passes/differentiate.h"
#include "passes/raise.h"
#include "passes/simplify.h"
#include "tests/fuzz/derivative_case.h"

using namespace ricci;
using namespace ricci::fuzz;

namespace {

// The same order for both.
template <class A, class B>
void shuffle_together(std::vector<A>& a, std::vector<B>& b, std::mt19937_64& random) {
  for (size_t k = a.size(); k > 1; --k) {
    const size_t other = random() % k;
    std::swap(a[k - 1], a[other]);
    std::swap(b[k - 1], b[other]);
  }
}

// The same program as somebody else would have written it. The result stays the last step.
RandomProgram shuffled(const RandomProgram& p, uint64_t seed) {
  std::mt19937_64 random(seed);
  RandomProgram r = p;
  r.steps.clear();
  std::vector<size_t> waiting(p.steps.size() - 1), number(p.steps.size());
  std::iota(waiting.begin(), waiting.end(), size_t{0});
  std::vector<bool> done(p.steps.size(), false);
  const auto take = [&](size_t k) {
    Step s = p.steps[k];
    for (size_t& o : s.operands) o = number[o];
    if (s.kind == Step::Kind::Sum) shuffle_together(s.operands, s.coefficients, random);
    if (s.kind == Step::Kind::Product) {
      shuffle_together(s.operands, s.labels, random);
      const Label shift = Label(random() % 50);
      for (Labels& ls : s.labels)
        for (Label& l : ls) l = l * 7 % 101 + shift;
      for (Label& l : s.out) l = l * 7 % 101 + shift;
    }
    number[k] = r.steps.size();
    r.steps.push_back(std::move(s));
    done[k] = true;
  };
  while (!waiting.empty()) {
    const size_t at = random() % waiting.size(), k = waiting[at];
    if (!std::ranges::all_of(p.steps[k].operands, [&](size_t o) { return done[o]; })) continue;
    const auto waits = [&](size_t o) { return o < k && p.steps[o].kind == Step::Kind::Input; };
    if (p.steps[k].kind == Step::Kind::Input && std::ranges::any_of(waiting, waits)) continue;
    waiting.erase(waiting.begin() + long(at));
    take(k);
  }
  take(p.steps.size() - 1);
  return r;
}

const std::string kIndexForm = "_ = ";

// The derivative by the input of this name, in matrix form or else in index form; empty if it is too long to be written down.
std::string answer(const RandomProgram& p, uint32_t variable) {
  Graph g;
  const std::vector<NodeId> nodes = p.build(g);
  NodeId x = nodes.back();
  for (size_t k = 0; k < p.steps.size(); ++k)
    if (p.steps[k].kind == Step::Kind::Input && p.steps[k].row == variable) x = nodes[k];
  const NodeId d = calculus().derivative(g, nodes.back(), x);
  if (!can_be_written(g, d)) return {};
  const NodeId simple = simplify(g, d);
  std::vector<Variance> variance(g[simple].rank(), Variance::Down);
  if (!variance.empty()) variance[0] = Variance::Up;
  const Raised raised = raise(g, simple, variance);
  return raised.expr ? to_text(*raised.expr) : kIndexForm + index_expression(g, {simple, variance}, true);
}

Outcome check_shuffled(const RandomProgram& p) try {
  const auto input = std::ranges::find(p.steps, Step::Kind::Input, &Step::kind);
  if (input == p.steps.end()) return {Outcome::Kind::Skipped};
  const std::string as_given = answer(p, input->row);
  if (as_given.empty()) return {Outcome::Kind::Skipped};
  const std::string otherwise = answer(shuffled(p, p.seed + 1), input->row);
  return as_given == otherwise ? Outcome{} : different(as_given + "\nand shuffled\n" + otherwise + "\n");
} catch (const std::exception& e) {
  return different(e.what());
}

// How many of 10,000 answers may depend on the order, all in index form: products of places that join or do not.
constexpr uint64_t kMostOfTenThousand = 2;

TEST(Confluence, ShufflingKeepsTheAnswer) {
  const uint64_t count = from_environment("RICCI_FUZZ_COUNT", 300), first = from_environment("RICCI_FUZZ_SEED", 1);
  const bool listed = from_environment("RICCI_FUZZ_LIST", 0);
  uint64_t same = 0, different = 0, skipped = 0;
  for (uint64_t seed = first; seed < first + count; ++seed) {
    const RandomProgram p = random_program(seed, 1 + seed % 8, {.small = true});
    const Outcome o = check_shuffled(p);
    same += o.kind == Outcome::Kind::Same;
    skipped += o.kind == Outcome::Kind::Skipped;
    if (o.kind != Outcome::Kind::Different) continue;
    ++different;
    if (!o.message.starts_with(kIndexForm)) ADD_FAILURE() << "RICCI_FUZZ_SEED=" << seed << "\n" << o.message << p.listing();
    if (!listed) continue;
    const RandomProgram small = shrink(p, [&](const RandomProgram& q) { return check_shuffled(q).kind == Outcome::Kind::Different; });
    std::printf("RICCI_FUZZ_SEED=%llu\n%s%s\n", static_cast<unsigned long long>(seed), small.listing().c_str(), check_shuffled(small).message.c_str());
  }
  std::printf("%llu programs: %llu the same answer, %llu another, %llu too long\n", static_cast<unsigned long long>(count),
              static_cast<unsigned long long>(same), static_cast<unsigned long long>(different), static_cast<unsigned long long>(skipped));
  EXPECT_LE(different * 10000, (count + 5000) * kMostOfTenThousand);
}

}  // namespace
