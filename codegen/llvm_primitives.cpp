#include "codegen/llvm_primitives.h"

#include <algorithm>

#include "codegen/llvm_target.h"

namespace ricci {

using namespace loops;

static uint32_t lanes_of(llvm::Type* type) {
  const auto* vector = llvm::dyn_cast<llvm::FixedVectorType>(type);
  return vector ? vector->getNumElements() : 1;
}

static llvm::Type* with_lanes(llvm::Type* element, uint32_t lanes) {
  return lanes > 1 ? static_cast<llvm::Type*>(llvm::FixedVectorType::get(element, lanes)) : element;
}

llvm::Type* Primitives::element() { return scalar_ == Scalar::Double ? b_.getDoubleTy() : b_.getFloatTy(); }

llvm::Type* Primitives::like(llvm::Value* v) { return with_lanes(element(), lanes_of(v->getType())); }

llvm::Value* Primitives::splat(llvm::Value* v, llvm::Type* type) {
  const uint32_t lanes = lanes_of(type);
  return lanes == lanes_of(v->getType()) ? v : b_.CreateVectorSplat(lanes, v);
}

void Primitives::widen(llvm::Value*& a, llvm::Value*& b) {
  const uint32_t lanes = std::max(lanes_of(a->getType()), lanes_of(b->getType()));
  if (lanes_of(a->getType()) != lanes) a = b_.CreateVectorSplat(lanes, a);
  if (lanes_of(b->getType()) != lanes) b = b_.CreateVectorSplat(lanes, b);
}

llvm::Value* Primitives::slice(llvm::Value* v, uint32_t from, uint32_t count) {
  llvm::SmallVector<int, 16> lanes;
  for (uint32_t k = 0; k < count; ++k) lanes.push_back(int(from + k));
  return b_.CreateShuffleVector(v, lanes);
}

llvm::Value* Primitives::apply(Primitive op, llvm::Value* const* operands) {
  const PrimitiveRow& r = row(op);
  uint32_t lanes = 1;
  for (size_t k = 0; k < r.arity; ++k) lanes = std::max(lanes, lanes_of(operands[k]->getType()));
  llvm::Value* x[3] = {};
  for (size_t k = 0; k < r.arity; ++k) x[k] = lanes == lanes_of(operands[k]->getType()) ? operands[k] : b_.CreateVectorSplat(lanes, operands[k]);
  llvm::Type* type = with_lanes(element(), lanes);
  llvm::Constant* zero = llvm::ConstantFP::get(type, 0.0);

  // A NaN first, else the larger (smaller); where they are equal the second, as the processor's instruction has it.
  const auto extreme = [&](llvm::CmpInst::Predicate p) {
    llvm::Value* plain = b_.CreateSelect(b_.CreateFCmp(p, x[0], x[1]), x[0], x[1]);
    return b_.CreateSelect(b_.CreateFCmpUNO(x[0], x[0]), x[0], plain);
  };
  if (!r.libm.empty()) return function(r, x, type);
  switch (op) {
    case Primitive::neg: return b_.CreateFNeg(x[0]);
    case Primitive::add: return b_.CreateFAdd(x[0], x[1]);
    case Primitive::sub: return b_.CreateFSub(x[0], x[1]);
    case Primitive::mul: return b_.CreateFMul(x[0], x[1]);
    case Primitive::div: return b_.CreateFDiv(x[0], x[1]);
    case Primitive::muladd: return b_.CreateIntrinsic(llvm::Intrinsic::fmuladd, {type}, {x[0], x[1], x[2]});
    case Primitive::sqrt_: return b_.CreateUnaryIntrinsic(llvm::Intrinsic::sqrt, x[0]);
    case Primitive::fabs_: return b_.CreateUnaryIntrinsic(llvm::Intrinsic::fabs, x[0]);
    case Primitive::max_: return extreme(llvm::CmpInst::FCMP_OGT);
    case Primitive::min_: return extreme(llvm::CmpInst::FCMP_OLT);
    case Primitive::isless_: return b_.CreateFCmpOLT(x[0], x[1]);
    case Primitive::isequal_: return b_.CreateFCmpOEQ(x[0], x[1]);
    case Primitive::select_:
      if (!x[0]->getType()->getScalarType()->isIntegerTy()) x[0] = b_.CreateFCmpUNE(x[0], zero);
      return b_.CreateSelect(x[0], x[1], x[2]);
    default: return function(r, x, type);
  }
}

llvm::Value* Primitives::combine(Combine how, llvm::Value* old, llvm::Value* x, llvm::Value* factor) {
  llvm::Value* const pair[3] = {old, x, nullptr};
  switch (how) {
    case Combine::Add: {
      llvm::Value* const product[3] = {x, factor, old};
      return factor ? apply(Primitive::muladd, product) : apply(Primitive::add, pair);
    }
    case Combine::Mul: return apply(Primitive::mul, pair);
    case Combine::Max: return apply(Primitive::max_, pair);
    case Combine::Min: return apply(Primitive::min_, pair);
  }
  return nullptr;
}

llvm::Constant* Primitives::neutral(Combine how, llvm::Type* type) {
  switch (how) {
    case Combine::Add: return llvm::ConstantFP::get(type, 0.0);
    case Combine::Mul: return llvm::ConstantFP::get(type, 1.0);
    case Combine::Max: return llvm::ConstantFP::getInfinity(type, true);
    case Combine::Min: return llvm::ConstantFP::getInfinity(type, false);
  }
  return nullptr;
}

// Functions of numbers alone: no memory, no errno. `nobuiltin` keeps LLVM from making exp2(x) of pow(2, x): the library's bits are the result.
llvm::FunctionCallee Primitives::pure(const std::string& name, llvm::Type* type, size_t arity) {
  const std::vector<llvm::Type*> parameters(arity, type);
  llvm::FunctionCallee callee = module_.getOrInsertFunction(name, llvm::FunctionType::get(type, parameters, false));
  auto* f = llvm::cast<llvm::Function>(callee.getCallee());
  f->setDoesNotAccessMemory();
  f->setDoesNotThrow();
  f->setWillReturn();
  f->addFnAttr(llvm::Attribute::NoBuiltin);
  return callee;
}

// A library function of all lanes: whole registers if the vector library has it, halves of what is too wide, else lane by lane.
llvm::Value* Primitives::function(const PrimitiveRow& r, llvm::Value* const* x, llvm::Type* type) {
  const uint32_t lanes = lanes_of(type);
  const std::span<llvm::Value* const> arguments(x, r.arity);
  if (lanes == 1) {
    const std::string name = std::string(r.libm) + (scalar_ == Scalar::Float ? "f" : "");
    return b_.CreateCall(pure(name, type, r.arity), llvm::ArrayRef(arguments.data(), arguments.size()));
  }
  if (const std::string name = vector_function(t_, machine_, r.vector, r.arity, scalar_, lanes); !name.empty())
    return b_.CreateCall(pure(name, type, r.arity), llvm::ArrayRef(arguments.data(), arguments.size()));
  llvm::Value* halves[2] = {};
  for (uint32_t h = 0; h < 2; ++h) {
    llvm::Value* part[3] = {};
    for (size_t k = 0; k < r.arity; ++k)
      part[k] = lanes == 2 ? b_.CreateExtractElement(x[k], uint64_t(h)) : slice(x[k], h * lanes / 2, lanes / 2);
    halves[h] = function(r, part, with_lanes(element(), lanes / 2));
  }
  if (lanes == 2) {
    llvm::Value* both = b_.CreateInsertElement(llvm::PoisonValue::get(type), halves[0], uint64_t(0));
    return b_.CreateInsertElement(both, halves[1], uint64_t(1));
  }
  llvm::SmallVector<int, 16> all;
  for (uint32_t k = 0; k < lanes; ++k) all.push_back(int(k));
  return b_.CreateShuffleVector(halves[0], halves[1], all);
}

llvm::Function* Primitives::kernel(const rt::KernelRow& row) {
  std::vector<llvm::Type*> parameters;
  const rt::Signature signature = rt::signature(row.parameters);
  for (size_t k = 0; k < signature.count; ++k) {
    const rt::Parameter p = signature.parameters[k];
    parameters.push_back(p == rt::Parameter::Int ? b_.getInt64Ty() : p == rt::Parameter::Scalar ? element() : b_.getPtrTy());
  }
  const std::string name = "ricci_" + std::string(row.name) + (scalar_ == Scalar::Float ? "f" : "");
  auto* f = llvm::cast<llvm::Function>(
      module_.getOrInsertFunction(name, llvm::FunctionType::get(b_.getInt32Ty(), parameters, false)).getCallee());
  f->setOnlyAccessesArgMemory();
  f->setDoesNotThrow();
  f->setWillReturn();
  return f;
}

}  // namespace ricci
