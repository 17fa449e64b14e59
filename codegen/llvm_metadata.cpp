#include "codegen/llvm_metadata.h"

#include <llvm/IR/IRBuilder.h>
#include <ricci/abi.h>

#include <algorithm>
#include <stdexcept>
#include <unordered_map>

#include "codegen/symbol_name.h"

namespace ricci {

using namespace loops;

void decorate(llvm::Function& f, const llvm::TargetMachine& machine) {
  f.addFnAttr("target-cpu", machine.getTargetCPU());
  if (const auto features = machine.getTargetFeatureString(); !features.empty()) f.addFnAttr("target-features", features);
  f.addFnAttr(llvm::Attribute::NoUnwind);
  f.addFnAttr(llvm::Attribute::WillReturn);
  f.addFnAttr(llvm::Attribute::MustProgress);
}

void emit_work_bytes(const Program& program, const llvm::TargetMachine& machine, llvm::Module& module) {
  Program p = program;
  const IndexId bytes = p.mul(p.work_elements, p.index(int64_t(size_of(p.scalar))));
  llvm::LLVMContext& context = module.getContext();
  llvm::IRBuilder<> b(context);
  auto* type = llvm::FunctionType::get(b.getInt64Ty(), {b.getPtrTy()}, false);
  auto* f = llvm::Function::Create(type, llvm::Function::ExternalLinkage, symbol_name(p.name) + "_work_bytes", module);
  decorate(*f, machine);
  b.SetInsertPoint(llvm::BasicBlock::Create(context, "entry", f));
  llvm::Value* overflow = b.getFalse();
  std::unordered_map<uint32_t, llvm::Value*> values;
  const auto checked = [&](llvm::Intrinsic::ID id, llvm::Value* x, llvm::Value* y) {
    llvm::Value* pair = b.CreateBinaryIntrinsic(id, x, y);
    overflow = b.CreateOr(overflow, b.CreateExtractValue(pair, 1));
    return b.CreateExtractValue(pair, 0);
  };
  for (IndexId id : reachable(p, bytes)) {
    const Index& i = p[id];
    llvm::Value *x = values[i.left.value], *y = values[i.right.value], *v = nullptr;
    switch (i.kind) {
      case Index::Kind::Constant:
      case Index::Kind::Loop: v = b.getInt64(uint64_t(i.value)); break;
      case Index::Kind::Dim: v = b.CreateLoad(b.getInt64Ty(), b.CreateConstInBoundsGEP1_64(b.getInt64Ty(), f->getArg(0), uint64_t(i.value))); break;
      case Index::Kind::Add: v = checked(llvm::Intrinsic::sadd_with_overflow, x, y); break;
      case Index::Kind::Mul: v = checked(llvm::Intrinsic::smul_with_overflow, x, y); break;
      case Index::Kind::Min: v = b.CreateBinaryIntrinsic(llvm::Intrinsic::smin, x, y); break;
      case Index::Kind::Max: v = b.CreateBinaryIntrinsic(llvm::Intrinsic::smax, x, y); break;
      case Index::Kind::CeilDiv:
        v = b.CreateAdd(b.CreateSDiv(x, y), b.CreateZExt(b.CreateICmpSGT(b.CreateSRem(x, y), b.getInt64(0)), b.getInt64Ty()));
        break;
    }
    values[id.value] = v;
  }
  b.CreateRet(b.CreateSelect(overflow, b.getInt64(UINT64_MAX), values[bytes.value]));
}

namespace {

// Constant data of one module, laid out as C lays out the structs of abi.h: naturally aligned, in order.
class Data {
 public:
  explicit Data(llvm::Module& m) : m_(m), b_(m.getContext()) {}

  llvm::Constant* text(const std::string& s) { return global(llvm::ConstantDataArray::getString(m_.getContext(), s)); }
  llvm::Constant* i32(int64_t v) { return b_.getInt32(uint32_t(v)); }
  llvm::Constant* i64(int64_t v) { return b_.getInt64(uint64_t(v)); }
  llvm::Constant* null() { return llvm::ConstantPointerNull::get(b_.getPtrTy()); }
  llvm::Constant* record(const std::vector<llvm::Constant*>& fields) { return llvm::ConstantStruct::getAnon(m_.getContext(), fields); }
  llvm::Constant* array(const std::vector<llvm::Constant*>& elements) {
    if (elements.empty()) return null();
    return global(llvm::ConstantArray::get(llvm::ArrayType::get(elements[0]->getType(), elements.size()), elements));
  }

 private:
  llvm::Constant* global(llvm::Constant* c) {
    auto* g = new llvm::GlobalVariable(m_, c->getType(), true, llvm::GlobalValue::PrivateLinkage, c);
    g->setUnnamedAddr(llvm::GlobalValue::UnnamedAddr::Global);
    return g;
  }
  llvm::Module& m_;
  llvm::IRBuilder<> b_;
};

}  // namespace

// Column-major if its first axis is the one with stride 1, and it has another axis.
static bool is_column_major(const Program& p, const Array& a) {
  return a.shape.size() > 1 && p[a.strides[0]] == Index{Index::Kind::Constant, 1} && p[a.strides.back()] != Index{Index::Kind::Constant, 1};
}

static llvm::Constant* array_meta(Data& data, const Program& p, const Array& a) {
  std::vector<llvm::Constant*> shape, symbol;
  for (IndexId i : a.shape) {
    const bool fixed = p[i].kind == Index::Kind::Constant;
    shape.push_back(data.i64(fixed ? p[i].value : -1));
    symbol.push_back(data.i32(p[i].kind == Index::Kind::Dim ? p[i].value : -1));
  }
  return data.record({data.text(a.name), data.i32(int64_t(a.shape.size())), data.i32(p.scalar == Scalar::Double ? RICCI_F64 : RICCI_F32),
                      data.i32(is_column_major(p, a) ? RICCI_COLUMN_MAJOR : RICCI_ROW_MAJOR), data.array(shape), data.array(symbol)});
}

static llvm::Constant* polynomial_meta(Data& data, const Program& p, IndexId i) {
  std::vector<llvm::Constant*> terms;
  const auto polynomial = loops::polynomial(p, i);
  if (!polynomial) throw std::invalid_argument("a size exceeds 64 bits");
  for (const Term& t : *polynomial) {
    std::vector<llvm::Constant*> factors;
    for (uint32_t d : t.dims) factors.push_back(data.i32(d));
    terms.push_back(data.record({data.i64(t.coefficient), data.i32(int64_t(factors.size())), data.array(factors)}));
  }
  return data.record({data.i32(int64_t(terms.size())), data.array(terms)});
}

static_assert(RICCI_FUNCTION == kFunctionFailed);

void emit_metadata(const Unit& unit, const Target& t, llvm::Module& module) {
  const Program& p = unit.program;
  Data data(module);
  std::vector<llvm::Constant*> arguments, results, dims, built, conditions, functions;
  for (const Array& a : p.arrays) {
    if (a.role == Array::Role::In) arguments.push_back(array_meta(data, p, a));
    if (a.role == Array::Role::Out) results.push_back(array_meta(data, p, a));
  }
  for (const std::string& n : p.dims) dims.push_back(data.text(n));
  int64_t position = 0;
  for (const Array::Role role : {Array::Role::In, Array::Role::Out}) {
    for (const ArrayId a : arrays_of(p, role)) {
      for (size_t k = 0; k < p[a].shape.size(); ++k) {
        const IndexId size = p[a].shape[k];
        if (p[size].kind != Index::Kind::Constant && p[size].kind != Index::Kind::Dim)
          built.push_back(data.record({data.i32(position), data.i32(int64_t(k)), polynomial_meta(data, p, size)}));
      }
      ++position;
    }
  }
  for (const IndexId c : p.conditions) conditions.push_back(data.record({data.text(condition_text(p, c)), polynomial_meta(data, p, c)}));
  for (const Function& f : p.functions) {
    std::vector<llvm::Constant*> ranks;
    for (const std::vector<IndexId>& a : f.arguments) ranks.push_back(data.i32(int64_t(a.size())));
    ranks.push_back(data.i32(int64_t(f.value.size())));
    functions.push_back(data.record({data.text(f.name), data.i32(int64_t(f.arguments.size())), data.array(ranks)}));
  }
  const std::string symbol = symbol_name(p.name);
  llvm::Constant* entry = module.getFunction(symbol);
  const auto entry_if = [&](Scalar scalar, bool calling) { return p.scalar == scalar && !functions.empty() == calling ? entry : data.null(); };
  llvm::Constant* meta = data.record({data.i64(sizeof(ricci_meta)), data.i32(RICCI_ABI_VERSION), data.i32(int64_t(arguments.size())),
                                      data.i32(int64_t(results.size())), data.i32(int64_t(dims.size())), data.text(p.name), data.array(arguments),
                                      data.array(results), data.array(dims), data.text(describe(t)), data.text(unit.hash), data.text(unit.source),
                                      entry_if(Scalar::Double, false), entry_if(Scalar::Float, false), module.getFunction(symbol + "_work_bytes"),
                                      data.i32(int64_t(built.size())), data.i32(int64_t(conditions.size())), data.array(built),
                                      data.array(conditions), data.i32(int64_t(functions.size())), data.array(functions),
                                      entry_if(Scalar::Double, true), entry_if(Scalar::Float, true)});
  new llvm::GlobalVariable(module, meta->getType(), true, llvm::GlobalValue::ExternalLinkage, meta, symbol + "_meta");
}

}  // namespace ricci
