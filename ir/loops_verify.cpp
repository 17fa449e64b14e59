// What a loop program promises. Each call of `require` below is one invariant, and its text is the sentence.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "ir/loops.h"

namespace ricci::loops {
namespace {

struct Broken {
  std::string sentence;
};

void require(bool holds, std::string_view sentence) {
  if (!holds) throw Broken{std::string(sentence)};
}


constexpr uint32_t kWidest = 64, kMostCopies = 16;

class Verifier {
 public:
  // linear_in interns what it finds: the checks work on a copy.
  explicit Verifier(const Program& p) : p_(p), values_(p.value_count), accumulators_(p.accumulator_count), loops_(p.loop_count) {}

  std::optional<std::string> run() {
    try {
      at_ = "declarations";
      declarations();
      for (size_t k = 0; k < p_.body.size(); ++k) {
        at_ = fmt::format("statement {}", k);
        std::visit(*this, p_.body[k]);
      }
      at_ = "the end";
      require(blocks_.empty(), "every block is closed");
    } catch (const Broken& broken) {
      return at_ + ": " + broken.sentence;
    }
    return std::nullopt;
  }

  void operator()(const For& s) {
    require(s.loop.value < p_.loop_count && loops_[s.loop.value] == State::Undefined, "a loop counter belongs to one loop");
    require(s.width >= 1 && s.width <= kWidest && (s.width & (s.width - 1)) == 0, "a vector width is a power of two, at most 64");
    require(s.interleave >= 1 && s.interleave <= kMostCopies, "at most 16 copies of a body run side by side");
    require(s.width == 1 || !vector_, "a vector loop contains no vector loop");
    require(!interleaved(), "an interleaved loop contains no block");
    index(s.extent, "an extent");
    require(!vector_ || !depends_on(p_, s.extent, vector_->loop), "an extent inside a vector loop is the same for all lanes");
    loops_[s.loop.value] = State::Visible;
    blocks_.push_back({s, {}, {}, {}, {}});
    if (s.width > 1) vector_ = s;
  }
  void operator()(const If& s) {
    require(!interleaved(), "an interleaved loop contains no block");
    require(!s.outputs.empty(), "an if names an output");
    for (ArrayId a : s.outputs) require(a.value < p_.arrays.size() && p_[a].role == Array::Role::Out, "an if names outputs only");
    blocks_.push_back({std::nullopt, s.outputs, {}, {}, {}});
  }
  void operator()(const End&) {
    require(!blocks_.empty(), "an end closes a block");
    const Block& b = blocks_.back();
    for (ValueId v : b.values) values_[v.value] = State::Hidden;
    for (AccumulatorId a : b.accumulators) accumulators_[a.value] = State::Hidden;
    if (b.loop) loops_[b.loop->loop.value] = State::Hidden;
    if (b.loop && b.loop->width > 1) vector_.reset();
    blocks_.pop_back();
  }
  void operator()(const Constant& s) { define(s.result); }
  void operator()(const Number& s) {
    lanes(s.index);
    define(s.result);
  }
  void operator()(const Compare& s) {
    lanes(s.left);
    lanes(s.right);
    define(s.result);
  }
  void operator()(const Compute& s) {
    for (size_t k = 0; k < row(s.op).arity; ++k) use(s.operands[k]);
    define(s.result);
  }
  void operator()(const Load& s) {
    access(s.from, false);
    define(s.result);
  }
  void operator()(const Store& s) {
    access(s.to, true);
    use(s.value);
  }
  void operator()(const Update& s) {
    access(s.to, true);
    use(s.value);
    factor(s.combine, s.factor);
  }
  void operator()(const Accumulator& s) {
    use(s.initial);
    require(s.result.value < p_.accumulator_count && accumulators_[s.result.value] == State::Undefined, "an accumulator is defined once");
    accumulators_[s.result.value] = State::Visible;
    if (!blocks_.empty()) blocks_.back().accumulators.push_back(s.result);
  }
  void operator()(const Accumulate& s) {
    known(s.to);
    use(s.value);
    factor(s.combine, s.factor);
    if (Block* split = splitter(s.to)) {
      const auto [at, fresh] = split->combined.emplace(s.to.value, s.combine);
      require(fresh || at->second == s.combine, "an accumulator that leaves a vector or interleaved loop is combined in one way there");
    }
  }
  void operator()(const Read& s) {
    known(s.from);
    require(!splitter(s.from), "an accumulator from outside a vector or interleaved loop is not read in it");
    define(s.result);
  }
  void operator()(const Zero& s) { whole(s.array, true); }
  void operator()(const Copy& s) {
    whole(s.to, true);
    whole(s.from, false);
    require(elements(s.to) == elements(s.from), "a copy is between arrays of one size");
  }
  void operator()(const Call& s) {
    require(s.kernel != nullptr, "a call names a kernel");
    require(s.kernel->result == "int", "a called kernel returns a status");
    require(!vector_ && !interleaved(), "no call, zero or copy stands in a vector or interleaved loop");
    const rt::Signature signature = rt::signature(s.kernel->parameters);
    require(s.arguments.size() == signature.count, "a call has an argument per parameter");
    for (size_t k = 0; k < signature.count; ++k) argument(signature.parameters[k], s.arguments[k]);
  }
  void operator()(const Invoke& s) {
    require(s.function < p_.functions.size(), "a function of the host's is declared");
    require(!vector_ && !interleaved(), "no call, zero or copy stands in a vector or interleaved loop");
    require(s.arguments.size() == p_.functions[s.function].arguments.size(), "a function of the host's has as many arguments as it is declared with");
    for (const Access& a : s.arguments) {
      access(a, false);
      const Array::Role role = p_[a.array].role;
      require(role != Array::Role::Out || a.array != s.result.array, "a function of the host's writes no array that it reads");
    }
    access(s.result, true);
  }

 private:
  enum class State : uint8_t { Undefined, Visible, Hidden };
  struct Block {
    std::optional<For> loop;
    std::vector<ArrayId> outputs;  // of an If
    std::vector<ValueId> values;
    std::vector<AccumulatorId> accumulators;
    std::map<uint32_t, Combine> combined;
  };

  bool interleaved() const { return !blocks_.empty() && blocks_.back().loop && blocks_.back().loop->interleave > 1; }

  void declarations() {
    const auto word = [](const std::string& name) {
      require(!name.empty() && std::ranges::all_of(name, [](char c) { return c == '_' || (c & 0x80) || std::isalnum(static_cast<unsigned char>(c)); }),
              "a name is a word");
    };
    // A dimension and an array may share a name, as in the language: they never stand in one place.
    std::set<std::string> dims, arrays;
    for (const std::string& d : p_.dims) {
      word(d);
      require(dims.insert(d).second, "dimensions have names of their own");
    }
    require(p_.body.size() < UINT32_MAX, "ids are 32 bits");
    for (const Array& a : std::vector<Array>(p_.arrays)) {
      word(a.name);
      require(arrays.insert(a.name).second, "arrays have names of their own");
      require(a.shape.size() == a.strides.size(), "an array has a stride per axis");
      for (IndexId i : a.shape) size(i);
      for (IndexId i : a.strides) size(i);
      size(a.offset);
    }
    std::set<std::string> functions;
    for (const Function& f : p_.functions) {
      word(f.name);
      require(functions.insert(f.name).second, "functions of the host's have names of their own");
      for (IndexId i : sizes_of(f)) size(i);
    }
    size(p_.work_elements);
    for (IndexId i : p_.conditions) size(i);
  }

  void size(IndexId i) {
    require(i.value < p_.index_count(), "an index exists");
    for (IndexId part : reachable(p_, i)) {
      require(p_[part].kind != Index::Kind::Loop, "sizes, strides and offsets are made of dimensions only");
      require(p_[part].kind != Index::Kind::Dim || size_t(p_[part].value) < p_.dims.size(), "a dimension exists");
    }
  }

  void index(IndexId i, std::string_view what) {
    require(i.value < p_.index_count(), "an index exists");
    for (IndexId part : reachable(p_, i)) {
      require(p_[part].kind != Index::Kind::Dim || size_t(p_[part].value) < p_.dims.size(), "a dimension exists");
      require(p_[part].kind != Index::Kind::Loop || (size_t(p_[part].value) < loops_.size() && loops_[size_t(p_[part].value)] == State::Visible),
              fmt::format("{} names open loops only", what));
    }
  }
  void lanes(IndexId i) {
    index(i, "an integer");
    require(!vector_ || linear_in(p_, i, vector_->loop), "an integer in a vector loop is linear in its counter");
  }

  void define(ValueId v) {
    require(v.value < p_.value_count && values_[v.value] == State::Undefined, "a value is defined once");
    values_[v.value] = State::Visible;
    if (!blocks_.empty()) blocks_.back().values.push_back(v);
  }
  void use(ValueId v) { require(v.value < p_.value_count && values_[v.value] == State::Visible, "a value is defined before it is used, in an open block"); }
  void known(AccumulatorId a) {
    require(a.value < p_.accumulator_count && accumulators_[a.value] == State::Visible, "an accumulator is defined before it is used, in an open block");
  }
  void factor(Combine c, std::optional<ValueId> f) {
    if (!f) return;
    use(*f);
    require(c == Combine::Add, "only += takes a product");
  }

  // The outermost vector or interleaved loop between an accumulator and here.
  Block* splitter(AccumulatorId a) {
    for (size_t k = blocks_.size(); k-- > 0;) {
      Block& b = blocks_[k];
      if (std::ranges::find(b.accumulators, a) != b.accumulators.end()) return nullptr;
      if (b.loop && (b.loop->width > 1 || b.loop->interleave > 1)) return &b;
    }
    return nullptr;
  }

  void touch(ArrayId a, bool write) {
    require(a.value < p_.arrays.size(), "an array exists");
    require(!write || p_[a].role != Array::Role::In, "an input is never written");
    if (p_[a].role == Array::Role::Out)
      require(std::ranges::any_of(blocks_, [&](const Block& b) { return b.outputs == std::vector{a}; }),
              "an output is touched inside an if that names it and nothing else");
  }

  void access(const Access& a, bool write) {
    touch(a.array, write);
    require(a.subscripts.size() == p_[a.array].shape.size(), "an access has a subscript per axis");
    bool varies = false;
    for (IndexId i : a.subscripts) {
      lanes(i);
      varies |= vector_ && depends_on(p_, i, vector_->loop);
    }
    require(!write || !vector_ || varies, "what a vector loop stores to depends on its counter");
  }

  void whole(ArrayId a, bool write) {
    touch(a, write);
    require(!vector_ && !interleaved(), "no call, zero or copy stands in a vector or interleaved loop");
    require(is_dense(a), "zero and copy take dense arrays");
  }

  // Sizes are compared at one point: distinct primes for the dimensions.
  std::vector<int64_t> sample() const {
    std::vector<int64_t> dims;
    for (int64_t n = 3; dims.size() < p_.dims.size(); n += 2)
      if (std::ranges::none_of(dims, [&](int64_t d) { return n % d == 0; })) dims.push_back(n);
    return dims;
  }
  std::optional<int64_t> elements(ArrayId a) {
    const IndexId count = p_.elements(a);
    return evaluate(p_, count, sample());
  }
  bool is_dense(ArrayId a) const {
    const Array& array = p_[a];
    std::vector<std::pair<int64_t, int64_t>> axes;  // stride, extent
    for (size_t k = 0; k < array.shape.size(); ++k) {
      const auto extent = evaluate(p_, array.shape[k], sample()), stride = evaluate(p_, array.strides[k], sample());
      if (!extent || !stride) return false;
      if (*extent == 0) return true;
      if (*extent != 1) axes.emplace_back(*stride, *extent);
    }
    std::ranges::sort(axes);
    int64_t next = 1;
    for (const auto& [stride, extent] : axes) {
      if (stride != next) return false;
      next *= extent;
    }
    return true;
  }

  void argument(rt::Parameter parameter, const Argument& a) {
    switch (parameter) {
      case rt::Parameter::Int:
        require(std::holds_alternative<IndexId>(a), "an integer parameter takes an integer");
        return index(std::get<IndexId>(a), "an argument");
      case rt::Parameter::Scalar: require(std::holds_alternative<ValueId>(a), "a scalar parameter takes a value"); return use(std::get<ValueId>(a));
      case rt::Parameter::In:
      case rt::Parameter::Out:
      case rt::Parameter::Work:
        require(std::holds_alternative<Access>(a), "a pointer parameter takes an element");
        access(std::get<Access>(a), parameter != rt::Parameter::In);
    }
  }

  Program p_;
  std::vector<State> values_, accumulators_, loops_;
  std::vector<Block> blocks_;
  std::optional<For> vector_;  // the open vector loop
  std::string at_;
};

}  // namespace

std::optional<std::string> verify(const Program& p) { return Verifier(p).run(); }

}  // namespace ricci::loops
