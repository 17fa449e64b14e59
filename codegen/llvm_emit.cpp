// A vector or interleaved loop is emitted in up to three versions of its body: the main one with all lanes and copies, then what is left over, under a
// mask where the target has masked memory, else one by one. A value is therefore a list: one LLVM value per interleaved copy, or a
// single one if all copies agree; each is a vector if it differs between lanes, else a scalar.
//
// Integers are hoisted by construction: each goes to the head of the innermost loop that it depends on.
#include "codegen/llvm_emit.h"

#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/MDBuilder.h>

#include <algorithm>
#include <unordered_map>

#include "codegen/llvm_metadata.h"
#include "codegen/llvm_primitives.h"
#include "codegen/llvm_target.h"
#include "codegen/symbol_name.h"

namespace ricci {

using namespace loops;
using Copies = llvm::SmallVector<llvm::Value*, 1>;

namespace {

// The loop that is being run for several iterations at a time.
struct Split {
  LoopId loop;
  uint32_t width, copies;
  llvm::Value* mask;  // lanes that are really there; null: all
};

struct Cell {
  llvm::SmallVector<llvm::AllocaInst*, 1> copies;
  llvm::Type* type;
};

class Emitter {
 public:
  Emitter(const Program& p, const Target& t, const llvm::TargetMachine& machine, llvm::Module& module)
      : p_(p), machine_(machine), module_(module), context_(module.getContext()), b_(context_), primitives_(b_, module, t, machine, p.scalar) {
    scalar_ = p.scalar == Scalar::Double ? b_.getDoubleTy() : b_.getFloatTy();
    int_ = b_.getInt64Ty();
    pointer_ = b_.getPtrTy();
    values_.resize(p.value_count);
    conditions_.resize(p.value_count);
    cells_.resize(p.accumulator_count);
    cell_split_.resize(p.accumulator_count);
    counters_.resize(p.loop_count);
    loop_level_.resize(p.loop_count);
    levels_.reserve(64);
    if (t.fast_math) {
      llvm::FastMathFlags flags;
      flags.setFast();
      b_.setFastMathFlags(flags);
    }
  }

  void emit() {
    open_function();
    match_blocks();
    run(0, p_.body.size());
    b_.CreateRet(b_.CreateLoad(b_.getInt32Ty(), status_));
  }

  void operator()(const Constant& s) { values_[s.result.value] = {llvm::ConstantFP::get(scalar_, s.value)}; }
  void operator()(const Number& s) {
    values_[s.result.value] = each(varies(s.index), [&](uint32_t copy) {
      llvm::Value* i = lanes(s.index, copy);
      return b_.CreateSIToFP(i, primitives_.like(i));
    });
  }
  void operator()(const Compare& s) {
    conditions_[s.result.value] = each(varies(s.left) || varies(s.right), [&](uint32_t copy) {
      llvm::Value *left = lanes(s.left, copy), *right = lanes(s.right, copy);
      primitives_.widen(left, right);
      return s.relation == Compare::Relation::Less ? b_.CreateICmpSLT(left, right) : b_.CreateICmpEQ(left, right);
    });
    as_number(s.result);
  }
  void operator()(const Compute& s) {
    const size_t arity = row(s.op).arity;
    size_t copies = 1;
    for (size_t k = 0; k < arity; ++k) copies = std::max(copies, values_[s.operands[k].value].size());
    const bool is_select = s.op == Primitive::select_ && !conditions_[s.operands[0].value].empty();
    const bool is_comparison = s.op == Primitive::isless_ || s.op == Primitive::isequal_;
    Copies& result = is_comparison ? conditions_[s.result.value] : values_[s.result.value];
    result = each(copies > 1, [&](uint32_t copy) {
      llvm::Value* x[3] = {};
      for (size_t k = 0; k < arity; ++k) x[k] = pick(k == 0 && is_select ? conditions_[s.operands[k].value] : values_[s.operands[k].value], copy);
      return primitives_.apply(s.op, x);
    });
    if (is_comparison) as_number(s.result);
  }
  void operator()(const Load& s) {
    const Place place = locate(s.from);
    values_[s.result.value] = each(place.varies, [&](uint32_t copy) { return load(place, copy); });
  }
  void operator()(const Store& s) {
    const Place place = locate(s.to);
    for (uint32_t copy = 0; copy < copies(); ++copy) store(place, copy, pick(values_[s.value.value], copy));
  }
  void operator()(const Update& s) {
    const Place place = locate(s.to);
    for (uint32_t copy = 0; copy < copies(); ++copy)
      store(place, copy, primitives_.combine(s.combine, load(place, copy), pick(values_[s.value.value], copy), factor(s.factor, copy)));
  }
  void operator()(const Accumulator& s) {
    llvm::Type* type = width() > 1 ? llvm::FixedVectorType::get(scalar_, width()) : scalar_;
    cells_[s.result.value] = new_cell(type, copies());
    cell_split_[s.result.value] = split_.has_value();
    for (uint32_t copy = 0; copy < copies(); ++copy) {
      llvm::Value* initial = pick(values_[s.initial.value], copy);
      b_.CreateStore(primitives_.splat(initial, type), cells_[s.result.value].copies[copy]);
    }
  }
  void operator()(const Accumulate& s) {
    const Cell& cell = cells_[s.to.value];
    for (uint32_t copy = 0; copy < copies(); ++copy) {
      llvm::AllocaInst* at = cell.copies[copy];
      llvm::Value* old = b_.CreateLoad(cell.type, at);
      llvm::Value* next = primitives_.combine(s.combine, old, pick(values_[s.value.value], copy), factor(s.factor, copy));
      if (split_ && split_->mask && !cell_split_[s.to.value]) next = b_.CreateSelect(split_->mask, next, old);
      b_.CreateStore(next, at);
    }
  }
  void operator()(const Read& s) {
    const Cell& cell = cells_[s.from.value];
    Copies result;
    for (llvm::AllocaInst* at : cell.copies) result.push_back(b_.CreateLoad(cell.type, at));
    values_[s.result.value] = result;
  }
  void operator()(const Zero& s) {
    b_.CreateMemSet(bases_[s.array.value], b_.getInt8(0), bytes(s.array), llvm::MaybeAlign(size_of(p_.scalar)));
  }
  void operator()(const Copy& s) {
    const llvm::MaybeAlign align(size_of(p_.scalar));
    b_.CreateMemCpy(bases_[s.to.value], align, bases_[s.from.value], align, bytes(s.to));
  }
  void operator()(const Call& s) {
    std::vector<llvm::Value*> arguments;
    for (const Argument& a : s.arguments) {
      if (const auto* i = std::get_if<IndexId>(&a)) arguments.push_back(index(*i, 0));
      if (const auto* v = std::get_if<ValueId>(&a)) arguments.push_back(pick(values_[v->value], 0));
      if (const auto* e = std::get_if<Access>(&a)) arguments.push_back(address(locate(*e), 0));
    }
    llvm::Value* status = b_.CreateCall(primitives_.kernel(*s.kernel), arguments);
    llvm::Value* old = b_.CreateLoad(b_.getInt32Ty(), status_);
    b_.CreateStore(b_.CreateSelect(b_.CreateICmpSGT(status, old), status, old), status_);
  }
  void operator()(const Invoke& s) {
    const Host& f = functions_[s.function];
    for (size_t k = 0; k < s.arguments.size(); ++k)
      b_.CreateStore(address(locate(s.arguments[k]), 0), b_.CreateConstInBoundsGEP1_64(pointer_, arguments_, k));
    llvm::Value* result = address(locate(s.result), 0);
    auto* type = llvm::FunctionType::get(b_.getInt32Ty(), {pointer_, pointer_, pointer_, pointer_}, false);
    llvm::Value* status = b_.CreateCall(type, f.entry, {f.context, arguments_, result, f.sizes});
    llvm::BasicBlock *failed = block("failed"), *after = block("after");
    b_.CreateCondBr(b_.CreateIsNotNull(status), failed, after);
    b_.SetInsertPoint(failed);
    b_.CreateStore(b_.getInt32(kFunctionFailed), status_);  // the largest there is
    fill(result, llvm::ConstantFP::getNaN(scalar_), index(p_.product(p_.functions[s.function].value), 0), after);
    b_.SetInsertPoint(after);
  }
  void operator()(const For&) {}
  void operator()(const If&) {}
  void operator()(const End&) {}

 private:
  // --- control ----------------------------------------------------------------------------------------------------------------------

  void open_function() {
    const size_t parameters = p_.functions.empty() ? 4 : 5;
    auto* type = llvm::FunctionType::get(b_.getInt32Ty(), std::vector<llvm::Type*>(parameters, pointer_), false);
    function_ = llvm::Function::Create(type, llvm::Function::ExternalLinkage, symbol_name(p_.name), module_);
    decorate(*function_, machine_);
    static constexpr const char* kNames[] = {"in", "out", "dims", "work", "functions"};
    for (unsigned k = 0; k < parameters; ++k) {
      function_->getArg(k)->setName(kNames[k]);
      function_->addParamAttr(k, llvm::Attribute::NoAlias);
      if (k != 3) function_->addParamAttr(k, llvm::Attribute::ReadOnly);
    }
    auto* entry = llvm::BasicBlock::Create(context_, "entry", function_);
    auto* start = llvm::BasicBlock::Create(context_, "start", function_);
    levels_.push_back({llvm::BranchInst::Create(start, entry), {}});
    b_.SetInsertPoint(levels_[0].head);
    status_ = b_.CreateAlloca(b_.getInt32Ty(), nullptr, "status");
    b_.CreateStore(b_.getInt32(0), status_);
    load_arrays();
    load_functions();
    b_.SetInsertPoint(start);
  }

  // The entries of ricci_function that are of this scalar, and the sizes that each function is told.
  void load_functions() {
    uint64_t most = 0;
    for (const Function& f : std::vector<Function>(p_.functions)) {
      const uint64_t at = 3 * functions_.size();
      const auto field = [&](uint64_t k) {
        return b_.CreateLoad(pointer_, b_.CreateConstInBoundsGEP1_64(pointer_, function_->getArg(4), at + k), f.name);
      };
      Host host{field(p_.scalar == Scalar::Double ? 0 : 1), field(2), nullptr};
      const std::vector<IndexId> sizes = sizes_of(f);
      host.sizes = b_.CreateAlloca(int_, b_.getInt64(std::max<size_t>(1, sizes.size())), f.name + "_sizes");
      for (size_t k = 0; k < sizes.size(); ++k) b_.CreateStore(index(sizes[k], 0), b_.CreateConstInBoundsGEP1_64(int_, host.sizes, k));
      functions_.push_back(host);
      most = std::max<uint64_t>(most, f.arguments.size());
    }
    if (!functions_.empty()) arguments_ = b_.CreateAlloca(pointer_, b_.getInt64(std::max<uint64_t>(1, most)), "arguments");
  }

  // Stores `count` copies of a value, and goes on to `after`.
  void fill(llvm::Value* at, llvm::Value* value, llvm::Value* count, llvm::BasicBlock* after) {
    llvm::BasicBlock *before = b_.GetInsertBlock(), *body = block("fill");
    b_.CreateCondBr(b_.CreateICmpSGT(count, b_.getInt64(0)), body, after);
    b_.SetInsertPoint(body);
    llvm::PHINode* i = b_.CreatePHI(int_, 2, "i");
    b_.CreateAlignedStore(value, b_.CreateInBoundsGEP(scalar_, at, i), align());
    llvm::Value* next = b_.CreateNSWAdd(i, b_.getInt64(1));
    i->addIncoming(b_.getInt64(0), before);
    i->addIncoming(next, body);
    b_.CreateCondBr(b_.CreateICmpSLT(next, count), body, after);
  }

  void load_arrays() {
    scopes();
    uint32_t next[2] = {0, 0};
    for (const Array& a : std::vector<Array>(p_.arrays)) {
      llvm::Value* base = nullptr;
      llvm::Value* wanted = nullptr;
      if (a.role == Array::Role::Work) {
        base = b_.CreateInBoundsGEP(scalar_, function_->getArg(3), index(a.offset, 0), a.name);
      } else {
        const bool is_out = a.role == Array::Role::Out;
        base = b_.CreateLoad(pointer_, b_.CreateConstInBoundsGEP1_64(pointer_, function_->getArg(is_out), next[is_out]++), a.name);
        if (is_out) wanted = b_.CreateIsNotNull(base);
      }
      bases_.push_back(base);
      wanted_.push_back(wanted);
    }
  }

  // Alias scopes: the inputs share one, each output has its own, the workspace has one. Nothing of one scope overlaps another.
  void scopes() {
    llvm::MDBuilder md(context_);
    llvm::MDNode* domain = md.createAnonymousAliasScopeDomain(p_.name);
    llvm::MDNode* inputs = md.createAnonymousAliasScope(domain, "in");
    llvm::MDNode* work = md.createAnonymousAliasScope(domain, "work");
    std::vector<llvm::Metadata*> all = {inputs, work}, own;
    for (const Array& a : p_.arrays) {
      if (a.role == Array::Role::Out) all.push_back(md.createAnonymousAliasScope(domain, a.name));
      own.push_back(a.role == Array::Role::In ? inputs : a.role == Array::Role::Work ? work : all.back());
    }
    for (llvm::Metadata* mine : own) {
      std::vector<llvm::Metadata*> others;
      std::ranges::copy_if(all, std::back_inserter(others), [&](llvm::Metadata* m) { return m != mine; });
      scope_.push_back(llvm::MDNode::get(context_, {mine}));
      no_alias_.push_back(llvm::MDNode::get(context_, others));
    }
  }

  void match_blocks() {
    partner_.resize(p_.body.size());
    std::vector<size_t> open;
    for (size_t k = 0; k < p_.body.size(); ++k) {
      if (std::holds_alternative<For>(p_.body[k]) || std::holds_alternative<If>(p_.body[k])) open.push_back(k);
      if (std::holds_alternative<End>(p_.body[k])) partner_[open.back()] = k, open.pop_back();
    }
  }

  // Statements [from, to); recursion is as deep as blocks nest.
  void run(size_t from, size_t to) {
    for (size_t k = from; k < to; ++k) {
      const Statement& s = p_.body[k];
      if (const auto* f = std::get_if<For>(&s)) {
        f->width * f->interleave > 1 ? split_loop(*f, k + 1, partner_[k]) : plain_loop(*f, k + 1, partner_[k]);
        k = partner_[k];
      } else if (const auto* i = std::get_if<If>(&s)) {
        branch(*i, k + 1, partner_[k]);
        k = partner_[k];
      } else {
        std::visit(*this, s);
      }
    }
  }

  llvm::BasicBlock* block(const char* name) { return llvm::BasicBlock::Create(context_, name, function_); }

  void branch(const If& s, size_t from, size_t to) {
    llvm::Value* any = wanted_[s.outputs[0].value];
    for (size_t k = 1; k < s.outputs.size(); ++k) any = b_.CreateOr(any, wanted_[s.outputs[k].value]);
    llvm::BasicBlock *then = block("wanted"), *after = block("after");
    b_.CreateCondBr(any, then, after);
    b_.SetInsertPoint(then);
    run(from, to);
    b_.CreateBr(after);
    b_.SetInsertPoint(after);
  }

  // for counter = from; counter < to; counter += step: body().
  template <class Body>
  void counted(LoopId loop, llvm::Value* from, llvm::Value* to, int64_t step, Body body) {
    llvm::Value* any = b_.CreateICmpSLT(from, to);
    if (auto* known = llvm::dyn_cast<llvm::ConstantInt>(any); known && known->isZero()) return;
    llvm::BasicBlock *before = b_.GetInsertBlock(), *head = block("loop"), *first = block("body"), *after = block("done");
    b_.CreateCondBr(any, head, after);
    b_.SetInsertPoint(head);
    llvm::PHINode* counter = b_.CreatePHI(int_, 2, "i");
    counter->addIncoming(from, before);
    levels_.push_back({b_.CreateBr(first), {}});
    loop_level_[loop.value] = levels_.size() - 1;
    counters_[loop.value] = counter;
    b_.SetInsertPoint(first);
    body(counter);
    llvm::Value* next = b_.CreateNSWAdd(counter, b_.getInt64(uint64_t(step)));
    counter->addIncoming(next, b_.GetInsertBlock());
    llvm::BranchInst* back = b_.CreateCondBr(b_.CreateICmpSLT(next, to), head, after);
    back->setMetadata(llvm::LLVMContext::MD_loop, loop_properties());
    levels_.pop_back();
    b_.SetInsertPoint(after);
  }

  // What is a vector is written as one; LLVM's own vectoriser and unroller would only undo the choice.
  llvm::MDNode* loop_properties() {
    const auto property = [&](const char* name) { return llvm::MDNode::get(context_, {llvm::MDString::get(context_, name)}); };
    llvm::Metadata* off[] = {llvm::MDString::get(context_, "llvm.loop.vectorize.enable"), llvm::ConstantAsMetadata::get(b_.getFalse())};
    llvm::MDNode* id = llvm::MDNode::getDistinct(context_, {nullptr, llvm::MDNode::get(context_, off), property("llvm.loop.unroll.disable"),
                                                            property("llvm.loop.mustprogress")});
    id->replaceOperandWith(0, id);
    return id;
  }

  void plain_loop(const For& f, size_t from, size_t to) {
    counted(f.loop, b_.getInt64(0), index(f.extent, 0), 1, [&](llvm::Value*) { run(from, to); });
  }

  void split_loop(const For& f, size_t from, size_t to) {
    const std::map<uint32_t, Combine> outer = carried_out(from, to);
    std::vector<std::pair<uint32_t, Cell>> saved;
    for (const auto& [a, how] : outer) saved.emplace_back(a, cells_[a]), cells_[a] = lane_cells(f, how);

    llvm::Value *zero = b_.getInt64(0), *extent = index(f.extent, 0);
    const int64_t width = f.width, block_size = width * f.interleave;
    llvm::Value* main_end = multiple(extent, block_size);
    const auto version = [&](uint32_t w, uint32_t copies, llvm::Value* begin, llvm::Value* end, bool masked) {
      counted(f.loop, begin, end, int64_t(w) * copies, [&](llvm::Value* counter) {
        split_ = Split{f.loop, w, copies, masked ? mask(extent, counter, w) : nullptr};
        run(from, to);
        split_.reset();
      });
    };
    version(f.width, f.interleave, zero, main_end, false);
    const bool masked = f.width > 1 && has_masked_memory(machine_);
    llvm::Value* vectors_end = main_end;
    if (masked) {
      version(f.width, 1, main_end, extent, true);
    } else if (f.width > 1 && f.interleave > 1) {
      vectors_end = multiple(extent, width);
      version(f.width, 1, main_end, vectors_end, false);
    }
    for (auto& [a, cell] : saved) {
      fold(cells_[a], cell, outer.at(a));
      cells_[a] = cell;
    }
    if (!masked) version(1, 1, vectors_end, extent, false);
  }

  // The extent rounded down: max(n, 0) - max(n, 0) mod by; `by` is not always a power of two.
  llvm::Value* multiple(llvm::Value* n, int64_t by) {
    llvm::Value* positive = b_.CreateBinaryIntrinsic(llvm::Intrinsic::smax, n, b_.getInt64(0));
    return b_.CreateNUWSub(positive, b_.CreateURem(positive, b_.getInt64(uint64_t(by))));
  }

  llvm::Value* mask(llvm::Value* extent, llvm::Value* counter, uint32_t width) {
    llvm::Value* left = b_.CreateBinaryIntrinsic(llvm::Intrinsic::umin, b_.CreateNSWSub(extent, counter), b_.getInt64(width));
    auto* lane = llvm::FixedVectorType::get(b_.getInt32Ty(), width);
    llvm::Value* count = b_.CreateVectorSplat(width, b_.CreateTrunc(left, b_.getInt32Ty()));
    return b_.CreateICmpULT(b_.CreateStepVector(lane), count);
  }

  // --- accumulators -----------------------------------------------------------------------------------------------------------------

  // Accumulators from outside that the statements combine, each in one way.
  std::map<uint32_t, Combine> carried_out(size_t from, size_t to) const {
    std::map<uint32_t, Combine> result;
    std::vector<bool> inside(p_.accumulator_count);
    for (size_t k = from; k < to; ++k) {
      if (const auto* a = std::get_if<Accumulator>(&p_.body[k])) inside[a->result.value] = true;
      if (const auto* a = std::get_if<Accumulate>(&p_.body[k]))
        if (!inside[a->to.value]) result.emplace(a->to.value, a->combine);
    }
    return result;
  }

  Cell new_cell(llvm::Type* type, uint32_t copies) {
    llvm::IRBuilder<> entry(&function_->getEntryBlock(), function_->getEntryBlock().begin());
    Cell cell{{}, type};
    for (uint32_t k = 0; k < copies; ++k) cell.copies.push_back(entry.CreateAlloca(type, nullptr, "acc"));
    return cell;
  }

  Cell lane_cells(const For& f, Combine how) {
    llvm::Type* type = f.width > 1 ? static_cast<llvm::Type*>(llvm::FixedVectorType::get(scalar_, f.width)) : scalar_;
    Cell cell = new_cell(type, f.interleave);
    for (llvm::AllocaInst* at : cell.copies) b_.CreateStore(primitives_.neutral(how, type), at);
    return cell;
  }

  // outer = outer combined with ((copy 0 with copy 1) with (copy 2 with copy 3)) ..., then halves of the lanes until one is left.
  void fold(const Cell& lanes, const Cell& outer, Combine how) {
    std::vector<llvm::Value*> parts;
    for (llvm::AllocaInst* at : lanes.copies) parts.push_back(b_.CreateLoad(lanes.type, at));
    while (parts.size() > 1) {
      std::vector<llvm::Value*> next;
      for (size_t k = 0; k < parts.size(); k += 2)
        next.push_back(k + 1 < parts.size() ? primitives_.combine(how, parts[k], parts[k + 1], nullptr) : parts[k]);
      parts = next;
    }
    llvm::Value* x = parts[0];
    if (auto* vector = llvm::dyn_cast<llvm::FixedVectorType>(lanes.type)) {
      for (uint32_t n = vector->getNumElements(); n > 1; n /= 2)
        x = primitives_.combine(how, primitives_.slice(x, 0, n / 2), primitives_.slice(x, n / 2, n / 2), nullptr);
      x = b_.CreateExtractElement(x, uint64_t(0));
    }
    llvm::Value* old = b_.CreateLoad(outer.type, outer.copies[0]);
    b_.CreateStore(primitives_.combine(how, old, x, nullptr), outer.copies[0]);
  }

  // --- values -----------------------------------------------------------------------------------------------------------------------

  uint32_t copies() const { return split_ ? split_->copies : 1; }
  uint32_t width() const { return split_ ? split_->width : 1; }
  static llvm::Value* pick(const Copies& c, uint32_t copy) { return c[c.size() == 1 ? 0 : copy]; }
  llvm::Value* factor(std::optional<ValueId> f, uint32_t copy) const { return f ? pick(values_[f->value], copy) : nullptr; }

  template <class Make>
  Copies each(bool differ, Make make) {
    Copies result;
    for (uint32_t copy = 0; copy < (differ ? copies() : 1); ++copy) result.push_back(make(copy));
    return result;
  }

  // A condition as 1 or 0; dead code if only selects use it.
  void as_number(ValueId v) {
    values_[v.value].clear();
    for (llvm::Value* c : conditions_[v.value]) {
      llvm::Type* type = primitives_.like(c);
      values_[v.value].push_back(b_.CreateSelect(c, llvm::ConstantFP::get(type, 1.0), llvm::ConstantFP::get(type, 0.0)));
    }
  }

  // --- integers ---------------------------------------------------------------------------------------------------------------------

  // The loops an index mentions. Operands are older, so the answers are filled in ascending order.
  const std::vector<uint32_t>& loops_of(IndexId root) {
    while (mentioned_.size() <= root.value) {
      const Index& i = p_[IndexId{uint32_t(mentioned_.size())}];
      std::vector<uint32_t> all;
      if (i.kind == Index::Kind::Loop) all = {uint32_t(i.value)};
      if (i.kind >= Index::Kind::Add) std::ranges::set_union(mentioned_[i.left.value], mentioned_[i.right.value], std::back_inserter(all));
      mentioned_.push_back(std::move(all));
    }
    return mentioned_[root.value];
  }
  bool varies(IndexId i) { return split_ && std::ranges::binary_search(loops_of(i), split_->loop.value); }

  // The value of an index in lane 0 of a copy.
  llvm::Value* index(IndexId root, uint32_t copy) {
    if (p_[root].kind == Index::Kind::Constant) return b_.getInt64(uint64_t(p_[root].value));
    if (llvm::Value* known = memo(root, copy)) return known;
    const auto here = b_.saveIP();
    llvm::Value* result = nullptr;
    for (IndexId id : reachable(p_, root))
      if (!(result = memo(id, copy))) result = make_index(id, copy);
    b_.restoreIP(here);
    return result;
  }

  uint64_t key(IndexId i, uint32_t copy) { return uint64_t(i.value) << 8 | (varies(i) ? copy : 0); }
  size_t level_of(IndexId i) {
    size_t level = 0;
    for (uint32_t loop : loops_of(i)) level = std::max(level, loop_level_[loop]);
    return level;
  }
  llvm::Value* memo(IndexId i, uint32_t copy) {
    const auto& known = levels_[level_of(i)].memo;
    const auto at = known.find(key(i, copy));
    return at == known.end() ? nullptr : at->second;
  }

  // Builds it from operands already built, at the head of the innermost loop it depends on.
  llvm::Value* make_index(IndexId id, uint32_t copy) {
    Level& level = levels_[level_of(id)];
    b_.SetInsertPoint(level.head);
    const Index i = p_[id];
    const auto operand = [&](IndexId o) { return p_[o].kind == Index::Kind::Constant ? b_.getInt64(uint64_t(p_[o].value)) : memo(o, copy); };
    llvm::Value* v = nullptr;
    switch (i.kind) {
      case Index::Kind::Constant: v = b_.getInt64(uint64_t(i.value)); break;
      case Index::Kind::Dim: v = dimension(uint32_t(i.value)); break;
      case Index::Kind::Loop: v = counter({uint32_t(i.value)}, copy); break;
      case Index::Kind::Add: v = b_.CreateNSWAdd(operand(i.left), operand(i.right)); break;
      case Index::Kind::Mul: v = b_.CreateNSWMul(operand(i.left), operand(i.right)); break;
      case Index::Kind::Min: v = b_.CreateBinaryIntrinsic(llvm::Intrinsic::smin, operand(i.left), operand(i.right)); break;
      case Index::Kind::Max: v = b_.CreateBinaryIntrinsic(llvm::Intrinsic::smax, operand(i.left), operand(i.right)); break;
      case Index::Kind::CeilDiv: {
        llvm::Value *a = operand(i.left), *by = operand(i.right);
        llvm::Value* up = b_.CreateICmpSGT(b_.CreateSRem(a, by), b_.getInt64(0));
        v = b_.CreateNSWAdd(b_.CreateSDiv(a, by), b_.CreateZExt(up, int_));
        break;
      }
    }
    level.memo[key(id, copy)] = v;
    return v;
  }

  llvm::Value* dimension(uint32_t k) {
    return b_.CreateLoad(int_, b_.CreateConstInBoundsGEP1_64(int_, function_->getArg(2), k), p_.dims[k]);
  }

  llvm::Value* counter(LoopId loop, uint32_t copy) {
    llvm::Value* base = counters_[loop.value];
    if (!split_ || split_->loop != loop || copy == 0) return base;
    return b_.CreateNSWAdd(base, b_.getInt64(uint64_t(copy) * split_->width));
  }

  // An index for all lanes: a vector if it varies.
  llvm::Value* lanes(IndexId i, uint32_t copy) {
    llvm::Value* first = index(i, copy);
    return width() > 1 && varies(i) ? ramp(first, linear_in(p_, i, split_->loop)->stride) : first;
  }
  llvm::Value* ramp(llvm::Value* first, IndexId stride) {
    llvm::Value* step = b_.CreateStepVector(llvm::FixedVectorType::get(int_, width()));
    llvm::Value* scaled = b_.CreateNSWMul(step, b_.CreateVectorSplat(width(), index(stride, 0)));
    return b_.CreateNSWAdd(b_.CreateVectorSplat(width(), first), scaled);
  }

  // --- memory -----------------------------------------------------------------------------------------------------------------------

  struct Place {
    ArrayId array;
    IndexId position;
    bool varies;                    // differs between copies (and lanes)
    IndexId stride = {0};           // between lanes
    bool contiguous = false;
  };

  Place locate(const Access& a) {
    Place place{a.array, position(p_, a), false};
    place.varies = varies(place.position);
    if (place.varies && width() > 1) {
      place.stride = linear_in(p_, place.position, split_->loop)->stride;
      place.contiguous = place.stride == p_.index(1);
    }
    return place;
  }

  llvm::Value* address(const Place& place, uint32_t copy) {
    return b_.CreateInBoundsGEP(scalar_, bases_[place.array.value], index(place.position, copy));
  }
  llvm::Value* addresses(const Place& place, uint32_t copy) {
    return b_.CreateInBoundsGEP(scalar_, bases_[place.array.value], ramp(index(place.position, copy), place.stride));
  }
  llvm::Value* all_lanes() { return split_->mask ? split_->mask : llvm::ConstantInt::getTrue(llvm::FixedVectorType::get(b_.getInt1Ty(), width())); }
  llvm::Align align() const { return llvm::Align(size_of(p_.scalar)); }

  // Lanes that are not there read 1: log, 1/x and the like stay on their fast paths.
  llvm::Value* load(const Place& place, uint32_t copy) {
    llvm::Instruction* result = nullptr;
    if (!place.varies || width() == 1) {
      result = b_.CreateAlignedLoad(scalar_, address(place, copy), align());
    } else {
      auto* type = llvm::FixedVectorType::get(scalar_, width());
      llvm::Constant* ones = llvm::ConstantFP::get(type, 1.0);
      if (!place.contiguous) result = b_.CreateMaskedGather(type, addresses(place, copy), align(), all_lanes(), ones);
      else if (split_->mask) result = b_.CreateMaskedLoad(type, address(place, copy), align(), split_->mask, ones);
      else result = b_.CreateAlignedLoad(type, address(place, copy), align());
    }
    if (llvm::isa<llvm::LoadInst>(result) && p_[place.array].role == Array::Role::In)
      result->setMetadata(llvm::LLVMContext::MD_invariant_load, llvm::MDNode::get(context_, {}));
    return tagged(result, place.array);
  }

  void store(const Place& place, uint32_t copy, llvm::Value* v) {
    if (!place.varies || width() == 1) {
      tagged(b_.CreateAlignedStore(v, address(place, copy), align()), place.array);
      return;
    }
    v = primitives_.splat(v, llvm::FixedVectorType::get(scalar_, width()));
    if (!place.contiguous) tagged(b_.CreateMaskedScatter(v, addresses(place, copy), align(), all_lanes()), place.array);
    else if (split_->mask) tagged(b_.CreateMaskedStore(v, address(place, copy), align(), split_->mask), place.array);
    else tagged(b_.CreateAlignedStore(v, address(place, copy), align()), place.array);
  }

  llvm::Instruction* tagged(llvm::Instruction* i, ArrayId a) {
    i->setMetadata(llvm::LLVMContext::MD_alias_scope, scope_[a.value]);
    i->setMetadata(llvm::LLVMContext::MD_noalias, no_alias_[a.value]);
    return i;
  }

  llvm::Value* bytes(ArrayId a) { return index(p_.mul(p_.elements(a), p_.index(int64_t(size_of(p_.scalar)))), 0); }

  struct Level {
    llvm::Instruction* head;  // integers go before it
    std::unordered_map<uint64_t, llvm::Value*> memo;
  };

  Program p_;  // a copy: positions are interned on the way
  const llvm::TargetMachine& machine_;
  llvm::Module& module_;
  llvm::LLVMContext& context_;
  llvm::IRBuilder<> b_;
  Primitives primitives_;
  llvm::Type *scalar_, *int_, *pointer_;
  llvm::Function* function_ = nullptr;
  llvm::AllocaInst* status_ = nullptr;
  std::vector<llvm::Value*> bases_, wanted_;
  struct Host {
    llvm::Value *entry, *context, *sizes;
  };
  std::vector<Host> functions_;
  llvm::Value* arguments_ = nullptr;  // room for the addresses that a function of the host's takes
  std::vector<llvm::MDNode*> scope_, no_alias_;
  std::vector<Copies> values_, conditions_;
  std::vector<Cell> cells_;
  std::vector<bool> cell_split_;  // declared inside the split loop: what dead lanes hold is never read
  std::vector<llvm::Value*> counters_;
  std::vector<size_t> loop_level_;
  std::vector<std::vector<uint32_t>> mentioned_;
  std::vector<Level> levels_;
  std::vector<size_t> partner_;
  std::optional<Split> split_;
};

}  // namespace

void emit_llvm(const Program& p, const Target& t, const llvm::TargetMachine& machine, llvm::Module& module) {
  Emitter(p, t, machine, module).emit();
  emit_work_bytes(p, machine, module);
}

}  // namespace ricci
